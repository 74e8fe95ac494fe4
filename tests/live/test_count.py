"""count(*) where the server counts: the number that reading the traces gives, in one request.

Each statement is asked with and without push-down, on Debian's SQLite and on the newest one, of a
server that counts and of one that is too old to.
"""

import json
import unittest

import support

TRACES = 30
OTHERS = 8
PAGE = 25
RECEIPT = ("SELECT json_array(count(*) FILTER (WHERE endpoint LIKE '%traces/metrics'), "
           "count(*) FILTER (WHERE endpoint LIKE '%traces/search')) FROM mlflow_requests")
SETUP = ("CREATE TEMP TABLE two(n); INSERT INTO two VALUES (1), (2); "
         "CREATE VIRTUAL TABLE temp.whole USING mlflow_traces(pushdown = off); "
         "CREATE VIRTUAL TABLE temp.pair USING mlflow_traces(experiments = 'count, count 2'); "
         "CREATE VIRTUAL TABLE temp.pair_whole USING mlflow_traces("
         "experiments = 'count, count 2', pushdown = off)")

# Of {t}, which is mlflow_traces or its like: in how many requests the server counts them.
COUNTED = {
    "SELECT count(*) FROM {t}": 1,
    "SELECT count(*) FROM {t} WHERE experiment = 'count 2'": 1,
    "SELECT experiment, count(*) FROM {t} WHERE experiment = 'count 2'": 1,
    "SELECT count(*) FROM {t} WHERE experiment = 'count 2' AND status = 'OK'": 1,
    "SELECT status, count(*) FROM {t} WHERE status = 'ERROR'": 1,
    "SELECT count(*) FROM {t} WHERE 'ERROR' = status": 1,
    "SELECT count(*) FROM {t} WHERE status = 'IN_PROGRESS'": 1,
    "SELECT count(*) FROM (SELECT 1 FROM {t})": 1,
    "SELECT (SELECT count(*) FROM {t}), (SELECT count(*) FROM {t} WHERE status = 'OK')": 2,
    "SELECT count(*) FROM two, {t}": 1,
    "SELECT count(*), sum(k) FROM two, (SELECT count(*) AS k FROM {t})": 1,
    "SELECT count(*) FROM {t} UNION ALL SELECT count(*) FROM {t} WHERE status = 'OK'": 2,
    "WITH n(k) AS MATERIALIZED (SELECT count(*) FROM {t}) SELECT k FROM n": 1,
}
READ = [
    "SELECT count(trace_id || '') FROM {t}",
    "SELECT count(DISTINCT trace_id) FROM {t}",
    "SELECT min(trace_id) FROM {t}",
    "SELECT count(name) FROM {t}",
    "SELECT sum(timestamp_ms > 0) FROM {t}",
    "SELECT count(*) FILTER (WHERE status = 'OK') FROM {t}",
    "SELECT status, count(*) FROM {t} GROUP BY 1 ORDER BY 1",
    "SELECT status, count(*) FROM {t} WHERE status = 'ERROR' GROUP BY status",
    "SELECT count(*) FROM {t} WHERE status IN ('OK', 'ERROR')",
    "SELECT count(*) FROM {t} WHERE status <> 'OK'",
    "SELECT count(*) FROM {t} WHERE status = 'ok'",
    "SELECT count(*) FROM {t} WHERE status = 'OK' COLLATE nocase",
    "SELECT count(*) FROM {t} WHERE status IS 'OK'",
    "SELECT count(*) FROM {t} WHERE status = 7",
    "SELECT count(*) FROM {t} WHERE +status = 'OK'",
    "SELECT count(*) FROM {t} WHERE status = 'OK' OR status = 'ERROR'",
    "SELECT count(*) FROM {t} WHERE status = 'OK' AND length(trace_id) > 0",
    "SELECT count(*) FROM {t} WHERE name = 'support-agent'",
    "SELECT count(*) FROM {t} WHERE timestamp_ms > 0",
    "SELECT count(*) FROM {t} WHERE trace_id > 'tr-8'",
    "SELECT count(*) FROM {t} WHERE trace_id IN (SELECT trace_id FROM {t} WHERE status = 'OK')",
    "SELECT count(*) FROM {t} AS a WHERE EXISTS (SELECT 1 FROM {t} AS b "
    "WHERE b.trace_id = a.trace_id)",
    "SELECT count(*) FROM two CROSS JOIN {t}",
    "SELECT n, (SELECT count(*) FROM {t}) FROM two",
    "SELECT n, (SELECT count(*) FROM {t} WHERE status = substr('OK' || n, 1, 2)) FROM two",
    "SELECT count(*) FROM {t} WHERE experiment = 'count' COLLATE nocase",
]


class Count(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = [support.start(name) for name in support.servers()]
        for server in cls.servers:
            for name, traces in (("count", TRACES), ("count 2", OTHERS), ("count none", 0)):
                support.create_experiment(server, name)
                if traces:
                    support.seed(server, name, traces)

    def ask(self, server, statements, preset="count"):
        """Of both SQLites: [(rows, [metrics, searches])], one for each statement."""
        variables = {"MLFLOW_EXPERIMENT_NAME": preset, "MLFLOW_SQL_PAGE_ROWS": str(PAGE)}
        with support.environment(variables):
            script = "".join(f"{sql};\n.print ===\n{RECEIPT};\n.print ---\n" for sql in statements)
            run = support.run_shell(f"{SETUP};\n{script}", server, **variables)
            self.assertEqual(run.stderr, "")
            shown = [each.strip().partition("===") for each in run.stdout.split("---\n")[:-1]]
            yield self.costs((rows.strip(), json.loads(receipt)) for rows, _, receipt in shown)
            connection = support.apsw_connection(server)
            for _ in connection.execute(SETUP):
                pass
            answers = []
            for sql in statements:
                rows = "\n".join("|".join("" if value is None else str(value) for value in row)
                                 for row in connection.execute(sql))
                answers.append((rows, json.loads(connection.execute(RECEIPT).get)))
            yield self.costs(answers)
            connection.close()

    @staticmethod
    def costs(answers):
        """Each receipt without what the statements before it had cost."""
        before, own = [0, 0], []
        for rows, receipt in answers:
            own.append((rows, [now - then for now, then in zip(receipt, before)]))
            before = receipt
        return own

    def same(self, server, texts, table, whole, cost):
        """What is read without push-down, and at `cost(text)` metrics and searches with it."""
        asked = self.ask(server, [text.format(t=table) for text in texts])
        read = self.ask(server, [text.format(t=whole) for text in texts])
        for counted, expected in zip(asked, read):
            for text, (rows, receipt), (whole_rows, whole_receipt) in zip(texts, counted, expected):
                self.assertEqual(rows, whole_rows, text)
                self.assertEqual(whole_receipt[0], 0, text)
                self.assertGreater(whole_receipt[1], 0, text)
                if cost:
                    self.assertEqual(receipt, [cost[text], 0], text)
                else:
                    self.assertEqual(receipt[0], 0, text)

    def test_the_server_counts_what_reading_gives(self):
        for server in self.servers:
            cost = None if server.name == support.SQLITE_OLDEST else COUNTED
            self.same(server, list(COUNTED), "mlflow_traces", "whole", cost)
            pair = [text for text in COUNTED if "experiment" not in text]
            self.same(server, pair, "pair", "pair_whole", cost)

    def test_what_cannot_be_counted_is_read(self):
        for server in self.servers:
            self.same(server, READ, "mlflow_traces", "whole", None)

    def test_no_row(self):
        statements = ["SELECT count(*) FROM mlflow_traces", "SELECT 'x' FROM mlflow_traces",
                      "SELECT 'x' FROM mlflow_traces WHERE status = NULL"]
        for server in self.servers:
            for answers in self.ask(server, statements, "count none"):
                self.assertEqual([rows for rows, _ in answers], ["0", "", ""])
                self.assertEqual(answers[2][1], [0, 0])
