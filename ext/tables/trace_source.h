/* trace_source.h: where the traces of a scan come from: what its statement was given, or the
** server.
**
** (1) A trace that the statement was given answers for its id, in whatever scan.
** (2) A question that is complete is not asked again. A scan that begins again and again asks each
**     time for a part of the same question: what stays the same of it. A part that is no id, but
**     the value of one column, is found by it.
** (3) Else the server is asked: for the walk; for one id; or, where SQLite gives a list that all
**     ids will be in, for the list. What each of these costs is counted in rows, a request as
**     SOURCE_REQUEST_ROWS. Once SOURCE_TRIES parts have cost a twentieth of what the whole question
**     is thought to cost, the whole is asked for.
** (4) All that the server says is given to the statement, if that can be asked for twice.
** (5) The oldest first are walked newest first where the server does not take all conditions, and
**     read back: a trace that moves backward in time between two pages would be missed.
*/
#ifndef MLF_TABLES_TRACE_SOURCE_H
#define MLF_TABLES_TRACE_SOURCE_H

#include "query/filter.h"
#include "remote/pager.h"
#include "tables/statement.h"

/* What a scan asks for. Borrowed until the source is reset. */
typedef struct mlf_ask {
  const mlf_experiment_list *scope;
  const mlf_filter *filter;  /* all that it asks */
  const mlf_filter *lasting; /* what of that stays the same each time that the scan begins */
  const mlf_column *key;     /* the column whose value alone changes, */
  const char *key_value;     /* and its value; NULL: none does, or several do */
  sqlite3_value *hint;       /* beside one id: a list with all that will be asked for; NULL: none.
                                It lives as long as the begin runs */
  mlf_order order;
  int64_t rows_wanted; /* the statement stops after so many; 0: it may read all */
} mlf_ask;

/* Part of a scan; all zero but for the first two before the first use. */
typedef struct mlf_trace_source {
  mlf_client *client;
  mlf_statement *statement;
  const mlf_json *json;       /* the page and the trace that the scan is at; */
  const mlf_json_node *trace; /* NULL at the end */
  mlf_ask ask;
  mlf_given *given;       /* NULL: nothing can be asked for twice */
  mlf_question *lasting;  /* NULL without it, */
  mlf_question *question; /* and the question that a walk itself is */
  mlf_pager *pager;       /* traces come from the server; */
  bool reading;           /* or from the question, */
  sqlite3_stmt *reader;   /* by this, NULL once all are read; else it is one trace alone */
  mlf_json *held;         /* the page in hand is held */
  mlf_id_set seen;        /* handed out before the question was read */
  char *pruned;           /* the filter with conditions on spans; NULL without */
  const char **ids;       /* of the filter, without NULLs */
} mlf_trace_source;

/* Goes to the trace with this id, if the statement was given it: SQLITE_ROW, SQLITE_NOTFOUND or an
** error. */
int mlf_source_recall(mlf_trace_source *source, const char *id, mlf_error *error);

/* Goes to the first trace of what is asked for; none: no trace. */
int mlf_source_begin(mlf_trace_source *source, const mlf_ask *ask, mlf_error *error);

/* Goes to the next one. */
int mlf_source_next(mlf_trace_source *source, mlf_error *error);

/* Where the scan's next trace may be, for who fetches its spans along; NULL if that is not here. */
int mlf_source_peek(mlf_trace_source *source, const mlf_json_node **more, mlf_error *error);

/* Whether the trace was recalled alone, so that the next one may be any. */
bool mlf_source_is_alone(const mlf_trace_source *source);

/* Puts behind a trace that was recalled alone, and whose spans are to be fetched, those that were
** given with it, so that theirs can be fetched, too. */
int mlf_source_neighbours(mlf_trace_source *source, mlf_payloads *payloads, mlf_error *error);

/* Forgets what was asked, and the traces; stays with the statement. */
void mlf_source_reset(mlf_trace_source *source);

#endif
