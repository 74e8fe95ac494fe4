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

bool mlf_trace_timestamp(const mlf_json_node *trace, int64_t *ms) {
  return mlf_timestamp_parse(mlf_json_text(mlf_json_member(trace, "request_time")), ms);
}

static bool trace_duration(const mlf_json_node *trace, int64_t *ms) {
  return mlf_duration_parse(mlf_json_text(mlf_json_member(trace, "execution_duration")), ms);
}

/* A whole number written in a string. */
static mlf_value trace_whole_number(const char *text) {
  if (!text || !*text) return (mlf_value){.type = MLF_NULL};
  char *end;
  errno = 0;
  long long integer = strtoll(text, &end, 10);
  if (errno != 0 || *end != 0) return (mlf_value){.type = MLF_NULL};
  return mlf_value_integer(integer);
}

/* A member of the JSON object that a string holds. What is no JSON there counts as absent. */
static int trace_item(const char *text, const char *item, mlf_value *value) {
  *value = (mlf_value){.type = MLF_NULL};
  if (!text) return SQLITE_OK;
  mlf_json *inner = NULL;
  mlf_error ignored = {0};
  int rc = mlf_json_parse(text, strlen(text), &inner, &ignored);
  mlf_error_clear(&ignored);
  if (rc == SQLITE_OK) {
    mlf_value found = mlf_json_value_scalar(inner, mlf_json_member(mlf_json_root(inner), item));
    if (found.type == MLF_INTEGER || found.type == MLF_REAL) *value = found;
  }
  mlf_json_free(inner);
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

/* Value of the latest valid feedback with this name. Feedback that failed has no value. */
static mlf_value trace_feedback(const mlf_json *json, const mlf_json_node *trace,
                                const char *name) {
  const mlf_json_node *latest = NULL;
  int64_t latest_ms = 0;
  const mlf_json_node *each = mlf_json_first(mlf_json_member(trace, "assessments"));
  for (; each; each = mlf_json_next(each)) {
    const mlf_json_node *feedback = mlf_json_member(each, "feedback");
    const char *its_name = mlf_json_text(mlf_json_member(each, "assessment_name"));
    int64_t ms = INT64_MIN;
    if (!feedback || !its_name || strcmp(its_name, name) != 0) continue;
    if (mlf_json_kind_of(json, mlf_json_member(each, "valid")) == MLF_JSON_FALSE) continue;
    mlf_timestamp_parse(mlf_json_text(mlf_json_member(each, "create_time")), &ms);
    if (latest && ms < latest_ms) continue;
    latest = feedback;
    latest_ms = ms;
  }
  return mlf_json_value_scalar(json, mlf_json_member(latest, "value"));
}

int mlf_trace_value(const mlf_json *page, const mlf_json_node *trace, const mlf_column *column,
                    char scratch[32], mlf_value *value) {
  int64_t start = 0, duration = 0, end = 0;
  const char *metadata = NULL;
  *value = (mlf_value){.type = MLF_NULL};
  switch (column->source) {
  case MLF_SOURCE_METADATA:
  case MLF_SOURCE_METADATA_INTEGER:
  case MLF_SOURCE_METADATA_ITEM:
    metadata =
        mlf_json_text(mlf_json_member(mlf_json_member(trace, "trace_metadata"), column->path));
    break;
  default: break;
  }
  switch (column->source) {
  case MLF_SOURCE_TEXT:
    *value = mlf_value_text(mlf_json_text(mlf_json_member(trace, column->path)));
    break;
  case MLF_SOURCE_RAW:
    *value = mlf_json_value_raw(page, mlf_json_member(trace, column->path), column->item);
    break;
  case MLF_SOURCE_STATUS:
    *value = mlf_value_text(mlf_json_text(mlf_json_member(trace, column->path)));
    if (value->type == MLF_NULL) *value = mlf_value_text("STATE_UNSPECIFIED");
    break;
  case MLF_SOURCE_EXPERIMENT_ID: *value = mlf_value_text(mlf_trace_experiment_id(trace)); break;
  case MLF_SOURCE_TIMESTAMP:
    if (mlf_trace_timestamp(trace, &start)) *value = mlf_value_integer(start);
    break;
  case MLF_SOURCE_DURATION:
    if (trace_duration(trace, &duration)) *value = mlf_value_integer(duration);
    break;
  case MLF_SOURCE_END_TIME:
    if (mlf_trace_timestamp(trace, &start) && trace_duration(trace, &duration) &&
        !__builtin_add_overflow(start, duration, &end))
      *value = mlf_value_integer(end);
    break;
  case MLF_SOURCE_REQUEST_TIME:
    if (mlf_trace_timestamp(trace, &start) && mlf_timestamp_format(start, scratch))
      *value = mlf_value_text(scratch);
    break;
  case MLF_SOURCE_TAG:
    *value = mlf_value_text(
        mlf_json_text(mlf_json_member(mlf_json_member(trace, "tags"), column->path)));
    break;
  case MLF_SOURCE_METADATA: *value = mlf_value_text(metadata); break;
  case MLF_SOURCE_METADATA_INTEGER: *value = trace_whole_number(metadata); break;
  case MLF_SOURCE_METADATA_ITEM: return trace_item(metadata, column->item, value);
  case MLF_SOURCE_FEEDBACK: *value = trace_feedback(page, trace, column->path); break;
  default: break;
  }
  return SQLITE_OK;
}
