#include "analysis/textplot.h"

#include <math.h>

#include "base/sqlite_api.h"

#define TEXTPLOT_LEVELS 8
#define TEXTPLOT_FULL   "\xe2\x96\x88" /* U+2588 FULL BLOCK */

/* The index of the block for `value`: scaled by halves, because the range of two doubles may be
** beyond a double. */
static int textplot_level(double value, double least, double greatest) {
  double range = greatest / 2 - least / 2;
  if (range == 0) return TEXTPLOT_LEVELS / 2 - 1;
  int level = (int)((value / 2 - least / 2) / range * TEXTPLOT_LEVELS);
  return level < TEXTPLOT_LEVELS ? level : TEXTPLOT_LEVELS - 1;
}

int mlf_textplot_sparkline(mlf_buffer *out, const double *values, size_t count) {
  double least = NAN;
  double greatest = NAN;
  for (size_t i = 0; i < count; i++) {
    least = fmin(least, values[i]);
    greatest = fmax(greatest, values[i]);
  }
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < count; i++) {
    if (isnan(values[i])) {
      rc = mlf_buffer_append(out, " ", 1);
    } else {
      /* U+2581 LOWER ONE EIGHTH BLOCK to U+2588 FULL BLOCK. */
      char block[3] = "\xe2\x96\x81";
      block[2] = (char)(block[2] + textplot_level(values[i], least, greatest));
      rc = mlf_buffer_append(out, block, sizeof(block));
    }
  }
  return rc;
}

int mlf_textplot_bar(mlf_buffer *out, double value, double max, int width) {
  if (!(value > 0) || !(max > 0)) return SQLITE_OK;
  double share = value < max ? value / max : 1;
  int eighths = (int)(share * width * 8);
  if (eighths == 0) eighths = 1;
  int rc = SQLITE_OK;
  for (; rc == SQLITE_OK && eighths >= 8; eighths -= 8)
    rc = mlf_buffer_append(out, TEXTPLOT_FULL, 3);
  if (rc != SQLITE_OK || eighths == 0) return rc;
  /* U+2589 LEFT SEVEN EIGHTHS BLOCK down to U+258F LEFT ONE EIGHTH BLOCK. */
  char block[3] = "\xe2\x96\x90";
  block[2] = (char)(block[2] - eighths);
  return mlf_buffer_append(out, block, sizeof(block));
}
