/* textplot.h: how does a series, or a share, look in a terminal?
**
** Block elements of Unicode (U+2581 to U+258F): eight heights for a series, eight widths for the
** end of a bar. One character a value, one column wide.
*/
#ifndef MLF_ANALYSIS_TEXTPLOT_H
#define MLF_ANALYSIS_TEXTPLOT_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends one character a value: the least value is the lowest block, the greatest the highest, and
** between them floor(8 * (value - least) / (greatest - least)) counts. NAN stands for no value and
** is a space; other values are finite. If all values are equal they are of middle height.
** SQLITE_OK or the buffer's error. */
int mlf_textplot_sparkline(mlf_buffer *out, const double *values, size_t count);

/* Appends a bar of `value / max * width` columns, rounded down to an eighth; at most `width`, but
** not nothing for a value above 0. Nothing if `value` or `max` is not above 0. SQLITE_OK or the
** buffer's error. */
int mlf_textplot_bar(mlf_buffer *out, double value, double max, int width);

#endif
