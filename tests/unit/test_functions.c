/* test_functions.c: the SQL glue of ext/functions under failing allocations. What the functions
** compute is tested by tests/sql/functions, in SQLite's shell and in its newest version. */
#include "functions/functions.h"

#include <string.h>

#include "oom.h"

#define ROWS "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 600) "

typedef struct functions_case {
  const char *sql;
  const char *result; /* the only column of the last row */
} functions_case;

/* Runs one statement on a connection of its own. */
static int functions_run(void *context) {
  const functions_case *test = context;
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_open(":memory:", &db);
  mlf_registry registry = {.db = db};
  if (rc == SQLITE_OK) rc = mlf_functions_register(&registry);
  sqlite3_free(registry.kept);
  if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db, test->sql, -1, &statement, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
    /* Converting the result to text may fail, too. */
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (rc == SQLITE_ROW && text) assert_string_equal(text, test->result);
    if (rc == SQLITE_ROW) rc = text ? SQLITE_OK : sqlite3_errcode(db);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return rc;
}

static void functions_without_memory_are_nomem(void **state) {
  (void)state;
  static const functions_case cases[] = {
      {ROWS "SELECT percentile(i, 25) FROM t", "150.75"},
      {ROWS "SELECT percentile_disc(i, 0.5) OVER (ORDER BY i ROWS 99 PRECEDING) FROM t "
            "ORDER BY i DESC",
       "550.0"},
      {ROWS "SELECT latency_bucket(i, '[100, 300.5]') FROM t",
       "{\"<100\":99,\"100-300.5\":201,\">=300.5\":300}"},
      {"SELECT latency_bucket(1) WHERE 0", "{\"fast\":0,\"medium\":0,\"slow\":0}"},
      {"SELECT latency_class(7, '{\"a\":5,\"b\":null}') || latency_class(7)", "bfast"},
      {"SELECT time_bucket('1 hour', 7200001, '+00:30')", "5400000"},
      {"SELECT round(wilson_low(1, 2) + wilson_high(1, 2), 9)", "1.0"},
      {ROWS "SELECT substr(agreement('a' || (i % 7), 'a' || (i % 5)), 2, 7) FROM t", "\"n\":600"},
      {ROWS "SELECT instr(agreement(i % 7, i % 7, 'linear'), '\"kappa\":1.0') FROM t", "26"},
      {ROWS "SELECT krippendorff_alpha('u' || (i % 300), 'v' || (i % 3)) FROM t", "1.0"},
      {ROWS "SELECT substr(differences(i % 2, 'v' || (i % 20)), 1, 26) FROM t",
       "{\"selected\":300,\"rest\":300"},
      {ROWS "SELECT length(sparkline(i)) FROM t", "600"},
      {"SELECT mask_message('order 7')", "order <n>"},
      {"SELECT bar(1, 2, 4)", "\xe2\x96\x88\xe2\x96\x88"},
      {ROWS "SELECT sum(weight) FROM stratified_sample((SELECT strata('k' || i, i % 3, 20) FROM t),"
            " 'proportional')",
       "600.0"},
      {ROWS "SELECT count(*) FROM stratified_sample((SELECT strata_merge(s) FROM "
            "(SELECT strata(i, 'all', 30, 1) AS s FROM t GROUP BY i % 4)))",
       "30"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    functions_case test = cases[i];
    oom_loop(functions_run, &test);
  }
}

/* An error that finds no memory for its text is SQLITE_NOMEM. */
static int functions_fail(void *context) {
  int rc = functions_run(context);
  return rc == SQLITE_ERROR ? SQLITE_OK : rc;
}

static void functions_errors_without_memory_are_nomem(void **state) {
  (void)state;
  static const functions_case cases[] = {
      {"SELECT percentile(1, 101)", ""},
      {"SELECT latency_bucket(1, '[')", ""},
      {"SELECT latency_class('x')", ""},
      {"SELECT agreement(1, 2, 'x')", ""},
      {"SELECT krippendorff_alpha(1, x'31')", ""},
      {"SELECT differences('x', 2)", ""},
      {"SELECT time_bucket('1 day', 1, '?')", ""},
      {"SELECT strata(1, 1, -1)", ""},
      {"SELECT strata_merge(x'4d')", ""},
      {"SELECT * FROM stratified_sample(x'4d')", ""},
      {"SELECT * FROM stratified_sample(NULL, 'x')", ""},
      {"SELECT * FROM stratified_sample", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    functions_case test = cases[i];
    assert_int_equal(functions_run(&test), SQLITE_ERROR);
    oom_loop(functions_fail, &test);
  }
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions_without_memory_are_nomem),
      cmocka_unit_test(functions_errors_without_memory_are_nomem),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
