"""A host program may change what SQL means; pushdown must not."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import support

AGENTS = (support.ROOT / "docs" / "agents.md").read_text()


class Host(unittest.TestCase):
    def setUp(self):
        self.server = support.start()
        self.experiment = support.create_experiment(self.server, "host")
        support.insert_traces(self.server, self.experiment, [
            {"trace_id": f"tr-{self.experiment.replace(' ', '')}{i}", "timestamp_ms": 1000 + i,
             "tags": {"mlflow.traceName": name}}
            for i, name in enumerate(["Straße", "STRASSE", "agent", "AGENT"])])
        self.connection = support.apsw_connection(self.server)

    def count(self, pattern):
        return self.connection.execute(
            "SELECT count(*) FROM mlflow_traces WHERE experiment = ? AND name LIKE ?",
            (self.experiment, pattern)).fetchone()[0]

    def filters(self):
        return [f for (f,) in self.connection.execute("SELECT filter FROM mlflow_requests") if f]

    def test_like_of_another_extension(self):
        self.assertEqual(self.count("straße"), 1)
        self.assertEqual(self.filters(), ["attributes.name ILIKE 'straße%'"])
        # As ICU's: it folds what SQLite's own does not, and the server does not either.
        self.connection.create_scalar_function(
            "like", lambda pattern, text: pattern.casefold() == (text or "").casefold(), 2)
        self.assertEqual(self.count("straße"), 2)
        self.assertEqual(len(self.filters()), 1)

    def test_like_and_glob_of_the_host(self):
        for function in ("like", "glob"):
            sql = f"SELECT count(*) FROM mlflow_traces WHERE experiment = ? AND name {function} 't'"
            self.assertEqual(self.connection.execute(sql, (self.experiment,)).get, 0)
            self.connection.create_scalar_function(
                function, lambda pattern, text: (text or "").endswith(pattern), 2)
            self.assertEqual(self.connection.execute(sql, (self.experiment,)).get, 1, function)

    def test_case_sensitive_like(self):
        self.assertEqual(self.count("AGENT"), 2)
        self.connection.execute("PRAGMA case_sensitive_like = on")
        self.assertEqual(self.count("AGENT"), 1)

    def test_an_authorizer_that_refuses_everything_else(self):
        import apsw

        def allow(action, one, two, *_):
            refused = action == apsw.SQLITE_RECURSIVE
            return apsw.SQLITE_DENY if refused else apsw.SQLITE_OK

        self.connection.authorizer = allow
        self.assertEqual(self.count("agent"), 2)

    def test_an_authorizer_that_lets_one_read_our_tables(self):
        """As docs/agents.md has it, in Debian's Python."""
        open_it, authorize = re.findall(r"^```py\n(.*?)^```", AGENTS, re.MULTILINE | re.DOTALL)[:2]
        program = f"""{open_it}
tables = [name for (name,) in connection.execute("SELECT name FROM mlflow_help WHERE kind = 'table'")]
{authorize}
for table in tables:
    connection.execute(f"SELECT * FROM {{table}} LIMIT 0")
print(connection.execute('''
    WITH named AS MATERIALIZED (SELECT * FROM mlflow_traces WHERE name LIKE 'agent')
    SELECT count(*) FROM named JOIN mlflow_traces AS t ON t.trace_id = named.trace_id
    WHERE (SELECT count(*) FROM named) = 2''').fetchone())
try:
    connection.execute("CREATE TABLE a(b)")
except sqlite3.DatabaseError as error:
    print(error)
"""
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "build").mkdir()
            (pathlib.Path(folder) / "build" / "mlflow0.so").symlink_to(support.extension() + ".so")
            run = subprocess.run(
                ["/usr/bin/python3", "-c", program], cwd=folder, capture_output=True, text=True,
                check=False, env=support.clean_environment(
                    self.server, MLFLOW_EXPERIMENT_NAME=self.experiment))
        self.assertEqual((run.stdout, run.stderr), ("(2,)\nnot authorized\n", ""))

    def test_a_progress_handler_ends_a_statement(self):
        import apsw

        self.connection.set_progress_handler(lambda: True, 1000)
        with self.assertRaises(apsw.InterruptError):
            self.connection.execute(
                "SELECT count(*) FROM mlflow_traces AS a, mlflow_traces AS b, mlflow_traces AS c, "
                "mlflow_traces AS d, mlflow_traces AS e WHERE a.experiment = ?1 AND "
                "b.experiment = ?1 AND c.experiment = ?1 AND d.experiment = ?1 AND "
                "e.experiment = ?1", (self.experiment,)).fetchall()
