#include "base/value.h"

#include <string.h>

#include "base/sqlite_api.h"

mlf_value mlf_value_text(const char *text) {
  if (!text) return (mlf_value){.type = MLF_NULL};
  return (mlf_value){.type = MLF_TEXT, .text = text, .length = strlen(text)};
}

mlf_value mlf_value_integer(int64_t integer) {
  return (mlf_value){.type = MLF_INTEGER, .integer = integer};
}

mlf_value mlf_value_real(double real) {
  return (mlf_value){.type = MLF_REAL, .real = real};
}

mlf_value mlf_value_take(char *text, size_t length) {
  if (!text) return (mlf_value){.type = MLF_NULL};
  text[length] = 0;
  return (mlf_value){.type = MLF_TEXT, .text = text, .owned = true, .length = length};
}

double mlf_value_number(const mlf_value *value) {
  return value->type == MLF_INTEGER ? (double)value->integer : value->real;
}

bool mlf_value_is_word(const mlf_value *value) {
  if (value->type != MLF_TEXT || memchr(value->text, 0, value->length)) return false;
  bool digit = false, dot = false;
  for (size_t i = 0; i < value->length; i++) {
    char c = value->text[i];
    if (!strchr("0123456789+-.eE \t\n\v\f\r", c)) return true;
    if (digit && (c == '-' || c == '+')) return true; /* as in a date: a number has it after e */
    if (dot && c == '.') return true;
    dot = dot || c == '.';
    digit = c >= '0' && c <= '9';
  }
  return value->length == 0;
}

int mlf_value_own(mlf_value *value) {
  if (value->owned || (value->type != MLF_TEXT && value->type != MLF_BLOB)) return SQLITE_OK;
  char *copy = sqlite3_malloc64(value->length + 1);
  if (!copy) return SQLITE_NOMEM;
  if (value->length) memcpy(copy, value->text, value->length);
  copy[value->length] = 0;
  value->text = copy;
  value->owned = true;
  return SQLITE_OK;
}

void mlf_value_clear(mlf_value *value) {
  if (value->owned) sqlite3_free((void *)(uintptr_t)value->text); /* ours, since it is owned */
  *value = (mlf_value){.type = MLF_NULL};
}
