#include "remote/client.h"

#include <string.h>

#include "base/clock.h"
#include "base/sqlite_api.h"
#include "remote/progress.h"
#include "remote/status.h"

#define CLIENT_PROGRESS_AFTER_MS 1000

struct mlf_client {
  mlf_interrupt host;      /* what the host has to say, */
  mlf_interrupt interrupt; /* asked by us while we show how far we are */
  mlf_progress progress;
  const mlf_budget *waiting; /* of the statement that waits for the server now; else NULL */
  mlf_settings settings;
  bool settings_read;
  mlf_http *http; /* NULL until the first call */
  mlf_server server;
  bool server_known;
  int generation;
  int calls;   /* not freed yet */
  int readers; /* who may make more */
  mlf_request_log log;
  mlf_json_sender sender; /* of the replies */
};

struct mlf_call {
  mlf_client *client;
  mlf_budget *budget; /* the statement's */
  mlf_exchange *exchange;
  const char *path;
  const char *method;
  bool spans;
  bool file;
  int levels;
  int status;
  int64_t log_number;  /* of its row, once ended; -1 before */
  mlf_request_row row; /* until it goes into the log */
};

static mlf_progress_count client_count(const mlf_client *client, const mlf_budget *budget) {
  const mlf_settings *settings = &client->settings;
  double left = budget->pages_left * settings->page_rows;
  return (mlf_progress_count){.traces = budget->traces,
                              .requests = settings->statement_requests_max - budget->requests_left,
                              .traces_left =
                                  left < 1e12 ? (int64_t)left : 0}; /* else nobody knows */
}

/* Shows how far the statement is that waits, unless it has only begun. */
static void client_show_progress(mlf_client *client) {
  const mlf_settings *settings = &client->settings;
  if (!client->waiting || settings->progress == MLF_PROGRESS_OFF) return;
  int64_t waited_ms = settings->statement_timeout_ms - client->waiting->left_ms;
  if (waited_ms < CLIENT_PROGRESS_AFTER_MS) return;
  mlf_progress_count count = client_count(client, client->waiting);
  mlf_progress_show(&client->progress, settings->progress, &count);
}

static int client_ask_host(void *context) {
  mlf_client *client = context;
  client_show_progress(client);
  return client->host.ask(client->host.context);
}

/* With a new address there is a new http, but nobody reads a reply of the former server then. */
static char *client_quote(void *context, const char *text, size_t bytes_max) {
  const mlf_client *client = context;
  return client->http ? mlf_http_quote(client->http, text, bytes_max) : sqlite3_mprintf("");
}

/* A reply that arrived well, and then was found to be another one than was asked for. */
static void client_refused(void *context, int64_t log_number, const char *why) {
  mlf_client *client = context;
  mlf_request_row *row = mlf_request_log_find(&client->log, log_number);
  if (row && !row->error)
    row->error = sqlite3_mprintf("%s %s: %s", row->method, row->endpoint, why);
}

int mlf_client_new(mlf_interrupt interrupt, mlf_client **out) {
  *out = sqlite3_malloc64(sizeof(**out));
  if (!*out) return SQLITE_NOMEM;
  memset(*out, 0, sizeof(**out));
  (*out)->host = interrupt;
  (*out)->interrupt = (mlf_interrupt){.ask = client_ask_host, .context = *out};
  (*out)->sender =
      (mlf_json_sender){.quote = client_quote, .refused = client_refused, .context = *out};
  return SQLITE_OK;
}

mlf_interrupt *mlf_client_interrupt(mlf_client *client) {
  return &client->interrupt;
}

void mlf_client_free(mlf_client *client) {
  if (!client) return;
  mlf_http_free(client->http);
  mlf_progress_clear(&client->progress);
  mlf_settings_clear(&client->settings);
  mlf_request_log_clear(&client->log);
  sqlite3_free(client);
}

int mlf_client_settings(mlf_client *client, const mlf_settings **settings, mlf_error *error) {
  *settings = &client->settings;
  if (client->settings_read) return SQLITE_OK;
  int rc = mlf_settings_read(&client->settings, error);
  if (rc == SQLITE_OK) {
    client->settings_read = true;
  } else {
    mlf_settings_clear(&client->settings);
  }
  return rc;
}

void mlf_client_hold(mlf_client *client) {
  client->readers++;
}

void mlf_client_release(mlf_client *client) {
  client->readers--;
}

int mlf_client_connect(mlf_client *client, const char *uri, mlf_error *error) {
  if (client->calls > 0 || client->readers > 0) {
    return mlf_error_set(error, SQLITE_BUSY,
                         "a statement of this connection is still reading from the server; "
                         "finish it first");
  }
  int rc = mlf_settings_set_uri(&client->settings, uri, error);
  if (rc != SQLITE_OK) return rc;
  mlf_http_free(client->http);
  mlf_progress_clear(&client->progress);
  client->http = NULL;
  client->settings_read = true;
  client->server_known = false;
  client->generation++;
  return SQLITE_OK;
}

int mlf_client_generation(const mlf_client *client) {
  return client->generation;
}

mlf_request_log *mlf_client_log(mlf_client *client) {
  return &client->log;
}

/* How far a statement has come, in words; NULL: no memory. Free with sqlite3_free. */
static char *client_progress_words(const mlf_client *client, const mlf_budget *budget) {
  mlf_progress_count count = client_count(client, budget);
  return mlf_progress_words(&count);
}

int mlf_client_budget(mlf_client *client, mlf_budget *budget, mlf_error *error) {
  const mlf_settings *settings;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc != SQLITE_OK) return rc;
  *budget = (mlf_budget){.left_ms = settings->statement_timeout_ms,
                         .requests_left = settings->statement_requests_max};
  return SQLITE_OK;
}

int mlf_client_count_row(mlf_client *client, mlf_budget *budget, mlf_error *error) {
  int most = client->settings.statement_rows_max;
  if (most == 0 || budget->rows < most) {
    budget->rows++;
    return SQLITE_OK;
  }
  char *words = client_progress_words(client, budget);
  if (!words) return mlf_error_nomem(error);
  mlf_error_set(error, SQLITE_ERROR,
                "the statement has been given %d rows, the most that "
                "MLFLOW_SQL_STATEMENT_ROWS_MAX allows, after %s; a narrower condition or a LIMIT "
                "needs fewer, or raise that",
                most, words);
  sqlite3_free(words);
  return error->code;
}

/* The http of the client, made at the first call. */
static int client_http(mlf_client *client, mlf_error *error) {
  const mlf_settings *settings;
  int rc = mlf_client_settings(client, &settings, error);
  if (rc != SQLITE_OK || client->http) return rc;
  return mlf_http_new(settings, &client->interrupt, &client->http, error);
}

int mlf_call_start(mlf_client *client, mlf_budget *budget, const mlf_request *request,
                   mlf_call **out, mlf_error *error) {
  *out = NULL;
  int rc = client_http(client, error);
  if (rc != SQLITE_OK) return rc;
  if (budget->requests_left <= 0) {
    return mlf_error_set(error, SQLITE_ERROR,
                         "the statement has sent %d requests, the most that "
                         "MLFLOW_SQL_STATEMENT_REQUESTS_MAX allows; read one side of a join once "
                         "(WITH … AS MATERIALIZED), or raise that",
                         client->settings.statement_requests_max);
  }
  mlf_call *call = sqlite3_malloc64(sizeof(*call));
  if (!call) return mlf_error_nomem(error);
  memset(call, 0, sizeof(*call));
  call->client = client;
  call->budget = budget;
  call->spans = request->spans;
  call->path = request->path;
  call->method = request->body ? "POST" : "GET";
  call->file = request->file;
  call->levels = request->levels;
  call->log_number = -1;
  call->row = (mlf_request_row){.method = call->method,
                                .endpoint = request->path,
                                .order_by = request->order_by,
                                .page_rows = request->page_rows};
  client->calls++;
  mlf_http_call http_call = {.path = request->path,
                             .parameters = request->parameters,
                             .parameter_count = request->parameter_count,
                             .body = request->body,
                             .body_length = request->body_length,
                             .reply_bytes_max = (size_t)client->settings.reply_bytes_max,
                             .limit_advice = "a larger MLFLOW_SQL_REPLY_BYTES_MAX takes more"};
  if (request->spans) {
    http_call.reply_bytes_max = (size_t)client->settings.spans_bytes_max;
    http_call.limit_advice = "a larger MLFLOW_SQL_SPANS_BYTES_MAX takes more";
  }
  if (request->filter) call->row.filter = sqlite3_mprintf("%s", request->filter);
  if (request->filter && !call->row.filter) {
    rc = mlf_error_nomem(error);
  } else {
    rc = mlf_http_start(client->http, &http_call, &budget->left_ms, &call->exchange, error);
  }
  if (rc != SQLITE_OK) {
    mlf_call_free(call);
    return rc;
  }
  budget->requests_left--;
  *out = call;
  return SQLITE_OK;
}

int mlf_call_wait(mlf_call *call, mlf_error *error) {
  mlf_client *client = call->client;
  client->waiting = call->budget;
  client_show_progress(client);
  int rc = mlf_http_wait(client->http, call->exchange, error);
  client->waiting = NULL;
  mlf_progress_hide(&client->progress);
  return rc;
}

bool mlf_call_done(const mlf_call *call) {
  return mlf_exchange_done(call->exchange);
}

void mlf_client_progress(mlf_client *client) {
  if (client->http) mlf_http_progress(client->http);
}

/* Whether the reply is of the type that was asked for. A file has any type but that of a page,
** which somebody else sends in the server's place. */
static bool call_is_json(const mlf_call *call, const mlf_http_reply *reply) {
  if (!call->file) return strcmp(reply->content_type, "application/json") == 0;
  return strcmp(reply->content_type, "text/html") != 0 &&
         strcmp(reply->content_type, "application/xhtml+xml") != 0;
}

/* Turns a complete reply into JSON, or into the error that it tells of. */
static int call_read(mlf_call *call, mlf_http_reply *reply, mlf_json **json, mlf_error *error) {
  mlf_http *http = call->client->http;
  if (reply->status != 200) return mlf_status_error(http, call->method, call->path, reply, error);
  if (!call_is_json(call, reply)) {
    call->status = 0;
    return mlf_status_not_json(http, call->method, call->path, reply, error);
  }
  mlf_error inner = {0};
  size_t length = reply->body.length;
  char *text = mlf_buffer_take(&reply->body);
  mlf_json_options options = {.levels = call->levels,
                              .python = call->file,
                              .interrupt = &call->client->interrupt,
                              .sender = &call->client->sender};
  int rc = text ? mlf_json_parse_take(text, length, options, json, &inner)
                : mlf_error_set(&inner, SQLITE_ERROR, "not JSON: an empty reply");
  if (inner.text)
    mlf_error_set(error, rc, "%s %s: the reply %s %s", call->method, call->path,
                  rc == SQLITE_TOOBIG ? "is too much:" : "is", inner.text);
  else if (rc != SQLITE_OK)
    mlf_error_set(error, rc, "stopped");
  mlf_error_clear(&inner);
  return rc;
}

/* The outcome of a call that has ended. Where the statement's time is over, it says how far the
** statement has come. */
static int call_result(const mlf_call *call, mlf_http_reply **reply, mlf_error *error) {
  mlf_error cause = {0};
  int rc = mlf_exchange_result(call->exchange, reply, &cause);
  if (rc != SQLITE_ERROR || !(*reply)->late) return mlf_error_move(error, &cause);
  mlf_error_clear(&cause);
  char *words = client_progress_words(call->client, call->budget);
  if (!words) return mlf_error_nomem(error);
  mlf_error_set(error, rc,
                "%s %s: the statement's %.6g s are over, after %s; a larger "
                "MLFLOW_SQL_STATEMENT_TIMEOUT allows more, and a narrower condition needs less",
                call->method, call->path, call->client->settings.statement_timeout_ms / 1000.0,
                words);
  sqlite3_free(words);
  return error->code;
}

/* Moves the call's row into the log. An error that leaves no memory for its text is logged
** without it. */
static void call_log(mlf_call *call, const mlf_http_reply *reply, size_t bytes,
                     const mlf_error *error) {
  mlf_request_row row = call->row;
  memset(&call->row, 0, sizeof(call->row));
  row.at_ms = reply->started_ms;
  row.status = reply->status;
  row.bytes = (int64_t)bytes;
  row.attempts = reply->attempts;
  row.wait_ms = reply->wait_ms;
  if (error->code) row.error = sqlite3_mprintf("%s", error->text ? error->text : "interrupted");
  call->log_number = mlf_request_log_add(&call->client->log, row);
}

/* Counts the bytes of a reply. */
static int call_count_bytes(const mlf_call *call, size_t bytes, mlf_error *error) {
  int most = call->client->settings.statement_bytes_max;
  call->budget->bytes += (int64_t)bytes;
  if (most == 0 || call->budget->bytes <= most) return SQLITE_OK;
  char *words = client_progress_words(call->client, call->budget);
  if (!words) return mlf_error_nomem(error);
  mlf_error_set(error, SQLITE_ERROR,
                "%s %s: the statement has read %lld bytes, more than the %d that "
                "MLFLOW_SQL_STATEMENT_BYTES_MAX allows, after %s; a narrower condition or fewer "
                "columns need less, or raise that",
                call->method, call->path, (long long)call->budget->bytes, most, words);
  sqlite3_free(words);
  return error->code;
}

int mlf_call_reply(mlf_call *call, mlf_json **json, mlf_error *error) {
  mlf_http_reply *reply;
  *json = NULL;
  int rc = call_result(call, &reply, error);
  size_t bytes = reply->body.length;
  if (rc == SQLITE_OK) rc = call_count_bytes(call, bytes, error);
  if (rc == SQLITE_OK) call->status = reply->status;
  if (rc == SQLITE_OK) rc = call_read(call, reply, json, error);
  call_log(call, reply, bytes, error);
  if (*json) mlf_json_set_tag(*json, call->log_number);
  return rc;
}

const char *mlf_call_peek(const mlf_call *call, size_t *length) {
  mlf_http_reply *reply;
  mlf_error ignored = {0};
  int rc = mlf_exchange_result(call->exchange, &reply, &ignored);
  mlf_error_clear(&ignored);
  bool good = rc == SQLITE_OK && reply->status == 200;
  *length = good ? reply->body.length : 0;
  return good ? reply->body.bytes : NULL;
}

int mlf_call_status(const mlf_call *call) {
  return call->status;
}

void mlf_call_log_rows(mlf_call *call, int64_t rows) {
  mlf_request_row *row = mlf_request_log_find(&call->client->log, call->log_number);
  if (row) row->rows = rows;
  if (!call->spans) call->budget->traces += rows;
}

void mlf_client_log_kept(mlf_client *client, int64_t log_number, int64_t kept) {
  mlf_request_row *row = mlf_request_log_find(&client->log, log_number);
  if (row) row->rows_kept += kept;
}

void mlf_client_log_trace(mlf_client *client, int64_t log_number, const char *trace_id,
                          const char *text) {
  mlf_request_row *row = mlf_request_log_find(&client->log, log_number);
  if (!row) row = mlf_request_log_find(&client->log, client->log.count - 1);
  if (!row) return;
  if (!row->error) row->error = sqlite3_mprintf("%s", text);
  if (!row->trace_id) row->trace_id = sqlite3_mprintf("%s", trace_id);
}

void mlf_client_log_note(mlf_client *client, char *note) {
  mlf_request_log_add(&client->log, (mlf_request_row){.at_ms = mlf_clock_unix_ms(), .note = note});
}

int64_t mlf_call_log_number(const mlf_call *call) {
  return call->log_number;
}

void mlf_call_free(mlf_call *call) {
  if (!call) return;
  mlf_exchange_free(call->exchange);
  sqlite3_free(call->row.filter);
  call->client->calls--;
  sqlite3_free(call);
}

/* Starts a call, and waits until it has ended. */
static int client_run(mlf_client *client, mlf_budget *budget, const mlf_request *request,
                      mlf_call **call, mlf_error *error) {
  int rc = mlf_call_start(client, budget, request, call, error);
  if (rc == SQLITE_OK) rc = mlf_call_wait(*call, error);
  return rc;
}

int mlf_client_fetch(mlf_client *client, mlf_budget *budget, const mlf_request *request,
                     mlf_json **reply, int *status, mlf_error *error) {
  mlf_call *call = NULL;
  *reply = NULL;
  *status = 0;
  int rc = client_run(client, budget, request, &call, error);
  if (rc == SQLITE_OK) {
    rc = mlf_call_reply(call, reply, error);
    *status = call->status;
  }
  mlf_call_free(call);
  return rc;
}

bool mlf_client_knows_server(const mlf_client *client, mlf_server *server) {
  *server = client->server;
  return client->server_known;
}

int mlf_client_server(mlf_client *client, mlf_budget *budget, mlf_server *server,
                      mlf_error *error) {
  static const mlf_request request = {.path = "/version"};
  mlf_http_reply *reply;
  mlf_call *call = NULL;
  int rc = SQLITE_OK;
  if (!client->server_known) {
    rc = client_run(client, budget, &request, &call, error);
    if (rc == SQLITE_OK) {
      rc = call_result(call, &reply, error);
      if (rc == SQLITE_OK) rc = mlf_status_version(client->http, reply, &client->server, error);
      call_log(call, reply, reply->body.length, error);
    }
    mlf_call_free(call);
    client->server_known = rc == SQLITE_OK;
  }
  *server = client->server;
  return rc;
}
