/* statement.h: what the scans of one running SQL statement share: what it may still spend, what it
** has been given, which spans are on their way.
**
** SQLite does not tell a virtual table which statement is running, nor when it ends. A statement is
** here as long as it has a scan open: SQLite closes them all when it is reset, and opens the scan
** of a sub-select that it evaluates again before it closes the former one. Of the statements of a
** connection the one that runs is busy, reads the table, and has no row to show; where that is not
** one of them alone, a scan shares nothing. (A handle of a BLOB, as FTS5 and R*Tree keep one, looks
** like a statement, but has no text.) The body of a trigger opens its scans anew for each row: if
** the statement has no other scan, each row is a statement of its own.
*/
#ifndef MLF_TABLES_STATEMENT_H
#define MLF_TABLES_STATEMENT_H

#include "base/error.h"
#include "base/sqlite_api.h"
#include "base/string_set.h"
#include "remote/client.h"
#include "remote/payloads.h"
#include "tables/changing.h"
#include "tables/experiment_list.h"
#include "tables/experiment_pages.h"
#include "tables/given.h"
#include "tables/survey.h"

typedef struct mlf_statement {
  mlf_client *client;
  const mlf_settings *settings; /* these three are known once it has begun */
  mlf_budget budget;            /* what it may still spend */
  mlf_server server;
  mlf_survey *survey;         /* what SQLite's program of it says; NULL if that is not known */
  mlf_given *given;           /* what it has been given; NULL until somebody wants it */
  mlf_payloads *payloads;     /* what fetches spans for all its scans; likewise */
  mlf_experiment_list active; /* the active experiments, */
  bool active_known;          /* once whoever needed them first has read them */
  mlf_string_set absent[2];   /* asked for as an id [0] or a name [1] that no experiment has */
  mlf_experiment_list names;  /* every experiment that a scan has read, by id and name */
  mlf_experiment_pages pages; /* of mlflow_experiments, as far as it was read */
  mlf_string_set noted;       /* which comparisons have been noted in the log of requests */
  mlf_changing *changing;     /* which values of its scans change */
  /* Its own. */
  mlf_surveyed *const *tables; /* that a survey may find */
  struct mlf_statement **list; /* where it stands */
  struct mlf_statement *next;
  sqlite3_stmt *running; /* which it is; NULL if nobody knows */
  int scans;
} mlf_statement;

/* The one statement that is busy in `db`; NULL if there are several, or none. */
sqlite3_stmt *mlf_statement_sole(sqlite3 *db);

/* Joins the statement that is running in `db`: one of `*list`, or a new one, which is put there.
** `tables` are those that a survey may find, and `table` is whose scan joins; NULL: one of another
** table. SQLITE_OK or SQLITE_NOMEM. */
int mlf_statement_join(sqlite3 *db, mlf_client *client, mlf_statement **list,
                       mlf_surveyed *const *tables, const sqlite3_vtab *table, mlf_statement **out);

/* Leaves it. With its last scan it ends, and forgets all. */
void mlf_statement_leave(mlf_statement *statement);

/* Asks what the server is, once; nothing is sent before. */
int mlf_statement_begin(mlf_statement *statement, mlf_error *error);

/* Makes what it is given, which takes nothing where nothing can be asked for twice, and what
** fetches spans, once: after it has begun. SQLITE_OK or SQLITE_NOMEM. */
int mlf_statement_keep(mlf_statement *statement, mlf_error *error);

/* Counts a row that is about to be handed to it; an error if that is one too many. */
int mlf_statement_count_row(mlf_statement *statement, mlf_error *error);

/* Whether the scan of the table with this plan, which has just joined, may be of another statement:
** it has `*rivals` that are at work and read the table; and whether they `*differ` in what is
** compared (mlf_survey_compares). SQLITE_OK or SQLITE_NOMEM. */
int mlf_statement_doubt(mlf_statement *statement, const sqlite3_vtab *table, const char *plan,
                        bool *rivals, bool *differ);

#endif
