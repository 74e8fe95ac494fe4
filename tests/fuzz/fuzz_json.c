/* fuzz_json.c: the JSON door against itself, SQLite's json_valid and the C library.
**
**   (1) Text is refused if and only if SQLite says it is no JSON (or a limit is named).
**   (2) What the check accepts, cJSON reads: there is no SQLITE_NOMEM.
**   (3) The raw bytes of each value are within its container's, and parse to the same value.
**   (4) Decoded text and names are UTF-8; numbers are what strtoll and strtod make of them.
*/
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "base/utf8.h"
#include "model/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(bool truth) {
  if (!truth) abort();
}

/* Whether SQLite takes the text for JSON. */
static bool fuzz_sqlite_accepts(const char *text, size_t length) {
  static sqlite3_stmt *statement;
  if (!statement) {
    sqlite3 *db;
    fuzz_require(sqlite3_open(":memory:", &db) == SQLITE_OK);
    fuzz_require(sqlite3_prepare_v2(db, "SELECT json_valid(?)", -1, &statement, NULL) == SQLITE_OK);
  }
  sqlite3_bind_text(statement, 1, text, (int)length, SQLITE_STATIC);
  fuzz_require(sqlite3_step(statement) == SQLITE_ROW);
  bool valid = sqlite3_column_int(statement, 0);
  sqlite3_reset(statement);
  return valid;
}

static bool fuzz_same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool fuzz_same_value(const mlf_json *a_json, const mlf_json_node *a, const mlf_json *b_json,
                            const mlf_json_node *b) {
  int64_t a_integer = 0, b_integer = 0;
  double a_real = 0, b_real = 0;
  if (mlf_json_kind_of(a_json, a) != mlf_json_kind_of(b_json, b)) return false;
  if (!fuzz_same_text(mlf_json_text(a), mlf_json_text(b))) return false;
  mlf_json_int64(a_json, a, &a_integer);
  mlf_json_int64(b_json, b, &b_integer);
  mlf_json_double(a_json, a, &a_real);
  mlf_json_double(b_json, b, &b_real);
  if (a_integer != b_integer || memcmp(&a_real, &b_real, sizeof(a_real)) != 0) return false;
  a = mlf_json_first(a);
  b = mlf_json_first(b);
  for (; a && b; a = mlf_json_next(a), b = mlf_json_next(b)) {
    if (!fuzz_same_text(mlf_json_name(a), mlf_json_name(b))) return false;
    if (!fuzz_same_value(a_json, a, b_json, b)) return false;
  }
  return !a && !b;
}

static void fuzz_check_text(const char *text) {
  fuzz_require(!text || mlf_utf8_is_text(text, strlen(text)));
}

static void fuzz_check_number(const mlf_json *json, const mlf_json_node *node, const char *raw,
                              size_t length) {
  char *text = sqlite3_mprintf("%.*s", (int)length, raw);
  char *end;
  int64_t integer;
  double real;
  errno = 0;
  long long expected = strtoll(text, &end, 10);
  bool exact = *end == 0 && errno == 0;
  fuzz_require(mlf_json_int64(json, node, &integer) == exact);
  if (exact) fuzz_require(integer == expected);
  double expected_real = exact ? (double)expected : strtod(text, NULL);
  fuzz_require(mlf_json_double(json, node, &real));
  fuzz_require(memcmp(&real, &expected_real, sizeof(real)) == 0);
  sqlite3_free(text);
}

static void fuzz_check_value(const mlf_json *json, const mlf_json_node *node, const char *begin,
                             const char *end) {
  size_t length;
  const char *raw = mlf_json_raw(json, node, &length);
  fuzz_require(raw >= begin && raw + length <= end && length > 0);
  mlf_json *again;
  mlf_error error = {0};
  fuzz_require(mlf_json_parse(raw, length, &again, &error) == SQLITE_OK);
  fuzz_require(fuzz_same_value(json, node, again, mlf_json_root(again)));
  mlf_json_free(again);

  fuzz_check_text(mlf_json_text(node));
  mlf_json_kind kind = mlf_json_kind_of(json, node);
  if (kind == MLF_JSON_INTEGER || kind == MLF_JSON_REAL) fuzz_check_number(json, node, raw, length);
  begin = raw + 1;
  end = raw + length - 1;
  const mlf_json_node *child = mlf_json_first(node);
  for (; child; child = mlf_json_next(child)) {
    fuzz_check_value(json, child, begin, end);
    const char *name = mlf_json_name(child);
    fuzz_require((kind == MLF_JSON_OBJECT) == (name != NULL));
    fuzz_check_text(name);
    if (name) fuzz_require(fuzz_same_text(mlf_json_name(mlf_json_member(node, name)), name));
    begin = mlf_json_raw(json, child, &length) + length;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse(text, size, &json, &error);
  fuzz_require(rc == SQLITE_OK || rc == SQLITE_ERROR || rc == SQLITE_TOOBIG);
  fuzz_require(rc == error.code && (rc == SQLITE_OK) == (json != NULL));
  fuzz_require((rc == SQLITE_OK) == (error.text == NULL));
  fuzz_check_text(error.text);
  /* SQLite ends text at a NUL, which JSON has none of. */
  bool sqlite_accepts = memchr(data, 0, size) == NULL && fuzz_sqlite_accepts(text, size);
  if (rc != SQLITE_TOOBIG) fuzz_require(sqlite_accepts == (rc == SQLITE_OK));
  if (json) {
    size_t length;
    const char *raw = mlf_json_raw(json, mlf_json_root(json), &length);
    fuzz_require(length <= size);
    fuzz_check_value(json, mlf_json_root(json), raw, raw + length);
  }
  mlf_json_free(json);
  mlf_error_clear(&error);
  return 0;
}
