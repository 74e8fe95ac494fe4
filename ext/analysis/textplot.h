/* textplot.h: how does a series, or a share, look in a terminal?
**
** Block elements of Unicode (U+2581 to U+258F): eight heights for a series, eight widths for the
** end of a bar. One character a value, one column wide.
*/
#ifndef MLF_ANALYSIS_TEXTPLOT_H
#define MLF_ANALYSIS_TEXTPLOT_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends one character for each value. The least value is the lowest block, the greatest the
** highest; between them floor(8 * (value - least) / (greatest - least)) is the height. If all
** values are equal, all have the middle height. NAN stands for no value and becomes a space; other
** values are finite. SQLITE_OK or the buffer's error. */
int mlf_textplot_sparkline(mlf_buffer *out, const double *values, size_t count);

/* Appends a bar of `value / max * width` columns, rounded down to an eighth: at most `width`, and
** at least an eighth if `value` is above 0. If `value` or `max` is not above 0, there is no bar.
** SQLITE_OK or the buffer's error. */
int mlf_textplot_bar(mlf_buffer *out, double value, double max, int width);

#endif
