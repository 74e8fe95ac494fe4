/* test_http.c: what remote/http.h promises while the server is well-behaved; the rest is in
** test_http_faults.c. */
#include "remote/http.h"

#include <time.h>

#include "hostile.h"

static hostile server;
static hostile other;

static int http_start_servers(void **state) {
  (void)state;
  hostile_start(&server, NULL, NULL);
  hostile_start(&other, NULL, NULL);
  return 0;
}

static int http_stop_servers(void **state) {
  (void)state;
  hostile_stop(&server);
  hostile_stop(&other);
  return 0;
}

static int http_set_up(void **state) {
  static const char *const variables[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
  (void)state;
  for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
    unsetenv(variables[i]);
  hostile_play(&server, "ok");
  hostile_play(&other, "ok");
  return 0;
}

static void http_sends_a_get_as_written(void **state) {
  (void)state;
  static const mlf_http_parameter parameters[] = {
      {"filter", "name = 'a b' AND x > 1\r\nHost: evil\t%00#?&/../;\\\"`"},
      {"trace_ids", "tr-1=2"},
      {"trace_ids", "\xc3\xa9\xff"},
      {"empty", ""},
  };
  client it;
  client_prepare(&it, hostile_uri(&server));
  it.settings.workspace = sqlite3_mprintf("team-a");
  client_connect(&it);
  mlf_http_call call = {.path = "/api/3.0/mlflow/traces/batchGet",
                        .parameters = parameters,
                        .parameter_count = 4,
                        .reply_bytes_max = 100};
  mlf_http_reply *reply;
  assert_int_equal(client_call(&it, &call, &reply), SQLITE_OK);
  assert_int_equal(reply->status, 200);
  assert_string_equal(reply->body.bytes, "{}");
  assert_string_equal(reply->content_type, "application/json");
  assert_string_equal(reply->location_origin, "");
  assert_int_equal(reply->attempts, 1);

  char golden[1024];
  snprintf(golden, sizeof(golden),
           "GET /api/3.0/mlflow/traces/batchGet?filter=name+%%3d+%%27a+b%%27+AND+x+%%3e+1%%0d%%0a"
           "Host%%3a+evil%%09%%2500%%23%%3f%%26%%2f..%%2f%%3b%%5c%%22%%60&trace_ids=tr-1%%3d2"
           "&trace_ids=%%c3%%a9%%ff&empty= HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
           "User-Agent: sqlite-mlflow/" MLF_VERSION "\r\nAccept: application/json\r\n"
           "Accept-Encoding: identity\r\nContent-Type: application/json\r\n"
           "X-MLFLOW-WORKSPACE: team-a\r\n\r\n",
           server.port);
  assert_string_equal(hostile_tell(&server, "request 0"), golden);
  client_close(&it);
}

static void http_sends_a_post_as_written(void **state) {
  (void)state;
  client it;
  char body[4000];
  memset(body, ' ', sizeof(body)); /* libcurl likes to ask before it sends a long one */
  memcpy(body, "{\"max_results\":1}\0", 18);
  mlf_http_call call = {.path = "/api/3.0/mlflow/traces/search",
                        .body = body,
                        .body_length = sizeof(body),
                        .reply_bytes_max = 100};
  mlf_http_reply *reply;
  client_open(&it, hostile_uri(&server));
  assert_int_equal(client_call(&it, &call, &reply), SQLITE_OK);
  const char *request = hostile_tell(&server, "request 0");
  assert_memory_equal(request, "POST /api/3.0/mlflow/traces/search HTTP/1.1\r\n", 45);
  assert_contains(request, "\r\nContent-Type: application/json\r\n");
  assert_contains(request, "\r\nContent-Length: 4000\r\n");
  assert_null(strstr(request, "Expect:"));
  assert_null(strstr(request, "X-MLFLOW"));
  assert_null(strstr(request, "Authorization:"));
  assert_memory_equal(strstr(request, "\r\n\r\n") + 4, body, sizeof(body));
  client_close(&it);
}

static void http_posts_only_to_read(void **state) {
  (void)state;
  static const char *const reads[] = {"/api/3.0/mlflow/traces/search",
                                      "/api/3.0/mlflow/traces/metrics",
                                      "/api/2.0/mlflow/experiments/search"};
  static const char *const others[] = {"/api/2.0/mlflow/experiments/create",
                                       "/api/3.0/mlflow/traces/search/",
                                       "/api/3.0/mlflow/traces/delete-traces", "/"};
  mlf_http_call call = {.body = "{}", .body_length = 2, .reply_bytes_max = 100};
  mlf_http_reply *reply;
  mlf_exchange *exchange;
  client it;
  client_open(&it, hostile_uri(&server));
  for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
    call.path = reads[i];
    assert_int_equal(client_call(&it, &call, &reply), SQLITE_OK);
  }
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    call.path = others[i];
    assert_int_equal(mlf_http_start(it.http, &call, &it.left_ms, &exchange, &it.error),
                     SQLITE_MISUSE);
    assert_null(exchange);
    mlf_error_clear(&it.error);
  }
  assert_int_equal(hostile_count(&server, "requests"), 3);
  client_close(&it);
}

static void http_keeps_the_prefix_of_the_address(void **state) {
  (void)state;
  char uri[100];
  client it;
  snprintf(uri, sizeof(uri), "%s/team%%20a/mlflow/", hostile_uri(&server));
  client_open(&it, uri);
  client_get(&it, "/version");
  assert_memory_equal(hostile_tell(&server, "request 0"), "GET /team%20a/mlflow/version HTTP/1.1",
                      37);
  client_close(&it);
}

/* Sends one request with these secrets; gives its Authorization header's line, or "". */
static const char *http_authorization(const char *token, const char *user, const char *password) {
  static char line[200];
  client it;
  client_prepare(&it, hostile_uri(&server));
  if (token) it.settings.token = sqlite3_mprintf("%s", token);
  if (user) it.settings.username = sqlite3_mprintf("%s", user);
  if (password) it.settings.password = sqlite3_mprintf("%s", password);
  client_connect(&it);
  hostile_play(&server, "ok");
  client_get(&it, "/version");
  const char *found = strstr(hostile_tell(&server, "request 0"), "Authorization: ");
  snprintf(line, sizeof(line), "%.*s", found ? (int)strcspn(found, "\r") : 0, found ? found : "");
  client_close(&it);
  return line;
}

static void http_sends_the_secret(void **state) {
  (void)state;
  assert_string_equal(http_authorization(NULL, NULL, NULL), "");
  assert_string_equal(http_authorization("t.0-k", NULL, NULL), "Authorization: Bearer t.0-k");
  assert_string_equal(http_authorization(NULL, "ann", "p:w"), "Authorization: Basic YW5uOnA6dw==");
  assert_string_equal(http_authorization("t", "ann", "p:w"), "Authorization: Basic YW5uOnA6dw==");
  assert_string_equal(http_authorization(NULL, "ann", ""), "Authorization: Basic YW5uOg==");
  assert_string_equal(http_authorization("t", "ann", NULL), "Authorization: Bearer t");
  assert_string_equal(http_authorization(NULL, "ann", NULL), "");
}

static void http_redacts_secrets(void **state) {
  (void)state;
  const char text[] = "Bearer CANARY-token Q0FOQVJZLXRva2Vu= YW5uOkNBTkFSWQ== CANARY ann x CANAR";
  client it;
  client_prepare(&it, "http://ann:CANARY@127.0.0.1:1");
  it.settings.token = sqlite3_mprintf("CANARY-token");
  client_connect(&it);
  char *quote = mlf_http_quote(it.http, text, 200);
  assert_string_equal(quote,
                      "Bearer ************ ****************= **************== ****** *** x CANAR");
  sqlite3_free(quote);
  client_close(&it);
}

/* In HTML, of two kinds, JSON, a form, an address, and both alphabets of base64. */
static void http_redacts_a_secret_however_it_is_written(void **state) {
  static const char *const written[] = {
      "<~?~~\"&' >",
      "&lt;~?~~&quot;&amp;&#x27; &gt;",
      "&lt;~?~~&#34;&amp;&#39; &gt;",
      "<~?~~\\\"&' >",
      "%3C~%3F~~%22%26%27+%3E",
      "%3c~%3f~~%22%26%27%20%3e",
      "YW5uOjx+P35+IiYnID4",
      "YW5uOjx-P35-IiYnID4",
  };
  client it;
  (void)state;
  client_prepare(&it, hostile_uri(&server));
  it.settings.username = sqlite3_mprintf("ann");
  it.settings.password = sqlite3_mprintf("%s", written[0]);
  client_connect(&it);
  for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
    char *quote = mlf_http_quote(it.http, written[i], 200);
    assert_int_equal(strspn(quote, "*"), strlen(written[i]));
    sqlite3_free(quote);
  }
  client_close(&it);
}

/* A text of any length costs little more than what is shown of it; a secret may run into the cut. */
static void http_quotes_of_a_long_text_its_beginning(void **state) {
  static const size_t length = 64 << 20;
  client it;
  (void)state;
  client_prepare(&it, "http://ann:CANARY@127.0.0.1:1");
  it.settings.token = sqlite3_mprintf("%s%*s%s", "begin", 5000, " ", "end");
  client_connect(&it);
  char *text = sqlite3_malloc64(length + 1);
  memset(text, 'C', length);
  text[length] = 0;
  memcpy(text, "begin", 5);
  memset(text + 5, ' ', 5000);
  clock_t began = clock();
  char *quote = mlf_http_quote(it.http, text, 40);
  assert_true(clock() - began < CLOCKS_PER_SEC / 20);
  assert_string_equal(quote, "****************************************");
  sqlite3_free(quote);
  sqlite3_free(text);
  client_close(&it);
}

/* Expects that no http can be made for the settings, and why. */
static void http_refuses(client *it, const char *part) {
  assert_int_equal(mlf_http_new(&it->settings, client_interrupt(it), &it->http, &it->error),
                   SQLITE_ERROR);
  assert_null(it->http);
  assert_contains(it->error.text, part);
  mlf_error_clear(&it->error);
}

static void http_refuses_what_cannot_be_right(void **state) {
  (void)state;
  client it;
  client_prepare(&it, "http://ann:CANARY@traces.example.com");
  http_refuses(&it, "MLFLOW_SQL_ALLOW_PLAIN_HTTP_SECRET");
  it.settings.plain_http_secret = true;
  client_connect(&it);
  client_close(&it);

  client_prepare(&it, "https://127.0.0.1:1");
  it.settings.server_cert_path = sqlite3_mprintf("/nonexistent/ca.pem");
  http_refuses(&it, "'/nonexistent/ca.pem', the file that MLFLOW_TRACKING_SERVER_CERT_PATH names");
  sqlite3_free(it.settings.server_cert_path);
  it.settings.server_cert_path = NULL;
  it.settings.client_cert_path = sqlite3_mprintf("/nonexistent/me.pem");
  http_refuses(&it, "MLFLOW_TRACKING_CLIENT_CERT_PATH");
  sqlite3_free(it.settings.client_cert_path);
  it.settings.client_cert_path = sqlite3_mprintf("/dev/tty"); /* a pipe, too, would be waited on */
  http_refuses(&it, "'/dev/tty', which MLFLOW_TRACKING_CLIENT_CERT_PATH names, is not a regular");
  sqlite3_free(it.settings.tracking_uri);
  it.settings.tracking_uri = NULL;
  http_refuses(&it, "MLFLOW_TRACKING_URI");
  client_close(&it);
}

static void http_keeps_a_plain_secret_from_proxies(void **state) {
  (void)state;
  client it;
  setenv("http_proxy", hostile_uri(&other), 1);
  setenv("all_proxy", hostile_uri(&other), 1);
  assert_string_equal(http_authorization("t", NULL, NULL), "Authorization: Bearer t");
  assert_int_equal(hostile_count(&other, "connects"), 0);

  client_open(&it, hostile_uri(&server)); /* without one, the user's proxy is the user's wish */
  client_get(&it, "/version");
  assert_int_equal(hostile_count(&other, "requests"), 1);
  client_close(&it);

  setenv("https_proxy", hostile_uri(&other), 1); /* which sees the address alone */
  client_prepare(&it, "https://traces.example.com");
  it.settings.token = sqlite3_mprintf("CANARY");
  client_connect(&it);
  hostile_play(&other, "status 403");
  mlf_http_reply *reply;
  assert_contains(
      client_fail(&it, "/version", &reply),
      "(https_proxy) does not connect to https://traces.example.com (status 403) (1 try");
  assert_memory_equal(hostile_tell(&other, "request 0"),
                      "CONNECT traces.example.com:443 HTTP/1.1\r\n", 41);
  assert_null(strstr(other.answer, "CANARY"));
  client_close(&it);
}

static void http_reads_what_describes_a_reply(void **state) {
  (void)state;
  static const struct {
    const char *scenario;
    const char *content_type;
    const char *location_origin;
  } cases[] = {
      {"status 200 type='Text/HTML ;charset=x'", "text/html", ""},
      {"status 200 type=''", "", ""},
      {"status 302 Location=https://sso.example.com/a?b", "application/json",
       "https://sso.example.com"},
      {"status 301 Location=/elsewhere", "application/json", NULL},
      {"status 307 Location=//h.example:81/x", "application/json", "http://h.example:81"},
      {"status 308 Location=file:///etc/passwd", "application/json", ""},
      {"status 303 Location=ftp://u:p@h/x", "application/json", "ftp://h"},
      {"status 200 Location=https://sso.example.com", "application/json", ""},
  };
  client it;
  client_open(&it, hostile_uri(&server));
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("%s\n", cases[i].scenario);
    hostile_play(&server, cases[i].scenario);
    mlf_http_reply *reply = client_get(&it, "/version");
    assert_string_equal(reply->content_type, cases[i].content_type);
    assert_string_equal(reply->location_origin,
                        cases[i].location_origin ? cases[i].location_origin : hostile_uri(&server));
  }
  client_close(&it);
}

static void http_takes_a_body_up_to_its_cap(void **state) {
  (void)state;
  static const char *const framings[] = {"length",  "length more=HTTP/1.1",
                                         "chunked", "chunked trailer='X-Sum: 1'",
                                         "close",   "close version=1.0"};
  char scenario[100];
  client it;
  mlf_http_reply *reply;
  client_open(&it, hostile_uri(&server));
  for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
    snprintf(scenario, sizeof(scenario), "ok body=0123456789 framing=%s", framings[i]);
    hostile_play(&server, scenario);
    mlf_http_call call = {.path = "/version", .reply_bytes_max = 10};
    assert_int_equal(client_call(&it, &call, &reply), SQLITE_OK);
    char *body = mlf_buffer_take(&reply->body);
    assert_string_equal(body, "0123456789");
    sqlite3_free(body);
    call.reply_bytes_max = 9;
    call.limit_advice = "a larger MLFLOW_SQL_REPLY_BYTES_MAX takes more";
    assert_int_equal(client_call(&it, &call, &reply), SQLITE_TOOBIG);
    assert_contains(it.error.text, "GET /version: the answer is larger than 9 bytes (1 try in ");
    assert_contains(it.error.text, "); a larger MLFLOW_SQL_REPLY_BYTES_MAX takes more");
    it.settings.reply_bytes_max = 8; /* what asks for more has a cap of its own, and advice */
    call.limit_advice = "ask for less";
    assert_int_equal(client_call(&it, &call, &reply), SQLITE_TOOBIG);
    assert_contains(it.error.text, "the answer is larger than 9 bytes (1 try in ");
    assert_contains(it.error.text, "); ask for less");
    it.settings.reply_bytes_max = MLF_REPLY_BYTES_MAX;
  }
  client_close(&it);
}

static void http_keeps_its_connection(void **state) {
  (void)state;
  client it;
  client_open(&it, hostile_uri(&server));
  for (int i = 0; i < 20; i++)
    client_get(&it, "/version");
  assert_int_equal(hostile_count(&server, "requests"), 20);
  assert_int_equal(hostile_count(&server, "connects"), 1);
  client_close(&it);
  usleep(50000);
  assert_int_equal(hostile_count(&server, "open"), 0);
}

static void http_runs_as_many_at_once_as_set(void **state) {
  (void)state;
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 100};
  mlf_exchange *exchanges[6];
  mlf_http_reply *reply;
  client it;
  client_prepare(&it, hostile_uri(&server));
  it.settings.streams = 2;
  client_connect(&it);
  hostile_play(&server, "delay 0.2");
  int64_t start_ms = mlf_clock_monotonic_ms();
  for (size_t i = 0; i < 6; i++)
    exchanges[i] = client_start(&it, &call);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(mlf_http_wait(it.http, exchanges[i], &it.error), SQLITE_OK);
    assert_int_equal(mlf_exchange_result(exchanges[i], &reply, &it.error), SQLITE_OK);
    assert_int_equal(reply->status, 200);
    assert_true(reply->wait_ms < 400); /* not counting the wait for a connection */
  }
  int64_t took_ms = mlf_clock_monotonic_ms() - start_ms;
  assert_true(took_ms >= 600 && took_ms < 1100);
  assert_int_equal(hostile_count(&server, "connects"), 2);
  for (size_t i = 0; i < 6; i++)
    mlf_exchange_free(exchanges[i]);
  client_close(&it);
}

static void http_goes_on_without_waiting(void **state) {
  (void)state;
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 100};
  client it;
  client_open(&it, hostile_uri(&server));
  hostile_play(&server, "status 503 ; ok");
  it.exchange = client_start(&it, &call);
  for (int i = 0; i < 500 && !mlf_exchange_done(it.exchange); i++) {
    mlf_http_progress(it.http);
    usleep(2000);
  }
  assert_true(mlf_exchange_done(it.exchange));
  assert_int_equal(hostile_count(&server, "requests"), 2);
  client_close(&it);
}

static void http_cancels(void **state) {
  (void)state;
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 1 << 20};
  mlf_exchange *exchanges[3];
  client it;
  client_prepare(&it, hostile_uri(&server));
  it.settings.streams = 1;
  client_connect(&it);
  hostile_play(&server, "cut 60 end=stall");
  for (int i = 0; i < 3; i++)
    exchanges[i] = client_start(&it, &call); /* one under way, two that wait for it */
  for (int i = 0; i < 100; i++) {
    mlf_http_progress(it.http);
    usleep(1000);
  }
  for (int i = 0; i < 3; i++)
    mlf_exchange_free(exchanges[i]);
  mlf_http_progress(it.http);
  usleep(50000);
  assert_int_equal(hostile_count(&server, "requests"), 1);
  assert_int_equal(hostile_count(&server, "open"), 0);
  hostile_play(&server, "ok");
  client_get(&it, "/version"); /* as good as new */
  client_close(&it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(http_sends_a_get_as_written, http_set_up),
      cmocka_unit_test_setup(http_sends_a_post_as_written, http_set_up),
      cmocka_unit_test_setup(http_posts_only_to_read, http_set_up),
      cmocka_unit_test_setup(http_keeps_the_prefix_of_the_address, http_set_up),
      cmocka_unit_test_setup(http_sends_the_secret, http_set_up),
      cmocka_unit_test_setup(http_redacts_secrets, http_set_up),
      cmocka_unit_test_setup(http_redacts_a_secret_however_it_is_written, http_set_up),
      cmocka_unit_test_setup(http_quotes_of_a_long_text_its_beginning, http_set_up),
      cmocka_unit_test_setup(http_refuses_what_cannot_be_right, http_set_up),
      cmocka_unit_test_setup(http_keeps_a_plain_secret_from_proxies, http_set_up),
      cmocka_unit_test_setup(http_reads_what_describes_a_reply, http_set_up),
      cmocka_unit_test_setup(http_takes_a_body_up_to_its_cap, http_set_up),
      cmocka_unit_test_setup(http_keeps_its_connection, http_set_up),
      cmocka_unit_test_setup(http_runs_as_many_at_once_as_set, http_set_up),
      cmocka_unit_test_setup(http_goes_on_without_waiting, http_set_up),
      cmocka_unit_test_setup(http_cancels, http_set_up),
  };
  return cmocka_run_group_tests(tests, http_start_servers, http_stop_servers);
}
