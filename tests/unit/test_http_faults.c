/* test_http_faults.c: what remote/http.h promises while the server misbehaves. */
#include "remote/http.h"

#include <sys/resource.h>
#include <time.h>

#include "hostile.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static hostile server;
static hostile other;

static int faults_start_servers(void **state) {
  (void)state;
  hostile_start(&server, NULL, NULL);
  hostile_start(&other, NULL, NULL);
  return 0;
}

static int faults_stop_servers(void **state) {
  (void)state;
  hostile_stop(&server);
  hostile_stop(&other);
  return 0;
}

static void faults_are_tried_again_as_the_policy_says(void **state) {
  (void)state;
  static const struct {
    const char *scenario;
    int status;
    int requests;
  } cases[] = {
      {"status 408", 408, 4},
      {"status 429", 429, 4},
      {"status 502", 502, 4},
      {"status 503", 503, 4},
      {"status 504", 504, 4},
      {"status 500", 500, 2},
      {"status 400", 400, 1},
      {"status 401", 401, 1},
      {"status 403", 403, 1},
      {"status 404", 404, 1},
      {"status 302 Location=/", 302, 1},
      {"status 500 body='{\"error_class\": \"CLIENT_INVALID_PARAMETER\"}'", 500, 1},
      {"status 503 body='at most 64 tables in a join'", 503, 1},
      {"status 503; status 502; ok", 200, 3},
      {"status 500; ok", 200, 2},
      {"cut 0; cut 20 end=reset; cut 77; ok", 200, 4},
      {"on-accept reset; on-accept close; ok", 200, 1},
      {"status 503 Retry-After=soon; ok", 200, 2},
      {"status 503 Retry-After=-3; ok", 200, 2},
      {"html", 200, 1},
  };
  client it;
  client_open(&it, hostile_uri(&server));
  for (size_t i = 0; i < COUNT(cases); i++) {
    print_message("%s\n", cases[i].scenario);
    hostile_play(&server, cases[i].scenario);
    mlf_http_reply *reply = client_get(&it, "/version");
    assert_int_equal(reply->status, cases[i].status);
    assert_int_equal(hostile_count(&server, "requests"), cases[i].requests);
    if (!strstr(cases[i].scenario, "on-accept"))
      assert_int_equal(reply->attempts, cases[i].requests);
  }
  client_close(&it);
}

/* As a server does that speaks https alone. */
static void nothing_but_a_break_may_want_https(void **state) {
  (void)state;
  client it;
  mlf_http_reply *reply;
  client_open(&it, hostile_uri(&server));
  hostile_play(&server, "cut 0 end=reset");
  assert_contains(client_fail(&it, "/version", &reply), "); try again later, or with https");
  hostile_play(&server, "cut 77 end=close");
  const char *text = client_fail(&it, "/version", &reply);
  assert_null(strstr(text, "https"));
  assert_contains(text, "); try again later");
  client_close(&it);
}

static void faults_say_what_happened(void **state) {
  (void)state;
  static const struct {
    const char *scenario;
    const char *text; /* %s is the origin */
    int tries;
  } cases[] = {
      {"refuse", "cannot connect to %s (4 tries in ", 4},
      {"on-accept close", "%s closed the connection without an answer (4 tries in ", 4},
      {"cut 0 end=reset", "the connection to %s broke off after 0 bytes of the answer (4 tries", 4},
      {"cut 77 end=reset", "the connection to %s broke off after ", 4},
      {"cut 77 end=close", "the connection to %s broke off after 1 bytes of the answer (4 tries",
       4},
      {"garbage", "the answer of %s is not HTTP (1 try in 0.0 s); is MLFLOW_TRACKING_URI right?",
       1},
      {"endless", "the answer is larger than 1048576 bytes (1 try", 1},
      {"endless framing=length", "the answer is larger than 1048576 bytes (1 try", 1},
      {"endless framing=close", "the answer is larger than 1048576 bytes (1 try", 1},
      {"bomb coding=transfer", "the answer is larger than 1048576 bytes (1 try", 1},
      {"bomb coding=content", "the answer is compressed, which was not asked for (1 try", 1},
      {"headers", "the headers of the answer are larger than 262144 bytes (1 try", 1},
      {"interim", "the headers of the answer are larger than 262144 bytes (1 try", 1},
      {"line header", "a header line of the answer is longer than 102400 bytes (1 try", 1},
      {"line status", "a header line of the answer is longer than 102400 bytes (1 try", 1},
      {"line trailer",
       "a chunk of the answer is malformed, or a line behind the last one is too "
       "long (4 tries",
       4},
      {"status 429 Retry-After=1000000000000000",
       "status 429, and the server asks to wait longer than a day, more than the 60 s that we wait "
       "(1 try",
       1},
      {"status 503 Retry-After='Fri, 31 Dec 9999 23:59:59 GMT'",
       "status 503, and the server asks to wait longer than a day, more than the 60 s", 1},
      {"status 429 Retry-After=86400",
       "status 429, and the server asks to wait 86400 s, more than the 60 s", 1},
      {"status 429 Retry-After=61",
       "status 429, and the server asks to wait 61 s, more than the 60 s that we wait (1 try in "
       "0.0 s); ask again later",
       1},
  };
  struct rusage before;
  struct rusage after;
  client it;
  client_open(&it, hostile_uri(&server));
  getrusage(RUSAGE_SELF, &before);
  for (size_t i = 0; i < COUNT(cases); i++) {
    char golden[300];
    mlf_http_reply *reply;
    print_message("%s\n", cases[i].scenario);
    hostile_play(&server, cases[i].scenario);
    int64_t start_ms = mlf_clock_monotonic_ms();
    const char *text = client_fail(&it, "/version", &reply);
    assert_true(mlf_clock_monotonic_ms() - start_ms < 1000);
    char *filled = sqlite3_mprintf(cases[i].text, hostile_uri(&server));
    snprintf(golden, sizeof(golden), "GET /version: %s", filled);
    assert_contains(text, golden);
    assert_int_equal(reply->attempts, cases[i].tries);
    sqlite3_free(filled);
  }
  getrusage(RUSAGE_SELF, &after);
  assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024); /* KiB */
  client_close(&it);
}

static void faults_of_the_name_are_told(void **state) {
  (void)state;
  client it;
  mlf_http_reply *reply;
  client_open(&it, "http://nowhere.invalid:81");
  assert_contains(
      client_fail(&it, "/version", &reply),
      "GET /version: cannot resolve the host of http://nowhere.invalid:81 (2 tries in ");
  client_close(&it);
}

/* Right or an error, never short: every length at which an answer can be cut. */
static void faults_never_shorten_an_answer(void **state) {
  (void)state;
  static const char *const ends[] = {"close", "reset"};
  static const char *const framings[] = {"length", "chunked"};
  char scenario[200];
  client it;
  client_prepare(&it, hostile_uri(&server));
  it.settings.retries_max = 0;
  client_connect(&it);
  for (int variant = 0; variant < 4; variant++) {
    int complete = 0;
    for (int length = 0; complete < 5; length++) {
      mlf_http_call call = {.path = "/version", .reply_bytes_max = 1000};
      mlf_http_reply *reply;
      snprintf(scenario, sizeof(scenario), "cut %d end=%s framing=%s body=0123456789", length,
               ends[variant & 1], framings[variant >> 1]);
      hostile_play(&server, scenario);
      if (client_call(&it, &call, &reply) == SQLITE_OK) {
        assert_string_equal(reply->body.bytes, "0123456789");
        complete++;
      } else {
        assert_true(complete == 0 || variant & 1); /* a reset may overtake the answer */
        assert_int_equal(it.error.code, SQLITE_ERROR);
      }
      assert_true(length < 200);
    }
  }
  client_close(&it);
}

static void faults_end_in_time(void **state) {
  (void)state;
  static const char *const scenarios[] = {"on-accept stall",  "cut 0 end=stall", "cut 40 end=stall",
                                          "cut 77 end=stall", "drip every=0.02", "delay 2"};
  client it;
  mlf_http_reply *reply;
  client_open(&it, hostile_uri(&server));
  for (size_t i = 0; i < 2 * COUNT(scenarios); i++) {
    bool deadline = i >= COUNT(scenarios);
    print_message("%s\n", scenarios[i % COUNT(scenarios)]);
    it.settings.request_timeout_ms = deadline ? 5000 : 300;
    it.left_ms = deadline ? 300 : 60000;
    hostile_play(&server, scenarios[i % COUNT(scenarios)]);
    int64_t start_ms = mlf_clock_monotonic_ms();
    const char *text = client_fail(&it, "/version", &reply);
    int64_t took_ms = mlf_clock_monotonic_ms() - start_ms;
    assert_true(took_ms >= 290 && took_ms < 500);
    if (deadline) {
      assert_contains(text, "no complete answer before the statement's time was over (1 try in 0.3 "
                            "s); a larger MLFLOW_SQL_STATEMENT_TIMEOUT");
    } else {
      assert_contains(text, "no complete answer within 0.3 s (1 try in 0.3 s); a larger "
                            "MLFLOW_HTTP_REQUEST_TIMEOUT");
    }
  }
  client_close(&it);
}

static void faults_do_not_outlast_the_statement(void **state) {
  (void)state;
  client it;
  mlf_http_reply *reply;
  client_open(&it, hostile_uri(&server));
  hostile_play(&server, "ok");
  it.left_ms = 0;
  assert_contains(client_fail(&it, "/version", &reply), "the statement's time is over (0 tries");
  assert_int_equal(reply->attempts, 0);
  assert_int_equal(hostile_count(&server, "requests"), 0);

  it.left_ms = 500; /* too short for the wait: the answer stays what it is, at once */
  hostile_play(&server, "status 503 Retry-After=1");
  int64_t start_ms = mlf_clock_monotonic_ms();
  reply = client_get(&it, "/version");
  assert_true(mlf_clock_monotonic_ms() - start_ms < 200);
  assert_int_equal(reply->status, 503);
  assert_int_equal(reply->attempts, 1);
  client_close(&it);
}

/* What a host does between two rows, such as to ask a person, is not the server's slowness. */
static void faults_are_not_the_pauses_of_the_host(void **state) {
  (void)state;
  const struct timespec pause = {.tv_nsec = 600000000};
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 1 << 20};
  client it;
  mlf_http_reply *reply;
  for (int i = 0; i < 2; i++) {
    client_open(&it, hostile_uri(&server));
    hostile_play(&server, "delay 0.1");
    it.settings.request_timeout_ms = i ? 5000 : 400;
    it.left_ms = i ? 400 : 60000;
    it.exchange = client_start(&it, &call);
    nanosleep(&pause, NULL);
    assert_int_equal(mlf_http_wait(it.http, it.exchange, &it.error), SQLITE_OK);
    assert_int_equal(mlf_exchange_result(it.exchange, &reply, &it.error), SQLITE_OK);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->attempts, 1);
    assert_true(it.call_left_ms > it.left_ms - 400);
    client_close(&it);
  }
}

/* Whatever a statement waits for takes from the same time. */
static void faults_of_a_statement_share_its_time(void **state) {
  (void)state;
  mlf_http_call call = {.path = "/version", .reply_bytes_max = 1 << 20};
  client it;
  client_open(&it, hostile_uri(&server));
  hostile_play(&server, "delay 0.2");
  it.left_ms = 300;
  it.exchange = client_start(&it, &call);
  assert_int_equal(mlf_http_wait(it.http, it.exchange, &it.error), SQLITE_OK);
  assert_true(it.call_left_ms > 0 && it.call_left_ms <= 100);
  mlf_exchange *second;
  mlf_http_reply *reply;
  assert_int_equal(mlf_http_start(it.http, &call, &it.call_left_ms, &second, &it.error), SQLITE_OK);
  assert_int_equal(mlf_http_wait(it.http, second, &it.error), SQLITE_OK);
  assert_int_equal(mlf_exchange_result(second, &reply, &it.error), SQLITE_ERROR);
  assert_true(reply->late);
  mlf_exchange_free(second);
  client_close(&it);
}

static void faults_wait_as_asked(void **state) {
  (void)state;
  char scenario[100];
  char date[40];
  client it;
  client_open(&it, hostile_uri(&server));
  hostile_play(&server, "status 503 Retry-After=1 ; ok");
  mlf_http_reply *reply = client_get(&it, "/version");
  assert_int_equal(reply->status, 200);
  assert_true(reply->wait_ms >= 1000 && reply->wait_ms < 1200);

  time_t then = time(NULL) + 2;
  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
  snprintf(scenario, sizeof(scenario), "status 429 Retry-After='%s' ; ok", date);
  hostile_play(&server, scenario);
  reply = client_get(&it, "/version");
  assert_int_equal(reply->status, 200);
  assert_true(reply->wait_ms >= 900 && reply->wait_ms < 2200);
  client_close(&it);
}

static void faults_do_not_follow_redirects(void **state) {
  (void)state;
  static const int statuses[] = {301, 302, 303, 307, 308};
  char scenario[100];
  client it;
  client_prepare(&it, hostile_uri(&server));
  it.settings.token = sqlite3_mprintf("CANARY");
  client_connect(&it);
  for (size_t i = 0; i < COUNT(statuses); i++) {
    snprintf(scenario, sizeof(scenario), "status %d Location=%s/x", statuses[i],
             hostile_uri(&other));
    hostile_play(&server, scenario);
    mlf_http_reply *reply = client_get(&it, "/version");
    assert_int_equal(reply->status, statuses[i]);
    assert_string_equal(reply->location_origin, hostile_uri(&other));
    assert_int_equal(hostile_count(&server, "requests"), 1);
  }
  assert_int_equal(hostile_count(&other, "connects"), 0);
  client_close(&it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(faults_are_tried_again_as_the_policy_says),
      cmocka_unit_test(nothing_but_a_break_may_want_https),
      cmocka_unit_test(faults_say_what_happened),
      cmocka_unit_test(faults_of_the_name_are_told),
      cmocka_unit_test(faults_never_shorten_an_answer),
      cmocka_unit_test(faults_end_in_time),
      cmocka_unit_test(faults_do_not_outlast_the_statement),
      cmocka_unit_test(faults_are_not_the_pauses_of_the_host),
      cmocka_unit_test(faults_of_a_statement_share_its_time),
      cmocka_unit_test(faults_wait_as_asked),
      cmocka_unit_test(faults_do_not_follow_redirects),
  };
  return cmocka_run_group_tests(tests, faults_start_servers, faults_stop_servers);
}
