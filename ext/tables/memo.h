/* memo.h: traces that one statement has seen and may ask for again, kept out of memory.
**
** SQLite asks a virtual table again and again where it would build an index on a table of its own:
** once for each row of a LEFT JOIN, once for each round of an inner loop. The memo is that index.
** It lives in a private temporary database, of which MLF_MEMO_CACHE_KIB stay in memory and the
** rest goes to a file that nobody else sees.
**
** What is remembered belongs to a question: which experiments, what filter, which range of time,
** which of several ids. Of a question's traces some may be known, and some ids known to have none;
** once it is complete, what is not known does not exist, and all can be read in any order.
*/
#ifndef MLF_TABLES_MEMO_H
#define MLF_TABLES_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/json.h"
#include "query/plan.h"

typedef struct mlf_memo mlf_memo;

typedef struct mlf_question {
  bool complete;        /* all its traces are in the memo */
  bool listed;          /* those that are in it came by a list */
  int scans;            /* walks that went to the end */
  int elsewhere;        /* of its traces, have some their spans elsewhere than in the server's
                           tables? 1 or 0; -1: not asked yet */
  const void *recorder; /* who is putting a walk into the memo now; NULL if nobody is */
  int tries;            /* requests for one id, and walks begun */
  int64_t tries_ms;     /* what they took to the first trace */
  int64_t scan_ms;      /* what a walk is thought to take; 0: not asked yet */
  /* The memo's own. */
  struct mlf_question *next; /* of the same bucket */
  int64_t number;
  char *text;
} mlf_question;

/* SQLITE_OK or SQLITE_NOMEM. Nothing is opened before the first trace is put. */
int mlf_memo_new(mlf_memo **out);
void mlf_memo_free(mlf_memo *memo); /* NULL is allowed */

/* The question with this text, a new one if it was never asked. NULL: no memory. */
mlf_question *mlf_memo_question(mlf_memo *memo, const char *text);

/* Forgets all traces of a question. */
int mlf_memo_empty(mlf_memo *memo, mlf_question *question, mlf_error *error);

/* Remembers a trace, after those put before. Beyond MLF_MEMO_BYTES_MAX nothing more is remembered,
** and mlf_memo_is_full. */
int mlf_memo_put(mlf_memo *memo, const mlf_question *question, const char *id, int64_t timestamp_ms,
                 const char *trace, size_t length, mlf_error *error);
bool mlf_memo_is_full(const mlf_memo *memo);

/* Remembers that no trace has this id, unless one is known. */
int mlf_memo_put_none(mlf_memo *memo, const mlf_question *question, const char *id,
                      mlf_error *error);

/* What is known of an id: SQLITE_ROW and a page {"traces": [...]} that begins with the trace and
** goes on with at most `ahead` of those that were put after it; SQLITE_DONE: there is no such
** trace; SQLITE_NOTFOUND: it is not known. The caller frees the page. */
int mlf_memo_find(mlf_memo *memo, const mlf_question *question, const char *id, int ahead,
                  mlf_json **page, mlf_error *error);

/* Where the reading of a question's traces is; zero before the first. */
typedef struct mlf_memo_mark {
  int64_t timestamp_ms;
  int64_t place;
} mlf_memo_mark;

/* The next page of a complete question's traces, by their times or in the order put. SQLITE_ROW,
** SQLITE_DONE or an error. */
int mlf_memo_page(mlf_memo *memo, const mlf_question *question, mlf_order order,
                  mlf_memo_mark *mark, mlf_json **page, mlf_error *error);

#endif
