"""sql/check: thresholds are measured as pandas and scipy measure, breaches are told by the status, and
windows are those that were asked for; the same over a server, a mirror and tables of one's own.
"""

import datetime
import functools
import itertools
import json
import re
import subprocess
import tempfile
import unittest

import support

import numpy
import pandas
import scipy.stats

import mirrored
import seeded
import test_report

CHECK = support.ROOT / "sql" / "check"
KINDS = ("all", "errors", "in progress", "empty")
SCORERS = ("concise_communication", "quality", "thumbs_up", "odd", "nobody gave this")
LATENCIES = {"p50_latency_ms": 0.5, "p95_latency_ms": 0.95, "p99_latency_ms": 0.99}
METRICS = ("success_rate", *LATENCIES, "requests", "cost_a_day", *(f"scorer.{s}" for s in SCORERS))
FIGURES = ("value", "n", "low", "high", "missing")
DAYS = 14
WINDOW = ("--days", str(DAYS), "--until", "2026-03-06 15:00")
LOCAL = """CREATE TABLE traces(trace_id, status, timestamp_ms, execution_time_ms, total_cost, request);
CREATE TABLE assessments(name, assessment_type, valid, value_json, value_num, error_code,
                         source_type, timestamp_ms);
.read {0}/views.sql
.read {0}/checks.sql
UPDATE report_settings SET days = 1, until_ms = 100000000;
"""


def check(server, experiment, *options, **variables):
    """(status, what it prints); what it refuses raises."""
    ran = subprocess.run([CHECK, *map(str, options)], text=True, timeout=120, capture_output=True,
                         check=False, env=support.clean_environment(
                             server, MLFLOW_EXPERIMENT_NAME=experiment,
                             **{"SQLITE_MLFLOW": support.extension()} | variables))
    if ran.returncode == 2 or ran.stderr:
        if ran.returncode != 2 or ran.stdout:
            raise AssertionError(f"status {ran.returncode} with {ran.stderr!r} and {ran.stdout!r}")
        raise RuntimeError(ran.stderr)
    return ran.returncode, ran.stdout


def judged(server, experiment, *options, **variables):
    """(status, the JSON)"""
    status, said = check(server, experiment, "--json", *options, **variables)
    return status, json.loads(said)


def proportion(passed, n, missing):
    if not n:
        return None, 0, None, None, missing
    interval = scipy.stats.binomtest(passed, n).proportion_ci(method="wilson")
    return passed / n, n, interval.low, interval.high, missing


def percentile(ms, share, total):
    n = len(ms)
    ordered = sorted(ms)
    ranks = [numpy.ceil(n * share + z * numpy.sqrt(n * share * (1 - share))) for z in (-1.96, 1.96)]
    low, high = (ordered[int(rank) - 1] if 1 <= rank <= n else None for rank in ranks)
    value = None if not n else numpy.percentile(ms, 100 * share)
    return value, n, low, high, total - n


def mean(values, given):
    n = len(values)
    if n < 2:
        return values.mean() if n else None, n, None, None, given - n
    reach = 1.96 * scipy.stats.sem(values)
    return values.mean(), n, values.mean() - reach, values.mean() + reach, given - n


def expected(traces, feedback, days):
    """{(metric, source type): figures}"""
    finished = traces[traces.status.isin(["OK", "ERROR"])]
    found = {
        ("success_rate", None): proportion(int((finished.status == "OK").sum()), len(finished),
                                           len(traces) - len(finished)),
        ("requests", None): (len(traces), len(traces), None, None, 0)}
    for metric, share in LATENCIES.items():
        found[metric, None] = percentile(finished.ms.dropna(), share, len(traces))
    costs = traces.total_cost.dropna()
    found["cost_a_day", None] = (costs.sum() / days if len(costs) else None, len(costs), None, None,
                                 len(traces) - len(costs))
    for scorer in SCORERS:
        given = feedback[feedback.scorer == scorer]
        if given.empty:
            found[f"scorer.{scorer}", None] = (None, 0, None, None, 0)
        for source, part in given.groupby("source_type"):
            values = list(part.value)
            passes = sum(value is True or value == "yes" for value in values)
            failures = sum(value is False or value == "no" for value in values)
            numbers = pandas.Series([float(value) for value in values
                                     if type(value) in (int, float)], dtype=float)
            found[f"scorer.{scorer}", source] = (
                proportion(passes, passes + failures, len(values) - passes - failures)
                if passes + failures else mean(numbers, len(values)))
    return found


@functools.cache
def infos(server, name):
    """The traces as MLflow's client returns them, without spans."""
    mlflow = seeded.use(server)
    number = mlflow.get_experiment_by_name(name).experiment_id
    return mlflow.search_traces(locations=[number], return_type="list", max_results=10_000,
                                include_spans=False)


class Figures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()

    def frames(self, kind):
        name = seeded.experiment(self.server, kind)
        traces = infos(self.server, name)
        from_ms = seeded.UNTIL_MS - DAYS * seeded.DAY_MS
        frames = []
        for rows, columns in ((seeded.trace_rows(traces), ["status", "ms", "total_cost"]),
                              (seeded.feedback_rows(traces), ["scorer", "value", "source_type"])):
            frame = pandas.DataFrame(rows, columns=["timestamp_ms", *columns], dtype=object)
            frames.append(frame[(frame.timestamp_ms >= from_ms)
                                & (frame.timestamp_ms < seeded.UNTIL_MS)])
        frames[0].loc[:, "total_cost"] = pandas.to_numeric(frames[0].total_cost)
        return name, frames

    def thresholds(self):
        return itertools.chain.from_iterable(("--at-least", f"{metric}=0") for metric in METRICS)

    def compare(self, checks, wanted):
        self.assertEqual([key for key, _ in itertools.groupby(row["metric"] for row in checks)],
                         list(METRICS))  # in the order that was asked for
        self.assertEqual({(row["metric"], row["source_type"]) for row in checks}, wanted.keys())
        for row in checks:
            figures = {name: row[name] for name in FIGURES}
            self.assertTrue(seeded.same(
                figures, dict(zip(FIGURES, wanted[row["metric"], row["source_type"]]))),
                f"{row}\n{wanted[row['metric'], row['source_type']]}")

    def test_they_are_those_of_pandas_and_scipy(self):
        for kind in KINDS:
            with self.subTest(kind):
                name, frames = self.frames(kind)
                status, said = judged(self.server, name, *self.thresholds(), *WINDOW)
                self.compare(said["checks"], expected(*frames, DAYS))
                self.assertEqual(status, 0)  # nothing is below 0
                self.assertEqual((said["experiment"], said["uri"]), (name, self.server.uri))

    def test_a_mirror_and_the_views_themselves_say_the_same(self):
        name, _ = self.frames("all")
        options = (*self.thresholds(), "--at-most", "p50_latency_ms=1", *WINDOW)
        status, said = judged(self.server, name, *options)
        with mirrored.scratch_folder() as folder:
            mirror = mirrored.Mirror(self.server, name, folder, spans_days=0)
            mirror.sync("--quiet")
            offline = judged("http://127.0.0.1:9", name, *options, "--file", mirror.path)
            self.assertEqual(offline, (status, said | {"uri": self.server.uri}))
            with self.assertRaisesRegex(RuntimeError, "ends before; sql/mirror brings it up to date"):
                check(self.server, name, *options[:2], "--file", mirror.path, "--until", "2099-01-01")
        self.assertEqual(status, 1)
        database = seeded.Database(self.server, name, days=DAYS, until_ms=seeded.UNTIL_MS)
        asked = ", ".join(f"('{metric}', 'at least', 0)" for metric in METRICS)
        database.shell(f".read {seeded.SQL}/checks.sql\nINSERT INTO thresholds VALUES {asked}, "
                       "('p50_latency_ms', 'at most', 1);\n.read {0}/checks.sql".format(seeded.SQL))
        rows = database.rows("SELECT * FROM threshold_checks")
        self.assertTrue(seeded.same(rows, database.newest("SELECT * FROM threshold_checks")))
        for row in rows:
            row["clear"] = row["clear"] if row["clear"] is None else bool(row["clear"])
        self.assertTrue(seeded.same(rows, said["checks"]), f"{rows}\n{said['checks']}")

    def test_what_nobody_asked_for_is_not_read(self):
        """A threshold of traces reads no assessments, one of a scorer those of the name alone."""
        name, _ = self.frames("all")
        database = seeded.Database(self.server, name, days=DAYS, until_ms=seeded.UNTIL_MS)
        database.shell(f".read {seeded.SQL}/checks.sql\n"
                       "INSERT INTO thresholds VALUES ('cost_a_day', 'at most', 5);")
        self.assertEqual(len(database.filters("SELECT * FROM threshold_checks")), 2)
        copies = [f".read {seeded.SQL}/{script}" for script in
                  ("views.sql", "checks.sql", "scope.d/collect.sql", "check.d/copy.sql")]
        window = f"UPDATE report_settings SET days = {DAYS}, until_ms = {seeded.UNTIL_MS};"
        for metric, pages, begin in (("requests", 2, "attributes.timestamp_ms >= "),
                                     ("scorer.thumbs_up", 1, "feedback.`thumbs_up` IS NOT NULL AND ")):
            sent = support.shell("\n".join([
                *copies[:3], window, f"INSERT INTO thresholds VALUES ('{metric}', 'at least', 1);",
                copies[3], "SELECT filter FROM mlflow_requests WHERE filter IS NOT NULL;"]),
                self.server, MLFLOW_EXPERIMENT_NAME=name).splitlines()
            self.assertEqual(len(sent), pages, sent)
            for conditions in sent:
                self.assertTrue(conditions.startswith(begin), conditions)
                self.assertIn("attributes.timestamp_ms <= ", conditions)

    def test_a_filter(self):
        name, _ = self.frames("all")
        _, said = judged(self.server, name, "--at-least", "requests=1", *WINDOW,
                         "--filter", "trace.name = 'sql_assistant'")
        there = [trace for trace in infos(self.server, name)
                 if trace.info.tags["mlflow.traceName"] == "sql_assistant"
                 and trace.info.request_time >= seeded.UNTIL_MS - DAYS * seeded.DAY_MS]
        self.assertEqual(said["checks"][0]["value"], len(there))
        self.assertEqual(said["filter"], "trace.name = 'sql_assistant'")


class Verdicts(unittest.TestCase):
    """Over tables of one's own, without a server."""

    def verdicts(self, thresholds, traces=(), feedback=()):
        """The rows; traces are (status, ms, cost), feedback (JSON, number)."""
        def rows(table, values):
            return f"INSERT INTO {table} VALUES {', '.join(values)};\n" if values else ""

        def sql(value):
            return "NULL" if value is None else repr(value)

        found = support.shell(
            LOCAL.format(seeded.SQL)
            + rows("traces", [f"('tr-{i}', {sql(status)}, 99999999, {sql(ms)}, {sql(cost)}, NULL)"
                              for i, (status, ms, cost) in enumerate(traces)])
            + rows("assessments", [f"('s', 'feedback', 1, {sql(text)}, {sql(number)}, NULL, 'CODE', "
                                   "99999999)" for text, number in feedback])
            + rows("thresholds", [repr(threshold) for threshold in thresholds])
            + ".mode json\nSELECT * FROM threshold_checks;")
        return [(row["verdict"], row["clear"]) for row in json.loads(found)]

    def test_beyond_is_a_breach_and_at_is_not(self):
        rate = [("OK", 100, 1)] * 19 + [("ERROR", 100, 1)]
        for bound, threshold, verdict in (
                ("at least", 0.95, "ok"), ("at least", 0.950001, "breach"),
                ("at most", 0.95, "ok"), ("at most", 0.949999, "breach")):
            with self.subTest(bound=bound, threshold=threshold):
                self.assertEqual(self.verdicts([("success_rate", bound, threshold)], rate),
                                 [(verdict, 0)])
        # All are equal: the interval has no width, but for the bound that 20 are too few for.
        self.assertEqual(self.verdicts([("p50_latency_ms", "at most", 100.0),
                                        ("p50_latency_ms", "at least", 100.0)], rate),
                         [("ok", 1), ("ok", 1)])
        self.assertEqual(self.verdicts([("p95_latency_ms", "at most", 99.9)], rate), [("breach", 1)])
        self.assertEqual(self.verdicts([("p95_latency_ms", "at least", 100.1)], rate),
                         [("breach", 0)])

    def test_clear_is_the_whole_interval(self):
        for failed, verdict in ((1, ("ok", 0)), (0, ("ok", 1)), (7, ("breach", 0)),
                                (30, ("breach", 1))):
            traces = [("OK", 1, None)] * (100 - failed) + [("ERROR", 1, None)] * failed
            with self.subTest(failed=failed):
                self.assertEqual(self.verdicts([("success_rate", "at least", 0.96)], traces),
                                 [verdict])

        halves = [("OK", 100, None)] * 10 + [("OK", 200, None)] * 10  # the interval: 100 to 200
        for bound, threshold, clear in (("at most", 100.0, 0), ("at most", 99.9, 1),
                                        ("at least", 200.0, 0), ("at least", 200.1, 1)):
            with self.subTest(bound=bound, threshold=threshold):
                self.assertEqual(self.verdicts([("p50_latency_ms", bound, threshold)], halves),
                                 [("breach", clear)])

    def test_too_few(self):
        for n, verdict in ((0, "too few"), (1, "too few"), (19, "too few"), (20, "breach")):
            with self.subTest(n=n):
                traces = [("ERROR", 9, None)] * n + [("IN_PROGRESS", 9, None)] * 30
                found = self.verdicts([("success_rate", "at least", 0.5),
                                       ("p50_latency_ms", "at most", 5.0),
                                       ("scorer.s", "at least", 0.5), ("scorer.x", "at least", 0.5)],
                                      traces, [("false", 0)] * n + [("NULL", None)] * 30)
                self.assertEqual([row[0] for row in found], [verdict] * 3 + ["too few"])

    def test_facts_need_no_twenty(self):
        one = [("OK", None, 6.0), (None, None, None)]
        self.assertEqual(self.verdicts([("cost_a_day", "at most", 5.0), ("requests", "at least", 3.0),
                                        ("requests", "at most", 2.0)], one),
                         [("breach", 1), ("breach", 1), ("ok", 1)])
        self.assertEqual(self.verdicts([("cost_a_day", "at most", 5.0), ("requests", "at least", 1.0)]),
                         [("too few", None), ("breach", 1)])  # who logs no cost may cost anything

    def test_numbers_have_a_mean(self):
        spread = [(str(x), x) for x in (1.0, 5.0) * 10]
        self.assertEqual(self.verdicts([("scorer.s", "at least", 3.0)], (), spread), [("ok", 0)])
        self.assertEqual(self.verdicts([("scorer.s", "at least", 4.5)], (), spread), [("breach", 1)])
        equal = [("3", 3)] * 20
        self.assertEqual(self.verdicts([("scorer.s", "at least", 3.0)], (), equal), [("ok", 1)])

    def test_thresholds(self):
        """The last of a metric and bound holds; what nobody knows is said; nonsense is refused."""
        self.assertEqual(self.verdicts([("requests", "at least", 9.0), ("requests", "at least", 0.0)]),
                         [("ok", 1)])
        for unknown in ("rate", "scorer.", "p9_latency_ms", "Requests"):
            self.assertEqual(self.verdicts([(unknown, "at least", 1.0)]), [("unknown metric", None)])
        for wrong in (("requests", "above", 1.0), ("requests", "at least", "much"), (None,) * 3):
            with self.assertRaisesRegex(RuntimeError, "constraint failed"):
                support.shell(LOCAL.format(seeded.SQL) + "INSERT INTO thresholds VALUES "
                              f"{wrong!r};".replace("None", "NULL"))


class Script(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.name = seeded.experiment(cls.server, "all")

    def test_lines_and_status(self):
        status, text = check(self.server, self.name, "--at-least", "success_rate=0.95", "--at-most",
                             "p95_latency_ms=60000", "--at-most", "cost_a_day=5", "--at-least",
                             "scorer.x=y=1", *WINDOW)
        self.assertEqual(status, 1)
        for line, pattern in zip(text.splitlines(), (
                r"breach   success_rate is 0\.\d+, to be at least 0\.95 \(n \d+, \d+ without; "
                r"95% interval 0\.\d+ to 0\.\d+, (not )?all beyond\)",
                r"ok       p95_latency_ms is [\d.]+, to be at most 60000 \(n \d+, \d+ without; "
                r"95% interval \d+ to \d+\)",
                r"ok       cost_a_day is 0\.\d+, to be at most 5 \(n \d+, \d+ without\)",
                r"too few  scorer\.x=y is unknown, to be at least 1 \(n 0\)"), strict=True):
            self.assertRegex(line, f"^{pattern}$")
        quiet = check(self.server, self.name, "--quiet", "--at-least", "success_rate=0.95",
                      "--at-most", "cost_a_day=5", *WINDOW)
        self.assertEqual(quiet, (1, text.splitlines()[0] + "\n"))
        self.assertEqual(check(self.server, self.name, "--quiet", "--at-most", "cost_a_day=5", *WINDOW),
                         (0, ""))

    def test_clear_breaches_alone(self):
        _, said = judged(self.server, self.name, "--at-least", "success_rate=0", *WINDOW)
        inside = (said["checks"][0]["value"] + said["checks"][0]["high"]) / 2
        for more, threshold, status in (((), inside, 1), (("--clear",), inside, 0),
                                        (("--clear",), 0.999, 1)):
            with self.subTest(more=more, threshold=threshold):
                found, text = check(self.server, self.name, "--at-least",
                                    f"success_rate={threshold:.6f}", *WINDOW, *more)
                self.assertEqual((found, text.split()[0]), (status, "breach"))
        self.assertEqual(check(self.server, self.name, "--clear", "--quiet", "--at-least",
                               f"success_rate={inside:.6f}", *WINDOW), (0, ""))

    def test_what_is_refused(self):
        good = ("--at-least", "requests=0")
        for options, said in (
                ((), "sql/check --at-least METRIC=NUMBER"), (WINDOW, "--at-least METRIC"),
                ((*good, "--html", "x"), "--at-least METRIC"),
                (("--at-least",), "--at-least is ''; it must be like success_rate=0.95"),
                (("--at-least", "success_rate"), "must be like success_rate=0.95"),
                (("--at-most", "success_rate=95%"), "must be like success_rate=0.95"),
                (("--at-least", "scorer.it's=0.9", "--at-least", "scorer.it's=0.5"),
                 "--at-least scorer.it's is there twice; leave one out"),
                (("--at-most", "x');DROP=1"), r"no metric 'x'\);DROP'; there are success_rate, p50"),
                (("--at-most", "scorer.=1"), "there is no metric 'scorer.'; there are"),
                ((*good, "--days", "0"), "--days is '0'"), ((*good, "--since"), "needs a value"),
                ((*good, "--since", "6"), "--since is '6'; it must be like 2026-11-20"),
                ((*good, "--since", "2026-02-30"), "--since is '2026-02-30'; it must be"),
                ((*good, "--until", "0 hours"), "--until is '0 hours'; it must be"),
                ((*good, "--since", "2026-03-02", "--until", "2026-03-02"), "not before the window"),
                ((*good, "--since", "2006-03-02", "--until", "2026-03-02"), "over 3660 days"),
                ((*good, "--since", "1 day", "--days", "2"), "--days and --since"),
                ((*good, "--file", "/dev/null"), "is no mirror"),
                ((*good, "--file", "x", "--filter", "y"), "no mirror"),
                ((*good, "--experiment", "never made"), "experiment"),
                ((*good, "--uri", "http://127.0.0.1:9"), "mlflow_traces: ")):
            with self.subTest(options), self.assertRaisesRegex(RuntimeError, said):
                check(self.server, self.name, *options)
        with self.assertRaisesRegex(RuntimeError, "x.so is missing"):
            check(self.server, self.name, *good, SQLITE_MLFLOW="/x")
        with self.assertRaisesRegex(RuntimeError, "no temporary folder"):
            check(self.server, self.name, *good, TMPDIR="/nowhere")  # not the status of a breach

    def window(self, *options, **variables):
        _, said = judged(self.server, self.name, "--at-least", "requests=0", *options, **variables)
        return [datetime.datetime.fromtimestamp(said[end] / 1000, datetime.timezone.utc)
                for end in ("from_ms", "until_ms")]

    def test_windows(self):
        for options, begin, end in (
                (("--since", "2026-03-01", "--until", "2026-03-02"), "03-01 00:00", "03-02 00:00"),
                (("--since", "2026-03-01 13:00", "--until", "2026-03-01T13:30:30"),
                 "03-01 13:00", "03-01 13:30:30"),
                (("--since", "6 hours", "--until", "2026-03-02"), "03-01 18:00", "03-02 00:00"),
                (("--since", "1 minute", "--until", "2026-03-02"), "03-01 23:59", "03-02 00:00"),
                (("--days", "2", "--until", "2026-03-02"), "02-28 00:00", "03-02 00:00"),
                (("--until", "2026-03-08"), "03-01 00:00", "03-08 00:00"),
                (("--since", "2026-03-01", "--until", "2026-03-02", "--zone", "+02:00"),
                 "02-28 22:00", "03-01 22:00"),
                (("--since", "2026-03-01T00:00Z", "--until", "2026-03-02 00:00:00-01:00", "--zone",
                  "+02:00"), "03-01 00:00", "03-02 01:00"),
                (("--since", "2026-07-01", "--until", "2026-07-02", "--zone", "localtime"),
                 "06-30 22:00", "07-01 22:00")):
            with self.subTest(options):
                found = self.window(*options, TZ="Europe/Berlin")
                wanted = [datetime.datetime.fromisoformat(f"2026-{text}+00:00")
                          for text in (begin, end)]
                self.assertEqual(found, wanted)

    def test_windows_up_to_now(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for options, begin, end in ((("--since", "6 hours"), 6, 0), (("--days", "2"), 48, 0),
                                    (("--since", "1 day", "--until", "90 minutes"), 25.5, 1.5),
                                    (("--days", "08", "--until", "1 hour"), 193, 1),
                                    ((), 168, 0)):
            with self.subTest(options):
                for found, hours in zip(self.window(*options), (begin, end)):
                    wanted = now - datetime.timedelta(hours=hours)
                    self.assertLess(abs((found - wanted).total_seconds()), 30)

    def test_the_report_has_them_too(self):
        with tempfile.TemporaryDirectory() as folder:
            page, text = test_report.report(self.server, self.name, folder, "--since", "6 hours",
                                            "--until", "2026-03-06 15:00")
        self.assertIn("2026-03-06 09:00 to 2026-03-06 15:00 (UTC)", text)
        found = [trace.info for trace in infos(self.server, self.name)]
        in_window = [info for info in found if 0 < seeded.UNTIL_MS - info.request_time <= 6 * 3_600_000]
        self.assertRegex(text, rf"\n  Requests +{len(in_window)} ")
        self.assertEqual(test_report.Structure(page).open, [])
        # The charts of the last 24 hours are of 24 hours all the same.
        volume = re.search(r'aria-labelledby="volume".*?</section>', page, re.DOTALL)[0]
        shown = [int(n.replace(",", "")) for n in re.findall(r'data-title="Requests"[^>]*>(?:<[^>]+>)*'
                                                             r"([\d,]+)", volume)]
        day = [info for info in found if seeded.UNTIL_MS - 24 * 3_600_000 <= info.request_time
               < seeded.UNTIL_MS]
        self.assertEqual((len(shown), sum(shown)), (24, len(day)))
