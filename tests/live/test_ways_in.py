"""The ways in of docs/ways-in.md, as they stand there, with the real programs.

Each block of Python runs in a process of its own, in a folder where build/mlflow0 is the extension
under test; Datasette is the real one, asked over HTTP. What they say is held to what MLflow's REST
API says.
"""

import collections
import contextlib
import datetime
import json
import pathlib
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import support

PAGE = (support.ROOT / "docs" / "ways-in.md").read_text()
TRACES = 60
SYSTEM_PYTHON = "/usr/bin/python3"


def block(heading, language):
    """The first block of this language below a heading of the page."""
    section = PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return re.search(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL).group(1)


def day(trace):
    moment = datetime.datetime.fromisoformat(trace["request_time"].replace("Z", "+00:00"))
    return moment.astimezone(datetime.timezone.utc).date()


class WaysIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "ways in")
        cls.environment = support.clean_environment(
            cls.server, MLFLOW_EXPERIMENT_NAME=cls.experiment, MLFLOW_DISABLE_TELEMETRY="true")
        support.seed(cls.server, cls.experiment, TRACES)
        cls.traces = cls.server.call("POST", "/api/3.0/mlflow/traces/search", {
            "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {
                "experiment_id": support.experiment_id(cls.server, cls.experiment)}}],
            "max_results": 500})["traces"]

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "build").mkdir()
        (self.folder / "build" / "mlflow0.so").symlink_to(support.extension() + ".so")
        (self.folder / "sql").symlink_to(support.ROOT / "sql")
        self.assertEqual(len(self.traces), TRACES)

    def save_views(self):
        self.run_here("sqlite3", "traces.db", "-cmd", ".load build/mlflow0",
                      ".read sql/tables.sql", ".read sql/views.sql")

    def run_here(self, *command):
        run = subprocess.run(command, cwd=self.folder, env=self.environment, timeout=120,
                             capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def days(self):
        """How many traces began on each of the last seven UTC days."""
        today = datetime.datetime.now(datetime.timezone.utc).date()
        counts = collections.Counter(day(trace) for trace in self.traces)
        return {str(today - datetime.timedelta(n)): counts[today - datetime.timedelta(n)]
                for n in range(7)}

    def test_python(self):
        printed = self.run_here(SYSTEM_PYTHON, "-c", block("Python's sqlite3", "python"))
        rows = [line.split() for line in printed.splitlines()]
        self.assertEqual({row[0]: int(row[1]) for row in rows}, self.days())
        self.assertGreater(sum(self.days().values()), 0)

    def test_python_gets_our_message(self):
        self.save_views()
        connect = block("Python's sqlite3", "python").split("\nfor ", 1)[0]
        run = subprocess.run(
            [SYSTEM_PYTHON, "-c", f"{connect}\nconnection.execute('SELECT name FROM traces')"],
            cwd=self.folder, timeout=120, capture_output=True, text=True, check=False,
            env=self.environment | {"MLFLOW_EXPERIMENT_NAME": "no such experiment"})
        self.assertIn("sqlite3.OperationalError: mlflow_traces: no experiment has the name or id "
                      "'no such experiment'", run.stderr)

    def test_pandas(self):
        self.save_views()
        took = collections.defaultdict(list)
        for trace in self.traces:
            if trace["state"] == "OK":
                seconds = float(trace["execution_duration"].rstrip("s"))
                took[trace["tags"]["mlflow.traceName"]].append(round(1000 * seconds))
        printed = json.loads(self.run_here(sys.executable, "-c", block("pandas", "python")))
        self.assertEqual(printed, {name: statistics.median(ms) for name, ms in took.items()})

    def test_apsw(self):
        self.save_views()
        version, *rows = self.run_here(sys.executable, "-c", block("apsw", "python")).splitlines()
        self.assertGreater([int(part) for part in version.split(".")], [3, 40, 1])
        spans = sum(json.loads(trace["trace_metadata"]["mlflow.trace.sizeStats"])["num_spans"]
                    for trace in self.traces)
        self.assertEqual(sum(int(row.split()[1]) for row in rows), spans)
        self.assertGreater(len(rows), 3)

    @contextlib.contextmanager
    def datasette(self):
        """Serves as the page says, on a port of its own; gives what asks it."""
        make, serve = block("Datasette", "sh").replace("\\\n", "").strip().split("\n")
        self.run_here(*shlex.split(make))
        (self.folder / "metadata.json").write_text(block("Datasette", "json"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program, *arguments = shlex.split(serve)
        log = self.enterContext(open(self.folder / "log", "w+b"))
        process = subprocess.Popen(
            [pathlib.Path(sys.executable).parent / program, *arguments, "--port", str(port)],
            cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask(path, **query):
            url = f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}"
            try:
                with opener.open(url, timeout=60) as reply:
                    return reply.status, reply.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        try:
            for _ in range(150):
                with contextlib.suppress(urllib.error.URLError):
                    ask("/-/versions.json")
                    break
                time.sleep(0.2)
            yield ask
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def test_datasette(self):
        with self.datasette() as ask:
            status, page = ask("/traces/daily_quality.json", _shape="array")
            self.assertEqual(status, 200)
            self.assertEqual({row["day"]: row["total_requests"] for row in json.loads(page)},
                             self.days())

            status, page = ask("/traces/traces")
            self.assertEqual(status, 200)
            newest = sorted(self.traces, key=lambda trace: trace["request_time"])[-20:]
            for trace in newest:
                self.assertIn(trace["trace_id"], page)
            self.assertEqual(len(set(re.findall(r"tr-[0-9a-f]{32}", page))), 20)
            link = re.search(r'href="(/traces/traces/(tr-[0-9a-f]{32}),0)"', page)
            status, page = ask(link[1] + ".json", _shape="array")
            self.assertEqual([row["trace_id"] for row in json.loads(page)], [link[2]])

            status, page = ask("/traces.json", _shape="array",
                               sql="SELECT count(*) AS n FROM traces WHERE status = 'ERROR'")
            self.assertEqual(json.loads(page), [
                {"n": sum(trace["state"] == "ERROR" for trace in self.traces)}])

            status, page = ask("/traces.json",
                               sql="SELECT * FROM traces WHERE filter = 'no language'")
            self.assertEqual(status, 400)
            self.assertIn("Invalid clause(s) in filter string", json.loads(page)["error"])

    def test_datasette_has_no_way_to_another_server(self):
        self.environment = self.environment | {"MLFLOW_SQL_LOCK": "1"}
        with self.datasette() as ask:
            status, page = ask("/traces.json", sql="SELECT mlflow_connect('http://127.0.0.1:9')")
            self.assertEqual(status, 400)
            self.assertIn("MLFLOW_SQL_LOCK is set", json.loads(page)["error"])
