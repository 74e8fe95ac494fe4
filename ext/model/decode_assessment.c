#include "model/decode_assessment.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/decode_trace.h"
#include "model/json_value.h"

/* feedback, expectation or issue; NULL for none of them. `*holder` is what the member of that name
** holds; NULL if that is empty. */
static int assessment_type(const mlf_json *page, const mlf_json_node *assessment, const char **type,
                           const mlf_json_node **holder, mlf_error *error) {
  static const char *const types[] = {"feedback", "expectation", "issue"};
  *type = NULL;
  *holder = NULL;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !*type; i++) {
    const mlf_json_node *member = mlf_json_member(assessment, types[i]);
    if (!member || mlf_json_kind_of(page, member) == MLF_JSON_NULL) continue;
    *type = types[i];
    int rc = mlf_json_get_object(page, assessment, types[i], holder, error);
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

/* The value of a column that shows `json`'s `node` as JSON, as a number or as what it is. */
static int assessment_show(const mlf_json *json, const mlf_json_node *node, mlf_source source,
                           mlf_value *value, mlf_error *error) {
  if (source == MLF_SOURCE_ASSESSMENT_VALUE_JSON)
    return mlf_json_value_sorted(json, node, NULL, value, error);
  int rc = mlf_json_value_scalar(json, node, value, error);
  if (source == MLF_SOURCE_ASSESSMENT_VALUE_NUMBER && value->type == MLF_TEXT)
    mlf_value_clear(value);
  return rc;
}

/* A value that was serialized into a text, as one is that is no scalar. */
static int assessment_serialized(const char *text, mlf_source source, mlf_value *value,
                                 mlf_error *error) {
  mlf_json *inner = NULL;
  mlf_error refused = {0};
  int rc = mlf_json_parse(text, strlen(text), (mlf_json_options){.levels = 1, .python = true},
                          &inner, &refused);
  if (rc == SQLITE_OK) rc = assessment_show(inner, mlf_json_root(inner), source, value, &refused);
  if (rc == SQLITE_OK && mlf_value_own(value) != SQLITE_OK) {
    *value = mlf_value_text(NULL);
    rc = mlf_error_nomem(&refused);
  }
  mlf_json_free(inner);
  if (rc != SQLITE_OK && rc != SQLITE_ERROR) return mlf_error_move(error, &refused);
  mlf_error_clear(&refused);
  return SQLITE_OK;
}

/* Feedback and expectations have a value. */
static int assessment_value(const mlf_json *page, const mlf_json_node *assessment,
                            mlf_source source, mlf_value *value, mlf_error *error) {
  const char *type, *text = NULL;
  const mlf_json_node *holder, *serialized = NULL;
  int rc = assessment_type(page, assessment, &type, &holder, error);
  if (rc != SQLITE_OK) return rc;
  const mlf_json_node *node = mlf_json_member(holder, "value");
  if (node) return assessment_show(page, node, source, value, error);
  rc = mlf_json_get_object(page, holder, "serialized_value", &serialized, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_text(page, serialized, "value", &text, error);
  return rc == SQLITE_OK && text ? assessment_serialized(text, source, value, error) : rc;
}

/* A text: member `path`, or `item` of it. */
static int assessment_text(const mlf_json *page, const mlf_json_node *holder,
                           const mlf_column *column, mlf_value *value, mlf_error *error) {
  const mlf_json_node *object = holder;
  const char *name = column->path, *text = NULL;
  int rc = SQLITE_OK;
  if (column->item) {
    rc = mlf_json_get_object(page, holder, column->path, &object, error);
    name = column->item;
  }
  if (rc == SQLITE_OK) rc = mlf_json_get_text(page, object, name, &text, error);
  *value = mlf_value_text(text);
  return rc;
}

/* A text of the error with which feedback failed. */
static int assessment_error(const mlf_json *page, const mlf_json_node *assessment,
                            const mlf_column *column, mlf_value *value, mlf_error *error) {
  const mlf_json_node *feedback, *failure = NULL;
  int rc = mlf_json_get_object(page, assessment, "feedback", &feedback, error);
  if (rc == SQLITE_OK) rc = mlf_json_get_object(page, feedback, "error", &failure, error);
  return rc == SQLITE_OK ? assessment_text(page, failure, column, value, error) : rc;
}

int mlf_assessment_value(const mlf_json *page, const mlf_json_node *assessment,
                         const mlf_column *column, mlf_value *value, mlf_error *error) {
  const char *type;
  const mlf_json_node *node;
  *value = mlf_value_text(NULL);
  int rc = mlf_json_want_object(page, assessment, error);
  if (rc != SQLITE_OK) return rc;
  switch (column->source) {
  case MLF_SOURCE_ASSESSMENT_TEXT: return assessment_text(page, assessment, column, value, error);
  case MLF_SOURCE_ASSESSMENT_TYPE:
    rc = assessment_type(page, assessment, &type, &node, error);
    *value = mlf_value_text(type);
    return rc;
  case MLF_SOURCE_ASSESSMENT_ERROR: return assessment_error(page, assessment, column, value, error);
  case MLF_SOURCE_ASSESSMENT_TIME:
    return mlf_trace_time_of(page, assessment, column->path, value, error);
  case MLF_SOURCE_ASSESSMENT_VALID:
    return mlf_json_get_boolean(page, assessment, "valid", value, error);
  case MLF_SOURCE_ASSESSMENT_METADATA:
    rc = mlf_json_get_object(page, assessment, "metadata", &node, error);
    return rc == SQLITE_OK ? mlf_json_value_sorted(page, node, "{}", value, error) : rc;
  default: return assessment_value(page, assessment, column->source, value, error);
  }
}
