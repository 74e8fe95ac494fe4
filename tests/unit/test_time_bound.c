/* test_time_bound.c: query/time_bound.h. */
#include "query/time_bound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/gregorian.h"

#define DAY_MS INT64_C(1795392000000) /* 2026-11-23 */

static void texts_become_the_first_time_that_fits(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t from_ms;   /* the first whose text is at or behind it, */
    int64_t behind_ms; /* and the first that is behind it */
  } cases[] = {
      {"2026-11-23", DAY_MS, DAY_MS},
      {"2026-11-23 00:00:00.000", DAY_MS, DAY_MS + 1},
      {"2026-11-23 00:00:00.0001", DAY_MS + 1, DAY_MS + 1},
      {"2026-11-23 00:00:01", DAY_MS + 1000, DAY_MS + 1000},
      {"2026-11-23T00:00:00.000", DAY_MS + 86400000, DAY_MS + 86400000}, /* T is behind a blank */
      {"2026-11-22 23:59:59.999", DAY_MS - 1, DAY_MS},
      {"2026-11-31", INT64_C(1796083200000), INT64_C(1796083200000)}, /* the first of December */
      {"1970", 0, 0},
      {"", MLF_GREGORIAN_MIN_MS, MLF_GREGORIAN_MIN_MS},
      {"x", MLF_GREGORIAN_MAX_MS + 1, MLF_GREGORIAN_MAX_MS + 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *text = cases[i].text;
    assert_int_equal(mlf_time_bound(text, strlen(text), false), cases[i].from_ms);
    assert_int_equal(mlf_time_bound(text, strlen(text), true), cases[i].behind_ms);
  }
}

int main(void) {
  alarm(30); /* a search that does not end is a failure */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_become_the_first_time_that_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
