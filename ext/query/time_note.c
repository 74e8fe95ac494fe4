#include "query/time_note.h"

#include <stdlib.h>
#include <string.h>

#include "base/sqlite_api.h"
#include "model/timestamp.h"

/* What is seconds from 1973 to 5138, and milliseconds until March 1973: no trace is so old. */
#define NOTE_SECONDS_MIN INT64_C(100000000)
#define NOTE_SECONDS_MAX INT64_C(100000000000)
#define NOTE_YEAR_MAX    9999
/* So much of a text is shown: a date and its time. */
#define NOTE_TEXT_SHOWN 40

static const char *const note_operators[MLF_OP_COUNT] = {
    [MLF_OP_EQ] = "=", [MLF_OP_NE] = "<>", [MLF_OP_LT] = "<",  [MLF_OP_LE] = "<=",
    [MLF_OP_GT] = ">", [MLF_OP_GE] = ">=", [MLF_OP_IS] = "IS",
};

/* The seconds that the value is taken for; 0 if it is not. */
static int64_t note_seconds(const mlf_value *value) {
  int64_t seconds = 0;
  if (value->type == MLF_INTEGER) seconds = value->integer;
  if (value->type == MLF_REAL && value->real < (double)NOTE_SECONDS_MAX && value->real > 0)
    seconds = (int64_t)value->real;
  if (value->type == MLF_TEXT && value->length <= 12 &&
      strspn(value->text, "0123456789") == value->length)
    seconds = strtoll(value->text, NULL, 10);
  return seconds >= NOTE_SECONDS_MIN && seconds < NOTE_SECONDS_MAX ? seconds : 0;
}

/* A date compared with a year, 2026, is what it looks like. */
static bool note_is_no_year(const mlf_value *value) {
  return (value->type == MLF_INTEGER || value->type == MLF_REAL) &&
         mlf_value_number(value) > NOTE_YEAR_MAX;
}

bool mlf_time_note_applies(const mlf_filter_term *term) {
  const mlf_value *value = &term->values[0];
  if (!note_operators[term->op]) return false;
  switch (term->column->key_kind) {
  case MLF_KEY_TIMESTAMP:
  case MLF_KEY_END_TIME: return mlf_value_is_word(value) || note_seconds(value);
  case MLF_KEY_REQUEST_TIME: return note_is_no_year(value);
  default: return false;
  }
}

/* The text as an SQL literal, cut where it is long, without what would break the line. */
static char *note_literal(const mlf_value *value) {
  char shown[NOTE_TEXT_SHOWN + 1];
  size_t length = value->length < NOTE_TEXT_SHOWN ? value->length : NOTE_TEXT_SHOWN;
  while (length < value->length && length > 0 && (value->text[length] & 0xC0) == 0x80)
    length--;
  for (size_t i = 0; i < length; i++)
    shown[i] = (unsigned char)value->text[i] < 0x20 ? ' ' : value->text[i];
  shown[length] = 0;
  return sqlite3_mprintf("%Q", shown);
}

static char *note_on_text(const mlf_filter_term *term) {
  const char *column = term->column->name;
  const char *sign = note_operators[term->op];
  bool all = term->op == MLF_OP_LT || term->op == MLF_OP_LE || term->op == MLF_OP_NE;
  char *literal = note_literal(&term->values[0]);
  if (!literal) return NULL;
  char *advice = term->column->key_kind == MLF_KEY_TIMESTAMP
                     ? sqlite3_mprintf("request_time %s %s", sign, literal)
                     : sqlite3_mprintf("%s %s unixepoch(%s) * 1000", column, sign, literal);
  char *text = advice ? sqlite3_mprintf("%s %s %s compares milliseconds, a number, with a text: "
                                        "SQL takes every text for greater, so %s row fits; write "
                                        "%s",
                                        column, sign, literal, all ? "every" : "no", advice)
                      : NULL;
  sqlite3_free(advice);
  sqlite3_free(literal);
  return text;
}

static char *note_on_seconds(const mlf_filter_term *term) {
  const char *column = term->column->name;
  const char *sign = note_operators[term->op];
  int64_t number = note_seconds(&term->values[0]);
  char as_ms[32], as_seconds[32];
  mlf_timestamp_format(number, as_ms);
  mlf_timestamp_format(number * 1000, as_seconds);
  return sqlite3_mprintf("%s %s %lld compares milliseconds with what looks like seconds: in "
                         "milliseconds it is %.19s, in seconds %.19s; write %s %s %lld * 1000 "
                         "(unixepoch(…) * 1000)",
                         column, sign, (sqlite3_int64)number, as_ms, as_seconds, column, sign,
                         (sqlite3_int64)number);
}

static char *note_on_number(const mlf_filter_term *term) {
  const char *sign = note_operators[term->op];
  return sqlite3_mprintf("request_time %s %.0f compares a date, a text, with a number, digit by "
                         "digit; write request_time %s '2026-11-24', or timestamp_ms %s "
                         "milliseconds (unixepoch(…) * 1000)",
                         sign, mlf_value_number(&term->values[0]), sign, sign);
}

char *mlf_time_note_text(const mlf_filter_term *term) {
  if (term->column->key_kind == MLF_KEY_REQUEST_TIME) return note_on_number(term);
  return mlf_value_is_word(&term->values[0]) ? note_on_text(term) : note_on_seconds(term);
}
