"""What people see in the sqlite3 shell: the result, the plan in words, and the receipt.

Each case of Pushdown is a triple: the rows of a statement, what EXPLAIN QUERY PLAN says of it, and
what the server was sent.
"""

import json
import os
import re
import subprocess
import tempfile
import unittest

import support

START = 1_790_000_000_000
SEARCH = "/api/3.0/mlflow/traces/search"


def traces():
    """Sixty traces, a second apart: every third an error, every tenth in progress."""
    made = []
    for i in range(60):
        status = "IN_PROGRESS" if i % 10 == 9 else "ERROR" if i % 3 == 0 else "OK"
        made.append({
            "trace_id": f"tr-shell{i:027d}", "timestamp_ms": START + 1000 * i, "status": status,
            "execution_time_ms": None if status == "IN_PROGRESS" else 200 * i,
            "client_request_id": f"c{i}",
            "tags": {"mlflow.traceName": "my_app_function" if i % 2 else "other",
                     **({"environment": "production"} if i % 4 < 2 else {})},
            "metadata": {"mlflow.trace.user": f"user{i % 5}@company.com",
                         "mlflow.trace.session": f"s{i // 6}"},
            "assessments": [("concise", "no" if i % 7 == 0 else "yes")] if i % 2 else [],
        })
    return made


class Shell(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "shell")
        support.insert_traces(cls.server, cls.experiment, traces())
        cls.table = ("CREATE VIRTUAL TABLE temp.t USING mlflow_traces("
                     f"experiment = '{cls.experiment}', tags.environment, feedback.concise, "
                     'tags."mlflow.traceName" AS app);\n')

    def run_sql(self, sql, **more):
        return support.shell(self.table + sql, self.server, **more)

    def searches(self, sql, **more):
        """The searches that a statement sends: filter, order_by, page_rows, rows."""
        receipt = ("\n.output stdout\n.mode json\nSELECT filter, order_by, page_rows, rows, "
                   f"rows_kept FROM mlflow_requests WHERE endpoint = '{SEARCH}';")
        shown = self.run_sql(".output /dev/null\n" + sql + receipt, **more)
        return json.loads(shown or "[]")

    def plan(self, sql):
        shown = self.run_sql("EXPLAIN QUERY PLAN " + sql).splitlines()[-1]
        return re.split(r"INDEX \d+:", shown)[-1]


class Pushdown(Shell):
    """SQL, rows, plan, filters."""

    def check(self, where, count, plan, *filters, order=None):
        sql = f"SELECT count(timestamp_ms) FROM t WHERE {where};"
        self.assertEqual(self.run_sql(sql), str(count), where)
        self.assertEqual(self.plan(sql), plan)
        self.assertEqual([s["filter"] for s in self.searches(sql)], list(filters), where)

    def test_equal(self):
        self.check("status = 'OK'", 36, "status = ?", "attributes.status = 'OK'")

    def test_not_equal(self):
        self.check("status != 'OK'", 24, "status != ?", "attributes.status != 'OK'")

    def test_list(self):
        self.check("status IN ('OK', 'ERROR')", 54, "status IN (?)",
                   "attributes.status IN ('ERROR', 'OK')")

    def test_list_where_the_server_has_none(self):
        self.check("app IN ('my_app_function', 'none')", 30, "app = ?",
                   "tags.`mlflow.traceName` = 'my_app_function'",
                   "tags.`mlflow.traceName` = 'none'")

    def test_ids(self):
        ids = f"'{traces()[3]['trace_id']}', '{traces()[4]['trace_id']}', 'none'"
        self.check(f"trace_id IN ({ids})", 2, "trace_id IN (?)",
                   f"attributes.request_id IN ('none', '{traces()[3]['trace_id']}', "
                   f"'{traces()[4]['trace_id']}')")

    def test_range_of_time(self):
        self.check(f"timestamp_ms > {START} AND timestamp_ms < {START + 3000}", 2,
                   "timestamp_ms > ? AND timestamp_ms < ?",
                   f"attributes.timestamp_ms >= {START + 1} AND "
                   f"attributes.timestamp_ms <= {START + 2999}")

    def test_between(self):
        self.check(f"timestamp_ms BETWEEN {START} AND {START + 1000}", 2,
                   "timestamp_ms >= ? AND timestamp_ms <= ?",
                   f"attributes.timestamp_ms >= {START} AND "
                   f"attributes.timestamp_ms <= {START + 1000}")

    def test_duration(self):
        self.check("execution_time_ms > 5000.5", 30, "execution_time_ms > ?",
                   "attributes.execution_time_ms >= 5001")

    def test_pattern(self):
        self.check("name LIKE 'MY%function'", 30, "name LIKE ?",
                   "attributes.name ILIKE 'MY%funct%on%'")

    def test_glob(self):
        self.check("name GLOB 'MY*'", 0, "name GLOB ?", "attributes.name ILIKE 'MY%'")

    def test_null(self):
        self.check('"tags.environment" IS NULL', 30, "(all)", None)
        self.check("user_id IS NULL", 0, "user_id IS NULL", "metadata.`mlflow.trace.user` IS NULL")

    def test_not_null(self):
        self.check("session_id IS NOT NULL", 60, "session_id IS NOT NULL",
                   "metadata.`mlflow.trace.session` IS NOT NULL")

    def test_feedback(self):
        self.check("\"feedback.concise\" = 'no'", 4, "feedback.concise = ?",
                   "feedback.`concise` = 'no'")

    def test_raw_filter(self):
        self.check("filter = 'feedback.concise = \"no\"' AND status = 'OK'", 2,
                   "filter = ? AND status = ?",
                   "feedback.concise = \"no\" AND attributes.status = 'OK'")

    def test_what_the_server_cannot_say_stays_here(self):
        self.check("name = 'OTHER' COLLATE NOCASE", 30, "(all)", None)
        self.check("client_request_id NOT IN ('c1')", 59, "(all)", None)
        self.check("lower(name) = 'other'", 30, "(all)", None)

    def test_a_value_that_cannot_be_quoted_is_left_out(self):
        self.check("name != 'both '' and \"'", 60, "name != ?", None)

    def test_nothing_is_sent_for_what_cannot_be(self):
        self.check("status = NULL", 0, "status = ?")
        self.check(f"timestamp_ms > {START} AND timestamp_ms < 5", 0,
                   "timestamp_ms > ? AND timestamp_ms < ?")
        self.check("client_request_id IN (NULL)", 0, "client_request_id = ?")

    def test_pushdown_off(self):
        table = f"CREATE VIRTUAL TABLE temp.o USING mlflow_traces(experiment = '{self.experiment}'," \
                " pushdown = off);\n"
        sql = "SELECT count(*) FROM o WHERE status = 'OK';"
        self.assertEqual(self.run_sql(table + sql), "36")
        self.assertEqual([s["filter"] for s in self.searches(table + sql)], [None])

    def test_pattern_1_basic_search(self):
        self.check("status = 'ERROR'", 18, "status = ?", "attributes.status = 'ERROR'")
        self.check(f"timestamp_ms > {START + 50_000}", 9, "timestamp_ms > ?",
                   f"attributes.timestamp_ms >= {START + 50_001}")
        self.check("execution_time_ms > 5000", 30, "execution_time_ms > ?",
                   "attributes.execution_time_ms > 5000")

    def test_pattern_2_tags_and_metadata(self):
        self.check("\"tags.environment\" = 'production'", 30, "tags.environment = ?",
                   "tags.`environment` = 'production'")
        self.check("app = 'my_app_function'", 30, "app = ?",
                   "tags.`mlflow.traceName` = 'my_app_function'")
        self.check("user_id = 'user1@company.com'", 12, "user_id = ?",
                   "metadata.`mlflow.trace.user` = 'user1@company.com'")
        self.check("status = 'OK' AND \"tags.environment\" = 'production' "
                   "AND execution_time_ms < 2000", 4,
                   "status = ? AND tags.environment = ? AND execution_time_ms < ?",
                   "attributes.status = 'OK' AND tags.`environment` = 'production' "
                   "AND attributes.execution_time_ms < 2000")


class Scans(Shell):
    def test_limit_asks_for_so_many_rows(self):
        sql = "SELECT trace_id FROM t ORDER BY timestamp_ms DESC LIMIT 10"
        self.assertEqual(self.plan(sql), "(all) ORDER BY timestamp_ms DESC LIMIT")
        self.assertEqual(self.searches(sql + ";"), [
            {"filter": None, "order_by": "timestamp_ms DESC", "page_rows": 10, "rows": 10,
             "rows_kept": 10}])
        rows = self.run_sql(sql + " OFFSET 3;").splitlines()
        self.assertEqual(rows, [t["trace_id"] for t in reversed(traces())][3:13])
        self.assertEqual(self.searches(sql + " OFFSET 3;")[0]["page_rows"], 13)

    def test_limit_oldest_first(self):
        sql = "SELECT trace_id FROM t WHERE status = 'OK' ORDER BY timestamp_ms LIMIT 2;"
        self.assertEqual(self.run_sql(sql).splitlines(),
                         [traces()[i]["trace_id"] for i in (1, 2)])
        self.assertEqual([(s["order_by"], s["page_rows"]) for s in self.searches(sql)],
                         [("timestamp_ms ASC", 2)])

    def test_limit_is_no_hint_where_sqlite_filters(self):
        sql = ("SELECT trace_id FROM t WHERE lower(name) = 'other' "
               "ORDER BY timestamp_ms DESC LIMIT 2;")
        self.assertEqual(len(self.run_sql(sql).splitlines()), 2)
        self.assertEqual([s["page_rows"] for s in self.searches(sql)], [500])

    def test_an_abandoned_statement_sends_nothing_more(self):
        sql = "SELECT trace_id FROM t WHERE lower(name) = 'other' LIMIT 1;"
        self.assertEqual(len(self.searches(sql, MLFLOW_SQL_PAGE_ROWS="10")), 1)

    def test_nothing_is_sent_without_a_scan(self):
        sql = (".schema\nPRAGMA table_info(t);\nPRAGMA temp.table_xinfo(t);\n"
               "EXPLAIN QUERY PLAN SELECT * FROM t;\nCREATE TEMP VIEW v AS SELECT * FROM t;\n"
               "SELECT * FROM mlflow_settings;\nALTER TABLE t RENAME TO u;\nDROP TABLE u;\n")
        shown = self.run_sql(".output /dev/null\n" + sql + ".output stdout\n"
                             "SELECT count(*) FROM mlflow_requests;")
        self.assertEqual(shown, "0")

    def test_join_with_a_local_table(self):
        local = ("CREATE TEMP TABLE customers(email TEXT PRIMARY KEY, plan TEXT);\n"
                 "INSERT INTO customers VALUES ('user1@company.com', 'gold'), "
                 "('user2@company.com', 'free'), ('nobody@company.com', 'free');\nANALYZE;\n")
        sql = ("SELECT plan, count(t.trace_id), sum(t.status = 'ERROR') FROM customers AS c "
               "LEFT JOIN t ON t.user_id = c.email GROUP BY plan ORDER BY plan;")
        self.assertEqual(self.run_sql(local + sql), "free|12|4\ngold|12|4")

    def test_a_view_in_a_file_survives(self):
        with tempfile.TemporaryDirectory() as folder:
            database = os.path.join(folder, "reports.db")
            support.shell(
                f"CREATE VIRTUAL TABLE traces USING mlflow_traces(experiment = '{self.experiment}');"
                "CREATE VIEW quality AS SELECT status, count(*) AS n FROM traces GROUP BY status;",
                self.server, database=database)
            sql = "SELECT n FROM quality WHERE status = 'ERROR';"
            shown = support.shell(sql + "\nSELECT filter FROM mlflow_requests WHERE filter NOTNULL;",
                                  self.server, database=database)
            self.assertEqual(shown, "18\nattributes.status = 'ERROR'")
            # Without the extension the file is a database like any other.
            plain = subprocess.run(["sqlite3", database, ".tables"], capture_output=True,
                                   text=True, check=False)
            self.assertEqual(plain.stdout.split(), ["quality", "traces"])


class Surface(unittest.TestCase):
    """What .load adds, and nothing else."""

    def test_modules_and_functions(self):
        listing = ("SELECT DISTINCT name FROM pragma_function_list UNION ALL "
                   "SELECT name || '()' FROM pragma_module_list ORDER BY 1;")
        before = set(subprocess.run(["sqlite3", ":memory:", listing], capture_output=True,
                                    text=True, check=True).stdout.splitlines())
        added = set(support.shell(listing).splitlines()) - before
        self.assertEqual(sorted(added), sorted([
            "agreement", "bar", "differences", "krippendorff_alpha", "latency_bucket",
            "latency_class", "mask_message", "median", "mlflow_connect", "mlflow_version",
            "percentile", "percentile_cont", "percentile_disc", "sparkline",
            "strata", "strata_merge", "time_bucket", "wilson_high", "wilson_low",
            "mlflow_assessments()", "mlflow_experiments()", "mlflow_help()", "mlflow_metrics()",
            "mlflow_requests()", "mlflow_settings()", "mlflow_spans()", "mlflow_traces()",
            "stratified_sample()"]))
