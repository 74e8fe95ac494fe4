/* search.h: one page of POST /api/3.0/mlflow/traces/search. */
#ifndef MLF_REMOTE_SEARCH_H
#define MLF_REMOTE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/json.h"
#include "remote/client.h"

typedef struct mlf_search {
  const char *const *experiment_ids;
  size_t experiment_count;
  const char *filter;     /* NULL or "" for none */
  bool oldest_first;      /* order by timestamp_ms ASC, else DESC */
  int page_rows;          /* 1..MLF_PAGE_ROWS_MAX */
  const char *page_token; /* NULL for the first page */
} mlf_search;

typedef struct mlf_page {
  mlf_json *json;
  const mlf_json_node *next; /* the trace to hand out next; NULL at the end */
  size_t rows;
  int64_t first_ms; /* timestamps of the first and last row, if rows > 0 */
  int64_t last_ms;
  char *token;        /* of the page after this one; NULL if this is the last */
  int64_t log_number; /* of the request, in the request log */
} mlf_page;

int mlf_search_start(mlf_client *client, mlf_budget *budget, const mlf_search *search,
                     mlf_call **call, mlf_error *error);

/* Takes the page of a call that has ended, and checks it: every trace has an id, an experiment
** and a time, times follow the order asked for, and an empty page has no successor. */
int mlf_search_finish(mlf_call *call, bool oldest_first, mlf_page *page, mlf_error *error);

/* Guesses from the body of a page, without parsing it, the time of its last row. False if the page
** does not end with the token of a page after it, or shows no time. What holds another
** "request_time" behind the row's own, as tags may, misleads it: check against the page. */
bool mlf_search_guess_last(const char *body, size_t length, int64_t *last_ms);

void mlf_page_clear(mlf_page *page);

#endif
