/* otlp.h: OpenTelemetry's JSON forms of values: `{"string_value": "x"}`, `{"int_value": 5}`,
** `{"kvlist_value": {"values": [{"key": "a", "value": {…}}]}}`, and lists of keys and values.
**
** They are written as plain JSON in one pass over their bytes, without a tree and without
** recursion, so a value may be as deep and as large as its document.
*/
#ifndef MLF_MODEL_OTLP_H
#define MLF_MODEL_OTLP_H

#include "base/error.h"
#include "base/sqlite_api.h"
#include "model/json.h"

/* Appends a value as plain JSON in the canonical form (model/json_write.h). Bytes stay base64 text,
** what JSON has no number for is null, and so is an absent value. Errors: "PATH is …, where a value
** in OpenTelemetry's form belongs"; SQLITE_INTERRUPT; SQLITE_NOMEM. What was appended is then of no
** use. */
int mlf_otlp_write_value(sqlite3_str *out, const mlf_json *json, const mlf_json_node *value,
                         mlf_error *error);

/* Appends a list of keys and values, `[{"key": …, "value": …}, …]`, as a JSON object; likewise. A
** key that comes twice, as in no list of the server's, is a name that comes twice. */
int mlf_otlp_write_list(sqlite3_str *out, const mlf_json *json, const mlf_json_node *list,
                        mlf_error *error);

/* The value with this key in a list of keys and values that is in the tree; NULL if there is none.
** Errors as of the typed ways into a document (model/json.h). */
int mlf_otlp_find(const mlf_json *json, const mlf_json_node *list, const char *key,
                  const mlf_json_node **value, mlf_error *error);

/* A whole number that is a number or, as protobuf has it, a text, and may have a fraction that is
** cut off; false for anything else and for what does not fit. */
bool mlf_otlp_int64(const mlf_json *json, const mlf_json_node *node, int64_t *integer);

#endif
