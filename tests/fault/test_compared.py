"""Whatever SQLite makes of a comparison with the experiment: all are read, not the preset one.

SQLite may compare by a search: in an index of the other table or one that it makes for the join, in
the list of an IN. Each of its versions does so in other instructions, which tables/survey.c reads.
"""

import json
import unittest

import support
from hostile_server import HostileServer, Step

EXPERIMENTS = {"7": "agent", "8": "other"}  # the first is the preset one
TABLES = """CREATE TABLE list(name TEXT); INSERT INTO list VALUES('other');
CREATE TABLE keyed(name TEXT PRIMARY KEY); INSERT INTO keyed VALUES('other');
CREATE TABLE rowless(name TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO rowless VALUES('other')"""
COMPARED = [
    "mlflow_traces AS t JOIN list ON t.experiment = list.name",
    "mlflow_traces AS t CROSS JOIN list ON t.experiment = list.name",
    "list, mlflow_traces AS t WHERE +t.experiment = list.name",
    "mlflow_traces AS t CROSS JOIN keyed ON t.experiment = keyed.name",
    "mlflow_traces AS t CROSS JOIN rowless ON t.experiment = rowless.name",
    "mlflow_traces AS t LEFT JOIN keyed ON keyed.name = t.experiment WHERE keyed.name NOT NULL",
    "mlflow_traces AS t WHERE experiment IN (SELECT name FROM list)",
    "mlflow_traces AS t WHERE +experiment IN (SELECT name FROM list)",
    "mlflow_traces AS t WHERE +experiment IN (SELECT name FROM keyed)",
    "mlflow_traces AS t WHERE +experiment IN ('other', 'x', 'y', 'z')",
    "mlflow_traces AS t WHERE +experiment NOT IN ('agent', 'x', 'y', 'z')",
    "mlflow_traces AS t WHERE status IN (SELECT name FROM list) "
    "OR +experiment IN (SELECT name FROM list)",
    "mlflow_traces AS t WHERE EXISTS (SELECT 1 FROM list WHERE list.name = t.experiment)",
    "mlflow_traces AS t WHERE EXISTS (SELECT 1 FROM keyed WHERE keyed.name = t.experiment)",
    "mlflow_traces AS t WHERE +experiment IN (SELECT value FROM json_each('[\"other\"]'))",
]
NOT_COMPARED = [
    "SELECT DISTINCT experiment FROM mlflow_traces",
    "SELECT experiment FROM mlflow_traces GROUP BY 1",
    "SELECT experiment FROM mlflow_traces UNION SELECT experiment FROM mlflow_traces",
    "WITH s AS MATERIALIZED (SELECT experiment FROM mlflow_traces GROUP BY 1) "
    "SELECT experiment FROM mlflow_traces JOIN s USING (experiment)",
    "SELECT experiment FROM mlflow_traces WHERE +experiment IN (SELECT experiment FROM "
    "mlflow_traces)",
]


class Experiments(HostileServer):
    """Has a trace in each experiment, called t and the experiment's id."""

    def take_step(self, request):
        path, _, name = request.target.partition("?experiment_name=")
        step = Step(["ok"])
        if path.endswith("/version"):
            answer = "3.17.2"
            step.options["type"] = "text/plain"
        elif path.endswith("/traces/metrics"):
            answer = {"data_points": [{"metric_name": "trace_count", "dimensions": {},
                                       "values": {"COUNT": -1}}]}
        elif path.endswith("/get-by-name"):
            [found] = [key for key, value in EXPERIMENTS.items() if value == name]
            answer = {"experiment": {"experiment_id": found, "name": name}}
        elif path.endswith("/traces/search"):
            asked = [place["mlflow_experiment"]["experiment_id"]
                     for place in json.loads(request.body)["locations"]]
            answer = {"traces": [
                {"trace_id": f"t{key}", "request_time": support.timestamp(1_790_000_000_000),
                 "trace_location": {"mlflow_experiment": {"experiment_id": key}}}
                for key in asked]}
        else:
            answer = {"experiments": [{"experiment_id": key, "name": value}
                                      for key, value in EXPERIMENTS.items()]}
        step.options["body"] = answer if isinstance(answer, str) else json.dumps(answer)
        return step


class Compared(unittest.TestCase):
    def setUp(self):
        self.server = Experiments()
        self.addCleanup(self.server.stop)
        with support.environment({"MLFLOW_EXPERIMENT_NAME": "agent"}):
            self.connection = support.apsw_connection(self.server.uri)
            self.connection.execute("SELECT * FROM mlflow_settings").fetchall()
        self.addCleanup(self.connection.close)
        self.connection.execute(TABLES)

    def test_a_search_is_a_comparison(self):
        for tail in COMPARED:
            with self.subTest(tail):
                rows = self.connection.execute(f"SELECT trace_id FROM {tail}").fetchall()
                self.assertEqual(rows, [("t8",)])

    def test_what_sqlite_searches_for_itself_is_none(self):
        for statement in NOT_COMPARED:
            with self.subTest(statement):
                self.assertEqual(self.connection.execute(statement).fetchall(), [("agent",)])

    def test_a_count_below_nothing_is_no_answer(self):
        self.assertEqual(self.connection.execute("SELECT count(*) FROM mlflow_traces").get, 1)
        self.assertEqual(self.connection.execute(
            "SELECT count(*) FROM mlflow_requests WHERE endpoint LIKE '%/traces/metrics'").get, 1)
