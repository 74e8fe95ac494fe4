/* wilson.h: between which bounds does a rate lie, after s successes in n trials?
**
** Wilson's score interval, where p = s / n:
**
**   centre = (p + z^2 / 2n) / (1 + z^2 / n)
**   half   = z / (1 + z^2 / n) * sqrt(p (1 - p) / n + z^2 / 4n^2)
**
** E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22
** (1927); recommended over s / n +- z sqrt(p (1 - p) / n) by Brown, Cai and DasGupta, Interval
** Estimation for a Binomial Proportion, Statistical Science 16 (2001): it stays within 0 and 1, and
** is honest for small n and for rates near 0 or 1.
*/
#ifndef MLF_ANALYSIS_WILSON_H
#define MLF_ANALYSIS_WILSON_H

/* The 0.975 quantile of the normal distribution: an interval of 95 %. */
#define MLF_WILSON_Z 1.959963984540054

typedef struct mlf_wilson {
  double low;  /* 0 exactly if there is no success */
  double high; /* 1 exactly if there is no failure */
} mlf_wilson;

/* 0 <= successes <= trials, trials > 0, z >= 0, all finite. */
mlf_wilson mlf_wilson_interval(double successes, double trials, double z);

#endif
