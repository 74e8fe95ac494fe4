/* difference.h: is a value more frequent in a selection of rows than in the rest of them?
**
** k of the n selected rows have the value, and l of the m other rows. The shares are p = k / n and
** q = l / m; their Wilson intervals of 95 % (wilson.h) are p- to p+ and q- to q+.
**
**   difference  p - q, from p - q - sqrt((p - p-)^2 + (q+ - q)^2)
**                        to p - q + sqrt((p+ - p)^2 + (q - q-)^2):
**               R. G. Newcombe, Interval Estimation for the Difference between Independent
**               Proportions, Statistics in Medicine 17 (1998), method 10
**   lift        p / ((k + l) / (n + m)): how many times as frequent as in all rows; S. Brin et al.,
**               Dynamic Itemset Counting and Implication Rules, SIGMOD 1997 (there: interest)
**   npmi        ln(lift) / -ln(k / (n + m)): -1 if no selected row has the value, 0 if value and
**               selection are independent, 1 if exactly the selected rows have it; G. Bouma,
**               Normalized (Pointwise) Mutual Information in Collocation Extraction, GSCL 2009
*/
#ifndef MLF_ANALYSIS_DIFFERENCE_H
#define MLF_ANALYSIS_DIFFERENCE_H

#include <stdint.h>

typedef struct mlf_difference {
  double share;
  double rest_share;
  double difference;
  double low; /* from -1 to 1, both */
  double high;
  double lift;
  double npmi; /* from -1 to 1 */
} mlf_difference;

/* 0 <= k <= n, 0 <= l <= m, n > 0, m > 0, k + l > 0. */
mlf_difference mlf_difference_of(int64_t k, int64_t n, int64_t l, int64_t m);

#endif
