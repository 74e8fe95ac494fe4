/* test_http_process.c: what remote/http.h promises to the process that it lives in: interrupts,
** forks, threads, signals, file descriptors, memory; and TLS. */
#include "remote/http.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/resource.h>

#include "hostile.h"

static hostile server;
static hostile tls;
static hostile_identity identity;

/* The name service, for libcurl: slow, and in the end without an answer. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **result) {
  (void)node;
  (void)service;
  (void)hints;
  *result = NULL;
  usleep(1500000);
  return EAI_NONAME;
}

static int process_start_servers(void **state) {
  (void)state;
  hostile_identity_make(&identity, "IP:127.0.0.1");
  hostile_start(&server, NULL, NULL);
  hostile_start(&tls, identity.certificate, identity.key);
  return 0;
}

static int process_stop_servers(void **state) {
  (void)state;
  hostile_stop(&server);
  hostile_stop(&tls);
  hostile_identity_remove(&identity);
  return 0;
}

static int process_set_up(void **state) {
  (void)state;
  hostile_play(&server, "ok");
  hostile_play(&tls, "ok");
  return 0;
}

/* A client that trusts the TLS server, or one of the plain server. */
static void process_open(client *it, bool with_tls) {
  client_prepare(it, hostile_uri(with_tls ? &tls : &server));
  if (with_tls) it->settings.server_cert_path = sqlite3_mprintf("%s", identity.certificate);
  client_connect(it);
}

static int process_use_in_thread(client *it) {
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 100};
  mlf_http_reply *reply;
  int rc = mlf_http_new(&it->settings, client_interrupt(it), &it->http, &it->error);
  for (int i = 0; rc == SQLITE_OK && i < 20; i++) {
    mlf_exchange_free(it->exchange);
    it->exchange = NULL;
    rc = mlf_http_start(it->http, &call, &it->left_ms, &it->exchange, &it->error);
    if (rc == SQLITE_OK) rc = mlf_http_wait(it->http, it->exchange, &it->error);
    if (rc == SQLITE_OK) rc = mlf_exchange_result(it->exchange, &reply, &it->error);
    if (rc == SQLITE_OK && reply->status != 200) rc = SQLITE_ERROR;
  }
  return rc;
}

static void *process_run_thread(void *context) {
  client *it = context;
  it->error.code = process_use_in_thread(it);
  return NULL;
}

/* Must be the first test: the threads race for the first use of libcurl. */
static void process_may_have_threads(void **state) {
  (void)state;
  enum { THREADS = 6 };
  client clients[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    client_prepare(&clients[i], hostile_uri(i % 2 ? &tls : &server));
    clients[i].settings.server_cert_path = sqlite3_mprintf("%s", identity.certificate);
  }
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, process_run_thread, &clients[i]), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < THREADS; i++) {
    if (clients[i].error.code) fail_msg("%s", clients[i].error.text);
    client_close(&clients[i]);
  }
  assert_int_equal(hostile_count(&server, "requests"), THREADS / 2 * 20);
}

/* Interrupts the wait for a server after a while; it must be noticed soon, and leave no trace. */
static void process_interrupt(const char *uri, const char *scenario, int after_ms) {
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 1 << 20};
  mlf_http_reply *reply;
  client it;
  print_message("%s: %s, after %d ms\n", uri, scenario, after_ms);
  client_prepare(&it, uri);
  it.settings.server_cert_path = sqlite3_mprintf("%s", identity.certificate);
  client_connect(&it);
  hostile_play(&server, scenario);
  it.interrupt_ms = mlf_clock_monotonic_ms() + after_ms;
  assert_int_equal(client_call(&it, &call, &reply), SQLITE_INTERRUPT);
  assert_int_equal(it.error.code, SQLITE_INTERRUPT);
  assert_null(it.error.text);
  int64_t free_ms = mlf_clock_monotonic_ms();
  client_close(&it);
  assert_true(it.noticed_ms - it.interrupt_ms <= 250);
  assert_true(mlf_clock_monotonic_ms() - free_ms <= 50);
}

static void process_can_be_interrupted(void **state) {
  (void)state;
  static const int after_ms[] = {0, 1, 30, 130, 300};
  char tls_uri[64];
  char full_uri[64];
  snprintf(tls_uri, sizeof(tls_uri), "https://127.0.0.1:%d", server.port);

  /* A server that takes no connection: its queue is full. */
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof(address);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
  assert_int_equal(listen(listener, 0), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
  int fillers[4];
  for (int i = 0; i < 4; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
    fcntl(fillers[i], F_SETFL, O_NONBLOCK);
    connect(fillers[i], (struct sockaddr *)&address, length);
  }
  snprintf(full_uri, sizeof(full_uri), "http://127.0.0.1:%d", ntohs(address.sin_port));

  for (size_t i = 0; i < sizeof(after_ms) / sizeof(after_ms[0]); i++) {
    process_interrupt("http://slow.test", "ok", after_ms[i]);                /* name */
    process_interrupt(full_uri, "ok", after_ms[i]);                          /* connection */
    process_interrupt(tls_uri, "on-accept stall", after_ms[i]);              /* TLS */
    process_interrupt(hostile_uri(&server), "cut 0 end=stall", after_ms[i]); /* first byte */
    process_interrupt(hostile_uri(&server), "drip every=0.01 file=/etc/services", after_ms[i]);
    process_interrupt(hostile_uri(&server), "status 503 Retry-After=30", after_ms[i]);
  }
  for (int i = 0; i < 4; i++)
    close(fillers[i]);
  close(listener);
}

static void process_goes_on_after_an_interrupt(void **state) {
  (void)state;
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 100};
  mlf_http_reply *reply;
  client it;
  client_open(&it, hostile_uri(&server));
  hostile_play(&server, "delay 0.3 ; ok body=second");
  it.interrupt_ms = mlf_clock_monotonic_ms() + 50;
  assert_int_equal(client_call(&it, &call, &reply), SQLITE_INTERRUPT);
  it.interrupt_ms = 0;
  assert_string_equal(client_get(&it, "/version")->body.bytes, "second");
  client_close(&it);
}

static void process_gives_up_on_a_slow_name_service(void **state) {
  (void)state;
  mlf_http_reply *reply;
  client it;
  client_prepare(&it, "http://slow.test");
  it.settings.connect_timeout_ms = 200;
  it.left_ms = 3000; /* less than the request's time: must not change the words */
  client_connect(&it);
  int64_t start_ms = mlf_clock_monotonic_ms();
  assert_contains(client_fail(&it, "/version", &reply),
                  "cannot resolve the host of http://slow.test within 0.2 s (2 tries in 0.");
  assert_true(mlf_clock_monotonic_ms() - start_ms < 700);
  client_close(&it);
}

/* What a forked child does with its parent's connection; 0 if each step is refused. */
static int process_be_a_child(client *it) {
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 100};
  mlf_exchange *exchange;
  int wrong = 0;
  wrong |= mlf_http_start(it->http, &call, &it->left_ms, &exchange, &it->error) != SQLITE_ERROR;
  wrong |= exchange || !strstr(it->error.text, "opened before a fork");
  mlf_error_clear(&it->error);
  wrong |= mlf_http_wait(it->http, it->exchange, &it->error) != SQLITE_ERROR;
  mlf_http_progress(it->http);
  client_close(it);
  return wrong;
}

static void process_may_fork(void **state) {
  (void)state;
  for (int with_tls = 0; with_tls <= 1; with_tls++) {
    mlf_http_call call = {.path = "/version", .reply_bytes_max = 100};
    mlf_http_reply *reply;
    int status;
    client it;
    process_open(&it, with_tls);
    client_get(&it, "/version");
    for (int in_flight = 0; in_flight <= 1; in_flight++) {
      hostile *with = with_tls ? &tls : &server;
      hostile_tell(with, "route /version %s", in_flight ? "delay 0.2 ; ok" : "ok");
      mlf_exchange_free(it.exchange);
      it.exchange = client_start(&it, &call);
      if (!in_flight) {
        assert_int_equal(mlf_http_wait(it.http, it.exchange, &it.error), SQLITE_OK);
      }
      pid_t child = fork();
      if (child == 0) _exit(process_be_a_child(&it));
      assert_int_equal(waitpid(child, &status, 0), child);
      assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
      assert_int_equal(mlf_http_wait(it.http, it.exchange, &it.error), SQLITE_OK);
      assert_int_equal(mlf_exchange_result(it.exchange, &reply, &it.error), SQLITE_OK);
      assert_string_equal(reply->body.bytes, "{}");
      client_get(&it, "/version");
      assert_int_equal(hostile_count(with, "connects"), 1); /* still the first */
    }
    client_close(&it);
  }
}

static void process_survives_a_broken_pipe(void **state) {
  (void)state;
  size_t length = 4 << 20;
  char *body = calloc(1, length);
  mlf_http_call call = {.path = "/api/3.0/mlflow/traces/search",
                        .body = body,
                        .body_length = length,
                        .reply_bytes_max = 100};
  mlf_http_reply *reply;
  client it;
  for (int i = 0; i < 2; i++) {
    process_open(&it, i == 1);
    client_get(&it, "/version");
    hostile_play(i == 1 ? &tls : &server, "on-accept reset"); /* and the kept connection is gone */
    assert_int_equal(client_call(&it, &call, &reply), SQLITE_ERROR);
    assert_int_equal(reply->attempts, 4);
    client_close(&it);
  }
  free(body);
}

static void process_may_run_out_of_descriptors(void **state) {
  (void)state;
  struct rlimit before;
  struct rlimit none;
  mlf_http_reply *reply;
  client it;
  client fresh;
  client_open(&it, hostile_uri(&server));
  client_prepare(&fresh, hostile_uri(&server));
  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  char *text = sqlite3_mprintf("%s", client_fail(&it, "/version", &reply));
  int rc = mlf_http_new(&fresh.settings, client_interrupt(&fresh), &fresh.http, &fresh.error);
  setrlimit(RLIMIT_NOFILE, &before);
  assert_contains(text, "cannot open a socket to http://127.0.0.1:");
  assert_contains(text, "(too many open files) (4 tries in ");
  assert_true(rc == SQLITE_OK || rc == SQLITE_NOMEM);
  assert_int_equal(client_get(&it, "/version")->status, 200);
  sqlite3_free(text);
  client_close(&it);
  client_close(&fresh);
}

static void process_keeps_sockets_to_itself(void **state) {
  (void)state;
  int marked = 0;
  client it;
  client_open(&it, hostile_uri(&server));
  client_get(&it, "/version");
  for (int fd = 3; fd < 64; fd++) {
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);
    if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != server.port) continue;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    marked++;
  }
  assert_int_equal(marked, 1);
  client_close(&it);
}

static void process_checks_certificates(void **state) {
  (void)state;
  mlf_http_reply *reply;
  client it;
  client_open(&it, hostile_uri(&tls)); /* of an unknown authority */
  const char *text = client_fail(&it, "/version", &reply);
  assert_contains(text, "GET /version: the certificate of https://127.0.0.1:");
  assert_contains(text, "(1 try in ");
  assert_contains(text, "MLFLOW_TRACKING_SERVER_CERT_PATH");
  client_close(&it);

  char *uri =
      sqlite3_mprintf("https://localhost:%d", tls.port); /* the certificate says 127.0.0.1 */
  client_prepare(&it, uri);
  it.settings.server_cert_path = sqlite3_mprintf("%s", identity.certificate);
  client_connect(&it);
  assert_contains(client_fail(&it, "/version", &reply), "is not trusted");
  client_close(&it);
  sqlite3_free(uri);

  client_prepare(&it, hostile_uri(&tls)); /* a file without a certificate */
  it.settings.server_cert_path = sqlite3_mprintf("/etc/passwd");
  client_connect(&it);
  assert_contains(client_fail(&it, "/version", &reply),
                  "cannot use the certificates in '/etc/passwd'");
  client_close(&it);

  client_prepare(&it, hostile_uri(&tls));
  it.settings.client_cert_path = sqlite3_mprintf("/etc/passwd");
  client_connect(&it);
  assert_contains(client_fail(&it, "/version", &reply), "MLFLOW_TRACKING_CLIENT_CERT_PATH");
  client_close(&it);
  assert_int_equal(hostile_count(&tls, "requests"), 0);

  char *plain = sqlite3_mprintf("https://127.0.0.1:%d", server.port);
  client_open(&it, plain);
  hostile_play(&server, "on-accept close");
  assert_contains(client_fail(&it, "/version", &reply), "does the server speak https?");
  client_close(&it);
  sqlite3_free(plain);

  client_prepare(&it, hostile_uri(&tls)); /* the user said so */
  it.settings.insecure_tls = true;
  client_connect(&it);
  assert_int_equal(client_get(&it, "/version")->status, 200);
  client_close(&it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(process_may_have_threads, process_set_up),
      cmocka_unit_test_setup(process_can_be_interrupted, process_set_up),
      cmocka_unit_test_setup(process_goes_on_after_an_interrupt, process_set_up),
      cmocka_unit_test_setup(process_gives_up_on_a_slow_name_service, process_set_up),
      cmocka_unit_test_setup(process_may_fork, process_set_up),
      cmocka_unit_test_setup(process_survives_a_broken_pipe, process_set_up),
      cmocka_unit_test_setup(process_may_run_out_of_descriptors, process_set_up),
      cmocka_unit_test_setup(process_keeps_sockets_to_itself, process_set_up),
      cmocka_unit_test_setup(process_checks_certificates, process_set_up),
  };
  return cmocka_run_group_tests(tests, process_start_servers, process_stop_servers);
}
