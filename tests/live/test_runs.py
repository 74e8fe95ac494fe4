"""Which traces belong to a run: in_run, failing_cases, judge_errors, pattern 4 and the export find
what MLflow's client finds, in the three ways in which traces come to an evaluation run:

    logged   mlflow.genai.evaluate calls the program, which logs its traces in the run
    judged   mlflow.genai.evaluate is given traces that exist, and links them to the run
    linked   a person links traces by hand, and they have feedback from another run and from nobody
"""

import json
import os
import unittest

import support

import seeded

PATTERN = seeded.SQL / "patterns" / "04_failing_cases.sql"
EXPORT = seeded.SQL / "export_dataset.sql"
KINDS = ["logged", "judged", "linked"]


def answer(question):
    return f"an answer to {question}"


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_GENAI_EVAL_MAX_WORKERS": "2"}
        cls.server = support.start()
        cls.name = support.create_experiment(cls.server, "runs")
        cls.runs = cls.evaluate()
        cls.database = seeded.Database(cls.server, cls.name)

    @classmethod
    def evaluate(cls):
        """The id of a run of each kind; `judged` is the newest evaluation, of the oldest traces."""
        mlflow = seeded.use(cls.server)
        from mlflow.entities import AssessmentSource
        from mlflow.genai.scorers import scorer

        @scorer
        def concise_communication(inputs):
            if inputs["question"] == "crash":
                raise ValueError("the judge hung")
            return inputs["question"] == "good"

        mlflow.set_experiment(cls.name)
        asked = mlflow.trace(answer, name="agent")
        for question in ("bad", "good", "crash", "by hand", "of nobody"):
            asked(question=question)
        mlflow.flush_trace_async_logging()
        client = mlflow.MlflowClient()
        number = mlflow.get_experiment_by_name(cls.name).experiment_id
        existing = {trace.data.spans[0].inputs["question"]: trace for trace in
                    mlflow.search_traces(locations=[number], return_type="list")}

        logged = mlflow.genai.evaluate(
            data=[{"inputs": {"question": q}} for q in ("bad", "good", "crash", "worse")],
            predict_fn=answer, scorers=[concise_communication]).run_id
        linked = client.create_run(number).info.run_id
        client.link_traces_to_run([existing[q].info.trace_id for q in ("bad", "by hand")], linked)
        mlflow.log_feedback(trace_id=existing["by hand"].info.trace_id, value=False,
                            name="concise_communication", source=AssessmentSource("HUMAN", "me"))
        mlflow.log_feedback(trace_id=existing["of nobody"].info.trace_id, value=False,
                            name="concise_communication", source=AssessmentSource("HUMAN", "me"))
        judged = mlflow.genai.evaluate(
            data=[existing[q] for q in ("bad", "good", "crash")],
            scorers=[concise_communication]).run_id
        return {"logged": logged, "judged": judged, "linked": linked}

    def found_by_client(self, run):
        mlflow = seeded.use(self.server)
        number = mlflow.get_experiment_by_name(self.name).experiment_id
        return sorted(trace.info.trace_id for trace in mlflow.search_traces(
            locations=[number], run_id=run, return_type="list"))

    def questions(self, sql):
        return sorted(json.loads(row["inputs"])["question"] for row in self.database.rows(sql))

    def test_in_run_is_what_the_client_finds(self):
        for kind, count in zip(KINDS, (4, 3, 2)):
            run = self.runs[kind]
            expected = self.found_by_client(run)
            self.assertEqual(len(expected), count, kind)
            for table in ("mlflow_traces", "mlflow_spans", "traces"):
                with self.subTest(kind, table=table):
                    sql = f"SELECT DISTINCT trace_id, in_run FROM {table} WHERE in_run = '{run}'"
                    rows = self.database.rows(sql + " ORDER BY 1")
                    self.assertEqual(rows, [{"trace_id": i, "in_run": run} for i in expected])
                    self.assertTrue(seeded.same(sorted(self.database.newest(sql), key=str),
                                                sorted(rows, key=str)))

    def test_a_run_that_logged_beside_a_run_that_is_asked_for(self):
        """The server looks at the last of several runs in a filter, and forgets the others."""
        both = "SELECT trace_id FROM {} WHERE in_run = '{}' AND run_id = '{}'"
        raw = "SELECT trace_id FROM {} WHERE run_id = '{}' AND filter = 'attributes.run_id = \"{}\"'"
        for asked in KINDS:
            found = set(self.found_by_client(self.runs[asked]))
            for logged in KINDS:
                run = self.runs[logged]
                own = {row["trace_id"] for row in self.database.rows(
                    "SELECT trace_id FROM mlflow_traces "
                    f"""WHERE metadata ->> '$."mlflow.sourceRun"' = '{run}'""")}
                for sql in (both.format("mlflow_traces", self.runs[asked], run),
                            raw.format("mlflow_traces", run, self.runs[asked])):
                    self.assertEqual({row["trace_id"] for row in self.database.rows(sql)},
                                     found & own, (asked, logged, sql))
        with self.assertRaisesRegex(RuntimeError, "say the run once"):
            self.database.rows(f"SELECT 1 FROM mlflow_traces WHERE in_run = '{self.runs['judged']}' "
                               f"AND filter = 'run_id = \"{self.runs['logged']}\"'")
        self.assertEqual(self.database.rows("SELECT 1 FROM mlflow_traces WHERE in_run = ''"), [])

    def test_a_trace_of_two_runs_that_are_asked_for(self):
        """It is a row for each of them, and one trace."""
        runs = self.runs["judged"], self.runs["linked"]
        judged, linked = map(self.found_by_client, runs)
        self.assertEqual(len({*judged} & {*linked}), 1)

        def asked(sql, column, values):
            return [row for value in values for row in self.database.rows(sql.format(
                f"({column} = '{value}')"))]

        for table, column in (("mlflow_traces", "in_run"), ("mlflow_spans", "in_run"),
                              ("mlflow_assessments", "in_run"), ("failing_cases", "run_id")):
            each = f"SELECT {column}, count(*) AS n FROM {table} WHERE {{}} GROUP BY 1"
            traces = f"SELECT DISTINCT trace_id FROM {table} WHERE {{}}"
            for sql, rows in ((each, asked(each, column, runs)),
                              (traces, list({row["trace_id"]: row for row in asked(
                                  traces, column, runs)}.values()))):
                self.assertGreater(len(rows), 1)
                for both in (f"{column} IN {runs}",
                             f"({column} = '{runs[0]}' OR {column} = '{runs[1]}')"):
                    for found in (self.database.rows(sql.format(both)),
                                  self.database.newest(sql.format(both))):
                        self.assertEqual(sorted(found, key=str), sorted(rows, key=str), both)

    def test_failing_cases_of_each_kind(self):
        """Feedback from another run does not count; that of a person counts for every run."""
        for kind, expected in (("logged", ["bad", "worse"]), ("judged", ["bad"]),
                               ("linked", ["by hand"])):
            asked = f"FROM failing_cases WHERE run_id = '{self.runs[kind]}'"
            with self.subTest(kind):
                self.assertEqual(self.questions(f"SELECT inputs {asked}"), expected)
                self.assertEqual(self.questions(f"SELECT inputs {asked} "
                                                "AND scorer = 'concise_communication'"), expected)
                self.assertEqual({(row["run_id"], row["evaluated_in"]) for row in
                                  self.database.rows(f"SELECT run_id, evaluated_in {asked}")},
                                 {(self.runs[kind],) * 2})

    def test_judge_errors_of_each_kind(self):
        for kind, count in (("logged", 1), ("judged", 1), ("linked", 0)):
            rows = self.database.rows("SELECT error_message FROM judge_errors "
                                      f"WHERE run_id = '{self.runs[kind]}'")
            self.assertEqual(len(rows), count, kind)

    def test_the_run_reaches_the_server(self):
        for view in ("failing_cases", "judge_errors"):
            filters = self.database.filters(
                f"SELECT trace_id FROM {view} WHERE run_id = '{self.runs['judged']}'")
            self.assertNotEqual(filters, [], view)
            for sent in filters:
                self.assertIn(f"attributes.run_id = '{self.runs['judged']}'", sent["filter"])

    def test_without_a_run_all_traces_are_seen(self):
        rows = self.database.rows("SELECT run_id, evaluated_in, count(*) AS n FROM failing_cases "
                                  "GROUP BY 1, 2")
        self.assertEqual({(row["run_id"], row["evaluated_in"]): row["n"] for row in rows},
                         {(None, self.runs["logged"]): 2, (None, self.runs["judged"]): 1,
                          (None, None): 2})

    def test_a_run_without_traces(self):
        for view in ("failing_cases", "judge_errors"):
            rows = self.database.rows(f"SELECT * FROM {view} WHERE run_id = '{'0' * 32}'")
            self.assertEqual(rows, [])

    def test_pattern_4_takes_the_newest_evaluation(self):
        shown = self.database.shell(f".mode json\n.read {PATTERN}")
        cases, at = json.JSONDecoder().raw_decode(shown)
        crashed = json.loads(shown[at:])
        self.assertEqual([json.loads(row["inputs"])["question"] for row in cases], ["bad"])
        self.assertEqual(len(crashed), 1)
        self.assertEqual({row["trace_id"] for row in cases + crashed}
                         - set(self.found_by_client(self.runs["judged"])), set())

    def test_export_of_a_run(self):
        for kind, expected in (("logged", ["bad", "worse"]), ("judged", ["bad"]),
                               ("linked", ["by hand"])):
            lines = self.database.shell(
                "CREATE TEMP TABLE dataset_cases AS SELECT trace_id, inputs, outputs "
                f"FROM failing_cases WHERE run_id = '{self.runs[kind]}';\n.read {EXPORT}")
            self.assertEqual(sorted(json.loads(line)["inputs"]["question"]
                                    for line in lines.splitlines()), expected, kind)
