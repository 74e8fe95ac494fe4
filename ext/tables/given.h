/* given.h: what a statement has been given, and what that answers.
**
** SQLite asks a virtual table again and again where it would build an index on a table of its own:
** once for each row of a join, once for each pass of an inner loop. What the server has said once
** answers whoever asks for it later in the same statement:
**
** (1) a trace, by its id;
** (2) the spans of a trace;
** (3) a question: which experiments, what filter, which range of time. It is a list of traces, as
**     far as anybody has walked it, and whoever comes to its end walks on. Once it is complete it
**     is read in any order, all of it or those with one value of a column.
**
** Nothing is forgotten before the statement ends. The newest pages stay in memory as they came; all
** is kept in a private temporary database, of which MLF_GIVEN_CACHE_KIB stay in memory and the rest
** goes to a file that nobody else sees and that is gone with the statement. Beyond `bytes_max`
** nothing more is taken: no question grows then, and what is here still answers.
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
#include "remote/pager.h"

typedef struct mlf_given mlf_given;

/* A list of traces that grows while it is walked, by whoever needs more of it than is here. */
typedef struct mlf_question {
  mlf_order order;     /* in which its traces are added, */
  int64_t rows_wanted; /* by a walk for so many; 0: for all */
  bool complete;       /* all its traces are here */
  int64_t count;       /* of the traces that were added, */
  int64_t last_ms;     /* and the time of the last one */
  mlf_pager *pager;    /* what walks on behind it; NULL: begin behind last_ms */
  int elsewhere;       /* of its traces, have some their spans elsewhere than in the server's
                       tables? 1 or 0; -1: not asked yet */
  int parts;           /* requests for parts of it */
  /* Its own. */
  struct mlf_question *next; /* of the same bucket */
  int64_t number;
  char text[];
} mlf_question;

/* It takes nothing yet. `interrupt` is asked while what was given is read back, and borrowed; NULL:
** nobody is. NULL: no memory. */
mlf_given *mlf_given_new(mlf_interrupt *interrupt);
void mlf_given_free(mlf_given *given); /* NULL is allowed */

/* From now on it takes what is put, if it has not before. */
void mlf_given_take(mlf_given *given, int64_t bytes_max);

/* Takes a page that has arrived: its traces from `from` on. One that is here already stays as it
** is, and a page that was the newest a moment ago is not taken again. */
int mlf_given_put(mlf_given *given, const mlf_json *page, const mlf_json_node *from,
                  mlf_error *error);

/* The trace with this id, held by the caller in `*page`, with those that were given after it as
** siblings: all of its page, or `ahead` of those whose spans are not here. SQLITE_ROW,
** SQLITE_NOTFOUND or an error. */
int mlf_given_find(mlf_given *given, const char *id, int ahead, mlf_json **page,
                   const mlf_json_node **trace, mlf_error *error);

/* Takes the spans of a trace, an array as text. */
int mlf_given_put_spans(mlf_given *given, const char *id, const char *spans, size_t length,
                        mlf_error *error);
/* Takes the spans of a trace, NULL for none, and, if they are new, those of all others in the
** reply that brought them, as far as they can be read. */
int mlf_given_put_reply(mlf_given *given, const char *id, const mlf_json *reply,
                        const mlf_json_node *spans, mlf_error *error);
/* Whether spans of a trace were taken: a mlf_payloads_known of a mlf_given. */
bool mlf_given_has_spans(void *given, const char *id);
/* Finds them: SQLITE_ROW and the caller's document, SQLITE_NOTFOUND or an error. */
int mlf_given_find_spans(mlf_given *given, const char *id, mlf_json **spans, mlf_error *error);

/* The question with this text: one that is complete; else the one whose walk is for so many rows
** in this order, for MLF_ORDER_ANY also from the newest on; else a new one. NULL: no memory. */
mlf_question *mlf_given_question(mlf_given *given, const char *text, mlf_order order,
                                 int64_t rows_wanted);

/* Hands the question a pager, which walks on behind its last trace. Eight of them are kept: the
** oldest is freed for another. */
void mlf_given_walk(mlf_given *given, mlf_question *question, mlf_pager *pager);

/* Ends the question's walk; what was added stays. */
void mlf_given_stop(mlf_question *question);

/* The walk has come to a trace, which has been put: adds it behind the others. `*added` is whether
** it is a new one, which is to be handed out even if nothing more fits. */
int mlf_given_add(mlf_given *given, mlf_question *question, const mlf_json_node *trace, bool *added,
                  mlf_error *error);

/* Nothing more is taken: what is walked from now on is not added. */
bool mlf_given_is_full(const mlf_given *given);

/* The walk is over: the question is complete, unless something did not fit. */
void mlf_given_complete(mlf_given *given, mlf_question *question);

/* Notes that a trace with this id is the question's, wherever in it, or that none is. */
int mlf_given_note(mlf_given *given, const mlf_question *question, const char *id, bool is,
                   mlf_error *error);

/* Whether a trace with this id belongs to the question: SQLITE_ROW, SQLITE_DONE if there is none,
** SQLITE_NOTFOUND if it is not known. */
int mlf_given_has(mlf_given *given, const mlf_question *question, const char *id, mlf_error *error);

/* What is to be read of a question: its traces from the first behind `place` to the last one. */
typedef struct mlf_given_part {
  int64_t place;
  mlf_order order;          /* another one than the question's only if it is complete */
  const mlf_column *column; /* if not NULL, only those that have */
  const char *text;         /* this text there */
} mlf_given_part;

/* Begins to read. The reader is the caller's (sqlite3_finalize), and must be gone before `given`
** is. */
int mlf_given_read(mlf_given *given, const mlf_question *question, const mlf_given_part *part,
                   sqlite3_stmt **reader, mlf_error *error);

/* The next page of it, the caller's, of `rows_max` traces at most: SQLITE_ROW, SQLITE_DONE or an
** error. At the end the reader is gone, and NULL. */
int mlf_given_page(mlf_given *given, sqlite3_stmt **reader, int rows_max, mlf_json **page,
                   mlf_error *error);

#endif
