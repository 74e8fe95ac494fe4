#include "base/error.h"

#include <stdarg.h>
#include <string.h>

#include "base/limits.h"
#include "base/sqlite_api.h"

/* Length of the well-formed UTF-8 character at `s` (1 to 4), or 0 if there is none. Overlong
** forms, surrogates and values over U+10FFFF are not well-formed. */
static size_t error_character_length(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  if (s[0] >= 0xc2 && s[0] <= 0xdf) return (s[1] & 0xc0) == 0x80 ? 2 : 0;
  if (s[0] >= 0xe0 && s[0] <= 0xef) {
    if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
    if (s[0] == 0xed && s[1] > 0x9f) return 0;
    return 3;
  }
  if (s[0] >= 0xf0 && s[0] <= 0xf4) {
    if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 || (s[3] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
    return 4;
  }
  return 0;
}

void mlf_error_clean(char *text, size_t bytes_max) {
  unsigned char *at = (unsigned char *)text;
  unsigned char *end = at;
  while (*at) {
    size_t length = error_character_length(at);
    int c1_control = length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
    if (length == 0 || *at < 0x20 || *at == 0x7f) {
      *at = '?';
      length = 1;
    } else if (c1_control) {
      at[0] = at[1] = '?';
    }
    if ((size_t)(at - (unsigned char *)text) + length > bytes_max) break;
    at += length;
    end = at;
  }
  *end = 0;
}

int mlf_error_set(mlf_error *error, int code, const char *format, ...) {
  if (error->code) return error->code;
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

void mlf_error_clear(mlf_error *error) {
  sqlite3_free(error->text);
  memset(error, 0, sizeof(*error));
}

char *mlf_error_take(mlf_error *error) {
  char *text = error->text;
  error->text = NULL;
  return text;
}
