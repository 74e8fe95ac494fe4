/* json_value.h: what a JSON value is in SQL. */
#ifndef MLF_MODEL_JSON_VALUE_H
#define MLF_MODEL_JSON_VALUE_H

#include "base/value.h"
#include "model/json.h"

/* The value's own bytes, as they were sent; `absent` for what is absent or null. */
mlf_value mlf_json_value_raw(const mlf_json *json, const mlf_json_node *node, const char *absent);

/* A scalar as a value of its own type: booleans are 1 and 0; what is an array or object as its
** bytes. */
mlf_value mlf_json_value_scalar(const mlf_json *json, const mlf_json_node *node);

#endif
