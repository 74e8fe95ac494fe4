#include "remote/http.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/gregorian.h"
#include "base/limits.h"
#include "base/sqlite_api.h"
#include "remote/retry.h"
#include "remote/secrets.h"
#include "remote/transfer.h"

typedef enum exchange_state {
  EXCHANGE_WAITING, /* for its time, or for one of the connections */
  EXCHANGE_RUNNING,
  EXCHANGE_DONE
} exchange_state;

struct mlf_exchange {
  mlf_http *http;
  mlf_exchange *next;
  exchange_state state;
  int64_t *left_ms; /* how long its statement may still wait */
  int64_t begun_ms; /* when the attempt began, on the clock of `waited_ms` */
  int64_t due_ms;   /* the next attempt is not sent before */
  int64_t first_ms; /* when the first attempt was sent */
  mlf_transfer transfer;
  mlf_error failure;
};

struct mlf_http {
  const mlf_settings *settings; /* borrowed */
  mlf_interrupt *interrupt;     /* borrowed */
  pid_t pid;                    /* of the process that owns the connections */
  char *origin;
  mlf_secrets secrets;
  struct curl_slist *headers;
  CURLM *multi;
  CURL *idle[MLF_STREAMS_MAX]; /* handles that no attempt uses */
  int idle_count;
  int running_count;
  int64_t waited_ms; /* in all: a clock that stands still while the host does something else */
  mlf_exchange *exchanges; /* all that live, oldest first */
};

/* Requests that change nothing although they are no GET. */
static const char *const http_post_paths[] = {
    "/api/3.0/mlflow/traces/search",
    "/api/3.0/mlflow/traces/metrics",
    "/api/2.0/mlflow/experiments/search",
};

static pthread_once_t http_once = PTHREAD_ONCE_INIT;
static CURLcode http_global_code;

#define HTTP_CURL_VERSION_MIN 0x075800 /* 7.88.0 */

static void http_init_curl(void) {
  http_global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

const mlf_settings *mlf_http_settings(const mlf_http *http) {
  return http->settings;
}

char *mlf_http_quote(const mlf_http *http, const char *text, size_t bytes_max) {
  return mlf_secrets_quote(&http->secrets, text, bytes_max);
}

/* A child of fork shares the parent's sockets: bytes it took or sent would be the parent's. */
static bool http_is_forked(const mlf_http *http) {
  return getpid() != http->pid;
}

static int http_fork_error(mlf_error *error) {
  return mlf_error_set(error, SQLITE_ERROR,
                       "this connection was opened before a fork; open the database again in the "
                       "new process");
}

/* Whether there is a file to read: on a pipe or a terminal, libcurl would wait for ever. */
static int http_check_file(const char *path, const char *variable, mlf_error *error) {
  struct stat status;
  if (!path) return SQLITE_OK;
  if (access(path, R_OK) != 0 || stat(path, &status) != 0)
    return mlf_error_set(error, SQLITE_ERROR, "cannot read '%s', the file that %s names", path,
                         variable);
  if (S_ISREG(status.st_mode)) return SQLITE_OK;
  return mlf_error_set(error, SQLITE_ERROR, "'%s', which %s names, is not a regular file", path,
                       variable);
}

static int http_check_settings(const mlf_settings *settings, mlf_error *error) {
  if (!settings->tracking_uri)
    return mlf_error_set(
        error, SQLITE_ERROR,
        "no server is set; set MLFLOW_TRACKING_URI, e.g. to http://127.0.0.1:5000; "
        "a store without one (./mlruns, sqlite:///mlflow.db) needs one: `mlflow "
        "server --backend-store-uri STORE --port 5000`");
  if (mlf_transfer_is_plain(settings)) {
    if (mlf_transfer_has_secret(settings) && !settings->plain_http_secret &&
        !mlf_settings_is_loopback(settings->tracking_uri))
      return mlf_error_set(error, SQLITE_ERROR,
                           "a token or password would go unencrypted over plain http to another "
                           "machine; use https, or set MLFLOW_SQL_ALLOW_PLAIN_HTTP_SECRET=true");
    return SQLITE_OK;
  }
  int rc = http_check_file(settings->server_cert_path, "MLFLOW_TRACKING_SERVER_CERT_PATH", error);
  if (rc != SQLITE_OK) return rc;
  return http_check_file(settings->client_cert_path, "MLFLOW_TRACKING_CLIENT_CERT_PATH", error);
}

/* We get whatever libcurl.so.4 the machine has. An older one does not know options that we rely on,
** such as the list of protocols. */
static int http_check_curl(mlf_error *error) {
  const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
  pthread_once(&http_once, http_init_curl);
  if (http_global_code != CURLE_OK)
    return mlf_error_set(error, SQLITE_ERROR, "libcurl does not start: %s",
                         curl_easy_strerror(http_global_code));
  if (curl->version_num < HTTP_CURL_VERSION_MIN)
    return mlf_error_set(error, SQLITE_ERROR,
                         "this machine's libcurl is %s; 7.88.0 or newer is needed", curl->version);
  return SQLITE_OK;
}

static bool http_set_multi(mlf_http *http) {
  long streams = http->settings->streams;
  http->multi = curl_multi_init();
  return http->multi &&
         curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, streams) == CURLM_OK &&
         curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, streams) == CURLM_OK;
}

int mlf_http_new(const mlf_settings *settings, mlf_interrupt *interrupt, mlf_http **out,
                 mlf_error *error) {
  *out = NULL;
  assert(settings->streams >= 1 && settings->streams <= MLF_STREAMS_MAX);
  int rc = http_check_settings(settings, error);
  if (rc == SQLITE_OK) rc = http_check_curl(error);
  if (rc != SQLITE_OK) return rc;

  mlf_http *http = sqlite3_malloc64(sizeof(*http));
  if (!http) return mlf_error_nomem(error);
  memset(http, 0, sizeof(*http));
  http->settings = settings;
  http->interrupt = interrupt;
  http->pid = getpid();
  bool whole = mlf_secrets_init(&http->secrets, settings) == SQLITE_OK &&
               (http->origin = mlf_transfer_origin(settings->tracking_uri)) &&
               (http->headers = mlf_transfer_headers(settings)) && http_set_multi(http);
  if (!whole) {
    mlf_http_free(http);
    return mlf_error_nomem(error);
  }
  *out = http;
  return SQLITE_OK;
}

void mlf_http_free(mlf_http *http) {
  if (!http) return;
  assert(!http->exchanges);
  /* Closing in a forked child would tell the server that the parent is done: TLS says goodbye. */
  if (!http_is_forked(http)) {
    for (int i = 0; i < http->idle_count; i++)
      curl_easy_cleanup(http->idle[i]);
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
  }
  mlf_secrets_clear(&http->secrets);
  sqlite3_free(http->origin);
  sqlite3_free(http);
}

static CURL *http_take_handle(mlf_http *http) {
  if (http->idle_count > 0) return http->idle[--http->idle_count];
  return mlf_transfer_handle_new(http->settings, http->headers);
}

/* Ends an attempt for the connection's part. One that is under way loses its connection. */
static void http_return_handle(mlf_http *http, CURL *easy) {
  curl_multi_remove_handle(http->multi, easy);
  http->idle[http->idle_count++] = easy;
  http->running_count--;
}

/* "POST /path: what (2 tries in 1.3 s); advice" */
static void exchange_fail(mlf_exchange *exchange, const char *what, const char *advice) {
  const mlf_transfer *transfer = &exchange->transfer;
  int tries = transfer->reply.attempts;
  exchange->state = EXCHANGE_DONE;
  char *text = sqlite3_mprintf("%s %s: %s (%d %s in %.1f s); %s", transfer->body ? "POST" : "GET",
                               transfer->path, what, tries, tries == 1 ? "try" : "tries",
                               (double)transfer->reply.wait_ms / 1000, advice);
  if (text) {
    mlf_secrets_redact(&exchange->http->secrets, text);
    mlf_error_set(&exchange->failure, transfer->too_big ? SQLITE_TOOBIG : SQLITE_ERROR, "%s", text);
  } else {
    mlf_error_nomem(&exchange->failure);
  }
  sqlite3_free(text);
}

static void exchange_fail_nomem(mlf_exchange *exchange) {
  exchange->state = EXCHANGE_DONE;
  mlf_error_nomem(&exchange->failure);
}

/* The server asks for a longer wait than ours. Beyond a day its length says nothing. */
static void exchange_fail_wait(mlf_exchange *exchange, int64_t asked_ms) {
  char asked[32] = "longer than a day";
  if (asked_ms <= MLF_DAY_MS)
    sqlite3_snprintf((int)sizeof(asked), asked, "%lld s", (sqlite3_int64)asked_ms / 1000);
  char *what =
      sqlite3_mprintf("status %d, and the server asks to wait %s, more than the %d s that we wait",
                      exchange->transfer.reply.status, asked, MLF_RETRY_AFTER_MAX_MS / 1000);
  if (what)
    exchange_fail(exchange, what, "ask again later");
  else
    exchange_fail_nomem(exchange);
  sqlite3_free(what);
}

static void exchange_start_attempt(mlf_exchange *exchange, int64_t now_ms) {
  mlf_http *http = exchange->http;
  mlf_http_reply *reply = &exchange->transfer.reply;
  CURL *easy = http_take_handle(http);
  if (!easy) {
    exchange_fail_nomem(exchange);
    return;
  }
  http->running_count++;
  if (reply->attempts++ == 0) {
    exchange->first_ms = now_ms;
    reply->started_ms = mlf_clock_unix_ms();
  }
  exchange->state = EXCHANGE_RUNNING;
  exchange->begun_ms = http->waited_ms;
  if (mlf_transfer_begin(&exchange->transfer, easy) != SQLITE_OK ||
      curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) != CURLE_OK ||
      curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
    exchange->transfer.easy = NULL;
    http_return_handle(http, easy);
    exchange_fail_nomem(exchange);
  }
}

/* Sends again, or settles the outcome. */
static void exchange_end_attempt(mlf_exchange *exchange, CURL *easy, CURLcode code) {
  mlf_http *http = exchange->http;
  mlf_transfer *transfer = &exchange->transfer;
  int64_t now_ms = mlf_clock_monotonic_ms();
  transfer->reply.wait_ms = now_ms - exchange->first_ms;
  mlf_retry_attempt attempt = {.attempts = transfer->reply.attempts};
  int rc = mlf_transfer_end(transfer, code, http->origin, &attempt.fault);
  http_return_handle(http, easy);
  if (rc != SQLITE_OK) {
    exchange_fail_nomem(exchange);
    return;
  }
  attempt.status = transfer->reply.status;
  attempt.retry_after = transfer->retry_after;
  attempt.body = transfer->reply.body.bytes;
  attempt.body_length = transfer->reply.body.length;
  uint32_t random;
  int64_t wait_ms;
  sqlite3_randomness((int)sizeof(random), &random);
  mlf_retry_verdict verdict =
      mlf_retry_decide(&attempt, http->settings->retries_max, http->settings->backoff_factor,
                       mlf_clock_unix_ms(), random, &wait_ms);
  if (verdict == MLF_RETRY_AGAIN && wait_ms < *exchange->left_ms) {
    exchange->due_ms = now_ms + wait_ms;
    exchange->state = EXCHANGE_WAITING;
  } else if (verdict == MLF_RETRY_TOO_LONG) {
    exchange_fail_wait(exchange, wait_ms);
  } else if (attempt.fault != MLF_RETRY_REPLY) {
    exchange_fail(exchange, transfer->what, transfer->advice);
  } else {
    exchange->state = EXCHANGE_DONE;
  }
}

/* Starts what is due while there are connections left; ends what has no time left for it. */
static void http_start_due(mlf_http *http) {
  int64_t now_ms = mlf_clock_monotonic_ms();
  for (mlf_exchange *exchange = http->exchanges; exchange; exchange = exchange->next) {
    mlf_http_reply *reply = &exchange->transfer.reply;
    if (exchange->state != EXCHANGE_WAITING) continue;
    if (*exchange->left_ms <= 0) {
      if (reply->attempts > 0) reply->wait_ms = now_ms - exchange->first_ms;
      reply->late = true;
      exchange_fail(exchange, "the statement's time is over",
                    "a larger MLFLOW_SQL_STATEMENT_TIMEOUT allows more");
    } else if (now_ms >= exchange->due_ms && http->running_count < http->settings->streams) {
      exchange_start_attempt(exchange, now_ms);
    }
  }
}

/* Has the system acknowledge at once what arrives next. A server that sends a reply in two parts,
** and has not turned Nagle's algorithm off, holds the second back until the first is acknowledged,
** for which Linux waits 40 ms: MLflow's does so with more than one worker. The system forgets it
** again and again. */
static void http_acknowledge(mlf_http *http) {
#ifdef TCP_QUICKACK
  fd_set reading, writing, failing;
  int last = -1;
  const int on = 1;
  FD_ZERO(&reading);
  FD_ZERO(&writing);
  FD_ZERO(&failing);
  curl_multi_fdset(http->multi, &reading, &writing, &failing, &last);
  for (int fd = 0; fd <= last; fd++) {
    if (FD_ISSET(fd, &reading)) setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
  }
#else
  (void)http;
#endif
}

/* How long an attempt may still take. */
static int64_t exchange_left_ms(const mlf_exchange *exchange) {
  const mlf_http *http = exchange->http;
  int64_t left_ms = exchange->begun_ms + http->settings->request_timeout_ms - http->waited_ms;
  return left_ms < *exchange->left_ms ? left_ms : *exchange->left_ms;
}

/* Ends the attempts whose time is over. What is under way while the host does something else has
** not waited for the server, as CURLOPT_TIMEOUT_MS would have it. */
static void http_end_late(mlf_http *http) {
  for (mlf_exchange *exchange = http->exchanges; exchange; exchange = exchange->next) {
    if (exchange->state != EXCHANGE_RUNNING || exchange_left_ms(exchange) > 0) continue;
    exchange->transfer.timed_out = true;
    exchange->transfer.reply.late = *exchange->left_ms <= 0;
    exchange_end_attempt(exchange, exchange->transfer.easy, CURLE_OPERATION_TIMEDOUT);
  }
}

static CURLMcode http_pump(mlf_http *http) {
  int count;
  http_start_due(http);
  CURLMcode code = curl_multi_perform(http->multi, &count);
  for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &count));) {
    char *exchange = NULL;
    CURL *easy = message->easy_handle;
    CURLcode result = message->data.result; /* gone once the handle is removed */
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    exchange_end_attempt((mlf_exchange *)(void *)exchange, easy, result);
  }
  http_end_late(http);
  http_acknowledge(http);
  return code;
}

void mlf_http_progress(mlf_http *http) {
  if (!http_is_forked(http)) http_pump(http);
}

static bool http_may_post(const char *path) {
  for (size_t i = 0; i < sizeof(http_post_paths) / sizeof(http_post_paths[0]); i++) {
    if (strcmp(path, http_post_paths[i]) == 0) return true;
  }
  return false;
}

int mlf_http_start(mlf_http *http, const mlf_http_call *call, int64_t *left_ms, mlf_exchange **out,
                   mlf_error *error) {
  *out = NULL;
  if (http_is_forked(http)) return http_fork_error(error);
  if (call->body && !http_may_post(call->path))
    return mlf_error_set(error, SQLITE_MISUSE, "POST %s: not among the requests that only read",
                         call->path);
  mlf_exchange *exchange = sqlite3_malloc64(sizeof(*exchange));
  if (!exchange) return mlf_error_nomem(error);
  memset(exchange, 0, sizeof(*exchange));
  exchange->http = http;
  exchange->left_ms = left_ms;
  if (mlf_transfer_init(&exchange->transfer, http->settings, call) != SQLITE_OK) {
    mlf_transfer_clear(&exchange->transfer);
    sqlite3_free(exchange);
    return mlf_error_nomem(error);
  }
  mlf_exchange **last = &http->exchanges;
  while (*last)
    last = &(*last)->next;
  *last = exchange;
  *out = exchange;
  http_pump(http);
  return SQLITE_OK;
}

bool mlf_exchange_done(const mlf_exchange *exchange) {
  return exchange->state == EXCHANGE_DONE;
}

/* How long nothing can happen unless bytes arrive, up to `until_ms`. */
static int http_idle_ms(const mlf_http *http, int64_t until_ms) {
  int64_t now_ms = mlf_clock_monotonic_ms();
  bool all_run = http->running_count >= http->settings->streams;
  for (const mlf_exchange *exchange = http->exchanges; exchange; exchange = exchange->next) {
    int64_t next_ms = until_ms;
    if (exchange->state == EXCHANGE_RUNNING) next_ms = now_ms + exchange_left_ms(exchange);
    if (exchange->state == EXCHANGE_WAITING && !all_run) next_ms = exchange->due_ms;
    if (next_ms < until_ms) until_ms = next_ms;
  }
  return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

/* Takes the time since `*since_ms`, which is now from then on, from that of the statement which
** waits for the exchange. */
static void http_charge(mlf_http *http, const mlf_exchange *exchange, int64_t *since_ms) {
  int64_t now_ms = mlf_clock_monotonic_ms();
  http->waited_ms += now_ms - *since_ms;
  *exchange->left_ms -= now_ms - *since_ms;
  *since_ms = now_ms;
}

int mlf_http_wait(mlf_http *http, const mlf_exchange *exchange, mlf_error *error) {
  if (http_is_forked(http)) return http_fork_error(error);
  for (int64_t since_ms = mlf_clock_monotonic_ms();;) {
    int rc = mlf_interrupt_poll(http->interrupt, error);
    if (rc != SQLITE_OK) return rc;
    http_charge(http, exchange, &since_ms);
    CURLMcode code = http_pump(http);
    if (mlf_exchange_done(exchange)) return SQLITE_OK;
    if (code == CURLM_OK)
      code =
          curl_multi_poll(http->multi, NULL, 0, http_idle_ms(http, http->interrupt->next_ms), NULL);
    if (code == CURLM_OUT_OF_MEMORY) return mlf_error_nomem(error);
    if (code != CURLM_OK)
      return mlf_error_set(error, SQLITE_ERROR, "waiting for %s failed: %s", http->origin,
                           curl_multi_strerror(code));
  }
}

int mlf_exchange_result(mlf_exchange *exchange, mlf_http_reply **reply, mlf_error *error) {
  assert(mlf_exchange_done(exchange));
  *reply = &exchange->transfer.reply;
  if (exchange->failure.code == SQLITE_OK) return SQLITE_OK;
  return mlf_error_set(error, exchange->failure.code, "%s", exchange->failure.text);
}

void mlf_exchange_free(mlf_exchange *exchange) {
  if (!exchange) return;
  mlf_http *http = exchange->http;
  mlf_exchange **link = &http->exchanges;
  while (*link != exchange)
    link = &(*link)->next;
  *link = exchange->next;
  if (exchange->transfer.easy && !http_is_forked(http))
    http_return_handle(http, exchange->transfer.easy);
  mlf_transfer_clear(&exchange->transfer);
  mlf_error_clear(&exchange->failure);
  sqlite3_free(exchange);
}
