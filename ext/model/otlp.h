/* otlp.h: OpenTelemetry's JSON forms of values: `{"string_value": "x"}`, `{"int_value": 5}`,
** `{"kvlist_value": {"values": [{"key": "a", "value": {…}}]}}`, and lists of keys and values. */
#ifndef MLF_MODEL_OTLP_H
#define MLF_MODEL_OTLP_H

#include "base/sqlite_api.h"
#include "base/value.h"
#include "model/json.h"

/* The value with this key in a list of keys and values; NULL if there is none. */
const mlf_json_node *mlf_otlp_find(const mlf_json_node *list, const char *key);

/* The list of keys and values in a value that is a map; NULL if it is none. */
const mlf_json_node *mlf_otlp_map(const mlf_json_node *value);

/* A string, number or boolean as an SQL value; all else is NULL. Texts are borrowed. */
mlf_value mlf_otlp_scalar(const mlf_json *json, const mlf_json_node *value);

/* Appends the value as plain JSON. Bytes stay base64 text, and what JSON has no number for is
** null. Recursive: documents are at most MLF_JSON_DEPTH_MAX deep. */
void mlf_otlp_write(sqlite3_str *out, const mlf_json *json, const mlf_json_node *value);

/* Appends a list of keys and values as a JSON object. */
void mlf_otlp_write_list(sqlite3_str *out, const mlf_json *json, const mlf_json_node *list);

/* An integer that is a number or, as protobuf has it, a text. */
bool mlf_otlp_int64(const mlf_json *json, const mlf_json_node *node, int64_t *integer);

#endif
