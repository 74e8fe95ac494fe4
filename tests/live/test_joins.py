"""Joins cost pages and batches, not a request a row; and what one statement remembers, no other sees.

Requests are counted in mlflow_requests, on Debian's SQLite and on the newest one.
"""

import json
import time
import unittest

import support

TRACES = 130
IDS = 60
SPANS = "count(*), count(DISTINCT trace_id), sum(s.depth)"


class Joins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "joins")
        support.seed(cls.server, cls.experiment, TRACES)
        cls.setup = "".join(
            f"CREATE VIRTUAL TABLE temp.{name} USING mlflow_{name}(experiment = "
            f"'{cls.experiment}'); " for name in ("traces", "spans", "assessments"))
        cls.setup += (
            f"CREATE TEMP TABLE ids AS SELECT trace_id AS id FROM traces LIMIT {IDS};"
            "INSERT INTO ids SELECT id FROM ids LIMIT 5; INSERT INTO ids VALUES ('tr-none'), (NULL);"
            "CREATE TEMP TABLE before AS SELECT max(rowid) AS last FROM mlflow_requests;")

    receipt = ("SELECT json_object('search', count(*) FILTER (WHERE endpoint LIKE '%/search'), "
               "'batchGet', count(*) FILTER (WHERE endpoint LIKE '%/batchGet'), "
               "'rows', coalesce(sum(rows) FILTER (WHERE endpoint LIKE '%/batchGet'), 0)) "
               "FROM mlflow_requests WHERE rowid > (SELECT last FROM before)")

    def ask(self, sql):
        """(rows as text, requests) on both SQLites, which must agree on the rows."""
        shown = support.shell(f"{self.setup}\n{sql};\n.print ===\n{self.receipt};", self.server)
        rows, _, requests = shown.rpartition("===\n")
        connection = support.apsw_connection(self.server)
        connection.execute(self.setup)
        newest = "\n".join("|".join("" if v is None else str(v) for v in row)
                           for row in connection.execute(sql))
        newest_requests = json.loads(connection.execute(self.receipt).get)
        connection.close()
        self.assertEqual(rows.strip(), newest, sql)
        return rows.strip(), json.loads(requests), newest_requests

    def costs(self, sql, search_max, batches_max=0, payloads_max=0):
        rows, *both = self.ask(sql)
        for requests in both:
            self.assertLessEqual(requests["search"], search_max, sql)
            self.assertLessEqual(requests["batchGet"], batches_max, sql)
            self.assertLessEqual(requests["rows"], payloads_max, sql)
        return rows

    # A scan of 130 traces is a page and, once it reads on, a few empty ranges of time.
    SCAN = 8
    BATCHES = 6  # 8, 32, 50, 40

    def test_ours_with_ours(self):
        spans = self.costs("SELECT count(*) FROM spans", self.SCAN, self.BATCHES, TRACES)
        for join in ("traces JOIN spans USING (trace_id)", "spans JOIN traces USING (trace_id)",
                     "traces CROSS JOIN spans USING (trace_id)",
                     "traces LEFT JOIN spans USING (trace_id) WHERE span_id IS NOT NULL"):
            self.assertEqual(self.costs(f"SELECT count(*) FROM {join}", 2 * self.SCAN,
                                        self.BATCHES + 2, TRACES), spans)
        self.assertEqual(
            self.costs("SELECT count(*) FROM traces JOIN assessments USING (trace_id)", self.SCAN),
            self.costs("SELECT count(*) FROM assessments", self.SCAN))
        self.assertEqual(self.costs("SELECT count(*) FROM traces AS a JOIN traces AS b "
                                    "USING (trace_id)", self.SCAN), str(TRACES))
        self.costs("SELECT count(t.request), count(s.span_id) FROM traces AS t JOIN spans AS s "
                   "USING (trace_id)", 2 * self.SCAN, self.BATCHES + 2, TRACES)

    def test_ids_of_a_local_table(self):
        found = str(IDS + 5)
        for sql in ("SELECT count(*) FROM ids JOIN traces AS t ON t.trace_id = ids.id",
                    "SELECT count(*) FROM ids CROSS JOIN traces AS t ON t.trace_id = ids.id",
                    "SELECT count(t.trace_id) FROM ids LEFT JOIN traces AS t ON t.trace_id = ids.id",
                    "SELECT count(*) FROM traces AS t CROSS JOIN ids ON t.trace_id = ids.id",
                    "SELECT count((SELECT status FROM traces WHERE trace_id = ids.id)) FROM ids",
                    "SELECT count(*) FROM ids WHERE EXISTS "
                    "(SELECT 1 FROM traces WHERE trace_id = ids.id)"):
            self.assertEqual(self.costs(sql, 16 + self.SCAN), found)
        self.assertEqual(self.costs("SELECT count(*) FROM traces WHERE trace_id IN "
                                    "(SELECT id FROM ids)", 1), str(IDS))

    def test_a_list_is_fetched_at_once(self):
        for kind in ("LEFT", "CROSS"):
            self.assertEqual(self.costs(
                f"SELECT count(t.trace_id) FROM ids {kind} JOIN traces AS t ON t.trace_id = ids.id "
                "AND t.trace_id IN (SELECT id FROM ids)", 1), str(IDS + 5))
        listed = self.costs(f"SELECT {SPANS} FROM spans AS s WHERE trace_id IN "
                            "(SELECT id FROM ids)", 1, 4, IDS)
        self.assertEqual(self.costs(
            f"SELECT {SPANS} FROM (SELECT DISTINCT id FROM ids) AS l JOIN spans AS s ON "
            "s.trace_id = l.id AND s.trace_id IN (SELECT id FROM ids)", 1, 8, IDS), listed)

    def test_a_list_of_what_was_given_is_not_asked_for(self):
        newest = f"SELECT trace_id FROM traces ORDER BY timestamp_ms DESC LIMIT {IDS}"
        self.assertEqual(
            self.costs(f"SELECT {SPANS} FROM spans AS s WHERE trace_id IN ({newest})", 1, 4, IDS),
            self.costs(f"SELECT {SPANS} FROM ({newest}) JOIN spans AS s USING (trace_id)", 1, 4,
                       IDS))
        failed = "SELECT trace_id FROM traces WHERE status = 'ERROR'"
        self.assertEqual(
            self.costs(f"SELECT count(*), min(name) FROM traces WHERE trace_id IN ({failed}) AND "
                       "name LIKE 'a%'", self.SCAN),
            self.costs("SELECT count(*), min(name) FROM traces WHERE status = 'ERROR' AND "
                       "name LIKE 'a%'", self.SCAN))
        # What is not of the experiment, or was not given, is looked for as ever.
        self.assertEqual(self.costs(
            f"SELECT count(*) FROM traces WHERE trace_id IN ({newest}) AND experiment = 'Default'"
            f" OR trace_id IN ({newest}) AND status = 'OK'", 4),
            self.costs("SELECT count(*) FROM (SELECT status FROM traces ORDER BY timestamp_ms "
                       f"DESC LIMIT {IDS}) WHERE status = 'OK'", 1))
        self.assertEqual(self.costs(
            f"SELECT count(*) FROM traces WHERE trace_id IN ({newest}) OR "
            "trace_id IN (SELECT id FROM ids)", 2), str(IDS))

    def test_traces_without_spans_are_not_asked_for_one_by_one(self):
        """Of those whose tag says that the server has their spans, as when a table is cleared."""
        experiment = support.create_experiment(self.server, "joins without spans")
        support.insert_traces(self.server, experiment, [
            {"trace_id": f"tr-spanless-{i}", "timestamp_ms": 1000 + i,
             "tags": {"mlflow.trace.spansLocation": "TRACKING_STORE"}} for i in range(70)])
        connection = support.apsw_connection(self.server)
        self.addCleanup(connection.close)
        for sql, rows in (("SELECT count(*) FROM mlflow_spans WHERE experiment = ?", (0,)),
                          ("SELECT count(*), count(request) FROM mlflow_traces "
                           "WHERE experiment = ?", (70, 0))):
            connection.execute("CREATE TEMP TABLE IF NOT EXISTS before(last)")
            connection.execute("DELETE FROM before")
            connection.execute("INSERT INTO before SELECT coalesce(max(rowid), 0) "
                               "FROM mlflow_requests")
            self.assertEqual(connection.execute(sql, (experiment,)).fetchall(), [rows])
            spans = json.loads(connection.execute(self.receipt).get)
            self.assertEqual(spans["batchGet"], 3)  # 8, 32, 30
            self.assertEqual(spans["search"], 1 + 3)
            self.assertEqual(connection.execute(
                "SELECT count(*) FROM mlflow_requests WHERE endpoint LIKE '%artifact'").get, 0)

    def test_a_list_may_be_any(self):
        """Shorter than what is looked up, another one each time, with numbers or nothing in it."""
        for among, requests in (("SELECT id FROM ids WHERE rowid % 3 = 0", 1),
                                ("SELECT id FROM ids WHERE rowid <= l.rowid", IDS + 1),
                                ("SELECT id FROM ids WHERE rowid IN (l.rowid, l.rowid + 1)", IDS + 1),
                                ("SELECT id FROM ids UNION ALL SELECT 5", 16 + self.SCAN),
                                ("SELECT 'it''s \"'", 16 + self.SCAN), ("SELECT NULL", 0),
                                ("SELECT id FROM ids WHERE 0", 0)):
            asked = ("SELECT count(*), count(t.trace_id), count(DISTINCT t.trace_id), "
                     "count(DISTINCT t.status) FROM ids AS l LEFT JOIN {} AS t "
                     f"ON t.trace_id = l.id AND t.trace_id IN ({among})")
            expected, *_ = self.ask("CREATE TEMP TABLE copy AS SELECT * FROM traces;"
                                    + asked.format("copy"))
            self.assertEqual(self.costs(asked.format("traces"), requests), expected, among)

    def test_payloads_are_fetched_only_when_read(self):
        self.costs("SELECT count(CASE WHEN status = 'none' THEN request END) FROM traces", self.SCAN)
        self.costs("SELECT trace_id, status FROM traces", self.SCAN)
        self.costs("SELECT length(request) > 0 FROM traces WHERE status = 'ERROR' "
                   "ORDER BY timestamp_ms DESC LIMIT 5", 1, 1, 5)
        self.costs("SELECT count(request), count(response) FROM traces", self.SCAN, self.BATCHES,
                   TRACES)

    def test_what_is_scanned_again_is_remembered(self):
        rows = self.costs("SELECT count(*) FROM json_each('[1,2,3,4,5,6]') CROSS JOIN traces",
                          2 * self.SCAN)
        self.assertEqual(rows, str(6 * TRACES))
        self.costs("SELECT count(*) FROM json_each('[1,2,3,4,5,6]') AS j LEFT JOIN traces AS t ON "
                   "t.request_preview = j.value", 2 * self.SCAN)

    def test_what_is_cut_short_again_and_again_is_remembered(self):
        for condition, tries in (("status = 'OK'", 16 + 2), ("true", 16 + 2),
                                 ("trace_id IN (SELECT id FROM ids)", 16)):
            self.assertEqual(self.costs(
                "SELECT sum(EXISTS (SELECT 1 FROM traces AS t WHERE request_preview IS NOT l.id AND "
                f"{condition})) FROM ids AS l", tries + self.SCAN), str(IDS + 7), condition)

    def test_what_another_scan_is_recording_is_not_waited_for(self):
        # The second t records from its first row on, and that row wants all of b.
        self.assertEqual(self.costs(
            "SELECT count(*) FROM (SELECT trace_id FROM traces AS t UNION ALL SELECT trace_id FROM "
            "traces AS a WHERE NOT EXISTS (SELECT 1 FROM traces AS b WHERE b.request_preview IS "
            "a.trace_id))", 16 + 5 * self.SCAN), str(2 * TRACES))

    def test_a_stray_time_spoils_no_estimate(self):
        experiment = support.create_experiment(self.server, "joins stray")
        number = support.experiment_id(self.server, experiment)
        times = [5, *range(1_790_000_000_000, 1_790_000_000_000 + 300)]
        support.insert_traces(self.server, experiment, [
            {"trace_id": f"tr-stray{number}-{i:04}", "timestamp_ms": ms} for i, ms in enumerate(times)])
        with support.environment({"MLFLOW_SQL_PAGE_ROWS": "100"}):
            connection = support.apsw_connection(self.server)
            connection.execute(f"CREATE VIRTUAL TABLE temp.t USING mlflow_traces(experiment = "
                               f"'{experiment}'); CREATE TEMP TABLE l AS SELECT trace_id AS id FROM t")
            before = connection.execute("SELECT max(rowid) FROM mlflow_requests").get
            self.assertEqual(connection.execute(
                "SELECT count(t.trace_id) FROM l LEFT JOIN t ON t.trace_id = l.id").get, len(times))
            # Without an estimate: 301. The walk itself comes to the stray trace by halves.
            self.assertLess(connection.execute("SELECT max(rowid) FROM mlflow_requests").get - before,
                            150)
            connection.close()

    def test_who_reads_keeps_the_address(self):
        with support.environment({"MLFLOW_SQL_PAGE_ROWS": "5"}):
            connection = support.apsw_connection(self.server)
            rows = connection.execute("SELECT trace_id FROM mlflow_traces WHERE experiment = ?",
                                      (self.experiment,))
            for _ in range(5):
                next(rows)
            with self.assertRaisesRegex(Exception, "while another statement of this connection runs"):
                connection.execute("SELECT mlflow_connect('http://127.0.0.1:9')")
            self.assertEqual(len(list(rows)), TRACES - 5)
            connection.execute("SELECT mlflow_connect(?)", (self.server.uri,))
            connection.close()

    def test_spans_in_any_order_come_in_batches_and_once(self):
        fetched = self.costs(f"SELECT {SPANS} FROM spans AS s", self.SCAN, self.BATCHES, TRACES)
        for order, kind in (("execution_time_ms DESC, trace_id", ""), ("substr(trace_id, -3)", "LEFT")):
            ids = f"(SELECT trace_id FROM traces ORDER BY {order} LIMIT {TRACES})"
            self.assertEqual(self.costs(
                f"SELECT {SPANS} FROM {ids} AS t {kind} JOIN spans AS s USING (trace_id)",
                self.SCAN, 40, TRACES + 8), fetched, order)
        # A few are a few.
        self.costs(f"SELECT {SPANS} FROM (SELECT trace_id FROM traces ORDER BY substr(trace_id, -3) "
                   "LIMIT 4) JOIN spans AS s USING (trace_id)", self.SCAN, 4, 4 * 8)

    def test_what_is_remembered_serves_every_order(self):
        ordered = ", ".join(
            "(SELECT group_concat(v) FROM (SELECT trace_id AS v FROM {0} AS t WHERE j.value > 0 "
            f"ORDER BY timestamp_ms {order} LIMIT 7))" for order in ("DESC", "ASC"))
        asked = ("SELECT (SELECT count(*) FROM {0} AS t WHERE j.value IS NOT request_preview), "
                 f"{ordered} FROM json_each('[1,2,3,4,5,6]') AS j GROUP BY 1, 2, 3")
        expected, *_ = self.ask("CREATE TEMP TABLE copy AS SELECT * FROM traces;"
                                + asked.format("copy"))
        self.assertEqual(self.costs(asked.format("traces"), 3 * self.SCAN), expected)

    def test_experiments_are_listed_once_a_statement(self):
        connection = support.apsw_connection(self.server)
        self.addCleanup(connection.close)
        connection.execute(self.setup)
        name, number = self.experiment, support.experiment_id(self.server, self.experiment)
        found = "(SELECT e.name FROM mlflow_experiments AS e WHERE e.experiment_id = t.experiment_id)"

        def listings(sql):
            def sent():
                return connection.execute("SELECT count(*) FROM mlflow_requests WHERE endpoint LIKE "
                                          "'%/experiments/search'").get

            before = sent()
            return connection.execute(sql).fetchall(), sent() - before

        for sql, rows in (
                ("FROM traces AS t JOIN mlflow_experiments AS e USING (experiment_id)", TRACES),
                ("FROM traces AS t LEFT JOIN mlflow_experiments AS e USING (experiment_id)", TRACES),
                ("FROM (SELECT experiment_id FROM traces) AS t CROSS JOIN mlflow_experiments AS e "
                 "ON +e.experiment_id = +t.experiment_id", TRACES),
                ("FROM mlflow_experiments AS e CROSS JOIN mlflow_experiments AS f USING (name) "
                 f"WHERE e.name = '{name}'", 1)):
            self.assertEqual(listings(f"SELECT DISTINCT e.name, count(*) OVER () {sql}"),
                             ([(name, rows)], 1), sql)
        self.assertEqual(listings(f"SELECT DISTINCT {found} FROM traces AS t"), ([(name,)], 1))
        self.assertEqual(listings(f"SELECT count(*) FROM traces AS t WHERE EXISTS {found}"),
                         ([(TRACES,)], 1))
        self.assertEqual(listings(f"SELECT count(DISTINCT {found}) FROM assessments AS a JOIN traces "
                                  "AS t USING (trace_id)"), ([(1,)], 1))
        # Without another scan that is open all the time.
        numbers = f"json_each('[\"{number}\", \"{number}\", \"none\"]')"
        self.assertEqual(listings(f"SELECT {found} FROM (SELECT value AS experiment_id FROM "
                                  f"{numbers}) AS t"), ([(name,), (name,), (None,)], 1))
        # The next statement, even of the same text, asks again.
        every = "SELECT name FROM mlflow_experiments"
        before, _ = listings(every)
        more = support.create_experiment(self.server, "joins one more")
        after, cost = listings(every)  # and other tests may have made some
        self.assertEqual(((more,) in before, (more,) in after, cost), (False, True, 1))

    def test_nothing_outlives_its_statement(self):
        experiment = support.create_experiment(self.server, "joins stale")
        now_ms = int(time.time() * 1000)
        ids = [f"tr-{now_ms:020x}{i:012x}" for i in range(3)]
        support.insert_traces(self.server, experiment, [
            {"trace_id": trace_id, "timestamp_ms": now_ms + i, "tags": {"state": "old"}}
            for i, trace_id in enumerate(ids)])
        connection = support.apsw_connection(self.server)
        connection.execute(f"CREATE VIRTUAL TABLE temp.t USING mlflow_traces(experiment = "
                           f"'{experiment}', tags.state AS version); CREATE TEMP TABLE l(id);")
        connection.executemany("INSERT INTO l VALUES (?)", [(i,) for i in ids * 10])
        for sql in ("SELECT version, count(*) FROM l LEFT JOIN t ON t.trace_id = l.id GROUP BY 1",
                    "SELECT version, count(*) / 4 FROM json_each('[1,2,3,4]') CROSS JOIN t GROUP BY 1"):
            def ask():
                return dict(connection.execute(sql).fetchall())

            each = 10 if "LEFT" in sql else 1
            self.assertEqual(ask(), {"old": 3 * each})
            self.server.call("PATCH", f"/api/3.0/mlflow/traces/{ids[0]}/tags",
                             {"key": "state", "value": "new"})
            self.assertEqual(ask(), {"old": 2 * each, "new": each})  # the same text again
            # While another statement is under way, too.
            other = connection.execute("SELECT trace_id FROM t")
            next(other)
            self.server.call("PATCH", f"/api/3.0/mlflow/traces/{ids[1]}/tags",
                             {"key": "state", "value": "new"})
            self.assertEqual(ask(), {"old": each, "new": 2 * each})
            self.assertEqual(len(list(other)), 2)
            for trace_id in ids:
                self.server.call("PATCH", f"/api/3.0/mlflow/traces/{trace_id}/tags",
                                 {"key": "state", "value": "old"})
        connection.close()

    def test_what_is_abandoned_awaits_nothing(self):
        connection = support.apsw_connection(self.server)
        connection.execute(self.setup)
        for source in ("spans", "traces CROSS JOIN spans USING (trace_id)",
                       "ids CROSS JOIN spans ON trace_id = id AND trace_id IN (SELECT id FROM ids)"):
            connection.execute("DELETE FROM before")
            connection.execute("INSERT INTO before SELECT max(rowid) FROM mlflow_requests")
            rows = connection.execute(f"SELECT trace_id FROM {source}")
            found = set()
            while len(found) < 45:  # after 8 and 32 more the others are fetched side by side
                found |= set(next(rows))
            rows.close()
            # A statement that still reads does not let the address be changed.
            self.assertEqual(connection.execute("SELECT mlflow_connect(?)",
                                                (self.server.uri,)).get, self.server.uri)
            self.assertGreater(json.loads(connection.execute(self.receipt).get)["batchGet"], 2)
        connection.close()

    def test_another_scan_holds_what_a_question_leaves_out(self):
        [[middle]] = support.apsw_connection(self.server).execute(
            "SELECT timestamp_ms FROM mlflow_traces WHERE experiment = ? "
            f"ORDER BY timestamp_ms LIMIT 1 OFFSET {TRACES // 2}", (self.experiment,))
        newer = f"s.timestamp_ms > {middle}"
        self.assertEqual(*(self.costs(sql, 3 * self.SCAN + 16, 40, 2 * TRACES) for sql in (
            f"SELECT count(*) FROM (SELECT id FROM ids UNION ALL SELECT trace_id FROM traces) AS l "
            f"CROSS JOIN spans AS s ON s.trace_id = l.id AND {newer}",
            f"SELECT count(*) FROM (SELECT id FROM ids UNION ALL SELECT trace_id FROM traces) AS l "
            f"CROSS JOIN (SELECT trace_id, timestamp_ms FROM spans) AS s "
            f"ON +s.trace_id = l.id AND +{newer}")))

    def test_another_scan_holds_what_a_list_leaves_out(self):
        asked = ("SELECT count(*), count(s.span_id) FROM (SELECT id FROM ids UNION ALL "
                 "SELECT trace_id FROM traces) AS l LEFT JOIN {} AS s "
                 "ON s.trace_id = l.id AND s.trace_id IN (SELECT id FROM ids)")
        expected, *_ = self.ask("CREATE TEMP TABLE copy AS SELECT * FROM spans;"
                                + asked.format("copy"))
        self.assertEqual(self.costs(asked.format("spans"), 3 * self.SCAN, 40, 2 * TRACES), expected)

    def test_what_is_remembered_stays_while_it_is_read(self):
        # At the first of its traces, a is interrupted by b, which wants an order: what is remembered
        # of a has none.
        rows, *_ = self.ask(
            "SELECT group_concat((SELECT count(*) FROM traces AS a WHERE j.value > 0 AND CASE "
            "WHEN a.trace_id = (SELECT id FROM ids WHERE rowid = 1) THEN (SELECT b.timestamp_ms "
            "FROM traces AS b WHERE b.request_preview IS NOT a.trace_id ORDER BY b.timestamp_ms "
            "LIMIT 1) ELSE 1 END > 0)) FROM json_each('[1,2,3,4,5]') AS j")
        self.assertEqual(rows, ",".join([str(TRACES)] * 5))

    def test_a_trace_that_goes_while_it_is_read(self):
        experiment = support.create_experiment(self.server, "joins deleted")
        now_ms = int(time.time() * 1000)
        ids = [f"tr-{now_ms:016x}dd{i:014x}" for i in range(12)]
        support.insert_traces(self.server, experiment, [
            {"trace_id": trace_id, "timestamp_ms": now_ms + i, "tags": {
                "mlflow.trace.spansLocation": "TRACKING_STORE"}} for i, trace_id in enumerate(ids)])
        connection = support.apsw_connection(self.server)
        rows = connection.execute("SELECT trace_id, request FROM mlflow_traces WHERE experiment = ? "
                                  "ORDER BY timestamp_ms", (experiment,))
        self.assertEqual(next(rows), (ids[0], None))
        support.delete_traces(self.server, experiment, ids[10:])
        self.assertEqual(list(rows), [(trace_id, None) for trace_id in ids[1:]])
        connection.close()
