/* trace_source.h: where the traces of a scan come from, and their spans: what its statement was
** given, or the server.
**
** (1) A trace that the statement was given answers for its id, in whatever scan.
** (2) What a scan walks is a question (tables/given.h): it reads what is there already, and walks
**     on where that ends. Scans that ask the same share one walk.
** (3) A scan that begins again and again with other values asks each time for a part of one
**     question: what stays the same. Once that is complete it answers, by the value of a column
**     that changes, if there is one.
** (4) Until then parts are asked for: one id; or, where SQLite gives a list that all ids will be
**     in, that list; or a walk. After sixteen requests for parts, each of them pays for two pages
**     of the whole, which is walked along.
** (5) All that the server says is given to the statement, which takes it if it can be asked for
**     twice.
** (6) The oldest first are walked newest first where the server does not take all conditions, and
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
  const mlf_filter *lasting; /* what of that stays the same each time that the scan begins; the
                                same filter if it is all */
  const mlf_column *key;     /* a column whose value changes, by which traces can be found, */
  const char *key_value;     /* and its value; NULL: there is none */
  sqlite3_value *hint;       /* beside one id: a list with all that will be asked for; NULL: none.
                                It lives as long as the begin runs */
  mlf_order order;
  int64_t rows_wanted; /* the statement stops after so many; 0: it may read all */
} mlf_ask;

/* Part of a scan; all zero but for the statement before the first use. */
typedef struct mlf_trace_source {
  mlf_statement *statement;
  mlf_json *json;             /* the page, held, and the trace that the scan is at; */
  const mlf_json_node *trace; /* NULL at the end */
  mlf_ask ask;
  mlf_question *lasting;  /* what stays the same, as a question, */
  mlf_question *question; /* and the one that is read; NULL for one id: the trace in hand is the
                             only one */
  int64_t place;          /* so many of its traces are read, */
  sqlite3_stmt *reader;   /* or are to be read by this; */
  int page_rows;          /* so many at once */
  bool reading;           /* the page in hand was read back */
  mlf_pager *pager;       /* a walk of the scan alone, for all is full */
  char *pruned;           /* the filter with conditions on spans; NULL without */
} mlf_trace_source;

/* Goes to the trace with this id, if the statement was given it: SQLITE_ROW, SQLITE_NOTFOUND or an
** error. */
int mlf_source_recall(mlf_trace_source *source, const char *id, mlf_error *error);

/* Goes to the first trace of what is asked for; none: no trace. */
int mlf_source_begin(mlf_trace_source *source, const mlf_ask *ask, mlf_error *error);

/* Goes to the next one. */
int mlf_source_next(mlf_trace_source *source, mlf_error *error);

/* The spans of the trace in hand, from what was fetched last, what the statement was given or the
** server: `*found` in the caller's `*json`; both NULL for a trace without. */
int mlf_source_spans(mlf_trace_source *source, mlf_json **json, const mlf_json_node **found,
                     mlf_error *error);

/* Forgets what was asked, and the traces; stays with the statement. */
void mlf_source_reset(mlf_trace_source *source);

#endif
