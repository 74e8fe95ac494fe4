#include "tables/statement.h"

#include <string.h>

#include "base/limits.h"

/* From this version of SQLite on a statement shows its last row on the way to the next one. */
#define STATEMENT_SHOWS_LAST 3041000

struct mlf_statement {
  mlf_client *client;
  mlf_surveyed *const *tables;
  mlf_statement **list; /* where it stands */
  mlf_statement *next;
  sqlite3_stmt *running; /* which it is; NULL if nobody knows */
  int scans;
  bool budgeted;
  mlf_budget budget;
  bool surveyed;
  mlf_survey *survey;
  mlf_given *given;       /* NULL until somebody wants it */
  mlf_payloads *payloads; /* NULL until the first are wanted */
  mlf_shared shared;
};

/* The busy statement behind this one; of NULL the first. */
static sqlite3_stmt *statement_next(sqlite3 *db, sqlite3_stmt *each) {
  do {
    each = sqlite3_next_stmt(db, each);
  } while (each && !(sqlite3_stmt_busy(each) && sqlite3_sql(each)));
  return each;
}

/* The one statement that is busy, or busy and without a row to show; NULL if there are several, or
** none. */
static sqlite3_stmt *statement_only(sqlite3 *db, bool rowless) {
  sqlite3_stmt *only = NULL;
  sqlite3_stmt *each = statement_next(db, NULL);
  for (; each; each = statement_next(db, each)) {
    if (rowless && sqlite3_data_count(each) > 0) continue;
    if (only) return NULL;
    only = each;
  }
  return only;
}

sqlite3_stmt *mlf_statement_sole(sqlite3 *db) {
  return statement_only(db, false);
}

static mlf_statement *statement_find(mlf_statement *list, sqlite3_stmt *running) {
  while (list && (!running || list->running != running))
    list = list->next;
  return list;
}

/* A survey of a busy statement: that of one in the list, or `*made`, which the caller frees. */
static int statement_survey(mlf_statement *list, mlf_surveyed *const *tables, sqlite3_stmt *busy,
                            const mlf_survey **survey, mlf_survey **made) {
  mlf_statement *known = statement_find(list, busy);
  mlf_error error = {0};
  *made = NULL;
  int rc =
      known ? mlf_statement_survey(known, survey, &error) : mlf_survey_new(busy, *tables, made);
  if (!known) *survey = *made;
  mlf_error_clear(&error);
  return rc;
}

/* Whether a busy statement reads the table. Yes, if SQLite does not show its program. */
static int statement_reads(mlf_statement *list, mlf_surveyed *const *tables, sqlite3_stmt *busy,
                           const sqlite3_vtab *table, bool *reads) {
  const mlf_survey *survey;
  mlf_survey *made;
  int rc = statement_survey(list, tables, busy, &survey, &made);
  *reads = rc == SQLITE_OK && (!survey || mlf_survey_reads(survey, table));
  mlf_survey_free(made);
  return rc;
}

/* The statement that runs now: another one that is busy has handed out a row, and waits, or calls a
** function that runs this one, and reads other tables. NULL if that is not one alone. */
static int statement_running(sqlite3 *db, mlf_statement *list, mlf_surveyed *const *tables,
                             const sqlite3_vtab *table, sqlite3_stmt **running) {
  bool reads = true;
  int rc = SQLITE_OK;
  *running = mlf_statement_sole(db);
  if (*running) return rc;
  *running = statement_only(db, true);
  if (!table) return rc;
  if (*running) rc = statement_reads(list, tables, *running, table, &reads);
  if (*running && reads) return rc;
  *running = NULL;
  sqlite3_stmt *each = statement_next(db, NULL);
  for (; rc == SQLITE_OK && each; each = statement_next(db, each)) {
    rc = statement_reads(list, tables, each, table, &reads);
    if (reads && *running) break;
    if (reads) *running = each;
  }
  if (each) *running = NULL;
  return rc;
}

int mlf_statement_join(sqlite3 *db, mlf_client *client, mlf_statement **list,
                       mlf_surveyed *const *tables, const sqlite3_vtab *table,
                       mlf_statement **out) {
  sqlite3_stmt *running;
  if (statement_running(db, *list, tables, table, &running) != SQLITE_OK) return SQLITE_NOMEM;
  mlf_statement *statement = statement_find(*list, running);
  if (!statement) {
    statement = sqlite3_malloc64(sizeof(*statement));
    if (!statement) return SQLITE_NOMEM;
    *statement = (mlf_statement){
        .client = client, .tables = tables, .list = list, .next = *list, .running = running};
    *list = statement;
  }
  statement->scans++;
  mlf_client_hold(client);
  *out = statement;
  return SQLITE_OK;
}

void mlf_statement_leave(mlf_statement *statement) {
  mlf_client_release(statement->client);
  if (--statement->scans > 0) return;
  mlf_statement **each = statement->list;
  while (*each != statement)
    each = &(*each)->next;
  *each = statement->next;
  mlf_payloads_free(statement->payloads);
  mlf_given_free(statement->given);
  mlf_survey_free(statement->survey);
  mlf_experiment_list_clear(&statement->shared.active);
  mlf_experiment_list_clear(&statement->shared.names);
  mlf_experiment_pages_clear(&statement->shared.pages);
  mlf_string_set_clear(&statement->shared.absent[0]);
  mlf_string_set_clear(&statement->shared.absent[1]);
  mlf_string_set_clear(&statement->shared.noted);
  mlf_changing_clear(&statement->shared.changing);
  sqlite3_free(statement);
}

int mlf_statement_budget(mlf_statement *statement, mlf_budget **budget, mlf_error *error) {
  int rc = SQLITE_OK;
  if (!statement->budgeted) rc = mlf_client_budget(statement->client, &statement->budget, error);
  statement->budgeted = rc == SQLITE_OK;
  *budget = &statement->budget;
  return rc;
}

int mlf_statement_count_row(mlf_statement *statement, mlf_error *error) {
  mlf_budget *budget;
  int rc = mlf_statement_budget(statement, &budget, error);
  return rc == SQLITE_OK ? mlf_client_count_row(statement->client, budget, error) : rc;
}

int mlf_statement_survey(mlf_statement *statement, const mlf_survey **survey, mlf_error *error) {
  int rc = SQLITE_OK;
  if (statement->running && !statement->surveyed)
    rc = mlf_survey_new(statement->running, *statement->tables, &statement->survey);
  statement->surveyed = true;
  *survey = statement->survey;
  return rc == SQLITE_OK ? rc : mlf_error_nomem(error);
}

/* One that shows no row is not on its way to another. */
int mlf_statement_doubts(mlf_statement *statement, const sqlite3_vtab *table, const char *plan,
                         bool *doubts, mlf_error *error) {
  sqlite3 *db = statement->running ? sqlite3_db_handle(statement->running) : NULL;
  sqlite3_stmt *each = db ? statement_next(db, NULL) : NULL;
  int rc = SQLITE_OK;
  *doubts = false;
  for (; rc == SQLITE_OK && each && !*doubts; each = statement_next(db, each)) {
    const mlf_survey *survey;
    mlf_survey *made;
    if (each == statement->running || sqlite3_libversion_number() < STATEMENT_SHOWS_LAST) continue;
    rc = statement_survey(*statement->list, statement->tables, each, &survey, &made);
    bool reads = rc == SQLITE_OK && survey && mlf_survey_reads(survey, table);
    for (int experiment = 0; reads && experiment < 2; experiment++)
      *doubts = *doubts || mlf_survey_compares(survey, table, plan, experiment) !=
                               mlf_survey_compares(statement->survey, table, plan, experiment);
    mlf_survey_free(made);
  }
  return rc == SQLITE_OK ? rc : mlf_error_nomem(error);
}

int mlf_statement_given(mlf_statement *statement, bool wanted, mlf_given **given,
                        mlf_error *error) {
  const mlf_survey *survey;
  int rc = mlf_statement_survey(statement, &survey, error);
  wanted = wanted || (survey && mlf_survey_repeats(survey));
  if (rc == SQLITE_OK && !statement->given &&
      mlf_given_new(wanted ? MLF_GIVEN_BYTES_MAX : 0, mlf_client_interrupt(statement->client),
                    &statement->given) != SQLITE_OK)
    rc = mlf_error_nomem(error);
  *given = statement->given;
  return rc;
}

mlf_shared *mlf_statement_shared(mlf_statement *statement) {
  return &statement->shared;
}

int mlf_statement_payloads(mlf_statement *statement, mlf_payloads **payloads, mlf_error *error) {
  mlf_server server;
  mlf_budget *budget;
  int rc = SQLITE_OK;
  if (!statement->payloads) {
    rc = mlf_statement_budget(statement, &budget, error);
    if (rc == SQLITE_OK) rc = mlf_client_server(statement->client, budget, &server, error);
    if (rc == SQLITE_OK)
      rc = mlf_payloads_new(statement->client, server, &statement->payloads, error);
  }
  *payloads = statement->payloads;
  return rc;
}
