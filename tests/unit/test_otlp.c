/* test_otlp.c: what model/otlp.h promises. */
#include "model/otlp.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static mlf_json *otlp_read(const char *text, mlf_json_options options) {
  mlf_json *json;
  mlf_error error = {0};
  if (mlf_json_parse(text, strlen(text), options, &json, &error) != SQLITE_OK)
    fail_msg("%.100s: %s", text, error.text);
  return json;
}

static mlf_json *otlp_of(const char *text) {
  return otlp_read(text, (mlf_json_options){0});
}

typedef int (*otlp_write)(sqlite3_str *, const mlf_json *, const mlf_json_node *, mlf_error *);

/* Expects what is written of a node, which is JSON. */
static void otlp_writes(otlp_write write, const mlf_json *json, const mlf_json_node *node,
                        const char *plain) {
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  if (write(out, json, node, &error) != SQLITE_OK) fail_msg("%.100s: %s", plain, error.text);
  char *text = sqlite3_str_finish(out);
  assert_string_equal(text, plain);
  mlf_json_free(otlp_of(text));
  sqlite3_free(text);
}

/* The same whether the node has a tree or is a leaf. */
static void otlp_gives(otlp_write write, const char *sent, bool python, const char *plain) {
  for (int levels = 1; levels <= 3; levels++) {
    char *text = sqlite3_mprintf("{\"a\":%s,\"b\":%s}", sent, sent);
    mlf_json *json = otlp_read(text, (mlf_json_options){.levels = levels, .python = python});
    otlp_writes(write, json, mlf_json_member(mlf_json_root(json), "a"), plain);
    otlp_writes(write, json, mlf_json_member(mlf_json_root(json), "b"), plain);
    mlf_json_free(json);
    sqlite3_free(text);
  }
  mlf_json *json = otlp_read(sent, (mlf_json_options){.python = python});
  otlp_writes(write, json, mlf_json_root(json), plain);
  mlf_json_free(json);
}

/* Expects that a node is refused, with its kind and path, as it is in a tree and as a leaf. */
static void otlp_refuses(otlp_write write, const char *sent, const char *kind, const char *wanted) {
  for (int levels = 1; levels <= 3; levels++) {
    mlf_error error = {0};
    char *text = sqlite3_mprintf("{\"a\":[{\"b\":%s}]}", sent);
    char *expected = sqlite3_mprintf("a[0].b is %s, where %s belongs", kind, wanted);
    mlf_json *json = otlp_read(text, (mlf_json_options){.levels = 2}), *inner;
    const mlf_json_node *leaf = mlf_json_first(mlf_json_member(mlf_json_root(json), "a"));
    assert_int_equal(mlf_json_open(json, leaf, levels, &inner, &error), SQLITE_OK);
    sqlite3_str *out = sqlite3_str_new(NULL);
    int rc = write(out, inner, mlf_json_member(mlf_json_root(inner), "b"), &error);
    if (rc != SQLITE_ERROR) fail_msg("%s is taken", sent);
    assert_int_equal(error.code, SQLITE_ERROR);
    assert_string_equal(error.text, expected);
    sqlite3_free(sqlite3_str_finish(out));
    mlf_error_clear(&error);
    mlf_json_free(inner);
    mlf_json_free(json);
    sqlite3_free(expected);
    sqlite3_free(text);
  }
}

#define LIST(values)     "{\"kvlist_value\":{\"values\":[" values "]}}"
#define ARRAY(values)    "{\"array_value\":{\"values\":[" values "]}}"
#define PAIR(key, value) "{\"key\":\"" key "\",\"value\":" value "}"
#define ONE              "{\"int_value\":1}"

static void values_are_plain_json(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{\"string_value\":\"a\\u0000\\ud800\\\"b\"}", "\"a\\u0000\\ud800\\\"b\""},
      {"{\"string_value\":\"\\u0041\\/\\ud83d\\ude39\"}", "\"A/\xf0\x9f\x98\xb9\""},
      {"{\"string_value\":\"\"}", "\"\""},
      {"{\"bool_value\":false}", "false"},
      {"{\"bool_value\":true}", "true"},
      {"{\"int_value\":9223372036854775807}", "9223372036854775807"},
      {"{\"int_value\":\"-9223372036854775808\"}", "-9223372036854775808"},
      {"{\"int_value\":\"0\"}", "0"},
      {"{\"int_value\":\"007\"}", "7"},
      {"{\"int_value\":\"-007\"}", "-7"},
      {"{\"int_value\":\"-00\"}", "0"},
      {"{\"int\\u005fvalue\":1}", "1"},
      {"{\"int_value\":-7}", "-7"},
      {"{\"double_value\":0.1}", "0.1"},
      {"{\"double_value\":5e-324}", "5e-324"},
      {"{\"double_value\":3}", "3"},
      {"{\"double_value\":1.50}", "1.50"},
      {"{\"double_value\":\"NaN\"}", "null"},
      {"{\"double_value\":\"Infinity\"}", "null"},
      {"{\"double_value\":\"-Infinity\"}", "null"},
      {"{\"double_value\":null}", "null"},
      {"{\"bytes_value\":\"AAEC\"}", "\"AAEC\""},
      {"{}", "null"},
      {"null", "null"},
      {"{\"array_value\":{}}", "[]"},
      {"{\"array_value\":null}", "[]"},
      {"{\"array_value\":{\"values\":[]}}", "[]"},
      {"{\"array_value\":{\"values\":null}}", "[]"},
      {ARRAY("{\"int_value\":1},{}," ARRAY("{\"string_value\":\"x\"}") ",null"),
       "[1,null,[\"x\"],null]"},
      {"{\"kvlist_value\":{}}", "{}"},
      {"{\"kvlist_value\":null}", "{}"},
      {"{\"kvlist_value\":{\"values\":null}}", "{}"},
      {LIST(""), "{}"},
      {LIST(PAIR("a", "{\"int_value\":\"1\"}") "," PAIR("\\\"", LIST(PAIR("", "{}")))),
       "{\"a\":1,\"\\\"\":{\"\":null}}"},
      /* in the order sent, also what comes twice */
      {LIST(PAIR("b", ONE) "," PAIR("a", "{}") "," PAIR("b", "{\"int_value\":2}")),
       "{\"b\":1,\"a\":null,\"b\":2}"},
      {LIST(PAIR("\\u0061\\u0000", ONE)), "{\"a\\u0000\":1}"},
      {LIST("{\"k\\u0065y\":\"a\",\"v\\u0061lue\":" ONE "}"), "{\"a\":1}"},
      {ARRAY(LIST(PAIR("a", ARRAY("{\"bool_value\":true}")))), "[{\"a\":[true]}]"},
      {" { \"array_value\" : { \"values\" : [ {\"int_value\" : 1 } , { } ] } } ", "[1,null]"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    otlp_gives(mlf_otlp_write_value, cases[i][0], false, cases[i][1]);
    otlp_gives(mlf_otlp_write_value, cases[i][0], true, cases[i][1]);
  }
  otlp_gives(mlf_otlp_write_value, "{\"double_value\":NaN}", true, "null");
  otlp_gives(mlf_otlp_write_value, "{\"double_value\":-Infinity}", true, "null");
  otlp_gives(mlf_otlp_write_value, ARRAY("{\"double_value\":Infinity}," ONE), true, "[null,1]");
}

/* Protobuf leaves out what is empty. */
static void keys_and_values_may_be_absent(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[{\"value\":{\"int_value\":1}}]", "{\"\":1}"},
      {"[{\"key\":\"a\"}]", "{\"a\":null}"},
      {"[{\"key\":\"a\",\"value\":null}]", "{\"a\":null}"},
      {"[{\"key\":\"a\",\"value\":{}}]", "{\"a\":null}"},
      {"[{}]", "{\"\":null}"},
      {"[{},{\"value\":" LIST("{}") "},{\"key\":\"a\"}]",
       "{\"\":null,\"\":{\"\":null},\"a\":null}"},
      {"[]", "{}"},
      {"null", "{}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    otlp_gives(mlf_otlp_write_list, cases[i][0], false, cases[i][1]);
  mlf_json *json = otlp_of("[]");
  otlp_writes(mlf_otlp_write_list, json, NULL, "{}");
  otlp_writes(mlf_otlp_write_value, json, NULL, "null");
  mlf_json_free(json);
}

/* What is no part of the form, whatever it is called and holds. */
static void other_members_are_skipped(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[{\"x\":{\"key\":1,\"value\":[2]},\"key\":\"a\",\"y\":[[]],\"value\":" ONE
       ",\"z\":\"key\"}]",
       "{\"a\":1}"},
      {"[{\"x\":1}]", "{\"\":null}"},
      {"[{\"key\":\"a\",\"x\":[]}]", "{\"a\":null}"},
      {"[{\"x\":{},\"value\":" ONE "}]", "{\"\":1}"},
      {"[" PAIR("a",
                "{\"int_value\":1,\"string_value\":[\"no look at it\"],\"x\":{\"values\":[]}}") "]",
       "{\"a\":1}"},
      {"[" PAIR("a", "{\"array_value\":{\"x\":[" ONE "],\"values\":[" ONE "],\"y\":{}}}") "]",
       "{\"a\":[1]}"},
      {"[" PAIR("a", "{\"kvlist_value\":{\"x\":{\"values\":[7]},\"values\":[" PAIR(
                         "b", ONE) "],\"y\":7},\"z\":[{}]}") "," PAIR("c", ONE) "]",
       "{\"a\":{\"b\":1},\"c\":1}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    otlp_gives(mlf_otlp_write_list, cases[i][0], false, cases[i][1]);
}

static void what_is_not_of_the_form_is_an_error(void **state) {
  (void)state;
  static const char *const values[][2] = {
      {"7", "a number"},
      {"\"x\"", "a string"},
      {"true", "true"},
      {"[]", "an array"},
      {"[" ONE "]", "an array"},
      {"{\"other_value\":1}", "an object"},
      {"{\"stringValue\":\"x\"}", "an object"},
      {"{\"x\":1,\"int_value\":1}", "an object"}, /* the kind comes first */
      {"{\"string_value\":1}", "an object"},
      {"{\"string_value\":{\"string_value\":\"x\"}}", "an object"},
      {"{\"string_value\":[\"x\"]}", "an object"},
      {"{\"bytes_value\":true}", "an object"},
      {"{\"bool_value\":1}", "an object"},
      {"{\"bool_value\":\"true\"}", "an object"},
      {"{\"int_value\":true}", "an object"},
      {"{\"int_value\":\"\"}", "an object"},
      {"{\"int_value\":\"-\"}", "an object"},
      {"{\"int_value\":\"7a\"}", "an object"},
      {"{\"int_value\":\"1.5\"}", "an object"},
      {"{\"int_value\":\" 1\"}", "an object"},
      {"{\"int_value\":[1]}", "an object"},
      {"{\"double_value\":\"x\"}", "an object"},
      {"{\"double_value\":\"0.5\"}", "an object"},
      {"{\"double_value\":false}", "an object"},
      {"{\"array_value\":[]}", "an object"},
      {"{\"array_value\":\"x\"}", "an object"},
      {"{\"array_value\":{\"values\":{}}}", "an object"},
      {"{\"array_value\":{\"values\":7}}", "an object"},
      {ARRAY("7"), "an object"},
      {ARRAY(ONE ",[]"), "an object"},
      {ARRAY(ARRAY("{\"int_value\":\"x\"}")), "an object"},
      {"{\"kvlist_value\":[]}", "an object"},
      {"{\"kvlist_value\":{\"values\":{\"a\":" ONE "}}}", "an object"},
      {LIST("7"), "an object"},
      {LIST("null"), "an object"},
      {LIST("{\"key\":7}"), "an object"},
      {LIST("{\"key\":null}"), "an object"},
      {LIST("{\"key\":\"a\",\"value\":1}"), "an object"},
      {LIST("{\"key\":\"a\",\"value\":[]}"), "an object"},
      {LIST("{\"value\":" ONE ",\"key\":\"a\"}"), "an object"}, /* too late to be written */
      {LIST("{\"key\":\"a\",\"key\":\"b\",\"value\":" ONE "}"), "an object"},
      {LIST(PAIR("a", LIST(PAIR("b", "{\"bool_value\":0}")))), "an object"},
  };
  static const char *const lists[][2] = {
      {"7", "a number"},
      {"{}", "an object"},
      {"\"\"", "a string"},
      {"[7]", "an array"},
      {"[null]", "an array"},
      {"[[]]", "an array"},
      {"[" PAIR("a", ONE) ",{\"key\":7}]", "an array"},
      {"[" PAIR("a", "7") "]", "an array"},
      {"[{\"value\":" ONE ",\"key\":\"a\"}]", "an array"},
  };
  for (size_t i = 0; i < COUNT(values); i++)
    otlp_refuses(mlf_otlp_write_value, values[i][0], values[i][1],
                 "a value in OpenTelemetry's form");
  for (size_t i = 0; i < COUNT(lists); i++)
    otlp_refuses(mlf_otlp_write_list, lists[i][0], lists[i][1],
                 "a list of keys and values in OpenTelemetry's form");
}

/* `levels` values one in the other: lists, arrays, or both in turn. What each is in text and plain,
** before and after the one that it holds. */
static void otlp_nest(int levels, const char *kinds, char **sent, char **plain) {
  sqlite3_str *out = sqlite3_str_new(NULL), *expected = sqlite3_str_new(NULL);
  size_t count = strlen(kinds);
  for (int i = 0; i < levels; i++) {
    bool list = kinds[(size_t)i % count] == '{';
    sqlite3_str_appendall(out, list ? "{\"kvlist_value\":{\"values\":[{\"key\":\"a\",\"value\":"
                                    : "{\"array_value\":{\"values\":[" ONE ",");
    sqlite3_str_appendall(expected, list ? "{\"a\":" : "[1,");
  }
  sqlite3_str_appendall(out, "{\"string_value\":\"deep\"}");
  sqlite3_str_appendall(expected, "\"deep\"");
  for (int i = levels - 1; i >= 0; i--) {
    bool list = kinds[(size_t)i % count] == '{';
    sqlite3_str_appendall(out, list ? "}]}}" : ",{}]}}");
    sqlite3_str_appendall(expected, list ? "}" : ",null]");
  }
  *sent = sqlite3_str_finish(out);
  *plain = sqlite3_str_finish(expected);
}

/* As deep as text may be. A list is four levels of text, an array three, what is in them one. */
static void values_may_be_deep(void **state) {
  (void)state;
  static const struct {
    const char *kinds;
    int levels; /* of the value */
    int text;   /* of its text */
  } cases[] = {{"[", 1666, 4999}, {"{", 1249, 4997}, {"{[", 1428, 4999}, {"[[[{", 1537, 4997}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *sent, *plain;
    otlp_nest(cases[i].levels, cases[i].kinds, &sent, &plain);
    mlf_json *json = otlp_read(sent, (mlf_json_options){.levels = 1});
    otlp_writes(mlf_otlp_write_value, json, mlf_json_root(json), plain);
    mlf_json_free(json);
    char *list = sqlite3_mprintf("[{\"key\":\"k\",\"value\":%s}]", sent);
    char *object = sqlite3_mprintf("{\"k\":%s}", plain);
    mlf_error error = {0};
    int rc = mlf_json_parse(list, strlen(list), (mlf_json_options){.levels = 1}, &json, &error);
    if (cases[i].text + 2 <= MLF_JSON_DEPTH_MAX) {
      assert_int_equal(rc, SQLITE_OK);
      otlp_writes(mlf_otlp_write_list, json, mlf_json_root(json), object);
    } else {
      assert_int_equal(rc, SQLITE_TOOBIG);
    }
    mlf_json_free(json);
    mlf_error_clear(&error);
    sqlite3_free(list);
    sqlite3_free(object);
    sqlite3_free(sent);
    sqlite3_free(plain);
  }
}

static const mlf_json_node *otlp_find(const mlf_json *json, const mlf_json_node *list,
                                      const char *key) {
  const mlf_json_node *value = list;
  mlf_error error = {0};
  assert_int_equal(mlf_otlp_find(json, list, key, &value, &error), SQLITE_OK);
  return value;
}

static void keys_are_found(void **state) {
  (void)state;
  mlf_json *json = otlp_read(
      "[{\"value\":{\"int_value\":1}}," PAIR("a", "{\"int_value\":2}") "," PAIR(
          "m",
          LIST(PAIR(
              "b",
              "{\"int_value\":3}"))) "," PAIR("n",
                                              "null") ",{\"key\":\"o\"}," PAIR("\\u0041\\u0000",
                                                                               "{\"int_value\":"
                                                                               "4}") "]",
      (mlf_json_options){.levels = 2}); /* the values are leaves */
  const mlf_json_node *list = mlf_json_root(json);
  otlp_writes(mlf_otlp_write_value, json, otlp_find(json, list, "a"), "2");
  otlp_writes(mlf_otlp_write_value, json, otlp_find(json, list, "m"), "{\"b\":3}");
  otlp_writes(mlf_otlp_write_value, json, otlp_find(json, list, "A\\u0000"), "4");
  assert_null(otlp_find(json, list, "A"));
  assert_null(otlp_find(json, list, ""));
  assert_null(otlp_find(json, list, "n"));
  assert_null(otlp_find(json, list, "o"));
  assert_null(otlp_find(json, NULL, "a"));
  mlf_json_free(json);
}

static void lists_that_cannot_be_looked_through_are_errors(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[" PAIR("b", ONE) ",7]", "[1] is a number, where an object belongs"},
      {"[null]", "[0] is null, where an object belongs"},
      {"[{\"key\":[],\"value\":" ONE "}]", "[0].key is an array, where a string belongs"},
      {"[" PAIR("a", "7") "]", "[0].value is a number, where an object belongs"},
      {"[" PAIR("a", "[]") "]", "[0].value is an array, where an object belongs"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_json *json = otlp_of(cases[i][0]);
    const mlf_json_node *value;
    mlf_error error = {0};
    assert_int_equal(mlf_otlp_find(json, mlf_json_root(json), "a", &value, &error), SQLITE_ERROR);
    assert_string_equal(error.text, cases[i][1]);
    mlf_error_clear(&error);
    mlf_json_free(json);
  }
}

static void integers_are_whole(void **state) {
  (void)state;
  static const struct {
    const char *sent;
    int64_t integer;
  } right[] = {
      {"0", 0},
      {"7", 7},
      {"\"7\"", 7},
      {"\"-7\"", -7},
      {"9223372036854775807", INT64_MAX},
      {"\"9223372036854775807\"", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"\"-9223372036854775808\"", INT64_MIN},
      {"1.5", 1}, /* a fraction is cut off */
      {"-1.5", -1},
      {"0.9e1", 9},
      {"1.79e18", 1790000000000000000},
      {"-9.1e18", -9100000000000000000},
  };
  for (size_t i = 0; i < COUNT(right); i++) {
    int64_t integer = 77;
    mlf_json *json = otlp_of(right[i].sent);
    assert_true(mlf_otlp_int64(json, mlf_json_root(json), &integer));
    assert_true(integer == right[i].integer);
    mlf_json_free(json);
  }
  static const char *const wrong[] = {"\"\"",
                                      "\"1.0\"",
                                      "\"9223372036854775808\"",
                                      "\"-9223372036854775809\"",
                                      "\"1 \"",
                                      "\"x\"",
                                      "true",
                                      "null",
                                      "9223372036854775808",
                                      "-9.3e18",
                                      "1e400",
                                      "[]",
                                      "{}",
                                      "[7]"};
  for (size_t i = 0; i < COUNT(wrong); i++) {
    int64_t integer;
    mlf_json *json = otlp_of(wrong[i]);
    assert_false(mlf_otlp_int64(json, mlf_json_root(json), &integer));
    mlf_json_free(json);
  }
  int64_t integer;
  mlf_json *json = otlp_of("7");
  assert_false(mlf_otlp_int64(json, NULL, &integer));
  mlf_json_free(json);
}

static int otlp_interrupt(void *context) {
  (void)context;
  return SQLITE_INTERRUPT;
}

static void writing_can_be_interrupted(void **state) {
  (void)state;
  mlf_interrupt interrupt = {.ask = otlp_interrupt, .next_ms = INT64_MAX};
  mlf_json *json = otlp_read("[" PAIR("a", ONE) "]", (mlf_json_options){.interrupt = &interrupt});
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  interrupt.next_ms = 0;
  assert_int_equal(mlf_otlp_write_list(out, json, mlf_json_root(json), &error), SQLITE_INTERRUPT);
  assert_int_equal(error.code, SQLITE_INTERRUPT);
  assert_null(error.text);
  sqlite3_free(sqlite3_str_finish(out));
  mlf_json_free(json);
}

typedef struct otlp_scenario {
  const mlf_json *json;
  const char *plain; /* NULL: it is refused */
} otlp_scenario;

static int otlp_write_without_memory(void *context) {
  const otlp_scenario *it = context;
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  int rc = mlf_otlp_write_list(out, it->json, mlf_json_root(it->json), &error);
  assert_int_equal(rc, error.code);
  assert_true((rc == SQLITE_ERROR) == (error.text != NULL));
  if (rc == SQLITE_OK) rc = sqlite3_str_errcode(out);
  char *text = sqlite3_str_finish(out);
  if (rc == SQLITE_OK) assert_string_equal(text, it->plain);
  if (rc == SQLITE_ERROR && !it->plain) rc = SQLITE_OK;
  sqlite3_free(text);
  mlf_error_clear(&error);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[" PAIR(
           "a text that is as long as needed for more than one allocation of what is written",
           ARRAY(ONE ",{\"string_value\":\"and here is another one, which makes it grow\"}")) "]",
       "{\"a text that is as long as needed for more than one allocation of what is written\":"
       "[1,\"and here is another one, which makes it grow\"]}"},
      {"[" PAIR("a", "7") "]", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_json *json = otlp_of(cases[i][0]);
    otlp_scenario it = {json, cases[i][1]};
    long survived = oom_loop(otlp_write_without_memory, &it);
    if (it.plain) assert_int_equal(survived, 0); /* an error needs none of what is written */
    mlf_json_free(json);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_plain_json),
      cmocka_unit_test(keys_and_values_may_be_absent),
      cmocka_unit_test(other_members_are_skipped),
      cmocka_unit_test(what_is_not_of_the_form_is_an_error),
      cmocka_unit_test(values_may_be_deep),
      cmocka_unit_test(keys_are_found),
      cmocka_unit_test(lists_that_cannot_be_looked_through_are_errors),
      cmocka_unit_test(integers_are_whole),
      cmocka_unit_test(writing_can_be_interrupted),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
