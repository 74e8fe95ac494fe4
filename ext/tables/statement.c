#include "tables/statement.h"

#include <string.h>

#include "base/limits.h"

/* From this version of SQLite on a statement shows its last row on the way to the next one. */
#define STATEMENT_SHOWS_LAST 3041000

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
static int statement_survey(mlf_statement *list, const mlf_surveyed *tables, sqlite3_stmt *busy,
                            const mlf_survey **survey, mlf_survey **made) {
  mlf_statement *known = statement_find(list, busy);
  *made = NULL;
  int rc = known ? SQLITE_OK : mlf_survey_new(busy, tables, made);
  *survey = known ? known->survey : *made;
  return rc;
}

/* Whether a busy statement reads the table. Yes, if SQLite does not show its program. */
static int statement_reads(mlf_statement *list, const mlf_surveyed *tables, sqlite3_stmt *busy,
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
static int statement_running(sqlite3 *db, mlf_statement *list, const mlf_surveyed *tables,
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
  int rc = statement_running(db, *list, *tables, table, &running);
  if (rc != SQLITE_OK) return rc;
  mlf_statement *statement = statement_find(*list, running);
  *out = statement;
  if (!statement) {
    statement = sqlite3_malloc64(sizeof(*statement));
    if (!statement) return SQLITE_NOMEM;
    *statement = (mlf_statement){
        .client = client, .tables = tables, .list = list, .next = *list, .running = running};
    *list = *out = statement;
    if (running) rc = mlf_survey_new(running, *tables, &statement->survey);
  }
  statement->scans++;
  mlf_client_hold(client);
  if (rc != SQLITE_OK) mlf_statement_leave(statement);
  return rc;
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
  mlf_experiment_list_clear(&statement->active);
  mlf_experiment_list_clear(&statement->names);
  mlf_experiment_pages_clear(&statement->pages);
  mlf_string_set_clear(&statement->absent[0]);
  mlf_string_set_clear(&statement->absent[1]);
  mlf_string_set_clear(&statement->noted);
  mlf_changing_clear(&statement->changing);
  sqlite3_free(statement);
}

int mlf_statement_begin(mlf_statement *statement, mlf_error *error) {
  int rc = SQLITE_OK;
  if (!statement->settings) {
    rc = mlf_client_budget(statement->client, &statement->budget, error);
    if (rc == SQLITE_OK) rc = mlf_client_settings(statement->client, &statement->settings, error);
  }
  return rc == SQLITE_OK
             ? mlf_client_server(statement->client, &statement->budget, &statement->server, error)
             : rc;
}

int mlf_statement_keep(mlf_statement *statement, mlf_error *error) {
  mlf_client *client = statement->client;
  int rc = SQLITE_OK;
  if (!statement->payloads)
    rc = mlf_payloads_new(client, statement->server, &statement->payloads, error);
  if (rc != SQLITE_OK || statement->given) return rc;
  statement->given = mlf_given_new(mlf_client_interrupt(client));
  if (!statement->given) return mlf_error_nomem(error);
  if (statement->survey && mlf_survey_repeats(statement->survey))
    mlf_given_take(statement->given, MLF_GIVEN_BYTES_MAX);
  return SQLITE_OK;
}

int mlf_statement_doubt(mlf_statement *statement, const sqlite3_vtab *table, const char *plan,
                        bool *rivals, bool *differ) {
  const mlf_survey *own = statement->survey, *survey;
  bool may_run = own && sqlite3_libversion_number() >= STATEMENT_SHOWS_LAST;
  sqlite3 *db = may_run ? sqlite3_db_handle(statement->running) : NULL;
  sqlite3_stmt *each = db ? statement_next(db, NULL) : NULL;
  int rc = SQLITE_OK;
  *rivals = *differ = false;
  for (; rc == SQLITE_OK && each; each = statement_next(db, each)) {
    mlf_survey *made;
    if (each == statement->running) continue;
    rc = statement_survey(*statement->list, *statement->tables, each, &survey, &made);
    bool rival = rc == SQLITE_OK && survey && mlf_survey_reads(survey, table);
    for (int experiment = 0; rival && experiment < 2; experiment++)
      *differ = *differ || mlf_survey_compares(survey, table, plan, experiment) !=
                               mlf_survey_compares(own, table, plan, experiment);
    *rivals = *rivals || rival;
    mlf_survey_free(made);
  }
  return rc;
}

int mlf_statement_count_row(mlf_statement *statement, mlf_error *error) {
  return mlf_client_count_row(statement->client, &statement->budget, error);
}
