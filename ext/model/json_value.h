/* json_value.h: what a JSON value is in SQL. */
#ifndef MLF_MODEL_JSON_VALUE_H
#define MLF_MODEL_JSON_VALUE_H

#include "base/sqlite_api.h"
#include "base/value.h"
#include "model/json.h"

/* The value as JSON in its canonical form (model/json_write.h), owned by `value`; `absent`,
** borrowed, for what is absent or null. SQLITE_OK, SQLITE_NOMEM or SQLITE_INTERRUPT. */
int mlf_json_value_json(const mlf_json *json, const mlf_json_node *node, const char *absent,
                        mlf_value *value, mlf_error *error);

/* The same with the members of every object sorted: of what the server keeps in maps. */
int mlf_json_value_sorted(const mlf_json *json, const mlf_json_node *node, const char *absent,
                          mlf_value *value, mlf_error *error);

/* A scalar as a value of its own type: booleans are 1 and 0, a text is borrowed; what is an array
** or object as JSON, sorted. Results as above. */
int mlf_json_value_scalar(const mlf_json *json, const mlf_json_node *node, mlf_value *value,
                          mlf_error *error);

/* Appends a member of an object that is a text, as JSON; an empty text if it is absent. Errors as
** of mlf_json_get_text, and as above. */
int mlf_json_value_write_text(sqlite3_str *out, const mlf_json *json, const mlf_json_node *object,
                              const char *name, mlf_error *error);

/* Makes a value of the text that was written, which is freed. `rc` is what came of writing it: if
** that is not SQLITE_OK there is no value, and it is returned. */
int mlf_json_value_finish(sqlite3_str *text, int rc, mlf_value *value, mlf_error *error);

#endif
