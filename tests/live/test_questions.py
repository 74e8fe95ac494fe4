"""judge_agreement, judge_disagreements and what_fails: their figures equal what scikit-learn and plain
Python make of what MLflow's client returns.

Each view is asked in Debian's sqlite3 and in the newest SQLite.
"""

import collections
import itertools
import json
import math
import random
import unittest

import support

from sklearn import metrics

import scenario
import seeded
from scenario import Assessment

NAME = "questions"
COUNT = 500
JUDGE, OTHER_JUDGE = ("LLM_JUDGE", "judge-v3"), ("CODE", "rules.py")
ANN, BEN = ("HUMAN", "ann@example.com"), ("HUMAN", "ben@example.com")
FIGURES = ["n", "rest_n", "share", "rest_share", "lift", "difference", "low", "high", "npmi"]


def opinions(rng, trace, place):
    """What judges and people say of a trace: a boolean for the code, a scale for the tone."""
    right = rng.random() < 0.7
    for source, share in ((JUDGE, 0.85), (OTHER_JUDGE, 0.7), (ANN, 0.95), (BEN, 0.9)):
        if rng.random() < (0.2 if source == BEN else 0.02):
            continue
        said = right if rng.random() < share else not right
        trace.assessments.append(Assessment(
            "helpful", said if source == OTHER_JUDGE else "yes" if said else "no", source=source,
            rationale=f"{source[1]} on {place}"))
        trace.assessments.append(Assessment(
            "tone", min(5, max(1, 3 + 2 * right - 1 + rng.randrange(-1, 2))), source=source))
    if place % 7 == 0:
        trace.assessments.append(Assessment("comment", f"text {place}", source=ANN))
        trace.assessments.append(Assessment("comment", None, source=JUDGE,
                                            error=("TIMEOUT", "the judge hung")))


def make(server):
    mlflow = seeded.use(server)
    with seeded.once(server, NAME) as writer:
        if not writer:
            return
        rng = random.Random(5)
        traces = scenario.make_traces(COUNT, 3, seeded.UNTIL_MS, NAME)
        for place, trace in enumerate(traces):
            trace.run = None
            trace.assessments = []
            opinions(rng, trace, place)
            trace.assessments += [Assessment("correct", "no", corrected="yes")] * (place % 50 == 0)
        writer.write_all(traces)
        for trace in traces[-5:]:  # ann thinks again: what she says last counts
            mlflow.log_feedback(trace_id=trace.id, name="helpful", value="changed",
                                source=mlflow.entities.AssessmentSource(*ANN))


def differ(failed, passed, having):
    """The figures of the traces that have a value, among two sets of traces."""
    k, n, l, m = len(failed & having), len(failed), len(passed & having), len(passed)
    p, q = k / n, l / m
    (p_low, p_high), (q_low, q_high) = seeded.wilson(k, n), seeded.wilson(l, m)
    lift = p / ((k + l) / (n + m))
    figures = [k, l, p, q, lift, p - q, p - q - math.hypot(p - p_low, q_high - q),
               p - q + math.hypot(p_high - p, q - q_low),
               math.log(lift) / -math.log(k / (n + m)) if k else -1]
    low, high = figures[6], figures[7]
    verdict = ("too few" if k + l < 5 or min(n, m) < 20 else "more" if low > 0
               else "less" if high < 0 else "no clear difference")
    return dict(zip(FIGURES, figures)) | {"verdict": verdict}


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        make(cls.server)
        cls.traces = [trace for trace in seeded.read(cls.server, NAME)
                      if trace.info.request_time >= seeded.UNTIL_MS - 10 * seeded.DAY_MS]
        cls.database = seeded.Database(cls.server, NAME, days=10, until_ms=seeded.UNTIL_MS)

    def ask(self, sql, database=None):
        database = database or self.database
        rows, newest = database.rows(sql), database.newest(sql)
        for row in rows + newest:
            if "figures" in row:
                row["figures"] = json.loads(row["figures"])
        self.assertTrue(seeded.same(rows, newest), f"{sql}\n{rows[:3]}\n{newest[:3]}")
        return rows

    def pairs(self):
        """(scorer, a, b) -> [(trace, value of a, value of b, rationales)], people as b."""
        found = collections.defaultdict(list)
        for trace in self.traces:
            last = {}
            for given in sorted((g for g in trace.info.assessments if g.feedback),
                                key=lambda given: given.create_time_ms):
                value = given.feedback.value
                if value is not None:
                    source = (given.source.source_type, given.source.source_id)
                    if isinstance(value, bool):
                        value = "yes" if value else "no"
                    last[given.name, source] = (value, given.rationale)
            for (name, a), (other, b) in itertools.permutations(last, 2):
                if name == other and (a[0] == "HUMAN", a) < (b[0] == "HUMAN", b):
                    (x, why_x), (y, why_y) = last[name, a], last[name, b]
                    found[name, a, b].append((trace.info.trace_id, x, y, why_x, why_y))
        return found

    def test_judge_agreement(self):
        expected = self.pairs()
        rows = self.ask("SELECT * FROM judge_agreement")
        keys = [(row["scorer"], (row["a_source_type"], row["a_source_id"]),
                 (row["b_source_type"], row["b_source_id"])) for row in rows]
        self.assertEqual(set(keys), set(expected))
        self.assertEqual(len(keys), len(set(keys)))
        self.assertIn(("helpful", JUDGE, ANN), keys)
        self.assertIn(("helpful", ANN, BEN), keys)
        self.assertIn(("helpful", OTHER_JUDGE, JUDGE), keys)
        self.assertNotIn("comment", [key[0] for key in keys], "a judge that crashed said nothing")
        for key, row in zip(keys, rows):
            a, b = ([pair[i] for pair in expected[key]] for i in (1, 2))
            with self.subTest(key):
                self.assertEqual(row["n"], len(a))
                self.assertAlmostEqual(row["agreement"], metrics.accuracy_score(a, b), 12)
                self.assertAlmostEqual(row["kappa"], metrics.cohen_kappa_score(a, b), 12)
                self.assertTrue(row["kappa_low"] <= row["kappa"] <= row["kappa_high"])
                if key[0] == "tone":
                    self.assertAlmostEqual(row["weighted_kappa"], metrics.cohen_kappa_score(
                        a, b, weights="quadratic", labels=[1, 2, 3, 4, 5]), 12)
                else:
                    self.assertIsNone(row["weighted_kappa"])
                self.assertEqual(sum(cell["n"] for cell in row["figures"]["confusion"]), len(a))

    def test_what_a_person_overrode_is_a_disagreement(self):
        [row] = self.ask("SELECT n, agreement, a_source_id, b_source_type FROM judge_agreement "
                         "WHERE scorer = 'correct'")
        self.assertGreater(row["n"], 1)
        self.assertEqual((row["agreement"], row["a_source_id"], row["b_source_type"]),
                         (0, "judge-v3", "HUMAN"))

    def test_judge_disagreements(self):
        expected = sorted(
            (trace, scorer, a[1], b[1], x, y, why_x, why_y)
            for (scorer, a, b), pairs in self.pairs().items()
            for trace, x, y, why_x, why_y in pairs if x != y and scorer == "helpful")
        rows = self.ask("SELECT trace_id, scorer, a_source_id, b_source_id, a_value, b_value, "
                        "a_rationale, b_rationale FROM judge_disagreements "
                        "WHERE scorer = 'helpful'")
        self.assertGreater(len(rows), 100)
        self.assertIn("changed", {row["b_value"] for row in rows})
        self.assertEqual(sorted((tuple(row.values()) for row in rows), key=str),
                         sorted(expected, key=str))

    def dimensions(self):
        """(dimension, value) -> the traces that have it."""
        having = collections.defaultdict(set)
        for trace in self.traces:
            info = trace.info
            own = {("name", info.tags.get("mlflow.traceName")),
                   ("user_id", info.trace_metadata.get("mlflow.trace.user")),
                   ("version", info.tags.get("version")),
                   ("has_session",
                    "yes" if "mlflow.trace.session" in info.trace_metadata else "no")}
            for span in trace.data.spans:
                if span.span_type == "TOOL":
                    own.add(("tool", span.name))
                elif span.attributes.get("mlflow.llm.model"):
                    own.add(("model", span.attributes["mlflow.llm.model"]))
            for key in own:
                having[key].add(info.trace_id)
        return having

    def test_what_fails(self):
        failed, passed = ({trace.info.trace_id for trace in self.traces
                           if trace.info.state.value == state} for state in ("ERROR", "OK"))
        self.assertGreater(len(failed), 20)
        expected = {key: differ(failed, passed, having)
                    for key, having in self.dimensions().items() if having & (failed | passed)}
        rows = self.ask("SELECT * FROM what_fails")
        self.assertEqual({(row["dimension"], row["value"]) for row in rows}, set(expected))
        self.assertEqual(len(rows), len(expected))
        for row in rows:
            key = row.pop("dimension"), row.pop("value")
            self.assertTrue(seeded.same(row, expected[key]), (key, row, expected[key]))
        few = [row["verdict"] == "too few" for row in rows]
        self.assertEqual(few, sorted(few))
        clear = [max(row["low"], -row["high"]) for row in rows if row["verdict"] != "too few"]
        self.assertEqual(clear, sorted(clear, reverse=True))
        self.assertIn(rows[0]["verdict"], ("more", "less"))

    def test_nothing_to_say(self):
        empty = seeded.Database(self.server, seeded.experiment(self.server, "empty"), days=10,
                                until_ms=seeded.UNTIL_MS)
        for view in ("judge_agreement", "judge_disagreements", "what_fails"):
            self.assertEqual(self.ask(f"SELECT * FROM {view}", empty), [])

    def test_too_many_values_are_said(self):
        """Every trace has a user of its own, so that there are more than the function keeps."""
        many = seeded.Database(self.server, NAME, days=10, until_ms=seeded.UNTIL_MS)
        many.shell("DROP TABLE traces; CREATE TABLE traces AS SELECT t.* FROM mlflow_traces AS t "
                   "JOIN generate_series(1, 5); "
                   "UPDATE traces SET trace_id = 'tr' || rowid, user_id = 'user' || rowid;")
        rows = self.ask("SELECT value, n, verdict FROM what_fails WHERE dimension = 'user_id'",
                        many)
        self.assertEqual(rows, [{"value": None, "n": None, "verdict": "more than 1000 values"}])
