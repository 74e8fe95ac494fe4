#include "functions/json_result.h"

#include <stdlib.h>

#include "base/json_string.h"

/* As short as it reads back the same. Under a locale with a decimal comma strtod() stops at the
** point, and all 17 digits are written: right, if longer. */
static void json_result_real(sqlite3_str *json, double real) {
  char text[40];
  for (int digits = 15; digits <= 17; digits++) {
    sqlite3_snprintf(sizeof(text), text, "%!.*g", digits, real);
    if (strtod(text, NULL) == real) break;
  }
  sqlite3_str_appendall(json, text);
}

void mlf_json_result_value(sqlite3_str *json, const mlf_value *value) {
  if (value->type == MLF_INTEGER)
    sqlite3_str_appendf(json, "%lld", (sqlite3_int64)value->integer);
  else if (value->type == MLF_REAL)
    json_result_real(json, value->real);
  else if (value->type == MLF_TEXT)
    mlf_json_string_write(json, value->text, value->length);
  else
    sqlite3_str_appendall(json, "null");
}

void mlf_json_result_member(sqlite3_str *json, const char *name, bool is_known, double number) {
  mlf_value value = is_known ? mlf_value_real(number) : (mlf_value){.type = MLF_NULL};
  sqlite3_str_appendf(json, ",\"%s\":", name);
  mlf_json_result_value(json, &value);
}

void mlf_json_result(sqlite3_context *context, sqlite3_str *json) {
  int rc = sqlite3_str_errcode(json);
  size_t length = (size_t)sqlite3_str_length(json);
  char *text = sqlite3_str_finish(json);
  if (rc != SQLITE_OK || !text) {
    sqlite3_free(text);
    sqlite3_result_error_code(context, rc != SQLITE_OK ? rc : SQLITE_NOMEM);
    return;
  }
  mlf_json_result_take(context, text, length);
}

void mlf_json_result_take(sqlite3_context *context, char *text, size_t length) {
  sqlite3_result_text64(context, text, length, sqlite3_free, SQLITE_UTF8);
  sqlite3_result_subtype(context, 'J');
}
