/* client.h: speaks MLflow's REST API: one call, its reply as JSON or one clear error, and a row in
** the request log for each that was not cancelled.
**
** A client belongs to one database connection and one thread at a time, like the connection. It
** reads its settings at the first use, not when it is made.
*/
#ifndef MLF_REMOTE_CLIENT_H
#define MLF_REMOTE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"
#include "model/json.h"
#include "model/server.h"
#include "remote/http.h"
#include "remote/request_log.h"

typedef struct mlf_client mlf_client;
typedef struct mlf_call mlf_call; /* one request under way, or ended */

/* What one SQL statement may still spend, and how far it has come. */
typedef struct mlf_budget {
  int64_t left_ms; /* of the time that it may wait for the server */
  int requests_left;
  int64_t traces;    /* that searches have brought */
  int64_t rows;      /* that our tables have handed out */
  int64_t bytes;     /* of replies */
  double pages_left; /* about, of the scan that has read last; 0: nobody knows */
} mlf_budget;

/* One request. All texts are borrowed for the call of mlf_call_start only, but the constants. */
typedef struct mlf_request {
  const char *path; /* constant */
  const mlf_http_parameter *parameters;
  size_t parameter_count;
  const char *body; /* JSON; NULL makes it a GET */
  size_t body_length;
  bool spans; /* the reply has spans, and a limit of its own */
  bool file;  /* the JSON comes as a file to be saved, whatever its content type, and
                             as Python writes it */
  int levels; /* of the reply's tree; 0: all */
  /* For the log. */
  const char *filter;
  const char *order_by; /* constant */
  int page_rows;
} mlf_request;

/* SQLITE_OK or SQLITE_NOMEM. Nothing is read and nothing opened. */
int mlf_client_new(mlf_interrupt interrupt, mlf_client **out);
void mlf_client_free(mlf_client *client); /* calls must be freed before; NULL is allowed */

/* Whom long work for a statement asks; as long as the client lives. */
mlf_interrupt *mlf_client_interrupt(mlf_client *client);

/* The settings, read from the environment if they were not yet. */
int mlf_client_settings(mlf_client *client, const mlf_settings **settings, mlf_error *error);

/* Says that somebody begins to read from the server, page after page, and that he has ended. */
void mlf_client_hold(mlf_client *client);
void mlf_client_release(mlf_client *client);

/* Replaces the address; what was known of the former server is forgotten. SQLITE_BUSY while
** somebody reads from it, or calls are under way. */
int mlf_client_connect(mlf_client *client, const char *uri, mlf_error *error);

/* A counter that changes when the address does, for what callers remember of a server. */
int mlf_client_generation(const mlf_client *client);

mlf_request_log *mlf_client_log(mlf_client *client);

/* A fresh budget for a statement that begins now. */
int mlf_client_budget(mlf_client *client, mlf_budget *budget, mlf_error *error);

/* Counts a row that a table is about to hand to the statement. An error if that is one more than
** MLFLOW_SQL_STATEMENT_ROWS_MAX allows. */
int mlf_client_count_row(mlf_client *client, mlf_budget *budget, mlf_error *error);

/* Starts a request; does not wait. The budget is borrowed until the call is freed. Errors: it is
** spent; no address. */
int mlf_call_start(mlf_client *client, mlf_budget *budget, const mlf_request *request,
                   mlf_call **out, mlf_error *error);

/* Waits until the call has ended. After a second of the statement's time it shows how far the
** statement is, if the settings say so. */
int mlf_call_wait(mlf_call *call, mlf_error *error);

bool mlf_call_done(const mlf_call *call);

/* Lets everything under way go on, without waiting. */
void mlf_client_progress(mlf_client *client);

/* The body of a call that has ended with HTTP 200, as it came and unchecked; borrowed until the
** reply is taken. NULL and length 0 for any other outcome. */
const char *mlf_call_peek(const mlf_call *call, size_t *length);

/* Takes the reply of a call that has ended: HTTP 200 with JSON. Otherwise an error as in
** "POST /api/3.0/mlflow/traces/search: 403 PERMISSION_DENIED: …; set MLFLOW_TRACKING_TOKEN", or one
** that says that the statement has read more than MLFLOW_SQL_STATEMENT_BYTES_MAX.
** The caller frees `*json` with mlf_json_free. */
int mlf_call_reply(mlf_call *call, mlf_json **json, mlf_error *error);

/* The HTTP status of a call whose reply was taken; 0 if none came as a whole, it was more than the
** statement may read, or it was a page (HTML, say) in the place of JSON, with which a proxy answers
** for the server. */
int mlf_call_status(const mlf_call *call);

/* Puts into the log how many rows a reply held, which count as the statement's traces unless they
** are spans, and adds to how many were kept. */
void mlf_call_log_rows(mlf_call *call, int64_t rows);
void mlf_client_log_kept(mlf_client *client, int64_t log_number, int64_t kept);
int64_t mlf_call_log_number(const mlf_call *call);

/* Puts into the log what is wrong with a trace: into the row of the request that brought it, which
** is the tag of the reply's document, or if that is not known into the newest row. The first
** trouble of a reply stays. */
void mlf_client_log_trace(mlf_client *client, int64_t log_number, const char *trace_id,
                          const char *text);

/* Puts a note on a statement into the log; takes it. */
void mlf_client_log_note(mlf_client *client, char *note);

void mlf_call_free(mlf_call *call); /* one under way is cancelled; NULL is allowed */

/* Starts, waits and takes the reply. */
int mlf_client_fetch(mlf_client *client, mlf_budget *budget, const mlf_request *request,
                     mlf_json **reply, int *status, mlf_error *error);

/* What the server is: GET /version, once. Errors: no MLflow there, or one that is too old. */
int mlf_client_server(mlf_client *client, mlf_budget *budget, mlf_server *server, mlf_error *error);

/* The server's version if it was asked for already; else false. */
bool mlf_client_knows_server(const mlf_client *client, mlf_server *server);

#endif
