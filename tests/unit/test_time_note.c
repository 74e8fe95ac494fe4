/* test_time_note.c: query/time_note.h. */
#include "query/time_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/sqlite_api.h"
#include "oom.h"

static const mlf_column columns[] = {
    {.name = "timestamp_ms", .key_kind = MLF_KEY_TIMESTAMP},
    {.name = "end_time_ms", .key_kind = MLF_KEY_END_TIME},
    {.name = "request_time", .key_kind = MLF_KEY_REQUEST_TIME},
    {.name = "execution_time_ms", .key_kind = MLF_KEY_NUMBER},
};

static mlf_filter_term term_of(int column, mlf_op op, const mlf_value *value) {
  return (mlf_filter_term){&columns[column], op, value, 1};
}

static void numbers_that_look_like_seconds_are_noted(void **state) {
  (void)state;
  static const struct {
    int64_t number;
    bool noted;
  } cases[] = {
      {0, false},         {-1795564800, false}, {99999999, false},     {100000000, true},
      {1795564800, true}, {99999999999, true},  {100000000000, false}, {1795564800000, false},
      {INT64_MIN, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[24];
    sqlite3_snprintf(sizeof(text), text, "%lld", (sqlite3_int64)cases[i].number);
    const mlf_value values[] = {
        mlf_value_integer(cases[i].number), mlf_value_real((double)cases[i].number),
        mlf_value_real((double)cases[i].number + 0.5), mlf_value_text(text)};
    for (size_t j = 0; j < 4; j++) {
      for (int column = 0; column < 2; column++) {
        mlf_filter_term term = term_of(column, MLF_OP_GT, &values[j]);
        assert_int_equal(mlf_time_note_applies(&term), cases[i].noted);
      }
      mlf_filter_term other = term_of(3, MLF_OP_GT, &values[j]);
      assert_false(mlf_time_note_applies(&other));
    }
  }
  const mlf_value odd[] = {mlf_value_real(1e300), mlf_value_real(-1e300), {.type = MLF_NULL}};
  for (size_t i = 0; i < 3; i++) {
    mlf_filter_term term = term_of(0, MLF_OP_EQ, &odd[i]);
    assert_false(mlf_time_note_applies(&term));
  }
}

static void only_comparisons_are_noted(void **state) {
  const mlf_value seconds = mlf_value_integer(1795564800);
  static const mlf_op noted[] = {MLF_OP_EQ, MLF_OP_NE, MLF_OP_LT, MLF_OP_LE,
                                 MLF_OP_GT, MLF_OP_GE, MLF_OP_IS};
  (void)state;
  for (mlf_op op = 0; op < MLF_OP_COUNT; op++) {
    bool expected = false;
    for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
      expected = expected || noted[i] == op;
    mlf_filter_term term = term_of(0, op, &seconds);
    assert_int_equal(mlf_time_note_applies(&term), expected);
  }
}

static void a_date_may_be_compared_with_a_year(void **state) {
  (void)state;
  static const struct {
    mlf_value value;
    bool noted;
  } cases[] = {
      {{.type = MLF_INTEGER, .integer = 2026}, false},
      {{.type = MLF_INTEGER, .integer = 9999}, false},
      {{.type = MLF_INTEGER, .integer = 10000}, true},
      {{.type = MLF_REAL, .real = 1795564800.5}, true},
      {{.type = MLF_REAL, .real = 2026.5}, false},
      {{.type = MLF_TEXT, .text = "1795564800", .length = 10}, false},
      {{.type = MLF_NULL}, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    mlf_filter_term term = term_of(2, MLF_OP_GE, &cases[i].value);
    assert_int_equal(mlf_time_note_applies(&term), cases[i].noted);
  }
}

typedef struct note_case {
  int column;
  mlf_op op;
  mlf_value value;
  const char *note;
} note_case;

static int write_note(void *context) {
  const note_case *it = context;
  mlf_filter_term term = term_of(it->column, it->op, &it->value);
  assert_true(mlf_time_note_applies(&term));
  char *note = mlf_time_note_text(&term);
  if (note) assert_string_equal(note, it->note);
  sqlite3_free(note);
  return note ? SQLITE_OK : SQLITE_NOMEM;
}

#define IS_TEXT                                                                                    \
  " compares milliseconds, a number, with a text: SQL takes every text for greater, so "

static void notes_say_what_to_write(void **state) {
  (void)state;
  note_case cases[] = {
      {0, MLF_OP_GT, mlf_value_text("2026-11-24"),
       "timestamp_ms > '2026-11-24'" IS_TEXT "no row fits; write request_time > '2026-11-24'"},
      {0, MLF_OP_LE, mlf_value_text("2026-11-24"),
       "timestamp_ms <= '2026-11-24'" IS_TEXT "every row fits; write request_time <= '2026-11-24'"},
      {1, MLF_OP_LT, mlf_value_text("it's"),
       "end_time_ms < 'it''s'" IS_TEXT
       "every row fits; write end_time_ms < unixepoch('it''s') * 1000"},
      {1, MLF_OP_NE, mlf_value_text("a\nb"),
       "end_time_ms <> 'a b'" IS_TEXT
       "every row fits; write end_time_ms <> unixepoch('a b') * 1000"},
      {0, MLF_OP_EQ, mlf_value_text("a long text, of which forty bytes a\xc3\xa9\xe2\x82\xacxx"),
       "timestamp_ms = 'a long text, of which forty bytes a\xc3\xa9\xe2\x82\xac'" IS_TEXT
       "no row fits; write request_time = 'a long text, of which forty bytes "
       "a\xc3\xa9\xe2\x82\xac'"},
      {0, MLF_OP_EQ, mlf_value_text("a long text, of which forty bytes ab\xc3\xa9\xe2\x82\xacxx"),
       "timestamp_ms = 'a long text, of which forty bytes ab\xc3\xa9'" IS_TEXT
       "no row fits; write request_time = 'a long text, of which forty bytes ab\xc3\xa9'"},
      {0, MLF_OP_GE, mlf_value_integer(1795564800),
       "timestamp_ms >= 1795564800 compares milliseconds with what looks like seconds: in "
       "milliseconds it is 1970-01-21 18:46:04, in seconds 2026-11-25 00:00:00; write "
       "timestamp_ms >= 1795564800 * 1000 (unixepoch(…) * 1000)"},
      {2, MLF_OP_LT, mlf_value_integer(1795564800),
       "request_time < 1795564800 compares a date, a text, with a number, digit by digit; write "
       "request_time < '2026-11-24', or timestamp_ms < milliseconds (unixepoch(…) * 1000)"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_int_equal(write_note(&cases[i]), SQLITE_OK);
    oom_loop(write_note, &cases[i]);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_that_look_like_seconds_are_noted),
      cmocka_unit_test(only_comparisons_are_noted),
      cmocka_unit_test(a_date_may_be_compared_with_a_year),
      cmocka_unit_test(notes_say_what_to_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
