#include "analysis/wilson.h"

#include <assert.h>
#include <math.h>

mlf_wilson mlf_wilson_interval(double successes, double trials, double z) {
  assert(0 <= successes && successes <= trials && trials > 0 && z >= 0);
  double rate = successes / trials;
  /* z^2 / n, written so that a large z does not overflow. */
  double part = z / trials * z;
  double centre = (rate + part / 2) / (1 + part);
  double half = sqrt(rate * (1 - rate) * part + part * part / 4) / (1 + part);
  mlf_wilson interval = {fmax(centre - half, 0), fmin(centre + half, 1)};
  if (successes == 0) interval.low = 0;
  if (successes == trials) interval.high = 1;
  return interval;
}
