/* json_result.h: JSON as the result of an SQL function. */
#ifndef MLF_FUNCTIONS_JSON_RESULT_H
#define MLF_FUNCTIONS_JSON_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sqlite_api.h"
#include "base/value.h"

/* SQLITE_RESULT_SUBTYPE: a function that uses mlf_json_result is registered with it. SQLite knows
** it since 3.45; older ones ignore it. */
#define MLF_JSON_RESULT_SUBTYPE 0x001000000

/* Appends a value: NULL, a finite number or a text. A number is written so that it reads back the
** same. */
void mlf_json_result_value(sqlite3_str *json, const mlf_value *value);

/* Appends `,"name":number`, or `,"name":null` if the number is not known. */
void mlf_json_result_member(sqlite3_str *json, const char *name, bool is_known, double number);

/* Makes the text the result, which json_extract and its kin take as JSON, and frees it. */
void mlf_json_result(sqlite3_context *context, sqlite3_str *json);

/* The same for a text of sqlite3_malloc64, which becomes SQLite's. */
void mlf_json_result_take(sqlite3_context *context, char *text, size_t length);

#endif
