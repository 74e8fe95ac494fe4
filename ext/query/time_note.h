/* time_note.h: does a condition on time compare it with another thing than was meant?
**
**   timestamp_ms > '2026-11-24'   a text: SQL puts every text behind every number
**   timestamp_ms > 1795564800     seconds: in milliseconds that is a day of January 1970
**   request_time > 1795564800     a number: SQL compares it with a text digit by digit
**
** All are good SQL, and the rows are what SQL says. A note tells the person who wonders at them.
*/
#ifndef MLF_QUERY_TIME_NOTE_H
#define MLF_QUERY_TIME_NOTE_H

#include <stdbool.h>

#include "query/filter.h"

/* Whether the term compares a column of milliseconds with a text or with seconds, or a date with a
** number that is no year. */
bool mlf_time_note_applies(const mlf_filter_term *term);

/* The note on such a term, in one line: what was compared, what that means, what to write. Of
** sqlite3_malloc64, the caller's; NULL if there is no memory. */
char *mlf_time_note_text(const mlf_filter_term *term);

#endif
