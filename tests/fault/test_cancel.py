"""Cancelling a statement: at once, wherever it waits, and the connection works on.

sqlite3_interrupt (Ctrl-C), and a progress handler, as hosts use for their own time limits. The
statement also ends by itself when its time is over.
"""

import re
import signal
import statistics
import subprocess
import threading
import time
import unittest

import support
from hostile_server import HostileServer

ROUNDS = 5
SECONDS_MAX = 0.25
COUNT = "SELECT count(*) FROM mlflow_traces"

# Where a statement can be waiting: what the server plays, and on which path (None: on any).
WAITS = {
    "for the server to accept": ("on-accept stall", None),
    "for the first byte": ("delay 60 body='{}'", "/traces/search"),
    "for the rest of the headers": ("cut 20 body='{}' end=stall", "/traces/search"),
    "for the rest of the body": ("cut 100 body='{}                        ' end=stall",
                                 "/traces/search"),
    "byte by byte": ("drip every=0.05 body='{}'", "/traces/search"),
    "as long as Retry-After says": ("status 503 Retry-After=30", "/traces/search"),
}


class Cancel(unittest.TestCase):
    def setUp(self):
        self.server = HostileServer()
        self.addCleanup(self.server.stop)
        self.connection = support.apsw_connection(self.server.uri)
        self.addCleanup(self.connection.close)

    def play(self, scenario="ok body='{}'", path=None):
        self.server.play("ok body='{}'" if path else scenario)
        self.server.answer_first_questions()
        if path:
            self.server.route(path, scenario)

    def interrupt_after(self, seconds):
        """Runs COUNT and interrupts it; the seconds that it took to obey."""
        import apsw

        called = []

        def interrupt():
            called.append(time.monotonic())
            self.connection.interrupt()

        timer = threading.Timer(seconds, interrupt)
        timer.start()
        with self.assertRaises(apsw.InterruptError):
            self.connection.execute(COUNT).fetchall()
        ended = time.monotonic()
        timer.join()
        return ended - called[0]

    def test_interrupts(self):
        for where, (scenario, path) in WAITS.items():
            with self.subTest(waiting=where):
                delays = []
                for i in range(ROUNDS):
                    self.play(scenario, path)
                    delays.append(self.interrupt_after(0.05 + 0.03 * i))
                # A busy machine may be late once, the extension may not.
                self.assertLess(statistics.median(delays), SECONDS_MAX, delays)
                self.play()
                self.assertEqual(self.connection.execute(COUNT).fetchall(), [(0,)])

    def test_progress_handler(self):
        import apsw

        self.play("delay 60 body='{}'", "/traces/search")
        begin = time.monotonic()
        self.connection.set_progress_handler(lambda: time.monotonic() - begin > 0.3, 1)
        self.addCleanup(self.connection.set_progress_handler, None)
        with self.assertRaises(apsw.InterruptError):
            self.connection.execute(COUNT).fetchall()
        self.assertLess(time.monotonic() - begin, 0.3 + 2 * SECONDS_MAX)
        self.connection.set_progress_handler(None)
        self.play()
        self.assertEqual(self.connection.execute(COUNT).fetchall(), [(0,)])

    def test_progress_handler_where_an_authorizer_allows_little(self):
        import apsw

        def authorize(action, table, *_):
            ours = action == apsw.SQLITE_READ and str(table).startswith("mlflow_")
            return apsw.SQLITE_OK if ours or action == apsw.SQLITE_SELECT else apsw.SQLITE_DENY

        self.connection.execute("SELECT trace_id FROM mlflow_traces LIMIT 0")  # makes the table
        self.play("delay 60 body='{}'", "/traces/search")
        self.connection.authorizer = authorize
        begin = time.monotonic()
        self.connection.set_progress_handler(lambda: time.monotonic() - begin > 0.3, 1000)
        self.addCleanup(self.connection.set_progress_handler, None)
        timer = threading.Timer(5, self.connection.interrupt)  # so that a failure does not wait
        timer.start()
        self.addCleanup(timer.cancel)
        with self.assertRaises(apsw.InterruptError):
            self.connection.execute("SELECT trace_id FROM mlflow_traces").fetchall()
        self.assertLess(time.monotonic() - begin, 0.3 + 2 * SECONDS_MAX)

    def test_the_statement_runs_out_of_time(self):
        self.play("delay 60 body='{}'", "/traces/search")
        begin = time.monotonic()
        run = support.run_shell(COUNT + ";", self.server.uri, MLFLOW_SQL_STATEMENT_TIMEOUT="1")
        self.assertLess(time.monotonic() - begin, 3)
        self.assertIn("MLFLOW_SQL_STATEMENT_TIMEOUT", run.stderr)

    def test_a_request_runs_out_of_time(self):
        self.play("delay 60 body='{}'", "/traces/search")
        run = support.run_shell(COUNT + ";", self.server.uri, MLFLOW_HTTP_REQUEST_TIMEOUT="0.3",
                                MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
        self.assertIn("MLFLOW_HTTP_REQUEST_TIMEOUT", run.stderr)

    def test_a_broken_off_statement_leaves_no_connection_busy(self):
        self.play("delay 60 body='{}'", "/traces/search")
        for _ in range(3):
            self.interrupt_after(0.1)
        self.connection.close()
        deadline = time.monotonic() + 5
        while self.open_connections() and time.monotonic() < deadline:
            time.sleep(0.05)
        # The server's own threads sleep on; none of the client's ends is open.
        self.assertEqual(self.client_sockets(), [])

    def open_connections(self):
        return bool(self.client_sockets())

    def client_sockets(self):
        """This process's established connections to the server's port."""
        port = f":{self.server.port:04X}"
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table][1:]
        return [row for row in rows if row[2].endswith(port) and row[3] == "01"]


class Python(unittest.TestCase):
    def test_the_line_of_the_manual_lets_python_hear_ctrl_c(self):
        manual = (support.ROOT / "docs" / "ways-in.md").read_text()
        line, = re.findall(r"^connection\.set_progress_handler\(.*$", manual, re.MULTILINE)
        program = f"""
import sqlite3
connection = sqlite3.connect(":memory:")
connection.enable_load_extension(True)
connection.load_extension({support.extension()!r})
{line}
print("asking", flush=True)
connection.execute({COUNT!r}).fetchall()
"""
        with HostileServer() as server:
            server.play("on-accept stall")
            with subprocess.Popen(
                    ["/usr/bin/python3", "-c", program], text=True, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, env=support.clean_environment(server.uri)) as process:
                process.stdout.readline()
                while not server.connects:
                    time.sleep(0.01)
                process.send_signal(signal.SIGINT)
                try:
                    _, said = process.communicate(timeout=20)
                finally:
                    process.kill()
        self.assertEqual(said.splitlines()[-1], "sqlite3.OperationalError: interrupted")
