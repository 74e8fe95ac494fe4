/* test_calendar.c: what analysis/calendar.h promises. */
#include "analysis/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/gregorian.h"

static mlf_calendar_width width_of(const char *text) {
  mlf_calendar_width width = {0};
  assert_true(mlf_calendar_read_width(text, strlen(text), &width));
  return width;
}

static void calendar_reads_widths(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ms;
    int64_t months;
  } good[] = {
      {"1 millisecond", 1, 0},
      {"15 minutes", 900000, 0},
      {"1 hour", 3600000, 0},
      {"1 DAY", 86400000, 0},
      {"day", 86400000, 0},
      {"2Weeks", 1209600000, 0},
      {"1 month", 0, 1},
      {"2 quarters", 0, 6},
      {"1000 years", 0, 12000},
      {"007   seconds", 7000, 0},
      {"365250 days", 31557600000000, 0},
  };
  for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
    mlf_calendar_width width = width_of(good[i].text);
    assert_int_equal(width.ms, good[i].ms);
    assert_int_equal(width.months, good[i].months);
  }
  static const char *const bad[] = {
      "",
      "0 days",
      "-1 day",
      "1.5 hours",
      "1 fortnight",
      "minutes 5",
      "1001 years",
      "1 ",
      "s",
      "1 s",
      "15 minutess",
      " 1 day",
      "1 day ",
      "365251 days",
      "1 hours and",
      "99999999999999999999 days",
      "1\tday",
  };
  mlf_calendar_width width;
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
    assert_false(mlf_calendar_read_width(bad[i], strlen(bad[i]), &width));
}

static void calendar_reads_zones(void **state) {
  (void)state;
  mlf_calendar_zone zone;
  static const struct {
    const char *text;
    int64_t minutes;
  } good[] = {{"UTC", 0}, {"utc", 0}, {"+02:00", 120}, {"-05:30", -330}, {"+14:00", 840}};
  for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
    assert_true(mlf_calendar_read_zone(good[i].text, strlen(good[i].text), &zone));
    assert_false(zone.is_local);
    assert_int_equal(zone.offset_ms, good[i].minutes * 60000);
  }
  assert_true(mlf_calendar_read_zone("LocalTime", 9, &zone));
  assert_true(zone.is_local);
  static const char *const bad[] = {"",       "Z",      "2:00",         "+2:00",
                                    "+02:60", "+14:01", "+0a:00",       "+02-00",
                                    "+02:0x", " 02:00", "Europe/Berlin"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
    assert_false(mlf_calendar_read_zone(bad[i], strlen(bad[i]), &zone));
}

static int64_t utc_ms(int year, int month, int day, int hour, int minute) {
  struct tm tm = {.tm_year = year - 1900,
                  .tm_mon = month - 1,
                  .tm_mday = day,
                  .tm_hour = hour,
                  .tm_min = minute};
  return (int64_t)timegm(&tm) * 1000;
}

static void calendar_cuts_utc(void **state) {
  (void)state;
  const mlf_calendar_zone utc = {0};
  const int64_t ms = utc_ms(2024, 2, 29, 13, 44) + 59999;
  static const struct {
    const char *width;
    int date[5];
  } cases[] = {
      {"15 minutes", {2024, 2, 29, 13, 30}}, {"1 hour", {2024, 2, 29, 13, 0}},
      {"1 day", {2024, 2, 29, 0, 0}},        {"1 week", {2024, 2, 26, 0, 0}},
      {"1 month", {2024, 2, 1, 0, 0}},       {"1 quarter", {2024, 1, 1, 0, 0}},
      {"1 year", {2024, 1, 1, 0, 0}},        {"10 years", {2020, 1, 1, 0, 0}},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_calendar_width width = width_of(cases[i].width);
    const int *date = cases[i].date;
    assert_int_equal(mlf_calendar_floor(&width, &utc, ms),
                     utc_ms(date[0], date[1], date[2], date[3], date[4]));
  }
  mlf_calendar_width day = width_of("1 day");
  mlf_calendar_width month = width_of("1 month");
  mlf_calendar_width week = width_of("1 week");
  assert_int_equal(mlf_calendar_floor(&day, &utc, -1), -86400000);
  assert_int_equal(mlf_calendar_floor(&month, &utc, -1), utc_ms(1969, 12, 1, 0, 0));
  assert_int_equal(mlf_calendar_floor(&week, &utc, 0), utc_ms(1969, 12, 29, 0, 0));
  const mlf_calendar_zone kolkata = {.offset_ms = 330 * 60000};
  assert_int_equal(mlf_calendar_floor(&day, &kolkata, utc_ms(2024, 1, 1, 18, 29)),
                   utc_ms(2023, 12, 31, 18, 30));
  assert_int_equal(mlf_calendar_floor(&day, &kolkata, utc_ms(2024, 1, 1, 18, 30)),
                   utc_ms(2024, 1, 1, 18, 30));
}

/* Every first of a month in SQLite's range, and the millisecond before. */
static void calendar_knows_every_month(void **state) {
  (void)state;
  const mlf_calendar_zone utc = {0};
  mlf_calendar_width month = width_of("1 month");
  int64_t before = INT64_MIN;
  for (int year = 0; year <= 9999; year++) {
    for (int m = 1; m <= 12; m++) {
      int64_t first = utc_ms(year, m, 1, 0, 0);
      assert_int_equal(mlf_calendar_floor(&month, &utc, first), first);
      if (before != INT64_MIN)
        assert_int_equal(mlf_calendar_floor(&month, &utc, first - 1), before);
      before = first;
    }
  }
  assert_int_equal(utc_ms(0, 1, 1, 0, 0), MLF_GREGORIAN_MIN_MS);
  assert_int_equal(mlf_calendar_floor(&month, &utc, MLF_GREGORIAN_MAX_MS), before);
}

static void set_zone(const char *name) {
  setenv("TZ", name, 1);
  tzset();
}

/* What holds in every zone (but a begin in 45 minutes may fall back), over four years in steps that
 * meet every change of clocks. */
static void calendar_is_steady_in_every_zone(void **state) {
  (void)state;
  /* Berlin; midnight skipped in Sao Paulo and Cairo; half an hour in Lord Howe; midnight twice in
   * Havana; a day lost in Apia. */
  static const char *const zones[] = {"CET-1CEST,M3.5.0,M10.5.0/3",
                                      "<-03>3<-02>,M10.3.0/0,M2.3.0/0",
                                      "EET-2EEST,M4.5.5/0,M10.5.4/24",
                                      "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                                      "CST5CDT,M3.2.0/0,M11.1.0/1",
                                      "Europe/Berlin",
                                      "America/Sao_Paulo",
                                      "Pacific/Apia"};
  static const char *const widths[] = {"45 minutes", "15 minutes", "1 hour", "3 hours",
                                       "1 day",      "1 week",     "1 month"};
  const mlf_calendar_zone local = {.is_local = true};
  for (size_t z = 0; z < sizeof(zones) / sizeof(*zones); z++) {
    set_zone(zones[z]);
    for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++) {
      mlf_calendar_width width = width_of(widths[w]);
      int64_t before = INT64_MIN;
      for (int64_t ms = utc_ms(2010, 12, 1, 0, 0); ms < utc_ms(2013, 1, 1, 0, 0);
           ms += 7 * 60000 + 1) {
        int64_t begin = mlf_calendar_floor(&width, &local, ms);
        assert_true(begin <= ms);
        assert_true(begin >= before || w == 0);
        if (begin != before) assert_int_equal(mlf_calendar_floor(&width, &local, begin), begin);
        before = begin;
      }
    }
  }
}

static void calendar_begins_the_day_when_clocks_skip_midnight(void **state) {
  (void)state;
  const mlf_calendar_zone local = {.is_local = true};
  mlf_calendar_width day = width_of("1 day");
  mlf_calendar_width hour = width_of("1 hour");
  set_zone("<-03>3<-02>,M10.3.0/0,M2.3.0/0");
  /* 2011-10-16 00:00 -03 is 01:00 -02. */
  const int64_t skip = utc_ms(2011, 10, 16, 3, 0);
  assert_int_equal(mlf_calendar_floor(&day, &local, skip + 36000000), skip);
  assert_int_equal(mlf_calendar_floor(&day, &local, skip - 1), utc_ms(2011, 10, 15, 3, 0));
  set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
  /* 2024-10-27 has 25 hours, and 02:00 twice. */
  assert_int_equal(mlf_calendar_floor(&day, &local, utc_ms(2024, 10, 27, 22, 59)),
                   utc_ms(2024, 10, 26, 22, 0));
  assert_int_equal(mlf_calendar_floor(&hour, &local, utc_ms(2024, 10, 27, 0, 30)),
                   utc_ms(2024, 10, 27, 0, 0));
  assert_int_equal(mlf_calendar_floor(&hour, &local, utc_ms(2024, 10, 27, 1, 30)),
                   utc_ms(2024, 10, 27, 1, 0));
}

static void calendar_begins_the_day_once_when_clocks_show_midnight_twice(void **state) {
  (void)state;
  static const char *const widths[] = {"1 day", "1 week", "1 month"};
  const mlf_calendar_zone local = {.is_local = true};
  set_zone("CST5CDT,M3.2.0/0,M11.1.0/1");
  /* On 2026-11-01 it is 00:00 at 04:00 UTC and, once it was 01:00, at 05:00 UTC. */
  const int64_t first = utc_ms(2026, 11, 1, 4, 0);
  for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++) {
    mlf_calendar_width width = width_of(widths[w]);
    int64_t begin = w == 1 ? utc_ms(2026, 10, 26, 4, 0) : first;
    for (int hour = 0; hour < 25; hour++)
      assert_int_equal(mlf_calendar_floor(&width, &local, first + hour * 3600000), begin);
  }
  mlf_calendar_width day = width_of("1 day"), hour = width_of("1 hour");
  assert_int_equal(mlf_calendar_floor(&day, &local, first - 1), utc_ms(2026, 10, 31, 4, 0));
  assert_int_equal(mlf_calendar_floor(&day, &local, first + 25 * 3600000), first + 25 * 3600000);
  assert_int_equal(mlf_calendar_floor(&hour, &local, first + 5400000), first + 3600000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calendar_reads_widths),
      cmocka_unit_test(calendar_reads_zones),
      cmocka_unit_test(calendar_cuts_utc),
      cmocka_unit_test(calendar_knows_every_month),
      cmocka_unit_test(calendar_is_steady_in_every_zone),
      cmocka_unit_test(calendar_begins_the_day_when_clocks_skip_midnight),
      cmocka_unit_test(calendar_begins_the_day_once_when_clocks_show_midnight_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
