#include "model/decode_trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_value.h"
#include "model/timestamp.h"

const char *mlf_trace_id(const mlf_json_node *trace) {
  return mlf_json_text(mlf_json_member(trace, "trace_id"));
}

const char *mlf_trace_experiment_id(const mlf_json_node *trace) {
  const mlf_json_node *location = mlf_json_member(trace, "trace_location");
  return mlf_json_text(
      mlf_json_member(mlf_json_member(location, "mlflow_experiment"), "experiment_id"));
}

const char *mlf_trace_spans_location(const mlf_json_node *trace) {
  const mlf_json_node *tags = mlf_json_member(trace, "tags");
  return mlf_json_text(mlf_json_member(tags, "mlflow.trace.spansLocation"));
}

bool mlf_trace_timestamp(const mlf_json_node *trace, int64_t *ms) {
  return mlf_timestamp_parse(mlf_json_text(mlf_json_member(trace, "request_time")), ms);
}

/* A member that is a text which `parse` reads. */
static int trace_parsed(const mlf_json *page, const mlf_json_node *object, const char *name,
                        bool (*parse)(const char *, int64_t *), const char *wanted,
                        mlf_value *value, mlf_error *error) {
  const char *text;
  int64_t ms;
  *value = mlf_value_text(NULL);
  int rc = mlf_json_get_text(page, object, name, &text, error);
  if (rc != SQLITE_OK || !text) return rc;
  if (!parse(text, &ms))
    return mlf_json_misshapen(page, mlf_json_member(object, name), wanted, error);
  *value = mlf_value_integer(ms);
  return rc;
}

int mlf_trace_time_of(const mlf_json *page, const mlf_json_node *object, const char *name,
                      mlf_value *value, mlf_error *error) {
  return trace_parsed(page, object, name, mlf_timestamp_parse, "a time", value, error);
}

static int trace_duration(const mlf_json *page, const mlf_json_node *trace, mlf_value *value,
                          mlf_error *error) {
  return trace_parsed(page, trace, "execution_duration", mlf_duration_parse, "a duration", value,
                      error);
}

static int trace_experiment_id(const mlf_json *page, const mlf_json_node *trace, mlf_value *value,
                               mlf_error *error) {
  const mlf_json_node *location, *experiment = NULL;
  const char *id = NULL;
  int rc = mlf_json_get_object(page, trace, "trace_location", &location, error);
  if (rc == SQLITE_OK)
    rc = mlf_json_get_object(page, location, "mlflow_experiment", &experiment, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_text(page, experiment, "experiment_id", &id, error);
  *value = mlf_value_text(id);
  return rc;
}

int mlf_trace_check(const mlf_json *page, const mlf_json_node *trace, int64_t *ms,
                    mlf_error *error) {
  const char *id = NULL;
  mlf_value experiment = {.type = MLF_NULL}, time = {.type = MLF_NULL};
  int rc = mlf_json_get_text(page, trace, "trace_id", &id, error);
  if (rc == SQLITE_OK) rc = trace_experiment_id(page, trace, &experiment, error);
  if (rc == SQLITE_OK) rc = mlf_trace_time_of(page, trace, "request_time", &time, error);
  if (rc == SQLITE_OK && (!id || !*id || experiment.type == MLF_NULL || time.type == MLF_NULL))
    rc = mlf_json_misshapen(page, trace, "a trace with trace_id, experiment_id and request_time",
                            error);
  *ms = time.integer;
  return rc;
}

/* The end is the start and the duration together. */
static int trace_end(const mlf_json *page, const mlf_json_node *trace, mlf_value *value,
                     mlf_error *error) {
  mlf_value start;
  int64_t end;
  int rc = mlf_trace_time_of(page, trace, "request_time", &start, error);
  if (rc == SQLITE_OK) rc = trace_duration(page, trace, value, error);
  if (rc != SQLITE_OK || value->type == MLF_NULL) return rc;
  bool known =
      start.type != MLF_NULL && !__builtin_add_overflow(start.integer, value->integer, &end);
  *value = known ? mlf_value_integer(end) : mlf_value_text(NULL);
  return rc;
}

/* The start as SQLite's own text form. */
static int trace_request_time(const mlf_json *page, const mlf_json_node *trace, mlf_value *value,
                              mlf_error *error) {
  char text[32];
  int rc = mlf_trace_time_of(page, trace, "request_time", value, error);
  if (rc != SQLITE_OK || value->type == MLF_NULL) return rc;
  bool known = mlf_timestamp_format(value->integer, text);
  *value = mlf_value_text(known ? text : NULL);
  return mlf_value_own(value) == SQLITE_OK ? rc : mlf_error_nomem(error);
}

/* A text of one of the two maps. */
static int trace_mapped(const mlf_json *page, const mlf_json_node *trace, const char *map,
                        const char *key, mlf_value *value, mlf_error *error) {
  const mlf_json_node *object;
  const char *text = NULL;
  int rc = mlf_json_get_object(page, trace, map, &object, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_text(page, object, key, &text, error);
  *value = mlf_value_text(text);
  return rc;
}

/* A whole number that the text holds, in its place; NULL for any other text. */
static void trace_whole_number(mlf_value *value) {
  if (value->type == MLF_NULL) return;
  char *end;
  errno = 0;
  long long integer = strtoll(value->text, &end, 10);
  bool whole = value->length > 0 && errno == 0 && *end == 0;
  *value = whole ? mlf_value_integer(integer) : mlf_value_text(NULL);
}

int mlf_trace_item(const char *item, mlf_value *value, mlf_error *error) {
  mlf_json *inner = NULL;
  mlf_error refused = {0};
  mlf_value text = *value;
  *value = mlf_value_text(NULL);
  if (text.type == MLF_NULL) return SQLITE_OK;
  int rc = mlf_json_parse(text.text, text.length, (mlf_json_options){.levels = 1, .python = true},
                          &inner, &refused);
  if (rc == SQLITE_OK)
    rc = mlf_json_value_scalar(inner, mlf_json_member(mlf_json_root(inner), item), value, &refused);
  if (value->type == MLF_TEXT) mlf_value_clear(value);
  mlf_json_free(inner);
  if (rc != SQLITE_OK && rc != SQLITE_ERROR) return mlf_error_move(error, &refused);
  mlf_error_clear(&refused);
  return SQLITE_OK;
}

/* Looks at one assessment: if it is valid feedback of this name, and not older than the latest one
** found, it is that. */
static int trace_look_at(const mlf_json *page, const mlf_json_node *assessment, const char *name,
                         const mlf_json_node **latest, int64_t *latest_ms, mlf_error *error) {
  const mlf_json_node *feedback = NULL;
  const char *its_name = NULL;
  mlf_value valid = {.type = MLF_NULL}, time = {.type = MLF_NULL};
  int rc = mlf_json_want_object(page, assessment, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_object(page, assessment, "feedback", &feedback, error);
  if (rc == SQLITE_OK)
    rc = mlf_json_get_text(page, assessment, "assessment_name", &its_name, error);
  if (rc != SQLITE_OK || !feedback || !its_name || strcmp(its_name, name) != 0) return rc;
  rc = mlf_json_get_boolean(page, assessment, "valid", &valid, error);
  if (rc == SQLITE_OK) rc = mlf_trace_time_of(page, assessment, "create_time", &time, error);
  int64_t ms = time.type == MLF_NULL ? INT64_MIN : time.integer;
  bool refuted = valid.type == MLF_INTEGER && valid.integer == 0;
  if (rc != SQLITE_OK || refuted || (*latest && ms < *latest_ms)) return rc;
  *latest = feedback;
  *latest_ms = ms;
  return rc;
}

/* The value of the latest valid feedback with this name. Feedback that failed has no value. */
static int trace_feedback(const mlf_json *page, const mlf_json_node *trace, const char *name,
                          mlf_value *value, mlf_error *error) {
  const mlf_json_node *assessments, *latest = NULL;
  int64_t latest_ms = 0;
  int rc = mlf_json_get_array(page, trace, "assessments", &assessments, error);
  const mlf_json_node *each = mlf_json_first(assessments);
  for (; rc == SQLITE_OK && each; each = mlf_json_next(each)) {
    if (mlf_json_kind_of(page, each) == MLF_JSON_NULL) continue;
    rc = trace_look_at(page, each, name, &latest, &latest_ms, error);
  }
  if (rc != SQLITE_OK) return rc;
  return mlf_json_value_scalar(page, mlf_json_member(latest, "value"), value, error);
}

/* A member as JSON, an array or an object; tags, metadata and values are maps. */
static int trace_json(const mlf_json *page, const mlf_json_node *trace, const mlf_column *column,
                      mlf_value *value, mlf_error *error) {
  const mlf_json_node *node;
  int rc = *column->item == '[' ? mlf_json_get_array(page, trace, column->path, &node, error)
                                : mlf_json_get_object(page, trace, column->path, &node, error);
  return rc == SQLITE_OK ? mlf_json_value_sorted(page, node, column->item, value, error) : rc;
}

int mlf_trace_value(const mlf_json *page, const mlf_json_node *trace, const mlf_column *column,
                    mlf_value *value, mlf_error *error) {
  const char *text = NULL;
  int rc = SQLITE_OK;
  *value = mlf_value_text(NULL);
  switch (column->source) {
  case MLF_SOURCE_TEXT:
  case MLF_SOURCE_STATUS:
    rc = mlf_json_get_text(page, trace, column->path, &text, error);
    if (!text && column->source == MLF_SOURCE_STATUS) text = "STATE_UNSPECIFIED";
    *value = mlf_value_text(text);
    return rc;
  case MLF_SOURCE_JSON: return trace_json(page, trace, column, value, error);
  case MLF_SOURCE_EXPERIMENT_ID: return trace_experiment_id(page, trace, value, error);
  case MLF_SOURCE_TIMESTAMP: return mlf_trace_time_of(page, trace, "request_time", value, error);
  case MLF_SOURCE_DURATION: return trace_duration(page, trace, value, error);
  case MLF_SOURCE_END_TIME: return trace_end(page, trace, value, error);
  case MLF_SOURCE_REQUEST_TIME: return trace_request_time(page, trace, value, error);
  case MLF_SOURCE_TAG: return trace_mapped(page, trace, "tags", column->path, value, error);
  case MLF_SOURCE_METADATA:
  case MLF_SOURCE_METADATA_INTEGER:
  case MLF_SOURCE_METADATA_ITEM:
    rc = trace_mapped(page, trace, "trace_metadata", column->path, value, error);
    if (rc == SQLITE_OK && column->source == MLF_SOURCE_METADATA_INTEGER) trace_whole_number(value);
    if (rc == SQLITE_OK && column->source == MLF_SOURCE_METADATA_ITEM)
      rc = mlf_trace_item(column->item, value, error);
    return rc;
  case MLF_SOURCE_FEEDBACK: return trace_feedback(page, trace, column->path, value, error);
  default: return rc;
  }
}
