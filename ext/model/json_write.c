#include "model/json_write.h"

#include <stdbool.h>

#include "base/utf8.h"

void mlf_json_write_text(sqlite3_str *out, const char *text, size_t length) {
  sqlite3_str_appendchar(out, 1, '"');
  for (size_t at = 0; at < length;) {
    bool valid;
    size_t step = mlf_utf8_next(text + at, length - at, &valid);
    unsigned char c = (unsigned char)text[at];
    if (!valid) {
      sqlite3_str_appendall(out, "\\ufffd");
    } else if (c < 0x20) {
      sqlite3_str_appendf(out, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') sqlite3_str_appendchar(out, 1, '\\');
      sqlite3_str_append(out, text + at, (int)step);
    }
    at += step;
  }
  sqlite3_str_appendchar(out, 1, '"');
}
