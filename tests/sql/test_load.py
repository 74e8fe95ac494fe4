"""Loading succeeds whatever the connection holds already, and takes nothing from it.

loads.py makes the connections: of Python's sqlite3 (Debian's SQLite), apsw (the newest one, which has
percentile and its kin built in) and pysqlite3 (one between), loaded by the C function and by SELECT
load_extension().
"""

import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import loads
import support

HERE = pathlib.Path(__file__).resolve().parent

HOSTS = ("sqlite3", "apsw", "pysqlite3")
BOTH = """
import sys
import loads
name, way, path, copy = sys.argv[1:]
first, second = (loads.Host(name, path),
                 loads.Host("apsw" if name == "sqlite3" else "sqlite3", path))
one, two = first.connect(), second.connect()
first.load(one, way)
try:
    second.load(two, way)
    print("loaded")
except Exception as error:
    print(error)
second.path = copy
second.load(two, way)
print(*(loads.ask(connection, "SELECT mlflow_version()") for connection in (one, two)))
"""
KEEPS_SERVER = """
import sys
import loads
host = loads.Host(sys.argv[1], sys.argv[3])
connection, _ = loads.fresh(host, sys.argv[2])
connection.execute("SELECT mlflow_connect('http://127.0.0.1:9')").fetchall()
host.load(connection, sys.argv[2])
print(loads.ask(connection, "SELECT value FROM mlflow_settings WHERE name = 'MLFLOW_TRACKING_URI'"))
"""


def python(*arguments):
    return subprocess.run([sys.executable, "-B", *arguments], capture_output=True, text=True,
                          timeout=60, cwd=HERE, env=support.clean_environment(), check=False)


class Load(unittest.TestCase):
    def loads(self, host, path, *states):
        """[(state, way, what it answers)]."""
        ran = python("loads.py", host, path, *states)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return [(state, way, shown) for state, ways in json.loads(ran.stdout).items()
                for way, shown in ways.items()]

    def test_every_way_into_every_connection(self):
        for host in HOSTS:
            shown = self.loads(host, support.extension())
            self.assertEqual(len(shown), len(loads.STATES) * len(loads.WAYS))
            for state, way, answers in shown:
                with self.subTest(host=host, way=way, state=state):
                    every = state == "own percentiles"
                    own = state.startswith("own median") or every
                    there = own and not state.endswith("afterwards")
                    self.assertEqual(answers, {
                        "version": answers.get("version"), "bar": "██",
                        "percentile": "own" if every else 4.0, "median": "own" if own else 2.5,
                        "functions": ", ".join(loads.PERCENTILES) if host == "apsw" or every
                        else "median" if there else None,
                        "left": 2 if "statement" in state else None})

    def test_any_file_name_will_do(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "of_another_name.so"
            shutil.copy(support.extension() + ".so", path)
            for host in HOSTS:
                for _, _, answers in self.loads(host, path, "fresh"):
                    self.assertEqual(answers["percentile"], 4.0)

    def test_a_second_sqlite_in_the_process_is_refused(self):
        """One library serves one SQLite; a copy of the file serves the other."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "copy.so"
            shutil.copy(support.extension() + ".so", copy)
            for host, way in itertools.product(("sqlite3", "apsw"), ("c", "sql")):
                with self.subTest(host=host, way=way):
                    ran = python("-c", BOTH, host, way, support.extension(), copy)
                    self.assertEqual((ran.returncode, ran.stderr), (0, ""))
                    refusal, versions = ran.stdout.splitlines()
                    self.assertIn("mlflow: another SQLite in this process has loaded this library, "
                                  "which serves only one; load a copy of the file for this one",
                                  refusal)
                    self.assertEqual(len(set(versions.split())), 1)

    def test_a_second_load_keeps_the_server(self):
        for host, way in itertools.product(HOSTS, loads.WAYS):
            ran = python("-c", KEEPS_SERVER, host, way, support.extension())
            self.assertEqual((ran.returncode, ran.stdout), (0, "http://127.0.0.1:9\n"), ran.stderr)
