"""The files of sql/: the seven patterns answer what they ask, at the cost that they name; scripts
can be read twice; views outlive the connection, see what changed, and send conditions on.
"""

import json
import re
import time
import unittest

import support

import seeded

PATTERNS = sorted((seeded.SQL / "patterns").glob("*.sql"))
COST = re.compile(r"at most (\d+) requests?, (\d+) payloads?", re.IGNORECASE)


def answers(shown):
    """The answers in what the shell shows in mode json."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(shown):
        answer, at = decoder.raw_decode(shown, at)
        found.append(answer)
        while at < len(shown) and shown[at].isspace():
            at += 1
    return found


class Patterns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.name = seeded.experiment(cls.server, "all")
        cls.database = seeded.Database(cls.server, cls.name, until_ms=seeded.UNTIL_MS)

    def path(self, number):
        [path] = [path for path in PATTERNS if path.name.startswith(f"{number:02}_")]
        return path

    def read(self, number, parameters=""):
        return answers(self.database.shell(f"{parameters}\n.mode json\n.read {self.path(number)}"))

    def search(self, filter_string, count=10):
        mlflow = seeded.use(self.server)
        number = mlflow.get_experiment_by_name(self.name).experiment_id
        found = mlflow.search_traces(locations=[number], filter_string=filter_string,
                                     return_type="list", max_results=count, include_spans=False)
        return [trace.info.trace_id for trace in found]

    def ids(self, answer):
        return [row["trace_id"] for row in answer]

    def test_there_are_seven(self):
        self.assertEqual([int(path.name[:2]) for path in PATTERNS], list(range(1, 8)))

    def test_basic_search(self):
        self.assertEqual([self.ids(answer) for answer in self.read(1)], list(map(self.search, [
            None, "attributes.status = 'OK'", "attributes.status = 'ERROR'",
            "attributes.execution_time_ms > 5000"])))  # no trace is of the last hour
        self.assertEqual(len(self.read(1, ".parameter set :rows 3")[0]), 3)

    def test_the_last_hour(self):
        experiment = support.create_experiment(self.server, "last hour")
        now = int(time.time() * 1000)
        minutes = {f"tr-{now}-{minutes}": minutes for minutes in (1, 58, 62)}
        support.insert_traces(self.server, experiment, [
            {"trace_id": trace_id, "timestamp_ms": now - 60_000 * ago}
            for trace_id, ago in minutes.items()])
        database = seeded.Database(self.server, experiment)
        found = answers(database.shell(f".mode json\n.read {self.path(1)}"))
        self.assertEqual(self.ids(found[0]), list(minutes))
        self.assertEqual(self.ids(found[-1]), list(minutes)[:2])

    def test_tags_and_metadata(self):
        self.assertEqual([self.ids(answer) for answer in self.read(2)], list(map(self.search, [
            "tags.environment = 'production'", "tags.`mlflow.traceName` = 'support_agent'",
            "metadata.`mlflow.trace.user` = 'alice@example.com'",
            "attributes.status = 'OK' AND tags.environment = 'production' AND "
            "attributes.execution_time_ms < 2000"])))
        found = self.read(2, ".parameter set :environment \"'staging'\"")
        self.assertEqual(self.ids(found[0]), self.search("tags.environment = 'staging'"))

    def test_trace_quality(self):
        [quality], errors = self.read(3)
        [view] = self.database.rows("SELECT * FROM trace_quality")
        shown = json.loads(view.pop("sample_errors"))
        self.assertEqual(quality, view)
        self.assertEqual([row["trace_id"] for row in errors], [e["trace_id"] for e in shown])

    def test_failing_cases(self):
        run = self.database.rows("SELECT run_id FROM assessments WHERE run_id IS NOT NULL AND "
                                 "name = 'concise_communication' AND valid = 1 "
                                 "ORDER BY create_time_ms DESC LIMIT 1")[0]["run_id"]
        expected = self.database.rows("SELECT trace_id, failure_reason, inputs, outputs "
                                      f"FROM failing_cases WHERE run_id = '{run}' "
                                      "AND scorer = 'concise_communication'")
        self.assertEqual(self.read(4)[:1], [expected] if expected else [])
        odd = self.database.rows("SELECT evaluated_in FROM failing_cases WHERE scorer = 'odd' "
                                 "LIMIT 1")
        cases, crashed = self.read(4, f".parameter set :run_id \"'{odd[0]['evaluated_in']}'\"\n"
                                      ".parameter set :scorer odd")
        self.assertEqual((len(cases), len(crashed)), (3, 1))

    def test_span_profile(self):
        newest = self.search(None, 1)[0]
        other = self.search("attributes.status = 'ERROR'", 1)[0]
        for trace, parameters in ((newest, ""),
                                  (other, f".parameter set :trace_id \"'{other}'\"")):
            [profile] = self.read(5, parameters)
            self.assertEqual(profile, self.database.rows(
                "SELECT span_type, count, total_time_s, wall_time_s, self_time_s, critical_time_s, "
                f"avg_time_s, max_time_s FROM span_profile WHERE trace_id = '{trace}' "
                "ORDER BY self_time_s DESC"))

    def test_diverse_dataset(self):
        [dataset] = self.read(6)
        self.assertEqual(len(dataset), 50)
        self.assertEqual(dataset, self.database.rows("SELECT * FROM diverse_eval_dataset"))

    def test_daily_report(self):
        days, hours = self.read(7)
        self.assertEqual(days, self.database.rows("SELECT * FROM daily_quality"))
        for hour in hours:
            hour.pop("volume")
        self.assertEqual(hours, self.database.rows(
            "SELECT hour, requests, errors FROM hourly_volume"))

    def test_patterns_cost_what_they_say(self):
        for path in PATTERNS:
            header = path.read_text().replace("\n-- ", " ").split("\n\n")[0]
            most = tuple(map(int, COST.search(header).groups()))
            requests, payloads = self.database.receipt(f".read {path}")
            with self.subTest(path.name):
                self.assertGreater(requests, 0)
                self.assertLessEqual((requests, payloads), most)
                self.assertLessEqual(payloads, most[1])

    def test_patterns_run_over_nothing(self):
        for kind in ("empty", "in progress", "errors"):
            name = seeded.experiment(self.server, kind)
            database = seeded.Database(self.server, name, until_ms=seeded.UNTIL_MS)
            for path in PATTERNS:
                database.shell(f".read {path}")


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.name = seeded.experiment(cls.server, "all")

    def test_reading_again_keeps_the_settings_and_sends_nothing(self):
        database = seeded.Database(self.server, self.name, days=3, zone="+02:00")
        cost = database.receipt(seeded.READ_SCRIPTS)
        self.assertEqual(cost, (0, 0))
        self.assertEqual(database.rows("SELECT * FROM report_settings"), [
            {"one": 1, "days": 3, "sample_size": 50, "seed": 42, "zone": "+02:00",
             "until_ms": None}])

    def test_settings_that_cannot_be_are_refused(self):
        database = seeded.Database(self.server, self.name)
        for wrong in ("days = 0", "days = -0.5", "days = 3660.5", "days = 'week'", "sample_size = -1",
                      "seed = NULL", "zone = 'Europe/Berlin'", "zone = '+25:00'", "zone = '+14:01'",
                      "zone = NULL", "until_ms = 'now'", "one = 2"):
            with self.assertRaises(RuntimeError, msg=wrong):
                database.shell(f"UPDATE report_settings SET {wrong};")
        with self.assertRaises(RuntimeError):
            database.shell("INSERT INTO report_settings(one) VALUES (2);")
        database.shell("UPDATE report_settings SET days = 0.25;")
        self.assertEqual(database.rows("SELECT until_ms - from_ms AS ms FROM report_window"),
                         [{"ms": 6 * 3_600_000}])

    def test_a_restriction_is_of_all_three_tables_or_of_none(self):
        restriction = "trace.name = 'sql_assistant'".replace("'", "''")
        views = [f"CREATE VIEW {table} AS SELECT *{more} FROM mlflow_{table} "
                 f"WHERE filter = '{restriction}';" for table, more in (
                     ("traces", ""), ("spans", ", timestamp_ms"),
                     ("assessments", ", timestamp_ms, trace_run_id, in_run"))]
        for own in (views[:1], views[1:2], views[:2], views[1:],
                    ["CREATE TABLE traces(trace_id);"],
                    *([f"CREATE VIRTUAL TABLE {table} USING mlflow_{table}({argument});"
                       for table in tables] for tables, argument in (
                           (["traces"], "experiment = 'x'"), (["spans"], "experiments='x'"),
                           (["Assessments"], "tags.a, EXPERIMENT\t=\r\n'x'"),
                           (["traces", "spans"], "experiments  =  'x, y'")))):
            with self.assertRaisesRegex(RuntimeError, "saved views would mix them"):
                support.shell("\n".join([*own, seeded.READ_SCRIPTS]))
        for own in ([f"CREATE VIRTUAL TABLE {table} USING mlflow_{table}(experiment = 'x');"
                     for table in ("traces", "spans", "assessments")],
                    *([f"CREATE VIRTUAL TABLE traces {using}(tags.environment);"] for using in (
                        "USING mlflow_traces", "using\n  mlflow_traces",
                        'USING  "mlflow_traces"'))):
            support.shell("\n".join([*own, seeded.READ_SCRIPTS, seeded.READ_SCRIPTS]))
        tell = (f"UPDATE report_settings SET days = 10, until_ms = {seeded.UNTIL_MS};\n"
                "SELECT total FROM trace_quality;\nSELECT sum(calls) FROM llm_calls;\n"
                "SELECT sum(given) FROM scorer_quality;")
        database = seeded.Database(self.server, self.name, days=10, until_ms=seeded.UNTIL_MS)
        ids = "IN (SELECT trace_id FROM mlflow_traces WHERE name = 'sql_assistant') "
        window = "AND timestamp_ms >= (SELECT from_ms FROM report_window) " \
                 "AND timestamp_ms < (SELECT until_ms FROM report_window)"
        wanted = database.shell(
            f"SELECT count(*) FROM traces WHERE trace_id {ids}{window};\n"
            f"SELECT count(*) FROM spans WHERE trace_id {ids}{window} "
            "AND span_type IN ('CHAT_MODEL', 'LLM', 'EMBEDDING');\n"
            f"SELECT count(*) FROM assessments WHERE trace_id {ids}{window} "
            "AND assessment_type = 'feedback' AND valid;")
        said = support.shell("\n".join([*views, seeded.READ_SCRIPTS, tell]), self.server,
                             MLFLOW_EXPERIMENT_NAME=self.name)
        self.assertEqual(said, wanted)
        self.assertNotIn("0", said.split("\n"))

    def test_tables_of_ones_own_stay(self):
        database = seeded.Database(self.server, self.name, days=2, until_ms=seeded.UNTIL_MS)
        remote = {view: database.view(view) for view in database.views()}
        # The same views over local copies give the same figures, and ask nobody.
        database.shell(
            "DROP TABLE traces; CREATE TABLE traces AS SELECT * FROM mlflow_traces;\n"
            "DROP TABLE spans; CREATE TABLE spans AS SELECT * FROM mlflow_spans;\n"
            "DROP TABLE assessments; CREATE TABLE assessments AS "
            "SELECT *, trace_run_id, in_run FROM mlflow_assessments;\n" + seeded.READ_SCRIPTS)
        for view, rows in remote.items():
            with self.subTest(view):
                self.assertTrue(seeded.same(database.view(view), rows))
                self.assertEqual(database.receipt(f"SELECT * FROM {view};"), (0, 0))

    def test_views_see_what_changed(self):
        experiment = support.create_experiment(self.server, "changing")
        database = seeded.Database(self.server, experiment)  # until now, whenever that is
        quality = "SELECT total, success_rate, error_count FROM trace_quality"
        self.assertEqual(database.rows(quality),
                         [{"total": 0, "success_rate": None, "error_count": 0}])
        now = int(time.time() * 1000)
        prefix = f"tr-{now}"
        support.insert_traces(self.server, experiment, [
            {"trace_id": f"{prefix}{i}", "timestamp_ms": now - 1000 * i, "execution_time_ms": i,
             "status": "ERROR" if i == 0 else "OK"} for i in range(4)])
        self.assertEqual(database.rows(quality),
                         [{"total": 4, "success_rate": 0.75, "error_count": 1}])
        [errors] = database.rows("SELECT * FROM error_groups")
        self.assertEqual((errors["traces"], errors["message"]), (1, None))  # a trace without spans
        support.delete_traces(self.server, experiment, [f"{prefix}0"])
        self.assertEqual(database.rows(quality),
                         [{"total": 3, "success_rate": 1.0, "error_count": 0}])

    def test_latencies_are_of_finished_traces(self):
        """A trace in progress has a time on a real server, as when a child came before its root."""
        experiment = support.create_experiment(self.server, "still going")
        now = int(time.time() * 1000)
        support.insert_traces(self.server, experiment, [
            {"trace_id": f"tr-{now}{i}", "timestamp_ms": now - i, "execution_time_ms": ms,
             "status": "IN_PROGRESS" if ms > 100 else "OK"} for i, ms in enumerate((10, 20, 9000))])
        database = seeded.Database(self.server, experiment)
        self.assertEqual(database.rows("SELECT max(execution_time_ms) AS ms FROM traces"),
                         [{"ms": 9000}])
        self.assertEqual(database.rows("SELECT avg_latency_ms, p99_latency_ms FROM trace_quality"),
                         [{"avg_latency_ms": 15.0, "p99_latency_ms": 19.9}])
        [day] = database.rows("SELECT * FROM daily_quality WHERE total_requests")
        self.assertEqual((day["mean_latency_ms"], day["p95_latency_ms"]), (15.0, 19.5))
        [median] = database.rows("SELECT n_now, now FROM compare_periods "
                                 "WHERE metric = 'p50_latency_ms'")
        self.assertEqual(median, {"n_now": 2, "now": 15.0})

    def test_a_period_without_enough_ranks_is_too_few(self):
        """Of 30 latencies the 95th percentile has no upper bound: neither before nor now."""
        experiment = support.create_experiment(self.server, "few ranks")
        now = int(time.time() * 1000)
        for period, (count, ms) in enumerate(((400, 1000), (30, 10), (400, 1000))):
            support.insert_traces(self.server, experiment, [
                {"trace_id": f"tr-{now}{period}{i}", "status": "OK", "execution_time_ms": ms + i % 7,
                 "timestamp_ms": now - period * seeded.DAY_MS - 60_000 - i} for i in range(count)])
        database = seeded.Database(self.server, experiment, days=1)
        for until_ms, bound in ((now, "low"), (now - seeded.DAY_MS, "high")):
            database.settings(until_ms=until_ms)
            said = {row["metric"]: row for row in database.rows("SELECT * FROM compare_periods")}
            self.assertEqual(sorted((said["p95_latency_ms"]["n_before"],
                                     said["p95_latency_ms"]["n_now"])), [30, 400])
            self.assertIsNone(said["p95_latency_ms"][bound])
            self.assertEqual(said["p95_latency_ms"]["verdict"], "too few")
            self.assertIn(said["p50_latency_ms"]["verdict"], ("higher", "lower"))

    def test_conditions_reach_the_table_through_the_views(self):
        database = seeded.Database(self.server, self.name)
        for sql, terms in (
                ("failing_cases WHERE run_id = 'r' AND scorer = 's'",
                 ["in_run = ?", "name = ?", "assessment_type = ?", "valid = ?",
                  "SCAN t VIRTUAL TABLE INDEX 0:trace_id = ?"]),
                ("failing_cases WHERE trace_id = 't' AND timestamp_ms > 5",
                 ["trace_id = ?", "timestamp_ms > ?"]),
                ("judge_errors WHERE run_id = 'r' AND scorer = 's'",
                 ["in_run = ?", "name = ?"]),
                ("scorer_quality WHERE scorer = 's'", ["name = ?", "timestamp_ms >= ?"]),
                ("span_profile WHERE trace_id = 't'", ["trace_id = ?"]),
                ("sessions WHERE session_id = 's'", ["session_id = ?", "timestamp_ms < ?"]),
                ("trace_quality", ["timestamp_ms >= ? AND timestamp_ms < ?", "status = ?"]),
                ("slowest", ["timestamp_ms >= ? AND timestamp_ms < ?", "trace_id IN (?)"]),
                ("diverse_eval_dataset", ["status IN (?)", "trace_id IN (?)"])):
            sql = f"EXPLAIN QUERY PLAN SELECT * FROM {sql}"
            database.connection = None  # a plan that no other statement had a part in
            newest = "\n".join(row["detail"] for row in database.newest(sql))
            for plan in (database.shell(sql + ";"), newest):
                for term in terms:
                    self.assertIn(term, plan, sql)
