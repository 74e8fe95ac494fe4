/* test_timestamp.c: what model/timestamp.h promises. */
#include "model/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void timestamp_parses(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ms;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-11-23T11:59:23.950Z", 1795435163950},
      {"2026-11-23T11:59:23.9Z", 1795435163900},
      {"2026-11-23T11:59:23.95Z", 1795435163950},
      {"2026-11-23T11:59:23.950999999Z", 1795435163950},
      {"2026-11-23T13:59:23.950+02:00", 1795435163950},
      {"2026-11-23T06:29:23.950-05:30", 1795435163950},
      {"2026-11-24T11:58:23.950+23:59", 1795435163950},
      {"2026-11-23T11:59:23.950-00:00", 1795435163950},
      {"2024-02-29T00:00:00Z", 1709164800000},
      {"2000-02-29T23:59:59.999Z", 951868799999},
      {"1969-12-31T23:59:59.999Z", -1},
      {"1969-12-31T23:59:59.9985Z", -2}, /* toward the past */
      {"1969-12-31T23:59:59Z", -1000},
      {"0001-01-01T00:00:00Z", -62135596800000},
      {"0000-01-01T00:00:00Z", -62167219200000},
      {"0000-01-01T00:00:00+23:59", -62167305540000},
      {"9999-12-31T23:59:59.999999999Z", 253402300799999},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    int64_t ms = 7;
    assert_true(mlf_timestamp_parse(cases[i].text, &ms));
    assert_int_equal(ms, cases[i].ms);
  }
}

static void timestamp_refuses(void **state) {
  (void)state;
  static const char *const cases[] = {
      "",
      "Z",
      "2026",
      "2026-11-23",
      "2026-11-23T11:59:23",
      "2026-11-23T11:59Z",
      "2026-11-23 11:59:23Z",
      "2026-11-23t11:59:23Z",
      "2026-11-23T11:59:23z",
      " 2026-11-23T11:59:23Z",
      "2026-11-23T11:59:23Z ",
      "2026-11-23T11:59:23ZZ",
      "2026-11-23T11:59:23.Z",
      "2026-11-23T11:59:23,5Z",
      "2026-11-23T11:59:23.1234567890Z",
      "2026-11-23T11:59:23.9x",
      "2026-00-23T11:59:23Z",
      "2026-13-23T11:59:23Z",
      "2026-11-00T11:59:23Z",
      "2026-11-31T11:59:23Z",
      "2026-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2024-02-30T00:00:00Z",
      "2026-11-23T24:00:00Z",
      "2026-11-23T11:60:00Z",
      "2026-11-23T11:59:60Z",
      "2026-11-23T11:59:23+2:00",
      "2026-11-23T11:59:23+0200",
      "2026-11-23T11:59:23+24:00",
      "2026-11-23T11:59:23+02:60",
      "2026-11-23T11:59:23+02",
      "2026-11-23T11:59:23+02:00Z",
      "-026-11-23T11:59:23Z",
      "+2026-11-23T11:59:23Z",
      "12026-11-23T11:59:23Z",
      "2026-1-23T11:59:23Z",
      "2026/11/23T11:59:23Z",
      "1795435163950",
      "2026-11-23T11:59:23.-5Z",
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    int64_t ms;
    assert_false(mlf_timestamp_parse(cases[i], &ms));
  }
  int64_t ms;
  assert_false(mlf_timestamp_parse(NULL, &ms));
}

static void timestamp_parses_durations(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ms;
  } cases[] = {
      {"0s", 0},
      {"10.215s", 10215},
      {"1s", 1000},
      {"1.5s", 1500},
      {"0.000000001s", 0},
      {"0.0009s", 0},
      {"1.999999999s", 1999},
      {"-1.5s", -1500},
      {"-0.0009s", 0},
      {"-1.9999s", -1999},
      {"-0s", 0},
      {"007.01s", 7010},
      {"315576000000s", 315576000000000},
      {"9223372036854775.807s", INT64_MAX},
      {"9223372036854775.807999999s", INT64_MAX},
      {"-9223372036854775.807s", -INT64_MAX},
      {"-9223372036854775.808s", INT64_MIN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    int64_t ms = 7;
    assert_true(mlf_duration_parse(cases[i].text, &ms));
    assert_int_equal(ms, cases[i].ms);
  }
  static const char *const refused[] = {
      "",
      "s",
      "-s",
      ".5s",
      "1.s",
      "1",
      "1.5",
      "1 s",
      " 1s",
      "1s ",
      "1S",
      "+1s",
      "--1s",
      "1.1234567890s",
      "1e3s",
      "1.5ms",
      "1,5s",
      "0x1s",
      "9223372036854775.808s",
      "-9223372036854775.809s",
      "9223372036854776s",
      "99999999999999999999s",
      "18446744073709551616s",
      "infs",
  };
  for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
    int64_t ms;
    assert_false(mlf_duration_parse(refused[i], &ms));
  }
  int64_t ms;
  assert_false(mlf_duration_parse(NULL, &ms));
}

static void timestamp_formats(void **state) {
  (void)state;
  static const struct {
    int64_t ms;
    const char *text;
  } cases[] = {
      {0, "1970-01-01 00:00:00.000"},
      {1795435163950, "2026-11-23 11:59:23.950"},
      {951868799999, "2000-02-29 23:59:59.999"},
      {-1, "1969-12-31 23:59:59.999"},
      {-86400000, "1969-12-31 00:00:00.000"},
      {-86400001, "1969-12-30 23:59:59.999"},
      {-62167219200000, "0000-01-01 00:00:00.000"},
      {253402300799999, "9999-12-31 23:59:59.999"},
  };
  char text[32];
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    assert_true(mlf_timestamp_format(cases[i].ms, text));
    assert_string_equal(text, cases[i].text);
  }
  static const int64_t refused[] = {-62167219200001, 253402300800000, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
    strcpy(text, "old");
    assert_false(mlf_timestamp_format(refused[i], text));
    assert_string_equal(text, "");
  }
}

/* Every third day that can be written, at a time of its own, against the C library, and back. */
static void timestamp_agrees_with_gmtime(void **state) {
  (void)state;
  int64_t hour_ms = 3600000;
  for (int64_t ms = -62167219200000; ms <= 253402300799999; ms += 73 * hour_ms + 61001) {
    time_t seconds = (time_t)((ms - ((ms % 1000) + 1000) % 1000) / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char expected[100];
    char text[32];
    snprintf(expected, sizeof(expected), "%04d-%02d-%02d %02d:%02d:%02d.%03d", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(((ms % 1000) + 1000) % 1000));
    assert_true(mlf_timestamp_format(ms, text));
    if (strcmp(text, expected) != 0) assert_string_equal(text, expected);
    int64_t back;
    text[10] = 'T';
    strcat(text, "Z");
    assert_true(mlf_timestamp_parse(text, &back));
    if (back != ms) assert_int_equal(back, ms);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(timestamp_parses),
      cmocka_unit_test(timestamp_refuses),
      cmocka_unit_test(timestamp_parses_durations),
      cmocka_unit_test(timestamp_formats),
      cmocka_unit_test(timestamp_agrees_with_gmtime),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
