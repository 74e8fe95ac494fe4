/* time_bound.h: conditions on request_time, which is a text, as bounds in milliseconds. */
#ifndef MLF_QUERY_TIME_BOUND_H
#define MLF_QUERY_TIME_BOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first millisecond whose text (mlf_timestamp_format) is at or behind `text` in SQL's order of
** texts, behind it alone if `behind`. It may be any text: '2026-11-24' stands before every time of
** that day, '2026-11-24T10:00' behind them all. MLF_GREGORIAN_MAX_MS + 1 if there is none. */
int64_t mlf_time_bound(const char *text, size_t length, bool behind);

#endif
