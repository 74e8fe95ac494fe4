"""What a local copy of the tables gives, where SQLite hands our tables other than it compares.

Conditions in the ON of an outer join, row values, and numbers in columns of texts; on Debian's
SQLite and on the newest one.
"""

import itertools
import unittest

import support
import test_otlp

TABLES = ("traces", "spans", "assessments")
LEFT = ("a.name LIKE 'a%'", "a.name GLOB 'a*'", "a.name <> 'agent'", "a.status <> 'OK'",
        "a.session_id IS NULL", "a.session_id IS NOT NULL", "a.size IS NOT NULL", "a.size <> '5'",
        "a.timestamp_ms <> 1005", "a.status IS NOT 'OK'", "a.size IN ('5', '05')",
        "a.status = 'ERROR'", "NOT a.size LIKE '5%'", "a.session_id <> 's1'", "a.size LIKE '5%'")

# Beside which one of LEFT may pass for tested that is not.
WHERE = ("a.name > 'B'", "length(a.name) > 2", "a.name IS NOT NULL", "a.name NOT LIKE 'k%'",
         "a.name COLLATE NOCASE <> 'AGENT'", "a.name = a.name", "upper(a.name) <> 'B'",
         "a.name <> 'b' AND a.size > ''", "a.name LIKE '%' || 'e' || '%'",
         "(a.name > 'B' OR a.status <> 'OK')", "a.status <> l.id", "a.status <> iif(l.id, 'x', 'OK')",
         "a.session_id > 's'", "a.size IS NOT NULL AND a.session_id IS NOT 's3'",
         "(a.status = 'OK' OR a.session_id IS NOT NULL)", "(a.status = 'OK' OR a.name <> 'agent')",
         "coalesce(a.size, a.session_id) IS NOT NULL", "(a.status = 'OK' OR a.name LIKE 'a%')",
         "CASE a.status WHEN 'OK' THEN 1 ELSE a.session_id END IS NOT NULL",
         "CASE WHEN a.status = 'OK' THEN a.session_id END IS NULL", "a.session_id IS NOT 's1'",
         "(a.session_id <> 's1') IS NOT FALSE", "(a.size LIKE '5%') IS NOT FALSE",
         "CAST(a.name AS BLOB) <> 'agent'", "(a.session_id IS NULL OR a.session_id <> 's1')")


class AsTables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        experiment = support.create_experiment(cls.server, "as tables")
        number = support.experiment_id(cls.server, experiment)
        support.insert_traces(cls.server, experiment, [
            {"trace_id": f"tr-tables{number}-{i}", "timestamp_ms": 1000 + i,
             "status": ("OK", "ERROR", "STATE_UNSPECIFIED")[i % 3],
             "tags": {"mlflow.traceName": name, **({"size": size} if size else {})},
             "metadata": {"mlflow.trace.session": f"s{i % 4}"} if i % 2 else {},
             "assessments": [("ok", value)]}
            for i, (name, size, value) in enumerate(zip(
                itertools.cycle(("agent", "Answer", "b", "5")),
                ("5", "05", " 5", "5.0", "1e3", "x", None, "5 ", "7", "", "-0", "1000"),
                ("5", 5, 5.0, True, "x", 7, "7", "05", False, 1, "1", 0)))])
        for model, cost in (("7", "1"), ("7.5", "2.5"), ("0.1", "1"), ("true", "3"), ('"7"', "1e0")):
            test_otlp.send(cls.server, number, {
                "mlflow.llm.model": model, "mlflow.llm.cost": f'{{"total_cost": {cost}}}'})
        cls.setup = "".join(
            f"CREATE VIRTUAL TABLE temp.{name} USING mlflow_{name}(experiment = '{experiment}'"
            f"{', tags.size AS size' if name == 'traces' else ''});"
            f"CREATE TEMP TABLE copy_{name} AS SELECT * FROM temp.{name};"
            for name in TABLES) + (
            "CREATE TEMP TABLE local(id TEXT); INSERT INTO local SELECT trace_id FROM copy_traces "
            "WHERE timestamp_ms % 2; INSERT INTO local VALUES (NULL), ('none');"
            "CREATE TEMP TABLE keyed(id TEXT PRIMARY KEY); INSERT INTO keyed SELECT id FROM local;"
            "CREATE TEMP TABLE pairs(i INTEGER, s TEXT); "
            "INSERT INTO pairs VALUES (5, 'OK'), (1000, 'ERROR'), (7, 'STATE_UNSPECIFIED');"
            "CREATE TEMP TABLE key(i INTEGER PRIMARY KEY); INSERT INTO key SELECT i FROM pairs;"
            "CREATE TEMP TABLE sole(i INTEGER UNIQUE NOT NULL); INSERT INTO sole SELECT i FROM key;"
            "CREATE TEMP TABLE both(i INTEGER, s TEXT, PRIMARY KEY (i, s)) WITHOUT ROWID;"
            "INSERT INTO both SELECT * FROM pairs;")

    def each(self):
        connection = support.apsw_connection(self.server)
        self.addCleanup(connection.close)
        connection.execute(self.setup)

        def newest(sql):
            return [tuple(row) for row in connection.execute(sql)]

        def debians(sql):
            shown = support.shell(f"{self.setup}\n.mode quote\n{sql};", self.server)
            return shown.splitlines()

        return newest, debians

    def check(self, asked):
        for ask in self.each():
            expected = ask(asked.format("copy_"))
            self.assertEqual(ask(asked.format("temp.")), expected, asked)

    def test_a_condition_of_an_outer_join_keeps_its_left_rows(self):
        newest, debians = self.each()
        one_by_one = [
            f"SELECT count(*), count(l.id), sum(a.timestamp_ms) FROM {{0}}traces AS a "
            f"LEFT JOIN local AS l ON l.id = a.trace_id AND {condition}" for condition in LEFT] + [
            f"SELECT count(*), count(b.value) FROM {{0}}traces AS a LEFT JOIN {{0}}assessments AS b "
            f"ON b.trace_id = a.trace_id AND {condition} WHERE a.name IS NOT NULL"
            for condition in LEFT] + [
            f"SELECT count(*), count(b.value) FROM {{0}}assessments AS b LEFT JOIN {{0}}traces AS a "
            f"ON b.trace_id = a.trace_id AND {condition}" for condition in LEFT]
        for ask in (newest, lambda sql: debians(sql)):
            together = "SELECT * FROM ({})"
            asked = " UNION ALL ".join(together.format(
                sql.replace("sum(a.timestamp_ms)", "1").replace("count(b.value)", "count(b.value), 1"))
                for sql in one_by_one)
            self.assertEqual(ask(asked.format("temp.")), ask(asked.format("copy_")))
        for sql in one_by_one:  # and each in a program of its own
            self.assertEqual(newest(sql.format("temp.")), newest(sql.format("copy_")), sql)

    def test_a_condition_of_an_outer_join_beside_others(self):
        """Also where SQLite does without the join: nobody reads of the right table, and it has one
        row for each of the left."""
        kept = ("SELECT count(*), count(l.id) FROM {{0}}traces AS a LEFT JOIN local AS l ON "
                "l.id = a.trace_id AND {on} WHERE {where}")
        left_out = ("SELECT count(*), 0 FROM (SELECT DISTINCT a.trace_id FROM {{0}}traces AS a LEFT "
                    "JOIN local AS l ON l.id = a.trace_id AND {on} WHERE {where})",
                    "SELECT count(*), 0 FROM (SELECT a.trace_id FROM {{0}}traces AS a LEFT JOIN keyed "
                    "AS l ON l.id = a.trace_id AND {on} WHERE {where} LIMIT 1000)")
        newest, debians = self.each()
        for on in LEFT[::2]:
            asked = [kept.format(on=on, where=where) for where in ("true", *WHERE)]
            more = [left_out[i % 2].format(on=on, where=where)
                    for i, where in enumerate(("true", "true", *WHERE)) if "l.id" not in where]
            for ask, statements in (
                    (debians, asked + more),  # a program each
                    (lambda script: map(newest, script.split(";")), asked)):
                ours, expected = (ask(";".join(statements).format(name))
                                  for name in ("temp.", "copy_"))
                for sql, rows, wanted in zip(statements, ours, expected, strict=True):
                    self.assertEqual(rows, wanted, sql)

    def test_a_row_value_is_compared_as_in_sql_or_refused(self):
        for asked in ("SELECT trace_id FROM {}traces WHERE (size, status) IN (SELECT i, s FROM pairs)",
                      "SELECT trace_id FROM {}assessments WHERE (name, value) IN (SELECT 'ok', i FROM "
                      "pairs)", "SELECT trace_id FROM {}assessments WHERE (name, value) IN (SELECT "
                      "'ok', '5')",
                      # A list that SQLite reads where it is: in a table by its key, or in an index.
                      "SELECT trace_id FROM {}traces WHERE (size, 1) IN (SELECT i, 1 FROM key)",
                      "SELECT trace_id FROM {}traces WHERE (size, 1) IN (SELECT i, 1 FROM sole)",
                      "SELECT trace_id FROM {}traces WHERE (size, status) IN (SELECT i, s FROM both)",
                      "SELECT trace_id FROM {}assessments WHERE (value, 1) IN (SELECT i, 1 FROM key)"):
            for ask in self.each():
                with self.assertRaisesRegex(Exception, "a row with .* IN .* write EXISTS"):
                    ask(asked.format("temp."))
        self.check("SELECT count(*) FROM {}traces WHERE (status, name) IN (SELECT s, 'agent' FROM pairs)")
        self.check("SELECT count(*) FROM {}traces AS t WHERE EXISTS (SELECT 1 FROM pairs WHERE "
                   "i = t.size AND s = t.status)")
        # What is put in order is no list of an IN.
        self.check("SELECT p.i, count(t.trace_id) FROM (SELECT i FROM pairs ORDER BY s LIMIT 3) AS p "
                   "LEFT JOIN {}traces AS t ON t.size = p.i GROUP BY 1 ORDER BY 1")
        self.check("SELECT i, (SELECT count(*) FROM {}traces AS t WHERE t.size = pairs.i) FROM pairs "
                   "ORDER BY s, i LIMIT 3")
        self.check("SELECT count(*) FROM (SELECT i FROM pairs UNION SELECT 5) AS p CROSS JOIN "
                   "{}traces AS t ON t.size = p.i")
        for table in ("key", "sole", "both", "(SELECT i FROM both WHERE i IS NOT NULL)"):
            self.check(f"SELECT p.i, count(t.trace_id) FROM {table} AS p LEFT JOIN {{}}traces AS t "
                       "ON t.size = p.i AND p.i IS NOT NULL WHERE p.i > 0 GROUP BY 1")
            self.check(f"SELECT i, (SELECT count(*) FROM {{}}traces AS t WHERE t.size = p.i) "
                       f"FROM {table} AS p WHERE p.i NOT NULL")

    def test_numbers_have_the_type_of_their_column(self):
        self.check("SELECT name, model_name, typeof(model_name), total_cost, typeof(total_cost), "
                   "total_cost / 2 FROM {}spans ORDER BY 2, 1")
        self.check("SELECT count(*), min(a.model_name) FROM {0}spans AS a JOIN {0}spans AS b USING "
                   "(model_name)")
        rows, _ = self.each()
        self.assertIn(("7", "text", 1.0, "real"), rows(
            "SELECT model_name, typeof(model_name), total_cost, typeof(total_cost) FROM temp.spans"))


if __name__ == "__main__":
    unittest.main()
