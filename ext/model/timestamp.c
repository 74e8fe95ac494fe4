#include "model/timestamp.h"

#include <stddef.h>

#define TIMESTAMP_DAY_MS INT64_C(86400000)

/* 0000-01-01 and 9999-12-31, as Unix days. */
#define TIMESTAMP_DAY_MIN (-719528)
#define TIMESTAMP_DAY_MAX 2932896

/* Reads exactly `width` digits and moves on; false if they are not there. */
static bool timestamp_digits(const char **at, int width, int *value) {
  *value = 0;
  for (; width > 0; width--, (*at)++) {
    if (**at < '0' || **at > '9') return false;
    *value = *value * 10 + (**at - '0');
  }
  return true;
}

static bool timestamp_literal(const char **at, char c) {
  if (**at != c) return false;
  (*at)++;
  return true;
}

/* Reads nothing, or a point and one to nine digits, as whole milliseconds toward zero. */
static bool timestamp_fraction(const char **at, int *ms) {
  *ms = 0;
  if (!timestamp_literal(at, '.')) return true;
  int digits = 0;
  for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
    if (digits < 3) *ms = *ms * 10 + (**at - '0');
  for (int i = digits; i < 3; i++)
    *ms *= 10;
  return digits >= 1 && digits <= 9;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, and back. Years are counted
** from March, so that the leap day is the last; 400 of them are an era of 146097 days. (Howard
** Hinnant, "chrono-compatible low-level date algorithms".) */
static int timestamp_days(int year, int month, int day) {
  int from_march = (month + 9) % 12;
  year += 400 - (month <= 2); /* never negative; one era earlier below */
  int era = year / 400;
  int year_of_era = year % 400;
  int day_of_year = (153 * from_march + 2) / 5 + day - 1;
  int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (era - 1) * 146097 + day_of_era - 719468;
}

static void timestamp_date(int days, int *year, int *month, int *day) {
  days += 719468 + 146097;
  int era = days / 146097;
  int day_of_era = days % 146097;
  int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int from_march = (5 * day_of_year + 2) / 153;
  *day = day_of_year - (153 * from_march + 2) / 5 + 1;
  *month = from_march < 10 ? from_march + 3 : from_march - 9;
  *year = (era - 1) * 400 + year_of_era + (*month <= 2);
}

static bool timestamp_date_exists(int year, int month, int day) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[month - 1] + (month == 2 && leap);
}

/* Reads `Z` or `±HH:MM`, as minutes east of UTC. */
static bool timestamp_offset(const char **at, int *minutes) {
  *minutes = 0;
  if (timestamp_literal(at, 'Z')) return true;
  bool west = timestamp_literal(at, '-');
  if (!west && !timestamp_literal(at, '+')) return false;
  int hour, minute;
  if (!timestamp_digits(at, 2, &hour) || !timestamp_literal(at, ':') ||
      !timestamp_digits(at, 2, &minute))
    return false;
  *minutes = west ? -(hour * 60 + minute) : hour * 60 + minute;
  return hour <= 23 && minute <= 59;
}

bool mlf_timestamp_parse(const char *text, int64_t *ms) {
  int year, month, day, hour, minute, second, fraction_ms, offset;
  if (!text) return false;
  if (!timestamp_digits(&text, 4, &year) || !timestamp_literal(&text, '-') ||
      !timestamp_digits(&text, 2, &month) || !timestamp_literal(&text, '-') ||
      !timestamp_digits(&text, 2, &day) || !timestamp_literal(&text, 'T') ||
      !timestamp_digits(&text, 2, &hour) || !timestamp_literal(&text, ':') ||
      !timestamp_digits(&text, 2, &minute) || !timestamp_literal(&text, ':') ||
      !timestamp_digits(&text, 2, &second) || !timestamp_fraction(&text, &fraction_ms) ||
      !timestamp_offset(&text, &offset) || *text)
    return false;
  if (!timestamp_date_exists(year, month, day) || hour > 23 || minute > 59 || second > 59)
    return false;
  int64_t seconds = (int64_t)(hour * 60 + minute - offset) * 60 + second;
  *ms = timestamp_days(year, month, day) * TIMESTAMP_DAY_MS + seconds * 1000 + fraction_ms;
  return true;
}

bool mlf_duration_parse(const char *text, int64_t *ms) {
  if (!text) return false;
  bool negative = timestamp_literal(&text, '-');
  uint64_t ms_max = (uint64_t)INT64_MAX + negative;
  uint64_t seconds = 0;
  if (*text < '0' || *text > '9') return false;
  for (; *text >= '0' && *text <= '9'; text++) {
    seconds = seconds * 10 + (uint64_t)(*text - '0');
    if (seconds > ms_max / 1000) return false;
  }
  int fraction_ms;
  if (!timestamp_fraction(&text, &fraction_ms) || !timestamp_literal(&text, 's') || *text)
    return false;
  uint64_t sum = seconds * 1000 + (uint64_t)fraction_ms;
  if (sum > ms_max) return false;
  /* INT64_MIN has no positive counterpart. */
  *ms = sum > INT64_MAX ? INT64_MIN : negative ? -(int64_t)sum : (int64_t)sum;
  return true;
}

/* Writes `width` digits and a character after them; returns what follows. */
static char *timestamp_write(char *at, int width, int value, char after) {
  for (int i = width - 1; i >= 0; i--, value /= 10)
    at[i] = (char)('0' + value % 10);
  at[width] = after;
  return at + width + 1;
}

bool mlf_timestamp_format(int64_t ms, char text[32]) {
  text[0] = 0;
  int64_t days = ms / TIMESTAMP_DAY_MS - (ms % TIMESTAMP_DAY_MS < 0);
  if (days < TIMESTAMP_DAY_MIN || days > TIMESTAMP_DAY_MAX) return false;
  int of_day = (int)(ms - days * TIMESTAMP_DAY_MS);
  int year, month, day;
  timestamp_date((int)days, &year, &month, &day);
  text = timestamp_write(text, 4, year, '-');
  text = timestamp_write(text, 2, month, '-');
  text = timestamp_write(text, 2, day, ' ');
  text = timestamp_write(text, 2, of_day / 3600000, ':');
  text = timestamp_write(text, 2, of_day / 60000 % 60, ':');
  text = timestamp_write(text, 2, of_day / 1000 % 60, '.');
  timestamp_write(text, 3, of_day % 1000, 0);
  return true;
}
