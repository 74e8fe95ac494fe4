/* test_textplot.c: what analysis/textplot.h and analysis/wilson.h promise. */
#include "analysis/textplot.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "analysis/wilson.h"
#include "oom.h"

static void check_sparkline(const double *values, size_t count, const char *picture) {
  mlf_buffer out;
  mlf_buffer_init(&out, 1000);
  assert_int_equal(mlf_textplot_sparkline(&out, values, count), SQLITE_OK);
  assert_string_equal(out.bytes ? out.bytes : "", picture);
  mlf_buffer_clear(&out);
}

static void sparkline_scales_from_least_to_greatest(void **state) {
  (void)state;
  check_sparkline((double[]){0, 1, 2, 3, 4, 5, 6, 7, 8}, 9, "▁▂▃▄▅▆▇██");
  check_sparkline((double[]){3, 1, NAN, 2, NAN}, 5, "█▁ ▅ ");
  check_sparkline((double[]){5, 5, 5}, 3, "▄▄▄");
  check_sparkline((double[]){NAN, NAN}, 2, "  ");
  check_sparkline((double[]){-DBL_MAX, 0, DBL_MAX}, 3, "▁▅█");
  check_sparkline((double[]){DBL_TRUE_MIN, 0}, 2, "▄▄");
  check_sparkline(NULL, 0, "");
}

static void check_bar(double value, double max, int width, const char *picture) {
  mlf_buffer out;
  mlf_buffer_init(&out, 1000);
  assert_int_equal(mlf_textplot_bar(&out, value, max, width), SQLITE_OK);
  assert_string_equal(out.bytes ? out.bytes : "", picture);
  mlf_buffer_clear(&out);
}

static void bar_is_as_long_as_its_share(void **state) {
  (void)state;
  check_bar(10, 10, 4, "████");
  check_bar(5, 10, 4, "██");
  check_bar(6, 10, 1, "▌");
  check_bar(7, 8, 1, "▉");
  check_bar(1, 8, 1, "▏");
  check_bar(17, 32, 4, "██▏");
  check_bar(1e-9, 1, 4, "▏");
  check_bar(11, 10, 2, "██");
  check_bar(0, 10, 4, "");
  check_bar(-1, 10, 4, "");
  check_bar(1, 0, 4, "");
  check_bar(1, -1, 4, "");
  check_bar(DBL_MAX, DBL_TRUE_MIN, 2, "██");
}

static int textplot_draw(void *context) {
  double values[2000] = {0};
  mlf_buffer out;
  (void)context;
  mlf_buffer_init(&out, 100000);
  int rc = mlf_textplot_sparkline(&out, values, 2000);
  if (rc == SQLITE_OK) rc = mlf_textplot_bar(&out, 1, 1, 2000);
  mlf_buffer_clear(&out);
  return rc;
}

static void textplot_without_memory_is_nomem(void **state) {
  (void)state;
  assert_int_equal(oom_loop(textplot_draw, NULL), 0);
}

static void textplot_stops_at_the_buffer_cap(void **state) {
  mlf_buffer out;
  (void)state;
  mlf_buffer_init(&out, 5);
  assert_int_equal(mlf_textplot_bar(&out, 1, 1, 2), SQLITE_TOOBIG);
  mlf_buffer_clear(&out);
}

/* R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3. */
static void wilson_is_newcombes_table(void **state) {
  (void)state;
  static const struct {
    double successes, trials, low, high;
  } cases[] = {{81, 263, 0.2553, 0.3662},
               {15, 148, 0.0624, 0.1605},
               {0, 20, 0, 0.1611},
               {1, 29, 0.0061, 0.1718}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    mlf_wilson interval = mlf_wilson_interval(cases[i].successes, cases[i].trials, MLF_WILSON_Z);
    assert_true(fabs(interval.low - cases[i].low) < 5e-5);
    assert_true(fabs(interval.high - cases[i].high) < 5e-5);
  }
}

/* The bounds p solve |rate - p| = z sqrt(p (1 - p) / n), which is where the formula comes from. */
static void wilson_solves_its_equation(void **state) {
  (void)state;
  for (double trials = 1; trials < 1e6; trials *= 3) {
    for (double part = 0; part <= 1; part += 0.125) {
      double successes = floor(trials * part);
      mlf_wilson interval = mlf_wilson_interval(successes, trials, 2.5);
      double bounds[] = {interval.low, interval.high};
      assert_true(0 <= interval.low && interval.low <= successes / trials);
      assert_true(successes / trials <= interval.high && interval.high <= 1);
      for (int i = 0; i < 2; i++) {
        double p = bounds[i];
        double off = fabs(successes / trials - p) - 2.5 * sqrt(p * (1 - p) / trials);
        assert_true(fabs(off) < 1e-7);
      }
    }
  }
}

static void wilson_ends_are_exact(void **state) {
  (void)state;
  for (double trials = 1; trials < 1e15; trials *= 7) {
    assert_true(mlf_wilson_interval(0, trials, MLF_WILSON_Z).low == 0);
    assert_true(mlf_wilson_interval(trials, trials, MLF_WILSON_Z).high == 1);
  }
  mlf_wilson sure = mlf_wilson_interval(3, 4, 0);
  assert_true(sure.low == 0.75 && sure.high == 0.75);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sparkline_scales_from_least_to_greatest),
      cmocka_unit_test(bar_is_as_long_as_its_share),
      cmocka_unit_test(textplot_without_memory_is_nomem),
      cmocka_unit_test(textplot_stops_at_the_buffer_cap),
      cmocka_unit_test(wilson_is_newcombes_table),
      cmocka_unit_test(wilson_solves_its_equation),
      cmocka_unit_test(wilson_ends_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
