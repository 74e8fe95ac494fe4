/* mlflow_requests: the last requests of this connection, oldest first: what was pushed down, and
** what it cost; between them notes on what a statement hardly means. Reading it sends none. */
#include "model/timestamp.h"
#include "remote/request_log.h"
#include "tables/listing.h"

typedef struct requests_state {
  int64_t number; /* of the row in the log */
  int64_t end;    /* what the log had when the scan began: what the statement itself asks for while
                     it reads is not in it, else it would feed itself */
} requests_state;

static int requests_settle(mlf_connection *connection, requests_state *state) {
  mlf_request_log *log = mlf_client_log(mlf_connection_client(connection));
  int64_t oldest = mlf_request_log_oldest(log);
  if (state->number < oldest) state->number = oldest;
  return state->number < state->end ? SQLITE_ROW : SQLITE_DONE;
}

static int requests_first(mlf_connection *connection, void *context, mlf_error *error) {
  requests_state *state = context;
  (void)error;
  state->number = 0;
  state->end = mlf_client_log(mlf_connection_client(connection))->count;
  return requests_settle(connection, state);
}

static int requests_next(mlf_connection *connection, void *context, mlf_error *error) {
  (void)error;
  ((requests_state *)context)->number++;
  return requests_settle(connection, context);
}

/* A number that says nothing where it is 0. */
static mlf_value requests_number(int64_t number) {
  return number ? mlf_value_integer(number) : mlf_value_text(NULL);
}

static int requests_column(mlf_connection *connection, void *context, int index, mlf_value *value,
                           mlf_error *error) {
  mlf_request_log *log = mlf_client_log(mlf_connection_client(connection));
  const mlf_request_row *row = mlf_request_log_find(log, ((requests_state *)context)->number);
  char at[32];
  *value = mlf_value_text(NULL);
  if (!row) return SQLITE_OK;
  switch (index) {
  case 0:
    if (mlf_timestamp_format(row->at_ms, at)) *value = mlf_value_text(at);
    return mlf_value_own(value) == SQLITE_OK ? SQLITE_OK : mlf_error_nomem(error);
  case 1: *value = mlf_value_text(row->method); break;
  case 2: *value = mlf_value_text(row->endpoint); break;
  case 3: *value = mlf_value_text(row->filter); break;
  case 4: *value = mlf_value_text(row->order_by); break;
  case 5: *value = requests_number(row->page_rows); break;
  case 6: *value = requests_number(row->status); break;
  case 7: *value = mlf_value_integer(row->bytes); break;
  case 8: /* of what is not asked for by rows, none are counted */
    if (row->page_rows) *value = mlf_value_integer(row->rows);
    break;
  case 9:
    if (row->page_rows) *value = mlf_value_integer(row->rows_kept);
    break;
  case 10: *value = mlf_value_integer(row->attempts); break;
  case 11: *value = mlf_value_integer(row->wait_ms); break;
  case 12: *value = mlf_value_text(row->error); break;
  case 13: *value = mlf_value_text(row->trace_id); break;
  default: *value = mlf_value_text(row->note); break;
  }
  return SQLITE_OK;
}

static void requests_clear(void *context) {
  (void)context;
}

static const mlf_column requests_columns[] = {
    {.name = "at", .meaning = "when it was sent, UTC"},
    {.name = "method", .meaning = "GET or POST"},
    {.name = "endpoint", .meaning = "the path that was asked"},
    {.name = "filter", .meaning = "the conditions that were sent, in MLflow's language"},
    {.name = "order_by", .meaning = "the order that was asked for"},
    {.name = "page_rows", .type = MLF_TYPE_INTEGER, .meaning = "rows that were asked for at most"},
    {.name = "status", .type = MLF_TYPE_INTEGER, .meaning = "HTTP status; NULL without a reply"},
    {.name = "bytes", .type = MLF_TYPE_INTEGER, .meaning = "bytes of the reply"},
    {.name = "rows", .type = MLF_TYPE_INTEGER, .meaning = "rows in the reply"},
    {.name = "rows_kept",
     .type = MLF_TYPE_INTEGER,
     .meaning = "of these, rows that were handed on"},
    {.name = "attempts", .type = MLF_TYPE_INTEGER, .meaning = "how often it was tried"},
    {.name = "wait_ms",
     .type = MLF_TYPE_INTEGER,
     .meaning = "milliseconds from its start to the end of the reply"},
    {.name = "error", .meaning = "what went wrong; NULL if nothing did"},
    {.name = "trace_id", .meaning = "the trace that could not be read"},
    {.name = "note", .meaning = "of a row that is no request: what the statement after it mistook"},
};

const mlf_listing mlf_listing_requests = {
    .name = "mlflow_requests",
    .columns = requests_columns,
    .column_count = sizeof(requests_columns) / sizeof(requests_columns[0]),
    .state_size = sizeof(requests_state),
    .rows = MLF_REQUEST_LOG_ROWS,
    .first = requests_first,
    .next = requests_next,
    .column = requests_column,
    .clear = requests_clear,
};
