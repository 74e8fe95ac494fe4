/* calendar.h: in which stretch of local time does an instant fall?
**
** Instants are milliseconds since 1970-01-01 00:00 UTC. A width is a whole number of one unit.
** Stretches are cut on the wall clock of a zone, and counted from 1970-01-01 00:00 there, weeks
** from the Monday before it (1969-12-29):
**
**   milliseconds, seconds, minutes, hours, days, weeks   of 24 hours a day on the wall clock
**   months, quarters, years                              of the calendar (Gregorian, proleptic)
**
** A stretch begins at the instant when its first wall-clock time is shown. If clocks skip that
** time, it begins with the skip; if they show it twice, an instant belongs to the stretch begun
** last. So, in every zone, a stretch's begin is not after the instant and belongs to its own
** stretch. It never falls back while the instant goes on, but for widths such as 45 minutes, which
** an hour that is shown again cuts through.
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

/* Reads '15 minutes', '1 hour', 'day': a whole number, 1 if absent, and a unit, of which case and a
** final s do not matter. False if it is none, or longer than 1,000 years. */
bool mlf_calendar_read_width(const char *text, size_t length, mlf_calendar_width *width);

/* Reads 'UTC', 'localtime' (in any case), '+02:00', '-05:30'; false if it is none of these, or over
** 14 hours. */
bool mlf_calendar_read_zone(const char *text, size_t length, mlf_calendar_zone *zone);

/* The instant at which the stretch begins that holds `ms`, of years 0 to 9999. */
int64_t mlf_calendar_floor(const mlf_calendar_width *width, const mlf_calendar_zone *zone,
                           int64_t ms);

#endif
