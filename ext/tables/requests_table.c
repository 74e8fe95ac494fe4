/* mlflow_requests: the last requests of this connection, oldest first: what was pushed down, and
** what it cost. Reading it sends none. */
#include "model/timestamp.h"
#include "remote/request_log.h"
#include "tables/listing.h"

typedef struct requests_state {
  int64_t number; /* of the row in the log */
} requests_state;

static int requests_settle(mlf_connection *connection, requests_state *state) {
  mlf_request_log *log = mlf_client_log(mlf_connection_client(connection));
  int64_t oldest = mlf_request_log_oldest(log);
  if (state->number < oldest) state->number = oldest;
  return state->number < log->count ? SQLITE_ROW : SQLITE_DONE;
}

static int requests_first(mlf_connection *connection, void *context, mlf_error *error) {
  (void)error;
  return requests_settle(connection, context);
}

static int requests_next(mlf_connection *connection, void *context, mlf_error *error) {
  (void)error;
  ((requests_state *)context)->number++;
  return requests_settle(connection, context);
}

static int requests_column(mlf_connection *connection, void *context, sqlite3_context *result,
                           int index) {
  mlf_request_log *log = mlf_client_log(mlf_connection_client(connection));
  const mlf_request_row *row = mlf_request_log_find(log, ((requests_state *)context)->number);
  char at[32];
  if (!row) return SQLITE_OK;
  switch (index) {
  case 0:
    if (mlf_timestamp_format(row->at_ms, at)) sqlite3_result_text(result, at, -1, SQLITE_TRANSIENT);
    break;
  case 1: sqlite3_result_text(result, row->method, -1, SQLITE_STATIC); break;
  case 2: sqlite3_result_text(result, row->endpoint, -1, SQLITE_STATIC); break;
  case 3: sqlite3_result_text(result, row->filter, -1, SQLITE_TRANSIENT); break;
  case 4: sqlite3_result_text(result, row->order_by, -1, SQLITE_STATIC); break;
  case 5:
    if (row->page_rows) sqlite3_result_int(result, row->page_rows);
    break;
  case 6:
    if (row->status) sqlite3_result_int(result, row->status);
    break;
  case 7: sqlite3_result_int64(result, row->bytes); break;
  case 8: /* of what is not asked for by rows, none are counted */
    if (row->page_rows) sqlite3_result_int64(result, row->rows);
    break;
  case 9:
    if (row->page_rows) sqlite3_result_int64(result, row->rows_kept);
    break;
  case 10: sqlite3_result_int(result, row->attempts); break;
  case 11: sqlite3_result_int64(result, row->wait_ms); break;
  default: sqlite3_result_text(result, row->error, -1, SQLITE_TRANSIENT); break;
  }
  return SQLITE_OK;
}

static void requests_clear(void *context) {
  (void)context;
}

const mlf_listing mlf_listing_requests = {
    .name = "mlflow_requests",
    .declaration = "CREATE TABLE x(at TEXT, method TEXT, endpoint TEXT, filter TEXT, "
                   "order_by TEXT, page_rows INTEGER, status INTEGER, bytes INTEGER, "
                   "rows INTEGER, rows_kept INTEGER, attempts INTEGER, wait_ms INTEGER, "
                   "error TEXT)",
    .state_size = sizeof(requests_state),
    .rows = MLF_REQUEST_LOG_ROWS,
    .first = requests_first,
    .next = requests_next,
    .column = requests_column,
    .clear = requests_clear,
};
