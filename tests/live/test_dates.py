"""Conditions on time that mean another thing than they say leave a note, and their rows are SQL's.

The same conditions on a local copy of the traces tell what SQL's rows are.
"""

import unittest

import support

DAY_S = 1_795_478_400  # 2026-11-24
TABLES = "mlflow_traces", "mlflow_spans", "mlflow_assessments"
# (condition, values, how each of its notes begins and ends)
NOTED = [
    (f"timestamp_ms {operator} '2026-11-24'", (),
     [(f"timestamp_ms {operator} '2026-11-24' compares", f"so {rows} row fits; write "
       f"request_time {operator} '2026-11-24'")])
    for operator, rows in ((">", "no"), (">=", "no"), ("=", "no"), ("<", "every"), ("<=", "every"),
                           ("<>", "every"))
] + [
    ("'2026-11-24' < timestamp_ms", (),
     [("timestamp_ms > '2026-11-24' ", "request_time > '2026-11-24'")]),
    ("timestamp_ms BETWEEN '2026-11-24' AND '2026-11-25'", (),
     [("timestamp_ms >= '2026-11-24' ", ""), ("timestamp_ms <= '2026-11-25' ", "")]),
    ("timestamp_ms > ?", ("24.11.2026",), [("timestamp_ms > '24.11.2026' ", "")]),
    ("timestamp_ms > ?", ("yesterday's\nnews",), [("timestamp_ms > 'yesterday''s news' ", "")]),
    ("timestamp_ms > date('now')", (), [("timestamp_ms > '2", "")]),
    ("timestamp_ms > unixepoch('2026-11-24')", (),
     [(f"timestamp_ms > {DAY_S} ", f"in milliseconds it is 1970-01-21 18:44:38, in seconds "
       f"2026-11-24 00:00:00; write timestamp_ms > {DAY_S} * 1000 (unixepoch(…) * 1000)")]),
    ("timestamp_ms > ?", (DAY_S,), [(f"timestamp_ms > {DAY_S} ", "")]),
    ("timestamp_ms > ?", (DAY_S + 0.5,), [(f"timestamp_ms > {DAY_S} ", "")]),
    ("timestamp_ms > ?", (str(DAY_S),), [(f"timestamp_ms > {DAY_S} ", "")]),
    ("? > timestamp_ms", (DAY_S,), [(f"timestamp_ms < {DAY_S} ", "")]),
    (f"timestamp_ms BETWEEN {DAY_S} AND {DAY_S + 86400}", (),
     [(f"timestamp_ms >= {DAY_S} ", ""), (f"timestamp_ms <= {DAY_S + 86400} ", "")]),
    ("request_time > unixepoch('2026-11-24')", (),
     [(f"request_time > {DAY_S} ", "timestamp_ms > milliseconds (unixepoch(…) * 1000)")]),
    *((f"timestamp_ms > {fine}", (), []) for fine in (
        0, 1, -1, "NULL", "'0'", "' 12e3 '", f"{DAY_S}000", f"'{DAY_S}000'",
        f"{DAY_S} * 1000", 9223372036854775807)),
    ("request_time > '2026-11-24'", (), []), ("request_time > 2026", (), []),
]


class Dates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = support.start()
        name = support.create_experiment(server, "dates")
        support.seed(server, name, 4)
        with support.environment({"MLFLOW_EXPERIMENT_NAME": name}):
            cls.connection = support.apsw_connection(server)
            for table in TABLES:
                cls.connection.execute(
                    f"CREATE TEMP TABLE local_{table} AS SELECT trace_id, timestamp_ms, "
                    f"request_time FROM {table}")
        cls.addClassCleanup(cls.connection.close)

    def ask(self, sql, values=()):
        """The rows, and the log's new ones: (endpoint, bytes, note)."""
        (before,), = self.connection.execute("SELECT count(*) FROM mlflow_requests")
        rows = self.connection.execute(sql, values).fetchall()
        return rows, self.connection.execute(
            "SELECT endpoint, bytes, note FROM mlflow_requests LIMIT -1 OFFSET ?",
            (before,)).fetchall()

    def test_notes(self):
        for table in TABLES:
            for condition, values, expected in NOTED:
                sql = f"SELECT trace_id FROM {{}}{table} WHERE {condition} ORDER BY 1"
                with self.subTest(sql, values=values):
                    rows, log = self.ask(sql.format(""), values)
                    self.assertEqual(
                        rows, self.connection.execute(sql.format("local_"), values).fetchall())
                    notes = [row for row in log if row[2] is not None]
                    self.assertEqual(log[:len(notes)], notes, "a note comes before the requests")
                    self.assertEqual(len(notes), len(expected), notes)
                    for (endpoint, size, note), (begin, end) in zip(notes, expected):
                        self.assertEqual((endpoint, size), (None, 0))
                        self.assertTrue(note.startswith(begin) and note.endswith(end), note)
                        self.assertNotIn("\n", note)

    def test_a_date_that_no_row_can_be_behind_costs_no_request(self):
        _, log = self.ask("SELECT * FROM mlflow_traces WHERE timestamp_ms > '2026-11-24'")
        self.assertEqual([endpoint for endpoint, _, _ in log], [None])

    def test_the_end_of_a_trace(self):
        _, log = self.ask("SELECT count(*) FROM mlflow_traces WHERE end_time_ms > '2026-11-24'")
        self.assertEqual([note.partition('; ')[2] for _, _, note in log],
                         ["write end_time_ms > unixepoch('2026-11-24') * 1000"])

    def test_a_join_notes_once(self):
        _, log = self.ask(
            "WITH v(x) AS (VALUES ('2026-11-24'), ('2026-11-25'), (5)) SELECT x, (SELECT count(*) "
            "FROM mlflow_traces WHERE timestamp_ms > x) FROM v")
        self.assertEqual(len([note for _, _, note in log if note]), 1)
