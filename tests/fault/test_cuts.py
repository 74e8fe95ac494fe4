"""Right or an error, never short: answers that break off at every byte there is.

Three pages of traces are cut at each byte in turn, by a close or a reset. While the fault lasts the
statement must fail; if it was a passing one, the page is asked for again and the rows are whole.
"""

import json
import unittest

import support
from hostile_server import HostileServer, Script

PAGE_ROWS = 2
IDS = [f"t{i}" for i in range(5)]


def page(first, count, token):
    traces = [{"trace_id": IDS[i], "request_time": support.timestamp(1_790_000_000_000 - i),
               "trace_location": {"mlflow_experiment": {"experiment_id": "1"}}}
              for i in range(first, first + count)]
    return json.dumps({"traces": traces} | ({"next_page_token": "x"} if token else {}),
                      separators=(",", ":"))


# By key: a page begins with the last row of the one before.
PAGES = [page(0, 2, True), page(1, 2, True), page(2, 2, True), page(3, 2, False)]


class Cuts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = HostileServer()
        cls.addClassCleanup(cls.server.stop)
        cls.server.answer_first_questions()
        settings = {"MLFLOW_SQL_PAGE_ROWS": str(PAGE_ROWS), "MLFLOW_SQL_STREAMS": "1",
                    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
                    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        with support.environment(settings):
            cls.connection = support.apsw_connection(cls.server.uri)
            cls.connection.execute("SELECT * FROM mlflow_settings").fetchall()

    def ask(self, steps):
        """The ids of a scan that is answered so, or None if it fails."""
        import apsw

        with self.server.lock:
            self.server.routes["/traces/search"] = Script(" ; ".join(steps))
        try:
            return [row[0] for row in self.connection.execute("SELECT trace_id FROM mlflow_traces")]
        except apsw.SQLError:
            return None

    def answers(self, **framing):
        options = "".join(f" {name}={value}" for name, value in framing.items())
        return [f"body='{text}'{options}" for text in PAGES]

    def cut_everywhere(self, end, **framing):
        answers = self.answers(**framing)
        good = [f"ok {answer}" for answer in answers]
        self.assertEqual(self.ask(good), IDS)
        cases = 0
        for place, answer in enumerate(answers):
            whole = len(Script(f"ok {answer}").next.answer())
            if framing.get("framing") == "chunked":
                whole -= 1  # the line break after the last chunk: the body is whole without it
            for length in range(0, whole, 1 if place == 1 else 7):
                cut = f"cut {length} {answer} end={end}"
                where = f"page {place + 1} cut after {length} bytes"
                self.assertEqual(self.ask([*good[:place], cut, *good[place:]]), IDS, where)
                self.assertIsNone(self.ask([*good[:place], cut]), where)
                cases += 1
        self.assertGreater(cases, 300)

    def test_closed(self):
        self.cut_everywhere("close")

    def test_reset(self):
        self.cut_everywhere("reset")

    def test_chunked(self):
        self.cut_everywhere("close", framing="chunked")

    def test_until_close(self):
        # Without a length only the JSON tells whether the body is whole.
        answers = self.answers(framing="close")
        good = [f"ok {answer}" for answer in answers]
        self.assertEqual(self.ask(good), IDS)
        headers = len(Script(f"ok {answers[1]}").next.answer()) - len(PAGES[1])
        for length in range(headers, headers + len(PAGES[1])):
            cut = f"cut {length} {answers[1]} end=close"
            self.assertIn(self.ask([good[0], cut, *good[1:]]), (IDS, None), length)
            self.assertIsNone(self.ask([good[0], cut]), length)
