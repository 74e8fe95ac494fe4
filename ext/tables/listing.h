/* listing.h: a virtual table that is a plain list of rows, without predicates: what
** mlflow_experiments, mlflow_requests, mlflow_settings and mlflow_help have in common. */
#ifndef MLF_TABLES_LISTING_H
#define MLF_TABLES_LISTING_H

#include <stddef.h>

#include "base/error.h"
#include "base/sqlite_api.h"
#include "base/value.h"
#include "model/catalog.h"
#include "tables/connection.h"

/* How one such table gives its rows. The state is a zeroed block of `state_size` bytes, one for
** each scan, and starts with whatever the table puts there. */
typedef struct mlf_listing {
  const char *name;
  const mlf_column *columns;
  int column_count;
  size_t state_size;
  double rows; /* about how many, for the planner */
  /* Begins with the state, before it goes to a row: SQLITE_OK or SQLITE_NOMEM. NULL: nothing. */
  int (*open)(mlf_connection *connection, void *state);
  /* Goes to the first row, at the begin or again, or to the next: SQLITE_ROW, SQLITE_DONE or an
  ** error. */
  int (*first)(mlf_connection *connection, void *state, mlf_error *error);
  int (*next)(mlf_connection *connection, void *state, mlf_error *error);
  /* The value of a column of the current row; a text is owned by it, or borrowed until the next
  ** row. */
  int (*column)(mlf_connection *connection, void *state, int index, mlf_value *value,
                mlf_error *error);
  /* Frees what the state holds, whatever was done before. */
  void (*clear)(void *state);
} mlf_listing;

extern const mlf_listing mlf_listing_experiments;
extern const mlf_listing mlf_listing_requests;
extern const mlf_listing mlf_listing_settings;
extern const mlf_listing mlf_listing_help;

/* Declares a table of these columns to SQLite, which calls xConnect. Errors: SQLite's code, with a
** text that begins with `table`. */
int mlf_listing_declare(sqlite3 *db, const char *table, const mlf_column *columns, int count,
                        mlf_error *error);

/* Registers the table as an eponymous-only module. */
int mlf_listing_register(sqlite3 *db, mlf_connection *connection, const mlf_listing *listing);

/* Writes "TABLE: what went wrong" where SQLite finds it; returns the error's code. Clears it. */
int mlf_listing_fail(sqlite3_vtab *vtab, const char *table, mlf_error *error);

#endif
