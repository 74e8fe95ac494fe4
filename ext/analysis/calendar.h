/* calendar.h: in which stretch of local time does an instant fall?
**
** Instants are milliseconds since 1970-01-01 00:00 UTC. A width is a whole number of one unit.
** Stretches are cut on the wall clock of a zone, and counted from 1970-01-01 00:00 there, weeks
** from the Monday before it (1969-12-29):
**
**   milliseconds, seconds, minutes, hours, days, weeks   of 24 hours a day on the wall clock
**   months, quarters, years                              of the calendar (Gregorian, proleptic)
**
** A stretch begins at the instant when clocks show its first time. If clocks skip that time, the
** stretch begins with the skip. If clocks show it twice, a stretch of a day or more begins the
** first time, and of shorter ones an instant belongs to the one that began last. So in every zone
** the begin of a stretch is never after an instant in it, and lies in the stretch itself. A later
** instant never has an earlier begin, with one exception: an hour that clocks show twice may cut a
** stretch of, say, 45 minutes in two.
*/
#ifndef MLF_ANALYSIS_CALENDAR_H
#define MLF_ANALYSIS_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mlf_calendar_width {
  int64_t ms;     /* 0 for a width of months */
  int64_t months; /* 0 for a width of milliseconds */
  int64_t origin_ms;
} mlf_calendar_width;

typedef struct mlf_calendar_zone {
  bool is_local;     /* the machine's zone (TZ, /etc/localtime) */
  int64_t offset_ms; /* east of UTC; if not local */
} mlf_calendar_zone;

/* Reads '15 minutes', '1 hour', 'day': a whole number and a unit. Without a number it is 1. The
** unit may have any case of letters, and a final s. False if the text is no width, or if the width
** is longer than 1,000 years. */
bool mlf_calendar_read_width(const char *text, size_t length, mlf_calendar_width *width);

/* Reads 'UTC', 'localtime' (in any case), '+02:00', '-05:30'; false if it is none of these, or over
** 14 hours. */
bool mlf_calendar_read_zone(const char *text, size_t length, mlf_calendar_zone *zone);

/* When the stretch that holds `ms` begins. `ms` is in the years 0 to 9999. */
int64_t mlf_calendar_floor(const mlf_calendar_width *width, const mlf_calendar_zone *zone,
                           int64_t ms);

#endif
