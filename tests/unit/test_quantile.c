/* test_quantile.c: what analysis/quantile.h and analysis/ordered.h promise. */
#include "analysis/quantile.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "oom.h"

static uint64_t quantile_test_seed;

/* xorshift64: the same numbers in every run. */
static uint64_t random_bits(void) {
  quantile_test_seed ^= quantile_test_seed << 13;
  quantile_test_seed ^= quantile_test_seed >> 7;
  quantile_test_seed ^= quantile_test_seed << 17;
  return quantile_test_seed;
}

static double random_unit(void) {
  return (double)(random_bits() >> 11) / 9007199254740992.0;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The definition, over a sorted array. */
static double expected(const double *sorted, size_t count, double fraction,
                       mlf_quantile_kind kind) {
  double place = fraction * (double)(count - 1);
  size_t rank = (size_t)place;
  if (kind == MLF_QUANTILE_LOWER || place == (double)rank) return sorted[rank];
  return sorted[rank] + (sorted[rank + 1] - sorted[rank]) * (place - (double)rank);
}

/* Checks many fractions of a sample, each by a selection of its own and by the ordered form. */
static void check_sample(const double *values, size_t count) {
  static const double fractions[] = {0, 0.001, 0.01, 0.25, 0.5, 1.0 / 3, 0.75, 0.9, 0.95, 0.999, 1};
  double *sorted = malloc(count * sizeof(*sorted));
  memcpy(sorted, values, count * sizeof(*sorted));
  qsort(sorted, count, sizeof(*sorted), compare_doubles);
  mlf_quantile window = {0};
  for (size_t i = 0; i < count; i++)
    assert_int_equal(mlf_quantile_add(&window, values[i]), SQLITE_OK);
  for (size_t f = 0; f < sizeof(fractions) / sizeof(*fractions); f++) {
    for (mlf_quantile_kind kind = MLF_QUANTILE_LINEAR; kind <= MLF_QUANTILE_LOWER; kind++) {
      double truth = expected(sorted, count, fractions[f], kind);
      double result = NAN;
      assert_int_equal(mlf_quantile_peek(&window, fractions[f], kind, &result), SQLITE_OK);
      assert_true(result == truth);
      mlf_quantile quantile = {0};
      for (size_t i = 0; i < count; i++)
        assert_int_equal(mlf_quantile_add(&quantile, values[i]), SQLITE_OK);
      assert_int_equal(mlf_quantile_count(&quantile), count);
      assert_true(mlf_quantile_take(&quantile, fractions[f], kind) == truth);
      mlf_quantile_clear(&quantile);
    }
  }
  mlf_quantile_clear(&window);
  free(sorted);
}

static double shaped_value(int shape, size_t i, size_t count) {
  switch (shape) {
  case 0: return random_unit();
  case 1: return floor(random_unit() * 10);               /* many equal */
  case 2: return (double)i;                               /* sorted */
  case 3: return -(double)i;                              /* reversed */
  case 4: return (double)(i < count / 2 ? i : count - i); /* organ pipe */
  case 5: return exp(random_unit() * 600 - 300) * (random_bits() & 1 ? 1 : -1);
  case 6: return 1e9 + random_unit() * 1e-6; /* differ in the last bits only */
  case 7: return 42;
  case 8: return i == 0 ? DBL_MAX / 4 : random_unit(); /* one far away */
  default: return random_bits() & 1 ? 0.0 : -0.0;
  }
}

static void quantile_is_the_definition(void **state) {
  static const size_t counts[] = {1, 2, 3, 31, 32, 33, 34, 100, 1000, 5000};
  (void)state;
  quantile_test_seed = 20240229;
  for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
    for (int shape = 0; shape < 10; shape++) {
      double *values = malloc(counts[c] * sizeof(*values));
      for (size_t i = 0; i < counts[c]; i++)
        values[i] = shaped_value(shape, i, counts[c]);
      check_sample(values, counts[c]);
      free(values);
    }
  }
}

static void quantile_keeps_extreme_values_apart(void **state) {
  (void)state;
  const double values[] = {-DBL_MAX, -1,           -DBL_MIN, -DBL_TRUE_MIN,
                           0,        DBL_TRUE_MIN, DBL_MIN,  DBL_MAX};
  for (size_t i = 0; i < 8; i++) {
    mlf_quantile quantile = {0};
    for (size_t j = 0; j < 8; j++)
      mlf_quantile_add(&quantile, values[(j * 5 + 3) % 8]);
    assert_true(mlf_quantile_take(&quantile, (double)i / 7, MLF_QUANTILE_LOWER) == values[i]);
    mlf_quantile_clear(&quantile);
  }
}

/* SQL has one zero, so what went in as -0.0 may come out as 0.0. */
static void quantile_has_one_zero(void **state) {
  (void)state;
  mlf_quantile quantile = {0};
  mlf_quantile_add(&quantile, -0.0);
  mlf_quantile_add(&quantile, 1);
  assert_int_equal(mlf_quantile_remove(&quantile, 0.0), SQLITE_OK);
  assert_int_equal(mlf_quantile_count(&quantile), 1);
  mlf_quantile_clear(&quantile);
}

static void quantile_between_far_values_is_finite(void **state) {
  (void)state;
  mlf_quantile quantile = {0};
  mlf_quantile_add(&quantile, -1.7e308);
  mlf_quantile_add(&quantile, 1.7e308);
  double result;
  assert_int_equal(mlf_quantile_peek(&quantile, 0.5, MLF_QUANTILE_LINEAR, &result), SQLITE_OK);
  assert_true(result == 0);
  assert_true(fabs(mlf_quantile_take(&quantile, 0.75, MLF_QUANTILE_LINEAR) / 0.85e308 - 1) < 1e-15);
  mlf_quantile_clear(&quantile);
}

/* A frame that slides over random values, checked against sorting the frame. */
static void quantile_window_is_a_recomputation(void **state) {
  enum { ROWS = 6000 };
  static double values[ROWS];
  static double frame[ROWS];
  static const size_t widths[] = {1, 2, 7, 511, 512, 513, 2000};
  (void)state;
  quantile_test_seed = 7;
  for (size_t i = 0; i < ROWS; i++)
    values[i] = i % 3 ? floor(random_unit() * 50) : random_unit() * 1e6 + (double)i;
  for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++) {
    mlf_quantile quantile = {0};
    for (size_t i = 0; i < ROWS; i++) {
      assert_int_equal(mlf_quantile_add(&quantile, values[i]), SQLITE_OK);
      if (i >= widths[w])
        assert_int_equal(mlf_quantile_remove(&quantile, values[i - widths[w]]), SQLITE_OK);
      if (i % 97) continue;
      size_t count = i < widths[w] ? i + 1 : widths[w];
      assert_int_equal(mlf_quantile_count(&quantile), count);
      memcpy(frame, values + i + 1 - count, count * sizeof(*frame));
      qsort(frame, count, sizeof(*frame), compare_doubles);
      double fraction = (double)(i % 11) / 10;
      double result;
      assert_int_equal(mlf_quantile_peek(&quantile, fraction, MLF_QUANTILE_LINEAR, &result), 0);
      assert_true(result == expected(frame, count, fraction, MLF_QUANTILE_LINEAR));
    }
    mlf_quantile_clear(&quantile);
  }
}

static void ordered_keeps_every_rank(void **state) {
  enum { KEYS = 5000 };
  static uint64_t keys[KEYS];
  (void)state;
  quantile_test_seed = 99;
  mlf_ordered ordered = {0};
  assert_false(mlf_ordered_remove(&ordered, 1));
  for (size_t i = 0; i < KEYS; i++) {
    keys[i] = random_bits() % 3000;
    assert_int_equal(mlf_ordered_insert(&ordered, keys[i]), SQLITE_OK);
    mlf_ordered_at(&ordered, random_bits() % ordered.count);
  }
  assert_false(mlf_ordered_remove(&ordered, 3000));
  for (size_t left = KEYS; left > 0; left--) {
    if (left % 500 == 0) {
      for (size_t rank = 1; rank < left; rank++)
        assert_true(mlf_ordered_at(&ordered, rank - 1) <= mlf_ordered_at(&ordered, rank));
    }
    size_t i = random_bits() % left;
    mlf_ordered_at(&ordered, i);
    assert_true(mlf_ordered_remove(&ordered, keys[i]));
    keys[i] = keys[left - 1];
    assert_int_equal(ordered.count, left - 1);
  }
  assert_int_equal(ordered.block_count, 0);
  assert_int_equal(mlf_ordered_insert(&ordered, 5), SQLITE_OK);
  assert_true(mlf_ordered_at(&ordered, 0) == 5);
  mlf_ordered_clear(&ordered);
}

static int quantile_slide(void *context) {
  (void)context;
  mlf_quantile quantile = {0};
  int rc = SQLITE_OK;
  double result;
  for (int i = 0; rc == SQLITE_OK && i < 1500; i++)
    rc = mlf_quantile_add(&quantile, i * 7 % 1500);
  if (rc == SQLITE_OK) rc = mlf_quantile_peek(&quantile, 0.5, MLF_QUANTILE_LINEAR, &result);
  if (rc == SQLITE_OK) assert_true(result == 749.5);
  for (int i = 0; rc == SQLITE_OK && i < 600; i++)
    rc = mlf_quantile_add(&quantile, -1);
  if (rc == SQLITE_OK) rc = mlf_quantile_remove(&quantile, 0);
  if (rc == SQLITE_OK) assert_int_equal(mlf_quantile_count(&quantile), 2099);
  mlf_quantile_clear(&quantile);
  return rc;
}

static void quantile_without_memory_is_nomem(void **state) {
  (void)state;
  assert_int_equal(oom_loop(quantile_slide, NULL), 0);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantile_is_the_definition),
      cmocka_unit_test(quantile_keeps_extreme_values_apart),
      cmocka_unit_test(quantile_has_one_zero),
      cmocka_unit_test(quantile_between_far_values_is_finite),
      cmocka_unit_test(quantile_window_is_a_recomputation),
      cmocka_unit_test(ordered_keeps_every_rank),
      cmocka_unit_test(quantile_without_memory_is_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
