/* hostile.h: tests/fault/hostile_server.py as a child of this test, and an mlf_http towards it.
**
**   hostile server;
**   hostile_start(&server, NULL);
**   hostile_play(&server, "status 503 ; ok body='[]'");
**   client it;
**   client_open(&it, hostile_uri(&server));
**   mlf_http_reply *reply = client_get(&it, "/version");   fails the test unless a reply came
**   assert_int_equal(hostile_count(&server, "requests"), 2);
**   client_close(&it);
**   hostile_stop(&server);
*/
#ifndef MLF_TESTS_HOSTILE_H
#define MLF_TESTS_HOSTILE_H

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/sqlite_api.h"
#include "remote/http.h"

typedef struct hostile {
  pid_t pid;
  int input; /* the server ends with it */
  int port;
  int control_port;
  const char *scheme;
  char uri[64];
  char answer[8192]; /* of the control port, the latest */
} hostile;

/* Starts a server; with a certificate and its key, one that speaks TLS. */
static inline void hostile_start(hostile *server, const char *certificate, const char *key) {
  int input[2];
  int output[2];
  char line[64] = "";
  assert_int_equal(pipe(input), 0);
  assert_int_equal(pipe(output), 0);
  server->pid = fork();
  assert_true(server->pid >= 0);
  if (server->pid == 0) {
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
      close(fd);
    if (certificate)
      execlp("python3", "python3", "fault/hostile_server.py", "--tls", certificate, key, (char *)0);
    else
      execlp("python3", "python3", "fault/hostile_server.py", (char *)0);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  server->input = input[1];
  FILE *lines = fdopen(output[0], "r");
  assert_non_null(lines);
  assert_non_null(fgets(line, (int)sizeof(line), lines));
  fclose(lines);
  assert_int_equal(sscanf(line, "%d %d", &server->port, &server->control_port), 2);
  server->scheme = certificate ? "https" : "http";
}

static inline void hostile_stop(hostile *server) {
  close(server->input);
  waitpid(server->pid, NULL, 0);
}

static inline const char *hostile_uri(hostile *server) {
  snprintf(server->uri, sizeof(server->uri), "%s://127.0.0.1:%d", server->scheme, server->port);
  return server->uri;
}

/* Starts one that the environment names as the MLflow server, of somebody without a home. */
static inline void hostile_start_mlflow(hostile *server) {
  hostile_start(server, NULL, NULL);
  setenv("MLFLOW_TRACKING_URI", hostile_uri(server), 1);
  setenv("HOME", "/nonexistent", 1);
}

/* Sends a line to the control port; the answer is borrowed until the next one. */
__attribute__((format(printf, 2, 3))) static inline const char *
hostile_tell(hostile *server, const char *format, ...) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)server->control_port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  char line[8192];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
  va_end(arguments);
  line[length++] = '\n';
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(write(fd, line, (size_t)length), length);
  size_t filled = 0;
  for (ssize_t got = 1; got > 0; filled += (size_t)got) {
    got = read(fd, server->answer + filled, sizeof(server->answer) - 1 - filled);
    assert_true(got >= 0);
  }
  server->answer[filled] = 0;
  close(fd);
  return server->answer;
}

static inline void hostile_play(hostile *server, const char *scenario) {
  assert_string_equal(hostile_tell(server, "play %s", scenario), "ok\n");
}

/* What the server counts: "connects", "open" (connections) or "requests". */
static inline int hostile_count(hostile *server, const char *what) {
  const char *at = strstr(hostile_tell(server, "count"), what);
  assert_non_null(at);
  return atoi(at + strlen(what) + 1);
}

/* Where a test keeps a certificate of its own. */
typedef struct hostile_identity {
  char directory[32];
  char certificate[64];
  char key[64];
} hostile_identity;

/* Makes a self-signed certificate for `subject`, e.g. "IP:127.0.0.1". */
static inline void hostile_identity_make(hostile_identity *identity, const char *subject) {
  char command[512];
  strcpy(identity->directory, "/tmp/mlflow-http-XXXXXX");
  assert_non_null(mkdtemp(identity->directory));
  snprintf(identity->certificate, sizeof(identity->certificate), "%s/cert", identity->directory);
  snprintf(identity->key, sizeof(identity->key), "%s/key", identity->directory);
  snprintf(command, sizeof(command),
           "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
           "-subj /CN=test -addext subjectAltName=%s -keyout %s -out %s 2>/dev/null",
           subject, identity->key, identity->certificate);
  assert_int_equal(system(command), 0);
}

static inline void hostile_identity_remove(hostile_identity *identity) {
  unlink(identity->certificate);
  unlink(identity->key);
  rmdir(identity->directory);
}

typedef struct client {
  mlf_settings settings;
  mlf_http *http;
  mlf_exchange *exchange; /* the latest */
  mlf_error error;        /* of the latest */
  int64_t left_ms;        /* a statement's time, */
  int64_t call_left_ms;   /* and that of the statement of the latest call */
  int64_t interrupt_ms;   /* when the statement is interrupted, on the monotonic clock; 0: never */
  int64_t noticed_ms;     /* when it was asked for after that */
  mlf_interrupt interrupt;
} client;

static inline int client_interrupted(void *context) {
  client *it = context;
  int64_t now_ms = mlf_clock_monotonic_ms();
  if (!it->interrupt_ms || now_ms < it->interrupt_ms) return SQLITE_OK;
  it->noticed_ms = now_ms;
  return SQLITE_INTERRUPT;
}

/* The interrupt of an mlf_http for this client, which must stay where it is. */
static inline mlf_interrupt *client_interrupt(client *it) {
  it->interrupt = (mlf_interrupt){.ask = client_interrupted, .context = it};
  return &it->interrupt;
}

/* The default settings, whatever the environment has, but with short waits between tries. */
static inline void client_prepare(client *it, const char *uri) {
  memset(it, 0, sizeof(*it));
  for (int i = 0; i < mlf_settings_count(); i++) {
    mlf_setting_row row;
    assert_int_equal(mlf_settings_row(&it->settings, i, &row, &it->error), SQLITE_OK);
    unsetenv(row.name);
    sqlite3_free(row.value);
  }
  setenv("HOME", "/nonexistent", 1);
  assert_int_equal(mlf_settings_set_uri(&it->settings, uri, &it->error), SQLITE_OK);
  it->settings.backoff_factor = 0.01;
  it->settings.request_timeout_ms = 5000;
  it->left_ms = 60000;
}

static inline void client_connect(client *it) {
  assert_int_equal(mlf_http_new(&it->settings, client_interrupt(it), &it->http, &it->error),
                   SQLITE_OK);
}

static inline void client_open(client *it, const char *uri) {
  client_prepare(it, uri);
  client_connect(it);
}

static inline void client_close(client *it) {
  mlf_exchange_free(it->exchange);
  mlf_http_free(it->http);
  mlf_error_clear(&it->error);
  mlf_settings_clear(&it->settings);
}

static inline mlf_exchange *client_start(client *it, const mlf_http_call *call) {
  mlf_exchange *exchange;
  it->call_left_ms = it->left_ms;
  assert_int_equal(mlf_http_start(it->http, call, &it->call_left_ms, &exchange, &it->error),
                   SQLITE_OK);
  return exchange;
}

/* Carries out a call; the reply is borrowed until the next one. */
static inline int client_call(client *it, const mlf_http_call *call, mlf_http_reply **reply) {
  mlf_exchange_free(it->exchange);
  mlf_error_clear(&it->error);
  it->exchange = client_start(it, call);
  int rc = mlf_http_wait(it->http, it->exchange, &it->error);
  return rc == SQLITE_OK ? mlf_exchange_result(it->exchange, reply, &it->error) : rc;
}

static inline mlf_http_reply *client_get(client *it, const char *path) {
  mlf_http_call call = {.path = path, .reply_bytes_max = 1 << 20};
  mlf_http_reply *reply;
  if (client_call(it, &call, &reply) != SQLITE_OK) fail_msg("%s", it->error.text);
  return reply;
}

/* The same for what must fail; returns the error's text. */
static inline const char *client_fail(client *it, const char *path, mlf_http_reply **reply) {
  mlf_http_call call = {.path = path, .reply_bytes_max = 1 << 20};
  int rc = client_call(it, &call, reply);
  assert_true(rc == SQLITE_ERROR ||
              (rc == SQLITE_TOOBIG && strstr(it->error.text, " larger than ")));
  return it->error.text;
}

static inline void assert_contains(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("'%s' is not in: %s", part, text);
}

#endif
