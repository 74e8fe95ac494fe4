/* test_envelope.c: what remote/envelope.h promises. */
#include "remote/envelope.h"

#include <string.h>

#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ADVICE       "; is this MLflow, or does a gateway answer for it?"

static mlf_json *envelope_of(const char *text) {
  mlf_json *json;
  mlf_error error = {0};
  assert_int_equal(mlf_json_parse(text, strlen(text), (mlf_json_options){0}, &json, &error),
                   SQLITE_OK);
  return json;
}

/* How many elements a node has; -1 for NULL. */
static int envelope_count(const mlf_json_node *list) {
  int count = 0;
  for (const mlf_json_node *each = mlf_json_first(list); each; each = mlf_json_next(each))
    count++;
  return list ? count : -1;
}

static void lists_and_tokens_are_found(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int count; /* -1: no list */
    const char *token;
  } cases[] = {
      {"{}", -1, NULL},
      {"{\"traces\":null}", -1, NULL},
      {"{\"traces\":[]}", 0, NULL},
      {"{\"traces\":[{},{\"a\":1}]}", 2, NULL},
      {"{\"traces\":[{}],\"next_page_token\":\"x\"}", 1, "x"},
      {"{\"next_page_token\":\"x\",\"traces\":[{}]}", 1, "x"},
      {"{\"next_page_token\":\"x\"}", -1, "x"}, /* an empty page, which others may follow */
      {"{\"traces\":[{}],\"next_page_token\":\"\"}", 1, NULL},
      {"{\"traces\":[{}],\"next_page_token\":null}", 1, NULL},
      {"{\"next_page_token\":\"\"}", -1, NULL},
      {"{\"traces\":[{}],\"message\":\"more than is known\",\"next_page_token\":\"a b\"}", 1,
       "a b"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    const char *token = "untouched";
    mlf_json *json = envelope_of(cases[i].text);
    const mlf_json_node *list = mlf_json_root(json);
    assert_int_equal(mlf_envelope_list(json, "traces", &list, &token, &error), SQLITE_OK);
    assert_int_equal(envelope_count(list), cases[i].count);
    assert_true((token == NULL) == (cases[i].token == NULL));
    if (token) assert_string_equal(token, cases[i].token);
    list = mlf_json_root(json);
    assert_int_equal(mlf_envelope_list(json, "traces", &list, NULL, &error), SQLITE_OK);
    assert_int_equal(envelope_count(list), cases[i].count);
    mlf_json_free(json);
  }
}

static void what_is_no_list_is_an_error(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[]", "the document is an array, where an object belongs"},
      {"[{}]", "the document is an array, where an object belongs"},
      {"null", "the document is null, where an object belongs"},
      {"\"please log in\"", "the document is a string, where an object belongs"},
      {"{\"traces\":7}", "traces is a number, where an array belongs"},
      {"{\"traces\":\"none\"}", "traces is a string, where an array belongs"},
      {"{\"traces\":{}}", "traces is an object, where an array belongs"},
      {"{\"traces\":false}", "traces is false, where an array belongs"},
      {"{\"traces\":[{},7]}", "traces[1] is a number, where an object belongs"},
      {"{\"traces\":[null]}", "traces[0] is null, where an object belongs"},
      {"{\"traces\":[{},{},[]]}", "traces[2] is an array, where an object belongs"},
      {"{\"traces\":[\"tr-1\"]}", "traces[0] is a string, where an object belongs"},
      /* what the reply holds instead is quoted */
      {"{\"message\":\"please log in\"}",
       "the reply has no \"traces\" but \"message\" (please log in)" ADVICE},
      {"{\"status\":\"ok\",\"message\":\"hi\"}",
       "the reply has no \"traces\" but \"status\" (hi)" ADVICE},
      {"{\"ok\":true}", "the reply has no \"traces\" but \"ok\"" ADVICE},
      {"{\"message\":7}", "the reply has no \"traces\" but \"message\"" ADVICE},
      {"{\"next_page_token\":\"x\",\"Traces\":[]}",
       "the reply has no \"traces\" but \"Traces\"" ADVICE},
      {"{\"error_code\":\"PERMISSION_DENIED\",\"message\":\"no\"}",
       "the reply has no \"traces\" but \"error_code\" (no)" ADVICE},
      {"{\"error_code\":\"PERMISSION_DENIED\",\"traces\":[]}",
       "the reply has no \"traces\" but \"error_code\"" ADVICE},
      {"{\"traces\":null,\"error_code\":0}",
       "the reply has no \"traces\" but \"error_code\"" ADVICE},
      {"{\"a\\nb\":1,\"message\":\"two\\nlines\"}",
       "the reply has no \"traces\" but \"a?b\" (two?lines)" ADVICE},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int paged = 0; paged <= 1; paged++) {
      mlf_error error = {0};
      const char *token = "untouched";
      const mlf_json_node *list;
      mlf_json *json = envelope_of(cases[i][0]);
      int rc = mlf_envelope_list(json, "traces", &list, paged ? &token : NULL, &error);
      if (rc != SQLITE_ERROR) fail_msg("%s is taken", cases[i][0]);
      assert_string_equal(error.text, cases[i][1]);
      mlf_error_clear(&error);
      mlf_json_free(json);
    }
  }
}

static void what_is_no_token_is_an_error(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"7", "a number"},  {"0", "a number"},   {"true", "true"},       {"false", "false"},
      {"[]", "an array"}, {"{}", "an object"}, {"[\"x\"]", "an array"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int listed = 0; listed <= 1; listed++) {
      mlf_error error = {0};
      const char *token;
      const mlf_json_node *list;
      char *text = sqlite3_mprintf("{%s\"next_page_token\":%s}", listed ? "\"traces\":[{}]," : "",
                                   cases[i][0]);
      char *expected =
          sqlite3_mprintf("next_page_token is %s, where a string belongs", cases[i][1]);
      mlf_json *json = envelope_of(text);
      assert_int_equal(mlf_envelope_list(json, "traces", &list, &token, &error), SQLITE_ERROR);
      assert_string_equal(error.text, expected);
      mlf_error_clear(&error);
      if (listed) /* who asks for no pages does not look at it */
        assert_int_equal(mlf_envelope_list(json, "traces", &list, NULL, &error), SQLITE_OK);
      mlf_json_free(json);
      sqlite3_free(expected);
      sqlite3_free(text);
    }
  }
}

/* However long what the server sends is, the question at the end is there. */
static void what_is_quoted_is_cut(void **state) {
  (void)state;
  char *text = sqlite3_mprintf("{\"%0*d\":1,\"message\":\"%0*d\"}", 1000, 7, 1000, 7);
  mlf_json *json = envelope_of(text);
  const mlf_json_node *list;
  mlf_error error = {0};
  assert_int_equal(mlf_envelope_list(json, "traces", &list, NULL, &error), SQLITE_ERROR);
  char *expected =
      sqlite3_mprintf("the reply has no \"traces\" but \"%0*d\" (%0*d)" ADVICE, 40, 0, 100, 0);
  assert_string_equal(error.text, expected);
  mlf_error_clear(&error);
  mlf_json_free(json);
  sqlite3_free(expected);
  sqlite3_free(text);
}

static void objects_are_found(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      /* the reply, and what is wrong with it */
      {"{\"experiment\":{}}", NULL},
      {"{\"experiment\":{\"name\":\"a\"},\"message\":\"hi\"}", NULL},
      {"{}", "the reply has no \"experiment\""},
      {"[]", "the document is an array, where an object belongs"},
      {"{\"experiment\":[]}", "experiment is an array, where an object belongs"},
      {"{\"experiment\":\"7\"}", "experiment is a string, where an object belongs"},
      {"{\"message\":\"please log in\"}",
       "the reply has no \"experiment\" but \"message\" (please log in)" ADVICE},
      {"{\"experiments\":[]}", "the reply has no \"experiment\" but \"experiments\"" ADVICE},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_error error = {0};
    mlf_json *json = envelope_of(cases[i][0]);
    const mlf_json_node *object = NULL;
    int rc = mlf_envelope_object(json, "experiment", &object, &error);
    assert_int_equal(rc, cases[i][1] ? SQLITE_ERROR : SQLITE_OK);
    if (cases[i][1]) assert_string_equal(error.text, cases[i][1]);
    if (!cases[i][1]) assert_ptr_equal(object, mlf_json_first(mlf_json_root(json)));
    mlf_error_clear(&error);
    mlf_json_free(json);
  }
}

static int envelope_refuse_without_memory(void *context) {
  mlf_error error = {0};
  const mlf_json_node *list;
  const char *token;
  int rc = mlf_envelope_list(context, "traces", &list, &token, &error);
  assert_int_equal(rc, error.code);
  assert_true((rc == SQLITE_NOMEM) == (error.text == NULL));
  mlf_error_clear(&error);
  return rc == SQLITE_ERROR ? SQLITE_OK : rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  static const char *const texts[] = {"{\"message\":\"please log in\"}", "{\"traces\":[7]}",
                                      "{\"next_page_token\":7}"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    mlf_json *json = envelope_of(texts[i]);
    assert_int_equal(oom_loop(envelope_refuse_without_memory, json), 0);
    mlf_json_free(json);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_and_tokens_are_found),
      cmocka_unit_test(what_is_no_list_is_an_error),
      cmocka_unit_test(what_is_no_token_is_an_error),
      cmocka_unit_test(what_is_quoted_is_cut),
      cmocka_unit_test(objects_are_found),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
