/* fuzz_json.c: the JSON door against itself, SQLite's json_valid and json, and the C library.
**
**   (1) Text is refused if and only if SQLite says it is no JSON, but for a limit: ours is named,
**       and SQLite has one of about 1,000 levels. (2) What the reader accepts has a tree: there is
**       no SQLITE_NOMEM. Python's JSON has all of JSON. (3) The raw bytes of each value are
**       within its container's, and parse to the same value; so do a tree of few levels, whose
**       leaves are opened, and the canonical form. (4) Decoded text and names are UTF-8; numbers
**       are what strtoll and strtod make of them. (5) The canonical form is its own canonical form,
**       UTF-8, and what SQLite makes of it; it has the last of several members of a name.
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
#include "model/json_write.h"

/* Above these SQLite's limit may be the one that counts. */
#define FUZZ_SQLITE_LEVELS 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(bool truth) {
  if (!truth) abort();
}

/* What a query of one text gives: NULL or a text that is good until the next one. */
static const char *fuzz_ask_sqlite(const char *sql, sqlite3_stmt **statement, const char *text,
                                   size_t length) {
  static sqlite3 *db;
  if (!db) fuzz_require(sqlite3_open(":memory:", &db) == SQLITE_OK);
  if (!*statement) fuzz_require(sqlite3_prepare_v2(db, sql, -1, statement, NULL) == SQLITE_OK);
  sqlite3_reset(*statement);
  sqlite3_bind_text(*statement, 1, text, (int)length, SQLITE_STATIC);
  fuzz_require(sqlite3_step(*statement) == SQLITE_ROW);
  return (const char *)sqlite3_column_text(*statement, 0);
}

/* Whether SQLite takes the text for JSON. */
static bool fuzz_sqlite_accepts(const char *text, size_t length) {
  static sqlite3_stmt *statement;
  return *fuzz_ask_sqlite("SELECT json_valid(?)", &statement, text, length) == '1';
}

static bool fuzz_same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

/* A leaf as a document; NULL if the node is none. */
static mlf_json *fuzz_open(const mlf_json *json, const mlf_json_node *node) {
  mlf_json *opened = NULL;
  mlf_error error = {0};
  mlf_json_kind kind = mlf_json_kind_of(json, node);
  if ((kind == MLF_JSON_ARRAY || kind == MLF_JSON_OBJECT) && !mlf_json_first(node))
    fuzz_require(mlf_json_open(json, node, 2, &opened, &error) == SQLITE_OK);
  return opened;
}

/* The last member of this one's name; NULL if it is not the first one of them. */
static const mlf_json_node *fuzz_settle(const mlf_json_node *first, const mlf_json_node *member) {
  const mlf_json_node *last = member;
  for (; first != member; first = mlf_json_next(first)) {
    if (fuzz_same_text(mlf_json_name(first), mlf_json_name(member))) return NULL;
  }
  for (const mlf_json_node *each = member; each; each = mlf_json_next(each)) {
    if (fuzz_same_text(mlf_json_name(each), mlf_json_name(member))) last = each;
  }
  return last;
}

/* Whether two values are the same; if `b` is settled, by what Python has of `a`: of a name that
** comes several times the last member, at the place of the first one. */
static bool fuzz_same_value(const mlf_json *a_json, const mlf_json_node *a, const mlf_json *b_json,
                            const mlf_json_node *b, bool settled) {
  int64_t a_integer = 0, b_integer = 0;
  double a_real = 0, b_real = 0;
  if (mlf_json_kind_of(a_json, a) != mlf_json_kind_of(b_json, b)) return false;
  if (!fuzz_same_text(mlf_json_text(a), mlf_json_text(b))) return false;
  mlf_json_int64(a_json, a, &a_integer);
  mlf_json_int64(b_json, b, &b_integer);
  mlf_json_double(a_json, a, &a_real);
  mlf_json_double(b_json, b, &b_real);
  if (a_integer != b_integer || memcmp(&a_real, &b_real, sizeof(a_real)) != 0) return false;
  mlf_json *a_open = fuzz_open(a_json, a), *b_open = fuzz_open(b_json, b);
  a = mlf_json_first(a_open ? mlf_json_root(a_open) : a);
  b = mlf_json_first(b_open ? mlf_json_root(b_open) : b);
  bool same = true;
  for (const mlf_json_node *first = a; same && a; a = mlf_json_next(a)) {
    const mlf_json_node *value = settled && mlf_json_name(a) ? fuzz_settle(first, a) : a;
    if (!value) continue;
    same = b && fuzz_same_text(mlf_json_name(a), mlf_json_name(b)) &&
           fuzz_same_value(a_open ? a_open : a_json, value, b_open ? b_open : b_json, b, settled);
    b = b ? mlf_json_next(b) : NULL;
  }
  same = same && !b;
  mlf_json_free(a_open);
  mlf_json_free(b_open);
  return same;
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
  fuzz_require(mlf_json_parse(raw, length, (mlf_json_options){0}, &again, &error) == SQLITE_OK);
  fuzz_require(fuzz_same_value(json, node, again, mlf_json_root(again), false));
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

/* How deep the text is, or so, whatever it is. */
static size_t fuzz_levels(const char *text, size_t length) {
  size_t levels = 0;
  for (size_t i = 0; i < length; i++)
    levels += text[i] == '[' || text[i] == '{';
  return levels;
}

static char *fuzz_canonical(const char *text, size_t length, bool python) {
  mlf_json_reader reader;
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, text, length);
  reader.python = python;
  fuzz_require(mlf_json_write_value(out, &reader, &error) == SQLITE_OK);
  return sqlite3_str_finish(out);
}

static void fuzz_check_same(const mlf_json *json, const char *text, size_t length,
                            mlf_json_options options, bool settled) {
  mlf_json *again;
  mlf_error error = {0};
  fuzz_require(mlf_json_parse(text, length, options, &again, &error) == SQLITE_OK);
  fuzz_require(fuzz_same_value(json, mlf_json_root(json), again, mlf_json_root(again), settled));
  mlf_json_free(again);
}

static void fuzz_check_canonical(const mlf_json *json, const char *text, size_t size) {
  static sqlite3_stmt *statement;
  char *canonical = fuzz_canonical(text, size, false);
  size_t length = strlen(canonical);
  fuzz_check_text(canonical);
  fuzz_check_same(json, canonical, length, (mlf_json_options){0}, true);
  char *again = fuzz_canonical(canonical, length, true);
  fuzz_require(strcmp(again, canonical) == 0);
  if (fuzz_levels(text, size) < FUZZ_SQLITE_LEVELS)
    fuzz_require(
        strcmp(fuzz_ask_sqlite("SELECT json(?)", &statement, canonical, length), canonical) == 0);
  sqlite3_free(again);
  sqlite3_free(canonical);
}

/* Python's JSON: all of JSON, and what has words and a mark in it. */
static void fuzz_check_python(const mlf_json *json, const char *text, size_t size) {
  mlf_json *python;
  mlf_error error = {0};
  const mlf_json_options options = {.levels = 3, .python = true};
  int rc = mlf_json_parse(text, size, options, &python, &error);
  if (json) fuzz_require(rc == SQLITE_OK);
  if (json)
    fuzz_require(fuzz_same_value(json, mlf_json_root(json), python, mlf_json_root(python), false));
  if (python) {
    size_t length;
    const char *raw = mlf_json_raw(python, mlf_json_root(python), &length);
    char *canonical = fuzz_canonical(raw, length, true);
    fuzz_check_same(python, canonical, strlen(canonical), (mlf_json_options){0}, true);
    sqlite3_free(canonical);
  }
  mlf_json_free(python);
  mlf_error_clear(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse(text, size, (mlf_json_options){0}, &json, &error);
  fuzz_require(rc == SQLITE_OK || rc == SQLITE_ERROR || rc == SQLITE_TOOBIG);
  fuzz_require(rc == error.code && (rc == SQLITE_OK) == (json != NULL));
  fuzz_require((rc == SQLITE_OK) == (error.text == NULL));
  fuzz_check_text(error.text);
  /* SQLite ends text at a NUL, which JSON has none of. */
  bool sqlite_accepts = memchr(data, 0, size) == NULL && fuzz_sqlite_accepts(text, size);
  if (rc != SQLITE_TOOBIG && fuzz_levels(text, size) < FUZZ_SQLITE_LEVELS)
    fuzz_require(sqlite_accepts == (rc == SQLITE_OK));
  fuzz_check_python(json, text, size);
  if (json) {
    size_t length;
    const char *raw = mlf_json_raw(json, mlf_json_root(json), &length);
    fuzz_require(length <= size);
    fuzz_check_value(json, mlf_json_root(json), raw, raw + length);
    for (int levels = 1; levels <= 3; levels++)
      fuzz_check_same(json, text, size, (mlf_json_options){.levels = levels}, false);
    fuzz_check_canonical(json, text, size);
  }
  mlf_json_free(json);
  mlf_error_clear(&error);
  return 0;
}
