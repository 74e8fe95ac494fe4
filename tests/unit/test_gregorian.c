/* test_gregorian.c: what base/gregorian.h promises. */
#include "base/gregorian.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

static void quotients_are_floors(void **state) {
  (void)state;
  assert_int_equal(mlf_floor_divide(7, 3), 2);
  assert_int_equal(mlf_floor_divide(-7, 3), -3);
  assert_int_equal(mlf_floor_divide(-6, 3), -2);
  assert_int_equal(mlf_floor_divide(INT64_MIN, 1000), INT64_MIN / 1000 - 1);
}

static void dates_exist_as_the_calendar_says(void **state) {
  (void)state;
  assert_true(mlf_gregorian_exists(2024, 2, 29));
  assert_true(mlf_gregorian_exists(2000, 2, 29));
  assert_true(mlf_gregorian_exists(2026, 12, 31));
  assert_false(mlf_gregorian_exists(1900, 2, 29));
  assert_false(mlf_gregorian_exists(2026, 2, 29));
  assert_false(mlf_gregorian_exists(2026, 4, 31));
  assert_false(mlf_gregorian_exists(2026, 0, 1));
  assert_false(mlf_gregorian_exists(2026, 13, 1));
  assert_false(mlf_gregorian_exists(2026, 1, 0));
}

/* Every day of 2,400 years, each following the one before; and the C library's word on some. */
static void days_and_dates_are_each_other(void **state) {
  (void)state;
  int64_t before_year = -1201;
  int before_month = 12, before_day = 31;
  for (int64_t days = mlf_gregorian_days(-1200, 1, 1); days < 430000; days++) {
    int64_t year;
    int month, day;
    mlf_gregorian_date(days, &year, &month, &day);
    assert_true(mlf_gregorian_exists(year, month, day));
    assert_int_equal(mlf_gregorian_days(year, month, day), days);
    if (mlf_gregorian_exists(before_year, before_month, before_day + 1))
      assert_int_equal(day, before_day + 1);
    else
      assert_int_equal(day, 1);
    assert_int_equal(month, day > 1 ? before_month : before_month % 12 + 1);
    before_year = year, before_month = month, before_day = day;
  }
  for (int64_t days = -700000; days < 2900000; days += 997) {
    time_t seconds = (time_t)(days * 86400);
    struct tm utc;
    assert_non_null(gmtime_r(&seconds, &utc));
    assert_int_equal(mlf_gregorian_days(utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday), days);
  }
}

static void the_range_is_sqlites(void **state) {
  (void)state;
  assert_int_equal(mlf_gregorian_days(0, 1, 1) * DAY_MS, MLF_GREGORIAN_MIN_MS);
  assert_int_equal(mlf_gregorian_days(10000, 1, 1) * DAY_MS - 1, MLF_GREGORIAN_MAX_MS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quotients_are_floors),
      cmocka_unit_test(dates_exist_as_the_calendar_says),
      cmocka_unit_test(days_and_dates_are_each_other),
      cmocka_unit_test(the_range_is_sqlites),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
