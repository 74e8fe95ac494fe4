/* gregorian.h: which day is a date, and back?
**
** Dates are of the proleptic Gregorian calendar (as ISO 8601, RFC 3339, SQLite and protobuf have
** it), of any year; days are counted from 1970-01-01.
*/
#ifndef MLF_BASE_GREGORIAN_H
#define MLF_BASE_GREGORIAN_H

#include <stdbool.h>
#include <stdint.h>

#define MLF_DAY_MS INT64_C(86400000)

/* The first and the last millisecond of the years that SQLite's dates can say, 0000 to 9999. */
#define MLF_GREGORIAN_MIN_MS (-62167219200000)
#define MLF_GREGORIAN_MAX_MS 253402300799999

/* The quotient rounded toward minus infinity; the divisor is positive. */
int64_t mlf_floor_divide(int64_t dividend, int64_t divisor);

/* Whether there is such a date: no month 13, no 30 February. */
bool mlf_gregorian_exists(int64_t year, int month, int day);

/* The days to a date; the month is 1 to 12. A day past the month's end counts on. */
int64_t mlf_gregorian_days(int64_t year, int month, int day);

/* The date of a day. */
void mlf_gregorian_date(int64_t days, int64_t *year, int *month, int *day);

#endif
