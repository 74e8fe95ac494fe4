/* test_survey.c: what tables/survey.h reads out of SQLite's programs. */
#include "tables/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"
#include "tables/connection.h"
#include "tables/trace_table.h"

static struct {
  sqlite3 *db;
  mlf_connection *connection;
} world;

static void run(const char *sql) {
  char *text = NULL;
  if (sqlite3_exec(world.db, sql, NULL, NULL, &text) != SQLITE_OK) fail_msg("%s: %s", sql, text);
}

static int open_world(void **state) {
  (void)state;
  assert_int_equal(sqlite3_open(":memory:", &world.db), SQLITE_OK);
  mlf_registry registry = {.db = world.db};
  assert_int_equal(mlf_connection_new(&registry, &world.connection), SQLITE_OK);
  const mlf_trace_rows *const rows[] = {&mlf_trace_rows_traces, &mlf_trace_rows_spans,
                                        &mlf_trace_rows_assessments};
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(mlf_trace_table_register(world.db, world.connection, rows[i]), SQLITE_OK);
  run("CREATE TABLE l(id, name); CREATE INDEX l_id ON l(id); CREATE TABLE w(a, b UNIQUE, PRIMARY "
      "KEY(a, b)) WITHOUT ROWID;"
      "CREATE VIRTUAL TABLE two USING mlflow_traces(experiments = 'first, second')");
  return 0;
}

static int close_world(void **state) {
  (void)state;
  mlf_connection_release(world.connection);
  return sqlite3_close(world.db);
}

/* The tables that are connected: the one that is added last stands before all others. */
static const mlf_surveyed *tables(void) {
  static mlf_surveyed probe;
  mlf_connection_add_table(world.connection, &probe);
  mlf_connection_remove_table(world.connection, &probe);
  return probe.next;
}

typedef struct survey_case {
  const char *sql;
  const char *shown;
} survey_case;

/* Surveys a statement, with 'a' for each parameter: "once" or "repeats"; a "compares" each for an experiment and for another
** argument; and the experiments in quotes. Of the plan that the first VFilter has. */
static int survey(const char *sql, const char *plan, char *shown, size_t size) {
  sqlite3_stmt *statement;
  mlf_survey *found;
  int rc = sqlite3_prepare_v2(world.db, sql, -1, &statement, NULL);
  if (rc != SQLITE_OK) return rc;
  for (int i = sqlite3_bind_parameter_count(statement); rc == SQLITE_OK && i > 0; i--)
    rc = sqlite3_bind_text(statement, i, "a", -1, SQLITE_STATIC);
  if (rc == SQLITE_OK) rc = mlf_survey_new(statement, tables(), &found);
  sqlite3_finalize(statement);
  if (rc != SQLITE_OK || !found) {
    snprintf(shown, size, "nothing");
    return rc;
  }
  size_t length =
      (size_t)snprintf(shown, size, "%s", mlf_survey_repeats(found) ? "repeats" : "once");
  for (const mlf_surveyed *each = tables(); each; each = each->next) {
    for (int other = 0; other < 2; other++) {
      bool compared = mlf_survey_compares(found, each->table, plan, !other);
      if (compared)
        length += (size_t)snprintf(shown + length, size - length, other ? " other" : " experiment");
      /* A plan that is not seen may be any scan's. */
      if (compared) assert_true(mlf_survey_compares(found, each->table, "no such plan", !other));
    }
    assert_false(mlf_survey_compares(found, NULL, plan, true));
  }
  const char *experiment;
  bool by_id;
  for (int i = 0; (experiment = mlf_survey_experiment(found, i, &by_id)); i++)
    length +=
        (size_t)snprintf(shown + length, size - length, " %s'%s'", by_id ? "#" : "", experiment);
  mlf_survey_free(found);
  return SQLITE_OK;
}

static void check(const survey_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char shown[512];
    assert_int_equal(survey(cases[i].sql, "(all)", shown, sizeof(shown)), SQLITE_OK);
    if (strcmp(shown, cases[i].shown) != 0) fail_msg("%s: %s", cases[i].sql, shown);
  }
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(cases[0]))

static void it_knows_what_is_asked_for_twice(void **state) {
  static const survey_case cases[] = {
      {"SELECT 1", "once"},
      {"SELECT * FROM l AS a, l AS b", "once"},
      {"SELECT * FROM mlflow_traces", "once"},
      {"SELECT * FROM mlflow_traces ORDER BY name", "once"},
      {"SELECT count(*) FROM mlflow_traces GROUP BY name ORDER BY 1", "once"},
      {"SELECT (SELECT count(*) FROM mlflow_traces) FROM l", "repeats"},
      {"SELECT (SELECT count(*) FROM mlflow_traces WHERE name = l.name) FROM l", "repeats"},
      {"SELECT * FROM mlflow_traces WHERE name IN (SELECT name FROM l)", "repeats"},
      {"SELECT * FROM l JOIN mlflow_traces ON trace_id = l.id", "once"},
      {"SELECT * FROM mlflow_traces JOIN l ON trace_id = l.id", "once"},
      {"SELECT * FROM l CROSS JOIN mlflow_traces", "repeats"},
      {"SELECT * FROM mlflow_traces UNION ALL SELECT * FROM mlflow_traces", "repeats"},
      {"SELECT * FROM mlflow_traces WHERE trace_id IN (SELECT trace_id FROM mlflow_spans)",
       "repeats"},
      {"SELECT * FROM mlflow_traces WHERE trace_id IN ('a', 'b')", "once"},
      {"SELECT * FROM mlflow_traces WHERE experiment_id = 1 OR name = 'a'",
       "repeats experiment #'1' ''"},
      {"SELECT * FROM mlflow_traces LIMIT 1", "once"},
      {"INSERT INTO l SELECT trace_id, name FROM mlflow_traces", "once"},
  };
  (void)state;
  CHECK(cases);
}

static void it_knows_which_experiments_are_asked_for(void **state) {
  static const survey_case cases[] = {
      {"SELECT * FROM mlflow_traces WHERE experiment = 'a'", "once 'a'"},
      {"SELECT * FROM mlflow_traces WHERE experiment = ''", "once ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment_id = 12", "once #'12'"},
      {"SELECT * FROM mlflow_traces WHERE experiment_id = '12'", "once #'12'"},
      {"SELECT * FROM mlflow_traces WHERE experiment_id = 1.5", "once #''"},
      {"SELECT * FROM mlflow_traces WHERE experiment = 'a' || 'b'", "once ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment = (SELECT 'a')", "once 'a'"},
      {"SELECT * FROM mlflow_traces WHERE experiment = ?", "once 'a'"},
      {"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id) WHERE "
       "t.experiment = ? AND s.experiment = 'b'",
       "repeats 'a' 'b'"},
      {"SELECT * FROM mlflow_traces WHERE experiment IN ('a', 'b')", "once ''"},
      {"SELECT * FROM mlflow_traces WHERE status = 'OK' AND experiment = 'a' AND name = 'b'",
       "once 'a'"},
      {"SELECT * FROM mlflow_traces WHERE name IS NULL AND experiment = 'a'", "once 'a'"},
      {"SELECT * FROM mlflow_traces WHERE timestamp_ms > 5 AND experiment = 'a' LIMIT 3",
       "once 'a'"},
      {"SELECT * FROM two", "once 'first' 'second'"},
      {"SELECT * FROM two WHERE experiment = 'a'", "once 'first' 'second'"},
      {"SELECT * FROM two, mlflow_traces AS t WHERE t.experiment = 'a'",
       "repeats 'a' 'first' 'second'"},
      {"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id) WHERE "
       "t.experiment = 'a' AND s.experiment = 'b'",
       "repeats 'a' 'b'"},
      {"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id, experiment) WHERE "
       "t.experiment = 'a'",
       "repeats 'a' 'a'"},
      {"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id, experiment)",
       "repeats"},
      {"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s ON s.experiment_id = "
       "t.experiment_id AND s.trace_id = t.trace_id",
       "repeats"},
      {"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s ON s.experiment = t.name",
       "repeats experiment ''"},
      {"WITH a AS (SELECT * FROM mlflow_traces WHERE experiment = 'a'), b AS (SELECT * FROM "
       "mlflow_traces WHERE experiment = 'b') SELECT * FROM a UNION ALL SELECT * FROM b",
       "repeats 'a' 'b'"},
      {"SELECT * FROM mlflow_traces WHERE +experiment = 'a'", "once experiment ''"},
  };
  (void)state;
  CHECK(cases);
}

static void it_knows_what_is_compared_unseen(void **state) {
  static const survey_case cases[] = {
      {"SELECT experiment, filter, in_run FROM mlflow_traces", "once"},
      {"SELECT * FROM mlflow_traces WHERE +experiment <> 'a'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment < 'a'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment <= 'a'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment > 'a'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment >= 'a'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE 'a' = +experiment", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment LIKE 'a%'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment GLOB 'a*'", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment NOT LIKE 'a%' ESCAPE '!'",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE experiment = 'a' COLLATE NOCASE", "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE filter LIKE 'a%'", "once other"},
      {"SELECT * FROM mlflow_traces WHERE +filter = 'a'", "once other"},
      {"SELECT * FROM mlflow_traces WHERE +in_run = 'a'", "once other"},
      {"SELECT * FROM mlflow_traces WHERE +in_run = 'a' AND +experiment = 'b'",
       "once experiment other ''"},
      {"SELECT upper(experiment), experiment || 'a', length(filter) FROM mlflow_traces", "once"},
      {"SELECT name = 'a', status LIKE 'a%' FROM mlflow_traces", "once"},
      {"SELECT t.trace_id FROM mlflow_traces AS t, mlflow_spans AS s WHERE +t.experiment = "
       "+s.experiment",
       "repeats"},
      {"SELECT t.trace_id FROM mlflow_traces AS t, mlflow_spans AS s WHERE +t.experiment = +s.name",
       "repeats experiment ''"},
      {"SELECT experiment = 'a' FROM mlflow_traces", "once experiment ''"},
      {"SELECT experiment IN ('a', 'b') FROM mlflow_traces", "once experiment ''"},
      {"SELECT CASE experiment WHEN 'a' THEN 1 END FROM mlflow_traces", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE nullif(experiment, 'a') IS NULL", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE nullif(in_run, 'a') IS NOT NULL", "once other"},
      {"SELECT iif(nullif(experiment, 'a') IS NULL, 1, 2) FROM mlflow_traces",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE '{\"a\":1}' ->> experiment IS NOT NULL",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE date(replace(experiment, 'a', '2026-01-01')) NOT NULL",
       "once experiment ''"},
      {"SELECT coalesce(experiment, 'a') FROM mlflow_traces", "once"},
      {"SELECT coalesce(nullif(experiment, ''), 'none') FROM mlflow_traces", "once"},
      {"SELECT coalesce(nullif(experiment, ''), nullif(in_run, ''), name) FROM mlflow_traces",
       "once"},
      {"SELECT nullif(in_run, ''), count(*) FROM mlflow_traces GROUP BY 1", "once"},
      {"SELECT * FROM mlflow_traces ORDER BY experiment", "once"},
      {"SELECT count(*) FROM mlflow_traces GROUP BY experiment", "once"},
      {"SELECT max(experiment), min(filter) FROM mlflow_traces", "once"},
      {"SELECT max(experiment) = 'a' FROM mlflow_traces", "once experiment ''"},
      {"SELECT name FROM mlflow_traces GROUP BY name HAVING max(filter) = 'a'", "once other"},
      {"SELECT name FROM mlflow_traces GROUP BY name HAVING count(experiment) > 2", "once"},
      {"SELECT * FROM (SELECT group_concat(in_run) AS r FROM mlflow_traces GROUP BY name) WHERE r "
       "= 'a'",
       "once other"},
      {"SELECT count(*) FROM (SELECT filter AS f, row_number() OVER () AS n FROM mlflow_traces) "
       "WHERE f = 'a'",
       "once other"},
      {"SELECT * FROM (SELECT experiment AS e, row_number() OVER (PARTITION BY name ORDER BY "
       "status) "
       "FROM mlflow_traces) WHERE e = 'a'",
       "once experiment ''"},
      {"SELECT * FROM (SELECT lag(in_run) OVER (ORDER BY timestamp_ms) AS r FROM mlflow_traces) "
       "WHERE r = 'a'",
       "once other"},
      {"SELECT * FROM (SELECT max(experiment) OVER (PARTITION BY name) AS e FROM mlflow_traces) "
       "WHERE e = 'a'",
       "once experiment ''"},
      {"SELECT experiment, row_number() OVER (PARTITION BY experiment) FROM mlflow_traces", "once"},
      {"SELECT 1 FROM mlflow_traces WHERE in_run = coalesce(?1, in_run)", "once other"},
      {"SELECT 1 FROM mlflow_traces WHERE coalesce('a', filter) = filter", "once other"},
      {"SELECT 1 FROM mlflow_traces WHERE filter IS ifnull('a', filter)", "once other"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment = coalesce(nullif(?1, ''), name, experiment)",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment IN (coalesce(?1, experiment))",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment = coalesce(experiment, experiment)", "once"},
      {"SELECT 1 FROM mlflow_traces WHERE ?1 IS NULL OR in_run = ?1", "once other"},
      {"SELECT 1 FROM mlflow_traces WHERE ?2 OR experiment <> ?1", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment IS NULL", "once"},
  };
  (void)state;
  CHECK(cases);
}

static int survey_once(void *context) {
  char shown[512];
  int rc = survey(context, "(all)", shown, sizeof(shown));
  if (rc == SQLITE_OK && oom.failures == 0) assert_string_equal(shown, "repeats experiment 'a' ''");
  return rc;
}

/* Without memory nothing is said, or that there is none. */
static void it_survives_without_memory(void **state) {
  (void)state;
  oom_loop(survey_once, (char[]){"SELECT * FROM mlflow_traces AS t JOIN mlflow_spans AS s USING "
                                 "(trace_id) WHERE s.experiment = ? AND +t.experiment LIKE 'b'"});
}

/* A statement that cannot be explained tells nothing. */
static void one_that_sqlite_does_not_show_says_nothing(void **state) {
  char shown[512];
  (void)state;
  assert_int_equal(survey("EXPLAIN SELECT 1", "(all)", shown, sizeof(shown)), SQLITE_OK);
  assert_string_equal(shown, "nothing");
  mlf_survey_free(NULL);
}

/* What the plan tells needs no other mention, whatever SQLite does to check it. */
static void it_leaves_alone_what_the_plan_tells(void **state) {
  static const char *const cases[][3] = {
      {"SELECT * FROM mlflow_traces WHERE experiment = 'a'", "experiment = ?", "once 'a'"},
      {"SELECT * FROM mlflow_traces WHERE experiment = 'a' AND +experiment = 'b'", "experiment = ?",
       "once 'a'"},
      {"SELECT * FROM mlflow_traces WHERE filter = 'a'", "filter = ?", "once"},
      {"SELECT * FROM mlflow_traces WHERE filter = 'a' AND +in_run = 'b'", "filter = ?",
       "once other"},
      {"SELECT * FROM mlflow_traces WHERE experiment = 'a' AND in_run LIKE 'b'", "experiment = ?",
       "once other 'a'"},
      {"SELECT * FROM mlflow_traces WHERE filter = 'a' AND experiment LIKE 'b'", "filter = ?",
       "once experiment ''"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char shown[512];
    assert_int_equal(survey(cases[i][0], cases[i][1], shown, sizeof(shown)), SQLITE_OK);
    assert_string_equal(shown, cases[i][2]);
  }
}

/* SQLite may turn a comparison into a search in an index, a list or a table of its own. */
static void it_knows_what_is_searched_for(void **state) {
  static const survey_case cases[] = {
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN l ON t.experiment = l.name",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN l ON t.experiment = l.id",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN l ON t.name = l.id AND t.status = l.name",
       "once"},
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN l ON l.id > t.experiment",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN l ON l.id <= t.experiment",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN w ON t.name = w.a AND t.experiment = w.b",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t CROSS JOIN w ON t.name = w.b AND t.experiment = w.a",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t WHERE +experiment IN (SELECT name FROM l)",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t WHERE +experiment NOT IN (SELECT name FROM l)",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t WHERE +experiment IN (SELECT id FROM l)",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t WHERE +experiment IN ('a', 'b', 'c', 'd')",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t WHERE +experiment IN (?, ?, ?, ?)", "once experiment ''"},
      {"SELECT * FROM mlflow_traces AS t WHERE +name IN ('a', 'b', 'c', 'd')", "once"},
      {"SELECT * FROM mlflow_traces WHERE EXISTS (SELECT 1 FROM l WHERE l.name = experiment)",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE +in_run IN (SELECT name FROM l)", "once other"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment NOT NULL AND +experiment IN ('a', 'b', 'c')",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE (+name, +experiment) IN (SELECT id, name FROM l)",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE (+name, +experiment) IN (SELECT experiment, name FROM "
       "mlflow_spans)",
       "repeats experiment experiment '' ''"},
      {"SELECT * FROM mlflow_traces WHERE +experiment IN (SELECT value FROM json_each('[]'))",
       "once experiment ''"},
      {"SELECT * FROM mlflow_traces WHERE +experiment IN (SELECT name FROM mlflow_spans)",
       "repeats experiment ''"},
      /* The other way round: it is in the list or the index. */
      {"SELECT * FROM l WHERE name IN (SELECT experiment FROM mlflow_traces)",
       "repeats experiment ''"},
      {"SELECT * FROM l WHERE name NOT IN (SELECT experiment FROM mlflow_traces)",
       "repeats experiment ''"},
      {"SELECT 'a' IN (SELECT filter FROM mlflow_traces)", "once other"},
      {"SELECT * FROM l LEFT JOIN (SELECT experiment AS e, count(*) FROM mlflow_traces GROUP BY 1) "
       "ON e = l.name",
       "once experiment ''"},
      {"SELECT name FROM l EXCEPT SELECT experiment FROM mlflow_traces", "once experiment ''"},
      {"SELECT experiment FROM mlflow_traces EXCEPT SELECT name FROM l", "once experiment ''"},
      {"SELECT name FROM l INTERSECT SELECT experiment FROM mlflow_traces", "once experiment ''"},
      {"SELECT experiment FROM mlflow_traces INTERSECT SELECT name FROM l", "once experiment ''"},
      {"SELECT 1, in_run FROM mlflow_traces INTERSECT SELECT id, name FROM l", "once other"},
      {"SELECT 1, name FROM mlflow_traces INTERSECT SELECT id, name FROM l", "once"},
      {"SELECT experiment FROM mlflow_traces INTERSECT SELECT experiment FROM mlflow_spans",
       "repeats"},
      /* Its own */
      {"SELECT 1 FROM mlflow_traces WHERE (+name, +experiment) IN (SELECT name, experiment FROM "
       "mlflow_spans)",
       "repeats"},
      {"SELECT DISTINCT experiment FROM mlflow_traces", "once"},
      {"SELECT count(DISTINCT experiment) FROM mlflow_traces", "once"},
      {"SELECT experiment FROM mlflow_traces UNION SELECT experiment FROM mlflow_spans", "repeats"},
      {"SELECT experiment FROM mlflow_traces EXCEPT SELECT experiment FROM mlflow_spans",
       "repeats"},
      {"SELECT * FROM mlflow_traces WHERE +experiment IN (SELECT experiment FROM mlflow_spans)",
       "repeats"},
      {"SELECT DISTINCT name, experiment FROM mlflow_traces", "once"},
      {"WITH s AS MATERIALIZED (SELECT experiment, count(*) AS n FROM mlflow_spans GROUP BY 1) "
       "SELECT * FROM mlflow_traces AS t CROSS JOIN s ON t.experiment = s.experiment",
       "repeats"},
      {"SELECT experiment, count(*) FROM mlflow_traces GROUP BY 1 HAVING count(*) > 2", "once"},
      {"INSERT INTO w SELECT trace_id, experiment FROM mlflow_traces", "once"},
  };
  (void)state;
  CHECK(cases);
}

/* By each way to a register, through co-routines and recursion, and into another table. */
static void it_follows_what_is_handed_on(void **state) {
  static const survey_case cases[] = {
      {"SELECT 1 FROM mlflow_traces WHERE experiment = CASE WHEN ? THEN 'a' ELSE experiment END",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment = iif(?, experiment, 'a')",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE in_run IS CASE WHEN name THEN in_run END", "once"},
      {"SELECT 1 FROM (SELECT experiment AS e FROM mlflow_traces GROUP BY trace_id) WHERE e = "
       "coalesce('a', e)",
       "once experiment ''"},
      {"SELECT 1 FROM (SELECT experiment AS e FROM mlflow_traces LIMIT -1) WHERE e = "
       "coalesce(nullif(?, ''), e)",
       "once experiment ''"},
      {"SELECT 1 FROM (SELECT experiment AS e FROM mlflow_traces LIMIT -1) WHERE e = e", "once"},
      {"SELECT 1 FROM l LEFT JOIN (SELECT experiment AS e, row_number() OVER (ORDER BY name) FROM "
       "mlflow_traces) ON nullif(e, coalesce('a', e)) IS NULL",
       "once experiment ''"},
      {"WITH RECURSIVE c(t, e) AS (SELECT trace_id, experiment FROM mlflow_traces UNION ALL SELECT "
       "id, e FROM c JOIN l ON l.name = c.t) SELECT 1 FROM c WHERE e = 'a'",
       "once experiment ''"},
      {"WITH RECURSIVE c(t, e) AS (SELECT trace_id, experiment FROM mlflow_traces UNION ALL SELECT "
       "id, e FROM c JOIN l ON l.name = c.t) SELECT e FROM c",
       "once"},
      {"SELECT 1 FROM (SELECT experiment AS e FROM mlflow_traces UNION ALL SELECT name FROM l) "
       "WHERE e IN (SELECT name FROM l)",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces AS t, (SELECT name AS e FROM l UNION ALL SELECT experiment "
       "FROM "
       "mlflow_traces) AS u WHERE +t.experiment = u.e",
       "repeats experiment ''"},
      {"SELECT e FROM (SELECT experiment AS e, name AS n FROM mlflow_traces UNION ALL SELECT name, "
       "id FROM l) WHERE n = 'a'",
       "once"},
      {"SELECT 1 FROM mlflow_traces AS t CROSS JOIN mlflow_spans AS s WHERE +t.experiment IN "
       "(SELECT "
       "experiment FROM mlflow_traces UNION SELECT name FROM l)",
       "repeats experiment ''"},
      {"SELECT 1 FROM mlflow_traces, json_each(json_array(experiment)) AS j WHERE j.value = 'a'",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE (NOT instr(experiment, 'a')) = 0", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE (instr(experiment, 'a') IS TRUE) = 1",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE ~experiment_id = 1", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE experiment_id >> 1 = 1", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces AS t CROSS JOIN l ON l.rowid = t.experiment_id",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE coalesce(experiment, name) = 'a'", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE coalesce(experiment, upper(name)) = 'a'",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE coalesce(name, experiment) = 'a'", "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE CASE WHEN status = 'OK' THEN experiment ELSE name END = "
       "'a'",
       "once experiment ''"},
      {"SELECT 1 FROM mlflow_traces WHERE iif(status = 'OK', upper(experiment), name || status) = "
       "'a'",
       "once experiment ''"},
      {"SELECT 1 FROM (SELECT experiment AS e, name AS n FROM mlflow_traces LIMIT -1) WHERE "
       "coalesce(e, n) = 'a'",
       "once experiment ''"},
      {"SELECT experiment, name FROM mlflow_traces WHERE name > 'a' UNION ALL SELECT name, status "
       "FROM mlflow_traces WHERE status || name > 'b'",
       "repeats"},
      {"SELECT DISTINCT upper(experiment) FROM mlflow_traces", "once"},
      {"SELECT count(*) FROM mlflow_traces GROUP BY upper(experiment), name", "once"},
      {"SELECT count(*) FROM mlflow_traces GROUP BY name, upper(experiment)", "once"},
      {"SELECT upper(experiment) FROM mlflow_traces UNION SELECT name FROM l", "once"},
      {"SELECT upper(experiment) FROM mlflow_traces EXCEPT SELECT name FROM l",
       "once experiment ''"},
      {"SELECT experiment FROM mlflow_traces WHERE name || 'a' = status || 'b'", "once"},
      {"SELECT experiment FROM mlflow_traces, json_each('[1]') AS j WHERE j.value = 'a'", "once"},
      {"SELECT experiment, max(name) FROM mlflow_traces GROUP BY 1 HAVING max(name) = 'a'", "once"},
      {"SELECT 1 FROM mlflow_traces AS t, mlflow_spans AS s WHERE +s.name = 'a' || t.name AND "
       "+t.experiment || 'b' IS NOT NULL AND +t.experiment = +s.experiment",
       "repeats experiment ''"},
      {"SELECT 1 FROM mlflow_traces AS t, mlflow_spans AS s WHERE +s.name > 'a' AND +t.name = "
       "+s.name AND +t.experiment = +s.experiment AND +s.experiment = +t.experiment",
       "repeats"},
  };
  (void)state;
  CHECK(cases);
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_knows_what_is_asked_for_twice),
      cmocka_unit_test(it_knows_which_experiments_are_asked_for),
      cmocka_unit_test(it_knows_what_is_compared_unseen),
      cmocka_unit_test(it_leaves_alone_what_the_plan_tells),
      cmocka_unit_test(it_knows_what_is_searched_for),
      cmocka_unit_test(it_follows_what_is_handed_on),
      cmocka_unit_test(it_survives_without_memory),
      cmocka_unit_test(one_that_sqlite_does_not_show_says_nothing),
  };
  return cmocka_run_group_tests(tests, open_world, close_world);
}
