/* test_json_value.c: what model/json_value.h promises. */
#include "model/json_value.h"

#include <string.h>

#include "oom.h"

typedef struct value_case {
  const char *json;
  mlf_value raw;
  mlf_value scalar;
} value_case;

#define TEXT(text_)                                                                                \
  { .type = MLF_TEXT, .text = (text_), .length = sizeof(text_) - 1 }
#define ABSENT TEXT("absent")

static void assert_value(const char *json, mlf_value value, mlf_value expected) {
  bool same = value.type == expected.type && value.integer == expected.integer &&
              value.real == expected.real && value.length == expected.length &&
              (value.type != MLF_TEXT || memcmp(value.text, expected.text, value.length) == 0);
  if (!same) fail_msg("%s", json);
}

static void each_kind_has_a_value(void **state) {
  (void)state;
  static const value_case cases[] = {
      {"null", ABSENT, {.type = MLF_NULL}},
      {"true", TEXT("true"), {.type = MLF_INTEGER, .integer = 1}},
      {"false", TEXT("false"), {.type = MLF_INTEGER}},
      {"9223372036854775807",
       TEXT("9223372036854775807"),
       {.type = MLF_INTEGER, .integer = INT64_MAX}},
      {"-0.5e1", TEXT("-0.5e1"), {.type = MLF_REAL, .real = -5}},
      {"\"\\u0041\"", TEXT("\"\\u0041\""), TEXT("A")},
      {"\"\"", TEXT("\"\""), TEXT("")},
      {" [1, 2] ", TEXT("[1, 2]"), TEXT("[1, 2]")},
      {"{\"a\" : null}", TEXT("{\"a\" : null}"), TEXT("{\"a\" : null}")},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_json *json;
    mlf_error error = {0};
    const char *text = cases[i].json;
    assert_int_equal(mlf_json_parse(text, strlen(text), &json, &error), SQLITE_OK);
    const mlf_json_node *root = mlf_json_root(json);
    assert_value(text, mlf_json_value_raw(json, root, "absent"), cases[i].raw);
    assert_value(text, mlf_json_value_scalar(json, root), cases[i].scalar);
    assert_value(text, mlf_json_value_raw(json, NULL, "absent"), (mlf_value)ABSENT);
    assert_value(text, mlf_json_value_raw(json, NULL, NULL), (mlf_value){.type = MLF_NULL});
    assert_value(text, mlf_json_value_scalar(json, NULL), (mlf_value){.type = MLF_NULL});
    mlf_json_free(json);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind_has_a_value)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
