#include "tables/statement.h"

#include <string.h>

#include "model/decode_trace.h"

struct mlf_statement {
  mlf_client *client;
  mlf_statement **latest; /* where this one stands as the latest; NULL once it does not */
  sqlite3_stmt *running;  /* which it is; NULL if nobody knows */
  int scans;
  bool walked; /* not by look-ups alone */
  mlf_held_page *pages;
  mlf_budget budget;
  mlf_payloads *payloads; /* NULL until the first are wanted */
  mlf_memo *memo;         /* likewise */
  mlf_experiment_list active;
  bool active_known;
};

sqlite3_stmt *mlf_statement_sole(sqlite3 *db) {
  sqlite3_stmt *sole = NULL;
  sqlite3_stmt *each = sqlite3_next_stmt(db, NULL);
  for (; each; each = sqlite3_next_stmt(db, each)) {
    if (!sqlite3_stmt_busy(each)) continue;
    if (sole) return NULL;
    sole = each;
  }
  return sole;
}

static int statement_new(mlf_client *client, mlf_statement **out, mlf_error *error) {
  mlf_statement *statement = sqlite3_malloc64(sizeof(*statement));
  if (!statement) return mlf_error_nomem(error);
  memset(statement, 0, sizeof(*statement));
  statement->client = client;
  int rc = mlf_client_budget(client, &statement->budget, error);
  if (rc == SQLITE_OK) {
    *out = statement;
  } else {
    sqlite3_free(statement);
  }
  return rc;
}

static void statement_free(mlf_statement *statement) {
  mlf_payloads_free(statement->payloads);
  mlf_memo_free(statement->memo);
  mlf_experiment_list_clear(&statement->active);
  sqlite3_free(statement);
}

void mlf_statement_forget(mlf_statement **latest) {
  mlf_statement *former = *latest;
  *latest = NULL;
  if (!former) return;
  former->latest = NULL;
  if (former->scans == 0) statement_free(former);
}

/* Makes `statement` the latest, and marks the run of `running` as its own. */
static void statement_become_latest(mlf_statement *statement, sqlite3_stmt *running,
                                    mlf_statement **latest) {
  mlf_statement_forget(latest);
  *latest = statement;
  statement->latest = latest;
  statement->running = running;
  sqlite3_stmt_status(running, SQLITE_STMTSTATUS_RUN, 1);
}

int mlf_statement_join(sqlite3 *db, mlf_client *client, mlf_statement **latest, mlf_held_page *page,
                       mlf_statement **out, mlf_error *error) {
  sqlite3_stmt *running = mlf_statement_sole(db);
  bool marked = running && sqlite3_stmt_status(running, SQLITE_STMTSTATUS_RUN, 0) == 0;
  mlf_statement *statement = *latest;
  if (!statement || !marked || statement->running != running) {
    int rc = statement_new(client, &statement, error);
    if (rc != SQLITE_OK) return rc;
    if (running) statement_become_latest(statement, running, latest);
  }
  statement->scans++;
  mlf_client_hold(client);
  page->next = statement->pages;
  statement->pages = page;
  *out = statement;
  return SQLITE_OK;
}

void mlf_statement_walk(mlf_statement *statement) {
  statement->walked = true;
}

void mlf_statement_leave(mlf_statement *statement, mlf_held_page *page) {
  mlf_held_page **each = &statement->pages;
  while (*each != page)
    each = &(*each)->next;
  *each = page->next;
  mlf_client_release(statement->client);
  if (--statement->scans > 0) return;
  if (!statement->latest) {
    statement_free(statement);
  } else if (statement->walked && statement->payloads) {
    mlf_payloads_cancel(statement->payloads);
  }
}

mlf_budget *mlf_statement_budget(mlf_statement *statement) {
  return &statement->budget;
}

/* Looks in one page: first at where its scan is, which is what a join asks for. */
static const mlf_json_node *statement_find_in(const mlf_held_page *page, const char *id) {
  if (!page->json || !page->trace) return NULL;
  if (strcmp(mlf_trace_id(page->trace), id) == 0) return page->trace;
  const mlf_json_node *each = mlf_json_first(mlf_json_member(mlf_json_root(page->json), "traces"));
  while (each && strcmp(mlf_trace_id(each), id) != 0)
    each = mlf_json_next(each);
  return each;
}

const mlf_json_node *mlf_statement_find(const mlf_statement *statement, const mlf_held_page *own,
                                        const char *id, const mlf_json **json) {
  const mlf_held_page *page = statement->pages;
  for (; page; page = page->next) {
    const mlf_json_node *trace = page == own ? NULL : statement_find_in(page, id);
    if (!trace) continue;
    *json = page->json;
    return trace;
  }
  return NULL;
}

int mlf_statement_memo(mlf_statement *statement, mlf_memo **memo, mlf_error *error) {
  int rc = SQLITE_OK;
  if (!statement->memo && mlf_memo_new(&statement->memo) != SQLITE_OK) rc = mlf_error_nomem(error);
  *memo = statement->memo;
  return rc;
}

mlf_experiment_list *mlf_statement_active(mlf_statement *statement, bool **known) {
  *known = &statement->active_known;
  return &statement->active;
}

int mlf_statement_payloads(mlf_statement *statement, mlf_payloads **payloads, mlf_error *error) {
  mlf_server server;
  int rc = SQLITE_OK;
  if (!statement->payloads) {
    rc = mlf_client_server(statement->client, &statement->budget, &server, error);
    if (rc == SQLITE_OK)
      rc = mlf_payloads_new(statement->client, server, &statement->payloads, error);
  }
  *payloads = statement->payloads;
  return rc;
}
