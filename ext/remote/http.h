/* http.h: the one way to send a request (transfer.h is the door to libcurl), and the only code that
** waits.
**
** One mlf_http per database connection: one curl_multi with keep-alive connections to one origin.
** A request is started, goes on while others do, and is waited for. All waiting happens in
** mlf_http_wait, which asks every MLF_INTERRUPT_POLL_MS whether to go on.
**
**   (1) http and https only; HTTP/1.1; no redirect is followed; no .netrc, no cookies, no
**       environment proxy for plain http that carries a secret.
**   (2) The address and the secret come from mlf_settings. A call adds a constant path and
**       encoded parameters; no caller can name a host.
**   (3) A body is counted as it arrives and capped; a reply is handed over only when complete.
**   (4) What may pass is tried again with growing random waits, as retry.h has it; Retry-After is
**       honoured to MLF_RETRY_AFTER_MAX_MS, a longer one fails at once and says so. A request
**       whose own time runs out after it was sent is not tried again. Besides, libcurl repeats one
**       that finds its kept connection closed; this is not counted.
**   (5) Every request is a read: GET, or POST to the paths in http.c's allow-list.
**   (6) A process that was forked gets an error, never its parent's bytes; its close sends none.
*/
#ifndef MLF_REMOTE_HTTP_H
#define MLF_REMOTE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/settings.h"

typedef struct mlf_http mlf_http;
typedef struct mlf_exchange mlf_exchange; /* one request with its retries, until its reply */

typedef struct mlf_http_parameter {
  const char *name;  /* constant */
  const char *value; /* any text; encoded by http */
} mlf_http_parameter;

typedef struct mlf_http_call {
  const char *path;                     /* constant, e.g. "/api/3.0/mlflow/traces/search" */
  const mlf_http_parameter *parameters; /* query string, in order; copied */
  size_t parameter_count;
  const char *body; /* JSON of a POST, copied; NULL makes it a GET */
  size_t body_length;
  size_t reply_bytes_max;
  const char *limit_advice; /* what to do about a larger reply; constant */
} mlf_http_call;

typedef struct mlf_http_reply {
  int status;                  /* HTTP status; 0 if none came */
  mlf_buffer body;             /* owned by the exchange; may be taken from it */
  const char *content_type;    /* "" if none; lower case, without parameters */
  const char *location_origin; /* of a 3xx: scheme://host:port it points to; "" otherwise */
  int attempts;                /* requests sent; 0 if the statement's time was over before */
  int64_t started_ms;          /* Unix time of the first attempt */
  bool late;                   /* none came because the statement's time was over */
  int64_t wait_ms;             /* from the first attempt's start to the reply's end */
} mlf_http_reply;

/* `settings` and `interrupt` are borrowed and must outlive the http. Opens no connection. Errors:
** no tracking URI; a secret that would go over plain http to a host that is not loopback; with
** https, a certificate file that cannot be read; SQLITE_NOMEM. */
int mlf_http_new(const mlf_settings *settings, mlf_interrupt *interrupt, mlf_http **out,
                 mlf_error *error);

/* Ends everything still in flight. Exchanges must be freed before. NULL is allowed. */
void mlf_http_free(mlf_http *http);

/* Starts a request; does not wait. `*left_ms` is how long its statement may still wait: each wait
** for an exchange takes its time from there, and no attempt and no back-off goes on without any. It
** is borrowed until the exchange is freed. Errors: SQLITE_NOMEM, SQLITE_MISUSE (5), a fork (6); all
** others are the outcome of the exchange. */
int mlf_http_start(mlf_http *http, const mlf_http_call *call, int64_t *left_ms, mlf_exchange **out,
                   mlf_error *error);

/* Lets everything in flight go on without waiting: reads what arrived, sends what may be sent,
** starts retries that are due. */
void mlf_http_progress(mlf_http *http);

/* Whether the exchange has ended, well or not, so that mlf_http_wait would not wait for it. */
bool mlf_exchange_done(const mlf_exchange *exchange);

/* Waits until it has ended. Errors: only those of waiting itself (SQLITE_INTERRUPT, SQLITE_NOMEM, a
** fork). */
int mlf_http_wait(mlf_http *http, const mlf_exchange *exchange, mlf_error *error);

/* The outcome of an exchange that has ended. SQLITE_OK: a complete reply came, whatever its
** status. Otherwise the text says method, path, what happened and after how many tries, e.g.
** "POST /api/3.0/mlflow/traces/search: cannot connect to http://127.0.0.1:5000 (4 tries in
** 4.1 s); is the server running, and is MLFLOW_TRACKING_URI right?". `*reply` is filled in both
** cases (for the request log) and borrowed from the exchange. */
int mlf_exchange_result(mlf_exchange *exchange, mlf_http_reply **reply, mlf_error *error);

/* Frees an exchange; one in flight is cancelled: nothing more is sent for it. NULL is allowed. */
void mlf_exchange_free(mlf_exchange *exchange);

/* The settings, borrowed: what of them was sent decides what an answer means. */
const mlf_settings *mlf_http_settings(const mlf_http *http);

/* What the server says, to be shown: a copy without the secrets, as one line of at most `bytes_max`
** bytes. Free with sqlite3_free. NULL: no memory. */
char *mlf_http_quote(const mlf_http *http, const char *text, size_t bytes_max);

#endif
