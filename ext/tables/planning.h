/* planning.h: sqlite3_index_info as the plain constraints of query/plan.h, and the plan back. */
#ifndef MLF_TABLES_PLANNING_H
#define MLF_TABLES_PLANNING_H

#include <stdbool.h>

#include "base/sqlite_api.h"
#include "model/catalog.h"

/* What a statement compares with the hidden arguments; false again before the next is planned. */
typedef struct mlf_planning_asked {
  bool experiment;
  bool filter;
  bool in_run;
} mlf_planning_asked;

/* idxNum of a plan that is not told which experiment the statement asks for. */
#define MLF_PLANNING_UNTOLD 1

/* Does xBestIndex's work: chooses a plan and writes it into `info`, its text as idxStr. With
** `pushdown` off only the hidden arguments (experiment, filter) are taken, for they say what the
** table holds. SQLITE_OK, SQLITE_CONSTRAINT (try another plan) or SQLITE_NOMEM. */
int mlf_planning_best_index(const mlf_schema *schema, bool pushdown, mlf_planning_asked *asked,
                            sqlite3_index_info *info);

#endif
