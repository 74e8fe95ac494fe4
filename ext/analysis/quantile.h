/* quantile.h: which value stands at a given fraction of a sorted sample, without sorting it?
**
** The values v[0] <= ... <= v[n-1] are thought of as points of a line over 0 .. n-1, and a fraction
** f of 0 to 1 as the place x = f * (n - 1) on it:
**
**   linear   v[i] + (v[i+1] - v[i]) * (x - i), where i = floor(x)
**   lower    v[i]
**
** "linear" is Hyndman and Fan's type 7 (Sample Quantiles in Statistical Packages, 1996) and numpy's
** method 'linear'; "lower" is numpy's method 'lower'. SQLite's percentile_cont and percentile_disc
** compute the same two.
**
** A sample costs 8 bytes a value while it only grows. Taking one quantile of it is a selection by
** digits: a few passes, each of which keeps only the values that agree with the sought one in 11
** more bits. It is linear for every input, at most 7 rounds, and needs no luck with pivots.
** The first question before the end, or the first value taken out, turns the sample into an ordered
** multiset (ordered.h), for windows.
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

/* The quantile at `fraction`, 0 to 1, of a sample that is not empty, which can go on changing
** afterwards. SQLITE_OK or SQLITE_NOMEM. */
int mlf_quantile_peek(mlf_quantile *quantile, double fraction, mlf_quantile_kind kind,
                      double *result);

/* The same without memory, once: the sample can only be cleared afterwards. */
double mlf_quantile_take(mlf_quantile *quantile, double fraction, mlf_quantile_kind kind);

#endif
