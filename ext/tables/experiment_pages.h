/* experiment_pages.h: the pages of the list of experiments that a statement has read, so that its
** inner loops read them again without a request.
**
** They are the first pages of the list, one after the other, as they came. Which is the last one
** its token tells: a list that was not read to its end goes on at the server. Beyond
** MLF_EXPERIMENTS_BYTES_MAX bytes of text no further page is kept, and each scan asks for those
** again.
*/
#ifndef MLF_TABLES_EXPERIMENT_PAGES_H
#define MLF_TABLES_EXPERIMENT_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "remote/experiments.h"

/* All zero: empty. */
typedef struct mlf_experiment_pages {
  mlf_experiments *pages; /* owned */
  size_t count;
  size_t capacity;
  size_t bytes; /* of their text */
} mlf_experiment_pages;

/* The page at this place, counted from 0, which the caller clears; false if it is not kept. */
bool mlf_experiment_pages_get(const mlf_experiment_pages *kept, size_t place,
                              mlf_experiments *page);

/* Keeps a page that has arrived, unless it is no longer the next one, or there is no room.
** SQLITE_OK or SQLITE_NOMEM. */
int mlf_experiment_pages_put(mlf_experiment_pages *kept, size_t place, const mlf_experiments *page);

void mlf_experiment_pages_clear(mlf_experiment_pages *kept);

#endif
