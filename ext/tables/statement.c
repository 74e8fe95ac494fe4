#include "tables/statement.h"

#include <string.h>

#include "base/limits.h"

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

/* The one statement that is busy, or busy and without a row to show; NULL if there are several, or
** none. */
static sqlite3_stmt *statement_only(sqlite3 *db, bool rowless) {
  sqlite3_stmt *only = NULL;
  sqlite3_stmt *each = sqlite3_next_stmt(db, NULL);
  for (; each; each = sqlite3_next_stmt(db, each)) {
    if (!sqlite3_stmt_busy(each) || (rowless && sqlite3_data_count(each) > 0)) continue;
    if (only) return NULL;
    only = each;
  }
  return only;
}

sqlite3_stmt *mlf_statement_sole(sqlite3 *db) {
  return statement_only(db, false);
}

/* The statement that runs now: another one that is busy has handed out a row, and waits. On its way
** to the next row, as to the next part of a UNION ALL, one still shows the last. */
static sqlite3_stmt *statement_running(sqlite3 *db) {
  sqlite3_stmt *sole = mlf_statement_sole(db);
  return sole ? sole : statement_only(db, true);
}

int mlf_statement_join(sqlite3 *db, mlf_client *client, mlf_statement **list,
                       mlf_surveyed *const *tables, mlf_statement **out) {
  sqlite3_stmt *running = statement_running(db);
  mlf_statement *statement = *list;
  while (statement && (!running || statement->running != running))
    statement = statement->next;
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
