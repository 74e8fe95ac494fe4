/* test_json_check.c: what model/json_check.h promises. Limits and whole documents are tested with
** the JSON door that they are for. */
#include "model/json_check.h"

#include <stdio.h>
#include <string.h>

#include "oom.h"

static void json_check_accepts(const char *text, size_t length) {
  mlf_json_check check = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_json_check_run(text, length, &check, &error), SQLITE_OK);
  assert_null(error.text);
  mlf_json_check_clear(&check);
}

/* Expects `text` to be no JSON, with (unless NULL) this message. */
static void json_check_refuses(const char *text, size_t length, const char *message) {
  mlf_json_check check = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_json_check_run(text, length, &check, &error), SQLITE_ERROR);
  assert_int_equal(error.code, SQLITE_ERROR);
  if (message) assert_string_equal(error.text, message);
  mlf_json_check_clear(&check);
  mlf_error_clear(&error);
}

static void json_check_says_what_is_wrong_where(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "end of text at byte 0"},
      {"  ", "end of text at byte 2"},
      {"<html>", "expected a value at byte 0"},
      {"{}\n{}", "text after the document at byte 3"},
      {"[1 2]", "expected ',' or ']' at byte 3"},
      {"[1", "end of text at byte 2"},
      {"{\"a\":1;}", "expected ',' or '}' at byte 6"},
      {"{\"a\" 1}", "expected ':' at byte 5"},
      {"{a:1}", "expected a name at byte 1"},
      {"{\"a\":1,}", "expected a name at byte 7"},
      {"nul", "end of text at byte 3"},
      {"nulL", "unknown word at byte 3"},
      {"-", "end of text at byte 1"},
      {"[-a]", "expected a digit at byte 2"},
      {"[1.]", "expected a digit at byte 3"},
      {"[1e+]", "expected a digit at byte 4"},
      {"[\"a\nb\"]", "control character in a string at byte 3"},
      {"[\"\\x\"]", "unknown escape at byte 3"},
      {"[\"\\u12G4\"]", "expected four hexadecimal digits at byte 3"},
      {"\"abc", "end of text at byte 4"},
      {"\"abc\\", "end of text at byte 5"},
      {"\xef\xbb\xbf{}", "expected a value at byte 0"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char message[100];
    snprintf(message, sizeof(message), "not JSON: %s", cases[i][1]);
    json_check_refuses(cases[i][0], strlen(cases[i][0]), message);
  }
  json_check_refuses(NULL, 0, "not JSON: end of text at byte 0");
}

/* No proper beginning of a document is a document: a reply that was cut is an error. */
static void json_check_refuses_every_beginning(void **state) {
  (void)state;
  static const char text[] = "{\"a\\u00e9\xc3\xa9\" : [ true,false,null,-12.5e+3,{ },\"\\ud83d"
                             "\\ude39\xf0\x9f\x98\xb9\\n\" ] , \"b\":0}";
  for (size_t length = 0; length < sizeof(text) - 1; length++)
    json_check_refuses(text, length, NULL);
  json_check_accepts(text, sizeof(text) - 1);
}

static void json_check_refuses_control_characters(void **state) {
  (void)state;
  for (char c = 0; c < 0x20; c++) {
    char text[] = {'"', 'a', c, 'b', '"'};
    json_check_refuses(text, sizeof(text), "not JSON: control character in a string at byte 2");
    text[2] = ' ';
    json_check_accepts(text, sizeof(text));
  }
}

/* Where each value is, white space aside, in the order in which they begin. */
static void json_check_records_extents(void **state) {
  (void)state;
  static const char text[] = "\t{ \"a\" : [ 1 , \"b\" ] ,\r\n\"c\":{ } } ";
  static const char *const values[] = {"{ \"a\" : [ 1 , \"b\" ] ,\r\n\"c\":{ } }", "[ 1 , \"b\" ]",
                                       "1", "\"b\"", "{ }"};
  mlf_json_check check = {0};
  mlf_error error = {0};
  assert_int_equal(mlf_json_check_run(text, sizeof(text) - 1, &check, &error), SQLITE_OK);
  assert_int_equal(check.value_count, 5);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(check.values[i].end - check.values[i].begin, strlen(values[i]));
    assert_memory_equal(text + check.values[i].begin, values[i], strlen(values[i]));
  }
  mlf_json_check_clear(&check);
}

#define FFFD "\xef\xbf\xbd"
#define D21  "123456789012345678901"

/* What cJSON is given instead of the text, or NULL for the text itself. */
static void json_check_writes_a_plain_form(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[12,-3,\"\\u0001\\ud83d\\ude39\xc3\xbc\"] ", NULL},
      {" [1.5,\"\\u0000\", 1e3,\"\\ud800x\xff\xe2\x82\"] ",
       " [0,\"\\ufffd\", 0,\"\\ufffdx" FFFD FFFD "\"] "},
      {D21 D21 D21, NULL},
      {D21 D21 D21 "0", "0"},
      {"\"\xff\xff\"", "\"" FFFD FFFD "\""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_json_check check = {0};
    mlf_error error = {0};
    size_t length = strlen(cases[i][0]);
    assert_int_equal(mlf_json_check_run(cases[i][0], length, &check, &error), SQLITE_OK);
    assert_true((check.plain.bytes == NULL) == (cases[i][1] == NULL));
    if (cases[i][1]) assert_string_equal(check.plain.bytes, cases[i][1]);
    mlf_json_check_clear(&check);
  }
}

/* Text may end anywhere in memory, here before what would make it complete. */
static void json_check_reads_no_further(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t length;
    const char *message;
  } cases[] = {
      {"\"\\u1234\"", 6, "not JSON: expected four hexadecimal digits at byte 2"},
      {"\"\\ud83d\\ude39\"", 12, "not JSON: expected four hexadecimal digits at byte 8"},
      {"\"\xe2\x82\xac\"", 3, "not JSON: end of text at byte 3"},
      {"true", 3, "not JSON: end of text at byte 3"},
      {"[1]", 2, "not JSON: end of text at byte 2"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    json_check_refuses(cases[i].text, cases[i].length, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_check_says_what_is_wrong_where),
      cmocka_unit_test(json_check_refuses_every_beginning),
      cmocka_unit_test(json_check_refuses_control_characters),
      cmocka_unit_test(json_check_records_extents),
      cmocka_unit_test(json_check_writes_a_plain_form),
      cmocka_unit_test(json_check_reads_no_further),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
