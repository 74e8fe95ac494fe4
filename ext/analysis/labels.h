/* labels.h: which different values came, and which number has each of them?
**
** Values are equal as in SELECT DISTINCT with BINARY collation (mlf_stratify_compare): 1 and 1.0
** are equal, 1 and '1' are not. Of equal values the first that came is kept. The memory grows with
** the different values, of which at most MLF_LABELS_MAX are kept, and not with the rows.
*/
#ifndef MLF_ANALYSIS_LABELS_H
#define MLF_ANALYSIS_LABELS_H

#include <stddef.h>

#include "base/error.h"
#include "base/value.h"

#define MLF_LABELS_MAX 1000

typedef struct mlf_label {
  mlf_value value; /* owns its text */
  size_t number;   /* how many different values came before it */
} mlf_label;

typedef struct mlf_labels {
  mlf_label *sorted; /* owned; in SQL's order */
  size_t count;
  size_t capacity;
} mlf_labels;

void mlf_labels_clear(mlf_labels *labels);

/* Finds the number of a value. A new value is copied and added; if there is no room for it, the
** number is MLF_LABELS_MAX. SQLITE_OK or SQLITE_NOMEM. */
int mlf_labels_find(mlf_labels *labels, const mlf_value *value, size_t *number, mlf_error *error);

#endif
