/* test_json_reader.c: what model/json_reader.h promises. */
#include "model/json_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "json_suite.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Reads to the end of the text. */
static int reader_read_all(mlf_json_reader *reader, mlf_error *error) {
  mlf_json_token token = MLF_JSON_TOKEN_NULL;
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && token != MLF_JSON_TOKEN_END)
    rc = mlf_json_reader_next(reader, &token, error);
  return rc;
}

/* Reads a text in memory of just its size, so that a sanitizer sees whoever reads further. */
static int reader_read_text(const char *text, size_t length, bool python, mlf_error *error) {
  mlf_json_reader reader;
  char *exact = malloc(length ? length : 1);
  if (length) memcpy(exact, text, length);
  mlf_json_reader_init(&reader, exact, length);
  reader.python = python;
  int rc = reader_read_all(&reader, error);
  if (rc == SQLITE_OK) assert_int_equal(reader.depth, 0);
  free(exact);
  return rc;
}

static void reader_accepts(const char *text, size_t length, bool python) {
  mlf_error error = {0};
  if (reader_read_text(text, length, python, &error) != SQLITE_OK)
    fail_msg("%.*s: %s", (int)length, text, error.text);
  assert_int_equal(error.code, 0);
}

/* Expects `text` to be no JSON, with (unless NULL) this message. */
static void reader_refuses(const char *text, size_t length, bool python, const char *message) {
  mlf_error error = {0};
  assert_int_equal(reader_read_text(text, length, python, &error), SQLITE_ERROR);
  assert_int_equal(error.code, SQLITE_ERROR);
  assert_int_equal(strncmp(error.text, "not JSON: ", 10), 0);
  if (message) assert_string_equal(error.text + 10, message);
  mlf_error_clear(&error);
}

static void what_is_wrong_is_said_with_its_place(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "end of text at byte 0"},
      {"  ", "end of text at byte 2"},
      {"<html>", "expected a value at byte 0"},
      {"{}\n{}", "text after the document at byte 3"},
      {"1 2", "text after the document at byte 2"},
      {"[]]", "text after the document at byte 2"},
      {"[1 2]", "expected ',' or ']' at byte 3"},
      {"[1", "end of text at byte 2"},
      {"[1}", "expected ',' or ']' at byte 2"},
      {"[1,]", "expected a value at byte 3"},
      {"[1, ]", "expected a value at byte 4"},
      {"[,1]", "expected a value at byte 1"},
      {"[}", "expected a value at byte 1"},
      {"{\"a\":1;}", "expected ',' or '}' at byte 6"},
      {"{\"a\":1]", "expected ',' or '}' at byte 6"},
      {"{\"a\" 1}", "expected ':' at byte 5"},
      {"{\"a\":}", "expected a value at byte 5"},
      {"{a:1}", "expected a name at byte 1"},
      {"{1:1}", "expected a name at byte 1"},
      {"{]", "expected a name at byte 1"},
      {"{\"a\":1,}", "expected a name at byte 7"},
      {"{\"a\"", "end of text at byte 4"},
      {"{\"a\":", "end of text at byte 5"},
      {"{\"a", "end of text at byte 3"},
      {"nul", "end of text at byte 3"},
      {"nulL", "unknown word at byte 3"},
      {"[fals]", "unknown word at byte 5"},
      {"[trux]", "unknown word at byte 4"},
      {"True", "expected a value at byte 0"},
      {"-", "end of text at byte 1"},
      {"[-a]", "expected a digit at byte 2"},
      {"[+1]", "expected a value at byte 1"},
      {"[01]", "expected ',' or ']' at byte 2"},
      {"[1.]", "expected a digit at byte 3"},
      {"[.1]", "expected a value at byte 1"},
      {"[1e+]", "expected a digit at byte 4"},
      {"[1e", "end of text at byte 3"},
      {"[\"a\nb\"]", "control character in a string at byte 3"},
      {"{\"a\nb\":1}", "control character in a string at byte 3"},
      {"[\"\\x\"]", "unknown escape at byte 3"},
      {"[\"\\\xff\"]", "unknown escape at byte 3"},
      {"[\"\\U0041\"]", "unknown escape at byte 3"},
      {"[\"\\u12G4\"]", "expected four hexadecimal digits at byte 3"},
      {"[\"\\u-123\"]", "expected four hexadecimal digits at byte 3"},
      {"\"abc", "end of text at byte 4"},
      {"\"abc\\", "end of text at byte 5"},
      {"\xef\xbb\xbf{}", "expected a value at byte 0"},
      {"[\xc2\xa0]", "expected a value at byte 1"}, /* a no-break space */
      {"[1\v]", "expected ',' or ']' at byte 2"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    reader_refuses(cases[i][0], strlen(cases[i][0]), false, cases[i][1]);
    reader_refuses(cases[i][0], strlen(cases[i][0]), true, cases[i][1]);
  }
  reader_refuses(NULL, 0, false, "end of text at byte 0");
  reader_refuses("[1\0]", 4, false, "expected ',' or ']' at byte 2");
}

static void the_suite_is_taken_and_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(json_suite_yes); i++)
    reader_accepts(json_suite_yes[i].text, json_suite_yes[i].length, false);
  for (size_t i = 0; i < COUNT(json_suite_taken); i++)
    reader_accepts(json_suite_taken[i].text, json_suite_taken[i].length, false);
  for (size_t i = 0; i < COUNT(json_suite_no); i++)
    reader_refuses(json_suite_no[i].text, json_suite_no[i].length, false, NULL);
  for (size_t i = 0; i < COUNT(json_suite_refused); i++)
    reader_refuses(json_suite_refused[i].text, json_suite_refused[i].length, false, NULL);
}

/* No proper beginning of a document is a document: a reply that was cut is an error. */
static void every_beginning_is_refused(void **state) {
  (void)state;
  static const char text[] = "{\"a\\u00e9\xc3\xa9\" : [ true,false,null,-12.5e+3,{ },\"\\ud83d"
                             "\\ude39\xf0\x9f\x98\xb9\\n\" ] , \"b\":0}";
  for (size_t length = 0; length < sizeof(text) - 1; length++) {
    reader_refuses(text, length, false, NULL);
    reader_refuses(text, length, true, NULL);
  }
  reader_accepts(text, sizeof(text) - 1, false);
}

static void control_characters_are_refused(void **state) {
  (void)state;
  for (char c = 0; c < 0x20; c++) {
    char text[] = {'"', 'a', c, 'b', '"'};
    reader_refuses(text, sizeof(text), false, "control character in a string at byte 2");
    text[2] = ' ';
    reader_accepts(text, sizeof(text), false);
  }
  reader_accepts("\"\x7f\xc2\x80\"", 5, false); /* which JSON does not count among them */
}

/* Text may end anywhere in memory, here before what would make it complete. */
static void nothing_is_read_after_the_end(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t length;
    const char *message;
  } cases[] = {
      {"\"\\u1234\"", 6, "expected four hexadecimal digits at byte 2"},
      {"\"\\ud83d\\ude39\"", 12, "expected four hexadecimal digits at byte 8"},
      {"\"\xe2\x82\xac\"", 3, "end of text at byte 3"},
      {"true", 3, "end of text at byte 3"},
      {"[1]", 2, "end of text at byte 2"},
      {"{\"a\":1}", 4, "end of text at byte 4"},
      {"[NaN]", 3, "end of text at byte 3"},
      {"-Infinity", 1, "end of text at byte 1"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    reader_refuses(cases[i].text, cases[i].length, true, cases[i].message);
  reader_accepts("12", 1, false);
  reader_accepts("0.5", 1, false);
}

/* Each token of a text with its bytes and the containers that are open after it. */
static char *reader_trace(const char *text, bool python) {
  static const char *const kinds[] = {"end",       "object", "object-end", "array",
                                      "array-end", "name",   "string",     "number",
                                      "no-number", "true",   "false",      "null"};
  mlf_json_reader reader;
  mlf_json_token token;
  mlf_error error = {0};
  sqlite3_str *trace = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, text, strlen(text));
  reader.python = python;
  do {
    assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
    sqlite3_str_appendf(trace, "%s<%.*s>%d ", kinds[token], (int)(reader.end - reader.begin),
                        text + reader.begin, reader.depth);
  } while (token != MLF_JSON_TOKEN_END);
  assert_int_equal(reader.begin, strlen(text));
  assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK); /* and stays there */
  assert_int_equal(token, MLF_JSON_TOKEN_END);
  return sqlite3_str_finish(trace);
}

static void tokens_are_told_with_their_bytes(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"\t{ \"a\" : [ 1 , \"b\" ] ,\r\n\"c\":{ } } ",
       "object<{>1 name<\"a\">1 array<[>2 number<1>2 string<\"b\">2 array-end<]>1 name<\"c\">1 "
       "object<{>2 object-end<}>1 object-end<}>0 end<>0 "},
      {"[true,false,null,-12.50E+3,0,-0]",
       "array<[>1 true<true>1 false<false>1 null<null>1 number<-12.50E+3>1 number<0>1 "
       "number<-0>1 array-end<]>0 end<>0 "},
      {"{\"\":\"\",\"\\\"}\":\"\\\\\"}", "object<{>1 name<\"\">1 string<\"\">1 name<\"\\\"}\">1 "
                                         "string<\"\\\\\">1 object-end<}>0 end<>0 "},
      {" 7 ", "number<7>0 end<>0 "},
      {"[[],{},[[]]]", "array<[>1 array<[>2 array-end<]>1 object<{>2 object-end<}>1 array<[>2 "
                       "array<[>3 array-end<]>2 array-end<]>1 array-end<]>0 end<>0 "},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *trace = reader_trace(cases[i][0], false);
    assert_string_equal(trace, cases[i][1]);
    sqlite3_free(trace);
  }
}

/* Words that Python writes are tokens where Python's JSON is asked for, and nowhere else. */
static void words_of_python_are_taken_on_demand(void **state) {
  (void)state;
  static const char *const taken[][2] = {
      {"NaN", "no-number<NaN>0 end<>0 "},
      {"[NaN, Infinity ,-Infinity,-1]", "array<[>1 no-number<NaN>1 no-number<Infinity>1 "
                                        "no-number<-Infinity>1 number<-1>1 array-end<]>0 end<>0 "},
      {"{\"NaN\": NaN}", "object<{>1 name<\"NaN\">1 no-number<NaN>1 object-end<}>0 end<>0 "},
      {"[\"NaN \\\" NaN\",\"\\\\\",NaN]", "array<[>1 string<\"NaN \\\" NaN\">1 string<\"\\\\\">1 "
                                          "no-number<NaN>1 array-end<]>0 end<>0 "},
  };
  for (size_t i = 0; i < COUNT(taken); i++) {
    char *trace = reader_trace(taken[i][0], true);
    assert_string_equal(trace, taken[i][1]);
    sqlite3_free(trace);
    reader_refuses(taken[i][0], strlen(taken[i][0]), false, NULL);
  }
  static const char *const refused[][3] = {
      /* text, what is wrong with it in JSON, and in Python's */
      {"NaN", "expected a value at byte 0", NULL},
      {"Infinity", "expected a value at byte 0", NULL},
      {"-Infinity", "expected a digit at byte 1", NULL},
      {"Na", "expected a value at byte 0", "end of text at byte 2"},
      {"[Nan]", "expected a value at byte 1", "unknown word at byte 3"},
      {"Infinit", "expected a value at byte 0", "end of text at byte 7"},
      {"-Infinit", "expected a digit at byte 1", "end of text at byte 8"},
      {"[Inf]", "expected a value at byte 1", "unknown word at byte 4"},
      {"nan", "unknown word at byte 1", "unknown word at byte 1"},
      {"-NaN", "expected a digit at byte 1", "expected a digit at byte 1"},
      {"+Infinity", "expected a value at byte 0", "expected a value at byte 0"},
      {"NaNNaN", "expected a value at byte 0", "text after the document at byte 3"},
      {"{NaN:1}", "expected a name at byte 1", "expected a name at byte 1"},
      {"\"NaN \\\" NaN\" NaN", "text after the document at byte 13",
       "text after the document at byte 13"},
      {"\"cut NaN", "end of text at byte 8", "end of text at byte 8"},
      {"\"cut \\", "end of text at byte 6", "end of text at byte 6"},
  };
  for (size_t i = 0; i < COUNT(refused); i++) {
    size_t length = strlen(refused[i][0]);
    reader_refuses(refused[i][0], length, false, refused[i][1]);
    if (refused[i][2]) reader_refuses(refused[i][0], length, true, refused[i][2]);
  }
}

static void plain_strings_are_told(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool plain;
  } cases[] = {
      {"", true},
      {"abc /\x7f", true},
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9", true},
      {"\\n", false},
      {"a\\/b", false},
      {"\\u0041", false},
      {"\xff", false},
      {"a\xe2\x82z", false},
      {"\xed\xa0\x80", false},
      {"\xff ends well", false},
      {"\\\\ ends well", false},
      {"ends badly \xc3", false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[100];
    mlf_json_reader reader;
    mlf_json_token token;
    mlf_error error = {0};
    snprintf(text, sizeof(text), "{\"%s\":\"%s\",\"a\":\"\\n\"}", cases[i].text, cases[i].text);
    mlf_json_reader_init(&reader, text, strlen(text));
    static const mlf_json_token tokens[] = {MLF_JSON_TOKEN_OBJECT, MLF_JSON_TOKEN_NAME,
                                            MLF_JSON_TOKEN_STRING, MLF_JSON_TOKEN_NAME,
                                            MLF_JSON_TOKEN_STRING};
    const bool plain[] = {false, cases[i].plain, cases[i].plain, true, false};
    for (size_t j = 0; j < COUNT(tokens); j++) {
      assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
      assert_int_equal(token, tokens[j]);
      if (j > 0) assert_int_equal(reader.plain, plain[j]);
    }
  }
}

static void code_units_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t length;
    int unit;
  } cases[] = {
      {"\\u0000", 6, 0},        {"\\u0041", 6, 0x41},     {"\\uFFFF", 6, 0xffff},
      {"\\uabcdef", 8, 0xabcd}, {"\\uDead", 6, 0xdead},   {"\\u004", 5, -1},
      {"\\u0041", 5, -1},       {"\\u004g", 6, -1},       {"\\u004`", 6, -1},
      {"\\u00 1", 6, -1},       {"\\u00@1", 6, -1},       {"\\U0041", 6, -1},
      {"/u0041", 6, -1},        {"\\u\xc1\xc1zz", 6, -1}, {"", 0, -1},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_int_equal(mlf_json_code_unit(cases[i].text, cases[i].length), cases[i].unit);
}

/* Every combination of nine levels, closed as opened, and with one bracket that is the wrong one:
** more levels than a byte of what the reader remembers has bits. */
static void brackets_have_their_own_ends(void **state) {
  (void)state;
  enum { LEVELS = 9 };
  for (unsigned objects = 0; objects < 1u << LEVELS; objects++) {
    for (int wrong = 0; wrong <= LEVELS; wrong++) { /* the last one is none */
      char text[LEVELS * 6 + 2] = "";
      size_t length = 0;
      for (int i = 0; i < LEVELS; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s",
                                   objects >> i & 1 ? "{\"\":" : "[");
      text[length++] = '0';
      for (int i = LEVELS - 1; i >= 0; i--)
        text[length++] = (objects >> i & 1) != (i == wrong) ? '}' : ']';
      if (wrong == LEVELS)
        reader_accepts(text, length, false);
      else
        reader_refuses(text, length, false, NULL);
    }
  }
}

/* `levels` containers, one in the other: arrays, objects, or both in turn. */
static char *reader_nest(int levels, const char *kinds) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  size_t count = strlen(kinds);
  for (int i = 0; i < levels; i++)
    sqlite3_str_appendall(text, kinds[(size_t)i % count] == '{' ? "{\"a\":" : "[");
  sqlite3_str_appendall(text, "1");
  for (int i = levels - 1; i >= 0; i--)
    sqlite3_str_appendall(text, kinds[(size_t)i % count] == '{' ? "}" : "]");
  return sqlite3_str_finish(text);
}

static void levels_are_capped(void **state) {
  (void)state;
  static const char *const kinds[] = {"[", "{", "[{", "{[", "[[{"};
  assert_int_equal(MLF_JSON_DEPTH_MAX, 5000);
  for (size_t i = 0; i < COUNT(kinds); i++) {
    char *text = reader_nest(MLF_JSON_DEPTH_MAX, kinds[i]);
    reader_accepts(text, strlen(text), false);
    sqlite3_free(text);

    mlf_error error = {0};
    text = reader_nest(MLF_JSON_DEPTH_MAX + 1, kinds[i]);
    assert_int_equal(reader_read_text(text, strlen(text), false, &error), SQLITE_TOOBIG);
    assert_int_equal(error.code, SQLITE_TOOBIG);
    assert_string_equal(error.text, "JSON has more than 5000 levels (MLF_JSON_DEPTH_MAX)");
    mlf_error_clear(&error);
    sqlite3_free(text);
  }
  mlf_error error = {0}; /* it is not known whether what follows is JSON */
  char *text = reader_nest(MLF_JSON_DEPTH_MAX + 1, "[");
  assert_int_equal(reader_read_text(text, MLF_JSON_DEPTH_MAX + 1, false, &error), SQLITE_TOOBIG);
  mlf_error_clear(&error);
  sqlite3_free(text);
}

static void values_can_be_stepped_over(void **state) {
  (void)state;
  static const char *const values[] = {
      "1", "\"[\"", "null", "[]", "{}", "[1,[2],{\"a\":[{}]}]", "{\"a\":[1],\"b\":{\"c\":\"}\"}}"};
  for (size_t i = 0; i < COUNT(values); i++) {
    char text[100];
    mlf_json_reader reader;
    mlf_json_token token;
    mlf_error error = {0};
    snprintf(text, sizeof(text), "[ %s , true]", values[i]);
    mlf_json_reader_init(&reader, text, strlen(text));
    assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
    assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
    size_t begin = reader.begin;
    assert_int_equal(mlf_json_reader_skip(&reader, token, &error), SQLITE_OK);
    assert_int_equal(reader.depth, 1);
    assert_int_equal(reader.end - begin, strlen(values[i]));
    assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
    assert_int_equal(token, MLF_JSON_TOKEN_TRUE);
  }
  static const char *const wrong[][2] = {{"[1,]", "not JSON: expected a value at byte 3"},
                                         {"{\"a\":[}", "not JSON: expected a value at byte 6"},
                                         {"[[1]", "not JSON: end of text at byte 4"}};
  for (size_t i = 0; i < COUNT(wrong); i++) {
    mlf_json_reader reader;
    mlf_json_token token;
    mlf_error error = {0};
    mlf_json_reader_init(&reader, wrong[i][0], strlen(wrong[i][0]));
    assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
    assert_int_equal(mlf_json_reader_skip(&reader, token, &error), SQLITE_ERROR);
    assert_string_equal(error.text, wrong[i][1]);
    mlf_error_clear(&error);
  }
}

static int reader_stop(void *context) {
  ++*(int *)context;
  return SQLITE_INTERRUPT;
}

/* Somebody interrupts after so many bytes: the reader stops before it has read a megabyte more, and
** says nothing else. */
static void reading_can_be_interrupted(void **state) {
  (void)state;
  enum { MEGABYTE = 1024 * 1024, LENGTH = 5 * MEGABYTE + 1, NEVER = LENGTH };
  char *text = malloc(LENGTH);
  memset(text, '0', LENGTH);
  for (size_t i = 2; i < LENGTH; i += 2)
    text[i] = ',';
  text[0] = '[';
  text[LENGTH - 1] = ']';
  for (size_t after = 0; after <= LENGTH; after += LENGTH / 3) {
    int asked = 0;
    mlf_interrupt interrupt = {.ask = reader_stop, .context = &asked, .next_ms = INT64_MAX};
    mlf_json_reader reader;
    mlf_json_token token = MLF_JSON_TOKEN_NULL;
    mlf_error error = {0};
    int rc = SQLITE_OK;
    mlf_json_reader_init(&reader, text, LENGTH);
    reader.interrupt = &interrupt;
    while (rc == SQLITE_OK && token != MLF_JSON_TOKEN_END) {
      if (after < NEVER && reader.end >= after) interrupt.next_ms = 0;
      rc = mlf_json_reader_next(&reader, &token, &error);
    }
    assert_int_equal(rc, after < NEVER ? SQLITE_INTERRUPT : SQLITE_OK);
    assert_int_equal(error.code, rc);
    assert_null(error.text);
    assert_int_equal(asked, after < NEVER);
    if (after < NEVER) assert_in_range(reader.end, after, after + MEGABYTE);
  }
  free(text);
}

static int reader_refuse_without_memory(void *context) {
  const char *text = context;
  mlf_error error = {0};
  int rc = reader_read_text(text, strlen(text), false, &error);
  assert_int_equal(rc, error.code);
  assert_true((rc == SQLITE_NOMEM) == (error.text == NULL));
  mlf_error_clear(&error);
  return rc == SQLITE_ERROR || rc == SQLITE_TOOBIG ? SQLITE_OK : rc;
}

/* Only the words of an error need any: good text is read without memory at all. */
static void memory_may_run_out(void **state) {
  (void)state;
  char wrong[] = "{\"a\\u0000\":[1,2,\"x\"} ";
  assert_int_equal(oom_loop(reader_refuse_without_memory, wrong), 0);
  char *deep = reader_nest(MLF_JSON_DEPTH_MAX + 1, "[{");
  assert_int_equal(oom_loop(reader_refuse_without_memory, deep), 0);
  sqlite3_free(deep);
  oom_arm(1, true);
  static const char right[] = "{\"a\\ud800\":[1.5,{\"b\":\"\xff\"}]}";
  reader_accepts(right, sizeof(right) - 1, false);
  assert_int_equal(oom_disarm(), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_wrong_is_said_with_its_place),
      cmocka_unit_test(the_suite_is_taken_and_refused),
      cmocka_unit_test(every_beginning_is_refused),
      cmocka_unit_test(control_characters_are_refused),
      cmocka_unit_test(nothing_is_read_after_the_end),
      cmocka_unit_test(tokens_are_told_with_their_bytes),
      cmocka_unit_test(words_of_python_are_taken_on_demand),
      cmocka_unit_test(plain_strings_are_told),
      cmocka_unit_test(code_units_are_read),
      cmocka_unit_test(brackets_have_their_own_ends),
      cmocka_unit_test(levels_are_capped),
      cmocka_unit_test(values_can_be_stepped_over),
      cmocka_unit_test(reading_can_be_interrupted),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
