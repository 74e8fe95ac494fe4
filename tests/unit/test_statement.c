/* test_statement.c: tables/statement.h: whose statement a scan is of, and what its scans share. */
#include "tables/statement.h"

#include "hostile.h"
#include "oom.h"
#include "tables/connection.h"
#include "tables/trace_table.h"

static hostile server;

static struct {
  sqlite3 *db;
  mlf_connection *connection;
  mlf_client *client;
  mlf_statement *list;
  mlf_surveyed *tables;
  void (*inside)(void); /* what the SQL function here() runs */
} world;

/* here(x): runs what the test has set, while the statement that calls it is running. */
static void here(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count;
  (void)values;
  world.inside();
  sqlite3_result_int(context, 1);
}

static int open_world(void **state) {
  (void)state;
  memset(&world, 0, sizeof(world));
  assert_int_equal(sqlite3_open(":memory:", &world.db), SQLITE_OK);
  mlf_registry registry = {.db = world.db};
  assert_int_equal(mlf_connection_new(&registry, &world.connection), SQLITE_OK);
  world.client = mlf_connection_client(world.connection);
  assert_int_equal(mlf_trace_table_register(world.db, world.connection, &mlf_trace_rows_traces),
                   SQLITE_OK);
  assert_int_equal(
      sqlite3_create_function(world.db, "here", 1, SQLITE_UTF8, NULL, here, NULL, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_exec(world.db, "CREATE TABLE l(i); INSERT INTO l VALUES(1), (2), (3)",
                                NULL, NULL, NULL),
                   SQLITE_OK);
  return 0;
}

static int close_world(void **state) {
  (void)state;
  assert_null(world.list);
  mlf_connection_release(world.connection);
  assert_int_equal(sqlite3_close(world.db), SQLITE_OK);
  return 0;
}

static mlf_statement *join(void) {
  mlf_statement *statement;
  assert_int_equal(
      mlf_statement_join(world.db, world.client, &world.list, &world.tables, NULL, &statement),
      SQLITE_OK);
  return statement;
}

/* Runs `inside` in a statement that calls here(). */
static void run(const char *sql, void (*inside)(void)) {
  char *text = NULL;
  world.inside = inside;
  if (sqlite3_exec(world.db, sql, NULL, NULL, &text) != SQLITE_OK) fail_msg("%s: %s", sql, text);
}

/* Prepares a statement and takes its first row, which it then shows. */
static sqlite3_stmt *show(const char *sql) {
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_prepare_v2(world.db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  return statement;
}

static void two_scans_join_one_statement(void) {
  assert_non_null(mlf_statement_sole(world.db));
  mlf_statement *one = join();
  assert_ptr_equal(world.list, one);
  assert_ptr_equal(join(), one);
  mlf_statement_leave(one);
  assert_ptr_equal(world.list, one); /* a scan is still open */
  assert_ptr_equal(join(), one);
  mlf_statement_leave(one);
  mlf_statement_leave(one);
  assert_null(world.list);
}

static void scans_of_one_statement_share_it(void **state) {
  (void)state;
  run("SELECT here(1)", two_scans_join_one_statement);
}

static mlf_statement *of_the_other; /* which waits with a row to show */

static void another_statement_runs(void) {
  assert_null(mlf_statement_sole(world.db)); /* two are busy */
  mlf_statement *own = join();
  assert_ptr_not_equal(own, of_the_other);
  assert_ptr_equal(join(), own);
  assert_ptr_equal(world.list, own);
  mlf_statement_leave(own);
  mlf_statement_leave(own);
  assert_ptr_equal(world.list, of_the_other);
}

/* A statement that has handed out a row waits: the one that runs is the other. */
static void statements_side_by_side_are_told_apart(void **state) {
  (void)state;
  sqlite3_stmt *waiting = show("SELECT i FROM l");
  assert_ptr_equal(mlf_statement_sole(world.db), waiting);
  of_the_other = join();
  run("SELECT here(1)", another_statement_runs);
  /* Whoever stands first in the list: the later one may leave after the earlier. */
  mlf_statement *alone = join();
  assert_ptr_equal(alone, of_the_other);
  mlf_statement_leave(alone);
  mlf_statement_leave(of_the_other);
  sqlite3_finalize(waiting);
}

static void nobody_knows_which_runs(void) {
  assert_null(mlf_statement_sole(world.db));
  mlf_statement *one = join(), *other = join();
  assert_ptr_not_equal(one, other);
  assert_null(one->survey);
  mlf_statement_leave(one); /* from the end of the list */
  assert_ptr_equal(world.list, other);
  mlf_statement_leave(other);
  assert_null(world.list);
}

static void run_inside(void) {
  run("SELECT here(2)", nobody_knows_which_runs);
}

/* Two statements that run, one inside the other: nothing is shared. */
static void a_scan_of_an_unknown_statement_shares_nothing(void **state) {
  (void)state;
  run("SELECT here(1)", run_inside);
  assert_null(mlf_statement_sole(world.db));
  run("SELECT 1", NULL);
  mlf_statement *one = join(), *other = join();
  assert_ptr_not_equal(one, other);
  mlf_statement_leave(other);
  mlf_statement_leave(one);
}

static bool remembers;

static void see_whether_it_remembers(void) {
  mlf_error error = {0};
  mlf_surveyed probe;
  mlf_connection_add_table(world.connection, &probe);
  mlf_connection_remove_table(world.connection, &probe);
  world.tables = probe.next;
  mlf_statement *statement = join();
  assert_non_null(statement->survey);
  assert_int_equal(mlf_statement_keep(statement, &error), SQLITE_OK);
  remembers = !mlf_given_is_full(statement->given);
  mlf_statement_leave(statement);
}

/* What is asked for once is not kept. */
static void only_what_may_be_asked_twice_is_remembered(void **state) {
  (void)state;
  run("SELECT here(1) UNION ALL SELECT 1 FROM mlflow_traces LIMIT 1", see_whether_it_remembers);
  assert_false(remembers);
  run("SELECT here(1) UNION ALL SELECT 1 FROM mlflow_traces UNION ALL SELECT 1 FROM mlflow_traces "
      "LIMIT 1",
      see_whether_it_remembers);
  assert_true(remembers);
}

static void spend(void) {
  mlf_error error = {0};
  mlf_statement *statement = join();
  mlf_budget *budget = &statement->budget;
  assert_int_equal(mlf_statement_begin(statement, &error), SQLITE_OK);
  budget->requests_left = 7; /* is not forgotten */
  assert_int_equal(mlf_statement_begin(statement, &error), SQLITE_OK);
  assert_int_equal(budget->requests_left, 7);
  assert_int_equal(budget->rows, 0);
  for (int i = 1; i <= 3; i++)
    assert_int_equal(mlf_statement_count_row(statement, &error), SQLITE_OK);
  assert_int_equal(budget->rows, 3);
  assert_int_equal(mlf_statement_count_row(statement, &error), SQLITE_ERROR);
  assert_contains(error.text, "MLFLOW_SQL_STATEMENT_ROWS_MAX");
  mlf_error_clear(&error);
  assert_int_equal(mlf_client_connect(world.client, "http://h", &error), SQLITE_BUSY);
  mlf_error_clear(&error);
  mlf_statement_leave(statement);
}

/* The budget is one for all scans, and nobody changes the address meanwhile. */
static void what_may_be_spent_is_counted_once(void **state) {
  mlf_error error = {0};
  (void)state;
  setenv("MLFLOW_SQL_STATEMENT_ROWS_MAX", "3", 1);
  hostile_play(&server, "ok body=3.17.2 type=text/plain");
  run("SELECT here(1)", spend);
  unsetenv("MLFLOW_SQL_STATEMENT_ROWS_MAX");
  assert_int_equal(mlf_client_connect(world.client, "http://h", &error), SQLITE_OK);
}

static void note(void) {
  bool added;
  mlf_error error = {0};
  mlf_statement *shared = join();
  assert_false(shared->active_known);
  shared->active_known = true;
  assert_int_equal(mlf_experiment_list_take(&shared->active, sqlite3_mprintf("7"),
                                            sqlite3_mprintf("agent"), &error),
                   SQLITE_OK);
  assert_int_equal(mlf_experiment_list_add(&shared->names, &shared->active, &error), SQLITE_OK);
  mlf_string_set *sets[] = {&shared->absent[0], &shared->absent[1], &shared->noted};
  for (size_t i = 0; i < 3; i++) {
    assert_false(mlf_string_set_has(sets[i], "a"));
    assert_int_equal(mlf_string_set_add(sets[i], "a", &added), SQLITE_OK);
    assert_true(added);
  }
  assert_int_equal(mlf_statement_begin(shared, &error), SQLITE_OK);
  assert_int_equal(mlf_statement_keep(shared, &error), SQLITE_OK);
  assert_non_null(shared->payloads);
  mlf_statement_leave(shared);
}

static void what_was_noted_ends_with_the_statement(void **state) {
  (void)state;
  hostile_play(&server, "ok body=3.17.2 type=text/plain");
  run("SELECT here(1)", note);
  long before = oom.outstanding;
  run("SELECT here(1)", note); /* a new one, which knows nothing of it */
  assert_int_equal(oom.outstanding, before);
  assert_int_equal(hostile_count(&server, "requests"), 1); /* the version, for both */
}

static void ask_for_payloads(void) {
  mlf_error error = {0};
  mlf_statement *statement = join();
  assert_int_equal(mlf_statement_begin(statement, &error), SQLITE_ERROR);
  assert_contains(error.text, "GET /version");
  mlf_error_clear(&error);
  mlf_statement_leave(statement);
}

static void a_server_that_fails_is_an_error(void **state) {
  (void)state;
  hostile_play(&server, "status 403");
  run("SELECT here(1)", ask_for_payloads);
}

static int start_server(void **state) {
  (void)state;
  hostile_start_mlflow(&server);
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      IN_A_WORLD(scans_of_one_statement_share_it),
      IN_A_WORLD(statements_side_by_side_are_told_apart),
      IN_A_WORLD(a_scan_of_an_unknown_statement_shares_nothing),
      IN_A_WORLD(only_what_may_be_asked_twice_is_remembered),
      IN_A_WORLD(what_may_be_spent_is_counted_once),
      IN_A_WORLD(what_was_noted_ends_with_the_statement),
      IN_A_WORLD(a_server_that_fails_is_an_error),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
