#include "analysis/difference.h"

#include <assert.h>
#include <math.h>

#include "analysis/wilson.h"

/* The root of x^2 + y^2. (hypot() of a new glibc is not found in older ones.) */
static double difference_norm(double x, double y) {
  return sqrt(x * x + y * y);
}

mlf_difference mlf_difference_of(int64_t k, int64_t n, int64_t l, int64_t m) {
  assert(0 <= k && k <= n && 0 <= l && l <= m && n > 0 && m > 0 && k + l > 0);
  double p = (double)k / (double)n;
  double q = (double)l / (double)m;
  double rows = (double)n + (double)m;
  mlf_wilson of_p = mlf_wilson_interval((double)k, (double)n, MLF_WILSON_Z);
  mlf_wilson of_q = mlf_wilson_interval((double)l, (double)m, MLF_WILSON_Z);
  mlf_difference result = {.share = p, .rest_share = q, .difference = p - q};
  result.low = p - q - difference_norm(p - of_p.low, of_q.high - q);
  result.high = p - q + difference_norm(of_p.high - p, q - of_q.low);
  result.lift = p * rows / ((double)k + (double)l);
  result.npmi = k == 0 ? -1 : log(result.lift) / -log((double)k / rows);
  return result;
}
