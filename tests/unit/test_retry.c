/* test_retry.c: what remote/retry.h promises. */
#include "remote/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

#define NOW_MS ((int64_t)784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's example */

static int64_t retry_after(const char *text, int64_t now_ms) {
  int64_t wait_ms = -2;
  return mlf_retry_after_parse(text, now_ms, &wait_ms) ? wait_ms : -1;
}

static void retry_reads_seconds(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t wait_ms;
  } cases[] = {
      {"0", 0},
      {"1", 1000},
      {" 120\t", 120000},
      {"007", 7000},
      {"-1", 0},
      {"-99999999999999999999", 0},
      {"99999999999999999999999999", 1000000000000000},
      {"", -1},
      {" ", -1},
      {"-", -1},
      {"+1", -1},
      {"1.5", -1},
      {"1e3", -1},
      {"1 s", -1},
      {"0x10", -1},
      {"--1", -1},
      {"soon", -1},
      {"1,2", -1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("'%s'\n", cases[i].text);
    assert_int_equal(retry_after(cases[i].text, NOW_MS), cases[i].wait_ms);
  }
}

static void retry_reads_dates(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t wait_ms;
  } cases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 0},
      {"Sun Nov  6 08:49:37 1994", 0},
      {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
      {"Sunday, 06-Nov-94 08:50:37 GMT", 60000},
      {"Sun Nov  6 09:49:37 1994", 3600000},
      {"Wed Nov 16 08:49:37 1994", 864000000},
      {"Sun, 06 Nov 1994 08:49:36 GMT", 0}, /* past */
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0}, /* long past */
      {"Wed, 06 Nov 2044 08:49:37 GMT", 1577923200000},
      {"Sunday, 06-Nov-44 08:49:37 GMT", 1577923200000}, /* 50 years ahead */
      {"Sunday, 06-Nov-45 08:49:37 GMT", 0},             /* 1945 */
      {"Sun, 06 Nov 1994 08:49:37 CET", -1},
      {"Sun, 06 Nov 1994 08:49:37", -1},
      {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
      {"Sun, 06 Nov 1994 08:60:00 GMT", -1},
      {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
      {"Sun, 32 Nov 1994 08:49:37 GMT", -1},
      {"Sun, 06 Nox 1994 08:49:37 GMT", -1},
      {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
      {"Xxx, 06 Nov 1994 08:49:37 GMT", -1},
      {"1994-11-06T08:49:37Z", -1},
      {"Sun, 06 Nov 1994 08:49:37 GMT x", -1},
      {"Su", -1},
      {"Sun", -1},
      {"Sun,", -1},
      {"Sun Nov", -1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("'%s'\n", cases[i].text);
    assert_int_equal(retry_after(cases[i].text, NOW_MS), cases[i].wait_ms);
  }
}

static void retry_counts_days(void **state) {
  (void)state;
  assert_int_equal(retry_after("Tue, 29 Feb 2000 00:00:00 GMT", 951782400000 - 1000), 1000);
  assert_int_equal(retry_after("Wed, 01 Mar 2000 00:00:00 GMT", 951868800000 - 1000), 1000);
  assert_int_equal(retry_after("Thu, 31 Dec 2026 23:59:59 GMT", 1798761599000 - 5000), 5000);
  assert_int_equal(retry_after("Fri, 01 Jan 2027 00:00:00 GMT", 1798761600000 - 5000), 5000);
}

/* How often an outcome that never changes is sent, at most `retries_max` times again. */
static int retry_attempts(mlf_retry_attempt attempt, int retries_max) {
  int64_t wait_ms;
  for (attempt.attempts = 1;; attempt.attempts++) {
    if (mlf_retry_decide(&attempt, retries_max, 0.5, NOW_MS, 0, &wait_ms) == MLF_RETRY_STOP)
      return attempt.attempts;
  }
}

static int retry_attempts_of_status(int status, const char *body) {
  mlf_retry_attempt attempt = {.fault = MLF_RETRY_REPLY, .status = status};
  if (body) {
    attempt.body = body;
    attempt.body_length = strlen(body);
  }
  return retry_attempts(attempt, 3);
}

static void retry_depends_on_the_status(void **state) {
  (void)state;
  static const int often[] = {408, 429, 502, 503, 504};
  static const int never[] = {100, 200, 204, 301, 302, 307, 400, 401, 403, 404, 409, 413, 501, 505};
  for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++)
    assert_int_equal(retry_attempts_of_status(often[i], NULL), 4);
  for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
    assert_int_equal(retry_attempts_of_status(never[i], NULL), 1);
  assert_int_equal(retry_attempts_of_status(500, NULL), 2);
}

static void retry_depends_on_the_fault(void **state) {
  (void)state;
  mlf_retry_attempt attempt = {.fault = MLF_RETRY_CONNECTION, .status = 200};
  assert_int_equal(retry_attempts(attempt, 3), 4);
  assert_int_equal(retry_attempts(attempt, 0), 1);
  attempt.fault = MLF_RETRY_RESOLVE;
  assert_int_equal(retry_attempts(attempt, 3), 2);
  assert_int_equal(retry_attempts(attempt, 0), 1);
  attempt.fault = MLF_RETRY_FATAL;
  attempt.status = 503;
  assert_int_equal(retry_attempts(attempt, 3), 1);
}

static void retry_spares_requests_that_are_at_fault(void **state) {
  (void)state;
  static const char *const hopeless[] = {
      "{\"error_class\":\"CLIENT_INVALID_PARAMETER\"}",
      "{\"error_code\": \"INTERNAL_ERROR\", \"error_class\" : \"CLIENT_INTERNAL_ERROR\"}",
      "at most 64 tables in a join",
      "{\"message\":\"(sqlite3.OperationalError) Expression tree is too large (maximum 1000)\"}",
  };
  for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++)
    assert_int_equal(retry_attempts_of_status(500, hopeless[i]), 1);
  assert_int_equal(retry_attempts_of_status(503, hopeless[2]), 1);
  assert_int_equal(retry_attempts_of_status(503, hopeless[3]), 1);

  static const char *const others[] = {
      "{\"error_class\":\"SERVER_INTERNAL_ERROR\"}",
      "{\"error_class\":\"CLIENT",
      "{\"error_class\"",
      "{\"message\":\"CLIENT_\"}",
      "{\"error_class\":null}",
      "at most 64 tables in a joi",
      "",
  };
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    assert_int_equal(retry_attempts_of_status(500, others[i]), 2);
    assert_int_equal(retry_attempts_of_status(503, others[i]), 4);
  }
  /* A body is bytes, not a C string. */
  mlf_retry_attempt attempt = {
      .status = 500, .body = "\0\"error_class\":\0\"CLIENT_", .body_length = 24};
  assert_int_equal(retry_attempts(attempt, 3), 2);
  attempt.body = "\0{\"error_class\":\"CLIENT_";
  assert_int_equal(retry_attempts(attempt, 3), 1);
}

static int64_t retry_backoff_of(int attempts, double factor, uint32_t random) {
  mlf_retry_attempt attempt = {.fault = MLF_RETRY_CONNECTION, .attempts = attempts};
  int64_t wait_ms;
  assert_int_equal(mlf_retry_decide(&attempt, 100, factor, NOW_MS, random, &wait_ms),
                   MLF_RETRY_AGAIN);
  return wait_ms;
}

static void retry_waits_at_random(void **state) {
  (void)state;
  static const int64_t halves[] = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000};
  for (int i = 0; i < 8; i++) {
    assert_int_equal(retry_backoff_of(i + 1, 0.5, 0), 0);
    assert_int_equal(retry_backoff_of(i + 1, 0.5, UINT32_C(1) << 31), halves[i]);
    assert_int_equal(retry_backoff_of(i + 1, 0.5, UINT32_MAX), 2 * halves[i] - 1);
  }
  assert_int_equal(retry_backoff_of(99, 0.5, UINT32_MAX), MLF_BACKOFF_MAX_MS - 1);
  assert_int_equal(retry_backoff_of(1, 120, UINT32_MAX), MLF_BACKOFF_MAX_MS - 1);
  assert_int_equal(retry_backoff_of(50, 0, UINT32_MAX), 0);
}

static mlf_retry_verdict retry_with_header(int status, const char *header, int64_t *wait_ms) {
  mlf_retry_attempt attempt = {.status = status, .attempts = 1, .retry_after = header};
  return mlf_retry_decide(&attempt, 3, 0.5, NOW_MS, UINT32_C(1) << 31, wait_ms);
}

static void retry_keeps_to_what_the_server_asks(void **state) {
  (void)state;
  int64_t wait_ms;
  assert_int_equal(retry_with_header(429, "1", &wait_ms), MLF_RETRY_AGAIN);
  assert_int_equal(wait_ms, 1000);
  assert_int_equal(retry_with_header(503, "Sun, 06 Nov 1994 08:50:07 GMT", &wait_ms),
                   MLF_RETRY_AGAIN);
  assert_int_equal(wait_ms, 30000);
  assert_int_equal(retry_with_header(503, "60", &wait_ms), MLF_RETRY_AGAIN);
  assert_int_equal(wait_ms, 60000);
  assert_int_equal(retry_with_header(503, "61", &wait_ms), MLF_RETRY_TOO_LONG);
  assert_int_equal(wait_ms, 61000);
  /* No time to keep to: as without the header. */
  static const char *const none[] = {"0", "-5", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", NULL};
  for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
    assert_int_equal(retry_with_header(503, none[i], &wait_ms), MLF_RETRY_AGAIN);
    assert_int_equal(wait_ms, 250);
  }
  /* What is not tried again does not wait. */
  assert_int_equal(retry_with_header(400, "61", &wait_ms), MLF_RETRY_STOP);
  assert_int_equal(wait_ms, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(retry_reads_seconds),
      cmocka_unit_test(retry_reads_dates),
      cmocka_unit_test(retry_counts_days),
      cmocka_unit_test(retry_depends_on_the_status),
      cmocka_unit_test(retry_depends_on_the_fault),
      cmocka_unit_test(retry_spares_requests_that_are_at_fault),
      cmocka_unit_test(retry_waits_at_random),
      cmocka_unit_test(retry_keeps_to_what_the_server_asks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
