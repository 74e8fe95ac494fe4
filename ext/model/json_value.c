#include "model/json_value.h"

mlf_value mlf_json_value_raw(const mlf_json *json, const mlf_json_node *node, const char *absent) {
  mlf_json_kind kind = mlf_json_kind_of(json, node);
  if (kind == MLF_JSON_ABSENT || kind == MLF_JSON_NULL) return mlf_value_text(absent);
  mlf_value value = {.type = MLF_TEXT};
  value.text = mlf_json_raw(json, node, &value.length);
  return value;
}

mlf_value mlf_json_value_scalar(const mlf_json *json, const mlf_json_node *node) {
  mlf_value value = {.type = MLF_NULL};
  switch (mlf_json_kind_of(json, node)) {
  case MLF_JSON_FALSE: return mlf_value_integer(0);
  case MLF_JSON_TRUE: return mlf_value_integer(1);
  case MLF_JSON_STRING: return mlf_value_text(mlf_json_text(node));
  case MLF_JSON_INTEGER:
    value.type = MLF_INTEGER;
    mlf_json_int64(json, node, &value.integer);
    return value;
  case MLF_JSON_REAL:
    value.type = MLF_REAL;
    mlf_json_double(json, node, &value.real);
    return value;
  case MLF_JSON_ARRAY:
  case MLF_JSON_OBJECT: return mlf_json_value_raw(json, node, NULL);
  default: return value;
  }
}
