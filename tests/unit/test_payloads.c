/* test_payloads.c: remote/payloads.h against a scripted server. */
#include "remote/payloads.h"

#include <stdio.h>

#include "hostile.h"
#include "oom.h"

#define TRACES  120
#define BATCH   "/api/3.0/mlflow/traces/batchGet"
#define SEARCH  "/api/3.0/mlflow/traces/search"
#define FILE_OF "/ajax-api/2.0/mlflow/get-trace-artifact"

static const mlf_server newest = {3, 17};
static const mlf_server before_spans = {3, 10}; /* whose filters know less of spans */
static const mlf_server oldest = {3, 5};

static hostile server;

/* What a test holds: a client, its budget, the payloads, and a page of traces. */
typedef struct world {
  mlf_client *client;
  mlf_budget budget;
  mlf_payloads *payloads;
  mlf_json *page;
  mlf_error error;
} world;

static int never(void *context) {
  (void)context;
  return SQLITE_OK;
}

/* A page of traces t000, t001, …, whose spans are where `location` says; NULL: it does not. */
static char *make_page(const char *location) {
  sqlite3_str *text = sqlite3_str_new(NULL);
  sqlite3_str_appendall(text, "{\"traces\":[");
  for (int i = 0; i < TRACES; i++) {
    sqlite3_str_appendf(text, "%s{\"trace_id\":\"t%03d\"", i ? "," : "", i);
    if (location)
      sqlite3_str_appendf(text, ",\"tags\":{\"mlflow.trace.spansLocation\":\"%s\"}", location);
    sqlite3_str_appendchar(text, 1, '}');
  }
  sqlite3_str_appendall(text, "]}");
  return sqlite3_str_finish(text);
}

static void world_open(world *it, mlf_server version, const char *location) {
  memset(it, 0, sizeof(*it));
  char *text = make_page(location);
  assert_int_equal(
      mlf_json_parse_take(text, strlen(text), (mlf_json_options){0}, &it->page, &it->error),
      SQLITE_OK);
  assert_int_equal(mlf_client_new((mlf_interrupt){.ask = never}, &it->client), SQLITE_OK);
  assert_int_equal(mlf_client_budget(it->client, &it->budget, &it->error), SQLITE_OK);
  assert_int_equal(mlf_payloads_new(it->client, version, &it->payloads, &it->error), SQLITE_OK);
}

static void world_close(world *it) {
  mlf_payloads_free(it->payloads);
  mlf_client_free(it->client);
  mlf_json_free(it->page);
  mlf_error_clear(&it->error);
}

static const mlf_json_node *trace_at(const world *it, int index) {
  const mlf_json_node *trace = mlf_json_first(mlf_json_member(mlf_json_root(it->page), "traces"));
  while (index-- > 0)
    trace = mlf_json_next(trace);
  return trace;
}

static int ask(world *it, int index, const mlf_json **json, const mlf_json_node **spans) {
  int rc = mlf_payloads_get(it->payloads, &it->budget, trace_at(it, index), NULL, json, spans,
                            &it->error);
  assert_int_equal(rc, it->error.code);
  if (rc == SQLITE_OK) assert_true((*json != NULL) == (*spans != NULL));
  return rc;
}

/* Asks for the spans of one trace; whether it has any. */
static bool get(world *it, int index) {
  const mlf_json *json;
  const mlf_json_node *spans;
  if (ask(it, index, &json, &spans) != SQLITE_OK) fail_msg("%s", it->error.text);
  return spans != NULL;
}

/* Asks for what cannot be had, and expects why. */
static void get_fails(world *it, int index, int code, const char *part) {
  const mlf_json *json;
  const mlf_json_node *spans;
  assert_int_equal(ask(it, index, &json, &spans), code);
  assert_contains(it->error.text, part);
  mlf_error_clear(&it->error);
}

/* How many traces each request for spans asked for, e.g. "8 32 50". */
static void check_requests(const world *it, const char *path, const char *expected) {
  const mlf_request_log *log = mlf_client_log(it->client);
  char sizes[512] = "";
  size_t length = 0;
  for (int64_t i = 0; i < log->count; i++) {
    if (strcmp(log->rows[i].endpoint, path) != 0) continue;
    length += (size_t)snprintf(sizes + length, sizeof(sizes) - length, "%s%d", length ? " " : "",
                               log->rows[i].page_rows);
  }
  assert_string_equal(sizes, expected);
}

/* A batch of all traces but t005, whatever was asked for. */
static void play_batch(void) {
  char body[8000] = "{\"traces\":[";
  size_t length = strlen(body);
  for (int i = 0; i < TRACES; i++) {
    if (i == 5) continue;
    length += (size_t)snprintf(body + length, sizeof(body) - length,
                               "%s{\"trace_info\":{\"trace_id\":\"t%03d\"},\"spans\":[]}",
                               i ? "," : "", i);
  }
  snprintf(body + length, sizeof(body) - length, "]}");
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /traces/batchGet ok body='%s'", body);
  hostile_tell(&server, "route /get-trace-artifact status 404 body='%s'",
               "{\"error_code\":\"NOT_FOUND\",\"message\":\"no such file\"}");
}

static void one_who_reads_all_gets_whole_batches(void **state) {
  world it;
  (void)state;
  play_batch();
  world_open(&it, newest, "TRACKING_STORE");
  for (int i = 0; i < TRACES; i++)
    assert_int_equal(get(&it, i), i != 5);
  check_requests(&it, BATCH, "8 32 50 30");
  check_requests(&it, FILE_OF, "1"); /* t005 was in no batch: it is asked for alone */
  world_close(&it);
}

static void one_who_reads_few_gets_few(void **state) {
  world it;
  (void)state;
  play_batch();
  world_open(&it, newest, "ARCHIVE_REPO");
  for (int i = 0; i < TRACES; i += 20)
    assert_true(get(&it, i));
  check_requests(&it, BATCH, "8 4 4 4 4 4");
  world_close(&it);
}

static void nothing_is_fetched_twice(void **state) {
  world it;
  (void)state;
  play_batch();
  world_open(&it, newest, "TRACKING_STORE");
  for (int turn = 0; turn < 3; turn++) {
    for (int i = 0; i < 20; i++)
      get(&it, i);
  }
  check_requests(&it, BATCH, "8 32");
  check_requests(&it, FILE_OF, "1");
  assert_true(mlf_payloads_has(it.payloads, trace_at(&it, 39)));
  assert_false(mlf_payloads_has(it.payloads, trace_at(&it, 40)));
  world_close(&it);
}

/* In any order, again and again: what is looked ahead for never takes the place of what is asked. */
static void one_who_jumps_gets_all(void **state) {
  (void)state;
  play_batch();
  for (unsigned seed = 1; seed <= 12; seed++) {
    world it;
    unsigned dice = seed;
    bool none = seed > 6; /* spans were never logged: each trace takes a place for its file, too */
    if (none) hostile_tell(&server, "route /traces/batchGet ok body='{\"traces\":[]}'");
    world_open(&it, newest, "TRACKING_STORE");
    for (int i = 0, round = 0; round < 150; round++) {
      dice = dice * 1103515245u + 12345u;
      unsigned face = dice >> 16;
      i = face % 8 == 0 ? (int)(face / 8 % TRACES) : (i + (int)(face / 8 % 3)) % TRACES;
      assert_int_equal(get(&it, i), i != 5 && !none);
    }
    world_close(&it);
  }
}

static void files_come_one_by_one(void **state) {
  world it;
  (void)state;
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /get-trace-artifact ok type=application/octet-stream body='%s'",
               "{\"spans\":[]}");
  const char *const locations[] = {NULL, "ARTIFACT_REPO"};
  for (int i = 0; i < 2; i++) {
    world_open(&it, newest, locations[i]);
    assert_true(get(&it, 0));
    check_requests(&it, BATCH, "");
    check_requests(&it, FILE_OF, "1");
    world_close(&it);
  }
  world_open(&it, oldest, "TRACKING_STORE"); /* it has no batches */
  assert_true(get(&it, 0));
  check_requests(&it, BATCH, "");
  world_close(&it);
}

#define INTERNAL                                                                                   \
  "status 500 "                                                                                    \
  "body='{\"error_code\":\"INTERNAL_ERROR\",\"error_class\":\"CLIENT_INTERNAL_ERROR\"}'"
#define NOT_FOUND "status 404 body='{\"error_code\":\"NOT_FOUND\",\"message\":\"no such file\"}'"
#define ONE(id)   "{\"traces\":[{\"trace_info\":{\"trace_id\":\"" id "\"},\"spans\":[{}]}]}"

/* What each of the two answers, step by step; the last step stays. */
static void play_routes(const char *batch, const char *file) {
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /traces/batchGet %s", batch);
  hostile_tell(&server, "route /get-trace-artifact %s", file);
  hostile_tell(&server, "route /traces/search status 400"); /* which traces have spans? */
}

static void a_refused_batch_is_asked_for_trace_by_trace(void **state) {
  world it;
  (void)state;
  play_routes(INTERNAL " ; ok body='" ONE("t000") "' ; ok body='" ONE("t001") "'", "garbage");
  world_open(&it, newest, "TRACKING_STORE");
  assert_true(get(&it, 0));
  check_requests(&it, BATCH, "8 1");
  assert_true(get(&it, 0)); /* it is kept */
  check_requests(&it, BATCH, "8 1");
  assert_true(get(&it, 1));
  check_requests(&it, BATCH, "8 1 1");
  check_requests(&it, FILE_OF, "");
  world_close(&it);
}

static void what_is_refused_alone_is_asked_for_as_a_file(void **state) {
  world it;
  (void)state;
  play_routes(INTERNAL, "ok body='{\"spans\":[]}'");
  world_open(&it, newest, "TRACKING_STORE");
  assert_true(get(&it, 0));
  assert_true(get(&it, 0)); /* which is kept */
  check_requests(&it, BATCH, "8 1");
  check_requests(&it, FILE_OF, "1");
  assert_true(get(&it, 1));
  check_requests(&it, BATCH, "8 1 1");
  check_requests(&it, FILE_OF, "1 1");
  world_close(&it);
}

/* The other traces have spans, but what is wrong with this one is known. */
static void a_failure_followed_by_not_found_is_the_failure(void **state) {
  world it;
  (void)state;
  play_routes(INTERNAL " ; " INTERNAL " ; ok body='" ONE("t001") "'", NOT_FOUND);
  world_open(&it, newest, "TRACKING_STORE");
  for (int i = 0; i < 2; i++) /* also when it is asked again */
    get_fails(&it, 0, SQLITE_CORRUPT, "GET " BATCH ": 500 INTERNAL_ERROR");
  check_requests(&it, BATCH, "8 1");
  check_requests(&it, FILE_OF, "1");
  assert_true(get(&it, 1));
  world_close(&it);
  play_routes("ok body='{}'", NOT_FOUND); /* without a failure it has none */
  world_open(&it, newest, "TRACKING_STORE");
  assert_false(get(&it, 0));
  check_requests(&it, BATCH, "8");
  check_requests(&it, FILE_OF, "1");
  world_close(&it);
}

/* Of several that a batch leaves out, one question tells which have spans at all. */
static void traces_without_spans_are_not_asked_for_one_by_one(void **state) {
  world it;
  (void)state;
  play_routes("ok body='{}'", NOT_FOUND);
  hostile_tell(&server, "route /traces/search ok body='%s'",
               "{\"traces\":[{\"trace_id\":\"t003\",\"request_time\":\"2026-01-01T00:00:00Z\","
               "\"trace_location\":{\"mlflow_experiment\":{\"experiment_id\":\"1\"}}}]}");
  world_open(&it, newest, "TRACKING_STORE");
  for (int i = 0; i < TRACES; i++)
    assert_false(get(&it, i));
  check_requests(&it, BATCH, "8 32 50 30");
  check_requests(&it, SEARCH, "8 32 50 30");
  check_requests(&it, FILE_OF, "1"); /* t003 */
  world_close(&it);
  world_open(&it, before_spans, "TRACKING_STORE");
  assert_false(get(&it, 0));
  check_requests(&it, SEARCH, "");
  check_requests(&it, FILE_OF, "1");
  world_close(&it);
}

/* A batch of these bytes or more: MLFLOW_SQL_SPANS_BYTES_MAX is less. */
#define SPANS_BYTES_MAX "2000"
static char *large_batch(void) {
  char *spaces = sqlite3_mprintf("ok body='%3000s" ONE("t000") "'", "");
  assert_non_null(spaces);
  return spaces;
}

static void a_batch_that_is_too_large_is_asked_for_trace_by_trace(void **state) {
  world it;
  (void)state;
  setenv("MLFLOW_SQL_SPANS_BYTES_MAX", SPANS_BYTES_MAX, 1);
  char *large = large_batch();
  char *then_small = sqlite3_mprintf("%s ; ok body='" ONE("t000") "'", large);
  play_routes(then_small, "garbage");
  world_open(&it, newest, "TRACKING_STORE");
  assert_true(get(&it, 0));
  check_requests(&it, BATCH, "8 1");
  world_close(&it);

  /* What is too large alone is too large: nothing else is asked. */
  play_routes(large, "ok body='{\"spans\":[]}'");
  world_open(&it, newest, "TRACKING_STORE");
  get_fails(&it, 0, SQLITE_CORRUPT, "a larger MLFLOW_SQL_SPANS_BYTES_MAX takes more");
  check_requests(&it, BATCH, "8 1");
  check_requests(&it, FILE_OF, "");
  world_close(&it);

  play_routes("garbage", large);
  world_open(&it, newest, "ARTIFACT_REPO");
  get_fails(&it, 0, SQLITE_CORRUPT, "a larger MLFLOW_SQL_SPANS_BYTES_MAX takes more");
  check_requests(&it, FILE_OF, "1");
  world_close(&it);

  /* Other replies have a limit of their own. */
  setenv("MLFLOW_SQL_SPANS_BYTES_MAX", "10000", 1);
  setenv("MLFLOW_SQL_REPLY_BYTES_MAX", SPANS_BYTES_MAX, 1);
  play_routes(large, "garbage");
  world_open(&it, newest, "TRACKING_STORE");
  assert_true(get(&it, 0));
  world_close(&it);
  unsetenv("MLFLOW_SQL_SPANS_BYTES_MAX");
  unsetenv("MLFLOW_SQL_REPLY_BYTES_MAX");
  sqlite3_free(then_small);
  sqlite3_free(large);
}

static void other_failures_are_errors(void **state) {
  world it;
  (void)state;
  play_routes("status 403 body='{\"error_code\":\"PERMISSION_DENIED\"}'", "garbage");
  world_open(&it, newest, "TRACKING_STORE");
  get_fails(&it, 0, SQLITE_ERROR, "GET " BATCH ": 403 PERMISSION_DENIED");
  check_requests(&it, BATCH, "8 1");
  world_close(&it);
  play_routes(NOT_FOUND, "garbage"); /* no batches: the server is not what it said */
  world_open(&it, newest, "TRACKING_STORE");
  get_fails(&it, 0, SQLITE_NOTFOUND, "GET " BATCH ": 404 NOT_FOUND");
  world_close(&it);
  play_routes("garbage", "status 403 body='{\"error_code\":\"PERMISSION_DENIED\"}'");
  world_open(&it, newest, "ARTIFACT_REPO");
  get_fails(&it, 0, SQLITE_ERROR, "GET " FILE_OF ": 403 PERMISSION_DENIED");
  world_close(&it);
}

/* A server with accounts denies a batch of which one trace is gone. */
static void what_is_denied_may_be_gone(void **state) {
  static const char denied[] = "status 403 body='{\"error_code\":\"PERMISSION_DENIED\"}'";
  world it;
  (void)state;
  for (int file = 0; file < 2; file++) {
    char *batch = sqlite3_mprintf("%s ; %s ; ok body='" ONE("t001") "'", denied, denied);
    play_routes(batch, denied);
    hostile_tell(&server, "route /traces/search ok body='{\"traces\":[]}'");
    world_open(&it, newest, file ? "ARTIFACT_REPO" : "TRACKING_STORE");
    assert_false(get(&it, 0));
    check_requests(&it, file ? FILE_OF : BATCH, file ? "1" : "8 1");
    check_requests(&it, SEARCH, "1");
    if (!file) assert_true(get(&it, 1));
    world_close(&it);
    sqlite3_free(batch);
    play_routes(denied, denied);
    hostile_tell(&server, "route /traces/search ok body='%s'",
                 "{\"traces\":[{\"trace_id\":\"t000\",\"request_time\":\"2026-01-01T00:00:00Z\","
                 "\"trace_location\":{\"mlflow_experiment\":{\"experiment_id\":\"1\"}}}]}");
    world_open(&it, newest, file ? "ARTIFACT_REPO" : "TRACKING_STORE");
    get_fails(&it, 0, SQLITE_ERROR, ": 403 PERMISSION_DENIED");
    world_close(&it);
  }
}

/* Nor is it any trace's fault that the statement may read no more, or that the server breaks off. */
static void what_ends_the_statement_is_no_traces_fault(void **state) {
  world it;
  (void)state;
  setenv("MLFLOW_SQL_STATEMENT_BYTES_MAX", "100", 1);
  char *steps = sqlite3_mprintf("ok body='{\"spans\":[]%*s}'", 200, "");
  play_routes("garbage", steps);
  world_open(&it, newest, "ARTIFACT_REPO");
  get_fails(&it, 0, SQLITE_ERROR, "MLFLOW_SQL_STATEMENT_BYTES_MAX allows");
  world_close(&it);
  unsetenv("MLFLOW_SQL_STATEMENT_BYTES_MAX");
  sqlite3_free(steps);
  setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0", 1);
  play_routes("garbage", "cut 100 body='{\"spans\":[]                        }' end=close");
  world_open(&it, newest, "ARTIFACT_REPO");
  get_fails(&it, 0, SQLITE_ERROR, "broke off after");
  world_close(&it);
  unsetenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES");
}

/* What cannot be read of a trace alone is that trace's fault. */
static void a_file_that_cannot_be_read_is_of_one_trace(void **state) {
  static const char *const cases[][2] = {
      {"ok body='{\"spans\":['", "GET " FILE_OF ": the reply is not JSON: end of text at byte 10"},
      {INTERNAL, "GET " FILE_OF ": 500 INTERNAL_ERROR"},
  };
  world it;
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    char *steps = sqlite3_mprintf("%s ; ok body='{\"spans\":[]}'", cases[i][0]);
    play_routes("garbage", steps);
    world_open(&it, newest, "ARTIFACT_REPO");
    get_fails(&it, 0, SQLITE_CORRUPT, cases[i][1]);
    assert_true(get(&it, 1));
    get_fails(&it, 0, SQLITE_CORRUPT, cases[i][1]); /* it is not asked for again */
    check_requests(&it, FILE_OF, "1 1");
    world_close(&it);
    sqlite3_free(steps);
  }
}

/* A login page is what everybody gets, not what is wrong with a trace. */
static void a_page_in_the_place_of_spans_ends_the_statement(void **state) {
  world it;
  (void)state;
  play_routes("html", "html");
  world_open(&it, newest, "ARTIFACT_REPO");
  get_fails(&it, 0, SQLITE_ERROR, "GET " FILE_OF ": the server answered with text/html, not JSON");
  world_close(&it);
  play_routes(INTERNAL " ; html", "ok body='{\"spans\":[]}'"); /* also for one trace alone */
  world_open(&it, newest, "TRACKING_STORE");
  get_fails(&it, 0, SQLITE_ERROR, "GET " BATCH ": the server answered with text/html, not JSON");
  world_close(&it);
}

/* MLflow 3.6 leaves an empty list of spans out of a batch: the file tells. */
static void a_list_that_is_left_out_is_asked_for_as_a_file(void **state) {
  world it;
  (void)state;
  play_routes("ok body='{\"traces\":[{\"trace_info\":{\"trace_id\":\"t000\"}}]}'",
              "ok body='{\"spans\":[]}'");
  world_open(&it, newest, "TRACKING_STORE");
  assert_true(get(&it, 0));
  check_requests(&it, FILE_OF, "1");
  world_close(&it);
}

/* Nothing of a wrong shape passes for a trace without spans. */
static void replies_of_a_wrong_shape_are_errors(void **state) {
  static const struct {
    bool file;
    const char *reply, *error;
    bool of_trace; /* it is this trace's fault */
  } cases[] = {
      {false, "{\"message\":\"please log in\"}",
       "the reply has no \"traces\" but \"message\" (please log in)", false},
      {false, "{\"traces\":{}}", "traces is an object, where an array belongs", false},
      {false, "{\"traces\":[7]}", "traces[0] is a number, where an object belongs", false},
      {false, "{\"traces\":[{}]}", "traces[0] is an object, where a trace with a trace_id belongs",
       false},
      {false, "{\"traces\":[{\"trace_info\":[]}]}",
       "traces[0].trace_info is an array, where an object belongs", false},
      {false, "{\"traces\":[{\"trace_info\":{\"trace_id\":7}}]}",
       "traces[0].trace_info.trace_id is a number, where a string belongs", false},
      {false, "{\"traces\":[{\"trace_info\":{\"trace_id\":\"t000\"},\"spans\":7}]}",
       "traces[0].spans is a number, where an array belongs", true},
      {true, "{\"message\":\"please log in\"}",
       "the reply has no \"spans\" but \"message\" (please log in)", false},
      {true, "[]", "the document is an array, where an object belongs", true},
      {true, "{\"spans\":{}}", "spans is an object, where an array belongs", true},
      {true, "{\"spans\":[7]}", "spans[0] is a number, where an object belongs", true},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    world it;
    const mlf_json *json;
    const mlf_json_node *spans;
    char *answer = sqlite3_mprintf("ok body='%s'", cases[i].reply);
    char *expected = sqlite3_mprintf("GET %s: %s", cases[i].file ? FILE_OF : BATCH, cases[i].error);
    play_routes(cases[i].file ? "garbage" : answer, cases[i].file ? answer : "garbage");
    world_open(&it, newest, cases[i].file ? "ARTIFACT_REPO" : "TRACKING_STORE");
    int rc = ask(&it, 0, &json, &spans);
    assert_int_equal(rc, cases[i].of_trace ? SQLITE_CORRUPT : SQLITE_ERROR);
    assert_contains(it.error.text, expected);
    world_close(&it);
    sqlite3_free(expected);
    sqlite3_free(answer);
  }
}

/* Spans are leaves; a file is as Python writes it. */
static void spans_are_leaves(void **state) {
  const mlf_json *json;
  const mlf_json_node *spans;
  world it;
  (void)state;
  play_routes("ok body='" ONE("t000") "'",
              "ok body='\xef\xbb\xbf{\"spans\":[{\"attributes\":{\"a\":NaN}}]}' type=text/plain");
  for (int file = 0; file <= 1; file++) {
    size_t length;
    world_open(&it, newest, file ? "ARTIFACT_REPO" : "TRACKING_STORE");
    assert_int_equal(ask(&it, 0, &json, &spans), SQLITE_OK);
    const mlf_json_node *span = mlf_json_first(spans);
    assert_int_equal(mlf_json_kind_of(json, span), MLF_JSON_OBJECT);
    assert_null(mlf_json_first(span));
    const char *raw = mlf_json_raw(json, span, &length);
    assert_int_equal(length, strlen(file ? "{\"attributes\":{\"a\":NaN}}" : "{}"));
    assert_int_equal(*raw, '{');
    world_close(&it);
  }
  play_routes("ok body='{\"traces\":[{\"trace_info\":{\"trace_id\":\"t000\"},\"spans\":[NaN]}]}'",
              "garbage"); /* a batch is JSON */
  world_open(&it, newest, "TRACKING_STORE");
  get_fails(&it, 0, SQLITE_ERROR, "GET " BATCH ": the reply is not JSON: expected a value");
  world_close(&it);
}

static int start(void **state) {
  (void)state;
  hostile_start_mlflow(&server);
  setenv("MLFLOW_SQL_STREAMS", "1", 1);
  return 0;
}

static int stop(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_who_reads_all_gets_whole_batches),
      cmocka_unit_test(one_who_reads_few_gets_few),
      cmocka_unit_test(nothing_is_fetched_twice),
      cmocka_unit_test(one_who_jumps_gets_all),
      cmocka_unit_test(files_come_one_by_one),
      cmocka_unit_test(a_refused_batch_is_asked_for_trace_by_trace),
      cmocka_unit_test(what_is_refused_alone_is_asked_for_as_a_file),
      cmocka_unit_test(a_failure_followed_by_not_found_is_the_failure),
      cmocka_unit_test(traces_without_spans_are_not_asked_for_one_by_one),
      cmocka_unit_test(a_batch_that_is_too_large_is_asked_for_trace_by_trace),
      cmocka_unit_test(other_failures_are_errors),
      cmocka_unit_test(what_is_denied_may_be_gone),
      cmocka_unit_test(a_file_that_cannot_be_read_is_of_one_trace),
      cmocka_unit_test(what_ends_the_statement_is_no_traces_fault),
      cmocka_unit_test(a_page_in_the_place_of_spans_ends_the_statement),
      cmocka_unit_test(a_list_that_is_left_out_is_asked_for_as_a_file),
      cmocka_unit_test(replies_of_a_wrong_shape_are_errors),
      cmocka_unit_test(spans_are_leaves),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
