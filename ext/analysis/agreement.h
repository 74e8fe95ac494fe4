/* agreement.h: how far do two raters agree, beyond what chance alone would give?
**
** v_ij is the weight of the disagreement between labels i and j: 0 if i = j, at most 1. p_ij is the
** share of the pairs (i, j); p_i. and p_.j are its sums over j and over i.
**
**   kappa = 1 - qo / qe,   qo = sum v_ij p_ij,   qe = sum v_ij p_i. p_.j
**
**   nominal    v_ij = 1 for i != j     J. Cohen, A Coefficient of Agreement for Nominal Scales,
**                                      Educational and Psychological Measurement 20 (1960)
**   linear     v_ij = |x_i - x_j| / (the largest - the smallest x)
**   quadratic  v_ij = the square of that; both: J. Cohen, Weighted Kappa, Psychological Bulletin 70
**                                      (1968)
**
** Distances are taken between the numbers themselves. So kappa is the same whether every
** step of a scale occurs or not. Its interval of 95 % is kappa +- 1.96 se, cut to -1 and 1, with
** the standard error of J. L. Fleiss, J. Cohen and B. S. Everitt, Large Sample Standard Errors of
** Kappa and Weighted Kappa, Psychological Bulletin 72 (1969): se^2 = variance / (n qe^4), the
** variance over the pairs of
**
**   (1 - v_ij) qe - (2 - sum_k p_.k v_ik - sum_k p_k. v_kj) qo
**
** The interval is meant for large samples. If all pairs agree, low and high are the same number.
**
** The memory is 8 bytes times the square of the number of labels, 8 MB at most.
*/
#ifndef MLF_ANALYSIS_AGREEMENT_H
#define MLF_ANALYSIS_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/labels.h"

typedef enum mlf_agreement_weights {
  MLF_AGREEMENT_NOMINAL,
  MLF_AGREEMENT_LINEAR,
  MLF_AGREEMENT_QUADRATIC
} mlf_agreement_weights;

typedef struct mlf_agreement {
  mlf_labels labels;
  int64_t *counts; /* owned; side x side, of the pair (label of a, label of b) by number */
  size_t side;
  int64_t n;
  int64_t same;
  bool has_too_many; /* more than MLF_LABELS_MAX labels came: only n and same are right */
} mlf_agreement;

typedef struct mlf_kappa {
  bool is_known; /* false if there are no pairs, or if only one label came */
  double kappa;  /* from -1 to 1 */
  double low;
  double high;
} mlf_kappa;

void mlf_agreement_clear(mlf_agreement *agreement);

/* Adds a pair. Neither value is NULL; a value that is new is copied. SQLITE_OK or SQLITE_NOMEM.
** After a failure the caller may only clear the object. */
int mlf_agreement_add(mlf_agreement *agreement, const mlf_value *a, const mlf_value *b,
                      mlf_error *error);

/* The number of pairs of two labels. */
int64_t mlf_agreement_count(const mlf_agreement *agreement, const mlf_label *a, const mlf_label *b);

/* Computes kappa. has_too_many must be false. With weights all labels must be finite numbers.
** SQLITE_OK or SQLITE_NOMEM. */
int mlf_agreement_kappa(const mlf_agreement *agreement, mlf_agreement_weights weights,
                        mlf_kappa *kappa, mlf_error *error);

#endif
