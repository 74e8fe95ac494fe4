/* given.h: what a statement has been given, and what that answers.
**
** SQLite asks a virtual table again and again where it would build an index on a table of its own:
** once for each row of a join, once for each pass of an inner loop. What the server has said once
** answers whoever asks for it later in the same statement:
**
** (1) a trace, by its id;
** (2) the spans of a trace;
** (3) a question: which experiments, what filter, which range of time. Once it is complete all its
**     traces are here; they are read in the order given or by time, all of them or those with one
**     value of a column.
**
** Nothing is forgotten before the statement ends. The newest pages stay in memory as they came; all
** is kept in a private temporary database, of which MLF_GIVEN_CACHE_KIB stay in memory and the rest
** goes to a file that nobody else sees and that is gone with the statement. Beyond `bytes_max`
** nothing more is taken: no question becomes complete then, and what is here still answers.
*/
#ifndef MLF_TABLES_GIVEN_H
#define MLF_TABLES_GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/sqlite_api.h"
#include "model/json.h"
#include "query/plan.h"

typedef struct mlf_given mlf_given;

typedef struct mlf_question {
  bool complete;        /* all its traces are here */
  mlf_order order;      /* in which they were given */
  const void *recorder; /* who is adding its traces now; NULL if nobody is */
  int elsewhere;        /* of its traces, have some their spans elsewhere than in the server's
                           tables? 1 or 0; -1: not asked yet */
  int tries;            /* requests for a part of it, */
  int64_t spent;        /* what they cost, in rows, */
  int64_t price;        /* and what all of it is thought to cost; 0: not asked yet */
  /* Its own. */
  struct mlf_question *next; /* of the same bucket */
  int64_t number;
  int64_t count; /* of traces added */
  char *text;
} mlf_question;

/* SQLITE_OK or SQLITE_NOMEM. Nothing is opened before something is put. `interrupt` is asked while
** what was given is read back, and borrowed; NULL: nobody is. */
int mlf_given_new(int64_t bytes_max, mlf_interrupt *interrupt, mlf_given **out);
void mlf_given_free(mlf_given *given); /* NULL is allowed */

/* Takes a page that has arrived: its traces from `from` on. One that is here already stays as it
** is. */
int mlf_given_put(mlf_given *given, const mlf_json *page, const mlf_json_node *from,
                  mlf_error *error);

/* The trace with this id, held by the caller in `*page`, with those that were given after it as
** siblings: all of its page, or `ahead` of them. SQLITE_ROW, SQLITE_NOTFOUND or an error. */
int mlf_given_find(mlf_given *given, const char *id, int ahead, mlf_json **page,
                   const mlf_json_node **trace, mlf_error *error);

/* Takes the spans of a trace, an array as text; and finds them: SQLITE_ROW and the caller's
** document, SQLITE_NOTFOUND or an error. */
int mlf_given_put_spans(mlf_given *given, const char *id, const char *spans, size_t length,
                        mlf_error *error);
/* Takes the spans of a trace, NULL for none, and, if they are new, those of all others in the reply
** that brought them, as far as they can be read. */
int mlf_given_put_reply(mlf_given *given, const char *id, const mlf_json *reply,
                        const mlf_json_node *spans, mlf_error *error);
/* Whether spans of a trace were taken: a mlf_payloads_known of a mlf_given. */
bool mlf_given_has_spans(void *given, const char *id);
int mlf_given_find_spans(mlf_given *given, const char *id, mlf_json **spans, mlf_error *error);

/* The question with this text, a new one if it was never asked. NULL: no memory. */
mlf_question *mlf_given_question(mlf_given *given, const char *text);

/* Begins to record a question, from nothing on, unless it is complete or all is full: `recorder`
** then is `who`. Another one, who began before, need not go on when this one has all. */
int mlf_given_begin(mlf_given *given, mlf_question *question, const void *who, mlf_error *error);

/* A trace belongs to the question, after those before it; it has been put. If another than `who`
** records the question, its traces are in no order from then on. */
int mlf_given_add(mlf_given *given, mlf_question *question, const void *who,
                  const mlf_json_node *trace, mlf_error *error);

/* All have been added: the question is complete, unless something did not fit. */
void mlf_given_complete(mlf_given *given, mlf_question *question);

/* No trace of the question has this id. */
int mlf_given_put_none(mlf_given *given, const mlf_question *question, const char *id,
                       mlf_error *error);

/* Whether a trace with this id belongs to the question: SQLITE_ROW, SQLITE_DONE if there is none,
** SQLITE_NOTFOUND if it is not known. */
int mlf_given_has(mlf_given *given, const mlf_question *question, const char *id, mlf_error *error);

/* Begins to read the traces of a complete question; if `column` is not NULL, those that have this
** text there. The reader is the caller's (sqlite3_finalize), and must be gone before `given` is. */
int mlf_given_read(mlf_given *given, const mlf_question *question, const mlf_column *column,
                   const char *text, mlf_order order, sqlite3_stmt **reader, mlf_error *error);

/* The next page of it, the caller's: SQLITE_ROW, SQLITE_DONE or an error. At the end the reader is
** gone, and NULL. */
int mlf_given_page(mlf_given *given, sqlite3_stmt **reader, mlf_json **page, mlf_error *error);

#endif
