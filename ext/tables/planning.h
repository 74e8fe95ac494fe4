/* planning.h: sqlite3_index_info as the plain constraints of query/plan.h, and the plan back. */
#ifndef MLF_TABLES_PLANNING_H
#define MLF_TABLES_PLANNING_H

#include <stdbool.h>

#include "base/sqlite_api.h"
#include "model/catalog.h"

/* idxNum: which arguments the statement reads that the plan does not tell, and whether it reads
** experiment_id so: it may show them, or compare them. */
#define MLF_PLANNING_UNTOLD_EXPERIMENT 1
#define MLF_PLANNING_UNTOLD_OTHER      2 /* filter, in_run */
#define MLF_PLANNING_UNTOLD_ID         4
#define MLF_PLANNING_UNTOLD            7
/* And the terms for which SQLite hands over the values of an IN one by one: a bit for each of the
** first 24, and one for all behind them. */
#define MLF_PLANNING_LOOPS(term) (8 << ((term) < 24 ? (term) : 24))

/* How a table may be read. */
typedef struct mlf_planning_ways {
  bool pushdown; /* else only the arguments are taken, for they say what the table holds */
  bool count;    /* it has one row a trace, which the server can count (tables/trace_count.h) */
} mlf_planning_ways;

/* Does xBestIndex's work: chooses a plan and writes it into `info`, its text as idxStr. SQLITE_OK,
** SQLITE_CONSTRAINT (try another plan) or SQLITE_NOMEM. */
int mlf_planning_best_index(const mlf_schema *schema, mlf_planning_ways ways,
                            sqlite3_index_info *info);

#endif
