/* test_payloads.c: remote/payloads.h against a scripted server. */
#include "remote/payloads.h"

#include <stdio.h>

#include "hostile.h"
#include "oom.h"

#define TRACES  120
#define BATCH   "/api/3.0/mlflow/traces/batchGet"
#define FILE_OF "/ajax-api/2.0/mlflow/get-trace-artifact"

static const mlf_server newest = {3, 17};
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
  assert_int_equal(mlf_json_parse_take(text, strlen(text), &it->page, &it->error), SQLITE_OK);
  assert_int_equal(mlf_client_new(never, NULL, &it->client), SQLITE_OK);
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

/* Asks for the spans of one trace; whether it has any. */
static bool get(world *it, int index) {
  const mlf_json *json;
  const mlf_json_node *spans;
  assert_int_equal(mlf_payloads_get(it->payloads, &it->budget, trace_at(it, index), NULL, &json,
                                    &spans, &it->error),
                   SQLITE_OK);
  assert_true((json != NULL) == (spans != NULL));
  return spans != NULL;
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

static void a_batch_that_fails_is_asked_for_one_by_one(void **state) {
  world it;
  (void)state;
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /traces/batchGet status 500 body='%s'",
               "{\"error_code\":\"INTERNAL_ERROR\",\"error_class\":\"CLIENT_INTERNAL_ERROR\"}");
  hostile_tell(&server, "route /get-trace-artifact ok body='%s'", "{\"spans\":[]}");
  world_open(&it, newest, "TRACKING_STORE");
  assert_true(get(&it, 0));
  assert_true(get(&it, 1));
  check_requests(&it, FILE_OF, "1 1");
  world_close(&it);
}

static void a_failure_is_an_error(void **state) {
  const mlf_json *json;
  const mlf_json_node *spans;
  world it;
  (void)state;
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /traces/batchGet status 403 body='%s'",
               "{\"error_code\":\"PERMISSION_DENIED\"}");
  world_open(&it, newest, "TRACKING_STORE");
  assert_int_equal(
      mlf_payloads_get(it.payloads, &it.budget, trace_at(&it, 0), NULL, &json, &spans, &it.error),
      SQLITE_ERROR);
  assert_non_null(strstr(it.error.text, "GET " BATCH ": 403 PERMISSION_DENIED"));
  world_close(&it);
}

static int start(void **state) {
  (void)state;
  hostile_start(&server, NULL, NULL);
  setenv("MLFLOW_TRACKING_URI", hostile_uri(&server), 1);
  setenv("MLFLOW_SQL_STREAMS", "1", 1);
  setenv("HOME", "/nonexistent", 1);
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
      cmocka_unit_test(files_come_one_by_one),
      cmocka_unit_test(a_batch_that_fails_is_asked_for_one_by_one),
      cmocka_unit_test(a_failure_is_an_error),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
