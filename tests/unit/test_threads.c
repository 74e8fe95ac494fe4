/* test_threads.c: connections in threads of their own, all made at the same time, and one that
** threads share. Built with ThreadSanitizer, too (the stage tsan of tests/run). */
#include <pthread.h>

#include "functions/functions.h"
#include "hostile.h"
#include "tables/tables.h"

#define THREADS 8
#define ROUNDS  25

static hostile server;

typedef struct threads_work {
  pthread_t thread;
  pthread_barrier_t *start;
  sqlite3 *shared; /* NULL: a connection of its own */
  int wrong;       /* statements that did not give what they should */
} threads_work;

static int threads_start_server(void **state) {
  (void)state;
  hostile_start(&server, NULL, NULL);
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /version ok body=3.17.2 type=text/plain");
  hostile_tell(&server, "route /experiments/search ok body='%s'",
               "{\"experiments\":[{\"experiment_id\":\"7\",\"name\":\"agent\"}]}");
  hostile_tell(&server, "route /traces/search ok body='%s'",
               "{\"traces\":[{\"trace_id\":\"tr-1\",\"request_time\":\"2026-11-23T10:00:00.007Z\","
               "\"trace_location\":{\"mlflow_experiment\":{\"experiment_id\":\"7\"}}}]}");
  setenv("MLFLOW_TRACKING_URI", hostile_uri(&server), 1);
  setenv("HOME", "/nonexistent", 1);
  return 0;
}

static int threads_stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

static int threads_open(sqlite3 **db) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;
  int rc = sqlite3_open_v2(":memory:", db, flags, NULL);
  mlf_registry registry = {.db = *db};
  if (rc == SQLITE_OK) rc = mlf_functions_register(&registry);
  if (rc == SQLITE_OK) rc = mlf_tables_register(&registry);
  sqlite3_free(registry.kept);
  return rc;
}

static int threads_check_row(void *right, int count, char **values, char **names) {
  (void)count;
  (void)names;
  *(bool *)right = strcmp(values[0], "tr-1") == 0 && strcmp(values[1], "7.0") == 0;
  return 0;
}

/* No cmocka in here: its failures are for the thread that runs the test. */
static void *threads_run(void *context) {
  threads_work *work = context;
  sqlite3 *db = work->shared;
  pthread_barrier_wait(work->start);
  if (!db && threads_open(&db) != SQLITE_OK) work->wrong++;
  for (int i = 0; i < ROUNDS; i++) {
    bool right = false;
    int rc = sqlite3_exec(db,
                          "SELECT max(trace_id), percentile(timestamp_ms % 1000, 50) "
                          "FROM mlflow_traces",
                          threads_check_row, &right, NULL);
    work->wrong += rc != SQLITE_OK || !right;
  }
  if (!work->shared && sqlite3_close(db) != SQLITE_OK) work->wrong++;
  return NULL;
}

static void threads_check(sqlite3 *shared) {
  pthread_barrier_t start;
  threads_work works[THREADS];
  assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
  for (int i = 0; i < THREADS; i++) {
    works[i] = (threads_work){.start = &start, .shared = shared};
    assert_int_equal(pthread_create(&works[i].thread, NULL, threads_run, &works[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(works[i].thread, NULL), 0);
    assert_int_equal(works[i].wrong, 0);
  }
  pthread_barrier_destroy(&start);
}

static void connections_of_their_own(void **state) {
  (void)state;
  threads_check(NULL);
}

static void one_connection_shared(void **state) {
  (void)state;
  sqlite3 *db;
  assert_int_equal(threads_open(&db), SQLITE_OK);
  threads_check(db);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void) {
  /* Its counting takes a mutex at each allocation, which would order what nothing else orders. */
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(connections_of_their_own),
      cmocka_unit_test(one_connection_shared),
  };
  return cmocka_run_group_tests(tests, threads_start_server, threads_stop_server);
}
