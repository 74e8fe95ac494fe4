"""Random statements over several tables equal a local copy, on both stores and both SQLites.

random_statements.py makes and asks them: joins of every kind, sub-selects, EXISTS, CTEs, windows,
views, statements that run again with other values, scopes that meet. For a long series by hand set
MLFLOW_SQL_TEST_STATEMENTS, and MLFLOW_SQL_TEST_SEED to another seed.
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

import support

COUNT = os.environ.get("MLFLOW_SQL_TEST_STATEMENTS", "6")
SEED = os.environ.get("MLFLOW_SQL_TEST_SEED", "1")
PROGRAM = pathlib.Path(__file__).with_name("random_statements.py")


class Statements(unittest.TestCase):
    def compare(self, name):
        server = support.start(name)
        here = support.create_experiment(server, "statements")
        there = support.create_experiment(server, "statements elsewhere")
        support.seed(server, here, 26)
        support.seed(server, there, 9)
        for python in ("/usr/bin/python3", sys.executable):
            for preset in (None, there):
                with self.subTest(python=python, preset=preset):
                    more = {"MLFLOW_EXPERIMENT_NAME": preset} if preset else {}
                    environment = support.clean_environment(
                        server, MLFLOW_SQL_PAGE_ROWS="10", **more)
                    run = subprocess.run(
                        [python, "-B", PROGRAM, support.extension(), f"{SEED} {preset}", COUNT,
                         here, there], capture_output=True, text=True, env=environment, check=True)
                    *different, counts = run.stdout.splitlines()
                    self.assertEqual(different, [])
                    counts = json.loads(counts)
                    self.assertEqual(counts["asked"], 2 * int(COUNT))
                    self.assertGreater(counts["rows"], int(COUNT) / 2)

    def test_sqlite(self):
        self.compare(support.SQLITE)

    def test_postgresql(self):
        self.compare(support.POSTGRESQL)
