#include "analysis/agreement.h"

#include <math.h>
#include <string.h>

#include "analysis/stratify.h"
#include "analysis/wilson.h"
#include "base/sqlite_api.h"

void mlf_agreement_clear(mlf_agreement *agreement) {
  mlf_labels_clear(&agreement->labels);
  sqlite3_free(agreement->counts);
  *agreement = (mlf_agreement){0};
}

/* Makes room for two more labels, as far as there may be more. */
static int agreement_grow(mlf_agreement *agreement) {
  if (agreement->labels.count + 2 <= agreement->side || agreement->side == MLF_LABELS_MAX)
    return SQLITE_OK;
  size_t side = agreement->side ? agreement->side * 2 : 4;
  if (side > MLF_LABELS_MAX) side = MLF_LABELS_MAX;
  int64_t *counts = sqlite3_malloc64(side * side * sizeof(*counts));
  if (!counts) return SQLITE_NOMEM;
  memset(counts, 0, side * side * sizeof(*counts));
  for (size_t i = 0; i < agreement->side; i++)
    memcpy(counts + i * side, agreement->counts + i * agreement->side,
           agreement->side * sizeof(*counts));
  sqlite3_free(agreement->counts);
  agreement->counts = counts;
  agreement->side = side;
  return SQLITE_OK;
}

int mlf_agreement_add(mlf_agreement *agreement, const mlf_value *a, const mlf_value *b,
                      mlf_error *error) {
  size_t of_a;
  size_t of_b;
  agreement->n++;
  agreement->same += mlf_stratify_compare(a, b) == 0;
  if (agreement->has_too_many) return SQLITE_OK;
  if (agreement_grow(agreement) != SQLITE_OK) return mlf_error_nomem(error);
  int rc = mlf_labels_find(&agreement->labels, a, &of_a, error);
  if (rc == SQLITE_OK) rc = mlf_labels_find(&agreement->labels, b, &of_b, error);
  if (rc != SQLITE_OK) return rc;
  agreement->has_too_many = of_a == MLF_LABELS_MAX || of_b == MLF_LABELS_MAX;
  if (agreement->has_too_many) return SQLITE_OK;
  agreement->counts[of_a * agreement->side + of_b]++;
  return SQLITE_OK;
}

int64_t mlf_agreement_count(const mlf_agreement *agreement, const mlf_label *a,
                            const mlf_label *b) {
  return agreement->counts[a->number * agreement->side + b->number];
}

/* v_ij; i and j are places in SQL's order. Halves, so that the widest range is finite. */
static double agreement_distance(const mlf_labels *labels, mlf_agreement_weights weights, size_t i,
                                 size_t j) {
  if (i == j) return 0;
  if (weights == MLF_AGREEMENT_NOMINAL) return 1;
  const mlf_label *sorted = labels->sorted;
  double range = mlf_value_number(&sorted[labels->count - 1].value) / 2 -
                 mlf_value_number(&sorted[0].value) / 2;
  double distance =
      fabs(mlf_value_number(&sorted[i].value) / 2 - mlf_value_number(&sorted[j].value) / 2) / range;
  return weights == MLF_AGREEMENT_LINEAR ? distance : distance * distance;
}

/* What kappa is made of: p_i., p_.j, sum_k p_.k v_ik and sum_k p_k. v_kj, a number a label each. */
typedef struct agreement_sums {
  double *of_a;
  double *of_b;
  double *from_a;
  double *from_b;
  double qo;
  double qe;
} agreement_sums;

static double agreement_share(const mlf_agreement *agreement, size_t i, size_t j) {
  const mlf_label *sorted = agreement->labels.sorted;
  return (double)mlf_agreement_count(agreement, &sorted[i], &sorted[j]) / (double)agreement->n;
}

static void agreement_sum(const mlf_agreement *agreement, mlf_agreement_weights weights,
                          agreement_sums *sums) {
  size_t count = agreement->labels.count;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      double share = agreement_share(agreement, i, j);
      sums->of_a[i] += share;
      sums->of_b[j] += share;
      sums->qo += share * agreement_distance(&agreement->labels, weights, i, j);
    }
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      double distance = agreement_distance(&agreement->labels, weights, i, j);
      sums->from_a[i] += sums->of_b[j] * distance;
      sums->from_b[j] += sums->of_a[i] * distance;
      sums->qe += sums->of_a[i] * sums->of_b[j] * distance;
    }
}

static double agreement_standard_error(const mlf_agreement *agreement,
                                       mlf_agreement_weights weights, const agreement_sums *sums) {
  double qo = sums->qo;
  double qe = sums->qe;
  double mean = qe - 2 * qo + qo * qe;
  double variance = 0;
  for (size_t i = 0; i < agreement->labels.count; i++)
    for (size_t j = 0; j < agreement->labels.count; j++) {
      double distance = agreement_distance(&agreement->labels, weights, i, j);
      double term = (1 - distance) * qe - (2 - sums->from_a[i] - sums->from_b[j]) * qo - mean;
      variance += agreement_share(agreement, i, j) * term * term;
    }
  return sqrt(variance / (double)agreement->n) / (qe * qe);
}

int mlf_agreement_kappa(const mlf_agreement *agreement, mlf_agreement_weights weights,
                        mlf_kappa *kappa, mlf_error *error) {
  size_t count = agreement->labels.count;
  *kappa = (mlf_kappa){0};
  if (count < 2 || agreement->has_too_many) return SQLITE_OK;
  double *memory = sqlite3_malloc64(4 * count * sizeof(*memory));
  if (!memory) return mlf_error_nomem(error);
  memset(memory, 0, 4 * count * sizeof(*memory));
  agreement_sums sums = {memory, memory + count, memory + 2 * count, memory + 3 * count, 0, 0};
  agreement_sum(agreement, weights, &sums);
  double away = MLF_WILSON_Z * agreement_standard_error(agreement, weights, &sums);
  kappa->is_known = sums.qe > 0; /* integers may differ and be one double */
  kappa->kappa = 1 - sums.qo / sums.qe;
  kappa->low = fmax(kappa->kappa - away, -1);
  kappa->high = fmin(kappa->kappa + away, 1);
  sqlite3_free(memory);
  return SQLITE_OK;
}
