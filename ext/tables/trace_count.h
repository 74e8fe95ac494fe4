/* trace_count.h: how many rows a scan of mlflow_traces has, from the server, without reading them.
**
** `SELECT count(*) FROM mlflow_traces` reads no column: SQLite wants so many rows and nothing of
** them. The metrics endpoint counts in one request what the search returns in one for 500 traces.
** So the server counts where
**
** (1) the plan says COUNT (tables/planning.h): each constraint is sent as it stands, and no column
**     is read but the key and those whose value the plan tells with `=`;
** (2) the statement's program reads no other column, nor the key, and begins the scan once: SQLite
**     says of count(*) that it reads the key, and what is asked again and again is better answered
**     by what the statement was given;
** (3) no MLFLOW_SQL_FILTER is set, for metrics have another language;
** (4) the server has metrics that count as the search does, and answers.
**
** Else the traces are read.
*/
#ifndef MLF_TABLES_TRACE_COUNT_H
#define MLF_TABLES_TRACE_COUNT_H

#include "query/filter.h"
#include "tables/experiment_list.h"
#include "tables/statement.h"
#include "tables/values.h"

/* Counts for a scan of the table whose plan says COUNT. SQLITE_OK, or SQLITE_NOTFOUND: the traces
** have to be read; SQLITE_INTERRUPT; SQLITE_NOMEM. */
int mlf_trace_count(mlf_statement *statement, const sqlite3_vtab *table, const char *plan_text,
                    const mlf_bound_terms *bound, const mlf_experiment_list *scope, int64_t *rows,
                    mlf_error *error);

/* The value of a column in each of those rows: a text, borrowed; NULL: it is not told. */
const char *mlf_trace_count_value(const mlf_bound_terms *bound, const mlf_column *column);

#endif
