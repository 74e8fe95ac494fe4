"""MLFLOW_SQL_FILTER: all that the tables show, and so all that the saved views, sql/report and sql/check
say, is of the traces that it finds; of a mirror the two scripts find them themselves.
"""

import tempfile
import unittest

import support

import mirrored
import scenario
import seed
import seeded
import test_agents
import test_check
import test_models
import test_report

NAME = "restricted"
COUNT = 340
PAGE = 100  # less than those that are found
FILTER = "tags.environment = 'production' AND trace.name = \"sql_assistant\""
DAYS = 2
CONSTANT = {"report_window", "threshold_metrics", "asked_thresholds"}  # these read no traces


def is_meant(trace):
    return trace.tags["environment"] == "production" and trace.name == "sql_assistant"


def is_inside(trace):
    return seeded.UNTIL_MS - DAYS * seeded.DAY_MS <= trace.start_ms < seeded.UNTIL_MS


def make(server, name):
    """The traces of an experiment of its own, of which the filter finds some."""
    traces = scenario.make_traces(COUNT, 3, seeded.UNTIL_MS, name)
    for place, trace in enumerate(traces):
        trace.run = None
        if place % 2:
            trace.name = trace.tags["mlflow.traceName"] = "sql_assistant"
            trace.tags["environment"] = "production"
    for trace in (trace for trace in traces if is_inside(trace)):
        if trace.state == "OK" and trace.start_ms % 9 == 0:
            trace.spans = test_agents.LOOPS
    seed.Writer(name).write_all(traces)
    return traces


class Restriction(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        seeded.use(cls.server)
        cls.name = support.create_experiment(cls.server, NAME)
        cls.traces = make(cls.server, cls.name)
        cls.meant = [trace.id for trace in cls.traces if is_meant(trace)]

    def database(self, **variables):
        database = seeded.Database(self.server, self.name, days=DAYS, until_ms=seeded.UNTIL_MS)
        database.environment |= {"MLFLOW_SQL_PAGE_ROWS": str(PAGE)} | variables
        database.shell(seeded.THRESHOLDS + test_models.Priced.insert_prices())
        return database

    def said(self, database):
        return {view: database.view(view, seeded.Database.newest) for view in database.views()}

    def test_1_tables(self):
        database = self.database(MLFLOW_SQL_FILTER=FILTER)
        plain = self.database()
        self.assertGreater(len(self.meant), PAGE + 1)
        self.assertLess(len(self.meant), COUNT)
        [inside, outside] = self.meant[0], next(t.id for t in self.traces if not is_meant(t))
        for table in "traces", "spans", "assessments":
            for sql, expected in (
                    (f"SELECT DISTINCT trace_id FROM {table}", set(self.meant)),
                    (f"SELECT trace_id FROM {table} WHERE trace_id = '{outside}'", set()),
                    (f"SELECT trace_id FROM {table} WHERE trace_id IN ('{outside}', '{inside}')",
                     {inside})):
                expected = {row["trace_id"] for row in plain.rows(sql)} & expected
                for ask in database.rows, database.newest:
                    self.assertEqual({row["trace_id"] for row in ask(sql)}, expected, sql)
        for order in "", " DESC":
            sql = f"SELECT trace_id FROM traces ORDER BY timestamp_ms{order}, trace_id LIMIT {PAGE + 1}"
            self.assertEqual(database.rows(sql), plain.rows(
                f"SELECT trace_id FROM traces WHERE filter = '{FILTER.replace(chr(39), chr(39) * 2)}' "
                f"ORDER BY timestamp_ms{order}, trace_id LIMIT {PAGE + 1}"))
        # What a statement asks for itself comes on top, and the column shows that alone.
        own = "SELECT count(*) AS n, count(filter) AS shown FROM traces"
        [row] = database.rows(own)
        self.assertEqual((row["n"], row["shown"]), (len(self.meant), 0))
        [row] = database.rows(own + " WHERE filter = 'attributes.status = ''ERROR'''")
        errors = [t for t in self.traces if is_meant(t) and t.state == "ERROR"]
        self.assertEqual((row["n"], row["shown"]), (len(errors), len(errors)))

    def test_2_what_is_sent(self):
        """The window is sent as ever, and a filter that is not set changes no request."""
        window = "SELECT count(*) FROM traces WHERE timestamp_ms >= 1 AND timestamp_ms < 2"
        said = [database.filters(window) for database in (
            self.database(MLFLOW_SQL_FILTER=FILTER), self.database(MLFLOW_SQL_FILTER=""),
            self.database())]
        self.assertEqual(said[0], [{"filter": f"attributes.timestamp_ms = 1 AND {FILTER}"}])
        self.assertEqual(said[1], [{"filter": "attributes.timestamp_ms = 1"}])
        self.assertEqual(said[1], said[2])

    def test_2_a_time_in_it_is_never_sent_beside_conditions_on_spans(self):
        """The server would ask for spans that began after it, too, and leave out other traces."""
        timed = {"MLFLOW_SQL_FILTER": f"{FILTER} AND timestamp_ms >= 1"}
        spans = "SELECT count(*) AS n FROM spans WHERE name = 'x'"
        self.assertTrue(any("span.name = 'x'" in each["filter"] for each in self.database(
            MLFLOW_SQL_FILTER=FILTER).filters(spans)))
        self.assertFalse(any("span.name" in each["filter"]
                             for each in self.database(**timed).filters(spans)))
        raw = "SELECT count(*) AS n FROM traces WHERE filter = '{}'"
        self.database(**timed).rows(raw.format("tags.a = ''span''"))
        for filter in ("span.name = ''x''", "trace.TEXT LIKE ''%x%''"):
            with self.assertRaisesRegex(RuntimeError, "MLFLOW_SQL_FILTER of a time"):
                self.database(**timed).rows(raw.format(filter))

    def test_3_what_is_refused(self):
        for wrong, why in (("span.type = 'TOOL'", "speaks of spans or of a run"),
                           ("attributes.run_id = 'r'", "speaks of spans or of a run"),
                           ("metadata.`mlflow.sourceRun` = 'r'", "speaks of spans or of a run"),
                           ("trace.text LIKE '%x%'", "speaks of spans or of a run"),
                           ("tags.a = 'span' AND `span`.name = 'x'", "speaks of spans or of a run"),
                           ("attributes.\"text\" LIKE '%x%'", "speaks of spans or of a run"),
                           ("tags.a = 'b' OR tags.a = 'c'", "Invalid clause")):
            with self.assertRaisesRegex(RuntimeError, why, msg=wrong):
                self.database(MLFLOW_SQL_FILTER=wrong).rows("SELECT count(*) FROM traces")
        for fine in ("tags.text_span = 'a' AND trace.name != 'a span of \"text\"'",
                     "tags.a = \"span\""):
            self.database(MLFLOW_SQL_FILTER=fine).rows("SELECT count(*) AS n FROM traces")
        with self.assertRaisesRegex(RuntimeError, "metrics know no such filter"):
            self.database(MLFLOW_SQL_FILTER=FILTER).rows(
                "SELECT * FROM mlflow_metrics WHERE view = 'traces' AND metric = 'trace_count' "
                "AND aggregation = 'count'")
        with tempfile.TemporaryDirectory() as folder:
            mirror = mirrored.Mirror(self.server, self.name, folder)
            with self.assertRaisesRegex(RuntimeError, "a mirror is of all traces"):
                mirror.sync(MLFLOW_SQL_FILTER=FILTER)

    def test_4_the_scripts_over_a_mirror(self):
        with tempfile.TemporaryDirectory() as folder:
            mirror = mirrored.Mirror(self.server, self.name, folder, spans_days=None)
            mirror.sync()
            window = ("--days", str(DAYS), "--until", "2026-03-06 15:00", "--filter")
            there = ("--file", mirror.path)
            judged = [test_check.judged(self.server, self.name, "--at-least", "requests=1",
                                        "--at-least", "scorer.concise_communication=0.5", *window,
                                        FILTER, *options) for options in ((), there)]
            self.assertEqual(*judged)
            self.assertEqual(judged[0][1]["checks"][0]["value"],
                             sum(is_meant(trace) and is_inside(trace) for trace in self.traces))
            self.assertGreater(judged[0][1]["checks"][1]["n"], 0)
            texts = [test_report.report(self.server, self.name, folder, *window, FILTER,
                                        *options)[1].splitlines() for options in ((), there)]
            shown = [[line for line in text if line.startswith("  ")] for text in texts]
            self.assertEqual(*shown)
            self.assertIn(FILTER, "\n".join(texts[1]))
            for wrong, why in (
                    ("trace.status = 'OK'", "= 'value', AND alone"),
                    ("tags.a = 'b' OR tags.a = 'c'", "= 'value', AND alone"),
                    ("tags.a = 'b' AND", "= 'value', AND alone"),
                    ("tags.a != 'b'", "= 'value', AND alone"),
                    ("tags.Name = 'b'", "only a server knows what it makes of the key Name")):
                with self.assertRaisesRegex(RuntimeError, why, msg=wrong):
                    test_report.report(self.server, self.name, folder, *there, "--filter", wrong)
            quoted = "tags.`it's` = \"it's\" AND metadata.a.b = ''"
            with self.assertRaisesRegex(RuntimeError, "AND alone"):
                test_check.judged(self.server, self.name, "--at-least", "requests=1", *there,
                                  "--filter", quoted)
            quoted = quoted.replace("a.b", "`a.b`")
            _, said = test_check.judged(self.server, self.name, "--at-least", "requests=1", *there,
                                        "--filter", quoted)
            self.assertEqual((said["checks"][0]["value"], said["filter"]), (0, quoted))

    def test_5_every_view_is_that_of_a_server_with_these_traces_alone(self):
        unrestricted = self.said(self.database())
        restricted = self.said(self.database(MLFLOW_SQL_FILTER=FILTER))
        others = [trace.id for trace in self.traces if not is_meant(trace)]
        for i in range(0, len(others), 100):
            support.delete_traces(self.server, self.name, others[i:i + 100])
        alone = self.said(self.database())
        for view, rows in alone.items():
            with self.subTest(view):
                self.assertTrue(seeded.same(restricted[view], rows), (restricted[view][:2], rows[:2]))
                self.assertEqual(rows == unrestricted[view], view in CONSTANT)
