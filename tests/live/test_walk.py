"""A scan sees each trace that existed throughout exactly once, whatever happens meanwhile.

On real servers, with small pages so that a scan takes many: traces are inserted and deleted while it
runs, many share a millisecond, the server goes away between pages, and the statement is interrupted
or abandoned. The newest SQLite runs the statements, in this process, so that a test can act between
two rows.
"""

import threading
import time
import unittest

import support

START = 1_790_000_000_000


def make(prefix, times):
    return [{"trace_id": f"tr-{prefix}{i:020d}", "timestamp_ms": ms, "execution_time_ms": i}
            for i, ms in enumerate(times)]


class Walk:
    """The tests; a subclass for each server."""

    name = None

    def setUp(self):
        self.server = support.start(self.name)
        self.experiment = support.create_experiment(self.server, "walk")

    def insert(self, prefix, times):
        made = make(prefix, times)
        support.insert_traces(self.server, self.experiment, made)
        return [trace["trace_id"] for trace in made]

    def scan(self, page_rows, streams, tail=""):
        """An iterator over the ids of a scan."""
        with support.environment({"MLFLOW_SQL_PAGE_ROWS": str(page_rows),
                                  "MLFLOW_SQL_STREAMS": str(streams)}):
            connection = support.apsw_connection(self.server)
            self.cursor = connection.cursor()
            statement = f"SELECT trace_id FROM mlflow_traces WHERE experiment = ? {tail}"
            for (trace_id,) in self.cursor.execute(statement, (self.experiment,)):
                yield trace_id

    def test_inserts_and_deletes_meanwhile(self):
        for page_rows, streams, tail in ((5, 1, ""), (7, 4, ""), (5, 1, "ORDER BY timestamp_ms")):
            before = self.insert(f"a{page_rows}{streams}{len(tail)}x",
                                 [START + 10 * (i // 2) for i in range(80)])
            doomed = before[1::9]
            seen, inserted = [], 0
            for number, trace_id in enumerate(self.scan(page_rows, streams, tail)):
                seen.append(trace_id)
                if number % 6 == 5 and doomed:
                    support.delete_traces(self.server, self.experiment, [doomed.pop()])
                    self.insert(f"n{page_rows}{streams}{len(tail)}y{inserted}z",
                                [START + 37 * inserted, START + 10_000_000 + inserted])
                    inserted += 1
            self.assertGreater(inserted, 5)
            self.assertEqual(len(seen), len(set(seen)), "a trace came twice")
            throughout = set(before) - set(before[1::9])
            self.assertEqual(throughout - set(seen), set(), "a trace is missing")

    def test_more_traces_in_a_millisecond_than_a_page(self):
        ids = self.insert("tie", [START] * 23 + [START + 1] * 2 + [START - 5] * 11 + [START + 9])
        for page_rows in (1, 2, 5, 11, 23, 100):
            for streams in (1, 4):
                for tail in ("", "ORDER BY timestamp_ms", "ORDER BY timestamp_ms DESC LIMIT 30"):
                    seen = list(self.scan(page_rows, streams, tail))
                    self.assertEqual(len(seen), len(set(seen)))
                    if "LIMIT" in tail:
                        self.assertEqual(len(seen), 30)
                    else:
                        self.assertEqual(sorted(seen), sorted(ids), (page_rows, streams, tail))

    def test_beside_a_raw_filter(self):
        self.insert("raw", range(START, START + 60))
        later = f"AND timestamp_ms >= {START + 30}"
        raw = "AND filter = 'attributes.execution_time_ms >= 0'"
        for tail, expected in ((f"{later} ORDER BY timestamp_ms", 30), ("ORDER BY timestamp_ms", 60),
                               (f"{later} ORDER BY timestamp_ms DESC", 30), (later, 30)):
            self.assertEqual(len(list(self.scan(7, 3, f"{raw} {tail}"))), expected, tail)

    def test_deletes_inside_a_millisecond(self):
        ids = self.insert("dense", [START] * 40)
        doomed = ids[2::5]
        seen = []
        for number, trace_id in enumerate(self.scan(6, 1)):
            seen.append(trace_id)
            if number % 4 == 3 and doomed:
                support.delete_traces(self.server, self.experiment, [doomed.pop(0)])
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(set(ids) - set(ids[2::5]) - set(seen), set())

    def test_times_far_apart(self):
        times = [START + 86_400_000 * 30 * i + j for i in range(6) for j in range(9)] + [1, 2]
        ids = self.insert("far", times)
        for page_rows, streams in ((3, 4), (4, 16), (50, 2)):
            seen = list(self.scan(page_rows, streams))
            self.assertEqual(sorted(seen), sorted(ids))
            newest_first = [t["trace_id"] for t in sorted(
                make("far", times), key=lambda t: (-t["timestamp_ms"], t["trace_id"]))]
            self.assertEqual(list(self.scan(page_rows, streams, "ORDER BY timestamp_ms DESC")),
                             newest_first)

    def test_a_bound_far_before_the_oldest_costs_nothing(self):
        ids = self.insert("near", [START + i for i in range(60)])
        for tail in ("AND timestamp_ms > 0", "AND timestamp_ms >= -9223372036854775807"):
            self.assertEqual(sorted(self.scan(5, 4, tail)), sorted(ids))
            searches = self.cursor.connection.execute(
                "SELECT count(*) FROM mlflow_requests WHERE endpoint LIKE '%/traces/search'").get
            self.assertLessEqual(searches, 60 / 4 + 4, tail)

    def test_an_abandoned_scan_sends_nothing_more(self):
        self.insert("left", [START + i for i in range(60)])
        rows = self.scan(10, 4)
        for _ in range(30):
            next(rows)
        connection = self.cursor.connection
        rows.close()
        self.cursor.close(True)
        count = "SELECT count(*) FROM mlflow_requests"
        before = connection.cursor().execute(count).fetchone()
        time.sleep(0.3)
        self.assertEqual(connection.cursor().execute(count).fetchone(), before)

    def test_interrupt(self):
        import apsw

        self.insert("stop", [START + i for i in range(50)])
        for delay in (0.0, 0.01, 0.05, 0.1):
            connection = support.apsw_connection(self.server)
            stopped = []

            def interrupt(connection=connection, stopped=stopped):
                stopped.append(time.monotonic())
                connection.interrupt()

            # Endless: each row of the left side reads the server anew.
            statement = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                         "SELECT count(*) FROM n CROSS JOIN mlflow_traces AS t "
                         "WHERE t.experiment = ? AND t.execution_time_ms >= n.i % 3")
            timer = threading.Timer(0.3 + delay, interrupt)
            timer.start()
            with self.assertRaises(apsw.InterruptError):
                connection.cursor().execute(statement, (self.experiment,)).fetchall()
            self.assertLess(time.monotonic() - stopped[0], 0.25)
            # And the connection is usable at once.
            after = connection.cursor().execute(
                "SELECT count(*) FROM mlflow_traces WHERE experiment = ?", (self.experiment,))
            self.assertEqual(after.fetchall(), [(50,)])


for name in support.servers():
    case = "Walk_" + name.replace("-", "_").replace(".", "_")
    globals()[case] = type(case, (Walk, unittest.TestCase), {"name": name})
