/* test_load.c: SQLite loads the library, as it does for people, while memory runs out at every
** allocation there is. After each failure SQLite has closed the library, and each name of ours is
** called: whatever was registered by then must still answer, or be unknown. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "asked.h"

/* A call of each function and a look at each table, and whether it needs no server. */
typedef struct load_name {
  const char *sql;
  bool answers;
} load_name;

static const load_name load_names[] = {
    {"SELECT percentile(1, 50), percentile_cont(1, 0.5), percentile_disc(1, 0.5), median(1)", true},
    {"SELECT percentile(1, 50)", true},
    {"SELECT percentile_cont(1, 0.5)", true},
    {"SELECT percentile_disc(1, 0.5)", true},
    {"SELECT median(1)", true},
    {"SELECT latency_bucket(1)", true},
    {"SELECT latency_bucket(1, '[5]')", true},
    {"SELECT latency_class(1)", true},
    {"SELECT latency_class(1, '[5]')", true},
    {"SELECT time_bucket('1 day', 1)", true},
    {"SELECT time_bucket('1 day', 1, '+01:00')", true},
    {"SELECT wilson_low(1, 2), wilson_low(1, 2, 3)", true},
    {"SELECT wilson_high(1, 2), wilson_high(1, 2, 3)", true},
    {"SELECT sparkline(1)", true},
    {"SELECT bar(1, 2), bar(1, 2, 3)", true},
    {"SELECT mask_message('x')", true},
    {"SELECT strata(1, 2, 3)", true},
    {"SELECT strata(1, 2, 3, 4)", true},
    {"SELECT strata_merge(NULL)", true},
    {"SELECT * FROM stratified_sample(NULL)", true},
    {"SELECT mlflow_version()", true},
    {"SELECT * FROM mlflow_settings", true},
    {"SELECT * FROM mlflow_requests", true},
    {"SELECT * FROM mlflow_help", true},
    {"SELECT mlflow_connect('http://127.0.0.1:9')", true},
    {"SELECT * FROM mlflow_experiments", false},
    {"SELECT * FROM mlflow_traces", false},
    {"SELECT * FROM mlflow_spans", false},
    {"SELECT * FROM mlflow_assessments", false},
};

/* Runs each of them. With `whole` all must be there. */
static void load_call_all(sqlite3 *db, bool whole) {
  for (size_t i = 0; i < sizeof(load_names) / sizeof(*load_names); i++) {
    int rc = sqlite3_exec(db, load_names[i].sql, NULL, NULL, NULL);
    if (whole && load_names[i].answers) assert_int_equal(rc, SQLITE_OK);
    if (whole) assert_null(strstr(sqlite3_errmsg(db), "no such"));
  }
}

static sqlite3 *load_open(void) {
  sqlite3 *db;
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  assert_int_equal(sqlite3_enable_load_extension(db, 1), SQLITE_OK);
  return db;
}

static int load_by_c(sqlite3 *db, char **error_text) {
  return sqlite3_load_extension(db, MLF_TEST_EXTENSION, NULL, error_text);
}

/* From a statement, so that SQLite lets nobody replace or take back a function. */
static int load_by_sql(sqlite3 *db, char **error_text) {
  return sqlite3_exec(db, "SELECT load_extension('" MLF_TEST_EXTENSION "')", NULL, NULL,
                      error_text);
}

/* Runs loads in which the first, second, third ... allocation fails, until one comes through. With
** `again` each connection loads once more, with memory. */
static void load_without_memory(int (*load)(sqlite3 *, char **), bool again) {
  bool failed = true;
  for (long countdown = 1; failed; countdown++) {
    long before = oom.outstanding;
    char *text = NULL;
    sqlite3 *db = load_open();
    oom_arm(countdown, false);
    int rc = load(db, &text);
    failed = oom_disarm() > 0;
    if (!failed) assert_int_equal(rc, SQLITE_OK);
    const char *reason = text ? strstr(text, "error during initialization: ") : NULL;
    if (reason)
      assert_string_equal(reason, "error during initialization: mlflow: its tables and functions "
                                  "cannot be registered: out of memory; load it again");
    sqlite3_free(text);
    load_call_all(db, rc == SQLITE_OK);
    if (again) assert_int_equal(load(db, NULL), SQLITE_OK);
    if (again) load_call_all(db, true);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(oom.outstanding, before);
  }
}

/* First of all: a load that succeeds keeps the library in this process for good. */
static void load_fails_and_what_stays_can_be_called(void **state) {
  (void)state;
  load_without_memory(load_by_sql, false);
}

static void load_goes_on_after_a_failure(void **state) {
  (void)state;
  load_without_memory(load_by_c, true);
}

static void load_goes_on_inside_a_statement(void **state) {
  (void)state;
  load_without_memory(load_by_sql, true);
}

static void load_answer(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count;
  (void)values;
  sqlite3_result_int(context, 42);
}

static int load_authorize(void *denied, int action, const char *one, const char *function,
                          const char *three, const char *four) {
  (void)one;
  (void)three;
  (void)four;
  return action == SQLITE_FUNCTION && sqlite3_stricmp(function, denied) == 0 ? SQLITE_DENY
                                                                             : SQLITE_OK;
}

/* Also where no statement may have parameters; but one that the host hides is ours from then on. */
static void load_keeps_the_functions_of_the_host(void **state) {
  char denied[] = "median";
  (void)state;
  for (int hidden = 0; hidden < 2; hidden++) {
    sqlite3 *db = load_open();
    sqlite3_create_function(db, "bar", 2, SQLITE_UTF8, NULL, load_answer, NULL, NULL);
    sqlite3_create_function(db, "median", 1, SQLITE_UTF8, NULL, load_answer, NULL, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, 0);
    if (hidden) sqlite3_set_authorizer(db, load_authorize, denied);
    assert_int_equal(load_by_c(db, NULL), SQLITE_OK);
    sqlite3_set_authorizer(db, NULL, NULL);
    assert_int_equal(asked_integer(db, "SELECT median(1)"), hidden ? 1 : 42);
    assert_int_equal(asked_integer(db, "SELECT bar(1, 2)"), 42);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
  }
}

/* An authorizer that keeps people from another server keeps not the load from what is there. */
static void load_again_forgets_no_address(void **state) {
  char denied[] = "mlflow_connect";
  (void)state;
  sqlite3 *db = load_open();
  assert_int_equal(load_by_c(db, NULL), SQLITE_OK);
  asked_integer(db, "SELECT mlflow_connect('http://127.0.0.1:9')");
  sqlite3_set_authorizer(db, load_authorize, denied);
  assert_int_equal(load_by_c(db, NULL), SQLITE_OK);
  assert_int_equal(asked_integer(db, "SELECT value = 'http://127.0.0.1:9' FROM mlflow_settings "
                                     "WHERE name = 'MLFLOW_TRACKING_URI'"),
                   1);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const char *const load_tables[] = {
    "mlflow_traces",   "mlflow_spans",       "mlflow_assessments",
    "mlflow_metrics",  "mlflow_experiments", "mlflow_requests",
    "mlflow_settings", "mlflow_help",        "stratified_sample"};

/* What docs/agents.md lets SQL do: to read our tables. */
static int load_reads_alone(void *unused, int action, const char *table, const char *column,
                            const char *database, const char *view) {
  (void)unused, (void)column, (void)database, (void)view;
  bool ours = action == SQLITE_READ &&
              (strncmp(table, "mlflow_", 7) == 0 || strcmp(table, "stratified_sample") == 0);
  bool harmless =
      action == SQLITE_SELECT || action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE;
  return ours || harmless ? SQLITE_OK : SQLITE_DENY;
}

/* Hides the columns of a table that is declared. */
static int load_hides_columns(void *unused, int action, const char *table, const char *column,
                              const char *database, const char *view) {
  (void)unused, (void)column, (void)database, (void)view;
  return action == SQLITE_READ && strcmp(table, "x") == 0 ? SQLITE_IGNORE : SQLITE_OK;
}

/* Why a table cannot be read; an empty text if it can. */
static const char *load_refusal(sqlite3 *db, const char *table) {
  char sql[64];
  snprintf(sql, sizeof(sql), "SELECT 1 FROM %s LIMIT 0", table);
  return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? "" : sqlite3_errmsg(db);
}

/* How much of it SQLite asks an authorizer depends on its version, and on the table. */
static void load_says_what_keeps_a_table_from_being_declared(void **state) {
  int (*const authorizers[])(void *, int, const char *, const char *, const char *,
                             const char *) = {load_reads_alone, load_hides_columns};
  int refused = 0;
  (void)state;
  for (size_t i = 0; i < sizeof(load_tables) / sizeof(*load_tables); i++) {
    const char *table = load_tables[i];
    char start[128];
    snprintf(start, sizeof(start), "%s: SQLite cannot declare the table: ", table);
    for (size_t j = 0; j < 2; j++) {
      sqlite3 *db = load_open();
      assert_int_equal(load_by_c(db, NULL), SQLITE_OK);
      sqlite3_set_authorizer(db, authorizers[j], NULL);
      const char *why = load_refusal(db, table);
      refused += *why != 0;
      if (*why && (strncmp(why, start, strlen(start)) != 0 ||
                   !strstr(why, "; an authorizer does not let SQLite declare the table: read from "
                                "it once before the authorizer is set")))
        assert_string_equal(why, start);
      sqlite3_set_authorizer(db, NULL, NULL);
      assert_string_equal(load_refusal(db, table), "");
      sqlite3_set_authorizer(db, authorizers[j], NULL);
      assert_string_equal(load_refusal(db, table), ""); /* read from once */
      assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
    sqlite3 *db = load_open();
    assert_int_equal(load_by_c(db, NULL), SQLITE_OK);
    asked_integer(db, "SELECT count(*) FROM sqlite_master"); /* SQLite has read its schema */
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 64);
    strcat(start, "string or blob too big");
    assert_string_equal(load_refusal(db, table), start);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
  }
  assert_true(refused > 0);
}

static int load_others;

static int load_other(sqlite3 *db, char **error_text, const sqlite3_api_routines *api) {
  (void)db;
  (void)error_text;
  (void)api;
  load_others++;
  return SQLITE_OK;
}

/* A host that gives it to each of its connections gives them others, too. */
static void load_lets_other_extensions_load(void **state) {
  sqlite3 *db;
  void *library = dlopen(MLF_TEST_EXTENSION, RTLD_NOW);
  (void)state;
  assert_non_null(library);
  void (*init)(void);
  *(void **)&init = dlsym(library, "sqlite3_mlflow_init"); /* as POSIX writes it */
  assert_int_equal(sqlite3_auto_extension(init), SQLITE_OK);
  assert_int_equal(sqlite3_auto_extension((void (*)(void))load_other), SQLITE_OK);
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  sqlite3_reset_auto_extension();
  load_call_all(db, true);
  assert_int_equal(load_others, 1);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  dlclose(library);
}

static int load_clear_environment(void **state) {
  (void)state;
  unsetenv("MLFLOW_TRACKING_URI");
  setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0", 1);
  setenv("HOME", "/nonexistent", 1);
  return 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(load_fails_and_what_stays_can_be_called),
      cmocka_unit_test(load_goes_on_after_a_failure),
      cmocka_unit_test(load_goes_on_inside_a_statement),
      cmocka_unit_test(load_keeps_the_functions_of_the_host),
      cmocka_unit_test(load_again_forgets_no_address),
      cmocka_unit_test(load_says_what_keeps_a_table_from_being_declared),
      cmocka_unit_test(load_lets_other_extensions_load),
  };
  return cmocka_run_group_tests(tests, load_clear_environment, NULL);
}
