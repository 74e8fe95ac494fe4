#include "remote/retry.h"

#include <string.h>

#include "base/gregorian.h"
#include "base/limits.h"

/* About 30,000 years: further than any sensible wait, nearer than an overflow. */
#define RETRY_SECONDS_MAX ((int64_t)1000000000000)

static bool retry_is_blank(char c) {
  return c == ' ' || c == '\t';
}

static bool retry_is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Reads exactly `count` digits. */
static bool retry_digits(const char **at, int count, int *value) {
  *value = 0;
  for (int i = 0; i < count; i++, (*at)++) {
    if (!retry_is_digit(**at)) return false;
    *value = *value * 10 + (**at - '0');
  }
  return true;
}

static bool retry_literal(const char **at, const char *literal) {
  size_t length = strlen(literal);
  if (strncmp(*at, literal, length) != 0) return false;
  *at += length;
  return true;
}

/* Reads one of the concatenated names, each `width` bytes wide, and gives its index. */
static bool retry_name(const char **at, const char *names, size_t width, int *index) {
  *index = 0;
  for (const char *name = names; *name; name += width, (*index)++) {
    if (strncmp(*at, name, width) != 0) continue;
    *at += width;
    return true;
  }
  return false;
}

static bool retry_month(const char **at, int *month) {
  if (!retry_name(at, "JanFebMarAprMayJunJulAugSepOctNovDec", 3, month)) return false;
  (*month)++;
  return true;
}

static bool retry_clock(const char **at, int *seconds) {
  int hour;
  int minute;
  int second;
  if (!retry_digits(at, 2, &hour) || !retry_literal(at, ":")) return false;
  if (!retry_digits(at, 2, &minute) || !retry_literal(at, ":")) return false;
  if (!retry_digits(at, 2, &second)) return false;
  *seconds = (hour * 60 + minute) * 60 + second;
  return hour < 24 && minute < 60 && second <= 60;
}

/* RFC 9110, 5.6.7: a year of two digits is at most 50 years ahead. */
static int retry_full_year(int two_digits, int64_t now_ms) {
  int64_t year;
  int month, day;
  mlf_gregorian_date(mlf_floor_divide(now_ms, MLF_DAY_MS), &year, &month, &day);
  int latest = (int)year + 50;
  return latest - (latest - two_digits) % 100;
}

/* Reads "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or
** "Sun Nov  6 08:49:37 1994" as Unix seconds. */
static bool retry_date(const char **at, int64_t now_ms, int64_t *unix_s) {
  int year;
  int month;
  int day;
  int clock_s;
  int weekday;
  bool ok;
  if (!retry_name(at, "SunMonTueWedThuFriSat", 3, &weekday)) return false;
  if (retry_literal(at, ", ")) {
    ok = retry_digits(at, 2, &day) && retry_literal(at, " ") && retry_month(at, &month) &&
         retry_literal(at, " ") && retry_digits(at, 4, &year) && retry_literal(at, " ") &&
         retry_clock(at, &clock_s) && retry_literal(at, " GMT");
  } else if (retry_literal(at, " ")) {
    ok = retry_month(at, &month) && retry_literal(at, " ") &&
         (retry_literal(at, " ") ? retry_digits(at, 1, &day) : retry_digits(at, 2, &day)) &&
         retry_literal(at, " ") && retry_clock(at, &clock_s) && retry_literal(at, " ") &&
         retry_digits(at, 4, &year);
  } else {
    *at += strspn(*at, "abcdefghijklmnopqrstuvwxyz");
    ok = retry_literal(at, ", ") && retry_digits(at, 2, &day) && retry_literal(at, "-") &&
         retry_month(at, &month) && retry_literal(at, "-") && retry_digits(at, 2, &year) &&
         retry_literal(at, " ") && retry_clock(at, &clock_s) && retry_literal(at, " GMT");
    if (ok) year = retry_full_year(year, now_ms);
  }
  if (!ok || !mlf_gregorian_exists(year, month, day)) return false;
  *unix_s = mlf_gregorian_days(year, month, day) * 86400 + clock_s;
  return true;
}

/* Reads whole seconds, with or without a minus. */
static bool retry_seconds(const char **at, int64_t *seconds) {
  bool negative = retry_literal(at, "-");
  if (!retry_is_digit(**at)) return false;
  for (*seconds = 0; retry_is_digit(**at); (*at)++) {
    if (*seconds < RETRY_SECONDS_MAX) *seconds = *seconds * 10 + (**at - '0');
  }
  if (*seconds > RETRY_SECONDS_MAX) *seconds = RETRY_SECONDS_MAX;
  if (negative) *seconds = 0;
  return true;
}

bool mlf_retry_after_parse(const char *text, int64_t now_ms, int64_t *wait_ms) {
  const char *at = text;
  int64_t seconds;
  while (retry_is_blank(*at))
    at++;
  if (*at == '-' || retry_is_digit(*at)) {
    if (!retry_seconds(&at, &seconds)) return false;
    *wait_ms = seconds * 1000;
  } else {
    if (!retry_date(&at, now_ms, &seconds)) return false;
    *wait_ms = seconds * 1000 > now_ms ? seconds * 1000 - now_ms : 0;
  }
  while (retry_is_blank(*at))
    at++;
  return *at == 0;
}

static bool retry_body_has(const mlf_retry_attempt *attempt, const char *words, size_t *end) {
  size_t length = strlen(words);
  for (size_t i = 0; i + length <= attempt->body_length; i++) {
    if (memcmp(attempt->body + i, words, length) != 0) continue;
    *end = i + length;
    return true;
  }
  return false;
}

/* Whether the body has "error_class": "CLIENT_…". A trace that quotes these words in an answer of
** status 500 costs one attempt, no more. */
static bool retry_is_client_error(const mlf_retry_attempt *attempt) {
  size_t at;
  if (!retry_body_has(attempt, "\"error_class\"", &at)) return false;
  while (at < attempt->body_length && strchr(" \t\r\n:", attempt->body[at]) && attempt->body[at])
    at++;
  static const char start[] = "\"CLIENT_";
  size_t length = sizeof(start) - 1;
  return length <= attempt->body_length - at && memcmp(attempt->body + at, start, length) == 0;
}

/* What the server's SQLite store says of a filter with too many conditions. */
static bool retry_has_too_many_conditions(const mlf_retry_attempt *attempt) {
  size_t end;
  return retry_body_has(attempt, "at most 64 tables in a join", &end) ||
         retry_body_has(attempt, "Expression tree is too large", &end);
}

/* How often such an outcome is tried again, `retries_max` being how often at most. */
static int retry_limit(const mlf_retry_attempt *attempt, int retries_max) {
  int once = retries_max < 1 ? retries_max : 1;
  if (attempt->fault == MLF_RETRY_CONNECTION) return retries_max;
  if (attempt->fault == MLF_RETRY_RESOLVE) return once;
  if (attempt->fault == MLF_RETRY_FATAL) return 0;
  switch (attempt->status) {
  case 408:
  case 429:
  case 502:
  case 504: return retries_max;
  case 503: return retry_has_too_many_conditions(attempt) ? 0 : retries_max;
  case 500:
    return retry_is_client_error(attempt) || retry_has_too_many_conditions(attempt) ? 0 : once;
  default: return 0;
  }
}

static int64_t retry_backoff(int attempts, double factor, uint32_t random) {
  double most_ms = factor * 1000;
  for (int i = 1; i < attempts && most_ms < MLF_BACKOFF_MAX_MS; i++)
    most_ms *= 2;
  if (most_ms > MLF_BACKOFF_MAX_MS) most_ms = MLF_BACKOFF_MAX_MS;
  return (int64_t)(most_ms * ((double)random / 4294967296.0));
}

mlf_retry_verdict mlf_retry_decide(const mlf_retry_attempt *attempt, int retries_max,
                                   double backoff_factor, int64_t now_ms, uint32_t random,
                                   int64_t *wait_ms) {
  *wait_ms = 0;
  if (attempt->attempts > retry_limit(attempt, retries_max)) return MLF_RETRY_STOP;
  int64_t asked_ms = 0;
  bool asked = attempt->fault == MLF_RETRY_REPLY && attempt->retry_after &&
               mlf_retry_after_parse(attempt->retry_after, now_ms, &asked_ms);
  if (asked && asked_ms > 0) {
    *wait_ms = asked_ms;
    return asked_ms > MLF_RETRY_AFTER_MAX_MS ? MLF_RETRY_TOO_LONG : MLF_RETRY_AGAIN;
  }
  *wait_ms = retry_backoff(attempt->attempts, backoff_factor, random);
  return MLF_RETRY_AGAIN;
}
