/* trace_scan.h: which traces a scan of one of our tables is about, one after the other.
**
** mlflow_traces, mlflow_spans and mlflow_assessments are three views of the same traces; a scan of
** any of them walks those that its plan, its arguments and its scope let through:
**
** (1) The plan (query/plan.h) is idxStr; its values are bound, the filter is written for the
**     server's version, the scope is resolved, pages are walked. SQLite checks every row again.
** (2) A look-up of one id is first answered from the pages that other scans of the statement hold,
**     then from what the statement remembers, so that a join by trace_id is not a request a row.
**     `trace_id = ? AND trace_id IN (…)` fetches the whole list at the first look-up. Without a
**     list, look-ups go on one by one until they have cost an eighth of what a walk over all that
**     they choose from is thought to cost; then that walk is done, and remembered.
** (3) A walk that is done a second time in one statement is remembered; from then on it is not done
**     again, in whatever order. One that is cut short again and again counts as look-ups do.
** (4) A failure ends the statement: no partial result passes for whole.
*/
#ifndef MLF_TABLES_TRACE_SCAN_H
#define MLF_TABLES_TRACE_SCAN_H

#include "model/span_set.h"
#include "query/arguments.h"
#include "query/filter.h"
#include "remote/pager.h"
#include "tables/connection.h"
#include "tables/scope.h"
#include "tables/statement.h"
#include "tables/values.h"

/* All zero before the first use. */
typedef struct mlf_trace_scan {
  mlf_connection *connection; /* these three are set by the owner and outlive the scan */
  const mlf_schema *schema;
  const mlf_arguments *arguments;
  mlf_statement *statement;
  mlf_held_page at; /* the page and the trace that the scan is at; no trace at the end */
  mlf_bound_terms bound;
  mlf_experiment_list scope;
  bool scope_kept; /* the statement says nothing of experiments: the scope stays the same */
  mlf_filter filter;
  const char **ids;       /* of filter.ids, without NULLs */
  bool pruned;            /* the filter has conditions on spans */
  mlf_pager *pager;       /* where traces come from: the server; */
  mlf_json *held;         /* or this page, of another scan or from the memo; */
  bool replaying;         /* and then those that the memo has after it, */
  mlf_order order;        /* in this order, */
  mlf_memo_mark mark;     /* from here on */
  mlf_memo *memo;         /* of the statement */
  mlf_question *question; /* that the scan asks; NULL if it asks nothing */
} mlf_trace_scan;

/* Begins anew, at the first trace: idxNum, idxStr and the values are xFilter's. */
int mlf_trace_scan_begin(mlf_trace_scan *scan, int plan_number, const char *plan_text,
                         sqlite3_value **values, mlf_error *error);

/* Goes to the next trace. */
int mlf_trace_scan_next(mlf_trace_scan *scan, mlf_error *error);

/* The value of a column of MLF_SOURCE_ASKED: the experiment's name, or the filter or run that the
** statement asked, so that SQLite's own check of it holds; NULL if it asked none. Borrowed. */
const char *mlf_trace_scan_asked(const mlf_trace_scan *scan, const mlf_column *column);

/* The run that all traces of the scan are of; NULL if it asked for none. Borrowed. */
const char *mlf_trace_scan_run(const mlf_trace_scan *scan);

/* The spans of the trace that the scan is at, the caller's; NULL for a trace without. If the server
** has something there that cannot be read, `*why` says what, also the caller's (sqlite3_free), and
** the result is SQLITE_OK: see mlf_trace_scan_blame. */
int mlf_trace_scan_spans(mlf_trace_scan *scan, mlf_span_set **spans, char **why, mlf_error *error);

/* Something of the trace that the scan is at cannot be read. By MLFLOW_SQL_BAD_TRACES that is an
** error which names the trace, or SQLITE_OK, and NULL is to be shown. */
int mlf_trace_scan_blame(mlf_trace_scan *scan, const char *why, mlf_error *error);

/* The same for what came of reading a value out of the trace; clears `cause`. What is not about the
** trace's contents passes through. */
int mlf_trace_scan_judge(mlf_trace_scan *scan, mlf_error *cause, mlf_error *error);

/* Ends the scan and forgets all of it but its owner's three. */
void mlf_trace_scan_end(mlf_trace_scan *scan);

/* For tables/trace_recall.c: what the filter and the scope say but for ids, as a walk; these ids
** for it, without NULLs (SQLITE_OK or SQLITE_NOMEM); and a pager that walks it. */
mlf_walk mlf_trace_scan_walk(const mlf_trace_scan *scan, mlf_order order);
int mlf_trace_scan_ids(mlf_trace_scan *scan, const mlf_value *ids, size_t count, mlf_walk *walk);
int mlf_trace_scan_pager(mlf_trace_scan *scan, const mlf_walk *walk, mlf_pager **pager,
                         mlf_error *error);

/* When the first trace of a walk was; INT64_MAX if it finds none. */
int mlf_trace_scan_first(mlf_trace_scan *scan, mlf_walk walk, int64_t *timestamp_ms,
                         mlf_error *error);

#endif
