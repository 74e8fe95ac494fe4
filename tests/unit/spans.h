/* spans.h: the spans in a text, and their columns as text, for tests of model/span_set.h.
**
**   int main(void) {
**     oom_install();
**     ...
**     if (mlf_schema_init_spans(&spans_schema) != SQLITE_OK) return 1;
**     ...
**   }
**   span_document spans = spans_of("[{\"span_id\":\"01\"}]");
**   span_shows(&spans, 0, "name", "''");
**   spans_close(&spans);
*/
#ifndef MLF_TESTS_SPANS_H
#define MLF_TESTS_SPANS_H

#include <string.h>

#include "model/span_set.h"
#include "oom.h"

static mlf_schema spans_schema;

/* The spans in a text, with the document that they stand in. */
typedef struct span_document {
  mlf_json *json;
  mlf_span_set *set;
} span_document;

/* Reads a text that is an array of spans, or has one as its member "spans". */
static inline int spans_open(span_document *spans, const char *text, bool python,
                             mlf_error *error) {
  memset(spans, 0, sizeof(*spans));
  const mlf_json_options options = {.levels = *text == '{' ? 2 : 1, .python = python};
  int rc = mlf_json_parse(text, strlen(text), options, &spans->json, error);
  if (rc != SQLITE_OK) return rc;
  const mlf_json_node *root = mlf_json_root(spans->json);
  const mlf_json_node *member = mlf_json_member(root, "spans");
  return mlf_span_set_new(spans->json, member ? member : root, &spans->set, error);
}

static inline void spans_close(span_document *spans) {
  mlf_span_set_free(spans->set);
  mlf_json_free(spans->json);
}

static inline span_document spans_of(const char *text) {
  span_document spans;
  mlf_error error = {0};
  if (spans_open(&spans, text, false, &error) != SQLITE_OK) fail_msg("%s: %s", text, error.text);
  return spans;
}

/* A column's value as text: a text in quotes, a number, or NULL; free with sqlite3_free. */
static inline int spans_read(span_document *spans, size_t index, const char *name, char **text,
                             mlf_error *error) {
  mlf_value value;
  int column = mlf_schema_find(&spans_schema, name);
  assert_true(column >= 0);
  *text = NULL;
  int rc = mlf_span_set_value(spans->set, index, &spans_schema.columns[column], &value, error);
  if (rc != SQLITE_OK) {
    assert_false(value.owned);
    return rc;
  }
  switch (value.type) {
  case MLF_NULL: *text = sqlite3_mprintf("NULL"); break;
  case MLF_INTEGER: *text = sqlite3_mprintf("%lld", (sqlite3_int64)value.integer); break;
  case MLF_REAL: *text = sqlite3_mprintf("%!.15g", value.real); break;
  default:
    assert_int_equal(value.length, strlen(value.text));
    *text = sqlite3_mprintf("'%s'", value.text);
  }
  mlf_value_clear(&value);
  return *text ? SQLITE_OK : mlf_error_nomem(error);
}

static inline void span_shows(span_document *spans, size_t index, const char *name,
                              const char *expected) {
  char *text;
  mlf_error error = {0};
  if (spans_read(spans, index, name, &text, &error) != SQLITE_OK)
    fail_msg("%s: %s", name, error.text);
  assert_string_equal(text, expected);
  sqlite3_free(text);
}

/* Expects that a column is an error, and that it stays one. */
static inline void span_fails(span_document *spans, size_t index, const char *name,
                              const char *expected) {
  for (int i = 0; i < 2; i++) {
    char *text;
    mlf_error error = {0};
    assert_int_equal(spans_read(spans, index, name, &text, &error), SQLITE_ERROR);
    assert_int_equal(error.code, SQLITE_ERROR);
    assert_string_equal(error.text, expected);
    mlf_error_clear(&error);
  }
}

typedef struct span_column {
  const char *name;
  const char *expected;
} span_column;

#define BARE(more)   "[{\"span_id\":\"01\"" more "}]"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
