"""The window of the saved views is half-open to the millisecond, and ends now unless said otherwise:
over copies of the demo's traces, whose times are then those of a trace.
"""

import datetime
import time
import unittest

import support

import seeded

ALL_TIME = {"failing_cases", "judge_errors", "span_profile"}
NO_TRACES = {"report_window", "asked_thresholds", "threshold_metrics"}
WHOLE = {"daily_quality", "hourly_volume"}  # of whole days and hours, whenever the window begins
COPIES = """DROP TABLE traces; CREATE TABLE traces AS SELECT * FROM mlflow_traces;
DROP TABLE spans; CREATE TABLE spans AS SELECT *, timestamp_ms FROM mlflow_spans;
DROP TABLE assessments;
CREATE TABLE assessments AS SELECT *, timestamp_ms, trace_run_id, in_run FROM mlflow_assessments;
INSERT INTO spans SELECT * FROM spans WHERE span_type = 'TOOL';  -- each tool is called again
INSERT INTO thresholds
SELECT metric, 'at least', 1 FROM threshold_metrics WHERE metric NOT IN ('cost_a_day', 'scorer.NAME')
UNION SELECT 'scorer.' || name, 'at least', 1 FROM assessments WHERE assessment_type = 'feedback';
CREATE INDEX spans_of ON spans(trace_id); CREATE INDEX assessments_of ON assessments(trace_id);
"""
EDGES = """SELECT timestamp_ms FROM (
  SELECT timestamp_ms FROM traces WHERE status = 'ERROR' AND session_id IS NOT NULL AND trace_id IN (
    SELECT trace_id FROM spans WHERE span_type = 'TOOL' INTERSECT
    SELECT trace_id FROM spans WHERE span_type = 'RETRIEVER')
  ORDER BY trace_id LIMIT 2)
UNION SELECT timestamp_ms FROM (SELECT timestamp_ms FROM traces ORDER BY execution_time_ms DESC LIMIT 1)
UNION SELECT timestamp_ms FROM (
  SELECT timestamp_ms FROM assessments WHERE assessment_type = 'feedback'
  GROUP BY trace_id, name HAVING count(DISTINCT source_type) > 1 AND count(DISTINCT value_json) > 1
  ORDER BY trace_id LIMIT 1)
ORDER BY 1"""


class Windows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.database = seeded.Database(cls.server, seeded.experiment(cls.server, "all"))
        cls.database.shell(COPIES)
        cls.views = set(cls.database.views()) - ALL_TIME - NO_TRACES

    def said(self, from_ms, until_ms):
        """{view: rows} of this window."""
        self.database.newest(f"UPDATE report_settings SET until_ms = {until_ms}, "
                             f"days = ({until_ms} - {from_ms}) / 86400000.0")
        [window] = self.database.newest("SELECT from_ms, until_ms FROM report_window")
        self.assertEqual(window, {"from_ms": from_ms, "until_ms": until_ms})
        found = {view: self.database.view(view, seeded.Database.newest) for view in self.views}
        for row in found["recent_errors"]:
            row.pop("since_ms")  # moves with the end
        return found

    def check(self, nothing_between, something_between):
        """Two pairs of windows: what is said of the first pair is the same. Gives the views that
        tell the second apart."""
        one, other = (self.said(*window) for window in nothing_between)
        for view in self.views:
            with self.subTest(view, windows=nothing_between):
                self.assertTrue(seeded.same(one[view], other[view]))
        one, other = (self.said(*window) for window in something_between)
        return {view for view in self.views if not seeded.same(one[view], other[view])}

    def test_it_is_half_open(self):
        edges = [row["timestamp_ms"] for row in self.database.newest(EDGES)]
        self.assertGreater(len(edges), 3)
        first, last = [], []
        for edge in edges:
            until = edge + 47 * 3_600_000
            first += self.check([(edge, until), (edge - 1, until)],
                                [(edge, until), (edge + 1, until)])
            begin = edge - 2 * seeded.DAY_MS
            last += self.check([(begin, edge), (begin, edge - 1)],
                               [(begin, edge), (begin, edge + 1)])
        self.assertEqual(self.views - set(first), WHOLE)
        self.assertEqual(self.views - set(last), set())

    def test_days_and_hours_end_with_the_window(self):
        midnight = datetime.datetime(2026, 3, 5, tzinfo=datetime.timezone.utc)
        for ms, day, hour in ((0, "2026-03-04", "2026-03-04 23:00"),
                              (1, "2026-03-05", "2026-03-05 00:00"),
                              (3_600_000, "2026-03-05", "2026-03-05 00:00"),
                              (3_600_001, "2026-03-05", "2026-03-05 01:00")):
            until_ms = int(midnight.timestamp() * 1000) + ms
            self.database.newest(f"UPDATE report_settings SET until_ms = {until_ms}, days = 2")
            for view, column, newest, count in (("daily_quality", "day", day, 2),
                                                ("hourly_volume", "hour", hour, 24)):
                rows = self.database.newest(f"SELECT {column} AS at FROM {view}")
                self.assertEqual((rows[0]["at"], len(rows)), (newest, count), (view, ms))

    def test_it_ends_now(self):
        self.database.newest("UPDATE report_settings SET until_ms = NULL, days = 0.25")
        before_ms = int(time.time() * 1000)
        [window] = self.database.newest("SELECT from_ms, until_ms FROM report_window")
        after_ms = int(time.time() * 1000)
        self.assertLess(before_ms, window["until_ms"])  # so that a trace of just now is in it
        self.assertLessEqual(window["until_ms"], after_ms + 2)
        self.assertEqual(window["until_ms"] - window["from_ms"], 6 * 3_600_000)
