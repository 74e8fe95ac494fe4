/* test_pager.c: remote/pager.h against a scripted server: which traces a walk hands out, and what it
** asks for. */
#include "remote/pager.h"

#include <stdio.h>

#include "hostile.h"
#include "model/decode_trace.h"
#include "searches.h"

#define TRACES_MAX 1000

static hostile server;

/* What a test holds: a client, its budget, a walk and its pager. */
typedef struct world {
  mlf_client *client;
  mlf_budget budget;
  mlf_walk walk;
  mlf_pager *pager;
  mlf_error error;
  int seen[TRACES_MAX]; /* how often each trace was handed out, */
  int first;            /* and the number of the first */
  int last;
} world;

static int never(void *context) {
  (void)context;
  return SQLITE_OK;
}

/* A walk over all traces, newest first, against what the scenario answers to searches. */
static void world_open(world *it, int streams, const char *searches) {
  static const char *const experiment = "7";
  char text[16];
  hostile_play(&server, "status 404");
  hostile_tell(&server, "route /traces/search %s", searches);
  snprintf(text, sizeof(text), "%d", streams);
  setenv("MLFLOW_SQL_STREAMS", text, 1);
  memset(it, 0, sizeof(*it));
  it->first = -1;
  it->walk = (mlf_walk){.experiment_ids = &experiment,
                        .experiment_count = 1,
                        .low_ms = INT64_MIN,
                        .high_ms = INT64_MAX};
  assert_int_equal(mlf_client_new((mlf_interrupt){.ask = never}, &it->client), SQLITE_OK);
  assert_int_equal(mlf_client_budget(it->client, &it->budget, &it->error), SQLITE_OK);
}

static void world_close(world *it) {
  mlf_pager_free(it->pager);
  mlf_client_free(it->client);
  mlf_error_clear(&it->error);
}

/* One step of the walk, which begins with the first: the pager's result. */
static int step(world *it) {
  const mlf_json *page;
  const mlf_json_node *trace;
  int rc = SQLITE_OK;
  if (!it->pager) rc = mlf_pager_new(it->client, &it->budget, &it->walk, &it->pager, &it->error);
  if (rc == SQLITE_OK) rc = mlf_pager_next(it->pager, &page, &trace, &it->error);
  if (rc != SQLITE_ROW) return rc;
  it->last = atoi(mlf_trace_id(trace) + 1);
  if (it->first < 0) it->first = it->last;
  it->seen[it->last]++;
  return rc;
}

/* The number of the next trace; -1 at the end. */
static int next(world *it) {
  int rc = step(it);
  if (rc == SQLITE_DONE) return -1;
  if (rc != SQLITE_ROW) fail_msg("%s", it->error.text);
  return it->last;
}

/* Reads so many traces, or to the end; returns how many there were. */
static int walk(world *it, int rows_max) {
  int rows = 0;
  while (rows < rows_max && next(it) >= 0)
    rows++;
  return rows;
}

/* Walks to the end and expects the traces first..last, in this order or the other way round. */
static void walk_in_order(world *it, int first, int last) {
  int way = first <= last ? 1 : -1;
  for (int number = first; number != last + way; number += way)
    assert_int_equal(next(it), number);
  assert_int_equal(next(it), -1);
  assert_int_equal(next(it), -1);
}

/* Walks to the end and expects the traces first..last once each, in any order. */
static void walk_all(world *it, int first, int last) {
  assert_int_equal(walk(it, TRACES_MAX), last - first + 1);
  for (int number = first; number <= last; number++)
    assert_int_equal(it->seen[number], 1);
}

/* Reads on until an error comes, and expects why. */
static void walk_fails(world *it, const char *part) {
  int rc = SQLITE_ROW;
  while (rc == SQLITE_ROW)
    rc = step(it);
  assert_int_equal(rc, SQLITE_ERROR);
  assert_contains(it->error.text, part);
}

static void check_requests(const world *it, const char *expected) {
  assert_string_equal(searches_shown(mlf_client_log(it->client), false), expected);
}

static int64_t count_requests(const world *it) {
  return mlf_client_log(it->client)->count;
}

/* Each page begins where the one before it ended, and that row comes again. */
static void pages_are_walked_by_key(void **state) {
  world it;
  (void)state;
  world_open(&it, 1, "search 46");
  walk_in_order(&it, 45, 0);
  check_requests(&it, "10 ; 10 timestamp_ms <= 36; 10 timestamp_ms <= 27; "
                      "10 timestamp_ms <= 18; 10 timestamp_ms <= 9");
  world_close(&it);
  world_open(&it, 1, "search 46");
  it.walk.oldest_first = true;
  it.walk.low_ms = SEARCHES_OLDEST_MS + 5;
  it.walk.high_ms = SEARCHES_OLDEST_MS + 30;
  it.walk.filter = "a = 1";
  walk_in_order(&it, 5, 30);
  check_requests(&it, "10 a = 1 AND timestamp_ms >= 5 AND timestamp_ms <= 30; "
                      "10 a = 1 AND timestamp_ms >= 14 AND timestamp_ms <= 30; "
                      "10 a = 1 AND timestamp_ms >= 23 AND timestamp_ms <= 30");
  world_close(&it);
  world_open(&it, 1, "search 10"); /* a full page that is the last */
  walk_in_order(&it, 9, 0);
  check_requests(&it, "10 ");
  world_close(&it);
  world_open(&it, 1, "search 0");
  assert_int_equal(next(&it), -1);
  check_requests(&it, "10 ");
  world_close(&it);
}

/* One millisecond that fills a page is walked by tokens, until two walks met the same rows. */
static void ties_are_walked_by_tokens(void **state) {
  static const int tied[] = {9, 10, 11, 25};
  (void)state;
  for (size_t i = 0; i < sizeof(tied) / sizeof(tied[0]); i++) {
    for (int oldest_first = 0; oldest_first < 2; oldest_first++) {
      for (int bound = 0; bound < 2; bound++) {
        world it;
        char scenario[32];
        int traces = 3 * tied[i];
        snprintf(scenario, sizeof(scenario), "search %d tied=%d", traces, tied[i]);
        world_open(&it, 1, scenario);
        it.walk.oldest_first = oldest_first;
        if (bound) it.walk.low_ms = SEARCHES_OLDEST_MS + 1;
        if (bound) it.walk.high_ms = SEARCHES_OLDEST_MS + 1;
        walk_all(&it, bound ? tied[i] : 0, bound ? 2 * tied[i] - 1 : traces - 1);
        world_close(&it);
      }
    }
  }
  world it;
  world_open(&it, 1, "search 25 tied=25");
  walk_all(&it, 0, 24);
  check_requests(&it, "10 ; 10 timestamp_ms = 0; 10 timestamp_ms = 0; 10 timestamp_ms = 0; "
                      "10 timestamp_ms = 0; 10 timestamp_ms = 0; 10 timestamp_ms = 0; "
                      "10 timestamp_ms <= -1");
  world_close(&it);
}

static void few_rows_are_asked_for_at_once(void **state) {
  world it;
  (void)state;
  world_open(&it, 1, "search 46");
  it.walk.rows_wanted = 7;
  assert_int_equal(walk(&it, 7), 7);
  check_requests(&it, "7 ");
  world_close(&it);
  world_open(&it, 1, "search 46");
  it.walk.rows_wanted = 10;
  assert_int_equal(walk(&it, 10), 10);
  check_requests(&it, "10 ");
  world_close(&it);
  world_open(&it, 1, "search 46"); /* the oldest, which may move: all in one page */
  it.walk.oldest_first = true;
  it.walk.rows_wanted = 40;
  assert_int_equal(walk(&it, 40), 40);
  check_requests(&it, "40 ");
  world_close(&it);
  world_open(&it, 1, "search 46"); /* the newest come page by page, and no page too many */
  it.walk.rows_wanted = 28;
  assert_int_equal(walk(&it, 28), 28);
  check_requests(&it, "10 ; 10 timestamp_ms <= 36; 10 timestamp_ms <= 27");
  world_close(&it);
}

static void ids_are_asked_for_in_batches(void **state) {
  static const char *const texts[] = {"t001", "t002", "t003", "t004", "t005", "t006",
                                      "t007", "t008", "t009", "t010", "t011", "t999"};
  mlf_value ids[12];
  world it;
  (void)state;
  for (size_t i = 0; i < 12; i++)
    ids[i] = mlf_value_text(texts[i]);
  for (int streams = 1; streams <= 4; streams += 3) {
    world_open(&it, streams, "search 46");
    it.walk.ids = ids;
    it.walk.id_count = 12;
    walk_all(&it, 1, 11);
    check_requests(&it, "10 request_id IN ('t001', 't002', 't003', 't004', 't005', 't006', "
                        "'t007', 't008', 't009', 't010'); 10 request_id IN ('t011', 't999')");
    world_close(&it);
  }
}

/* Where much is left pages come side by side: each trace once, in order if one is asked for, and
** hardly more pages than one after the other would be. */
static void slices_are_read_side_by_side(void **state) {
  (void)state;
  for (int oldest_first = 0; oldest_first < 2; oldest_first++) {
    for (int any_order = 0; any_order < 2; any_order++) {
      for (int bound = 0; bound < 2; bound++) {
        world it;
        world_open(&it, 4, "search 900");
        it.walk.oldest_first = oldest_first;
        it.walk.any_order = any_order;
        if (bound) it.walk.low_ms = SEARCHES_OLDEST_MS;
        if (bound) it.walk.high_ms = SEARCHES_OLDEST_MS + 899;
        if (any_order)
          walk_all(&it, 0, 899);
        else
          walk_in_order(&it, oldest_first ? 0 : 899, oldest_first ? 899 : 0);
        assert_int_equal(it.first, oldest_first ? 0 : 899);
        assert_in_range(count_requests(&it), 100, any_order ? 112 : 130);
        world_close(&it);
      }
    }
  }
}

/* What is not there yet is not waited for. */
static void the_next_page_can_be_looked_at(void **state) {
  const mlf_json_node *trace;
  world it;
  (void)state;
  world_open(&it, 1, "search 46");
  assert_int_equal(next(&it), 45);
  assert_int_equal(mlf_pager_peek(it.pager, &trace, &it.error), SQLITE_OK);
  assert_null(trace);
  world_close(&it);
}

/* A filter of our own that the server refuses is left out; the user's own is an error. */
static void a_refused_filter_is_left_out(void **state) {
  static const char refusal[] =
      "status 400 body='{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":\"no\"}'";
  char scenario[256];
  world it;
  (void)state;
  snprintf(scenario, sizeof(scenario), "%s ; search 26", refusal);
  world_open(&it, 1, scenario);
  it.walk.filter = "odd = 1";
  it.walk.raw = "b = 2";
  walk_in_order(&it, 25, 0);
  check_requests(&it, "10 b = 2 AND odd = 1; 10 b = 2; 10 b = 2 AND timestamp_ms <= 16; "
                      "10 b = 2 AND timestamp_ms <= 7");
  world_close(&it);
  world_open(&it, 1, refusal);
  it.walk.raw = "b = 2";
  walk_fails(&it, "400 INVALID_PARAMETER_VALUE");
  world_close(&it);
}

/* A page of traces with these numbers, of which each began that many milliseconds after the oldest;
** with `more`, it says that a page comes after it. */
static const char *page_of(const int *numbers, int count, bool more, char *step, int size) {
  int length = snprintf(step, (size_t)size, "ok body='{\"traces\":[");
  for (int i = 0; i < count; i++)
    length += snprintf(step + length, (size_t)(size - length),
                       "%s{\"trace_id\":\"t%03d\",\"trace_location\":{\"mlflow_experiment\":"
                       "{\"experiment_id\":\"7\"}},\"request_time\":\"2026-11-23T00:00:00.%03dZ\"}",
                       i ? "," : "", numbers[i], numbers[i]);
  snprintf(step + length, (size_t)(size - length), "]%s}'",
           more ? ",\"next_page_token\":\"x\"" : "");
  return step;
}

static void a_server_that_ignores_bounds_is_found_out(void **state) {
  static const int newer[] = {9, 8, 7}, older[] = {4, 3, 2};
  char first[1024], second[1024], scenario[4096];
  world it;
  (void)state;
  page_of(newer, 3, true, first, sizeof(first));
  world_open(&it, 1, first); /* the same page again and again, as if there was no bound */
  walk_fails(&it, "outside the range of time asked for");
  world_close(&it);
  page_of(older, 3, false, second, sizeof(second));
  world_open(&it, 1, second); /* older than the lower bound */
  it.walk.low_ms = SEARCHES_OLDEST_MS + 3;
  walk_fails(&it, "outside the range of time asked for");
  world_close(&it);
  world_open(&it, 1, second);
  it.walk.low_ms = SEARCHES_OLDEST_MS + 2;
  walk_in_order(&it, 4, 2);
  world_close(&it);
  world_open(&it, 1, second); /* beside a raw filter no lower bound is sent: the walk ends there */
  it.walk.low_ms = SEARCHES_OLDEST_MS + 3;
  it.walk.raw = "b = 2";
  walk_in_order(&it, 4, 3);
  check_requests(&it, "10 b = 2");
  world_close(&it);
  snprintf(scenario, sizeof(scenario), "%s ; search 8", first); /* one that heeds it: t007 again */
  world_open(&it, 1, scenario);
  walk_in_order(&it, 9, 0);
  world_close(&it);
}

/* The last row of a page has to come again at the begin of the next one. */
static void a_row_that_is_left_out_is_asked_for(void **state) {
  static const int first[] = {9, 8, 7}, second[] = {6, 5}, found[] = {7}, whole[] = {7, 6, 5};
  char steps[4][1024], scenario[8192];
  world it;
  (void)state;
  page_of(first, 3, true, steps[0], sizeof(steps[0]));
  page_of(second, 2, false, steps[1], sizeof(steps[1]));
  page_of(found, 1, false, steps[2], sizeof(steps[2]));
  page_of(whole, 3, false, steps[3], sizeof(steps[3]));
  /* It is there: the page is asked for once more. */
  snprintf(scenario, sizeof(scenario), "%s ; %s ; %s ; %s", steps[0], steps[1], steps[2], steps[3]);
  world_open(&it, 1, scenario);
  it.walk.filter = "a = 1";
  walk_in_order(&it, 9, 5);
  check_requests(&it, "10 a = 1; 10 a = 1 AND timestamp_ms <= 7; "
                      "1 a = 1 AND request_id IN ('t007') AND timestamp_ms = 7; "
                      "10 a = 1 AND timestamp_ms <= 7");
  world_close(&it);
  /* It is gone: all is well. */
  snprintf(scenario, sizeof(scenario), "%s ; %s ; ok body='{\"traces\":[]}'", steps[0], steps[1]);
  world_open(&it, 1, scenario);
  walk_in_order(&it, 9, 5);
  assert_int_equal(count_requests(&it), 3);
  world_close(&it);
  /* It is there and left out again: the server cannot be trusted. */
  snprintf(scenario, sizeof(scenario), "%s ; %s ; %s ; %s ; %s", steps[0], steps[1], steps[2],
           steps[1], steps[2]);
  world_open(&it, 1, scenario);
  walk_fails(&it, "the server leaves out trace t007, which it has, at a page's begin");
  assert_int_equal(count_requests(&it), 5);
  world_close(&it);
}

/* A statement's budget says how many pages are left, as far as anybody knows. */
static void the_budget_tells_what_is_left(void **state) {
  world it;
  (void)state;
  world_open(&it, 1, "search 200");
  it.walk.low_ms = SEARCHES_OLDEST_MS;
  walk(&it, 10);
  assert_in_range((int)it.budget.pages_left, 17, 20);
  walk(&it, 100);
  assert_in_range((int)it.budget.pages_left, 8, 11);
  world_close(&it);
  world_open(&it, 1, "search 200");
  walk(&it, 10);
  assert_int_equal((int)it.budget.pages_left, 0);
  world_close(&it);
}

static int start_server(void **state) {
  (void)state;
  hostile_start_mlflow(&server);
  setenv("MLFLOW_SQL_PAGE_ROWS", "10", 1);
  setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0", 1);
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pages_are_walked_by_key),
      cmocka_unit_test(ties_are_walked_by_tokens),
      cmocka_unit_test(few_rows_are_asked_for_at_once),
      cmocka_unit_test(ids_are_asked_for_in_batches),
      cmocka_unit_test(slices_are_read_side_by_side),
      cmocka_unit_test(the_next_page_can_be_looked_at),
      cmocka_unit_test(a_refused_filter_is_left_out),
      cmocka_unit_test(a_server_that_ignores_bounds_is_found_out),
      cmocka_unit_test(a_row_that_is_left_out_is_asked_for),
      cmocka_unit_test(the_budget_tells_what_is_left),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
