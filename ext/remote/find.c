#include "remote/find.h"

#include <string.h>

#include "base/sqlite_api.h"
#include "model/decode_trace.h"

/* Asks for one page of a part of a walk, newest first, and waits for it. Clear the page where the
** result is SQLITE_OK. `*status` is that of the reply, 0 if there was none. */
static int find_page(mlf_client *client, mlf_budget *budget, const mlf_walk *walk,
                     const mlf_walk_part *part, int rows, mlf_page *page, int *status,
                     mlf_error *error) {
  char *filter;
  mlf_call *call;
  *status = 0;
  if (mlf_walk_filter(walk, part, &filter) != SQLITE_OK) return mlf_error_nomem(error);
  mlf_search search = {.experiment_ids = walk->experiment_ids,
                       .experiment_count = walk->experiment_count,
                       .filter = filter,
                       .page_rows = rows};
  int rc = mlf_search_start(client, budget, &search, &call, error);
  sqlite3_free(filter);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_call_wait(call, error);
  if (rc == SQLITE_OK) {
    rc = mlf_search_finish(call, false, page, error);
    *status = mlf_call_status(call);
  }
  mlf_call_free(call);
  return rc;
}

int mlf_find_trace(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, const char *id,
                   int64_t ms, bool *found, mlf_error *error) {
  int status;
  mlf_page page;
  mlf_walk one = *walk;
  mlf_value ids = mlf_value_text(id);
  one.ids = &ids;
  one.id_count = 1;
  mlf_walk_part part = {.ids_end = 1, .low_ms = ms, .high_ms = ms};
  int rc = find_page(client, budget, &one, &part, 1, &page, &status, error);
  if (rc != SQLITE_OK) return rc;
  *found = page.rows > 0;
  mlf_page_clear(&page);
  return SQLITE_OK;
}

int mlf_find_with_spans(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, bool *has,
                        mlf_error *error) {
  int status;
  mlf_page page;
  mlf_error refused = {0};
  mlf_walk spans = *walk;
  spans.filter = "span.name LIKE '%'";
  spans.spans = true;
  mlf_walk_part part = {.ids_end = walk->id_count, .low_ms = INT64_MIN, .high_ms = INT64_MAX};
  int rc = find_page(client, budget, &spans, &part, (int)walk->id_count, &page, &status, &refused);
  for (size_t i = 0; i < walk->id_count; i++)
    has[i] = rc != SQLITE_OK;
  if (rc != SQLITE_OK && status != 400) return mlf_error_move(error, &refused);
  mlf_error_clear(&refused);
  if (rc != SQLITE_OK) return SQLITE_OK;
  for (const mlf_json_node *trace = page.next; trace; trace = mlf_json_next(trace)) {
    for (size_t i = 0; i < walk->id_count; i++)
      has[i] = has[i] || strcmp(walk->ids[i].text, mlf_trace_id(trace)) == 0;
  }
  mlf_page_clear(&page);
  return SQLITE_OK;
}

int mlf_find_elsewhere(mlf_client *client, mlf_budget *budget, const mlf_walk *walk,
                       bool *elsewhere, mlf_error *error) {
  static const char *const conditions[] = {
      "tags.`mlflow.trace.spansLocation` IS NULL",
      "tags.`mlflow.trace.spansLocation` != 'TRACKING_STORE'",
  };
  mlf_walk_part part = {.low_ms = walk->low_ms, .high_ms = walk->high_ms};
  const mlf_settings *settings;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc != SQLITE_OK) return rc;
  *elsewhere = false;
  for (int i = 0; !*elsewhere && i < 2; i++) {
    int status;
    mlf_page page;
    mlf_error refused = {0};
    mlf_walk one = *walk;
    char *filter = mlf_walk_and(walk->filter, conditions[i]);
    if (!filter) return mlf_error_nomem(error);
    one.filter = filter;
    one.preset = settings->filter;
    rc = find_page(client, budget, &one, &part, 1, &page, &status, &refused);
    sqlite3_free(filter);
    if (rc != SQLITE_OK && status != 400) return mlf_error_move(error, &refused);
    mlf_error_clear(&refused);
    *elsewhere = rc != SQLITE_OK || page.rows > 0;
    if (rc == SQLITE_OK) mlf_page_clear(&page);
  }
  return SQLITE_OK;
}

int mlf_find_end_start(mlf_client *client, mlf_budget *budget, const mlf_walk *walk,
                       mlf_call **call, mlf_error *error) {
  mlf_search search = {.experiment_ids = walk->experiment_ids,
                       .experiment_count = walk->experiment_count,
                       .filter = walk->filter,
                       .oldest_first = !walk->oldest_first,
                       .page_rows = 1};
  return mlf_search_start(client, budget, &search, call, error);
}

int mlf_find_end_finish(mlf_call **call, const mlf_walk *walk, bool *known, bool *any, int64_t *ms,
                        mlf_error *error) {
  mlf_page page = {0};
  mlf_error refused = {0};
  int rc = mlf_search_finish(*call, !walk->oldest_first, &page, &refused);
  *known = rc == SQLITE_OK;
  *any = *known && page.rows > 0;
  *ms = page.first_ms;
  if (rc != SQLITE_OK && mlf_call_status(*call) == 400) rc = SQLITE_OK;
  if (rc != SQLITE_OK) mlf_error_move(error, &refused);
  if (*known) mlf_page_clear(&page);
  mlf_error_clear(&refused);
  mlf_call_free(*call);
  *call = NULL;
  return rc;
}
