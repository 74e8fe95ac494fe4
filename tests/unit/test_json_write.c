/* test_json_write.c: what model/json_write.h promises. */
#include "model/json_write.h"

#include "base/json_string.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "json_suite.h"
#include "oom.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FFFD         "\xef\xbf\xbd"

typedef int writer(sqlite3_str *out, mlf_json_reader *reader, mlf_error *error);

/* What is to be freed with sqlite3_free, and has the length given. */
typedef struct written {
  char *text;
  size_t length;
} written;

static written write_finish(sqlite3_str *out) {
  written it;
  assert_int_equal(sqlite3_str_errcode(out), SQLITE_OK);
  it.length = (size_t)sqlite3_str_length(out);
  it.text = sqlite3_str_finish(out);
  assert_non_null(it.text);
  assert_int_equal(strlen(it.text), it.length);
  return it;
}

static written write_by(writer *write, const char *text, size_t length, bool python) {
  mlf_json_reader reader;
  mlf_error error = {0};
  sqlite3_str *out = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, text, length);
  reader.python = python;
  if (write(out, &reader, &error) != SQLITE_OK) fail_msg("%.*s: %s", (int)length, text, error.text);
  return write_finish(out);
}

static written write_canonical(const char *text, size_t length, bool python) {
  return write_by(mlf_json_write_value, text, length, python);
}

/* Expects this canonical form, and that it is its own. */
static void write_gives(const char *sent, size_t length, bool python, const char *canonical) {
  written once = write_canonical(sent, length, python);
  assert_string_equal(once.text, canonical);
  written twice = write_canonical(once.text, once.length, false);
  assert_string_equal(twice.text, canonical);
  sqlite3_free(once.text);
  sqlite3_free(twice.text);
}

static void members_are_sorted_where_that_is_wanted(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{}", "{}"},
      {"[]", "[]"},
      {"7", "7"},
      {"{\"b\": 1}", "{\"b\":1}"},
      {"{\"b\": 1, \"a\": [2, 1]}", "{\"a\":[2,1],\"b\":1}"},
      {"[{\"b\": {\"d\": 1, \"c\": {}}, \"a\": []}, {\"z\": \"}\", \"y\": \"{\"}]",
       "[{\"a\":[],\"b\":{\"c\":{},\"d\":1}},{\"y\":\"{\",\"z\":\"}\"}]"},
      /* by the bytes of their names, one that another begins with first; of equal ones the last */
      {"{\"\u00e9\":1,\"a!\":2,\"ab\":3,\"a\":4,\"\":5,\"Z\":6}",
       "{\"\":5,\"Z\":6,\"a\":4,\"a!\":2,\"ab\":3,\"\xc3\xa9\":1}"},
      {"{\"b\":1,\"a\":2,\"b\":3,\"a\":4}", "{\"a\":4,\"b\":3}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    written it = write_by(mlf_json_write_sorted, cases[i][0], strlen(cases[i][0]), false);
    assert_string_equal(it.text, cases[i][1]);
    sqlite3_free(it.text);
  }
}

static void strings_have_one_form(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", ""},
      {"abc", "abc"},
      /* what has a short escape keeps it; a solidus needs none */
      {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\\\"\\\\/\\b\\f\\n\\r\\t"},
      {"\\u0022\\u005c\\u002f\\u0008\\u000c\\u000A\\u000D\\u0009", "\\\"\\\\/\\b\\f\\n\\r\\t"},
      {"</script> <\\/script>", "</script> </script>"},
      {"\\u0001\\u000b\\u001F\\u0020\\u007f", "\\u0001\\u000b\\u001f \x7f"},
      {"\\u0041\\u0061\\u0030", "Aa0"},
      {"\\\\u0041", "\\\\u0041"},
      /* characters of other scripts, escaped and not */
      {"\\u00e9\xc3\xa9", "\xc3\xa9\xc3\xa9"},
      {"\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442",
       "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
      {"\\u65E5\\u672C\\u8A9E", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
      {"\\u0645\\u0631\\u062d\\u0628\\u0627", "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7"},
      {"\\u20AC", "\xe2\x82\xac"},
      {"\\ud83d\\uDE39 \\uD83D\\uDC4D\\uD83C\\uDFFD",
       "\xf0\x9f\x98\xb9 \xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"},
      {"\xf0\x9f\x98\xb9", "\xf0\x9f\x98\xb9"},
      /* the ends of what UTF-8 has one, two, three and four bytes for */
      {"\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\\uffff",
       "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
      {"\\ud800\\udc00\\udbff\\udfff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"\\u2028\\ufeff\\ufffe", "\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbe"},
      /* what text cannot carry */
      {"a\\u0000b", "a\\u0000b"},
      {"\\u0000\\u0000", "\\u0000\\u0000"},
      {"\\uD83D", "\\ud83d"},
      {"\\uDE39", "\\ude39"},
      {"\\ud83dx\\ude39", "\\ud83dx\\ude39"},
      {"\\ude39\\ud83d", "\\ude39\\ud83d"},
      {"\\ud800\\ud800", "\\ud800\\ud800"},
      {"\\ud83d\\ud83d\\ude39\\ude39", "\\ud83d\xf0\x9f\x98\xb9\\ude39"},
      {"\\ud83d\\n\\ude39", "\\ud83d\\n\\ude39"},
      {"\\ud83d\\u0041", "\\ud83d"
                         "A"},
      {"\\ud83d\\u0000", "\\ud83d\\u0000"},
      {"\\ud83d\\\\ude39", "\\ud83d\\\\ude39"},
      {"\\udbff\\ue000", "\\udbff\xee\x80\x80"},
      {"\\ud83d\xf0\x9f\x98\xb9", "\\ud83d\xf0\x9f\x98\xb9"},
      /* what is no UTF-8 */
      {"\xff", FFFD},
      {"a\xe2\x82z\xc3", "a" FFFD "z" FFFD},
      {"\xed\xa0\x80", FFFD FFFD FFFD},
      {"\xc0\x80\xf0\x9f\x98", FFFD FFFD FFFD},
      {"\xf0\x9f\x98\\u0000\xb9", FFFD "\\u0000" FFFD},
      {"\\n\xff\\n", "\\n" FFFD "\\n"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char sent[400], canonical[400];
    const char *in = cases[i][0], *out = cases[i][1];
    snprintf(sent, sizeof(sent), "\"%s\"", in);
    snprintf(canonical, sizeof(canonical), "\"%s\"", out);
    write_gives(sent, strlen(sent), false, canonical);
    snprintf(sent, sizeof(sent), " [ \"%s\" , { \"%s\" : \"%s\" , \"a\" : 1 } ]", in, in, in);
    snprintf(canonical, sizeof(canonical), "[\"%s\",{\"%s\":\"%s\",\"a\":1}]", out, out, out);
    write_gives(sent, strlen(sent), false, canonical);
  }
}

static void values_have_one_form(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {" 1 ", "1"},
      {"[ ]", "[]"},
      {"{\t}", "{}"},
      {"[ [ ] , { } ,[ { } ] ]", "[[],{},[{}]]"},
      {"\r\n{ \"a\" :\t[ 1 , true,false ,null ] , \"b\" : { \"c\" : \"d e\" } }\n",
       "{\"a\":[1,true,false,null],\"b\":{\"c\":\"d e\"}}"},
      /* the order of members; of those that come twice the last, where the first was */
      {"{\"b\": 1, \"a\": 2, \"c\": 3, \"\": 4}", "{\"b\":1,\"a\":2,\"c\":3,\"\":4}"},
      {"{\"a\":1,\"a\":2,\"b\":3,\"a\":{\"c\":1}}", "{\"a\":{\"c\":1},\"b\":3}"},
      {"{\"b\":[1,2],\"a\":2,\"\\u0062\":3,\"bb\":4,\"\":5,\"\":6}",
       "{\"b\":3,\"a\":2,\"bb\":4,\"\":6}"},
      {"[{\"a\":{\"x\":1,\"y\":2,\"x\":3},\"b\":{\"x\":1,\"x\":2},\"a\":{\"z\":1,\"z\":\"\"}},"
       "{\"x\":1},[{\"x\":1,\"x\":[]}]]",
       "[{\"a\":{\"z\":\"\"},\"b\":{\"x\":2}},{\"x\":1},[{\"x\":[]}]]"},
      {"{\"\xff\":1,\"a\":\"\xff\",\"\xfe\":2}", "{\"" FFFD "\":2,\"a\":\"" FFFD "\"}"},
      /* numbers as they were written */
      {"[1.50, -0, -0.0, 1E+2, 1e2, 100]", "[1.50,-0,-0.0,1E+2,1e2,100]"},
      {"[9223372036854775808, 123456789012345678901234567890.10]",
       "[9223372036854775808,123456789012345678901234567890.10]"},
      {"[1e400, 5e-324, 0.1e-999999999999999999999]", "[1e400,5e-324,0.1e-999999999999999999999]"},
      {"[\"NaN\", \"-Infinity\"]", "[\"NaN\",\"-Infinity\"]"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    write_gives(cases[i][0], strlen(cases[i][0]), false, cases[i][1]);
    write_gives(cases[i][0], strlen(cases[i][0]), true, cases[i][1]);
  }
  static const char *const python[][2] = {
      {"NaN", "null"},
      {"[NaN, Infinity, -Infinity, -1]", "[null,null,null,-1]"},
      {"{\"NaN\": NaN}", "{\"NaN\":null}"},
      {"[\"NaN \\\" NaN\", NaN, \"\\\\\"]", "[\"NaN \\\" NaN\",null,\"\\\\\"]"},
  };
  for (size_t i = 0; i < COUNT(python); i++)
    write_gives(python[i][0], strlen(python[i][0]), true, python[i][1]);
}

/* Objects of few members and of many, with names at random, against a table of them. */
static void names_that_come_again_are_one(void **state) {
  (void)state;
  enum { NAMES = 100 };
  srand(1);
  for (int i = 0; i < 2000; i++) {
    int order[NAMES], values[NAMES], count = 0;
    sqlite3_str *sent = sqlite3_str_new(NULL), *expected = sqlite3_str_new(NULL);
    for (int j = 0; j < NAMES; j++)
      values[j] = -1;
    sqlite3_str_appendchar(sent, 1, '{');
    for (int j = 0, members = rand() % 60; j < members; j++) {
      int name = rand() % NAMES;
      if (values[name] < 0) order[count++] = name;
      values[name] = j;
      sqlite3_str_appendf(sent, "%s\"%d\":{\"x\":%d}", j > 0 ? "," : "", name, j);
    }
    sqlite3_str_appendchar(sent, 1, '}');
    sqlite3_str_appendchar(expected, 1, '{');
    for (int j = 0; j < count; j++)
      sqlite3_str_appendf(expected, "%s\"%d\":{\"x\":%d}", j > 0 ? "," : "", order[j],
                          values[order[j]]);
    sqlite3_str_appendchar(expected, 1, '}');
    written text = write_finish(sent), canonical = write_finish(expected);
    write_gives(text.text, text.length, false, canonical.text);
    sqlite3_free(text.text);
    sqlite3_free(canonical.text);
  }
}

/* The text is read to where it ends, whatever comes after it in memory. */
static void only_the_text_is_written(void **state) {
  (void)state;
  static const char text[] = "[1,2]]";
  write_gives(text, 5, false, "[1,2]");
  write_gives("12", 1, false, "1");
}

static void write_takes_suite(const json_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    written once = write_canonical(cases[i].text, cases[i].length, false);
    written twice = write_canonical(once.text, once.length, false);
    assert_string_equal(twice.text, once.text);
    bool quoted = false;
    for (const char *at = once.text; *at; at++) {
      if (*at == '\\' && at++) continue;
      quoted ^= *at == '"';
      assert_true(quoted || !strchr(" \t\r\n", *at));
    }
    sqlite3_free(once.text);
    sqlite3_free(twice.text);
  }
}

static void the_suite_has_canonical_forms(void **state) {
  (void)state;
  write_takes_suite(json_suite_yes, COUNT(json_suite_yes));
  write_takes_suite(json_suite_taken, COUNT(json_suite_taken));
}

/* What is no JSON is the reader's error, wherever in the text it is. */
static void what_is_no_json_is_an_error(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "not JSON: end of text at byte 0"},
      {"[1,2", "not JSON: end of text at byte 4"},
      {"{\"a\":}", "not JSON: expected a value at byte 5"},
      {"1 1", "not JSON: text after the document at byte 2"},
      {"[NaN]", "not JSON: expected a value at byte 1"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    mlf_json_reader reader;
    mlf_error error = {0};
    sqlite3_str *out = sqlite3_str_new(NULL);
    mlf_json_reader_init(&reader, cases[i][0], strlen(cases[i][0]));
    assert_int_equal(mlf_json_write_value(out, &reader, &error), SQLITE_ERROR);
    assert_string_equal(error.text, cases[i][1]);
    sqlite3_free(sqlite3_str_finish(out));
    mlf_error_clear(&error);
  }
}

static void deep_values_are_written(void **state) {
  (void)state;
  for (int object = 0; object <= 1; object++) {
    sqlite3_str *sent = sqlite3_str_new(NULL), *expected = sqlite3_str_new(NULL);
    for (int i = 0; i < MLF_JSON_DEPTH_MAX; i++) {
      sqlite3_str_appendall(sent, object ? "{ \"\\u0061\" : " : "[ 0 , ");
      sqlite3_str_appendall(expected, object ? "{\"a\":" : "[0,");
    }
    sqlite3_str_appendall(sent, "1");
    sqlite3_str_appendall(expected, "1");
    for (int i = 0; i < MLF_JSON_DEPTH_MAX; i++) {
      sqlite3_str_appendall(sent, object ? " }" : " , \"x\" ]");
      sqlite3_str_appendall(expected, object ? "}" : ",\"x\"]");
    }
    written text = write_finish(sent), canonical = write_finish(expected);
    write_gives(text.text, text.length, false, canonical.text);
    sqlite3_free(text.text);
    sqlite3_free(canonical.text);
  }
}

/* A token as JSON and, of a string, the text that it stands for, where what text cannot carry is
** read as its escape. */
static void a_string_is_written_as_json_or_decoded(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      /* sent, as JSON, decoded */
      {"\"\"", "\"\"", ""},
      {"\"a\"", "\"a\"", "a"},
      {"\"\\u0041\\n\\\\\"", "\"A\\n\\\\\"", "A\n\\"},
      {"\"\\\"\\/\\b\\u0007\\u007f\"", "\"\\\"/\\b\\u0007\x7f\"", "\"/\b\x07\x7f"},
      {"\"\\u0000\"", "\"\\u0000\"", "\\u0000"},
      {"\"x\\uD83D\\u0000\"", "\"x\\ud83d\\u0000\"", "x\\ud83d\\u0000"},
      {"\"\\uD83D\\uDE39\\uDE39\"", "\"\xf0\x9f\x98\xb9\\ude39\"", "\xf0\x9f\x98\xb9\\ude39"},
      {"\"\xff\"", "\"" FFFD "\"", FFFD},
      {"1.50", "1.50", NULL},
      {"true", "true", NULL},
      {"NaN", "null", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int decoded = 0; decoded <= (cases[i][2] != NULL); decoded++) {
      mlf_json_reader reader;
      mlf_json_token token;
      mlf_error error = {0};
      sqlite3_str *out = sqlite3_str_new(NULL);
      mlf_json_reader_init(&reader, cases[i][0], strlen(cases[i][0]));
      reader.python = true;
      assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
      assert_int_equal(decoded ? mlf_json_write_text(out, &reader, &error)
                               : mlf_json_write_token(out, &reader, token, &error),
                       SQLITE_OK);
      written it = write_finish(out);
      assert_string_equal(it.text ? it.text : "", cases[i][1 + decoded]);
      sqlite3_free(it.text);
    }
  }
}

static int write_stop(void *context) {
  ++*(int *)context;
  return SQLITE_INTERRUPT;
}

/* Somebody interrupts within one long string, while it is read or while it is written: neither goes
** on for more than MLF_JSON_POLL_BYTES of it. */
static void a_long_string_can_be_interrupted(void **state) {
  (void)state;
  enum { LENGTH = 3 * MLF_JSON_POLL_BYTES, SLACK = 16 };
  static const char *const pieces[] = {"a", "\xd0\x9e", "\\u041e", "\\n", "\\ud83d"};
  char *text = malloc(LENGTH);
  for (size_t i = 0; i < 2 * COUNT(pieces); i++) {
    const bool writing = i % 2;
    const char *piece = pieces[i / 2];
    const size_t step = strlen(piece);
    int asked = 0;
    mlf_interrupt interrupt = {.ask = write_stop, .context = &asked, .next_ms = INT64_MAX};
    mlf_json_reader reader;
    mlf_json_token token;
    mlf_error error = {0};
    size_t at = (size_t)sprintf(text, "[\"\\t");
    for (; at + step < LENGTH - 2; at += step)
      memcpy(text + at, piece, step);
    memcpy(text + at, "\"]", 2);
    mlf_json_reader_init(&reader, text, at + 2);
    reader.interrupt = &interrupt;
    assert_int_equal(mlf_json_reader_next(&reader, &token, &error), SQLITE_OK);
    if (!writing) interrupt.next_ms = 0;
    int rc = mlf_json_reader_next(&reader, &token, &error);
    if (writing) {
      sqlite3_str *out = sqlite3_str_new(NULL);
      assert_int_equal(rc, SQLITE_OK);
      interrupt.next_ms = 0;
      rc = mlf_json_write_token(out, &reader, token, &error);
      assert_in_range(sqlite3_str_length(out), 1, 3 * MLF_JSON_POLL_BYTES / 2);
      sqlite3_free(sqlite3_str_finish(out));
    } else {
      assert_in_range(reader.at, 1, MLF_JSON_POLL_BYTES + SLACK);
    }
    assert_int_equal(rc, SQLITE_INTERRUPT);
    assert_int_equal(error.code, SQLITE_INTERRUPT);
    assert_int_equal(asked, 1);
  }
  free(text);
}

static void any_bytes_are_a_string(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t length;
    const char *written;
  } cases[] = {
      {"", 0, ""},
      {NULL, 0, ""},
      {"abc", 2, "ab"},
      {"a\0b", 3, "a\\u0000b"},
      {"\"\\/\b\f\n\r\t", 8, "\\\"\\\\/\\b\\f\\n\\r\\t"},
      {"\x01\x1f \x7f", 4, "\\u0001\\u001f \x7f"},
      {"\\u0000", 6, "\\\\u0000"}, /* text of an escape is text */
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\xb9"},
      {"\xe2\x82\xac", 2, FFFD}, /* cut */
      {"\xff\xfe\0", 3, FFFD FFFD "\\u0000"},
      {"x\xed\xa0\x80y", 5, "x" FFFD FFFD FFFD "y"},
      {"\xc0\xaf", 2, FFFD FFFD},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    sqlite3_str *out = sqlite3_str_new(NULL);
    mlf_json_string_write(out, cases[i].text, cases[i].length);
    written it = write_finish(out);
    assert_int_equal(it.text[0], '"');
    assert_int_equal(it.text[it.length - 1], '"');
    it.text[it.length - 1] = 0;
    assert_string_equal(it.text + 1, cases[i].written);
    sqlite3_free(it.text);
  }
}

/* Appends a character as UTF-8: this test's own way, by ranges. */
static size_t write_utf8_here(char *at, unsigned c) {
  if (c < 0x80) return (size_t)snprintf(at, 5, "%c", (int)c);
  if (c < 0x800) return (size_t)snprintf(at, 5, "%c%c", 192 + c / 64, 128 + c % 64);
  if (c < 0x10000)
    return (size_t)snprintf(at, 5, "%c%c%c", 224 + c / 4096, 128 + c / 64 % 64, 128 + c % 64);
  return (size_t)snprintf(at, 5, "%c%c%c%c", 240 + c / 262144, 128 + c / 4096 % 64,
                          128 + c / 64 % 64, 128 + c % 64);
}

static size_t write_unit_here(char *at, unsigned unit) {
  return (size_t)(rand() % 2 ? sprintf(at, "\\u%04x", unit) : sprintf(at, "\\u%04X", unit));
}

static size_t write_escape_here(char *at, unsigned c) {
  if (c < 0x10000) return write_unit_here(at, c);
  size_t high = write_unit_here(at, 0xd7c0 + c / 1024);
  return high + write_unit_here(at + high, 0xdc00 + c % 1024);
}

/* A character that is no surrogate and not NUL, of any length in UTF-8. */
static unsigned write_random_character(void) {
  static const unsigned ends[] = {0x20, 0x80, 0x800, 0x10000, 0x110000};
  unsigned c = 0;
  while (c == 0 || (c >= 0xd800 && c < 0xe000))
    c = (unsigned)rand() % ends[rand() % 5];
  return c;
}

/* A text, each character as it is or escaped at random, its canonical form, and its bytes. */
static void write_random_text(char *sent, char *canonical, char *bytes) {
  static const char special[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
  *sent++ = *canonical++ = '"';
  for (int i = rand() % 20; i > 0; i--) {
    unsigned c = write_random_character();
    const char *found = c < 0x80 ? strchr(special, (int)c) : NULL;
    size_t length = write_utf8_here(bytes, c);
    bytes += length;
    if (found)
      canonical += sprintf(canonical, "\\%c", letters[found - special]);
    else if (c < 0x20)
      canonical += sprintf(canonical, "\\u%04x", c);
    else
      canonical += write_utf8_here(canonical, c);
    if (c < 0x20 || found || rand() % 2)
      sent += write_escape_here(sent, c);
    else
      sent += write_utf8_here(sent, c);
  }
  strcpy(sent, "\"");
  strcpy(canonical, "\"");
  *bytes = 0;
}

/* Against texts that this test writes in its own way, and SQLite's reader of JSON. */
static void random_texts_have_the_form_expected(void **state) {
  (void)state;
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, "SELECT json_extract(?, '$')", -1, &statement, NULL),
                   SQLITE_OK);
  srand(1);
  for (int i = 0; i < 20000; i++) {
    char sent[400], canonical[400], bytes[400];
    write_random_text(sent, canonical, bytes);
    write_gives(sent, strlen(sent), false, canonical);

    sqlite3_str *out = sqlite3_str_new(NULL);
    mlf_json_string_write(out, bytes, strlen(bytes));
    written it = write_finish(out);
    assert_string_equal(it.text, canonical);
    sqlite3_bind_text(statement, 1, it.text, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(statement, 0), bytes);
    sqlite3_reset(statement);
    sqlite3_free(it.text);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

static int write_without_memory(void *context) {
  mlf_json_reader reader;
  mlf_error error = {0};
  (void)context;
  static const char sent[] = "{ \"a\\u0000\\u0041\" : [ 1.5, \"\\ud83d\\ude39\\ud800\xff\" ,"
                             " \"a text that is longer than what is there at first, and then some "
                             "more of it, so that there is more than one allocation\" ] }";
  static const char canonical[] =
      "{\"a\\u0000A\":[1.5,\"\xf0\x9f\x98\xb9\\ud800" FFFD
      "\",\"a text that is longer than what is there at first, and then some more of it, so that "
      "there is more than one allocation\"]}\"\\n\"";
  sqlite3_str *out = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, sent, sizeof(sent) - 1);
  int rc = mlf_json_write_value(out, &reader, &error);
  assert_int_equal(rc, error.code);
  mlf_json_string_write(out, "\n", 1);
  if (rc == SQLITE_OK) rc = sqlite3_str_errcode(out);
  char *text = sqlite3_str_finish(out);
  if (rc == SQLITE_OK && text) assert_string_equal(text, canonical);
  if (rc == SQLITE_OK && !text) rc = SQLITE_NOMEM;
  sqlite3_free(text);
  return rc;
}

static int sort_without_memory(void *context) {
  mlf_json_reader reader;
  mlf_error error = {0};
  char sent[1000];
  int length = 0;
  (void)context;
  for (int i = 0; i < 40; i++)
    length += snprintf(sent + length, sizeof(sent) - (size_t)length, "%c\"%02d\":{}", i ? ',' : '{',
                       39 - i);
  sent[length++] = '}';
  sqlite3_str *out = sqlite3_str_new(NULL);
  mlf_json_reader_init(&reader, sent, (size_t)length);
  int rc = mlf_json_write_sorted(out, &reader, &error);
  assert_int_equal(rc, error.code);
  if (rc == SQLITE_OK) rc = sqlite3_str_errcode(out);
  char *text = sqlite3_str_finish(out);
  if (rc == SQLITE_OK) assert_memory_equal(text, "{\"00\":{},\"01\":{},", 16);
  sqlite3_free(text);
  return rc;
}

static void memory_may_run_out(void **state) {
  (void)state;
  assert_int_equal(oom_loop(write_without_memory, NULL), 0);
  assert_int_equal(oom_loop(sort_without_memory, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_sorted_where_that_is_wanted),
      cmocka_unit_test(strings_have_one_form),
      cmocka_unit_test(values_have_one_form),
      cmocka_unit_test(names_that_come_again_are_one),
      cmocka_unit_test(only_the_text_is_written),
      cmocka_unit_test(the_suite_has_canonical_forms),
      cmocka_unit_test(what_is_no_json_is_an_error),
      cmocka_unit_test(deep_values_are_written),
      cmocka_unit_test(a_string_is_written_as_json_or_decoded),
      cmocka_unit_test(a_long_string_can_be_interrupted),
      cmocka_unit_test(any_bytes_are_a_string),
      cmocka_unit_test(random_texts_have_the_form_expected),
      cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
