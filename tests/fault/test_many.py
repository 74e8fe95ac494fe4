"""Many at once: threads with connections of their own, cursors side by side, statements dropped.

Nothing is shared that two threads could spoil, and what a statement held is given back when it ends.
"""

import json
import os
import threading
import unittest

import support
from hostile_server import HostileServer

THREADS = 8
ROUNDS = 25
ROWS = 40


def page(more):
    traces = [{"trace_id": f"t{i}", "request_time": support.timestamp(1_790_000_000_000 - i),
               "state": "OK", "trace_location": {"mlflow_experiment": {"experiment_id": "1"}}}
              for i in range(ROWS)]
    return json.dumps({"traces": traces} | ({"next_page_token": "x"} if more else {}))


class Many(unittest.TestCase):
    def setUp(self):
        self.server = HostileServer()
        self.addCleanup(self.server.stop)
        self.server.play(f"ok body='{page(False)}'")
        self.server.route("/version", "ok body=3.17.2 type=text/plain")
        self.server.route("/experiments/search",
                          'ok body=\'{"experiments":[{"experiment_id":"1","name":"a"}]}\'')

    def test_threads(self):
        os.environ["MLFLOW_TRACKING_URI"] = self.server.uri
        start = threading.Barrier(THREADS)
        wrong = []

        def work():
            try:
                start.wait()  # so that they load the extension at the same time
                connection = support.apsw_connection()
                for _ in range(ROUNDS):
                    counts = connection.execute(
                        "SELECT count(*), percentile(timestamp_ms, 50) > 0 FROM mlflow_traces")
                    if counts.fetchall() != [(ROWS, 1)]:
                        wrong.append("rows")
                log = connection.execute("SELECT count(*) FROM mlflow_requests").fetchall()
                if log != [(2 * ROUNDS + 1,)]:
                    wrong.append(f"{log} requests in the receipt of one connection")
                connection.close()
            except Exception as error:  # pylint: disable=broad-exception-caught
                wrong.append(repr(error))

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_cursors_side_by_side(self):
        connection = support.apsw_connection(self.server.uri)
        cursors = [connection.cursor().execute("SELECT trace_id FROM mlflow_traces")
                   for _ in range(20)]
        for i in range(ROWS):
            self.assertEqual({next(cursor) for cursor in cursors}, {(f"t{i}",)})
        joined = connection.execute(
            "SELECT count(*) FROM mlflow_traces a, mlflow_traces b, mlflow_traces c "
            "WHERE a.trace_id = b.trace_id AND b.trace_id = c.trace_id").fetchall()
        self.assertEqual(joined, [(ROWS,)])
        connection.close()

    def test_dropped_statements_give_back_what_they_held(self):
        self.server.route("/traces/search", f"ok body='{page(True)}'")
        connection = support.apsw_connection(self.server.uri)

        def drop(times):
            for _ in range(times):
                next(connection.cursor().execute("SELECT trace_id FROM mlflow_traces"))
            return len(os.listdir("/proc/self/fd"))

        before, requests = drop(10), len(self.server.requests)
        after = drop(100)
        self.assertLessEqual(after, before + 1)
        # One page a statement, none of those that would come next.
        self.assertLessEqual(len(self.server.requests) - requests, 100 * 2)
        self.assertLessEqual(self.server.connects, 3)
        connection.close()
