/* timestamp.h: MLflow's times as integers, and back.
**
** MLflow's v3 API sends protobuf's JSON forms: a Timestamp `2026-11-23T11:59:23.950Z` (`Z` or a
** numeric offset) and a Duration `10.215s` (a minus sign before it if negative), each with up to 9
** fractional digits. Both may be far from now; what does not fit int64 milliseconds is refused.
*/
#ifndef MLF_MODEL_TIMESTAMP_H
#define MLF_MODEL_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339 text to Unix milliseconds, digits past the third dropped toward the past (floor, as
** protobuf's ToMilliseconds). False if `text` is NULL or no such time (month 13, 30 February,
** second 60, trailing characters). */
bool mlf_timestamp_parse(const char *text, int64_t *ms);

/* A protobuf Duration to milliseconds, truncated toward zero (as protobuf's ToMilliseconds).
** False if `text` is NULL or not one. */
bool mlf_duration_parse(const char *text, int64_t *ms);

/* Unix milliseconds as `YYYY-MM-DD HH:MM:SS.SSS` UTC, SQLite's own form, into at least 32 bytes.
** False, and an empty text, for a year outside 0000..9999 (SQLite's range). */
bool mlf_timestamp_format(int64_t ms, char text[32]);

#endif
