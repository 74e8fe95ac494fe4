/* trace_table.h: the virtual table methods that mlflow_traces, mlflow_spans and mlflow_assessments
** have in common. Each walks traces (tables/trace_scan.h) and makes rows of them: one a trace, one
** a span, one an assessment.
**
**   SELECT status, count(*) FROM mlflow_traces WHERE experiment = 'agent-prod' GROUP BY status;
**   CREATE VIRTUAL TABLE traces USING mlflow_traces(experiment = 'agent-prod', tags.environment);
**
** Nothing is sent before a scan begins: not by loading, CREATE, PRAGMA or EXPLAIN.
*/
#ifndef MLF_TABLES_TRACE_TABLE_H
#define MLF_TABLES_TRACE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "tables/connection.h"
#include "tables/trace_scan.h"

/* How one of the tables makes rows of a trace. The state is a zeroed block of `state_size` bytes,
** one for each scan. */
typedef struct mlf_trace_rows {
  const char *table; /* module name */
  int (*init_schema)(mlf_schema *schema);
  size_t state_size;
  /* Goes to the first row of the trace that the scan is at; `*row` says whether it has any. */
  int (*first)(mlf_trace_scan *scan, void *state, bool *row, mlf_error *error);
  /* Goes to the next row of this trace; false if there is none. */
  bool (*next)(void *state);
  /* The place of the current row among those of its trace in the order of their ids, for the server
  ** sends them in any; NULL: a trace has but one. */
  size_t (*rank)(const void *state);
  /* The value of a column in the current row. A text is owned by it, or borrowed until the next
  ** call. */
  int (*value)(mlf_trace_scan *scan, void *state, const mlf_column *column, mlf_value *value,
               mlf_error *error);
  /* Frees what the state holds, and makes it ready for another trace. */
  void (*clear)(void *state);
} mlf_trace_rows;

extern const mlf_trace_rows mlf_trace_rows_traces;
extern const mlf_trace_rows mlf_trace_rows_spans;
extern const mlf_trace_rows mlf_trace_rows_assessments;

int mlf_trace_table_register(sqlite3 *db, mlf_connection *connection, const mlf_trace_rows *rows);

#endif
