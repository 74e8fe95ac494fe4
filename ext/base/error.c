#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

/* Whether the character at `s` would end the line, control a terminal, or change the order in which
** the line is shown (Bidi_Control of Unicode Standard Annex 9). */
static bool error_is_control(const char *s, size_t length) {
  unsigned char c = (unsigned char)s[0];
  unsigned char last = (unsigned char)s[length - 1];
  if (length == 1) return c < 0x20 || c == 0x7f;
  if (length == 2) return (c == 0xc2 && last < 0xa0) || (c == 0xd8 && last == 0x9c); /* U+061C */
  if (length != 3) return false;
  if (memcmp(s, "\xe2\x80", 2) == 0) /* U+200E, U+200F, U+2028 to U+202E */
    return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
  return memcmp(s, "\xe2\x81", 2) == 0 && last >= 0xa6 && last <= 0xa9; /* U+2066 to U+2069 */
}

void mlf_error_clean(char *text, size_t bytes_max) {
  size_t length = strlen(text);
  size_t at = 0;
  while (at < length) {
    bool valid;
    size_t step = mlf_utf8_next(text + at, length - at, &valid);
    if (!valid || error_is_control(text + at, step)) memset(text + at, '?', step);
    if (at + step > bytes_max) break;
    at += step;
  }
  text[at] = 0;
}

int mlf_error_set(mlf_error *error, int code, const char *format, ...) {
  assert(code != SQLITE_OK);
  assert(error->code || !error->text);
  if (error->code) return error->code;
  if (code == SQLITE_NOMEM || code == SQLITE_INTERRUPT) return error->code = code;
  va_list arguments;
  va_start(arguments, format);
  char *text = sqlite3_vmprintf(format, arguments);
  va_end(arguments);
  if (!text) return mlf_error_nomem(error);
  mlf_error_clean(text, MLF_ERROR_BYTES_MAX);
  error->code = code;
  error->text = text;
  return code;
}

int mlf_error_nomem(mlf_error *error) {
  if (!error->code) error->code = SQLITE_NOMEM;
  return error->code;
}

int mlf_error_move(mlf_error *error, mlf_error *from) {
  assert(error != from);
  if (!error->code) {
    *error = *from;
    *from = (mlf_error){0};
  }
  mlf_error_clear(from);
  return error->code;
}

int mlf_error_wrap(mlf_error *error, const char *of, mlf_error *from) {
  if (from->code) mlf_error_set(error, from->code, "%s: %s", of, from->text ? from->text : "");
  mlf_error_clear(from);
  return error->code;
}

void mlf_error_clear(mlf_error *error) {
  sqlite3_free(error->text);
  memset(error, 0, sizeof(*error));
}

char *mlf_error_take(mlf_error *error) {
  char *text = error->text;
  error->text = NULL;
  return text;
}

int mlf_error_result(sqlite3_context *context, const char *of, mlf_error *error) {
  int code = error->code;
  if (error->text) {
    char *text = sqlite3_mprintf("%s: %s", of, error->text);
    if (text)
      sqlite3_result_error(context, text, -1);
    else
      code = SQLITE_NOMEM;
    sqlite3_free(text);
  }
  sqlite3_result_error_code(context, code);
  mlf_error_clear(error);
  return code;
}
