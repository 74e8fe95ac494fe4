/* quantile.h: which value stands at a given fraction of a sorted sample, without sorting it?
**
** The sorted values are v[0] <= ... <= v[n-1]. A fraction f from 0 to 1 means the place
** x = f * (n - 1), with i = floor(x):
**
**   linear   v[i] + (v[i+1] - v[i]) * (x - i)
**   lower    v[i]
**
** "linear" is Hyndman and Fan's type 7 (Sample Quantiles in Statistical Packages, 1996) and numpy's
** method 'linear'; "lower" is numpy's method 'lower'. SQLite's percentile_cont and percentile_disc
** compute the same two.
**
** A sample costs 8 bytes a value while it only grows. One quantile is found by selection
** by digits: each pass keeps only the values that agree with the wanted one in 11 more bits. At
** most 7 passes are needed, whatever the values are, so the time is linear. For windows the sample
** becomes an ordered multiset (ordered.h): as soon as a quantile is asked for before the end, or a
** value is taken out.
*/
#ifndef MLF_ANALYSIS_QUANTILE_H
#define MLF_ANALYSIS_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/ordered.h"

typedef enum mlf_quantile_kind { MLF_QUANTILE_LINEAR, MLF_QUANTILE_LOWER } mlf_quantile_kind;

typedef struct mlf_quantile {
  uint64_t *keys; /* owned; the values as integers of the same order */
  size_t count;
  size_t capacity;
  mlf_ordered ordered; /* holds the values instead once `is_ordered` */
  bool is_ordered;
} mlf_quantile;

/* A sample that is all zero is empty. */
void mlf_quantile_clear(mlf_quantile *quantile);

/* Adds a finite value. SQLITE_OK, or SQLITE_NOMEM and the sample is as before: SQLite allocates no
** block of 2 GiB, so a sample ends near 268 million values. */
int mlf_quantile_add(mlf_quantile *quantile, double value);

/* Takes out a value that was added. SQLITE_OK or SQLITE_NOMEM. */
int mlf_quantile_remove(mlf_quantile *quantile, double value);

size_t mlf_quantile_count(const mlf_quantile *quantile);

/* The quantile at `fraction`, 0 to 1. The sample is not empty, and may change afterwards. SQLITE_OK
** or SQLITE_NOMEM. */
int mlf_quantile_peek(mlf_quantile *quantile, double fraction, mlf_quantile_kind kind,
                      double *result);

/* The same, but it allocates nothing. Afterwards the caller may only clear the sample. */
double mlf_quantile_take(mlf_quantile *quantile, double fraction, mlf_quantile_kind kind);

#endif
