#include "model/timestamp.h"

#include <stddef.h>

#include "base/gregorian.h"

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

/* Reads nothing, or a point and one to nine digits, as whole milliseconds; more is left out. */
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
  if (!mlf_gregorian_exists(year, month, day) || hour > 23 || minute > 59 || second > 59)
    return false;
  int64_t seconds = (int64_t)(hour * 60 + minute - offset) * 60 + second;
  *ms = mlf_gregorian_days(year, month, day) * MLF_DAY_MS + seconds * 1000 + fraction_ms;
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
  if (ms < MLF_GREGORIAN_MIN_MS || ms > MLF_GREGORIAN_MAX_MS) return false;
  int64_t days = mlf_floor_divide(ms, MLF_DAY_MS);
  int of_day = (int)(ms - days * MLF_DAY_MS);
  int64_t year;
  int month, day;
  mlf_gregorian_date(days, &year, &month, &day);
  text = timestamp_write(text, 4, (int)year, '-');
  text = timestamp_write(text, 2, month, '-');
  text = timestamp_write(text, 2, day, ' ');
  text = timestamp_write(text, 2, of_day / 3600000, ':');
  text = timestamp_write(text, 2, of_day / 60000 % 60, ':');
  text = timestamp_write(text, 2, of_day / 1000 % 60, '.');
  timestamp_write(text, 3, of_day % 1000, 0);
  return true;
}
