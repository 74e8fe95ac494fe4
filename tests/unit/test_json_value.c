/* test_json_value.c: what model/json_value.h promises. */
#include "model/json_value.h"

#include <string.h>

#include "oom.h"

typedef struct value_case {
  const char *json;
  mlf_value as_json;
  mlf_value scalar;
} value_case;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(text_)                                                                                \
  { .type = MLF_TEXT, .text = (text_), .length = sizeof(text_) - 1 }
#define ABSENT TEXT("absent")
#define NONE                                                                                       \
  { .type = MLF_NULL }

static mlf_json *json_of(const char *text, bool python) {
  mlf_json *json;
  mlf_error error = {0};
  assert_int_equal(
      mlf_json_parse(text, strlen(text), (mlf_json_options){.python = python}, &json, &error),
      SQLITE_OK);
  return json;
}

/* Expects the value, and clears it. */
static void assert_value(const char *json, mlf_value *value, mlf_value expected) {
  bool same = value->type == expected.type && value->integer == expected.integer &&
              value->real == expected.real && value->length == expected.length &&
              (value->type != MLF_TEXT || memcmp(value->text, expected.text, value->length) == 0);
  if (!same) fail_msg("%s", json);
  mlf_value_clear(value);
  assert_int_equal(value->type, MLF_NULL);
}

static void each_kind_has_a_value(void **state) {
  (void)state;
  static const value_case cases[] = {
      {"null", ABSENT, NONE},
      {"true", TEXT("true"), {.type = MLF_INTEGER, .integer = 1}},
      {"false", TEXT("false"), {.type = MLF_INTEGER}},
      {"9223372036854775807",
       TEXT("9223372036854775807"),
       {.type = MLF_INTEGER, .integer = INT64_MAX}},
      {"-0.5e1", TEXT("-0.5e1"), {.type = MLF_REAL, .real = -5}},
      {"9223372036854775808",
       TEXT("9223372036854775808"),
       {.type = MLF_REAL, .real = 9223372036854775808.0}},
      {"\"\\u0041\\/\"", TEXT("\"A/\""), TEXT("A/")},
      {"\"\"", TEXT("\"\""), TEXT("")},
      {"\"a\\u0000\\ud800\\n\"", TEXT("\"a\\u0000\\ud800\\n\""), TEXT("a\\u0000\\ud800\n")},
      {"\"\xff\"", TEXT("\"\xef\xbf\xbd\""), TEXT("\xef\xbf\xbd")},
      {" [1, 2] ", TEXT("[1,2]"), TEXT("[1,2]")},
      {"[ ]", TEXT("[]"), TEXT("[]")},
      {"{\"a\" : null, \"\\u0062\": [1.50]}", TEXT("{\"a\":null,\"b\":[1.50]}"),
       TEXT("{\"a\":null,\"b\":[1.50]}")},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    mlf_value value;
    const char *text = cases[i].json;
    mlf_json *json = json_of(text, false);
    const mlf_json_node *root = mlf_json_root(json);
    assert_int_equal(mlf_json_value_json(json, root, "absent", &value, &error), SQLITE_OK);
    assert_value(text, &value, cases[i].as_json);
    assert_int_equal(mlf_json_value_scalar(json, root, &value, &error), SQLITE_OK);
    assert_value(text, &value, cases[i].scalar);
    assert_int_equal(mlf_json_value_json(json, NULL, "absent", &value, &error), SQLITE_OK);
    assert_value(text, &value, (mlf_value)ABSENT);
    assert_int_equal(mlf_json_value_json(json, NULL, NULL, &value, &error), SQLITE_OK);
    assert_value(text, &value, (mlf_value)NONE);
    assert_int_equal(mlf_json_value_scalar(json, NULL, &value, &error), SQLITE_OK);
    assert_value(text, &value, (mlf_value)NONE);
    mlf_json_free(json);
  }
}

static void words_of_python_are_null(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_value value;
  mlf_json *json = json_of("[NaN, {\"a\": -Infinity}]", true);
  assert_int_equal(mlf_json_value_json(json, mlf_json_root(json), NULL, &value, &error), SQLITE_OK);
  assert_value("list", &value, (mlf_value)TEXT("[null,{\"a\":null}]"));
  const mlf_json_node *word = mlf_json_first(mlf_json_root(json));
  assert_int_equal(mlf_json_value_json(json, word, "absent", &value, &error), SQLITE_OK);
  assert_value("word", &value, (mlf_value)ABSENT);
  assert_int_equal(mlf_json_value_scalar(json, word, &value, &error), SQLITE_OK);
  assert_value("word", &value, (mlf_value)NONE);
  mlf_json_free(json);
}

/* JSON outlives its document; the text of a scalar, and what stands for nothing, does not. */
static void json_is_owned_and_text_is_borrowed(void **state) {
  (void)state;
  mlf_error error = {0};
  mlf_value whole, text, list, absent;
  mlf_json *json = json_of("[\"x\", [ 1 ]]", false);
  const mlf_json_node *first = mlf_json_first(mlf_json_root(json));
  assert_int_equal(mlf_json_value_json(json, mlf_json_root(json), NULL, &whole, &error), SQLITE_OK);
  assert_int_equal(mlf_json_value_scalar(json, first, &text, &error), SQLITE_OK);
  assert_int_equal(mlf_json_value_scalar(json, mlf_json_next(first), &list, &error), SQLITE_OK);
  assert_int_equal(mlf_json_value_json(json, NULL, "{}", &absent, &error), SQLITE_OK);
  assert_true(whole.owned && list.owned && !text.owned && !absent.owned);
  assert_ptr_equal(text.text, mlf_json_text(first));
  mlf_json_free(json);
  assert_value("whole", &whole, (mlf_value)TEXT("[\"x\",[1]]"));
  assert_value("list", &list, (mlf_value)TEXT("[1]"));
}

static void texts_of_members_are_written(void **state) {
  (void)state;
  static const struct {
    const char *json, *written, *error;
  } cases[] = {
      {"{\"a\":\"x\\u0041\\u0000\"}", "<\"xA\\u0000\"", NULL},
      {"{\"a\":\"\"}", "<\"\"", NULL},
      {"{\"a\":null}", "<\"\"", NULL},
      {"{}", "<\"\"", NULL},
      {"{\"a\":7}", NULL, "a is a number, where a string belongs"},
      {"{\"a\":[\"x\"]}", NULL, "a is an array, where a string belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    mlf_json *json = json_of(cases[i].json, false);
    sqlite3_str *out = sqlite3_str_new(NULL);
    sqlite3_str_appendchar(out, 1, '<');
    int rc = mlf_json_value_write_text(out, json, mlf_json_root(json), "a", &error);
    char *written = sqlite3_str_finish(out);
    assert_int_equal(rc, cases[i].error ? SQLITE_ERROR : SQLITE_OK);
    if (cases[i].error) assert_string_equal(error.text, cases[i].error);
    if (cases[i].written) assert_string_equal(written, cases[i].written);
    sqlite3_free(written);
    mlf_error_clear(&error);
    mlf_json_free(json);
  }
}

static void what_was_written_is_a_value_or_an_error(void **state) {
  (void)state;
  static const int codes[] = {SQLITE_OK, SQLITE_ERROR, SQLITE_INTERRUPT, SQLITE_NOMEM};
  for (size_t i = 0; i < COUNT(codes); i++) {
    long before = oom.outstanding;
    mlf_value value = mlf_value_real(7);
    mlf_error error = {0};
    sqlite3_str *out = sqlite3_str_new(NULL);
    sqlite3_str_appendall(out, "[1]");
    assert_int_equal(mlf_json_value_finish(out, codes[i], &value, &error), codes[i]);
    assert_int_equal(error.code, 0); /* whoever failed has said so */
    assert_true(value.owned == (codes[i] == SQLITE_OK));
    assert_value("finished", &value, codes[i] ? (mlf_value)NONE : (mlf_value)TEXT("[1]"));
    assert_int_equal(oom.outstanding, before);
  }

  sqlite3 *db;
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1000);
  for (int rc = SQLITE_OK; rc <= SQLITE_ERROR; rc++) { /* the first failure counts */
    mlf_value value = mlf_value_real(7);
    mlf_error error = {0};
    sqlite3_str *out = sqlite3_str_new(db);
    sqlite3_str_appendchar(out, 2000, '1');
    assert_int_equal(mlf_json_value_finish(out, rc, &value, &error), rc ? rc : SQLITE_TOOBIG);
    if (rc == SQLITE_OK)
      assert_string_equal(error.text, "a value is larger than SQLite's limit of a text");
    assert_value("too big", &value, (mlf_value)NONE);
    mlf_error_clear(&error);
  }
  sqlite3_close(db);
}

static int value_interrupt(void *context) {
  (void)context;
  return SQLITE_INTERRUPT;
}

static void writing_can_be_interrupted(void **state) {
  (void)state;
  mlf_interrupt interrupt = {.ask = value_interrupt, .next_ms = INT64_MAX};
  mlf_json *json;
  mlf_error error = {0};
  mlf_value value = mlf_value_real(7);
  const mlf_json_options options = {.interrupt = &interrupt};
  assert_int_equal(mlf_json_parse("[1]", 3, options, &json, &error), SQLITE_OK);
  interrupt.next_ms = 0;
  assert_int_equal(mlf_json_value_json(json, mlf_json_root(json), NULL, &value, &error),
                   SQLITE_INTERRUPT);
  assert_int_equal(error.code, SQLITE_INTERRUPT);
  assert_value("interrupted", &value, (mlf_value)NONE);
  mlf_json_free(json);
}

static int values_without_memory(void *context) {
  const mlf_json *json = context;
  mlf_error error = {0};
  mlf_value value, scalar = NONE;
  sqlite3_str *out = sqlite3_str_new(NULL);
  const mlf_json_node *root = mlf_json_root(json);
  int rc = mlf_json_value_json(json, root, "absent", &value, &error);
  if (rc == SQLITE_OK) rc = mlf_json_value_scalar(json, root, &scalar, &error);
  if (rc == SQLITE_OK) rc = mlf_json_value_write_text(out, json, root, "a", &error);
  assert_int_equal(rc, error.code);
  if (rc == SQLITE_OK) rc = sqlite3_str_errcode(out);
  sqlite3_free(sqlite3_str_finish(out));
  if (rc == SQLITE_OK) assert_string_equal(value.text, scalar.text);
  mlf_value_clear(&value);
  mlf_value_clear(&scalar);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  char text[300] = "{\"a\":\"";
  memset(text + 6, 'x', sizeof(text) - 9);
  memcpy(text + sizeof(text) - 3, "\"}", 3);
  mlf_json *json = json_of(text, false);
  assert_int_equal(oom_loop(values_without_memory, json), 0);
  mlf_json_free(json);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_has_a_value),
      cmocka_unit_test(words_of_python_are_null),
      cmocka_unit_test(json_is_owned_and_text_is_borrowed),
      cmocka_unit_test(texts_of_members_are_written),
      cmocka_unit_test(what_was_written_is_a_value_or_an_error),
      cmocka_unit_test(writing_can_be_interrupted),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
