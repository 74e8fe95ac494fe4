/* test_otlp.c: what model/otlp.h promises. */
#include "model/otlp.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"

static mlf_json *otlp_of(const char *text) {
  mlf_json *json;
  mlf_error error = {0};
  assert_int_equal(mlf_json_parse(text, strlen(text), &json, &error), SQLITE_OK);
  return json;
}

#define LIST(values)     "{\"kvlist_value\":{\"values\":[" values "]}}"
#define PAIR(key, value) "{\"key\":\"" key "\",\"value\":" value "}"

static void values_are_plain_json(void **state) {
  (void)state;
  static const struct {
    const char *sent, *plain;
  } cases[] = {
      {"{\"string_value\":\"a\\u0000\\ud800\\\"b\"}", "\"a\\u0000\\ud800\\\"b\""},
      {"{\"string_value\":\"\"}", "\"\""},
      {"{\"bool_value\":false}", "false"},
      {"{\"int_value\":9223372036854775807}", "9223372036854775807"},
      {"{\"int_value\":\"-9223372036854775808\"}", "-9223372036854775808"},
      {"{\"double_value\":0.1}", "0.1"},
      {"{\"double_value\":5e-324}", "5e-324"},
      {"{\"double_value\":\"NaN\"}", "null"},
      {"{\"double_value\":\"-Infinity\"}", "null"},
      {"{\"bytes_value\":\"AAEC\"}", "\"AAEC\""},
      {"{}", "null"},
      {"null", "null"},
      {"{\"array_value\":{}}", "[]"},
      {"{\"array_value\":{\"values\":[{\"int_value\":1},{},{\"array_value\":{\"values\":["
       "{\"string_value\":\"x\"}]}}]}}",
       "[1,null,[\"x\"]]"},
      {"{\"kvlist_value\":{}}", "{}"},
      {LIST(PAIR("a", "{\"int_value\":\"1\"}") "," PAIR("\\\"", LIST(PAIR("", "{}")))),
       "{\"a\":1,\"\\\"\":{\"\":null}}"},
      {"{\"kvlist_value\":{\"values\":[{\"value\":{\"int_value\":1}}]}}", "{\"\":1}"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_json *json = otlp_of(cases[i].sent);
    sqlite3_str *out = sqlite3_str_new(NULL);
    mlf_otlp_write(out, json, mlf_json_root(json));
    char *plain = sqlite3_str_finish(out);
    assert_string_equal(plain, cases[i].plain);
    mlf_json_free(otlp_of(plain));
    sqlite3_free(plain);
    mlf_json_free(json);
  }
}

static void scalars_have_types_of_their_own(void **state) {
  (void)state;
  static const struct {
    const char *sent;
    mlf_value_type type;
    int64_t integer;
    double real;
    const char *text;
  } cases[] = {
      {"{\"string_value\":\"7\"}", MLF_TEXT, 0, 0, "7"},
      {"{\"bool_value\":true}", MLF_INTEGER, 1, 0, NULL},
      {"{\"int_value\":\"7\"}", MLF_INTEGER, 7, 0, NULL},
      {"{\"int_value\":\"7a\"}", MLF_NULL, 0, 0, NULL},
      {"{\"double_value\":0.5}", MLF_REAL, 0, 0.5, NULL},
      {"{\"double_value\":3}", MLF_REAL, 0, 3, NULL},
      {"{\"double_value\":\"NaN\"}", MLF_NULL, 0, 0, NULL},
      {"{\"kvlist_value\":{}}", MLF_NULL, 0, 0, NULL},
      {"{\"bytes_value\":\"AA==\"}", MLF_NULL, 0, 0, NULL},
      {"{}", MLF_NULL, 0, 0, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_json *json = otlp_of(cases[i].sent);
    mlf_value value = mlf_otlp_scalar(json, mlf_json_root(json));
    assert_int_equal(value.type, cases[i].type);
    if (value.type == MLF_INTEGER) assert_int_equal(value.integer, cases[i].integer);
    if (value.type == MLF_REAL) assert_true(value.real == cases[i].real);
    if (value.type == MLF_TEXT) assert_string_equal(value.text, cases[i].text);
    mlf_json_free(json);
  }
}

static void keys_are_found(void **state) {
  (void)state;
  mlf_json *json = otlp_of("[{\"value\":{\"int_value\":1}}," PAIR(
      "a", "{\"int_value\":2}") "," PAIR("m", LIST(PAIR("b", "{\"int_value\":3}"))) "]");
  const mlf_json_node *list = mlf_json_root(json);
  assert_int_equal(mlf_otlp_scalar(json, mlf_otlp_find(list, "a")).integer, 2);
  const mlf_json_node *map = mlf_otlp_map(mlf_otlp_find(list, "m"));
  assert_int_equal(mlf_otlp_scalar(json, mlf_otlp_find(map, "b")).integer, 3);
  assert_null(mlf_otlp_find(list, "A"));
  assert_null(mlf_otlp_find(list, ""));
  assert_null(mlf_otlp_map(mlf_otlp_find(list, "a")));
  assert_null(mlf_otlp_find(NULL, "a"));
  mlf_json_free(json);
}

static void integers_are_whole(void **state) {
  (void)state;
  static const char *const wrong[] = {"\"\"", "\"1.0\"", "\"9223372036854775808\"", "1.5",
                                      "true", "null",    "9223372036854775808"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    int64_t integer;
    mlf_json *json = otlp_of(wrong[i]);
    assert_false(mlf_otlp_int64(json, mlf_json_root(json), &integer));
    mlf_json_free(json);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_plain_json),
      cmocka_unit_test(scalars_have_types_of_their_own),
      cmocka_unit_test(keys_are_found),
      cmocka_unit_test(integers_are_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
