/* shown.h: a value of a column as text, as SQLite's quote() would write it: 'text', 1.5 or NULL. */
#ifndef MLF_TESTS_SHOWN_H
#define MLF_TESTS_SHOWN_H

#include <string.h>

#include "model/catalog.h"
#include "model/json.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Clears the value. Free with sqlite3_free; NULL: no memory. */
static inline char *shown_value(mlf_value *value) {
  char *text;
  switch (value->type) {
  case MLF_NULL: text = sqlite3_mprintf("NULL"); break;
  case MLF_INTEGER: text = sqlite3_mprintf("%lld", (sqlite3_int64)value->integer); break;
  case MLF_REAL: text = sqlite3_mprintf("%!.17g", value->real); break;
  default:
    assert_int_equal(value->length, strlen(value->text));
    text = sqlite3_mprintf("'%s'", value->text);
  }
  mlf_value_clear(value);
  return text;
}

/* What a decoder reads: mlf_trace_value, mlf_assessment_value. */
typedef int (*shown_decoder)(const mlf_json *json, const mlf_json_node *node,
                             const mlf_column *column, mlf_value *value, mlf_error *error);

/* The value of a column; NULL: no memory, or an error. */
static inline char *shown_column(shown_decoder decode, const mlf_schema *schema,
                                 const mlf_json *json, const mlf_json_node *node, const char *name,
                                 int *rc, mlf_error *error) {
  mlf_value value;
  int index = mlf_schema_find(schema, name);
  assert_true(index >= 0);
  *rc = decode(json, node, &schema->columns[index], &value, error);
  assert_int_equal(*rc, error->code);
  if (*rc == SQLITE_OK) return shown_value(&value);
  assert_false(value.owned);
  return NULL;
}

typedef struct shown_case {
  const char *json;
  const char *column;
  const char *expected;
} shown_case;

/* SQLITE_OK if the column shows what is expected, or SQLITE_NOMEM. */
static inline int shown_check(shown_decoder decode, const mlf_schema *schema,
                              const shown_case *each) {
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse(each->json, strlen(each->json), (mlf_json_options){0}, &json, &error);
  if (rc != SQLITE_OK) return rc;
  char *text = shown_column(decode, schema, json, mlf_json_root(json), each->column, &rc, &error);
  if (rc != SQLITE_OK && error.text) fail_msg("%s of %s: %s", each->column, each->json, error.text);
  if (rc == SQLITE_OK && text) assert_string_equal(text, each->expected);
  if (!text) rc = SQLITE_NOMEM;
  sqlite3_free(text);
  mlf_json_free(json);
  return rc;
}

/* Expects the error that names where in a list this one, its second, is wrong. */
static inline void shown_fails(shown_decoder decode, const mlf_schema *schema, const char *list,
                               const shown_case *each) {
  mlf_json *json;
  mlf_error error = {0};
  int rc;
  char *text = sqlite3_mprintf("{\"%s\":[{},%s]}", list, each->json);
  char *expected = sqlite3_mprintf("%s[1]%s", list, each->expected);
  assert_int_equal(mlf_json_parse(text, strlen(text), (mlf_json_options){0}, &json, &error),
                   SQLITE_OK);
  const mlf_json_node *first = mlf_json_first(mlf_json_member(mlf_json_root(json), list));
  print_message("%s of %s\n", each->column, each->json);
  assert_null(shown_column(decode, schema, json, mlf_json_next(first), each->column, &rc, &error));
  assert_int_equal(rc, SQLITE_ERROR);
  assert_string_equal(error.text, expected);
  mlf_error_clear(&error);
  mlf_json_free(json);
  sqlite3_free(expected);
  sqlite3_free(text);
}

#endif
