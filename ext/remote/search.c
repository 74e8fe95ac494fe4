#include "remote/search.h"

#include <string.h>

#include "base/json_string.h"
#include "base/limits.h"
#include "base/sqlite_api.h"
#include "model/decode_trace.h"
#include "model/timestamp.h"
#include "remote/envelope.h"

#define SEARCH_PATH "/api/3.0/mlflow/traces/search"

static const char *search_order(bool oldest_first) {
  return oldest_first ? "timestamp_ms ASC" : "timestamp_ms DESC";
}

static char *search_body(const mlf_search *search) {
  sqlite3_str *body = sqlite3_str_new(NULL);
  sqlite3_str_appendall(body, "{\"locations\":[");
  for (size_t i = 0; i < search->experiment_count; i++) {
    const char *id = search->experiment_ids[i];
    sqlite3_str_appendall(body, i ? "," : "");
    sqlite3_str_appendall(
        body, "{\"type\":\"MLFLOW_EXPERIMENT\",\"mlflow_experiment\":{\"experiment_id\":");
    mlf_json_string_write(body, id, strlen(id));
    sqlite3_str_appendall(body, "}}");
  }
  sqlite3_str_appendf(body, "],\"max_results\":%d,\"order_by\":[\"%s\"]", search->page_rows,
                      search_order(search->oldest_first));
  if (search->filter && *search->filter) {
    sqlite3_str_appendall(body, ",\"filter\":");
    mlf_json_string_write(body, search->filter, strlen(search->filter));
  }
  if (search->page_token) {
    sqlite3_str_appendall(body, ",\"page_token\":");
    mlf_json_string_write(body, search->page_token, strlen(search->page_token));
  }
  sqlite3_str_appendchar(body, 1, '}');
  return sqlite3_str_finish(body);
}

int mlf_search_start(mlf_client *client, mlf_budget *budget, const mlf_search *search,
                     mlf_call **call, mlf_error *error) {
  *call = NULL;
  char *body = search_body(search);
  if (!body) return mlf_error_nomem(error);
  mlf_request request = {.path = SEARCH_PATH,
                         .body = body,
                         .body_length = strlen(body),
                         .levels = MLF_TRACES_LEVELS,
                         .filter = search->filter,
                         .order_by = search_order(search->oldest_first),
                         .page_rows = search->page_rows};
  int rc = mlf_call_start(client, budget, &request, call, error);
  sqlite3_free(body);
  return rc;
}

/* Checks the traces of a page, and notes how many and what times they span. */
static int search_check(mlf_page *page, bool oldest_first, mlf_error *error) {
  int rc = SQLITE_OK;
  const mlf_json_node *trace = page->next;
  for (; rc == SQLITE_OK && trace; trace = mlf_json_next(trace), page->rows++) {
    int64_t ms;
    rc = mlf_trace_check(page->json, trace, &ms, error);
    if (rc != SQLITE_OK) return rc;
    if (strlen(mlf_trace_id(trace)) > MLF_TRACE_ID_BYTES_MAX) {
      rc = mlf_error_set(error, SQLITE_ERROR,
                         "traces[%d] has an id of more than %d bytes (MLF_TRACE_ID_BYTES_MAX)",
                         (int)page->rows, MLF_TRACE_ID_BYTES_MAX);
    } else if (page->rows > 0 && (oldest_first ? ms < page->last_ms : ms > page->last_ms)) {
      rc = mlf_error_set(error, SQLITE_ERROR, "traces[%d] is out of the order asked for (%s)",
                         (int)page->rows, search_order(oldest_first));
    }
    if (page->rows == 0) page->first_ms = ms;
    page->last_ms = ms;
  }
  return rc;
}

/* Reads the page out of the reply. */
static int search_read(mlf_page *page, bool oldest_first, mlf_error *error) {
  const mlf_json_node *traces;
  const char *token;
  int rc = mlf_envelope_list(page->json, "traces", &traces, &token, error);
  if (rc != SQLITE_OK) return rc;
  page->next = mlf_json_first(traces);
  rc = search_check(page, oldest_first, error);
  if (rc != SQLITE_OK || !token) return rc;
  if (page->rows == 0)
    return mlf_error_set(error, SQLITE_ERROR, "an empty page that says there are more");
  page->token = sqlite3_mprintf("%s", token);
  return page->token ? rc : mlf_error_nomem(error);
}

int mlf_search_finish(mlf_call *call, bool oldest_first, mlf_page *page, mlf_error *error) {
  mlf_error cause = {0};
  memset(page, 0, sizeof(*page));
  int rc = mlf_call_reply(call, &page->json, error);
  page->log_number = mlf_call_log_number(call);
  if (rc != SQLITE_OK) return rc;
  rc = search_read(page, oldest_first, &cause);
  mlf_call_log_rows(call, (int64_t)page->rows);
  if (rc == SQLITE_OK) return rc;
  mlf_page_clear(page);
  return mlf_error_wrap(error, "POST " SEARCH_PATH, &cause);
}

static bool search_is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of body[0..end) without the white space there. */
static size_t search_trim(const char *body, size_t end) {
  while (end > 0 && search_is_space(body[end - 1]))
    end--;
  return end;
}

/* What stays of body[0..end) without `text` and the white space before it; 0 if it has no such end.
 */
static size_t search_strip(const char *body, size_t end, const char *text) {
  size_t length = strlen(text);
  if (end < length || memcmp(body + end - length, text, length) != 0) return 0;
  return search_trim(body, end - length);
}

/* Where the token of the page after this one, the last member of the body, begins with its name;
** 0 if there is none. */
static size_t search_guess_token(const char *body, size_t length) {
  size_t end = search_strip(body, search_trim(body, length), "}");
  size_t text = search_strip(body, end, "\"");
  while (text > 0 && body[text - 1] != '"')
    text--;
  if (text == 0 || text + 1 >= end) return 0; /* none, or "" */
  end = search_strip(body, search_trim(body, text - 1), ":");
  return search_strip(body, end, "\"next_page_token\"");
}

/* Reads `: "TIME"` in the bytes from `at` on. */
static bool search_guess_time(const char *at, const char *end, int64_t *ms) {
  char text[40];
  size_t length = 0;
  while (at < end && (search_is_space(*at) || *at == ':'))
    at++;
  if (at == end || *at++ != '"') return false;
  while (at < end && *at != '"' && length < sizeof(text) - 1)
    text[length++] = *at++;
  text[length] = 0;
  return at < end && *at == '"' && mlf_timestamp_parse(text, ms);
}

bool mlf_search_guess_last(const char *body, size_t length, int64_t *last_ms) {
  static const char name[] = "\"request_time\"";
  size_t name_length = sizeof(name) - 1;
  size_t end = search_guess_token(body, length);
  for (size_t at = end; at >= name_length; at--) {
    const char *found = body + at - name_length;
    if (*found == '"' && memcmp(found, name, name_length) == 0)
      return search_guess_time(body + at, body + end, last_ms);
  }
  return false;
}

void mlf_page_clear(mlf_page *page) {
  mlf_json_free(page->json);
  sqlite3_free(page->token);
  memset(page, 0, sizeof(*page));
}
