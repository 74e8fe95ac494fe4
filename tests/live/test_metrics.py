"""mlflow_metrics says what the same question over the other tables says.

What the server counts and averages itself is compared with SQL over mlflow_traces, mlflow_spans and
mlflow_assessments: each metric, by each dimension and all together, in buckets, within bounds of
time, and under conditions, over traces of every kind, on both stores.
"""

import itertools
import math
import unittest

import support
import seeded

FROM_MS, UNTIL_MS = seeded.UNTIL_MS - 9 * seeded.DAY_MS, seeded.UNTIL_MS - 2 * seeded.DAY_MS + 1
AGGREGATIONS = {"sum": "sum({})", "avg": "avg({})", "min": "min({})", "max": "max({})"} | {
    f"p{p}": f"percentile({{}}, {p})" for p in (0, 5, 50, 95, 99.9, 100)}
MEASURED = [name for name in AGGREGATIONS if name != "sum"]
TOKENS = [f"{kind}_tokens" for kind in (
    "input", "output", "total", "cache_read_input", "cache_creation_input")]
COSTS = ["input_cost", "output_cost", "total_cost"]
MODEL = ["model_name", "model_provider"]
LATENCY = "CAST(duration_ms AS INTEGER)"
SCORE = "CASE lower(trim(value)) WHEN 'yes' THEN 1 WHEN 'no' THEN 0 ELSE value_num END"
METRICS = [  # view, metric, what SQL aggregates, how, dimensions
    ("traces", "trace_count", "*", ["count"], ["name", "status"]),
    ("traces", "session_count", "DISTINCT session_id", ["count"], []),
    ("traces", "latency", "execution_time_ms", MEASURED, ["name"]),
    *(("traces", name, name, list(AGGREGATIONS), ["name"]) for name in TOKENS),
    ("spans", "span_count", "*", ["count"], ["name", "status", "span_type", *MODEL]),
    ("spans", "latency", LATENCY, MEASURED, ["name", "status"]),
    *(("spans", name, name, list(AGGREGATIONS), MODEL) for name in COSTS),
    ("assessments", "assessment_count", "*", ["count"], ["assessment_name", "assessment_value"]),
    ("assessments", "assessment_value", SCORE, MEASURED, ["assessment_name"]),
]
COUNT = "mlflow_metrics WHERE view = 'traces' AND metric = 'trace_count'"
COLUMNS = {"assessment_name": "name", "assessment_value": "value_json"}
UNWRITABLE = ["both ' and \"", "ends with \\"]
ODD_NAMES = [*UNWRITABLE, "it's", 'say "hi"', "back\\slash", "é 日本 🙂", "a `b`", " x ", "%", "A",
             "a", "x' AND trace.status = 'OK", None]


def same(one, other):
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9)
    return one == other


class Store:
    """A server, and a connection that has copies of the other tables: t, s and a."""

    def __init__(self, name):
        self.server = support.start(name)
        self.experiment = seeded.experiment(self.server, "all")
        self.connection = self.connect(self.experiment)
        for copy, table in (("t", "traces"), ("s", "spans"), ("a", "assessments")):
            self.connection.execute(f"CREATE TEMP TABLE {copy} AS SELECT *, timestamp_ms "
                                    f"FROM mlflow_{table}")

    def connect(self, experiment):
        with support.environment({"MLFLOW_EXPERIMENT_NAME": experiment}):
            connection = support.apsw_connection(self.server)
            connection.execute("SELECT count(*) FROM mlflow_settings")
        return connection

    def rows(self, sql, *values):
        return self.connection.execute(sql, values).fetchall()


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stores = [Store(name) for name in (support.SQLITE, support.POSTGRESQL)]

    def compare(self, store, view, metric, source, aggregations, dimensions, bucket=None,
                bounds=False, where="", told=""):
        """One question in both ways; gives the number of rows."""
        copy = {"traces": "t", "spans": "s", "assessments": "a"}[view]
        at = "start_time_ns / 1000000" if view == "spans" else "timestamp_ms"
        within = at if metric in COSTS else "timestamp_ms"
        groups = [COLUMNS.get(name, name) for name in dimensions]
        keys = ([f"time_bucket('{bucket}', {at})"] if bucket else []) + groups
        conditions = [f"{name} IS NOT NULL" for name in groups if name != "value_json"]
        conditions += [f"{source} IS NOT NULL"] if source != "*" and " " not in source else []
        conditions += ["valid = 1"] if view == "assessments" else []
        conditions += [f"{within} >= {FROM_MS} AND {within} < {UNTIL_MS}"] if bounds else []
        conditions += [where] if where else []
        expected = []
        for name in aggregations:
            expression = "count({})" if name == "count" else AGGREGATIONS[name]
            columns = ", ".join([*keys, f"'{name}'", expression.format(source)])
            sql = f"SELECT {columns} FROM {copy} WHERE {' AND '.join(conditions) or 'true'}"
            if keys:
                sql += " GROUP BY " + ", ".join(map(str, range(1, len(keys) + 1)))
                if metric == "session_count":
                    sql += " HAVING count(session_id) > 0"
                elif metric == "assessment_value":
                    sql += f" HAVING count({SCORE}) > 0"
            expected += store.rows(sql)
        listed = ", ".join(f"'{name}'" for name in aggregations)
        columns = (["bucket_ms"] if bucket else []) + dimensions + ["aggregation", "value"]
        sql = (f"SELECT {', '.join(columns)} FROM mlflow_metrics WHERE view = '{view}' AND "
               f"metric = '{metric}' AND aggregation IN ({listed}) AND "
               f"dimensions = '{', '.join(dimensions)}'")
        if bucket:
            sql += f" AND bucket = '{bucket}'"
        if bounds:
            sql += f" AND from_ms = {FROM_MS} AND until_ms = {UNTIL_MS}"
        sql += told and f" AND {told}"
        found = store.rows(sql)

        def order(row):
            return [str(field) for field in row[:-1]]

        expected, found = sorted(expected, key=order), sorted(found, key=order)
        what = f"{store.server.name}: {sql}"
        self.assertEqual([row[:-1] for row in found], [row[:-1] for row in expected], what)
        for one, other in zip(found, expected):
            self.assertTrue(same(one[-1], other[-1]), f"{what}: {one} is not {other}")
        return len(found)

    def test_each_metric_by_each_dimension_and_bucket(self):
        rows = 0
        for store in self.stores:
            for view, metric, source, aggregations, dimensions in METRICS:
                groupings = [[], *([name] for name in dimensions)]
                groupings += [dimensions] if len(dimensions) > 1 else []
                for grouping, bucket, bounds in itertools.product(
                        groupings, (None, "1 day", "90 minutes"), (False, True)):
                    rows += self.compare(store, view, metric, source, aggregations, grouping,
                                         bucket, bounds)
        self.assertGreater(rows, 10_000)

    def test_conditions(self):
        for store in self.stores:
            for view, told, where in (
                    ("traces", "name = 'support_agent'", "name = 'support_agent'"),
                    ("traces", "status = 'ERROR' AND name = 'sql_assistant'",
                     "status = 'ERROR' AND name = 'sql_assistant'"),
                    ("traces", "status = 'none'", "status = 'none'"),
                    ("traces", "filter = 'trace.tag.environment = \"production\"'",
                     "tags ->> '$.environment' = 'production'"),
                    ("traces", "filter = 'trace.status = ''OK'' AND trace.metadata."
                     "`mlflow.trace.user` = \"alice@example.com\"'",
                     "status = 'OK' AND user_id = 'alice@example.com'"),
                    ("spans", "name = 'run_query' AND status = 'ERROR'",
                     "name = 'run_query' AND status = 'ERROR'"),
                    ("spans", "span_type = 'CHAT_MODEL'", "span_type = 'CHAT_MODEL'"),
                    ("spans", "filter = 'trace.status = ''ERROR'''",
                     "trace_id IN (SELECT trace_id FROM t WHERE status = 'ERROR')"),
                    ("assessments", "assessment_name = 'odd'", "name = 'odd'"),
                    ("assessments", "filter = 'assessment.type = \"expectation\"'",
                     "assessment_type = 'expectation'")):
                for row in METRICS:
                    if row[0] == view:
                        self.compare(store, *row[:4], [], where=where, told=told)
                        self.compare(store, *row[:4], row[4], where=where, told=told)

    def test_a_dimension_that_was_told_shows_it(self):
        for store in self.stores:
            names = f"SELECT status, name FROM {COUNT} AND name = 'none' AND status "
            self.assertEqual(store.rows(names + "= 'OK'"), [("OK", "none")])
            self.assertEqual(store.rows(names + "IN ('OK', 'x', NULL) ORDER BY 1"),
                             [("OK", "none"), ("x", "none")])
            self.assertEqual(store.rows(names + "= 'OK' AND status = 'ERROR'"), [])

    def test_a_number_is_equal_to_several_names(self):
        """In SQL, where it comes from another table."""
        server = self.stores[0].server
        experiment = support.create_experiment(server, "numbers")
        support.insert_traces(server, experiment, [
            {"trace_id": f"tr-{experiment}-{i}", "timestamp_ms": 1000, "status": "OK",
             "tags": {"mlflow.traceName": name}} for i, name in enumerate(("01", "1", "1.0"))])
        connection = self.stores[0].connect(experiment)
        connection.execute("CREATE TEMP TABLE one(i INTEGER); INSERT INTO one VALUES (1)")
        grouped = "AND m.dimensions = 'name' AND m.experiment = ?"
        metrics = f"mlflow_metrics AS m ON m.view = 'traces' AND m.metric = 'trace_count' {grouped}"
        for sql in (f"SELECT sum(value) FROM one JOIN {metrics} AND m.name = one.i",
                    f"SELECT sum(value) FROM one JOIN {metrics} AND m.name = CAST('1' AS INTEGER)"):
            self.assertEqual(connection.execute(sql, (experiment,)).get, 3, sql)
        with self.assertRaisesRegex(Exception, "name is compared with the number 1; write name = '1'"):
            connection.execute(f"SELECT value FROM {COUNT} AND name = 1").get

    def test_odd_names(self):
        for store in self.stores:
            name = support.create_experiment(store.server, "metrics of odd names")
            number = support.experiment_id(store.server, name)
            support.insert_traces(store.server, name, [
                {"trace_id": f"tr-metrics{number}-{i:03}",
                 "timestamp_ms": -3_600_500 + i * 1_800_000,
                 "execution_time_ms": None if i % 5 == 0 else 2**40 + i,
                 "status": ["OK", "ERROR", "IN_PROGRESS"][i % 3],
                 "metadata": {} if i % 4 else {"mlflow.trace.session": f"s{i % 8}"},
                 "tags": {"mlflow.traceName": odd} if odd is not None else {}}
                for i, odd in enumerate(ODD_NAMES * 3)])
            connection = store.connect(name)
            self.addCleanup(connection.close)

            def rows(sql, *values):
                return connection.execute(sql, values).fetchall()

            latency = "mlflow_metrics WHERE view = 'traces' AND metric = 'latency' AND aggregation"
            for dimensions in ("name", "status", "name, status"):
                known = "true" if dimensions == "status" else "name IS NOT NULL"
                self.assertEqual(
                    rows(f"SELECT {dimensions}, value FROM {COUNT} AND dimensions = '{dimensions}' "
                         f"ORDER BY {dimensions}"),
                    rows(f"SELECT {dimensions}, count(*) FROM mlflow_traces WHERE {known} "
                         f"GROUP BY {dimensions} ORDER BY {dimensions}"))
            for odd in ODD_NAMES:
                expected = rows("SELECT count(*) FROM mlflow_traces WHERE name = ?1", odd)
                expected = expected if odd is not None else []
                ungrouped = f"SELECT value FROM {COUNT} AND name = ?1"
                self.assertEqual(rows(f"{ungrouped} AND dimensions = 'name'", odd), expected, odd)
                if odd in UNWRITABLE:
                    with self.assertRaisesRegex(Exception, "cannot write the text that name is"):
                        rows(ungrouped, odd)
                else:
                    self.assertEqual(rows(ungrouped, odd), expected, odd)
            self.assertEqual(rows(  # what stands in quotes is no AND
                f"SELECT value FROM {COUNT} AND filter = ?1", "trace.tag.`mlflow.traceName` = "
                "\"x' AND trace.status = 'OK\" and trace.status = 'OK'"), [(1,)])
            # Before 1970, too; whole numbers stay whole; of no latency, one row with NULL.
            for width in ("1 hour", "1 day"):
                self.assertEqual(
                    rows(f"SELECT bucket_ms, value FROM {COUNT} AND bucket = ?1 ORDER BY 1", width),
                    rows("SELECT time_bucket(?1, timestamp_ms), count(*) FROM mlflow_traces "
                         "GROUP BY 1 ORDER BY 1", width))
            self.assertEqual(
                rows(f"SELECT value, typeof(value) FROM {latency} = 'max'"),
                rows("SELECT max(execution_time_ms), 'integer' FROM mlflow_traces"))
            self.assertEqual(
                rows(f"SELECT value FROM {latency} = 'avg' AND until_ms = -1e9"), [(None,)])
            self.assertEqual(rows(f"SELECT value FROM {COUNT} AND until_ms = -1e9"), [(0,)])

    def test_bounds_are_those_of_sql(self):
        store = self.stores[0]
        at = store.rows("SELECT timestamp_ms FROM t ORDER BY 1 LIMIT 1 OFFSET 400")[0][0]
        for low, high in ((at, at + 1), (at - 0.5, at + 0.5), (at + 0.5, at + 1), (at, at),
                          (at, at - 9), (-2**63, 2**63 - 1), (-1e18, 1e18), (-2**63, -2**63),
                          (f"{at}", f"{at}.5")):
            self.assertEqual(
                store.rows(f"SELECT value FROM {COUNT} AND from_ms = ?1 AND until_ms = ?2", low,
                           high),
                store.rows("SELECT count(*) FROM t WHERE timestamp_ms >= CAST(?1 AS NUMERIC) AND "
                           "timestamp_ms < CAST(?2 AS NUMERIC)", low, high), (low, high))
        for wrong in (-1e300, "yesterday", "5 ms"):
            with self.assertRaisesRegex(Exception, "from_ms = '.*' is no time in Unix"):
                store.rows(f"SELECT value FROM {COUNT} AND from_ms = ?1", wrong)

    def test_however_sqlite_plans_it(self):
        """Right or an error: what a plan is not told is never taken for an empty answer."""
        for store in self.stores[:1]:
            errors = store.rows("SELECT count(*) FROM t WHERE status = 'ERROR'")[0][0]
            count = "view = 'traces' AND metric = 'trace_count'"
            self.assertEqual(store.rows(
                f"SELECT m.value FROM (VALUES ('ERROR')) AS l LEFT JOIN mlflow_metrics AS m ON "
                f"m.status = l.column1 AND {count}"), [(errors,)])
            self.assertEqual(store.rows(  # the other way round would be cheaper
                "WITH l(status) AS (VALUES ('ERROR'), ('none'), ('x')) SELECT l.status, m.value FROM "
                f"l JOIN mlflow_metrics AS m USING (status) WHERE {count} AND m.value > 0"),
                [("ERROR", errors)])
            self.assertEqual(store.rows(
                f"SELECT (SELECT value FROM {COUNT} AND status = l.column1) "
                "FROM (VALUES ('ERROR')) AS l"), [(errors,)])
            asked = f"SELECT * FROM {COUNT} AND dimensions = 'name, status'"
            pairs = [(m[0], n[0]) for m in store.rows(f"SELECT name, status, value FROM ({asked})")
                     for n in store.rows(f"SELECT name, status, value FROM ({asked})")
                     if m[1] == n[1]]
            told = " AND ".join(f"{each}.view = 'traces' AND {each}.metric = 'trace_count' AND "
                                f"{each}.dimensions = 'name, status'" for each in "mn")
            join = "FROM mlflow_metrics AS m JOIN mlflow_metrics AS n ON m.status = n.status"
            self.assertEqual(sorted(store.rows(f"SELECT m.name, n.name {join} WHERE {told}")),
                             sorted(pairs))
            ungrouped = told.replace("name, status", "name")
            with self.assertRaisesRegex(Exception, "status is read"):
                store.rows(f"SELECT m.name {join} WHERE {ungrouped}")
            for sql, error in (
                    (f"WHERE ({count} OR view = 'spans' AND metric = 'span_count') AND status = "
                     "(SELECT 'ERROR')", "no view is given"),
                    (f"WHERE {count} AND (name = 'a' OR status = 'ERROR')", "name is read"),
                    (f"WHERE {count} AND name NOT IN ('a')", "name is read"),
                    (f"WHERE {count} AND upper(status) = 'ERROR'", "status is read"),
                    (f"WHERE {count} AND status = 'error' COLLATE NOCASE", "status is read"),
                    (f"WHERE {count} AND status IS 'ERROR'", "status is read"),
                    (f"WHERE {count} AND name IS NULL", "name is read"),
                    (f"WHERE {count} AND from_ms > 5", "from_ms is an argument"),
                    (f"WHERE {count} AND bucket LIKE '1%'", "bucket is an argument")):
                with self.subTest(sql), self.assertRaisesRegex(Exception, error):
                    store.rows(f"SELECT value FROM mlflow_metrics {sql}")
                with self.subTest(sql), self.assertRaisesRegex(Exception, error):
                    support.shell(f"SELECT value FROM mlflow_metrics {sql};", store.server,
                                  MLFLOW_EXPERIMENT_NAME=store.experiment)
            with self.assertRaisesRegex(Exception, "status is read"):
                store.rows(f"SELECT * FROM mlflow_metrics WHERE {count} AND status LIKE 'E%'")
            for sql in (f"WHERE {count} AND dimensions = 'status' AND upper(status) = 'ERROR'",
                        f"WHERE {count} AND dimensions = 'status' AND status = 'error' COLLATE "
                        "NOCASE"):
                self.assertEqual(store.rows(f"SELECT value FROM mlflow_metrics {sql}"), [(errors,)])

    def test_scope(self):
        store = self.stores[0]
        connection = store.connect(None)
        self.addCleanup(connection.close)
        count = f"SELECT value FROM {COUNT}"

        def value(sql, *values):
            return connection.execute(sql, values).fetchall()

        self.assertEqual(value(f"{count} AND experiment = ?1", store.experiment), [(seeded.COUNT,)])
        number = support.experiment_id(store.server, store.experiment)
        self.assertEqual(value(f"{count} AND experiment = ?1", number), [(seeded.COUNT,)])
        # All experiments: other tests on this server may add to them meanwhile.
        everything = "SELECT count(*) FROM mlflow_traces"
        for _ in range(20):
            before, counted = value(everything), value(count)
            if before == value(everything):
                break
        self.assertEqual(counted, before)
        empty = support.create_experiment(store.server, "metrics of nothing")
        self.assertEqual(value(f"SELECT experiment, value FROM {COUNT} AND experiment IN (?1, ?2) "
                               "ORDER BY 2", empty, store.experiment),
                         [(empty, 0), (store.experiment, seeded.COUNT)])
        with self.assertRaisesRegex(Exception, "no experiment has the name or id 'nobody'"):
            value(f"{count} AND experiment = 'nobody'")
        create = "CREATE VIRTUAL TABLE temp.{} USING mlflow_metrics({})"
        connection.execute(create.format("one", f"experiment = '{store.experiment}'"))
        connection.execute(create.format("two", f"experiments = '{store.experiment}, {empty}'"))
        for table, told, expected in (
                ("one", None, seeded.COUNT), ("two", None, seeded.COUNT), ("one", empty, 0),
                ("two", empty, 0), ("one", number, seeded.COUNT), ("two", number, seeded.COUNT)):
            asked = count.replace("mlflow_metrics", table) + " AND experiment = ?1" * bool(told)
            self.assertEqual(value(asked, *[told] * bool(told)), [(expected,)], (table, told))
        other = support.create_experiment(store.server, "metrics of others")
        support.insert_traces(store.server, other, [
            {"trace_id": f"tr-metrics-other-{number}", "timestamp_ms": 1}])
        self.assertEqual(value(f"{count} AND experiment = ?1", other), [(1,)])
        self.assertEqual(value(count.replace("mlflow_metrics", "one") + " AND experiment = ?1",
                               other), [(0,)])  # of none, and not of all
        for wrong in ("tags.environment", "pushdown = off"):
            with self.assertRaisesRegex(Exception, "takes experiment = '…' or experiments = "):
                connection.execute(create.format("three", wrong))

    def test_several_aggregations_are_one_request(self):
        store = self.stores[0]

        def requests():
            return store.rows("SELECT count(*) FROM mlflow_requests "
                              "WHERE endpoint LIKE '%/metrics'")[0][0]

        before = requests()
        store.rows("SELECT aggregation, value FROM mlflow_metrics WHERE view = 'traces' AND "
                   "metric = 'latency' AND aggregation IN ('avg', 'p50', 'p95', 'max')")
        self.assertEqual(requests() - before, 1)
        for nothing in ("status = NULL", "aggregation = NULL", "aggregation IN (NULL)",
                        "name = x'61'", "from_ms = NULL", "view = 'traces' || char(0)",
                        "status = 'OK' || char(0)"):
            self.assertEqual(store.rows(f"SELECT value FROM {COUNT} AND {nothing}"), [], nothing)
        self.assertEqual(requests() - before, 1)

    def test_a_server_that_counts_otherwise_is_refused(self):
        server = support.start(support.SQLITE_OLDEST)
        run = support.run_shell(f"SELECT value FROM {COUNT};", server)
        self.assertEqual(run.stdout, "")
        self.assertRegex(
            run.stderr, r"mlflow_metrics: GET /version: http://\S+ is MLflow 3\.5, and metrics "
            r"that agree with our other tables come with 3\.17; ask instead as in SELECT "
            r"count\(\*\) FROM mlflow_traces\n")
