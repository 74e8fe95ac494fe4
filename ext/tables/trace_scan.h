/* trace_scan.h: which traces a scan of one of our tables is about, one after the other.
**
** mlflow_traces, mlflow_spans and mlflow_assessments are three views of the same traces; a scan of
** any of them walks those that its plan, its arguments and its scope let through:
**
** (1) The plan (query/plan.h) is idxStr; its values are bound, the filter is written for the
**     server's version, the scope is resolved. SQLite checks every row again.
** (2) A look-up of one id is about that trace: if the statement was given it, no default scope
** counts.
** (3) What has changed since the scan began the last time is noted, so that the source
**     (tables/trace_source.h), which hands over the traces, knows what stays the same.
** (4) A failure ends the statement: no partial result passes for whole.
*/
#ifndef MLF_TABLES_TRACE_SCAN_H
#define MLF_TABLES_TRACE_SCAN_H

#include "model/span_set.h"
#include "query/arguments.h"
#include "query/filter.h"
#include "tables/connection.h"
#include "tables/trace_source.h"
#include "tables/values.h"

/* All zero before the first use. */
typedef struct mlf_trace_scan {
  const sqlite3_vtab *table; /* these four are set by the owner and outlive the scan */
  mlf_connection *connection;
  const mlf_schema *schema;
  const mlf_arguments *arguments;
  mlf_trace_source source; /* and the statement that it has joined; its trace is the scan's, none at
                              the end */
  const char *plan_text;   /* by which it began; NULL if it has not */
  bool left_out[MLF_FILTER_TERMS_MAX]; /* which of its terms are not sent */
  bool joined;   /* the experiment that it names comes from another table's row */
  bool rivals;   /* it may be of another statement than it has joined, */
  bool in_doubt; /* which says something else of what is compared */
  mlf_bound_terms bound;
  const mlf_changing *changing; /* which of them change; the statement's */
  mlf_experiment_list scope;
  bool scope_kept; /* the statement says nothing of experiments: the scope stays the same */
  mlf_filter filter;
  mlf_filter lasting; /* of the terms that do not change */
  int64_t counted;    /* rows that the server has counted and nobody reads, from the one that the
                         scan is at on; 0: it reads traces */
} mlf_trace_scan;

/* Joins the statement that is running. SQLITE_OK or SQLITE_NOMEM. */
int mlf_trace_scan_open(mlf_trace_scan *scan);

/* Begins anew, at the first trace: idxNum, idxStr and the values are xFilter's. */
int mlf_trace_scan_begin(mlf_trace_scan *scan, int plan_number, const char *plan_text,
                         sqlite3_value **values, mlf_error *error);

/* Goes to the next trace. */
int mlf_trace_scan_next(mlf_trace_scan *scan, mlf_error *error);

/* The value of a column of MLF_SOURCE_ASKED: the experiment's name, or the filter or run that the
** statement asked, so that SQLite's own check of it holds; NULL if it asked none. Borrowed. */
const char *mlf_trace_scan_asked(const mlf_trace_scan *scan, const mlf_column *column);

/* The spans of the trace that the scan is at, the caller's; NULL for a trace without. If the server
** has something there that cannot be read, `*why` says what, also the caller's (sqlite3_free), and
** the result is SQLITE_OK: see mlf_trace_scan_blame. */
int mlf_trace_scan_spans(mlf_trace_scan *scan, mlf_span_set **spans, char **why, mlf_error *error);

/* Something of the trace that the scan is at cannot be read. By MLFLOW_SQL_BAD_TRACES that is an
** error which names the trace, or SQLITE_OK, and NULL is to be shown. */
int mlf_trace_scan_blame(mlf_trace_scan *scan, const char *why, mlf_error *error);

/* The same for what came of reading a value out of the trace, NULL if it was none: it is SQL's NULL
** where it cannot be read. Clears `cause`. What is not about the trace's contents passes. */
int mlf_trace_scan_judge(mlf_trace_scan *scan, mlf_error *cause, mlf_value *value,
                         mlf_error *error);

/* Ends the scan. */
void mlf_trace_scan_end(mlf_trace_scan *scan);

#endif
