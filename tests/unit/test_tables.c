/* test_tables.c: whole statements over the tables, in this process: against a scripted server, and
** while memory runs out at every allocation there is. */
#include "tables/tables.h"

#include <stdio.h>

#include "functions/functions.h"
#include "hostile.h"
#include "oom.h"

static hostile server;

#define TABLES_TRACE(id, time, more)                                                               \
  "{\"trace_id\":\"" id "\",\"trace_location\":{\"type\":\"MLFLOW_EXPERIMENT\","                   \
  "\"mlflow_experiment\":{\"experiment_id\":\"7\"}},\"request_time\":\"" time "\"" more "}"

static const char tables_traces[] = "{\"traces\":[" TABLES_TRACE(
    "tr-2", "2026-11-23T10:00:02.000Z",
    ",\"execution_duration\":\"1.5s\",\"state\":\"OK\",\"tags\":{\"mlflow.traceName\":\"b\","
    "\"environment\":\"prod\",\"mlflow.trace.spansLocation\":\"TRACKING_STORE\"},"
    "\"trace_metadata\":{\"mlflow.trace.tokenUsage\":"
    "\"{\\\"total_tokens\\\": 9}\"},\"assessments\":[{\"assessment_name\":\"good\","
    "\"feedback\":{\"value\":true}}]") "," TABLES_TRACE("tr-1", "2026-11-23T10:00:01.000Z",
                                                        ",\"state\":\"ERROR\"") "]}";

/* The spans of tr-2, from the server's tables; those of tr-1 are a file. */
static const char tables_batch[] =
    "{\"traces\":[{\"trace_info\":{\"trace_id\":\"tr-2\"},\"spans\":["
    "{\"span_id\":\"AAAAAAAAAAE=\",\"name\":\"root\",\"start_time_unix_nano\":1000000,"
    "\"end_time_unix_nano\":9000000,\"status\":{\"code\":\"STATUS_CODE_OK\"},\"attributes\":["
    "{\"key\":\"mlflow.spanInputs\",\"value\":{\"kvlist_value\":{\"values\":[{\"key\":\"q\","
    "\"value\":{\"int_value\":\"7\"}}]}}},"
    "{\"key\":\"mlflow.chat.tokenUsage\",\"value\":{\"kvlist_value\":{\"values\":["
    "{\"key\":\"total_tokens\",\"value\":{\"int_value\":9}}]}}}],"
    "\"events\":[{\"name\":\"exception\",\"time_unix_nano\":5,\"attributes\":[{\"key\":"
    "\"exception.type\",\"value\":{\"string_value\":\"E\"}}]}],"
    "\"links\":[{\"trace_id\":\"AAAAAAAAAAAAAAAAAAAAAQ==\",\"span_id\":\"AAAAAAAAAAE=\"}]},"
    "{\"span_id\":\"AAAAAAAAAAI=\",\"parent_span_id\":\"AAAAAAAAAAE=\",\"name\":\"child\","
    "\"start_time_unix_nano\":2000000,\"end_time_unix_nano\":5000000,\"attributes\":[]}]}]}";
static const char tables_file[] =
    "{\"spans\":[{\"span_id\":\"00000000000000aa\",\"name\":\"filed\","
    "\"start_time_unix_nano\":1,\"attributes\":{\"mlflow.spanInputs\":\"{\\\"a\\\": 1}\","
    "\"mlflow.spanType\":\"\\\"TOOL\\\"\",\"odd\":\"no json\"},"
    "\"events\":[{\"name\":\"e\",\"attributes\":{\"r\":NaN}}]}]}";

static const char tables_metrics[] =
    "{\"data_points\":[{\"metric_name\":\"assessment_value\",\"dimensions\":{\"time_bucket\":"
    "\"1970-01-02T00:00:00+00:00\",\"assessment_name\":\"good\"},\"values\":{\"AVG\":0.5,"
    "\"P99.9\":1.0}},{\"dimensions\":{\"time_bucket\":\"1970-01-03T00:00:00+00:00\","
    "\"assessment_name\":\"bad\"},\"values\":{\"AVG\":0.25}}]}";

static int tables_start_server(void **state) {
  (void)state;
  hostile_start(&server, NULL, NULL);
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /version ok body=3.17.2 type=text/plain");
  hostile_tell(&server, "route /get-by-name ok body='%s'",
               "{\"experiment\":{\"experiment_id\":\"7\",\"name\":\"agent\"}}");
  hostile_tell(&server, "route /experiments/search ok body='%s'",
               "{\"experiments\":[{\"experiment_id\":\"7\",\"name\":\"agent\",\"tags\":"
               "[{\"key\":\"c\",\"value\":\"d\"},{\"key\":\"a\",\"value\":\"b\"}]}]}");
  hostile_tell(&server, "route /traces/search ok body='%s'", tables_traces);
  hostile_tell(&server, "route /traces/metrics ok body='%s'", tables_metrics);
  hostile_tell(&server, "route /traces/batchGet ok body='%s'", tables_batch);
  hostile_tell(&server, "route /get-trace-artifact ok body='%s' type=application/octet-stream",
               tables_file);
  setenv("MLFLOW_TRACKING_URI", hostile_uri(&server), 1);
  setenv("MLFLOW_SQL_STREAMS", "1", 1);
  setenv("HOME", "/nonexistent", 1);
  return 0;
}

static int tables_stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

/* A statement, what its rows are as text, and the error it ends with. */
typedef struct tables_case {
  const char *before; /* a statement to run first; NULL for none */
  const char *sql;
  const char *rows;
  const char *error; /* part of the error's text; NULL if it succeeds */
} tables_case;

static int tables_append(void *context, int count, char **values, char **names) {
  char *rows = context;
  size_t length = strlen(rows);
  (void)names;
  for (int i = 0; i < count; i++) {
    length += (size_t)snprintf(rows + length, 4096 - length, "%s%s", values[i] ? values[i] : "NULL",
                               i + 1 < count ? "|" : ";");
  }
  return 0;
}

/* Runs a case on a database of its own. SQLITE_OK if all is as it should be, else SQLITE_NOMEM. */
static int tables_run(void *context) {
  const tables_case *it = context;
  char rows[4096] = "";
  sqlite3 *db = NULL;
  int rc = sqlite3_open(":memory:", &db);
  mlf_registry registry = {.db = db};
  if (rc == SQLITE_OK) rc = mlf_functions_register(&registry);
  if (rc == SQLITE_OK) rc = mlf_tables_register(&registry);
  sqlite3_free(registry.kept);
  if (rc == SQLITE_OK && it->before) rc = sqlite3_exec(db, it->before, NULL, NULL, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_exec(db, it->sql, tables_append, rows, NULL);
  if (rc == SQLITE_OK) {
    assert_null(it->error);
    assert_string_equal(rows, it->rows);
  } else if (rc != SQLITE_NOMEM && it->error) {
    if (oom.failures == 0) assert_contains(sqlite3_errmsg(db), it->error); /* SQLite may lose it */
    rc = SQLITE_OK;
  } else if (rc != SQLITE_NOMEM) {
    print_error("%s\n", sqlite3_errmsg(db));
  }
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  return rc;
}

static const tables_case tables_cases[] = {
    {NULL, "SELECT experiment_id, name, tags FROM mlflow_experiments",
     "7|agent|{\"a\":\"b\",\"c\":\"d\"};", NULL},
    {NULL,
     "SELECT kind, type, hidden, pushed FROM mlflow_help WHERE name IN ('tags.KEY', 'bar', "
     "'bucket', 'lifecycle_stage') AND coalesce(table_name, '') <> 'mlflow_spans'",
     "declared column|TEXT|0|=, !=, LIKE, GLOB, IS NOT NULL, IS;"
     "declared column|TEXT|0|=, !=, LIKE, GLOB, IS NOT NULL, IS;"
     "column|TEXT|1|=;column|TEXT|0|NULL;function|TEXT|NULL|NULL;",
     NULL},
    {NULL, "SELECT value FROM mlflow_settings WHERE name = 'MLFLOW_SQL_STREAMS'", "1;", NULL},
    {"CREATE VIRTUAL TABLE t USING mlflow_traces(experiment = 'agent', tags.environment, "
     "metadata.\"odd key\" AS odd, feedback.good)",
     "SELECT trace_id, name, status, timestamp_ms, end_time_ms, total_tokens, "
     "\"tags.environment\", "
     "odd, \"feedback.good\", experiment, request_time FROM t WHERE status IN ('OK', 'ERROR') AND "
     "\"tags.environment\" LIKE 'pr%' AND timestamp_ms > 5 ORDER BY timestamp_ms DESC LIMIT 5",
     "tr-2|b|OK|1795428002000|1795428003500|9|prod|NULL|1|agent|2026-11-23 10:00:02.000;", NULL},
    {NULL,
     "SELECT trace_id FROM mlflow_traces WHERE experiment IN ('agent', 'agent') AND trace_id IN "
     "('tr-1', 'tr-3', NULL) AND experiment_id = 7 AND filter = 'span.type = ''TOOL'''",
     "tr-1;", NULL},
    {NULL, "SELECT count(*), sum(status = 'OK') FROM mlflow_traces", "2|1;", NULL},
    {NULL, "SELECT trace_id, request, response FROM mlflow_traces",
     "tr-2|{\"q\":7}|NULL;tr-1|{\"a\":1}|NULL;", NULL},
    {NULL,
     "SELECT span_id, parent_span_id, name, span_type, status, start_time_ns, duration_ms, depth, "
     "child_count, self_time_ms, critical_path_ms, total_tokens, exception_type, events, links "
     "FROM mlflow_spans WHERE name IN ('root', 'child')",
     "0000000000000001|NULL|root|UNKNOWN|OK|1000000|8.0|0|1|5.0|5.0|9|E|"
     "[{\"name\":\"exception\",\"timestamp\":5,\"attributes\":{\"exception.type\":\"E\"}}]|"
     "[{\"trace_id\":\"tr-00000000000000000000000000000001\",\"span_id\":\"0000000000000001\","
     "\"attributes\":{}}];"
     "0000000000000002|0000000000000001|child|UNKNOWN|UNSET|2000000|3.0|1|0|3.0|3.0|NULL|NULL|[]|[]"
     ";",
     NULL},
    {NULL,
     "SELECT t.trace_id, s.name, s.span_type, s.attributes, s.events FROM mlflow_traces AS t JOIN "
     "mlflow_spans AS s USING (trace_id) WHERE s.depth = 0 AND s.end_time_ns IS NULL",
     "tr-1|filed|TOOL|{\"mlflow.spanInputs\":{\"a\":1},\"mlflow.spanType\":\"TOOL\","
     "\"odd\":\"no json\"}|[{\"name\":\"e\",\"timestamp\":0,\"attributes\":{\"r\":null}}];",
     NULL},
    {NULL,
     "SELECT trace_id, name, assessment_type, value, value_json, value_num, valid FROM "
     "mlflow_assessments",
     "tr-2|good|feedback|1|true|1|NULL;", NULL},
    {"PRAGMA encoding = 'UTF-16'", /* in which every text that is read takes memory */
     "SELECT rowid, bucket_ms, assessment_name, aggregation, value FROM mlflow_metrics WHERE view "
     "= "
     "'assessments' AND metric = 'assessment_value' AND aggregation IN ('avg', 'p99.90', NULL) AND "
     "dimensions = 'assessment_name' AND bucket = '1 day' AND from_ms = 0.5 AND until_ms = '1e12' "
     "AND filter = 'trace.status = ''OK'' AND trace.tag.a = \"b\"' AND experiment = 'agent'",
     "0|86400000|good|avg|0.5;1|86400000|good|p99.90|1.0;2|172800000|bad|avg|0.25;"
     "3|172800000|bad|p99.90|NULL;",
     NULL},
    {"CREATE VIRTUAL TABLE m USING mlflow_metrics(experiments = 'agent')",
     "SELECT count(value) FROM m WHERE view = 'traces' AND metric = 'trace_count' AND experiment = "
     "'7' UNION ALL SELECT value FROM m WHERE view = 'traces' AND metric = 'session_count'",
     "0;NULL;NULL;", NULL},
    {NULL, "SELECT value FROM mlflow_metrics WHERE view = 'traces' AND metric = 'name'", "",
     "mlflow_metrics: no metric is called 'name'"},
    {NULL, "CREATE VIRTUAL TABLE t USING mlflow_traces(colour = red)", "",
     "mlflow_traces: unknown argument \"colour = red\""},
    {NULL, "CREATE VIRTUAL TABLE t USING mlflow_metrics(foo)", "",
     "mlflow_metrics: cannot read the argument \"foo\"; the table takes experiment = '…' or "
     "experiments = '…, …' alone"},
    {NULL, "CREATE VIRTUAL TABLE t USING mlflow_metrics(tags.a, foo)", "",
     "mlflow_metrics: unknown argument \"tags.a\"; the table takes experiment = '…' or "
     "experiments = '…, …' alone"},
    {NULL, "CREATE VIRTUAL TABLE t USING mlflow_metrics(pushdown = on)", "",
     "mlflow_metrics: unknown argument \"pushdown = on\"; the table takes experiment = "},
    {NULL, "SELECT mlflow_connect('ftp://h')", "", "mlflow_connect: "},
    {"CREATE TEMP TABLE receipt AS SELECT count(name) FROM mlflow_traces",
     "SELECT method, endpoint, order_by, page_rows, status, rows, rows_kept FROM mlflow_requests "
     "WHERE endpoint LIKE '%traces%'",
     "POST|/api/3.0/mlflow/traces/search|timestamp_ms DESC|500|200|2|2;", NULL},
};

#define TABLES_CASES (sizeof(tables_cases) / sizeof(tables_cases[0]))

/* Statements that ask again and again. */
static const tables_case tables_long_cases[] = {
    {"CREATE TEMP TABLE l AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
     "20) SELECT 'tr-' || i AS id FROM n",
     "SELECT count(*), count(t.trace_id), count(t.request) FROM l LEFT JOIN mlflow_traces AS t ON "
     "t.trace_id = l.id",
     "20|2|2;", NULL},
    {"CREATE TEMP TABLE l AS SELECT 'tr-1' AS id UNION SELECT 'tr-2' UNION SELECT 'tr-3'",
     "SELECT l.id, t.status FROM l LEFT JOIN mlflow_traces AS t ON t.trace_id = l.id AND "
     "t.trace_id "
     "IN (SELECT id FROM l)",
     "tr-1|ERROR;tr-2|OK;tr-3|NULL;", NULL},
    {"CREATE TEMP TABLE l AS SELECT 1 AS i UNION SELECT 2 UNION SELECT 3 UNION SELECT 4",
     "SELECT i, group_concat(trace_id) FROM l CROSS JOIN mlflow_traces GROUP BY i",
     "1|tr-2,tr-1;2|tr-2,tr-1;3|tr-2,tr-1;4|tr-2,tr-1;", NULL},
};

#define TABLES_LONG_CASES (sizeof(tables_long_cases) / sizeof(tables_long_cases[0]))
/* They allocate so often that not every allocation has its turn to fail. */
#define TABLES_LONG_STRIDE 41

static void tables_answer(void **state) {
  (void)state;
  for (size_t i = 0; i < TABLES_CASES; i++) {
    tables_case it = tables_cases[i];
    print_message("%s\n", it.sql);
    assert_int_equal(tables_run(&it), SQLITE_OK);
  }
}

static void tables_answer_again_and_again(void **state) {
  (void)state;
  for (size_t i = 0; i < TABLES_LONG_CASES; i++) {
    tables_case it = tables_long_cases[i];
    print_message("%s\n", it.sql);
    assert_int_equal(tables_run(&it), SQLITE_OK);
  }
}

static void tables_survive_without_memory(void **state) {
  (void)state;
  for (size_t i = 0; i < TABLES_CASES; i++) {
    tables_case it = tables_cases[i];
    print_message("%s\n", it.sql);
    oom_loop(tables_run, &it);
  }
}

static void tables_survive_again_and_again(void **state) {
  (void)state;
  oom.stride = TABLES_LONG_STRIDE;
  for (size_t i = 0; i < TABLES_LONG_CASES; i++) {
    tables_case it = tables_long_cases[i];
    print_message("%s\n", it.sql);
    oom_loop(tables_run, &it);
  }
  oom.stride = 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_answer),
      cmocka_unit_test(tables_answer_again_and_again),
      cmocka_unit_test(tables_survive_without_memory),
      cmocka_unit_test(tables_survive_again_and_again),
  };
  return cmocka_run_group_tests(tests, tables_start_server, tables_stop_server);
}
