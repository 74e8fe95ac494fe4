"""Spans that the server has moved into its archive are read like any others.

MLflow archives old traces on its own, if told to: it moves a trace's spans from its tables into a
file, and leaves rows of their names behind. Here its store is told to do so at once, beside the
running server: first half of the traces, then all.
"""

import contextlib
import logging
import os
import pathlib
import unittest

import support

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
TRACES = 60
EXPERIMENT = "archived"
STATEMENTS = {
    "spans": "SELECT * FROM mlflow_spans ORDER BY trace_id, span_id",
    "payloads": "SELECT trace_id, request, response FROM mlflow_traces ORDER BY trace_id",
    "condition on spans": "SELECT trace_id, span_id, inputs, outputs FROM mlflow_spans "
                          "WHERE span_type = 'TOOL' AND status = 'OK' ORDER BY 1, 2",
    "name": "SELECT trace_id, count(*) FROM mlflow_spans WHERE name IN ('plan', 'answer') "
            "GROUP BY 1 ORDER BY 1",
    "join": "SELECT t.trace_id, s.span_id, s.self_time_ms, s.critical_path_ms, s.attributes "
            "FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id) "
            "WHERE t.status = 'OK' ORDER BY 1, 2",
}


class Archive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        cls.server = support.live.Server()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()
        cls.remote = support.Remote(support.SQLITE, cls.server.uri)
        support.create_experiment(cls.remote, EXPERIMENT)
        support.seed(cls.remote, EXPERIMENT, TRACES)
        folder = pathlib.Path(cls.server.folder)
        cls.store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts"))
        cls.location = (folder / "archive").as_uri()

    def archive(self, count=None):
        return self.store.archive_traces(
            resolved_trace_archival_location=self.location, broader_retention="1m",
            max_traces_per_pass=count)

    def read(self):
        """(rows of each statement, requests of each)."""
        rows, requests = {}, {}
        with support.environment({"MLFLOW_EXPERIMENT_NAME": EXPERIMENT}):
            for what, sql in STATEMENTS.items():
                with contextlib.closing(support.apsw_connection(self.remote)) as connection:
                    rows[what] = connection.execute(sql).fetchall()
                    requests[what] = connection.execute(
                        "SELECT count(*) FROM mlflow_requests").fetchone()[0]
        return rows, requests

    def places(self):
        with support.environment({"MLFLOW_EXPERIMENT_NAME": EXPERIMENT}), \
                contextlib.closing(support.apsw_connection(self.remote)) as connection:
            return dict(connection.execute(
                "SELECT tags ->> '$.\"mlflow.trace.spansLocation\"', count(*) "
                "FROM mlflow_traces GROUP BY 1").fetchall())

    def test_rows_stay_the_same(self):
        before, few = self.read()
        for what, rows in before.items():
            self.assertGreater(len(rows), 5, what)
        self.assertEqual(self.archive(TRACES // 2), TRACES // 2)
        self.assertEqual(self.places()["ARCHIVE_REPO"], TRACES // 2)
        half, _ = self.read()
        self.archive()
        self.assertGreater(self.places()["ARCHIVE_REPO"], TRACES * 0.9)
        whole, many = self.read()
        for what, rows in before.items():
            self.assertEqual(half[what], rows, what)
            self.assertEqual(whole[what], rows, what)
            self.assertLess(many[what], few[what] + 10, what)  # by batches still
        self.check_an_archive_out_of_reach(pathlib.Path(self.server.folder) / "archive")

    def check_an_archive_out_of_reach(self, archive):
        """The server answers 200, and leaves the spans out."""
        archived = self.places()["ARCHIVE_REPO"]
        away = archive.rename(archive.with_name("away"))
        with support.environment({"MLFLOW_EXPERIMENT_NAME": EXPERIMENT}):
            with contextlib.closing(support.apsw_connection(self.remote)) as connection:
                with self.assertRaisesRegex(Exception, "sends none of its [0-9]+ spans: does it reach"):
                    connection.execute("SELECT count(*) FROM mlflow_spans").get
            with support.environment({"MLFLOW_SQL_BAD_TRACES": "null"}), \
                    contextlib.closing(support.apsw_connection(self.remote)) as connection:
                self.assertEqual(connection.execute(
                    "SELECT count(*), count(request) FROM mlflow_traces WHERE span_error NOT NULL"
                ).get, (archived, 0))
                self.assertLess(connection.execute("SELECT count(*) FROM mlflow_requests").get, 40)
        away.rename(archive)
