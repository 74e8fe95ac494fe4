#include "base/json_string.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

void mlf_json_string_write_ascii(sqlite3_str *out, unsigned char c) {
  static const char shorts[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
  const char *found = c ? strchr(shorts, c) : NULL;
  if (found) {
    sqlite3_str_appendchar(out, 1, '\\');
    sqlite3_str_appendchar(out, 1, letters[found - shorts]);
  } else if (c < 0x20) {
    sqlite3_str_appendf(out, "\\u%04x", c);
  } else {
    sqlite3_str_appendchar(out, 1, (char)c);
  }
}

size_t mlf_json_string_plain_length(const char *at, const char *end) {
  const char *from = at;
  while (at < end && at - from < MLF_JSON_POLL_BYTES && (unsigned char)*at >= 0x20 && *at != '"' &&
         *at != '\\') {
    bool valid;
    size_t step = mlf_utf8_next(at, (size_t)(end - at), &valid);
    if (!valid) break;
    at += step;
  }
  return (size_t)(at - from);
}

void mlf_json_string_write(sqlite3_str *out, const char *text, size_t length) {
  const char *end = text + length;
  sqlite3_str_appendchar(out, 1, '"');
  while (text < end) {
    bool valid;
    size_t step = mlf_json_string_plain_length(text, end);
    if (step > 0) {
      sqlite3_str_append(out, text, (int)step);
    } else {
      step = mlf_utf8_next(text, (size_t)(end - text), &valid);
      if (valid) {
        mlf_json_string_write_ascii(out, (unsigned char)*text);
      } else {
        sqlite3_str_appendall(out, "\xef\xbf\xbd");
      }
    }
    text += step;
  }
  sqlite3_str_appendchar(out, 1, '"');
}
