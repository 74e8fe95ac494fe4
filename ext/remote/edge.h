/* edge.h: whether a page goes on where the one before it ended.
**
** The next page is asked for from the time of the last row on, so that row has to come again. If it
** does not it was deleted, or has moved, or the server has left something out. */
#ifndef MLF_REMOTE_EDGE_H
#define MLF_REMOTE_EDGE_H

#include <stdbool.h>

#include "remote/search.h"

/* The id of the last row of a page that has rows. Borrowed. */
const char *mlf_edge_of(const mlf_page *page);

/* Whether the row with this id and time is in the page, before any row of another time. */
bool mlf_edge_is_met(const mlf_page *page, const char *id, int64_t ms);

#endif
