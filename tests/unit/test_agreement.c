/* test_agreement.c: what analysis/labels.h, agreement.h, krippendorff.h and difference.h promise.
** Equality with scikit-learn is tested by tests/sql/functions/agreement.py. */
#include "analysis/agreement.h"

#include <math.h>

#include "analysis/difference.h"
#include "analysis/krippendorff.h"
#include "oom.h"

/* Of the table 20 5 / 10 15: po is 0.7, pe 0.5. */
static void agreement_has_the_interval_of_fleiss(void **state) {
  (void)state;
  static const int table[2][2] = {{20, 5}, {10, 15}};
  mlf_agreement pairs = {0};
  mlf_error error = {0};
  mlf_kappa kappa;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      for (int k = 0; k < table[i][j]; k++) {
        mlf_value a = mlf_value_text(i ? "no" : "yes");
        mlf_value b = mlf_value_text(j ? "no" : "yes");
        assert_int_equal(mlf_agreement_add(&pairs, &a, &b, &error), SQLITE_OK);
      }
  assert_int_equal(mlf_agreement_kappa(&pairs, MLF_AGREEMENT_NOMINAL, &kappa, &error), SQLITE_OK);
  assert_true(kappa.is_known);
  assert_true(fabs(kappa.kappa - 0.4) < 1e-15);
  /* For two labels: se^2 = (A + B - C) / (n (1 - pe)^2), Fleiss, Levin and Paik, Statistical Methods
  ** for Rates and Proportions, 3rd edition (2003), (18.13). */
  double a = 0.4 * pow(1 - (0.5 + 0.6) * 0.6, 2) + 0.3 * pow(1 - (0.5 + 0.4) * 0.6, 2);
  double b = 0.36 * (0.1 * pow(0.6 + 0.5, 2) + 0.2 * pow(0.4 + 0.5, 2));
  double c = pow(0.4 - 0.5 * 0.6, 2);
  double away = 1.959963984540054 * sqrt(a + b - c) / (0.5 * sqrt(50));
  assert_true(fabs(kappa.high - kappa.low - 2 * away) < 1e-12);
  assert_int_equal(pairs.n, 50);
  assert_int_equal(pairs.same, 35);
  mlf_agreement_clear(&pairs);
}

static void agreement_counts_on_beyond_its_labels(void **state) {
  (void)state;
  mlf_agreement pairs = {0};
  mlf_error error = {0};
  mlf_kappa kappa;
  for (int i = 0; i < MLF_LABELS_MAX + 500; i++) {
    mlf_value value = mlf_value_integer(i * 7919 % (MLF_LABELS_MAX + 500));
    assert_int_equal(mlf_agreement_add(&pairs, &value, &value, &error), SQLITE_OK);
    assert_int_equal(pairs.has_too_many, i >= MLF_LABELS_MAX);
  }
  assert_int_equal(mlf_agreement_kappa(&pairs, MLF_AGREEMENT_NOMINAL, &kappa, &error), SQLITE_OK);
  assert_false(kappa.is_known);
  assert_int_equal(pairs.n, MLF_LABELS_MAX + 500);
  assert_int_equal(pairs.same, MLF_LABELS_MAX + 500);
  for (size_t i = 1; i < pairs.labels.count; i++)
    assert_true(pairs.labels.sorted[i - 1].value.integer < pairs.labels.sorted[i].value.integer);
  mlf_agreement_clear(&pairs);
}

/* Numbers at the ends of what a double holds neither overflow nor lose the order. */
static void agreement_weighs_the_widest_range(void **state) {
  (void)state;
  static const double numbers[] = {-1.7e308, 0, 1.7e308};
  mlf_agreement pairs = {0};
  mlf_error error = {0};
  mlf_kappa kappa;
  for (int i = 0; i < 9; i++) {
    mlf_value a = mlf_value_real(numbers[i % 3]);
    mlf_value b = mlf_value_real(numbers[i / 3]);
    assert_int_equal(mlf_agreement_add(&pairs, &a, &b, &error), SQLITE_OK);
  }
  assert_int_equal(mlf_agreement_kappa(&pairs, MLF_AGREEMENT_QUADRATIC, &kappa, &error), SQLITE_OK);
  assert_true(fabs(kappa.kappa) < 1e-12);
  mlf_agreement_clear(&pairs);
}

/* Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), C and D: four observers, twelve
** units, values missing: nominal 0.743, interval 0.849. */
static void krippendorff_has_the_figures_of_his_example(void **state) {
  (void)state;
  static const char *const observers[] = {"123321412...", "1233224125.3", ".3332342251.",
                                          "12332441251."};
  for (int is_interval = 0; is_interval <= 1; is_interval++) {
    mlf_krippendorff ratings = {0};
    mlf_error error = {0};
    double alpha = 0;
    for (int i = 0; i < 4; i++)
      for (int unit = 0; unit < 12; unit++) {
        char said = observers[i][unit];
        mlf_value key = mlf_value_integer(unit);
        mlf_value value = mlf_value_integer(said - '0');
        if (said != '.')
          assert_int_equal(mlf_krippendorff_add(&ratings, &key, &value, &error), SQLITE_OK);
      }
    assert_true(mlf_krippendorff_alpha(&ratings, is_interval, &alpha));
    assert_true(fabs(alpha - (is_interval ? 0.849 : 0.743)) < 0.0005);
    mlf_krippendorff_clear(&ratings);
  }
}

/* Newcombe (1998), table II, (a): 56 of 70 against 48 of 80, method 10: 0.0524 to 0.3339. */
static void difference_has_the_interval_of_newcombe(void **state) {
  (void)state;
  mlf_difference found = mlf_difference_of(56, 70, 48, 80);
  assert_true(fabs(found.difference - 0.2) < 1e-15);
  assert_true(fabs(found.low - 0.0524) < 0.00005);
  assert_true(fabs(found.high - 0.3339) < 0.00005);
  assert_true(fabs(found.lift - 0.8 * 150 / 104) < 1e-15);
  assert_true(mlf_difference_of(0, 70, 1, 80).npmi == -1);
  assert_true(fabs(mlf_difference_of(70, 70, 0, 80).npmi - 1) < 1e-15);
  assert_true(mlf_difference_of(7, 70, 8, 80).npmi == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agreement_has_the_interval_of_fleiss),
      cmocka_unit_test(agreement_counts_on_beyond_its_labels),
      cmocka_unit_test(agreement_weighs_the_widest_range),
      cmocka_unit_test(krippendorff_has_the_figures_of_his_example),
      cmocka_unit_test(difference_has_the_interval_of_newcombe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
