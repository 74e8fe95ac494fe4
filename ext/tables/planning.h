/* planning.h: sqlite3_index_info as the plain constraints of query/plan.h, and the plan back. */
#ifndef MLF_TABLES_PLANNING_H
#define MLF_TABLES_PLANNING_H

#include <stdbool.h>

#include "base/sqlite_api.h"
#include "model/catalog.h"

/* idxNum of a plan for a statement that reads the column `experiment`, and does not say which. */
#define MLF_PLANNING_EVERYWHERE 1

/* Does xBestIndex's work: chooses a plan and writes it into `info`, its text as idxStr. With
** `pushdown` off only the hidden arguments (experiment, filter) are taken, for they say what the
** table holds. `*filter_asked` is set by a statement that compares `filter`, and false again before
** the next one is planned: within one, a plan that is not told of the filter would lose rows.
** SQLITE_OK, SQLITE_CONSTRAINT (try another plan) or SQLITE_NOMEM. */
int mlf_planning_best_index(const mlf_schema *schema, bool pushdown, bool *filter_asked,
                            sqlite3_index_info *info);

#endif
