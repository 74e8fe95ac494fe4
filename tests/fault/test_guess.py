"""The request for the next page leaves before a page is parsed; a wrong guess costs no row.

Where the next page begins is guessed from the bytes of the page. The server here answers by key as
MLflow does, but its traces try to mislead: tags are named like the fields that are looked for. What
reaches the server is compared with what the walk needs.
"""

import json
import re
import time
import unittest

import support
from hostile_server import HostileServer, Step

NEWEST_MS = 1_790_000_000_000
PAGE_ROWS = 10
PATH = "/traces/search"


def trace(number, **tags):
    return {"trace_id": f"t{number:03d}", "request_time": support.timestamp(NEWEST_MS - number),
            "trace_location": {"mlflow_experiment": {"experiment_id": "1"}}, "tags": tags}


class Pages(HostileServer):
    """Serves traces, newest first, within the bounds of time in the filter."""

    def __init__(self, traces):
        self.traces = traces
        self.broken = None  # the id of a trace that comes as broken JSON
        super().__init__()
        self.answer_first_questions()

    def take_step(self, request):
        if not request.target.endswith(PATH):
            return super().take_step(request)
        asked = json.loads(request.body)
        bounds = dict(re.findall(r"timestamp_ms (<=|>=) (\d+)", asked.get("filter", "")))
        low = support.timestamp(int(bounds.get(">=", 0)))
        high = support.timestamp(int(bounds.get("<=", NEWEST_MS)))
        found = [each for each in self.traces if low <= each["request_time"] <= high]
        page = {"traces": found[:asked["max_results"]]}
        if len(found) > asked["max_results"]:
            page["next_page_token"] = "x"
        body = json.dumps(page, separators=(",", ":"))
        if self.broken:
            body = body.replace(f'"{self.broken}"', f'"{self.broken}')
        step = Step(["ok"])
        step.options["body"] = body
        return step

    @property
    def begins(self):
        """Where each page that was asked for begins: a number as in trace()."""
        bounds = [re.search(rb"timestamp_ms <= (\d+)", request.body) for request in self.requests
                  if request.target.endswith(PATH)]
        return [NEWEST_MS - int(bound.group(1)) if bound else 0 for bound in bounds]


class Guess(unittest.TestCase):
    def serve(self, traces):
        self.server = Pages(traces)
        self.addCleanup(self.server.stop)
        with support.environment({"MLFLOW_SQL_PAGE_ROWS": str(PAGE_ROWS),
                                  "MLFLOW_SQL_STREAMS": "1"}):
            self.connection = support.apsw_connection(self.server.uri)
            self.connection.execute("SELECT * FROM mlflow_settings").fetchall()
        self.addCleanup(self.connection.close)

    def ids(self, tail=""):
        rows = self.connection.execute("SELECT trace_id FROM mlflow_traces " + tail)
        return [row[0] for row in rows]

    def receipt(self):
        """Requests for traces, their rows, and those that were kept, as the statement tells."""
        return self.connection.execute(
            "SELECT count(*), sum(rows), sum(rows_kept) FROM mlflow_requests "
            "WHERE endpoint LIKE '%traces/search'").fetchone()

    def test_no_request_too_many(self):
        self.serve([trace(i) for i in range(46)])
        self.assertEqual(self.ids(), [f"t{i:03d}" for i in range(46)])
        self.assertEqual(self.server.begins, [0, 9, 18, 27, 36])
        self.assertEqual(self.receipt(), (5, 50, 46))

    def test_the_request_leaves_before_the_page_is_parsed(self):
        self.serve([trace(i) for i in range(60)])
        self.server.broken = "t030"
        with self.assertRaisesRegex(Exception, "not JSON"):
            self.ids()
        deadline = time.monotonic() + 10  # the statement ends without waiting for who reads it
        while len(self.server.begins) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.server.begins, [0, 9, 18, 27, 36])

    def test_a_wrong_guess(self):
        for name in ("request_time", 'x"request_time'):
            with self.subTest(tag=name):
                self.serve([trace(i, **{name: support.timestamp(NEWEST_MS - i - 5)})
                            for i in range(60)])
                self.assertEqual(self.ids(), [f"t{i:03d}" for i in range(60)])
                # One page is asked for in vain; then no more is guessed. (The request for it is
                # taken back, perhaps before a busy server has read it.)
                self.assertLessEqual(self.server.begins.count(32), 1)
                self.assertEqual([i for i in self.server.begins if i != 32],
                                 [0, 9, 18, 27, 36, 45, 54])
                self.assertEqual(self.receipt(), (7, 66, 60))

    def test_a_guess_that_cannot_be(self):
        for ms in (NEWEST_MS + 1, NEWEST_MS - 9):
            with self.subTest(ms=ms):
                self.serve([trace(i, request_time=support.timestamp(ms)) for i in range(60)])
                self.assertEqual(self.ids(), [f"t{i:03d}" for i in range(60)])
                self.assertEqual(self.server.begins, [0, 9, 18, 27, 36, 45, 54])

    def test_the_last_page(self):
        self.serve([trace(i, next_page_token="x", z='"next_page_token":"x"}') for i in range(46)])
        self.assertEqual(len(self.ids()), 46)
        self.assertEqual(self.server.begins, [0, 9, 18, 27, 36])

    def test_limit(self):
        self.serve([trace(i) for i in range(90)])
        for limit, begins in ((28, [0, 9, 18]), (29, [0, 9, 18, 27]), (37, [0, 9, 18, 27])):
            with self.subTest(limit=limit):
                self.server.requests.clear()
                ids = self.ids(f"ORDER BY timestamp_ms DESC LIMIT {limit}")
                self.assertEqual(ids, [f"t{i:03d}" for i in range(limit)])
                self.assertEqual(self.server.begins, begins)

    def test_a_bound(self):
        self.serve([trace(i) for i in range(90)])
        ids = self.ids(f"WHERE timestamp_ms > {NEWEST_MS - 36}")
        self.assertEqual(ids, [f"t{i:03d}" for i in range(36)])
        self.assertEqual(self.server.begins, [0, 9, 18, 27])

    def test_an_abandoned_scan_sends_nothing_more(self):
        self.serve([trace(i) for i in range(90)])
        rows = self.connection.execute("SELECT trace_id FROM mlflow_traces")
        for _ in range(25):
            next(rows)
        rows.close(True)
        time.sleep(0.2)
        self.assertEqual(self.server.begins, [0, 9, 18, 27])
