#include "model/decode_assessment.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_value.h"
#include "model/timestamp.h"

static const char *assessment_type(const mlf_json_node *assessment) {
  static const char *const types[] = {"feedback", "expectation", "issue"};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (mlf_json_member(assessment, types[i])) return types[i];
  }
  return NULL;
}

/* Feedback and expectations have a value; one that is no scalar an expectation has as JSON in a
** text. */
static const mlf_json_node *assessment_value_node(const mlf_json_node *assessment,
                                                  const char **serialized) {
  const char *type = assessment_type(assessment);
  const mlf_json_node *holder = type ? mlf_json_member(assessment, type) : NULL;
  *serialized =
      mlf_json_text(mlf_json_member(mlf_json_member(holder, "serialized_value"), "value"));
  return mlf_json_member(holder, "value");
}

/* A value that was serialized: a list, a map or null, or else a scalar. */
static int assessment_serialized(const char *text, mlf_source source, mlf_value *value) {
  mlf_json *inner = NULL;
  mlf_error ignored = {0};
  int rc = mlf_json_parse(text, strlen(text), &inner, &ignored);
  mlf_error_clear(&ignored);
  if (rc != SQLITE_OK) return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
  mlf_value found = mlf_json_value_scalar(inner, mlf_json_root(inner));
  bool is_number = found.type == MLF_INTEGER || found.type == MLF_REAL;
  if (source == MLF_SOURCE_ASSESSMENT_VALUE_NUMBER) {
    if (is_number) *value = found;
  } else if (found.type == MLF_TEXT || source == MLF_SOURCE_ASSESSMENT_VALUE_JSON) {
    if (found.type != MLF_NULL) *value = mlf_value_text(text);
  } else {
    *value = found;
  }
  mlf_json_free(inner);
  return SQLITE_OK;
}

static int assessment_value(const mlf_json *page, const mlf_json_node *assessment,
                            mlf_source source, mlf_value *value) {
  const char *serialized;
  const mlf_json_node *node = assessment_value_node(assessment, &serialized);
  if (!node && serialized) return assessment_serialized(serialized, source, value);
  mlf_value scalar = mlf_json_value_scalar(page, node);
  if (source == MLF_SOURCE_ASSESSMENT_VALUE_JSON) {
    *value = mlf_json_value_raw(page, node, NULL);
  } else if (source == MLF_SOURCE_ASSESSMENT_VALUE || scalar.type == MLF_INTEGER ||
             scalar.type == MLF_REAL) {
    *value = scalar;
  }
  return SQLITE_OK;
}

static mlf_value assessment_text(const mlf_json_node *assessment, const mlf_column *column) {
  const mlf_json_node *node = mlf_json_member(assessment, column->path);
  if (column->item) node = mlf_json_member(node, column->item);
  return mlf_value_text(mlf_json_text(node));
}

int mlf_assessment_value(const mlf_json *page, const mlf_json_node *assessment,
                         const mlf_column *column, mlf_value *value) {
  const mlf_json_node *member = column->path ? mlf_json_member(assessment, column->path) : NULL;
  int64_t ms;
  *value = mlf_value_text(NULL);
  switch (column->source) {
  case MLF_SOURCE_ASSESSMENT_TEXT: *value = assessment_text(assessment, column); break;
  case MLF_SOURCE_ASSESSMENT_TYPE: *value = mlf_value_text(assessment_type(assessment)); break;
  case MLF_SOURCE_ASSESSMENT_ERROR: {
    const mlf_json_node *feedback = mlf_json_member(assessment, "feedback");
    *value = assessment_text(mlf_json_member(feedback, "error"), column);
    break;
  }
  case MLF_SOURCE_ASSESSMENT_TIME:
    if (mlf_timestamp_parse(mlf_json_text(member), &ms)) *value = mlf_value_integer(ms);
    break;
  case MLF_SOURCE_ASSESSMENT_VALID:
    *value = mlf_json_value_scalar(page, mlf_json_member(assessment, "valid"));
    break;
  case MLF_SOURCE_ASSESSMENT_METADATA:
    *value = mlf_json_value_raw(page, mlf_json_member(assessment, "metadata"), "{}");
    break;
  default: return assessment_value(page, assessment, column->source, value);
  }
  return SQLITE_OK;
}
