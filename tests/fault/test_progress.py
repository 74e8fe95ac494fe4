"""How far a statement is: on a terminal while it waits, and in the error when its time is over."""

import contextlib
import fcntl
import json
import os
import re
import subprocess
import termios
import unittest

import support
from hostile_server import HostileServer

START = 1_790_000_000_000
LINE = re.compile(r"\r\x1b\[\?7lmlflow: ([^\x1b]*)\x1b\[K\x1b\[\?7h")
GONE = "\r\x1b[K"


def page(first, count, more=True):
    """Traces a second apart, newest first, the number `first` as the first."""
    traces = [{"trace_id": f"tr-{i}", "request_time": support.timestamp(START - 1000 * i),
               "trace_location": {"type": "MLFLOW_EXPERIMENT",
                                  "mlflow_experiment": {"experiment_id": "1"}}, "state": "OK"}
              for i in range(first, first + count)]
    return json.dumps({"traces": traces, **({"next_page_token": "x"} if more else {})})


class Progress(unittest.TestCase):
    def setUp(self):
        self.hostile = HostileServer()
        self.addCleanup(self.hostile.stop)
        self.hostile.play("ok body='{}'")
        self.hostile.answer_first_questions()
        self.route()

    def route(self):
        """Ten to a page, the last of one again as the first of the next: 30 traces in all. The first
        page comes after the second that a statement waits without a word."""
        self.hostile.route("/search", f"delay 1.2 body='{page(0, 10)}' ; "
                                      f"delay 0.2 body='{page(9, 10)}' ; "
                                      f"delay 0.2 body='{page(18, 10)}' ; "
                                      f"ok body='{page(27, 3, more=False)}'")

    def run_shell(self, *, stderr_is_terminal=True, controls=False, **variables):
        """(stdout, stderr unless it is the terminal, what the terminal was sent)."""
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        sql = (f"SELECT count(*) FROM mlflow_traces WHERE timestamp_ms > {START - 30_000} "
               f"AND timestamp_ms <= {START};")

        def take_terminal():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        with subprocess.Popen(
                ["sqlite3", "-batch", "-bail", "-cmd", f".load {support.extension()}", ":memory:",
                 sql], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=slave if stderr_is_terminal else subprocess.PIPE, text=True,
                start_new_session=True, preexec_fn=take_terminal if controls else None,
                env=support.clean_environment(
                    self.hostile.uri, MLFLOW_SQL_PAGE_ROWS="10", MLFLOW_SQL_STREAMS="1",
                    **{"TERM": "xterm"} | variables)) as process:
            out, err = process.communicate(timeout=60)
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # the end, where no other end is open any more
            while piece := os.read(master, 1 << 20):
                shown += piece
        return out.strip(), err, shown.decode()

    def check_shown(self, shown):
        lines = LINE.findall(shown)
        self.assertEqual(list(dict.fromkeys(lines)), [
            "0 traces in 3 requests", "10 traces in 4 requests, about 23 to go",
            "20 traces in 5 requests, about 13 to go", "30 traces in 6 requests, about 3 to go"],
            shown)
        # Each is gone before the statement goes on, and nothing else is written.
        self.assertEqual(LINE.sub("L", shown).replace(GONE, "G"), "LG" * len(lines))

    def test_on_a_terminal(self):
        out, _, shown = self.run_shell(MLFLOW_SQL_PROGRESS="1")
        self.assertEqual(out, "30")
        self.check_shown(shown)

    def test_on_the_terminal_of_a_script(self):
        out, err, shown = self.run_shell(stderr_is_terminal=False, controls=True,
                                         MLFLOW_SQL_PROGRESS="tty")
        self.assertEqual((out, err), ("30", ""))
        self.check_shown(shown)

    def test_nowhere_else(self):
        for more in ({"MLFLOW_SQL_PROGRESS": "1", "stderr_is_terminal": False, "controls": True},
                     {"MLFLOW_SQL_PROGRESS": "tty", "stderr_is_terminal": False},
                     {"MLFLOW_SQL_PROGRESS": "1", "TERM": "dumb"}, {}):
            self.route()
            out, err, shown = self.run_shell(**more)
            self.assertEqual((out, err or "", shown), ("30", "", ""), more)

    def test_time_that_is_over(self):
        self.hostile.route("/search", f"ok body='{page(0, 10)}' ; delay 9")
        _, err, _ = self.run_shell(stderr_is_terminal=False, MLFLOW_SQL_STATEMENT_TIMEOUT="1.5")
        self.assertIn(
            "mlflow_traces: POST /api/3.0/mlflow/traces/search: the statement's 1.5 s are over, "
            "after 10 traces in 4 requests, about 23 to go; a larger MLFLOW_SQL_STATEMENT_TIMEOUT "
            "allows more, and a narrower condition needs less", err)
