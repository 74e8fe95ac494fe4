"""sql/export_dataset.sql writes what MLflow's own client takes as a dataset."""

import copy
import json
import unittest

import support

import seeded

EXPORT = f".read {seeded.SQL}/export_dataset.sql"


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.name = seeded.experiment(cls.server, "all")
        cls.traces = {trace.info.trace_id: trace
                      for trace in seeded.read(cls.server, cls.name)}
        cls.database = seeded.Database(cls.server, cls.name, days=14,
                                       until_ms=seeded.UNTIL_MS)

    def export(self, before=""):
        return [json.loads(line)
                for line in self.database.shell(f"{before}\n{EXPORT}").splitlines()]

    def merge(self, name, records):
        """The records that a new dataset has after these were merged into it, as dicts."""
        mlflow = seeded.use(self.server)
        import mlflow.genai.datasets as datasets

        number = mlflow.get_experiment_by_name(self.name).experiment_id
        dataset = datasets.create_dataset(name=name, experiment_id=number)
        self.addCleanup(datasets.delete_dataset, dataset_id=dataset.dataset_id)
        dataset.merge_records(copy.deepcopy(records))  # it adds to them
        return datasets.get_dataset(dataset_id=dataset.dataset_id).to_df().to_dict("records")

    def check(self, records, merged):
        by_inputs = {json.dumps(row["inputs"], sort_keys=True): row for row in merged}
        self.assertEqual(len(by_inputs), len({json.dumps(r["inputs"], sort_keys=True)
                                              for r in records}))
        for record in records:
            trace = self.traces[record["source"]["source_data"]["trace_id"]]
            root = trace.data._get_root_span()
            inputs = root.inputs if isinstance(root.inputs, dict) else {"inputs": root.inputs}
            self.assertEqual(record["inputs"], inputs)
            self.assertEqual(record["outputs"], root.outputs)
            self.assertEqual(record["expectations"], {
                given.name: given.value for given in trace.search_assessments(type="expectation")})
            self.assertEqual(record["tags"], {key: value for key, value in trace.info.tags.items()
                                              if not key.startswith("mlflow.")})
            row = by_inputs[json.dumps(inputs, sort_keys=True)]
            self.assertEqual(row["outputs"], root.outputs)

    def test_the_diverse_sample(self):
        records = self.export()
        self.assertEqual(len(records), 50)
        self.assertGreater(sum(bool(record["expectations"]) for record in records), 0)
        merged = self.merge("diverse", records)
        self.check(records, merged)
        self.assertEqual({row["source_type"] for row in merged}, {"TRACE"})

    def test_failing_cases_of_a_scorer(self):
        records = self.export("CREATE TEMP TABLE dataset_cases AS SELECT trace_id, inputs, outputs "
                              "FROM failing_cases WHERE scorer = 'odd';")
        self.assertEqual(len(records), 3)
        # MLflow takes objects alone.
        self.assertEqual(sorted((record["inputs"] for record in records
                                 if list(record["inputs"]) == ["inputs"]), key=str),
                         [{"inputs": "a text"}, {"inputs": ["a", {"list": 1}]}])
        self.check(records, self.merge("failing", records))

    def test_nothing(self):
        name = seeded.experiment(self.server, "empty")
        self.assertEqual(seeded.Database(self.server, name).shell(EXPORT), "")


class Own(unittest.TestCase):
    """Over tables of one's own, without a server."""

    TABLES = """CREATE TABLE diverse_eval_dataset(trace_id, inputs, outputs);
        INSERT INTO diverse_eval_dataset VALUES ('tr-1', '1', '2');
        CREATE TABLE traces(trace_id, session_id, tags);
        INSERT INTO traces VALUES ('tr-1', NULL,
          '{"mlflow.user": "m", "MLflow.own": "kept", "mlflow_own": "kept", "mlflowX.y": "kept"}');
        CREATE TABLE assessments(assessment_id, trace_id, name, assessment_type, value_json, valid,
                                 create_time_ms);\n"""

    def test_tags_that_are_not_mlflows_stay(self):
        [line] = support.shell(self.TABLES + EXPORT).splitlines()
        self.assertEqual(json.loads(line)["tags"], dict.fromkeys(
            ("MLflow.own", "mlflow_own", "mlflowX.y"), "kept"))

    def test_cases_that_are_not_temporary_are_refused(self):
        for options in ("-bail",), ():
            ran = support.run_shell(f"{self.TABLES}CREATE TABLE Dataset_cases AS SELECT 'tr-1' AS "
                                    f"trace_id, 'x' AS inputs, 'y' AS outputs;\n{EXPORT}\n{EXPORT}",
                                    options=options)
            self.assertEqual(ran.stdout, "")
            self.assertIn("dataset_cases is in the database file: create it as a TEMP table, or drop "
                          "it", ran.stderr)
        self.assertIn('"inputs":"z"', support.shell(
            f"{self.TABLES}{EXPORT}\nDROP VIEW temp.dataset_cases;\nCREATE TEMP TABLE dataset_cases AS "
            f"SELECT 'tr-1' AS trace_id, 'z' AS inputs, 'y' AS outputs;\n{EXPORT}"))
