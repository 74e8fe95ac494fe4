#include "model/json_python.h"

#include <stdbool.h>
#include <string.h>

#include "base/sqlite_api.h"

/* Bytes of the word that stands here for a number that JSON does not have; 0 if there is none. */
static size_t python_number_bytes(const char *text, size_t length) {
  static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    size_t bytes = strlen(words[i]);
    if (length >= bytes && memcmp(text, words[i], bytes) == 0) return bytes;
  }
  return 0;
}

char *mlf_json_python_plain(const char *text, size_t length, size_t *plain_length) {
  /* Only NaN grows, by one byte in three. */
  char *plain = sqlite3_malloc64(length + length / 3 + 1);
  bool in_string = false;
  size_t written = 0;
  if (!plain) return NULL;
  for (size_t at = 0; at < length;) {
    size_t bytes = in_string ? 0 : python_number_bytes(text + at, length - at);
    if (bytes > 0) {
      memcpy(plain + written, "null", 4);
      written += 4;
      at += bytes;
      continue;
    }
    if (text[at] == '"') in_string = !in_string;
    if (in_string && text[at] == '\\' && at + 1 < length) plain[written++] = text[at++];
    plain[written++] = text[at++];
  }
  plain[written] = 0;
  *plain_length = written;
  return plain;
}
