/* fuzz_otlp.c: the writer of OpenTelemetry's values, which has no tree, against a simple one that
** has.
**
**   (1) Both take the same texts, and write the same; a refusal names the value.
**   (2) What is written is JSON in its canonical form; if a key comes twice in a list, which the
**       server's own lists have none of, it is JSON.
**
** The text is brought into the canonical form first: in that, names have no escapes.
*/
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/json_write.h"
#include "model/otlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void otlp_require(bool truth) {
  if (!truth) abort();
}

/* The canonical form; NULL if the text is no JSON. */
static char *otlp_canonical(const char *text, size_t length) {
  mlf_json_reader reader;
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, text, length);
  int rc = mlf_json_write_value(out, &reader, &error);
  char *canonical = sqlite3_str_finish(out);
  if (rc != SQLITE_OK) {
    sqlite3_free(canonical);
    canonical = NULL;
  }
  mlf_error_clear(&error);
  return canonical;
}

static mlf_json *otlp_parse(const char *text, size_t length, int levels) {
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse(text, length, (mlf_json_options){.levels = levels}, &json, &error);
  otlp_require(rc == SQLITE_OK || rc == SQLITE_TOOBIG);
  mlf_error_clear(&error);
  return json;
}

static bool simple_value(sqlite3_str *out, const mlf_json *json, const mlf_json_node *value);
static bool simple_list(sqlite3_str *out, const mlf_json *json, const mlf_json_node *list);

static void simple_raw(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node) {
  size_t length;
  const char *raw = mlf_json_raw(json, node, &length);
  sqlite3_str_append(out, raw, (int)length);
}

static bool simple_is(const mlf_json *json, const mlf_json_node *node, mlf_json_kind kind) {
  return mlf_json_kind_of(json, node) == kind;
}

static bool simple_is_number(const mlf_json *json, const mlf_json_node *node) {
  return simple_is(json, node, MLF_JSON_INTEGER) || simple_is(json, node, MLF_JSON_REAL);
}

/* The first member of this name, which is the one that counts here. */
static const mlf_json_node *simple_first(const mlf_json_node *object, const char *name) {
  const mlf_json_node *each = mlf_json_member(object, name) ? mlf_json_first(object) : NULL;
  while (each && strcmp(mlf_json_name(each), name) != 0)
    each = mlf_json_next(each);
  return each;
}

static bool simple_array(sqlite3_str *out, const mlf_json *json, const mlf_json_node *values) {
  const char *separator = "";
  sqlite3_str_appendchar(out, 1, '[');
  for (const mlf_json_node *each = mlf_json_first(values); each; each = mlf_json_next(each)) {
    sqlite3_str_appendall(out, separator);
    if (!simple_value(out, json, each)) return false;
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, ']');
  return true;
}

/* What array_value and kvlist_value hold. */
static bool simple_container(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node,
                             bool map) {
  const mlf_json_node *values = simple_first(node, "values");
  if (!simple_is(json, node, MLF_JSON_OBJECT) && !simple_is(json, node, MLF_JSON_NULL))
    return false;
  if (simple_is(json, values, MLF_JSON_NULL)) values = NULL;
  if (values && !simple_is(json, values, MLF_JSON_ARRAY)) return false;
  return map ? simple_list(out, json, values) : simple_array(out, json, values);
}

static bool simple_integer(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node) {
  const char *text = mlf_json_text(node);
  if (!text) {
    simple_raw(out, json, node);
    return simple_is_number(json, node);
  }
  const char *digits = text + (*text == '-');
  const char *shown = digits + strspn(digits, "0"); /* JSON has no zeros before a number */
  sqlite3_str_appendf(out, "%s%s", digits > text && *shown ? "-" : "", *shown ? shown : "0");
  return *digits && digits[strspn(digits, "0123456789")] == 0;
}

static bool simple_double(sqlite3_str *out, const mlf_json *json, const mlf_json_node *node) {
  const char *text = mlf_json_text(node);
  bool none = simple_is(json, node, MLF_JSON_NULL) ||
              (text && (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
                        strcmp(text, "-Infinity") == 0));
  if (none) {
    sqlite3_str_appendall(out, "null");
  } else {
    simple_raw(out, json, node);
  }
  return none || simple_is_number(json, node);
}

static bool simple_value(sqlite3_str *out, const mlf_json *json, const mlf_json_node *value) {
  const mlf_json_node *each = mlf_json_first(value);
  if (!simple_is(json, value, MLF_JSON_OBJECT) && !simple_is(json, value, MLF_JSON_NULL))
    return false;
  if (!each) {
    sqlite3_str_appendall(out, "null");
    return true;
  }
  const char *kind = mlf_json_name(each);
  if (strcmp(kind, "kvlist_value") == 0) return simple_container(out, json, each, true);
  if (strcmp(kind, "array_value") == 0) return simple_container(out, json, each, false);
  if (strcmp(kind, "int_value") == 0) return simple_integer(out, json, each);
  if (strcmp(kind, "double_value") == 0) return simple_double(out, json, each);
  simple_raw(out, json, each);
  if (strcmp(kind, "bool_value") == 0)
    return simple_is(json, each, MLF_JSON_TRUE) || simple_is(json, each, MLF_JSON_FALSE);
  return (strcmp(kind, "string_value") == 0 || strcmp(kind, "bytes_value") == 0) &&
         simple_is(json, each, MLF_JSON_STRING);
}

/* The key comes before the value, and neither comes twice. */
static bool simple_pair(sqlite3_str *out, const mlf_json *json, const mlf_json_node *pair) {
  const mlf_json_node *key = simple_first(pair, "key"), *value = simple_first(pair, "value");
  if (!simple_is(json, pair, MLF_JSON_OBJECT)) return false;
  if (mlf_json_member(pair, "key") != key) return false;
  for (const mlf_json_node *each = value; key && each; each = mlf_json_next(each)) {
    if (each == key) return false;
  }
  if (key && !simple_is(json, key, MLF_JSON_STRING)) return false;
  if (key) simple_raw(out, json, key);
  sqlite3_str_appendall(out, key ? ":" : "\"\":");
  if (value) return simple_value(out, json, value);
  sqlite3_str_appendall(out, "null");
  return true;
}

static bool simple_list(sqlite3_str *out, const mlf_json *json, const mlf_json_node *list) {
  const char *separator = "";
  sqlite3_str_appendchar(out, 1, '{');
  for (const mlf_json_node *each = mlf_json_first(list); each; each = mlf_json_next(each)) {
    sqlite3_str_appendall(out, separator);
    if (!simple_pair(out, json, each)) return false;
    separator = ",";
  }
  sqlite3_str_appendchar(out, 1, '}');
  return true;
}

/* What the writer makes of it; NULL for a refusal. */
static char *otlp_write(const mlf_json *json, bool list) {
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  const mlf_json_node *root = mlf_json_root(json);
  int rc = list ? mlf_otlp_write_list(out, json, root, &error)
                : mlf_otlp_write_value(out, json, root, &error);
  char *text = sqlite3_str_finish(out);
  otlp_require(rc == error.code && (rc == SQLITE_OK || rc == SQLITE_ERROR));
  if (rc != SQLITE_OK) {
    otlp_require(strncmp(error.text, "the document is ", 16) == 0);
    otlp_require(strstr(error.text, "in OpenTelemetry's form belongs") != NULL);
    sqlite3_free(text);
    text = NULL;
  }
  mlf_error_clear(&error);
  return text;
}

/* Whether an object has a name twice. */
static bool otlp_repeats(const mlf_json_node *value) {
  bool repeats = false;
  for (const mlf_json_node *each = mlf_json_first(value); each; each = mlf_json_next(each)) {
    repeats = repeats || otlp_repeats(each);
    for (const mlf_json_node *other = mlf_json_next(each); other && mlf_json_name(each);
         other = mlf_json_next(other))
      repeats = repeats || strcmp(mlf_json_name(each), mlf_json_name(other)) == 0;
  }
  return repeats;
}

static void otlp_check(const mlf_json *leaf, const mlf_json *tree, bool list) {
  char *text = otlp_write(leaf, list);
  sqlite3_str *out = sqlite3_str_new(NULL);
  const mlf_json_node *root = mlf_json_root(tree);
  bool is_list = simple_is(tree, root, MLF_JSON_ARRAY) || simple_is(tree, root, MLF_JSON_NULL);
  bool taken = list ? is_list && simple_list(out, tree, root) : simple_value(out, tree, root);
  char *expected = sqlite3_str_finish(out);
  otlp_require(taken == (text != NULL));
  if (text) {
    char *canonical = otlp_canonical(text, strlen(text));
    mlf_json *written = otlp_parse(text, strlen(text), 0);
    otlp_require(canonical != NULL);
    otlp_require(strcmp(text, canonical) == 0 || (written && otlp_repeats(mlf_json_root(written))));
    otlp_require(strcmp(text, expected) == 0);
    mlf_json_free(written);
    sqlite3_free(canonical);
  }
  sqlite3_free(expected);
  sqlite3_free(text);
}

/* How many levels a text has, which is JSON. */
static int otlp_levels(const char *text) {
  mlf_json_reader reader;
  mlf_json_token token = MLF_JSON_TOKEN_NULL;
  mlf_error error = {0};
  int levels = 0;
  mlf_json_reader_init(&reader, text, strlen(text));
  while (token != MLF_JSON_TOKEN_END) {
    otlp_require(mlf_json_reader_next(&reader, &token, &error) == SQLITE_OK);
    if (reader.depth > levels) levels = reader.depth;
  }
  return levels;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = otlp_canonical((const char *)data, size);
  if (!text) return 0;
  size_t length = strlen(text);
  mlf_json *leaf = otlp_parse(text, length, 1), *tree = otlp_parse(text, length, 0);
  /* A tree has all of it, or the simple writer cannot see it. */
  if (leaf && tree && otlp_levels(text) <= MLF_JSON_LEVELS_MAX) {
    otlp_check(leaf, tree, true);
    otlp_check(leaf, tree, false);
  }
  mlf_json_free(leaf);
  mlf_json_free(tree);
  sqlite3_free(text);
  return 0;
}
