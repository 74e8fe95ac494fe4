"""Many at once: threads with connections of their own, cursors side by side, statements dropped.

Nothing is shared that two threads could spoil, and what a statement held is given back when it ends.
"""

import json
import os
import tempfile
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
        self.server.answer_first_questions()

    def listed(self, *pages):
        """Plays pages of experiments, and 500 after them; gives a connection that asks for them."""
        steps = []
        for i, (names, more) in enumerate(pages):
            body = {"experiments": [{"experiment_id": name, "name": name} for name in names]}
            token = {"next_page_token": f"x{i}"} if more else {}
            steps.append(f"ok body='{json.dumps(body | token)}'")
        self.server.route("/experiments/search", " ; ".join([*steps, "status 400 body='{}'"]))
        os.environ["MLFLOW_TRACKING_URI"] = self.server.uri
        connection = support.apsw_connection()
        self.addCleanup(connection.close)
        return connection

    def test_a_list_that_was_read_in_part_goes_on_where_it_ended(self):
        names = "(SELECT group_concat(name) FROM (SELECT name FROM mlflow_experiments LIMIT {}))"
        connection = self.listed(("ab", True), ("cd", True), ("e", False))
        self.assertEqual(connection.execute(
            "SELECT " + ", ".join(names.format(rows) for rows in (1, 3, 2, -1, 9))).fetchall(),
            [("a", "a,b,c", "a,b", "a,b,c,d,e", "a,b,c,d,e")])
        with self.assertRaisesRegex(Exception, "mlflow_experiments: .*400"):
            connection.execute("SELECT 1 FROM mlflow_experiments").fetchall()

    def test_an_experiment_that_moved_onto_the_next_page_is_listed_once(self):
        connection = self.listed(("dc", True), ("cb", True), ("ba", False))
        names = "(SELECT group_concat(name) FROM (SELECT name FROM mlflow_experiments LIMIT {}))"
        self.assertEqual(connection.execute(
            f"SELECT {names.format(9)}, {names.format(8)}").fetchall(), [("d,c,b,a",) * 2])

    def test_an_address_is_not_cut(self):
        connection = self.listed()
        with self.assertRaisesRegex(Exception, "mlflow_connect: the address has a NUL character"):
            connection.execute("SELECT mlflow_connect(?)", (f"{self.server.uri}\0x",)).fetchall()

    def test_a_list_that_failed_is_no_list(self):
        connection = self.listed(("ab", True))
        with self.assertRaisesRegex(Exception, "mlflow_experiments: .*400"):
            connection.execute("SELECT value, (SELECT count(*) FROM mlflow_experiments WHERE "
                               "name <> value) FROM json_each('[1, 2]')").fetchall()

    def test_a_long_list_is_not_kept_whole(self):
        """Beyond 4 MiB each scan asks for the rest again."""
        with tempfile.TemporaryDirectory() as folder:
            steps = []
            for i in range(3):
                with open(f"{folder}/{i}", "w", encoding="ascii") as file:
                    json.dump({"experiments": [{"experiment_id": str(i), "name": "x" * 1_500_000}],
                               "next_page_token": f"x{i}"}, file)
                steps.append(f"ok file={folder}/{i}")
            steps.append("ok body='{}'")
            connection = self.listed()
            self.server.route("/experiments/search", " ; ".join(steps + 2 * steps[2:]))
            self.assertEqual(connection.execute(
                "SELECT (SELECT count(*) FROM mlflow_experiments WHERE name <> value) "
                "FROM json_each('[1, 2, 3]')").fetchall(), [(3,)] * 3)
        self.assertEqual(connection.execute("SELECT count(*) FROM mlflow_requests WHERE endpoint "
                                            "LIKE '%/experiments/search'").get, 4 + 2 + 2)

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
