/* test_json.c: what model/json.h promises of a document and what is in it. How far down its tree
** reaches is in test_json_levels.c, typed ways into it are in test_json_ways.c. */
#include "model/json.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "json_suite.h"
#include "oom.h"

/* A locale whose decimal point is not '.', as seen by cJSON (few machines have one installed). */
static bool json_odd_locale;

__attribute__((visibility("default"))) struct lconv *localeconv(void) {
  static char odd_point[] = "\xd9\xab";
  static char point[] = ".";
  static struct lconv locale;
  locale.decimal_point = json_odd_locale ? odd_point : point;
  return &locale;
}

static mlf_json *json_of(const char *text, size_t length) {
  mlf_json *json;
  mlf_error error = {0};
  assert_int_equal(mlf_json_parse(text, length, (mlf_json_options){0}, &json, &error), SQLITE_OK);
  assert_int_equal(error.code, 0);
  return json;
}

/* Expects `text` to be refused, and nothing to be left of it. */
static void json_refuses(const char *text, size_t length, int code) {
  mlf_json *json;
  mlf_error error = {0};
  long before = oom.outstanding;
  assert_int_equal(mlf_json_parse(text, length, (mlf_json_options){0}, &json, &error), code);
  assert_int_equal(error.code, code);
  assert_null(json);
  mlf_error_clear(&error);
  assert_int_equal(oom.outstanding, before);
}

static void json_raw_equals(const mlf_json *json, const mlf_json_node *node, const char *raw) {
  size_t length;
  const char *bytes = mlf_json_raw(json, node, &length);
  assert_int_equal(length, strlen(raw));
  assert_memory_equal(bytes, raw, length);
}

static void json_takes_and_refuses_as_the_suite(void **state) {
  (void)state;
  for (size_t i = 0; i < JSON_CASES(json_suite_yes); i++)
    mlf_json_free(json_of(json_suite_yes[i].text, json_suite_yes[i].length));
  for (size_t i = 0; i < JSON_CASES(json_suite_taken); i++)
    mlf_json_free(json_of(json_suite_taken[i].text, json_suite_taken[i].length));
  for (size_t i = 0; i < JSON_CASES(json_suite_no); i++)
    json_refuses(json_suite_no[i].text, json_suite_no[i].length, SQLITE_ERROR);
  for (size_t i = 0; i < JSON_CASES(json_suite_refused); i++)
    json_refuses(json_suite_refused[i].text, json_suite_refused[i].length, SQLITE_ERROR);

  char deep[50000 * 5];
  memset(deep, '[', 100000);
  json_refuses(deep, 100000, SQLITE_TOOBIG);
  for (size_t i = 0; i < sizeof(deep); i += 5)
    memcpy(deep + i, "[{\"\":", 5);
  json_refuses(deep, sizeof(deep), SQLITE_TOOBIG);
}

static void json_tells_kinds(void **state) {
  (void)state;
  static const struct {
    const char *text;
    mlf_json_kind kind;
  } cases[] = {
      {"null", MLF_JSON_NULL},       {"false", MLF_JSON_FALSE},
      {"true", MLF_JSON_TRUE},       {"0", MLF_JSON_INTEGER},
      {"-0", MLF_JSON_INTEGER},      {"-0.0", MLF_JSON_REAL},
      {"1e0", MLF_JSON_REAL},        {"9223372036854775807", MLF_JSON_INTEGER},
      {"\"\"", MLF_JSON_STRING},     {"9223372036854775808", MLF_JSON_REAL},
      {"[]", MLF_JSON_ARRAY},        {"-9223372036854775808", MLF_JSON_INTEGER},
      {"{}", MLF_JSON_OBJECT},       {"-9223372036854775809", MLF_JSON_REAL},
      {"\"true\"", MLF_JSON_STRING}, {"92233720368547758070", MLF_JSON_REAL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_json *json = json_of(cases[i].text, strlen(cases[i].text));
    const mlf_json_node *root = mlf_json_root(json);
    assert_int_equal(mlf_json_kind_of(json, root), cases[i].kind);
    assert_true((mlf_json_text(root) != NULL) == (cases[i].kind == MLF_JSON_STRING));
    assert_null(mlf_json_name(root));
    assert_null(mlf_json_next(root));
    json_raw_equals(json, root, cases[i].text);
    mlf_json_free(json);
  }
}

static void json_integers_are_exact(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t value;
  } cases[] = {
      {"1763900000123456789", 1763900000123456789},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9007199254740993", 9007199254740993},
      {"-1", -1},
      {"-0", 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_json *json = json_of(cases[i].text, strlen(cases[i].text));
    int64_t value;
    double real;
    assert_true(mlf_json_int64(json, mlf_json_root(json), &value));
    assert_true(value == cases[i].value);
    assert_true(mlf_json_double(json, mlf_json_root(json), &real));
    assert_true(real == (double)cases[i].value);
    mlf_json_free(json);
  }
}

/* Expects the number to be what strtod makes of it in the C locale, bit by bit. */
static void json_double_equals_strtod(const char *text) {
  mlf_json *json = json_of(text, strlen(text));
  double value = -1;
  assert_true(mlf_json_double(json, mlf_json_root(json), &value));
  double expected = strtod(text, NULL);
  assert_memory_equal(&value, &expected, sizeof(value));
  mlf_json_free(json);
}

static void json_doubles_are_correctly_rounded(void **state) {
  (void)state;
  static const char *const cases[] = {
      "0.0",
      "-0.0",
      "-0e5",
      "0.1",
      "0.30000000000000004",
      "1e23",
      "8.5e22",
      "2.5E-3",
      "1e400",
      "-1e400",
      "1e-400",
      "5e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "2.2250738585072011e-308",
      "1.7976931348623157e308",
      "1.7976931348623159e308",
      "9007199254740993.0",
      "9223372036854775808",
      "-9223372036854775809",
      "123456789012345678901",
      "1e00000000000000000000000000000000000000000000000000000000000000000000000000005",
      "1e99999999999999999999999999999999",
      "-1e-99999999999999999999999999999999",
      "0e99999999999999999999999999999999",
      "0.000000000000000000000000000000000000001e+39",
      "1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    json_double_equals_strtod(cases[i]);

  /* The midpoint between 1 and the next double, and a last digit far behind it that decides. */
  char text[3000];
  int length = snprintf(text, sizeof(text), "1.%.53s",
                        "00000000000000011102230246251565404236316680908203125");
  json_double_equals_strtod(text);
  memset(text + length, '0', sizeof(text) - (size_t)length);
  text[sizeof(text) - 2] = '1';
  text[sizeof(text) - 1] = 0;
  json_double_equals_strtod(text);
  assert_true(strtod(text, NULL) > 1);

  /* More digits than are kept, before the point and after it. */
  memset(text, '7', sizeof(text) - 1);
  memcpy(text + sizeof(text) - 7, "e-2900", 6);
  json_double_equals_strtod(text);
  text[1500] = '.';
  json_double_equals_strtod(text);
  memset(text, '0', 1400);
  text[1] = '.';
  text[1500] = '7';
  memcpy(text + sizeof(text) - 7, "e+1398", 6);
  json_double_equals_strtod(text);

  /* Half of the least double, whose 751 digits all matter: above it and below it. */
  length = snprintf(text, sizeof(text), "%.1074f0", 5e-324);
  int carry = 0;
  for (int i = 2; i < length; i++) {
    int digit = carry * 10 + text[i] - '0';
    text[i] = (char)('0' + digit / 2);
    carry = digit % 2;
  }
  json_double_equals_strtod(text);
  assert_true(strtod(text, NULL) == 0);
  memcpy(text + length, "1", 2);
  json_double_equals_strtod(text);
  assert_true(strtod(text, NULL) > 0);

  srand(1);
  for (int i = 0; i < 20000; i++) {
    int digits = rand() % 22;
    length = snprintf(text, sizeof(text), "%d.", rand() % 1000);
    for (int k = 0; k <= digits; k++)
      text[length++] = (char)('0' + rand() % 10);
    snprintf(text + length, 16, "e%d", rand() % 700 - 350);
    json_double_equals_strtod(text);
  }
}

static void json_numbers_may_be_long(void **state) {
  (void)state;
  for (int digits = 55; digits < 80; digits++) {
    char text[200];
    int length = snprintf(text, sizeof(text), "[%0*d,-1%0*d,2]", digits, 0, digits, 7);
    text[1] = '1';
    mlf_json *json = json_of(text, (size_t)length);
    const mlf_json_node *node = mlf_json_first(mlf_json_root(json));
    assert_int_equal(mlf_json_kind_of(json, node), MLF_JSON_REAL);
    json_raw_equals(json, mlf_json_next(mlf_json_next(node)), "2");
    mlf_json_free(json);
  }
}

static void json_numbers_ignore_the_locale(void **state) {
  (void)state;
  static const char text[] = "[1.5, {\"a\": -2.25e1}, 3]";
  json_odd_locale = true;
  mlf_json *json = json_of(text, sizeof(text) - 1);
  json_odd_locale = false;
  double value;
  const mlf_json_node *node = mlf_json_first(mlf_json_root(json));
  assert_true(mlf_json_double(json, node, &value) && value == 1.5);
  node = mlf_json_next(node);
  assert_true(mlf_json_double(json, mlf_json_member(node, "a"), &value) && value == -22.5);
  node = mlf_json_next(node);
  assert_true(mlf_json_double(json, node, &value) && value == 3);
  mlf_json_free(json);
}

#define FFFD "\xef\xbf\xbd"

/* Each as a string, as a member's name, and among others. */
static void json_decodes_text(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", ""},
      {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
      {"\\u0041\\u00e9\\u20AC\\ud83d\\uDE39", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9"},
      {"\\uffff\\u007f\\u0080\\u07ff\\u0800", "\xef\xbf\xbf\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"},
      {"\\ud800\\udc00\\udbff\\udfff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9"},
      /* what text cannot carry stays an escape, six characters */
      {"a\\u0000b", "a\\u0000b"},
      {"\\\\u0000", "\\u0000"},
      {"\\ud800", "\\ud800"},
      {"\\uD8aB", "\\ud8ab"},
      {"\\udc00x", "\\udc00x"},
      {"\\ud800\\ud800", "\\ud800\\ud800"},
      {"\\ud800\\ud83d\\ude39", "\\ud800\xf0\x9f\x98\xb9"},
      {"\\udc00\\ud800", "\\udc00\\ud800"},
      {"\\udc00\\udc00", "\\udc00\\udc00"},
      {"\\ud800\\udbff", "\\ud800\\udbff"},
      {"\\ud800\\ue000", "\\ud800\xee\x80\x80"},
      {"\\ud83d\\n\\ude39", "\\ud83d\n\\ude39"},
      {"\\ud83d\\u0000", "\\ud83d\\u0000"},
      {"\\ud83dud", "\\ud83dud"},
      /* what is no UTF-8 does not */
      {"\xff", FFFD},
      {"a\xe2\x82z\xc3", "a" FFFD "z" FFFD},
      {"\xed\xa0\x80", FFFD FFFD FFFD},
      {"\xc0\x80", FFFD FFFD},
      {"\xf0\x9f\x98\\u0000\xb9", FFFD "\\u0000" FFFD},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char text[400];
    char quoted[100];
    snprintf(quoted, sizeof(quoted), "\"%s\"", cases[i][0]);
    int length =
        snprintf(text, sizeof(text), "[\"\\u0000\", {%s:%s} ,0.5,\"end\"]", quoted, quoted);
    mlf_json *json = json_of(text, (size_t)length);
    json_raw_equals(json, mlf_json_root(json), text);
    const mlf_json_node *first = mlf_json_first(mlf_json_root(json));
    assert_string_equal(mlf_json_text(first), "\\u0000");
    const mlf_json_node *member = mlf_json_first(mlf_json_next(first));
    assert_string_equal(mlf_json_text(member), cases[i][1]);
    assert_string_equal(mlf_json_name(member), cases[i][1]);
    assert_ptr_equal(mlf_json_member(mlf_json_next(first), cases[i][1]), member);
    json_raw_equals(json, member, quoted);
    const mlf_json_node *last = mlf_json_next(mlf_json_next(mlf_json_next(first)));
    assert_string_equal(mlf_json_text(last), "end");
    json_raw_equals(json, last, "\"end\"");
    mlf_json_free(json);
  }
}

static void json_finds_members_exactly(void **state) {
  (void)state;
  static const char text[] = "{\"a\":1,\"A\":2,\"b\":3,\"a\":{\"a\":4},\"\":5,\"b\":6,\"ab\":7}";
  static const char *const cases[][2] = {
      {"a", "{\"a\":4}"}, {"A", "2"}, {"b", "6"}, {"", "5"}, {"ab", "7"}};
  mlf_json *json = json_of(text, sizeof(text) - 1);
  const mlf_json_node *root = mlf_json_root(json);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    json_raw_equals(json, mlf_json_member(root, cases[i][0]), cases[i][1]);
  assert_null(mlf_json_member(root, "B"));
  assert_null(mlf_json_member(mlf_json_member(root, "A"), "a"));
  json_raw_equals(json, mlf_json_member(mlf_json_member(root, "a"), "a"), "4");
  mlf_json_free(json);

  json = json_of("[{},[1]]", 8);
  const mlf_json_node *array = mlf_json_root(json);
  assert_null(mlf_json_member(array, "a"));
  assert_null(mlf_json_member(mlf_json_first(array), "a"));
  assert_null(mlf_json_first(mlf_json_first(array)));
  assert_null(mlf_json_name(mlf_json_first(array)));
  mlf_json_free(json);
}

static void json_walks_in_the_order_sent(void **state) {
  (void)state;
  static const char text[] = " { \"z\" : [ 1 , [ ] , \"x\" ] ,\r\n\"y\":{ } , \"z\" :\t-1.50 } ";
  static const char *const children[] = {"[ 1 , [ ] , \"x\" ]", "{ }", "-1.50"};
  static const char *const elements[] = {"1", "[ ]", "\"x\""};
  mlf_json *json = json_of(text, sizeof(text) - 1);
  const mlf_json_node *root = mlf_json_root(json);
  const mlf_json_node *child = mlf_json_first(root);
  const mlf_json_node *element = mlf_json_first(child);
  for (size_t i = 0; i < 3; i++) {
    json_raw_equals(json, child, children[i]);
    json_raw_equals(json, element, elements[i]);
    assert_string_equal(mlf_json_name(child), i == 1 ? "y" : "z");
    child = mlf_json_next(child);
    element = mlf_json_next(element);
  }
  assert_null(child);
  assert_null(element);
  mlf_json_free(json);
}

static void json_absent_stays_absent(void **state) {
  (void)state;
  mlf_json *json = json_of("true", 4);
  int64_t integer = 7;
  double real = 7;
  size_t length = 7;
  assert_int_equal(mlf_json_kind_of(json, NULL), MLF_JSON_ABSENT);
  assert_null(mlf_json_member(NULL, "a"));
  assert_null(mlf_json_first(NULL));
  assert_null(mlf_json_next(NULL));
  assert_null(mlf_json_name(NULL));
  assert_null(mlf_json_text(NULL));
  assert_false(mlf_json_int64(json, NULL, &integer));
  assert_false(mlf_json_double(json, NULL, &real));
  assert_null(mlf_json_raw(json, NULL, &length));
  assert_int_equal(length, 0);
  assert_false(mlf_json_int64(json, mlf_json_root(json), &integer));
  assert_false(mlf_json_double(json, mlf_json_root(json), &real));
  assert_true(integer == 7 && real == 7);
  mlf_json_free(json);
  mlf_json_free(NULL);
}

static int json_parse_and_read(void *context) {
  const char *text = context;
  mlf_json *json;
  mlf_error error = {0};
  int rc = mlf_json_parse(text, strlen(text), (mlf_json_options){0}, &json, &error);
  assert_int_equal(rc, error.code);
  assert_true((json == NULL) == (rc != SQLITE_OK));
  assert_null(error.text);
  if (json) json_raw_equals(json, mlf_json_root(json), text);
  mlf_json_free(json);
  return rc;
}

static void json_without_memory_is_nomem(void **state) {
  (void)state;
  char plain[] = "{\"a\":[1,{\"b\":\"c\"}],\"d\":null}";
  char repaired[] = "{\"a\\u0000\":[1.5,{\"b\":\"\xff\"}],\"d\":\"\\ud800\"}";
  assert_int_equal(oom_loop(json_parse_and_read, plain), 0);
  assert_int_equal(oom_loop(json_parse_and_read, repaired), 0);
  char many[1000];
  memset(many, '0', sizeof(many));
  for (size_t i = 2; i < sizeof(many) - 2; i += 2)
    many[i] = ',';
  many[0] = '[';
  memcpy(many + sizeof(many) - 2, "]", 2);
  assert_int_equal(oom_loop(json_parse_and_read, many), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_takes_and_refuses_as_the_suite),
      cmocka_unit_test(json_tells_kinds),
      cmocka_unit_test(json_integers_are_exact),
      cmocka_unit_test(json_doubles_are_correctly_rounded),
      cmocka_unit_test(json_numbers_may_be_long),
      cmocka_unit_test(json_numbers_ignore_the_locale),
      cmocka_unit_test(json_decodes_text),
      cmocka_unit_test(json_finds_members_exactly),
      cmocka_unit_test(json_walks_in_the_order_sent),
      cmocka_unit_test(json_absent_stays_absent),
      cmocka_unit_test(json_without_memory_is_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
