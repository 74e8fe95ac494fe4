"""Loading succeeds whatever the connection holds already, and takes nothing from it.

Each case is a process of its own, since what fails here may well crash: Python's sqlite3 (Debian's
SQLite) and apsw (the newest one, which has percentile and its kin built in), loaded by the C function
and by SELECT load_extension(), into a connection that is fresh, has a median of its own, has loaded
before, or has a statement open.
"""

import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

LOAD = """
import json, sqlite3, sys
host, way, state, path = sys.argv[1:]

class Median:
    def step(self, *values): pass
    def finalize(self): return "own"
    final = finalize

def connect(host):
    if host == "sqlite3":
        return sqlite3.connect(":memory:")
    import apsw
    return apsw.Connection(":memory:")

def load(connection, way, path):
    connection.enable_load_extension(True)
    if way == "c":
        connection.load_extension(path)
    else:
        connection.execute("SELECT load_extension(?)", (path,)).fetchall()
    connection.enable_load_extension(False)

def register(connection, arguments):
    if host == "sqlite3":
        connection.create_aggregate("median", arguments, Median)
    else:
        connection.create_aggregate_function("median", Median, arguments)

def ask(connection, sql):
    return connection.execute(sql).fetchall()[0][0]
"""

CASE = LOAD + """
connection = connect(host)
half_read = None
if state in ("own median", "own median, statement open"):
    register(connection, 1)
if state == "own median of any arguments":
    register(connection, -1)
if state == "loaded":
    load(connection, way, path)
    connection.execute("SELECT * FROM mlflow_settings").fetchall()
if state.endswith("statement open"):
    half_read = connection.execute("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3")
    next(half_read)
load(connection, way, path)
print(json.dumps({
    "version": ask(connection, "SELECT mlflow_version()"),
    "percentile": ask(connection, "SELECT percentile(x, 50) FROM "
                      "(SELECT 1 AS x UNION ALL SELECT 4 UNION ALL SELECT 9)"),
    "median": ask(connection, "SELECT median(x) FROM (SELECT 1 AS x UNION ALL SELECT 4)"),
    "bar": ask(connection, "SELECT bar(1, 2, 4)"),
    "functions": ask(connection, "SELECT value FROM mlflow_settings WHERE name = 'functions'"),
    "left": len(list(half_read)) if half_read else None,
}))
"""

BOTH = LOAD + """
first, second = connect(host), connect("apsw" if host == "sqlite3" else "sqlite3")
load(first, way, path)
try:
    load(second, way, path)
    print("loaded")
except Exception as error:
    print(error)
load(second, way, state)  # a copy
print(ask(first, "SELECT mlflow_version()"), ask(second, "SELECT mlflow_version()"))
"""

BUILT_IN = "percentile, percentile_cont, percentile_disc, median"


def run(program, *arguments):
    return subprocess.run([sys.executable, "-B", "-c", program, *arguments], capture_output=True,
                          text=True, timeout=60, env=support.clean_environment(), check=False)


class Load(unittest.TestCase):
    def load(self, host, way, state, path=None):
        ran = run(CASE, host, way, state, path or support.extension())
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return json.loads(ran.stdout)

    def test_every_way_into_every_connection(self):
        states = ("fresh", "own median", "own median of any arguments", "loaded",
                  "statement open", "own median, statement open")
        for host, way, state in itertools.product(("sqlite3", "apsw"), ("c", "sql"), states):
            with self.subTest(host=host, way=way, state=state):
                own = state.startswith("own median")
                kept = BUILT_IN if host == "apsw" else "median" if own else None
                shown = self.load(host, way, state)
                self.assertEqual(shown, {
                    "version": shown["version"], "percentile": 4.0,
                    "median": "own" if own else 2.5, "bar": "██",
                    "functions": kept, "left": 2 if state.endswith("statement open") else None})

    def test_any_file_name_will_do(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "of_another_name.so"
            shutil.copy(support.extension() + ".so", path)
            for host in ("sqlite3", "apsw"):
                self.assertEqual(self.load(host, "c", "fresh", str(path))["percentile"], 4.0)

    def test_a_second_sqlite_in_the_process_is_refused(self):
        """One library serves one SQLite; a copy of the file serves the other."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "copy.so"
            shutil.copy(support.extension() + ".so", copy)
            for host, way in itertools.product(("sqlite3", "apsw"), ("c", "sql")):
                with self.subTest(host=host, way=way):
                    ran = run(BOTH, host, way, str(copy), support.extension())
                    self.assertEqual((ran.returncode, ran.stderr), (0, ""))
                    refusal, versions = ran.stdout.splitlines()
                    self.assertIn("mlflow: another SQLite in this process has loaded this library, "
                                  "which serves only one; load a copy of the file for this one",
                                  refusal)
                    self.assertEqual(len(set(versions.split())), 1)

    def test_a_second_load_keeps_the_server(self):
        script = CASE.split("connection = connect(host)")[0] + """
connection = connect(host)
load(connection, way, path)
connection.execute("SELECT mlflow_connect('http://127.0.0.1:9')").fetchall()
load(connection, way, path)
print(ask(connection, "SELECT value FROM mlflow_settings WHERE name = 'MLFLOW_TRACKING_URI'"))
"""
        for host, way in itertools.product(("sqlite3", "apsw"), ("c", "sql")):
            ran = run(script, host, way, "", support.extension())
            self.assertEqual((ran.returncode, ran.stdout), (0, "http://127.0.0.1:9\n"), ran.stderr)


if __name__ == "__main__":
    unittest.main()
