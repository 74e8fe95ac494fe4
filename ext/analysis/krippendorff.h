/* krippendorff.h: how far do several raters agree, if not each of them rated everything?
**
** Krippendorff's alpha is 1 - D_o / D_e. The unit u has m_u values; all units have n values.
**
**   D_o = 1/n sum_u 1/(m_u - 1) sum of d(x, y) over the ordered pairs of values of u
**   D_e = 1/(n (n - 1)) sum of d(x, y) over the ordered pairs of all values
**
**   nominal   d(x, y) = 1 for x != y          interval   d(x, y) = (x - y)^2
**
** K. Krippendorff, Content Analysis, 4th edition (2019), chapter 12. Units with one value are left
** out. Values are equal as for mlf_stratify_compare.
**
** The memory grows with the values: 96 bytes each, twice that where the array has just grown, and
** the text of unit and value.
*/
#ifndef MLF_ANALYSIS_KRIPPENDORFF_H
#define MLF_ANALYSIS_KRIPPENDORFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/value.h"

typedef struct mlf_krippendorff_rating {
  mlf_value unit; /* these two own their text */
  mlf_value value;
} mlf_krippendorff_rating;

typedef struct mlf_krippendorff {
  mlf_krippendorff_rating *ratings; /* owned */
  size_t count;
  size_t capacity;
} mlf_krippendorff;

void mlf_krippendorff_clear(mlf_krippendorff *state);

/* Adds what one rater said of a unit. Neither is NULL; both are copied. SQLITE_OK or
** SQLITE_NOMEM. */
int mlf_krippendorff_add(mlf_krippendorff *state, const mlf_value *unit, const mlf_value *value,
                         mlf_error *error);

/* Computes alpha, which is at most 1. False if it is not defined: no unit has two values, or all
** values are equal. It reorders and reduces the ratings, so nothing can be added afterwards. With
** `is_interval` all values must be finite numbers. */
bool mlf_krippendorff_alpha(mlf_krippendorff *state, bool is_interval, double *alpha);

#endif
