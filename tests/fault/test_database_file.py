"""What a database file from somebody else can make the extension do.

It may hold tables, views, triggers and generated columns of ours, under any names. With
trusted_schema off it causes no connection at all; with it on (SQLite's default) only a statement
that reads such a view or table does, and only to the person's own server. Looking at a file, copying
it and checking it never does. The server counts.
"""

import os
import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402
from hostile_server import HostileServer  # noqa: E402

CANARY = "CANARY-3f7a"

# Schemas as an attacker writes them, and statements that read through them.
FILE = """
CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT);
INSERT INTO orders VALUES (1, 'one');
CREATE VIRTUAL TABLE harmless USING mlflow_traces(experiment = 'a');
CREATE VIEW report AS SELECT count(*) AS n FROM mlflow_traces;
CREATE VIEW deep AS SELECT n FROM report UNION ALL SELECT count(*) FROM harmless;
CREATE VIEW settings AS SELECT name, value FROM mlflow_settings;
CREATE TRIGGER spy AFTER INSERT ON orders BEGIN
  INSERT INTO orders(note) SELECT name FROM mlflow_experiments;
END;
CREATE VIEW elsewhere AS SELECT mlflow_connect('http://127.0.0.1:9/') AS c;
"""

LOOKS = [
    ".schema", ".tables", ".dump orders", "PRAGMA table_info(harmless);",
    "PRAGMA table_xinfo(report);", "PRAGMA table_list;", "PRAGMA integrity_check;",
    "PRAGMA quick_check;", "PRAGMA foreign_key_check;", "SELECT * FROM sqlite_schema;",
    "ANALYZE;", "VACUUM;", "REINDEX;", "ALTER TABLE orders RENAME TO bills;",
    "ALTER TABLE orders ADD COLUMN more;", "DROP VIEW report;", "DROP TABLE harmless;",
    "EXPLAIN SELECT * FROM report;", "EXPLAIN QUERY PLAN SELECT * FROM deep;",
    "SELECT * FROM orders;", "UPDATE orders SET note = 'two';",
]
READS = ["SELECT * FROM report;", "SELECT * FROM deep;", "INSERT INTO orders(note) VALUES ('x');"]


class DatabaseFile(unittest.TestCase):
    def setUp(self):
        self.server = HostileServer()
        self.addCleanup(self.server.stop)
        self.play()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "gift.db")

    def play(self):
        self.server.play("ok body='{}'")
        self.server.route("/version", "ok body=3.17.2 type=text/plain")
        self.server.route("/experiments/search",
                          'ok body=\'{"experiments":[{"experiment_id":"1","name":"a"}]}\'')
        self.server.route("/get-by-name",
                          'ok body=\'{"experiment":{"experiment_id":"1","name":"a"}}\'')

    def run_on_file(self, sql, trusted):
        """Runs a statement on a fresh copy of the file; counts the requests that it caused."""
        pathlib.Path(self.path).unlink(missing_ok=True)
        support.shell(FILE, self.server.uri, database=self.path)
        self.play()
        run = support.run_shell(f"PRAGMA trusted_schema = {trusted};\n{sql}", self.server.uri,
                                database=self.path, MLFLOW_TRACKING_TOKEN=CANARY)
        self.assertNotIn(CANARY, run.stdout + run.stderr)
        return run, len(self.server.requests), self.server.connects

    def test_looking_sends_nothing(self):
        for trusted in ("on", "off"):
            for sql in LOOKS:
                with self.subTest(sql=sql, trusted_schema=trusted):
                    _, _, connects = self.run_on_file(sql, trusted)
                    self.assertEqual(connects, 0)

    def test_reading_an_untrusted_schema_sends_nothing(self):
        for sql in READS + ["SELECT * FROM settings;", "SELECT * FROM elsewhere;"]:
            with self.subTest(sql=sql):
                run, _, connects = self.run_on_file(sql, "off")
                self.assertEqual(connects, 0)
                self.assertRegex(run.stderr, "unsafe use of (virtual table|mlflow_connect)")

    def test_reading_a_trusted_schema_asks_ones_own_server(self):
        for sql in READS:
            with self.subTest(sql=sql):
                run, requests, _ = self.run_on_file(sql, "on")
                self.assertEqual(run.stderr, "")
                self.assertGreater(requests, 0)
                for request in self.server.requests:
                    self.assertEqual(request.header("Host"), self.server.uri.split("//")[1])

    def test_no_view_reaches_another_server(self):
        run, _, connects = self.run_on_file("SELECT * FROM elsewhere;", "on")
        self.assertIn("unsafe use of mlflow_connect", run.stderr)
        self.assertEqual(connects, 0)

    def test_a_server_or_secret_in_the_schema_is_an_error(self):
        for argument in ("uri='http://127.0.0.1:9'", "tracking_uri='http://h'", "host=h",
                         "token='x'", "password=x", "cert='/etc/passwd'"):
            with self.subTest(argument=argument):
                self.play()
                sql = f"CREATE VIRTUAL TABLE t USING mlflow_traces({argument});"
                run = support.run_shell(sql, self.server.uri)
                self.assertNotEqual(run.returncode, 0)
                self.assertEqual(self.server.connects, 0)

    def test_nothing_secret_is_written_into_a_file(self):
        statements = FILE + "SELECT * FROM mlflow_settings;\nSELECT * FROM report;\n" \
            "CREATE TABLE receipt AS SELECT * FROM mlflow_requests;\n" \
            "CREATE TABLE kept AS SELECT * FROM mlflow_settings;\n.trace stdout\nSELECT * FROM deep;"
        run = support.run_shell(statements, self.server.uri, database=self.path,
                                MLFLOW_TRACKING_USERNAME="ann", MLFLOW_TRACKING_PASSWORD=CANARY)
        self.assertEqual(run.stderr, "")
        self.assertIn("Basic", self.server.requests[-1].header("Authorization"))
        self.assertNotIn(CANARY, run.stdout)
        self.assertNotIn(CANARY.encode(), pathlib.Path(self.path).read_bytes())
        with sqlite3.connect(self.path) as plain:
            self.assertGreater(plain.execute("SELECT count(*) FROM kept").fetchone()[0], 10)
        plain.close()


if __name__ == "__main__":
    unittest.main()
