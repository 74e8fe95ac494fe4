"""A server in use: others write to it while a scan reads it, and it restarts between two pages.

test_walk.py acts between two rows, at chosen moments; here things happen at any moment.
"""

import collections
import threading
import unittest

import support

START = 1_790_000_000_000
PAGE_ROWS = 10


def make(prefix, count, step_ms):
    return [{"trace_id": f"tr-{prefix}-{i}", "timestamp_ms": START + step_ms * i,
             "execution_time_ms": 1} for i in range(count)]


def scan(server, experiment, streams):
    """Yields the trace ids, oldest first."""
    with support.environment({"MLFLOW_SQL_PAGE_ROWS": str(PAGE_ROWS),
                              "MLFLOW_SQL_STREAMS": str(streams)}):
        connection = support.apsw_connection(server)
        for (trace_id,) in connection.execute(
                "SELECT trace_id FROM mlflow_traces WHERE experiment = ? ORDER BY timestamp_ms",
                (experiment,)):
            yield trace_id
        connection.close()


class Storm(unittest.TestCase):
    def run_on(self, name):
        server = support.start(name)
        experiment = support.create_experiment(server, "storm")
        stay = make("stays", 150, 7)
        doomed = make("goes", 40, 20)
        support.insert_traces(server, experiment, stay + doomed)
        over = threading.Event()

        def storm():
            fresh = iter(make("comes", 10_000, 3))
            while not over.is_set():
                support.insert_traces(server, experiment, [next(fresh)])
                if doomed:
                    support.delete_traces(server, experiment, [doomed.pop()["trace_id"]])

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            for streams in (1, 4, 1, 4):
                counts = collections.Counter(scan(server, experiment, streams))
                self.assertEqual([i for i, n in counts.items() if n > 1], [], "twice")
                self.assertEqual([t["trace_id"] for t in stay if t["trace_id"] not in counts], [],
                                 "missing")
        finally:
            over.set()
            thread.join()

    def test_sqlite_store(self):
        self.run_on(support.SQLITE)

    def test_postgresql_store(self):
        self.run_on(support.POSTGRESQL)


class Restart(unittest.TestCase):
    def test_between_two_pages(self):
        with support.live.Server() as own:
            server = support.Remote(support.SQLITE, own.uri)
            experiment = support.create_experiment(server, "restart")
            traces = make("restart", 60, 1)
            support.insert_traces(server, experiment, traces)
            seen = []
            for trace_id in scan(server, experiment, streams=1):
                seen.append(trace_id)
                if len(seen) == PAGE_ROWS + 3:
                    own.restart()
            self.assertEqual(seen, [trace["trace_id"] for trace in traces])
