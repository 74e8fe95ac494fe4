"""The Python package: built by its one command, installed from PyPI's tools into fresh virtual
environments of two Pythons, and used there as docs/install.md and docs/ways-in.md say.

Debian's Python can load extensions; the other one, if the machine has one, may be built without, and
then has apsw. Needs PyPI, for packages and as a server with a certificate that the system trusts.
"""

import contextlib
import glob
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
import zipfile

import support
from hostile_server import HostileServer

TRACES = 20
DATASETTE = "datasette==0.65.5"
CONNECT = """
import sys
import sqlite_mlflow
if sys.argv[1] == "apsw":
    import apsw
    connection = apsw.Connection(":memory:")
else:
    import sqlite3
    connection = sqlite3.connect(":memory:")
"""
ASK = CONNECT + """
sqlite_mlflow.load(connection)
try:
    print(*connection.execute(sys.argv[2]).fetchall()[0])
except Exception as error:
    print(error)
"""
NO_TRUST = CONNECT + """
sqlite_mlflow.load(connection)
connection.execute("PRAGMA trusted_schema = OFF")
connection.execute(open(sqlite_mlflow.sql_path("scope.d/collect.sql")).read())
print(*connection.execute("SELECT count(*) FROM source_traces").fetchall()[0])
"""
WAIT = CONNECT + """
sqlite_mlflow.load(connection, interruptible=True)
print("asking", flush=True)
try:
    connection.execute("SELECT * FROM mlflow_experiments").fetchall()
except BaseException as error:
    print(type(error).__name__, error)
print(*connection.execute("SELECT mlflow_version()").fetchall()[0])
"""


def other_python():
    """A Python of another version than Debian's; None if there is none."""
    for minor in (14, 13, 12, 10, 9):
        found = [shutil.which(f"python3.{minor}"),
                 *glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python"))]
        for python in filter(None, found):
            if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
                return python
    return None


class Environment:
    """A virtual environment with the wheel and packages of PyPI's."""

    def __init__(self, python, folder, wheel, *packages):
        self.bin = folder / "bin"
        subprocess.run([python, "-m", "venv", folder], check=True)
        subprocess.run([self.bin / "python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", *packages, f"{wheel}[shell]"], check=True)

    def run(self, program, *arguments, server=None, input="", **variables):
        return subprocess.run([self.bin / program, *arguments], capture_output=True, text=True,
                              timeout=120, cwd=self.bin.parent, check=False, input=input,
                              env=support.clean_environment(server, **variables))


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run([support.ROOT / "ext" / "python" / "build", cls.folder], check=True,
                       stderr=subprocess.DEVNULL,
                       env=os.environ | {"PATH": f"/usr/bin:{os.environ['PATH']}"})
        cls.wheel, = cls.folder.glob("*.whl")
        cls.debian = Environment("/usr/bin/python3", cls.folder / "debian", cls.wheel, DATASETTE)
        other = other_python()
        cls.other = other and Environment(other, cls.folder / "other", cls.wheel)
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "package")
        support.seed(cls.server, cls.experiment, TRACES)

    def ask(self, environment, host, sql, server=None, **variables):
        run = environment.run("python", "-c", ASK, host, sql, server=server,
                              MLFLOW_EXPERIMENT_NAME=self.experiment, **variables)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout.strip()

    def test_the_wheel(self):
        """As docs/install.md describes it."""
        self.assertRegex(self.wheel.name,
                         r"^sqlite_mlflow-[0-9.]+-py3-none-manylinux_2_34_x86_64\.whl$")
        names = zipfile.ZipFile(self.wheel).namelist()
        libraries = [pathlib.Path(name).name.split("-")[0] for name in names if ".so" in name]
        self.assertEqual(sorted(libraries), ["libcjson", "mlflow0.so"])
        self.assertLess(self.wheel.stat().st_size, 300_000)
        self.assertIn("sqlite_mlflow/sql/views.sql", names)
        for name in ("questions.sql", "check", "scope.sh", "check.d/copy.sql", "scope.d/source.sql"):
            self.assertIn(f"sqlite_mlflow/sql/{name}", names)

    def test_rows(self):
        environments = [("debian", "sqlite3"), ("debian", "apsw")]
        if self.other:
            environments.append(("other", "apsw"))
        for name, host in environments:
            with self.subTest(environment=name, host=host):
                self.assertEqual(self.ask(getattr(self, name), host,
                                          "SELECT count(*), median(1) FROM mlflow_traces",
                                          self.server), f"{TRACES} 1.0")

    def test_the_manual_s_example(self):
        section = (support.ROOT / "docs" / "ways-in.md").read_text().split("## The Python package")[1]
        example = section.split("```python\n")[1].split("```")[0]
        run = self.debian.run("python", "-c", example, server=self.server,
                              MLFLOW_EXPERIMENT_NAME=self.experiment)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        rows = [line.split() for line in run.stdout.splitlines()]
        # The view has today and the six days before it; the traces are of two weeks.
        week = self.ask(self.debian, "sqlite3", "SELECT count(*) FROM mlflow_traces WHERE "
                        "request_time >= date('now', '-6 days')", self.server)
        self.assertEqual(sum(int(requests) for _, requests, _ in rows), int(week))

    def test_a_python_that_cannot_load_extensions_says_so(self):
        if not self.other:
            self.skipTest("there is one Python on this machine")
        if self.other.run("python", "-c", "import sqlite3; "
                          "sqlite3.Connection.enable_load_extension").returncode == 0:
            self.skipTest("both Pythons of this machine can load extensions")
        run = self.other.run("python", "-c", ASK, "sqlite3", "SELECT 1")
        self.assertIn("RuntimeError: this Python's sqlite3 was built without loadable extensions; use "
                      "another Python, or apsw.Connection from the package apsw", run.stderr)

    def test_without_libcurl_the_cure_is_named(self):
        folder = self.folder / "no curl"
        folder.mkdir()
        (folder / "libcurl.so.4").write_text("no library")
        run = self.debian.run("python", "-c", ASK, "sqlite3", "SELECT 1",
                              LD_LIBRARY_PATH=str(folder))
        self.assertIn("RuntimeError: sqlite-mlflow needs the system's libcurl, which is the package "
                      "libcurl4 of Debian", run.stderr)
        for arguments in ([":memory:", "SELECT 1"], ["report"]):
            run = self.debian.run("sqlite-mlflow", *arguments, LD_LIBRARY_PATH=str(folder))
            self.assertEqual(run.returncode, 1)
            self.assertRegex(run.stderr, r"^sqlite-mlflow needs the system's libcurl, .*\n$")

    def test_https_with_the_system_s_authorities(self):
        self.assertIn("https://pypi.org is no MLflow server", self.ask(
            self.debian, "sqlite3", "SELECT * FROM mlflow_traces", "https://pypi.org"))

    def test_https_with_an_authority_of_its_own(self):
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        server = HostileServer("ok body='{}'", certificate, key)
        self.addCleanup(server.stop)
        server.route("/version", "ok body=3.17.2 type=text/plain")
        server.route("/experiments/search", "ok body='{\"experiments\":[{\"experiment_id\":\"1\","
                     "\"name\":\"over TLS\"}]}'")
        sql = "SELECT name FROM mlflow_experiments"
        for host in ("sqlite3", "apsw"):
            self.assertIn("certificate", self.ask(self.debian, host, sql, server.uri))
            self.assertEqual(self.ask(self.debian, host, sql, server.uri,
                                      MLFLOW_TRACKING_SERVER_CERT_PATH=str(certificate)), "over TLS")

    def test_interruptible(self):
        server = HostileServer("on-accept stall")
        self.addCleanup(server.stop)
        for host, said in (("sqlite3", "OperationalError interrupted"), ("apsw", "KeyboardInterrupt ")):
            with self.subTest(host=host):
                process = subprocess.Popen(
                    [self.debian.bin / "python", "-c", WAIT, host], stdout=subprocess.PIPE,
                    text=True, env=support.clean_environment(server.uri))
                self.addCleanup(process.communicate)
                self.addCleanup(process.kill)
                self.assertEqual(process.stdout.readline(), "asking\n")
                time.sleep(1)
                begin = time.monotonic()
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=60)
                self.assertEqual(output.splitlines()[0], said)
                self.assertEqual(len(output.splitlines()), 2)  # the next statement answers
                self.assertLess(time.monotonic() - begin, 2)

    def test_command(self):
        run = self.debian.run("sqlite-mlflow", ":memory:", "SELECT count(*) FROM mlflow_traces",
                              server=self.server, MLFLOW_EXPERIMENT_NAME=self.experiment)
        self.assertEqual((run.stdout, run.stderr), (f"{TRACES}\n", ""))
        run = self.debian.run("sqlite-mlflow", ":memory:", "SELECT * FROM mlflow_traces")
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, r"^sqlite-mlflow: mlflow_traces: no server is set; .*\n$")

    def test_command_ends_with_who_reads(self):
        """As the sqlite3 shell: without a word."""
        count = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
                 "SELECT i FROM n")
        run = self.debian.run("/bin/bash", "-c", f"bin/sqlite-mlflow :memory: '{count}' | head -1; "
                                                 "echo ${PIPESTATUS[0]}")
        self.assertEqual((run.stdout, run.stderr), ("1\n141\n", ""))

    def test_command_reads_statements(self):
        """As the sqlite3 shell: all of them, or with -bail up to an error; 1 if any failed."""
        for options, statements, status, output in (
                ([], "SELECT 1; SELECT 2;", 0, "1\n2\n"),
                ([], "SELECT nope; SELECT 2;", 1, "2\n"),
                (["-bail"], "SELECT nope; SELECT 2;", 1, "")):
            run = self.debian.run("sqlite-mlflow", *options, input=statements.replace("; ", ";\n"))
            self.assertEqual((run.returncode, run.stdout), (status, output))
            self.assertEqual(run.stderr.count("no such column: nope"), status)
            self.assertNotIn("Traceback", run.stderr)

    def test_report(self):
        page = self.folder / "report.html"
        run = self.debian.run("sqlite-mlflow", "report", "--days", "60", "--html", page,
                              server=self.server, MLFLOW_EXPERIMENT_NAME=self.experiment)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("Made by sqlite-mlflow", page.read_text())
        run = self.debian.run("sqlite-mlflow", "report", PATH=str(self.debian.bin))
        self.assertIn("the report needs bash, which is not on the PATH", run.stderr)

    def test_check_and_mirror(self):
        at = {"server": self.server, "MLFLOW_EXPERIMENT_NAME": self.experiment}
        run = self.debian.run("sqlite-mlflow", "check", "--days", "60", "--at-least",
                              f"requests={TRACES}", "--at-most", "requests=1", **at)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        self.assertEqual([line.split()[0] for line in run.stdout.splitlines()], ["ok", "breach"])
        mirror = self.folder / "mirror.db"
        run = self.debian.run("sqlite-mlflow", "mirror", mirror, "--quiet", **at)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
        with contextlib.closing(sqlite3.connect(mirror)) as connection:
            self.assertEqual(connection.execute("SELECT count(*) FROM traces").fetchone(),
                             (TRACES,))

    def test_scripts_read_the_server_where_no_file_is_trusted(self):
        """As newer sqlite3 shells begin, that of Debian 13 among them; tests/run roots has that one."""
        run = self.debian.run("python", "-c", NO_TRUST, "apsw", server=self.server,
                              MLFLOW_EXPERIMENT_NAME=self.experiment)
        self.assertEqual((run.stdout, run.stderr), (f"{TRACES}\n", ""))

    def test_datasette(self):
        run = self.debian.run("datasette", "--memory", "--get",
                              "/_memory.json?_shape=array&sql=SELECT+count(*)+AS+n+FROM+mlflow_traces",
                              server=self.server, MLFLOW_EXPERIMENT_NAME=self.experiment)
        self.assertEqual((run.returncode, json.loads(run.stdout)), (0, [{"n": TRACES}]), run.stderr)
