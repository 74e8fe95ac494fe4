/* test_trace_source.c: tables/trace_source.h in whole statements against a scripted server: which
** rows come, and which searches are sent for them. */
#include "tables/trace_source.h"

#include "hostile.h"
#include "oom.h"
#include "searches.h"
#include "tables/connection.h"
#include "tables/trace_table.h"

#define NONE "ok body='{\"traces\":[]}'"

static hostile server;

/* fill(x): from now on nothing more fits into what the statement is given. Its value is 1. */
static void fill(sqlite3_context *context, int count, sqlite3_value **values) {
  mlf_statement *statement;
  mlf_error error = {0};
  (void)count;
  (void)values;
  assert_int_equal(mlf_connection_join(sqlite3_user_data(context), NULL, &statement), SQLITE_OK);
  assert_int_equal(mlf_statement_begin(statement, &error), SQLITE_OK);
  assert_int_equal(mlf_statement_keep(statement, &error), SQLITE_OK);
  mlf_given_take(statement->given, MLF_GIVEN_BYTES_MAX);
  size_t too_many = (size_t)MLF_GIVEN_BYTES_MAX + 1; /* of which no byte is read */
  assert_int_equal(mlf_given_put_spans(statement->given, "none", "", too_many, &error), SQLITE_OK);
  mlf_statement_leave(statement);
  sqlite3_result_int(context, 1);
}

static bool foreign; /* whether LIKE and GLOB are the host's own */

/* LIKE and GLOB of a host, for which everything fits. */
static void fits(sqlite3_context *context, int count, sqlite3_value **values) {
  (void)count;
  (void)values;
  sqlite3_result_int(context, 1);
}

typedef struct source_case {
  const char *searches; /* what the server answers to them */
  const char *before;   /* a statement to run first; NULL for none */
  const char *sql;
  const char *rows;
  const char *asked; /* as searches.h shows it */
} source_case;

static int append_row(void *context, int count, char **values, char **names) {
  char *rows = context;
  size_t length = strlen(rows);
  (void)names;
  for (int i = 0; i < count; i++)
    length += (size_t)snprintf(rows + length, 4096 - length, "%s%s", values[i] ? values[i] : "NULL",
                               i + 1 < count ? "|" : ";");
  return 0;
}

static void check(const source_case *it) {
  char rows[4096] = "";
  sqlite3 *db;
  long before = oom.outstanding;
  mlf_connection *connection;
  hostile_play(&server, "ok body='{}'");
  hostile_tell(&server, "route /version ok body=3.17.2 type=text/plain");
  hostile_tell(&server, "route /experiments/search ok body='%s'",
               "{\"experiments\":[{\"experiment_id\":\"7\",\"name\":\"agent\"}]}");
  hostile_tell(&server, "route /traces/search %s", it->searches);
  assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
  mlf_registry registry = {.db = db};
  assert_int_equal(mlf_connection_new(&registry, &connection), SQLITE_OK);
  assert_int_equal(mlf_trace_table_register(db, connection, &mlf_trace_rows_traces), SQLITE_OK);
  assert_int_equal(mlf_trace_table_register(db, connection, &mlf_trace_rows_assessments),
                   SQLITE_OK);
  assert_int_equal(
      sqlite3_create_function(db, "fill", 1, SQLITE_UTF8, connection, fill, NULL, NULL), SQLITE_OK);
  for (int i = 0; foreign && i < 2; i++) {
    const char *name = i ? "like" : "glob";
    assert_int_equal(sqlite3_create_function(db, name, 2, SQLITE_UTF8, NULL, fits, NULL, NULL),
                     SQLITE_OK);
  }
  if (it->before) assert_int_equal(sqlite3_exec(db, it->before, NULL, NULL, NULL), SQLITE_OK);
  if (sqlite3_exec(db, it->sql, append_row, rows, NULL) != SQLITE_OK)
    snprintf(rows, sizeof(rows), "%.40s", sqlite3_errmsg(db));
  const char *asked = searches_shown(mlf_client_log(mlf_connection_client(connection)), true);
  assert_string_equal(rows, it->rows);
  assert_string_equal(asked, it->asked);
  mlf_connection_release(connection);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
  assert_int_equal(oom.outstanding, before);
}

#define NUMBERS(count)                                                                             \
  "CREATE TEMP TABLE n AS WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r "         \
  "LIMIT " #count ") SELECT i, printf('t%03d', i) AS id, 's' || (i % 7) AS session FROM r"
#define COUNT "SELECT count(*) FROM mlflow_traces "

/* What only the server can tell is not taken from what was given for another question. */
static const source_case apart[] = {
    {"search 2 ; " NONE, NULL,
     "SELECT a.trace_id, (" COUNT "AS b WHERE b.trace_id = a.trace_id AND b.filter = 'x = 1') FROM "
     "mlflow_traces AS a",
     "t001|0;t000|0;", "100 ; 2 times 100 x = 1 AND request_id IN ('t001')"},
    {"search 2 ; " NONE, NULL,
     "SELECT a.trace_id, (" COUNT "AS b WHERE b.trace_id = a.trace_id AND b.in_run = 'r') FROM "
     "mlflow_traces AS a",
     "t001|0;t000|0;", "100 ; 2 times 100 run_id = 'r' AND request_id IN ('t001')"},
    {"search 2 ; " NONE, NULL,
     COUNT "WHERE filter = 'x = 1' AND trace_id IN (SELECT trace_id FROM mlflow_traces)", "0;",
     "100 ; 100 x = 1 AND request_id IN ('t000', 't001')"},
    {"search 2 ; " NONE, NULL,
     COUNT "WHERE in_run = 'r' AND trace_id IN (SELECT trace_id FROM mlflow_traces)", "0;",
     "100 ; 100 run_id = 'r' AND request_id IN ('t000', 't001')"},
    {"search 3 ; search 2", NULL,
     "SELECT (" COUNT "WHERE filter = 'x = 1'), (" COUNT "WHERE filter = 'x = 2')", "3|2;",
     "2 times 100 x = 1"},
    {"search 3 ; search 2", NULL,
     "SELECT (" COUNT "WHERE in_run = 'r'), (" COUNT "WHERE in_run = 'q')", "3|2;",
     "100 run_id = 'r'; 100 run_id = 'q'"},
    {"search 3 ; search 2", NULL,
     "SELECT (" COUNT "WHERE in_run = 'r'), (" COUNT "WHERE filter = 'r')", "3|2;",
     "100 run_id = 'r'; 100 r"},
    {"search 3", NULL,
     "SELECT (" COUNT "WHERE timestamp_ms >= 1795392000001), (" COUNT
     "WHERE timestamp_ms >= 1795392000002), (" COUNT "WHERE timestamp_ms < 1795392000001)",
     "2|1|1;", "2 times 100 timestamp_ms >= 1; 100 timestamp_ms <= 0"},
    {"search 9", NULL,
     "SELECT (" COUNT "WHERE trace_id IN ('t001', 't002')), (" COUNT
     "WHERE trace_id IN ('t003', 't004', 't005'))",
     "2|3;", "100 request_id IN ('t001', 't002'); 100 request_id IN ('t003', 't004', 't005')"},
};

#define JOIN                                                                                       \
  "SELECT count(*), count(trace_id), count(DISTINCT trace_id) FROM n LEFT JOIN mlflow_traces ON "
#define PAIRS                                                                                      \
  "SELECT count(*), count(DISTINCT a.trace_id || b.trace_id) FROM mlflow_traces AS a CROSS JOIN "  \
  "mlflow_traces AS b "
#define IDS                                                                                        \
  "SELECT group_concat(trace_id) FROM (SELECT trace_id FROM mlflow_traces ORDER BY timestamp_ms "

/* What was asked once is not asked again. */
static const source_case again[] = {
    {"search 3 ; " NONE, NULL,
     "SELECT (" COUNT "WHERE filter = 'x = 1'), (" COUNT "WHERE filter = 'x = 1')", "3|3;",
     "100 x = 1"},
    {"search 3 ; " NONE, NULL, "SELECT (" IDS "DESC)), (" IDS "LIMIT 2)), (" IDS "DESC LIMIT 2))",
     "t002,t001,t000|t000,t001|t002,t001;", "100 "},
    {"search 3 ; " NONE, NULL, "SELECT (" IDS "LIMIT 500)), (" IDS "DESC))",
     "t000,t001,t002|t002,t001,t000;", "500 "},
    {"search 9", NULL, "SELECT (" IDS "DESC LIMIT 2)), (" IDS "DESC LIMIT 3))",
     "t008,t007|t008,t007,t006;", "2 ; 3 "},
    {"search 9", NULL, "SELECT trace_id FROM mlflow_traces WHERE name LIKE 'a%' LIMIT 2", "",
     "100 name ILIKE 'a%'"},
    {"search 9", NULL,
     "SELECT group_concat(trace_id) FROM (SELECT trace_id FROM mlflow_traces LIMIT -1 OFFSET 6)",
     "t002,t001,t000;", "100 "},
    {"search 9", NULL,
     "SELECT group_concat(trace_id) FROM (SELECT trace_id FROM mlflow_traces LIMIT 2 OFFSET 3)",
     "t005,t004;", "5 "},
    {"search 9", NULL,
     "SELECT group_concat(trace_id) FROM (SELECT trace_id FROM mlflow_traces LIMIT 2 OFFSET -3)",
     "t008,t007;", "2 "},
    {"search 9", NULL,
     "SELECT group_concat(trace_id) FROM (SELECT trace_id FROM mlflow_traces LIMIT "
     "9223372036854775807 OFFSET 3)",
     "t005,t004,t003,t002,t001,t000;", "100 "},
    {"search 246", NUMBERS(4),
     "SELECT i, count(*), count(DISTINCT trace_id) FROM n CROSS JOIN mlflow_traces GROUP BY i",
     "0|246|246;1|246|246;2|246|246;3|246|246;", "100 ; 2 times 100 timestamp_ms <= 146"},
    {"search 146", NULL, PAIRS, "21316|21316;", "100 ; 100 timestamp_ms <= 46"},
    {"search 146", NULL,
     "SELECT count(*), min(a.trace_id = b.trace_id) FROM mlflow_traces AS a JOIN mlflow_traces AS "
     "b USING (trace_id)",
     "146|1;", "100 ; 100 timestamp_ms <= 46"},
    /* Two walks that go on in turns, of two questions. */
    {"search 246", NULL,
     COUNT "AS a WHERE EXISTS (SELECT 1 FROM mlflow_traces AS b WHERE b.status <> 'X' AND "
           "+b.timestamp_ms < a.timestamp_ms)",
     "245;",
     "100 ; 100 status != 'X'; 100 status != 'X' AND timestamp_ms <= 146; 100 timestamp_ms <= 146; "
     "100 status != 'X' AND timestamp_ms <= 47; 100 timestamp_ms <= 47"},
    {"search 46", NULL, COUNT "WHERE trace_id IN (SELECT trace_id FROM mlflow_traces)", "46;",
     "100 "},
    {"search 4", NULL,
     COUNT "WHERE trace_id IN (SELECT trace_id FROM mlflow_traces UNION SELECT 't999')", "4;",
     "100 ; 100 request_id IN ('t000', 't001', 't002', 't003', 't999')"},
    {"search 4", NULL,
     COUNT
     "WHERE timestamp_ms > 1795392000001 AND trace_id IN (SELECT trace_id FROM mlflow_traces)",
     "2;", "100 "},
};

/* A join asks for parts of a question, and walks the whole along. */
static const source_case parts[] = {
    {"search 46", NUMBERS(15), JOIN "trace_id = id", "15|15|15;",
     "15 times 100 request_id IN ('t000')"},
    {"search 46", NUMBERS(60), JOIN "trace_id = id", "60|46|46;",
     "16 times 100 request_id IN ('t000'); 100 "},
    {"search 0", NUMBERS(60), JOIN "trace_id = id", "60|0|0;",
     "16 times 100 request_id IN ('t000'); 100 "},
    {"search 1", NUMBERS(60), JOIN "trace_id = id", "60|1|1;",
     "16 times 100 request_id IN ('t000'); 100 "},
    {"search 100", NUMBERS(60), JOIN "trace_id = id", "60|60|60;",
     "16 times 100 request_id IN ('t000'); 100 "},
    {"search 115", NUMBERS(60), JOIN "trace_id = id", "60|60|60;",
     "16 times 100 request_id IN ('t000'); 100 ; 100 timestamp_ms <= 15"},
    {"search 300", NUMBERS(60), JOIN "trace_id = id", "60|60|60;",
     "16 times 100 request_id IN ('t000'); 100 ; 3 times 100 timestamp_ms <= 200"},
    {"search 3900", NUMBERS(60), JOIN "trace_id = id", "60|60|60;",
     "16 times 100 request_id IN ('t000'); 100 ; 32 times 100 timestamp_ms <= 3800; 100 request_id "
     "IN ('t016'); 2 times 100 timestamp_ms <= 632; 100 request_id IN ('t017'); 2 times 100 "
     "timestamp_ms <= 434; 100 request_id IN ('t018'); 2 times 100 timestamp_ms <= 236; 100 "
     "request_id IN ('t019'); 100 timestamp_ms <= 38"},
    {"search 9000", NUMBERS(17), JOIN "trace_id = id", "17|17|17;",
     "16 times 100 request_id IN ('t000'); 100 ; 32 times 100 timestamp_ms <= 8900; 100 request_id "
     "IN ('t016')"},
    {"search 900", NUMBERS(60), JOIN "trace_id = id AND timestamp_ms >= 1795392000000", "60|60|60;",
     "16 times 100 request_id IN ('t000') AND timestamp_ms >= 0; 100 timestamp_ms >= 0; 9 times "
     "100 "
     "timestamp_ms >= 0 AND timestamp_ms <= 800"},
    {"search 900", NUMBERS(60), JOIN "trace_id = id AND timestamp_ms < 1795392000500", "60|60|60;",
     "16 times 100 request_id IN ('t000') AND timestamp_ms <= 499; 6 times 100 timestamp_ms <= "
     "499"},
    {"search 46", NUMBERS(60), JOIN "trace_id = id AND filter = 'x = 1'", "60|46|46;",
     "16 times 100 x = 1 AND request_id IN ('t000'); 100 x = 1"},
    {"search 46", NUMBERS(8),
     JOIN "trace_id = id AND trace_id IN (SELECT id FROM n WHERE i < 3 OR i > 6)", "8|4|4;",
     "100 request_id IN ('t000', 't001', 't002', 't007')"},
    /* What a look-up is noted for holds whatever else changes. */
    {"search 9", NUMBERS(4),
     JOIN "trace_id = id AND timestamp_ms IN (1795392000000, 1795392000001, 1795392000003)",
     "4|3|3;",
     "100 request_id IN ('t000') AND timestamp_ms = 0; 3 times 100 request_id IN ('t001')"},
    {"search 9", NUMBERS(8),
     "SELECT count(trace_id) FROM (SELECT 't005' AS id, 0 AS i UNION ALL SELECT 't005', 5 UNION "
     "ALL "
     "SELECT 't001', 7 UNION ALL SELECT 't001', 1) AS n LEFT JOIN mlflow_traces ON trace_id = id "
     "AND "
     "timestamp_ms = 1795392000000 + i",
     "2;", "100 request_id IN ('t005') AND timestamp_ms = 0; 2 times 100 request_id IN ('t005')"},
    {"search 46", NUMBERS(60), JOIN "session_id = session", "396|396|46;",
     "7 times 100 metadata.`mlflow.trace.session` = 's0'"},
    {"search 46", NUMBERS(60), JOIN "session_id = 's' || (i % 23)", "177|138|46;",
     "17 times 100 metadata.`mlflow.trace.session` = 's0'; 100 "},
    /* A correlated sub-select is another scan for each row, and learns as a join does. */
    {"search 46", NUMBERS(60),
     "SELECT count(*), sum((" COUNT "WHERE session_id = 's' || (i % 23))) FROM n", "60|138;",
     "17 times 100 metadata.`mlflow.trace.session` = 's0'; 100 "},
    {"search 46", NUMBERS(60),
     "SELECT count(*) FROM n WHERE EXISTS (SELECT 1 FROM mlflow_traces WHERE session_id = session)",
     "60;", "7 times 100 metadata.`mlflow.trace.session` = 's0'"},
    {"search 46", NUMBERS(60), JOIN "timestamp_ms = 1795392000000 + i", "60|46|46;",
     "17 times 100 timestamp_ms = 0; 100 "},
    {"search 46", NUMBERS(60),
     JOIN "timestamp_ms = 1795392000000 + i AND trace_id IN ('t001', 't002', 't003')", "60|3|3;",
     "4 times 100 request_id IN ('t001', 't002', 't003') AND timestamp_ms = 0"},
    {"search 46", NUMBERS(60),
     JOIN "session_id = 's' || (i % 23) AND timestamp_ms > 1795392000000 + i", "103|57|39;",
     "17 times 100 metadata.`mlflow.trace.session` = 's0' AND timestamp_ms >= 1; 100 "},
};

/* What does not fit makes no question whole. */
static const source_case full[] = {
    {"search 3", NUMBERS(3),
     "SELECT i, count(*) FROM n CROSS JOIN mlflow_traces WHERE fill(trace_id) GROUP BY i",
     "0|3;1|3;2|3;", "3 times 100 "},
    {"search 46", NUMBERS(60), JOIN "trace_id = id WHERE i <> 3 OR fill(id)", "60|46|46;",
     "60 times 100 request_id IN ('t000')"},
    {"search 46", NUMBERS(6),
     JOIN "trace_id = id AND trace_id IN (SELECT id FROM n) WHERE i <> 3 OR fill(id)", "6|6|6;",
     "100 request_id IN ('t000', 't001', 't002', 't003', 't004', 't005')"},
    {"search 46", NUMBERS(6),
     JOIN "trace_id = id AND trace_id IN (SELECT id FROM n WHERE fill(id))", "6|6|6;",
     "100 request_id IN ('t000', 't001', 't002', 't003', 't004', 't005')"},
    {"search 46", NUMBERS(60), JOIN "session_id = session WHERE i <> 3 OR fill(id)", "396|396|46;",
     "36 times 100 metadata.`mlflow.trace.session` = 's0'"},
    {"search 46", NUMBERS(60), JOIN "session_id = 's' || (i % 23) WHERE i <> 20 OR fill(id)",
     "177|138|46;", "17 times 100 metadata.`mlflow.trace.session` = 's0'; 100 "},
    {"search 9000", NUMBERS(20), JOIN "trace_id = id WHERE i <> 17 OR fill(id)", "20|20|20;",
     "16 times 100 request_id IN ('t000'); 100 ; 32 times 100 timestamp_ms <= 8900; 4 times 100 "
     "request_id IN ('t016')"},
    {"search 346", NULL,
     "SELECT count(*), count(DISTINCT trace_id) FROM (SELECT 1 UNION ALL SELECT 2) CROSS JOIN "
     "mlflow_traces WHERE trace_id <> 't150' OR fill(trace_id)",
     "692|346;", "100 ; 3 times 100 timestamp_ms <= 246; 100 ; 3 times 100 timestamp_ms <= 246"},
    {"search 346", NULL,
     "SELECT (SELECT trace_id FROM mlflow_traces LIMIT 1 OFFSET 120), count(*), count(DISTINCT "
     "trace_id) FROM mlflow_traces WHERE trace_id <> 't300' OR fill(trace_id)",
     "t225|346|346;", "100 ; 3 times 100 timestamp_ms <= 246; 100 ; 100 timestamp_ms <= 246"},
    /* All have to be read for this order, and cannot be kept. */
    {"search 9", NULL,
     "SELECT trace_id FROM mlflow_traces WHERE session_id = (SELECT 'a''b\"' FROM mlflow_traces "
     "WHERE fill(trace_id)) ORDER BY timestamp_ms LIMIT 1",
     "mlflow_traces: ORDER BY timestamp_ms beg", "100 "},
    {"search 60", NULL, PAIRS "WHERE b.trace_id <> 't050' OR fill(b.trace_id)", "3600|3600;",
     "61 times 100 "},
    {"search 4", NULL,
     COUNT "WHERE trace_id IN (SELECT trace_id FROM mlflow_traces WHERE trace_id <> 't003' OR "
           "fill(trace_id))",
     "4;", "100 ; 100 request_id IN ('t000', 't001', 't002', 't003')"},
};

static void check_all(const source_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++)
    check(&cases[i]);
}

#define CHECK(cases) check_all(cases, sizeof(cases) / sizeof(cases[0]))

static void questions_are_kept_apart(void **state) {
  (void)state;
  CHECK(apart);
}

static void nothing_is_asked_twice(void **state) {
  (void)state;
  CHECK(again);
}

static void a_join_asks_for_parts_and_walks_the_whole_along(void **state) {
  (void)state;
  CHECK(parts);
}

/* What is about the left table in the ON of an outer join drops none of its rows. */
static void a_condition_of_a_join_is_not_sent(void **state) {
#define LEFT_JOIN                                                                                  \
  "SELECT count(*), count(n.id) FROM mlflow_traces AS a LEFT JOIN n ON n.id = a.trace_id "
  static const source_case cases[] = {
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.name LIKE 'x%'", "4|0;", "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.name GLOB 'x*'", "4|0;", "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.status <> 'OK'", "4|4;", "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.session_id IS NULL", "4|0;", "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.session_id IS NOT NULL", "4|4;", "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.status <> 'OK' WHERE a.status <> 'UNSET'", "4|4;",
       "100 status != 'UNSET'"},
      /* A test of the same column, but another one; and a join that SQLite does without. */
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.status <> 'OK' WHERE a.status > 'A'", "4|4;",
       "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.status <> 'X' WHERE +a.status <> 'OK'", "4|4;",
       "100 "},
      {"search 4", NUMBERS(4),
       "SELECT count(*) FROM (SELECT DISTINCT a.trace_id FROM mlflow_traces AS a LEFT JOIN n ON "
       "n.id = a.trace_id AND a.name GLOB 'x*')",
       "4;", "100 "},
      /* The same test, however its argument is made; but which of two is made nobody sees. */
      {"search 4", NULL, COUNT "WHERE name LIKE lower('X') || '%' AND status <> trim(' OK')", "0;",
       "100 status != 'OK' AND name ILIKE 'x%'"},
      {"search 4", NULL, COUNT "WHERE status <> iif(random() % 1, 'OK', 'X')", "4;", "100 "},
      /* Not all rows come to the test; NULL passes it. */
      {"search 4", NUMBERS(4),
       LEFT_JOIN "AND a.status <> 'OK' WHERE a.name IS NULL OR a.status <> 'OK'", "4|4;", "100 "},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.name <> 'x' WHERE a.name IS NOT 'x'", "4|0;",
       "100 "},
      /* The program of a trigger stands behind that of the statement. */
      {"search 4",
       "CREATE TEMP TABLE l(id); CREATE TEMP TRIGGER each AFTER INSERT ON l BEGIN DELETE FROM l "
       "WHERE id IN (SELECT trace_id FROM mlflow_traces WHERE status <> 'X' AND name LIKE 'a%'); "
       "END",
       "INSERT INTO l VALUES ('t001')", "", "100 name ILIKE 'a%' AND status != 'X'"},
      {"search 4", NUMBERS(4), LEFT_JOIN "WHERE a.name LIKE 'x%' AND a.status <> 'OK'", "0|0;",
       "100 status != 'OK' AND name ILIKE 'x%'"},
      {"search 4", NUMBERS(4), LEFT_JOIN "AND a.name GLOB 'x*' WHERE a.session_id IS NOT NULL",
       "4|0;", "100 metadata.`mlflow.trace.session` IS NOT NULL"},
      {"search 4", NUMBERS(4),
       "SELECT count(*), count(a.trace_id) FROM n LEFT JOIN mlflow_traces AS a ON n.id = "
       "a.session_id AND a.name LIKE 'x%'",
       "4|0;", "4 times 100 name ILIKE 'x%' AND metadata.`mlflow.trace.session` = 't000'"},
  };
  (void)state;
  CHECK(cases);
}

/* SQLite alone can tell what a foreign LIKE finds. */
static void a_foreign_like_is_not_sent(void **state) {
  static const source_case own[] = {
      {"search 3", NULL, COUNT "WHERE name LIKE 'a%' AND session_id = 's1'", "0;",
       "100 metadata.`mlflow.trace.session` = 's1' AND name ILIKE 'a%'"},
      {"search 3", NULL, COUNT "WHERE session_id = 's1' AND name GLOB 'a*'", "0;",
       "100 metadata.`mlflow.trace.session` = 's1' AND name ILIKE 'a%'"},
  };
  static const source_case others[] = {
      {"search 3", NULL, COUNT "WHERE name LIKE 'a%' AND session_id = 's1'", "1;",
       "100 metadata.`mlflow.trace.session` = 's1'"},
      {"search 3", NULL, COUNT "WHERE session_id = 's1' AND name GLOB 'a*'", "1;",
       "100 metadata.`mlflow.trace.session` = 's1'"},
      {"search 3", NULL, COUNT "WHERE name LIKE 'a%' AND name GLOB 'a*' AND session_id = 's1'",
       "1;", "100 metadata.`mlflow.trace.session` = 's1'"},
  };
  (void)state;
  CHECK(own);
  foreign = true;
  CHECK(others);
  foreign = false;
}

static void what_does_not_fit_is_asked_again(void **state) {
  (void)state;
  CHECK(full);
}

static int start_server(void **state) {
  (void)state;
  hostile_start_mlflow(&server);
  setenv("MLFLOW_SQL_STREAMS", "1", 1);
  setenv("MLFLOW_SQL_PAGE_ROWS", "100", 1);
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  hostile_stop(&server);
  return 0;
}

int main(void) {
  oom_install();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(questions_are_kept_apart),
      cmocka_unit_test(nothing_is_asked_twice),
      cmocka_unit_test(a_join_asks_for_parts_and_walks_the_whole_along),
      cmocka_unit_test(a_condition_of_a_join_is_not_sent),
      cmocka_unit_test(a_foreign_like_is_not_sent),
      cmocka_unit_test(what_does_not_fit_is_asked_again),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
