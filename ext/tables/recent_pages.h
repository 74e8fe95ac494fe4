/* recent_pages.h: the newest pages of traces that a statement was given, in memory as they came. A
** join asks for one trace after the other: most look-ups end here.
*/
#ifndef MLF_TABLES_RECENT_PAGES_H
#define MLF_TABLES_RECENT_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/json.h"

/* The page that is read, and the one before it. */
#define MLF_RECENT_PAGES 2

/* All zero before the first use. */
typedef struct mlf_recent_pages {
  mlf_json *pages[MLF_RECENT_PAGES];            /* held */
  const mlf_json_node *found[MLF_RECENT_PAGES]; /* where the last search in each ended */
  size_t next;                                  /* the place to be used again next */
} mlf_recent_pages;

bool mlf_recent_pages_has(const mlf_recent_pages *recent, const mlf_json *page);

/* Takes a page in, whose traces from `from` on will be looked for first. */
void mlf_recent_pages_put(mlf_recent_pages *recent, const mlf_json *page,
                          const mlf_json_node *from);

/* The trace with this id, held by the caller in `*page`; NULL if it is in none. */
const mlf_json_node *mlf_recent_pages_find(mlf_recent_pages *recent, const char *id,
                                           mlf_json **page);

void mlf_recent_pages_clear(mlf_recent_pages *recent);

#endif
