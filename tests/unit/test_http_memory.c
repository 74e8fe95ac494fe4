/* test_http_memory.c: remote/http.h while memory runs out, ours and libcurl's. */
#include "remote/http.h"

#include <curl/curl.h>

#include "hostile.h"
#include "oom.h"
#include "remote/transfer.h"

static hostile server;
static bool memory_hits_curl;
static long memory_of_curl; /* allocations that it has not freed */

static int memory_start_server(void **state) {
  (void)state;
  hostile_start(&server, NULL, NULL);
  return 0;
}

static int memory_stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

/* One request from the first to the last call. Gives SQLITE_OK too for the failure that the
** server's scenario must lead to: `context` is that error's text, or NULL if none is due. */
static int memory_request(void *context) {
  static const mlf_http_parameter parameters[] = {{"a", "b c"}, {"d", "e"}};
  const char *due = context;
  mlf_http_call call = {.path = "/api/3.0/mlflow/traces/search",
                        .parameters = parameters,
                        .parameter_count = 2,
                        .body = "{}",
                        .body_length = 2,
                        .reply_bytes_max = 100000};
  char uri[64];
  char token[] = "CANARY";
  char workspace[] = "team";
  snprintf(uri, sizeof(uri), "%s", hostile_uri(&server));
  mlf_settings settings = {.tracking_uri = uri,
                           .token = token,
                           .workspace = workspace,
                           .request_timeout_ms = 5000,
                           .connect_timeout_ms = 5000,
                           .retries_max = 1,
                           .streams = 1};
  client it = {.left_ms = 10000};
  mlf_http *http = NULL;
  mlf_exchange *exchange = NULL;
  mlf_http_reply *reply;
  mlf_error error = {0};
  int rc = mlf_http_new(&settings, client_interrupt(&it), &http, &error);
  if (rc == SQLITE_OK) rc = mlf_http_start(http, &call, &it.left_ms, &exchange, &error);
  if (rc == SQLITE_OK) rc = mlf_http_wait(http, exchange, &error);
  if (rc == SQLITE_OK) rc = mlf_exchange_result(exchange, &reply, &error);
  if (rc == SQLITE_OK) {
    assert_null(due);
    assert_int_equal(reply->status, 302);
    assert_int_equal(reply->body.length, 6000);
    assert_string_equal(reply->location_origin, "http://h.example:8");
  } else if (rc == SQLITE_ERROR && due) {
    assert_contains(error.text, due);
    rc = SQLITE_OK;
  }
  mlf_exchange_free(exchange);
  mlf_http_free(http);
  mlf_error_clear(&error);
  return rc;
}

static char memory_reply[6200];
static char memory_late[] = "asks to wait 61 s";
static char memory_broken[] = "broke off";

static void memory_of_ours_may_run_out(void **state) {
  (void)state;
  hostile_play(&server, memory_reply);
  oom_loop(memory_request, NULL);
  hostile_play(&server, "status 429 Retry-After=61");
  oom_loop(memory_request, memory_late);
  hostile_play(&server, "cut 30");
  oom_loop(memory_request, memory_broken);
}

/* Libcurl's allocations fail one by one. It may fail in other words than SQLITE_NOMEM. */
static void memory_of_curl_may_run_out(void **state) {
  (void)state;
  bool failed = true;
  long countdown;
  memory_hits_curl = true;
  hostile_play(&server, memory_reply);
  for (countdown = 1; failed; countdown++) {
    oom_arm(countdown, false);
    int rc = memory_request(NULL);
    failed = oom_disarm() > 0;
    assert_true(rc == SQLITE_OK || (failed && (rc == SQLITE_NOMEM || rc == SQLITE_ERROR)));
  }
  assert_true(countdown > 100); /* or libcurl's were not among them */
}

/* A request that lacks a header would be another request. */
static void memory_makes_all_headers_or_none(void **state) {
  (void)state;
  char workspace[] = "team";
  mlf_settings settings = {.workspace = workspace};
  bool failed = true;
  memory_hits_curl = true;
  for (long countdown = 1; failed; countdown++) {
    long before = memory_of_curl;
    oom_arm(countdown, false);
    struct curl_slist *headers = mlf_transfer_headers(&settings);
    failed = oom_disarm() > 0;
    int count = 0;
    for (const struct curl_slist *each = headers; each; each = each->next)
      count++;
    assert_int_equal(count, failed ? 0 : 5);
    curl_slist_free_all(headers);
    assert_int_equal(memory_of_curl, before);
  }
}

static bool memory_refuses_curl(void) {
  return memory_hits_curl && oom_refuses();
}

static void *memory_count(void *memory) {
  memory_of_curl += memory != NULL;
  return memory;
}

static char *memory_strdup(const char *text) {
  return memory_refuses_curl() ? NULL : memory_count(strdup(text));
}

static void *memory_malloc(size_t size) {
  return memory_refuses_curl() ? NULL : memory_count(malloc(size));
}

static void *memory_calloc(size_t count, size_t size) {
  return memory_refuses_curl() ? NULL : memory_count(calloc(count, size));
}

static void *memory_realloc(void *memory, size_t size) {
  if (memory_refuses_curl()) return NULL;
  memory_of_curl += memory == NULL;
  return realloc(memory, size);
}

static void memory_free(void *memory) {
  memory_of_curl -= memory != NULL;
  free(memory);
}

int main(void) {
  oom_install();
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_malloc, memory_free, memory_realloc,
                       memory_strdup, memory_calloc);
  snprintf(memory_reply, sizeof(memory_reply),
           "status 302 Location=http://h.example:8/ body=%06000d", 0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_of_ours_may_run_out),
      cmocka_unit_test(memory_of_curl_may_run_out),
      cmocka_unit_test(memory_makes_all_headers_or_none),
  };
  return cmocka_run_group_tests(tests, memory_start_server, memory_stop_server);
}
