#include "remote/find.h"

#include "base/sqlite_api.h"

int mlf_find_trace(mlf_client *client, mlf_budget *budget, const mlf_walk *walk, const char *id,
                   int64_t ms, bool *found, mlf_error *error) {
  char *filter;
  mlf_call *call;
  mlf_page page;
  size_t index;
  mlf_walk one = *walk;
  one.ids = &id;
  one.id_count = 1;
  mlf_walk_part part = {.ids_end = 1, .low_ms = ms, .high_ms = ms};
  if (mlf_walk_filter(&one, &part, &filter) != SQLITE_OK) return mlf_error_nomem(error);
  mlf_search search = {.experiment_ids = walk->experiment_ids,
                       .experiment_count = walk->experiment_count,
                       .filter = filter,
                       .page_rows = 1};
  int rc = mlf_search_start(client, budget, &search, &call, error);
  sqlite3_free(filter);
  if (rc != SQLITE_OK) return rc;
  rc = mlf_client_wait(client, &call, 1, &index, error);
  if (rc == SQLITE_OK) rc = mlf_search_finish(call, false, &page, error);
  mlf_call_free(call);
  if (rc != SQLITE_OK) return rc;
  *found = page.rows > 0;
  mlf_page_clear(&page);
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
