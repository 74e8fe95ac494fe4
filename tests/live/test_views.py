"""The figures of the saved views equal what pandas makes of what MLflow's client returns: on the
demo's traces, and on experiments with errors alone, unfinished traces alone and none.

Each view is asked in Debian's sqlite3 and in the newest SQLite.
"""

import collections
import json
import math
import unittest

import support

import pandas as pd

import seeded

KINDS = ["all", "errors", "in progress", "empty"]
TRACES = ["trace_id", "status", "timestamp_ms", "ms", "session_id", "user_id", "run_id",
          "total_tokens", "total_cost", "inputs", "outputs"]
SPANS = ["trace_id", "timestamp_ms", "span_id", "parent_id", "name", "span_type", "status",
         "start_ns", "end_ns", "model_name", "model_provider", "input_tokens", "total_tokens",
         "total_cost"]
FEEDBACK = ["trace_id", "timestamp_ms", "evaluated_in", "scorer", "value", "rationale",
            "error_code", "source_type", "source_id"]
LATENCIES = {"avg_latency_ms", "mean_latency_ms", "p50_latency_ms", "p95_latency_ms",
             "p99_latency_ms", "p50_ms", "p95_ms", "max_ms"}
PERIODS = {"before", "now", "difference", "low", "high"}  # of compare_periods


def same(rows, others):
    """seeded.same, where a half of a tenth of a millisecond may have been rounded up or down."""
    def is_same(row, other):
        rounded = LATENCIES | (PERIODS if str(row.get("metric")).endswith("_ms") else set())
        return row.keys() == other.keys() and all(
            seeded.same(row[column], other[column])
            or (column in rounded and abs((row[column] or 0) - (other[column] or 0)) < 0.1 + 1e-6)
            for column in row)

    return len(rows) == len(others) and all(map(is_same, rows, others))


def share(part, whole):
    return part / whole if whole else None


def finished_ms(traces):
    """The durations of finished traces; one in progress may have the time that it took so far."""
    return pd.to_numeric(traces.ms.where(traces.status.isin(["OK", "ERROR"])))


def known_text(value):
    """The text, None for what pandas has of a missing one."""
    return value if isinstance(value, str) else None


def union_ns(intervals):
    """The length of what the intervals cover."""
    total, reached = 0, None
    for begin, end in sorted(intervals):
        if reached is None or begin > reached:
            reached = begin
        if end > reached:
            total += end - reached
            reached = end
    return total


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.read, cls.databases = {}, {}
        for kind in KINDS:
            name = seeded.experiment(cls.server, kind)
            traces = seeded.read(cls.server, name)
            cls.read[kind] = (pd.DataFrame(seeded.trace_rows(traces), columns=TRACES),
                              pd.DataFrame(seeded.span_rows(traces), columns=SPANS),
                              pd.DataFrame(seeded.feedback_rows(traces), columns=FEEDBACK))
            cls.databases[kind] = seeded.Database(cls.server, name, days=10,
                                                  until_ms=seeded.UNTIL_MS)

    def ask(self, kind, sql):
        rows = self.databases[kind].rows(sql)
        newest = self.databases[kind].newest(sql)
        self.assertTrue(same(rows, newest), f"{kind}: {sql}\n{rows[:3]}\n{newest[:3]}")
        return rows

    def check(self, kind, sql, expected):
        rows = self.ask(kind, sql)
        self.assertEqual(len(rows), len(expected), f"{kind}: {sql}")
        for row, wanted in zip(rows, expected):
            for column in wanted.keys() & LATENCIES:
                self.check_rounded(row.pop(column), wanted.pop(column), 1)
            self.assertTrue(seeded.same(row, wanted), f"{kind}: {sql}\n{row}\n{wanted}")

    def check_rounded(self, figure, exact, digits):
        """A half may go up or down: sums of the same numbers differ in the last bit."""
        if exact is None or math.isnan(exact):
            self.assertIsNone(figure)
        else:
            self.assertEqual(figure, round(figure, digits))
            self.assertAlmostEqual(figure, exact, delta=0.5 / 10 ** digits + 1e-6)

    def frames(self, kind, windowed=True):
        """What the client returned of the window; durations are missing as NaN."""
        begin = seeded.UNTIL_MS - 10 * seeded.DAY_MS if windowed else 0
        return [frame[(frame.timestamp_ms >= begin) & (frame.timestamp_ms < seeded.UNTIL_MS)]
                for frame in self.read[kind]]

    def test_the_scenario_has_what_it_takes(self):
        traces, spans, feedback = self.frames("all")
        self.assertEqual(set(traces.status), {"OK", "ERROR", "IN_PROGRESS"})
        self.assertLess(len(traces), len(self.read["all"][0]), "all in the window")
        self.assertGreater(len(feedback), 100)
        for kind in ("errors", "in progress"):
            self.assertGreater(len(self.frames(kind)[0]), 1)
        self.assertEqual(len(self.read["empty"][0]), 0)

    # Pattern 3

    def test_trace_quality(self):
        for kind in KINDS:
            traces = self.frames(kind)[0]
            ok, errors = ((traces.status == s).sum() for s in ("OK", "ERROR"))
            low, high = seeded.wilson(ok, ok + errors)
            ms = finished_ms(traces)
            with self.subTest(kind):
                self.check(kind, "SELECT total, finished, in_progress, success_rate, success_low, "
                           "success_high, error_count, avg_latency_ms, p50_latency_ms, "
                           "p95_latency_ms, p99_latency_ms FROM trace_quality", [{
                               "total": len(traces), "finished": ok + errors,
                               "in_progress": (traces.status == "IN_PROGRESS").sum(),
                               "success_rate": share(ok, ok + errors), "success_low": low,
                               "success_high": high, "error_count": errors,
                               "avg_latency_ms": ms.mean(), "p50_latency_ms": ms.median(),
                               "p95_latency_ms": ms.quantile(0.95),
                               "p99_latency_ms": ms.quantile(0.99)}])

    def test_sample_errors(self):
        for kind in KINDS:
            traces = self.frames(kind)[0]
            errors = traces[traces.status == "ERROR"].set_index("trace_id")
            [row] = self.ask(kind, "SELECT sample_errors FROM trace_quality")
            shown = json.loads(row["sample_errors"])
            with self.subTest(kind):
                count = min(5, len(errors))
                self.assertEqual([e["chosen"] for e in shown],
                                 ["newest"] * count + ["random"] * count)
                self.assertEqual([e["trace_id"] for e in shown[:count]], list(errors.index[:5]))
                random = [e["trace_id"] for e in shown[count:]]
                self.assertEqual(len(set(random)), min(5, len(errors)))
                self.assertEqual([e["request"] for e in shown],
                                 [errors.inputs[e["trace_id"]] for e in shown])

    # Pattern 4

    def test_failing_cases(self):
        for kind in KINDS:
            traces, _, feedback = self.frames(kind, windowed=False)
            known = traces.set_index("trace_id")
            failed = feedback[[v == "no" or v is False for v in feedback.value]]
            expected = [[f.trace_id, None, known_text(f.evaluated_in), f.scorer,
                         known.inputs[f.trace_id], known.outputs[f.trace_id], known_text(f.rationale) or "Unknown",
                         f.source_type, f.source_id, f.timestamp_ms] for f in failed.itertuples()]
            found = [list(row.values()) for row in self.ask(kind, "SELECT * FROM failing_cases")]
            for row in found:
                row[4:6] = (json.loads(text or "null") for text in row[4:6])
            with self.subTest(kind):
                self.assertEqual(sorted(found, key=json.dumps), sorted(expected, key=json.dumps))

    def test_failing_cases_of_a_run_and_a_scorer(self):
        """What is odd: no, false, no (twice); not 0, NO, true, ['no'], an expectation, a crash, nor
        what a person overrode."""
        database = self.databases["all"]
        _, _, feedback = self.frames("all", windowed=False)
        run = feedback[feedback.scorer == "odd"].evaluated_in.iloc[0]
        asked = f"WHERE run_id = '{run}' AND scorer = 'odd'"
        rows = self.ask("all", f"SELECT failure_reason FROM failing_cases {asked} ORDER BY 1")
        self.assertEqual([row["failure_reason"] for row in rows],
                         ["Unknown", "Unknown", "is false"])
        rows = self.ask("all", f"SELECT error_code, error_message FROM judge_errors {asked}")
        self.assertEqual(rows, [{"error_code": "TIMEOUT", "error_message": "the judge hung"}])
        for view in ("failing_cases", "judge_errors"):
            [sent] = database.filters(f"SELECT * FROM {view} {asked} AND timestamp_ms > 5")
            self.assertIn(f"attributes.run_id = '{run}'", sent["filter"])
            self.assertIn("feedback.`odd`", sent["filter"])
            self.assertIn("attributes.timestamp_ms >= 6", sent["filter"])

    def test_judge_errors(self):
        for kind in KINDS:
            feedback = self.frames(kind, windowed=False)[2]
            crashed = feedback[feedback.error_code.notna()]
            with self.subTest(kind):
                found = self.ask(kind, "SELECT trace_id, scorer, error_code FROM judge_errors")
                self.assertEqual(
                    sorted(tuple(row.values()) for row in found),
                    sorted(crashed[["trace_id", "scorer", "error_code"]].itertuples(index=False,
                                                                                   name=None)))

    def test_scorer_quality(self):
        for kind in KINDS:
            expected = []
            feedback = self.frames(kind)[2]
            for (scorer, source), given in feedback.groupby(["scorer", "source_type"]):
                passed = sum(v == "yes" or v is True for v in given.value)
                failed = sum(v == "no" or v is False for v in given.value)
                low, high = seeded.wilson(passed, passed + failed)
                judged = passed + failed > 0
                numbers = [v for v in given.value if isinstance(v, (int, float))]
                expected.append({
                    "scorer": scorer, "source_type": source, "given": len(given),
                    "passed": passed if judged else None, "failed": failed if judged else None,
                    "pass_rate": share(passed, passed + failed), "pass_low": low,
                    "pass_high": high, "mean_value": share(sum(numbers), len(numbers)),
                    "judge_errors": given.error_code.notna().sum()})
            with self.subTest(kind):
                self.check(kind, "SELECT * FROM scorer_quality ORDER BY scorer, source_type",
                           expected)

    # Pattern 5

    def profile(self, spans):
        rows = []
        children = collections.defaultdict(list)
        for span in spans.itertuples():
            children[span.trace_id, span.parent_id].append(span)
        for (trace, kind), typed in spans.groupby(["trace_id", "span_type"]):
            own = sum(s.end_ns - s.start_ns - union_ns(
                (max(c.start_ns, s.start_ns), min(c.end_ns, s.end_ns))
                for c in children[trace, s.span_id]
                if min(c.end_ns, s.end_ns) > max(c.start_ns, s.start_ns))
                for s in typed.itertuples())
            took = typed.end_ns - typed.start_ns
            rows.append({
                "trace_id": trace, "span_type": kind, "count": len(typed),
                "total_time_s": took.sum() / 1e9,
                "wall_time_s": union_ns(zip(typed.start_ns, typed.end_ns)) / 1e9,
                "self_time_s": own / 1e9, "avg_time_s": took.mean() / 1e9,
                "max_time_s": took.max() / 1e9})
        return rows

    def test_span_profile(self):
        columns = ("trace_id, span_type, count, total_time_s, wall_time_s, self_time_s, "
                   "avg_time_s, max_time_s")
        for kind in KINDS:
            spans = self.frames(kind, windowed=False)[1]
            expected = self.profile(spans)
            with self.subTest(kind):
                self.check(kind, f"SELECT {columns} FROM span_profile ORDER BY 1, 2", expected)
            if kind == "all":
                self.assertTrue(any(row["wall_time_s"] < row["total_time_s"] - 0.001
                                    for row in expected), "some run side by side")

    def test_span_profile_of_a_trace(self):
        traces, spans, _ = self.frames("all", windowed=False)
        trace = spans.trace_id.value_counts().index[0]
        sql = f"SELECT * FROM span_profile WHERE trace_id = '{trace}' ORDER BY span_type"
        rows = self.ask("all", sql)
        for row in rows:
            self.assertGreaterEqual(row["total_time_s"] + 1e-9, row["critical_time_s"])
        took = traces.set_index("trace_id").ms[trace] / 1000
        self.assertAlmostEqual(sum(row.pop("critical_time_s") for row in rows), took, 2)
        self.assertTrue(seeded.same(rows, self.profile(spans[spans.trace_id == trace])))
        self.assertEqual(self.databases["all"].receipt(sql + ";"), (2, 1))

    # Pattern 6

    def test_diverse_eval_dataset(self):
        for kind in KINDS:
            traces = self.frames(kind)[0]
            traces = traces[traces.status.isin(["OK", "ERROR"])].set_index("trace_id")
            ms = pd.to_numeric(traces.ms)
            strata = pd.cut(ms, [-1, 999.999, 4999.999, 1e12], labels=["fast", "medium", "slow"])
            strata = strata.astype(object).where(traces.status == "OK", "ERROR")
            rows = self.ask(kind, "SELECT * FROM diverse_eval_dataset")
            sampled = pd.DataFrame(rows, columns=["trace_id", "stratum", "weight", "inputs",
                                                  "outputs"])
            with self.subTest(kind):
                self.assertEqual(len(set(sampled.trace_id)), min(50, len(traces)))
                self.assertEqual(len(rows), min(50, len(traces)))
                for row in rows:
                    self.assertEqual(row["stratum"], strata[row["trace_id"]])
                    self.assertEqual(json.loads(row["inputs"]), traces.inputs[row["trace_id"]])
                    self.assertEqual(json.loads(row["outputs"] or "null"),
                                     traces.outputs[row["trace_id"]])
                population = strata.value_counts().to_dict()
                self.assertTrue(seeded.same(sampled.groupby("stratum").weight.sum().to_dict(),
                                            population), population)
                if len(traces) > 100:
                    sizes = sampled.stratum.value_counts()
                    self.assertEqual(sorted(sizes), [12, 12, 13, 13])

    def test_the_seed_decides_the_sample(self):
        database = self.databases["all"]
        sql = "SELECT trace_id FROM diverse_eval_dataset"
        first = database.rows(sql)
        try:
            database.settings(seed=7)
            other = database.rows(sql)
            database.settings(seed=42, sample_size=5)
            self.assertEqual(len(database.rows(sql)), 5)
        finally:
            database.settings(seed=42, sample_size=50)
        self.assertNotEqual(first, other)
        self.assertEqual(first, database.rows(sql))

    # Pattern 7

    def days(self, kind, zone, days):
        """The expected rows of daily_quality."""
        traces = self.read[kind][0]
        traces = traces[traces.timestamp_ms < seeded.UNTIL_MS]
        at = pd.to_datetime(traces.timestamp_ms, unit="ms", utc=True).dt.tz_convert(zone)
        today = pd.Timestamp(seeded.UNTIL_MS - 1, unit="ms", tz="UTC").tz_convert(zone)
        rows = []
        for back in range(days):
            day = str(today.date() - pd.Timedelta(days=back))
            of_day = traces[at.dt.strftime("%Y-%m-%d") == day]
            ok, errors = ((of_day.status == s).sum() for s in ("OK", "ERROR"))
            ms = finished_ms(of_day)
            rows.append({"day": day, "total_requests": len(of_day),
                         "success_rate": share(ok, ok + errors), "error_count": errors,
                         "mean_latency_ms": ms.mean(), "p50_latency_ms": ms.median(),
                         "p95_latency_ms": ms.quantile(0.95)})
        return rows

    def hours(self, kind, zone):
        traces = self.read[kind][0]
        traces = traces[traces.timestamp_ms < seeded.UNTIL_MS]
        at = pd.to_datetime(traces.timestamp_ms, unit="ms", utc=True).dt.tz_convert(zone)
        now = pd.Timestamp(seeded.UNTIL_MS - 1, unit="ms", tz="UTC").tz_convert(zone)
        rows = []
        for back in range(24):
            begin = (now - pd.Timedelta(hours=back)).floor("h")
            of_hour = traces[at.dt.floor("h") == begin]
            rows.append({"hour": begin.strftime("%Y-%m-%d %H:00"), "requests": len(of_hour),
                         "errors": (of_hour.status == "ERROR").sum(),
                         "hour_ms": begin.value // 1_000_000})
        return rows

    def test_daily_quality_and_hourly_volume(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.check(kind, "SELECT * FROM daily_quality", self.days(kind, "UTC", 10))
                self.check(kind, "SELECT * FROM hourly_volume", self.hours(kind, "UTC"))
        self.assertGreater(sum(row["requests"] for row in self.hours("all", "UTC")), 10)

    def test_days_and_hours_of_a_zone(self):
        database = self.databases["all"]
        try:
            for zone, name, variables in (("+05:30", "+05:30", {}),
                                          ("localtime", "America/New_York",
                                           {"TZ": "America/New_York"})):
                database.settings(zone=zone)
                with self.subTest(zone):
                    for sql, expected in (("daily_quality", self.days("all", name, 10)),
                                          ("hourly_volume", self.hours("all", name))):
                        if zone == "+05:30" and sql == "hourly_volume":
                            continue  # its hours begin at half past in UTC, and so not for pandas
                        rows = database.rows(f"SELECT * FROM {sql}", **variables)
                        self.assertTrue(same(rows, expected), (zone, rows, expected))
        finally:
            database.settings(zone="UTC")

    # Beyond the patterns

    def test_llm_calls(self):
        for kind in KINDS:
            spans = self.frames(kind)[1]
            spans = spans[spans.span_type.isin(["CHAT_MODEL", "LLM", "EMBEDDING"])]
            expected = []
            for (_, model, span_type), calls in spans.groupby(
                    ["model_provider", "model_name", "span_type"], dropna=False):
                ms = (calls.end_ns - calls.start_ns) / 1e6
                sums = {column: pd.to_numeric(calls[column]).sum(min_count=1)
                        for column in ("input_tokens", "total_tokens", "total_cost")}
                expected.append({"model_name": model, "span_type": span_type, "calls": len(calls),
                                 "errors": (calls.status == "ERROR").sum(), **sums,
                                 "p50_ms": ms.median(), "p95_ms": ms.quantile(0.95)})
            with self.subTest(kind):
                self.check(kind, "SELECT model_name, span_type, calls, errors, input_tokens, "
                           "total_tokens, total_cost, p50_ms, p95_ms FROM llm_calls "
                           "ORDER BY model_name IS NULL, model_name, span_type",
                           sorted(expected, key=lambda row: (row["model_name"] != row["model_name"],
                                                             str(row["model_name"]))))

    def test_error_groups(self):
        for kind in KINDS:
            traces = self.frames(kind)[0]
            errors = traces[traces.status == "ERROR"].set_index("trace_id")
            rows = self.ask(kind, "SELECT * FROM error_groups")
            with self.subTest(kind):
                self.assertEqual(sum(row["traces"] for row in rows), len(errors))
                self.assertEqual(len({(row["exception_type"], row["message"]) for row in rows}),
                                 len(rows))
                self.assertLessEqual(len(rows), 7, "the scenario has seven failures")
                for row in rows:
                    self.assertFalse(any(c.isdigit() for c in row["message"]), row["message"])
                    self.assertEqual(errors.timestamp_ms[row["example_trace_id"]],
                                     row["last_seen_ms"])
                    self.assertLessEqual(row["first_seen_ms"], row["last_seen_ms"])
                    self.assertEqual(row["is_new"], int(
                        row["first_seen_ms"] >= seeded.UNTIL_MS - 10 * seeded.DAY_MS // 7))
                if rows:
                    self.assertEqual(min(row["first_seen_ms"] for row in rows),
                                     errors.timestamp_ms.min())

    def test_recent_errors(self):
        for kind in KINDS:
            traces = self.frames(kind)[0]
            traces = traces[traces.status.isin(["OK", "ERROR"])].sort_values(
                ["timestamp_ms", "trace_id"], ascending=[False, True])
            failed = list(traces.status == "ERROR")
            hours = {f"last {n} hours" if n > 1 else "last hour": n for n in (1, 6, 24)}
            self.databases[kind].shell(f".read {seeded.SQL}/checks.sql")
            rows = self.ask(kind, "SELECT * FROM recent_errors")
            with self.subTest(kind):
                self.assertEqual({row["period"] for row in rows},
                                 {"last 20 requests", *hours} if len(traces) else set())
                for row in rows:
                    since_ms = seeded.UNTIL_MS - hours.get(row["period"], 0) * 3_600_000
                    n = (20 if row["period"] not in hours
                         else int((traces.timestamp_ms >= since_ms).sum()))
                    now, rest = failed[:n], failed[n:]
                    self.assertEqual((row["n"], row["errors"], row["rest_n"], row["rest_errors"]),
                                     (len(now), sum(now), len(rest), sum(rest)))
                    self.assertEqual(row["failed_in_a_row"], (failed + [False]).index(False))
                    few = len(now) < 5 or len(rest) < 20
                    self.assertEqual(row["verdict"] == "too few", few)
                    if few:
                        continue
                    (low, high), (rest_low, rest_high) = (
                        seeded.wilson(sum(part), len(part), 2.576) for part in (now, rest))
                    p, q = share(sum(now), len(now)), share(sum(rest), len(rest))
                    self.assertTrue(seeded.same(
                        {key: row[key] for key in ("difference_low", "difference_high")},
                        {"difference_low": p - q - math.hypot(p - low, rest_high - q),
                         "difference_high": p - q + math.hypot(high - p, q - rest_low)}), row)

    def test_slowest(self):
        for kind in KINDS:
            traces, spans, _ = self.frames(kind)
            took = traces[traces.ms.notna()].sort_values(["ms", "trace_id"],
                                                         ascending=[False, True])[:10]
            rows = self.ask(kind, "SELECT trace_id, execution_time_ms, busiest_type, busiest_ms "
                            "FROM slowest")
            with self.subTest(kind):
                self.assertEqual([row["trace_id"] for row in rows], list(took.trace_id))
                self.assertEqual([row["execution_time_ms"] for row in rows], list(took.ms))
                for row in rows:
                    own = spans[spans.trace_id == row["trace_id"]]
                    self.assertIn(row["busiest_type"], set(own.span_type))
                    self.assertLessEqual(row["busiest_ms"], row["execution_time_ms"])

    def check_periods(self, rows, expected):
        for row, wanted in zip(rows, expected, strict=True):
            for column in PERIODS:
                digits = 4 if wanted["metric"] == "success_rate" else 1
                self.check_rounded(row.pop(column), wanted.pop(column), digits)
            self.assertTrue(seeded.same(row, wanted), f"{row}\n{wanted}")

    def test_compare_periods(self):
        def part(traces, metric, quantile):
            """n, value, low, high"""
            if metric == "success_rate":
                ok, n = (traces.status == "OK").sum(), traces.status.isin(["OK", "ERROR"]).sum()
                return n, share(ok, n), *seeded.wilson(ok, n)
            ms = sorted(finished_ms(traces).dropna())
            n = len(ms)
            away = 1.96 * math.sqrt(n * quantile * (1 - quantile))
            ranks = math.ceil(n * quantile - away), math.ceil(n * quantile + away)
            return (n, pd.Series(ms, dtype=float).quantile(quantile),
                    *(ms[rank - 1] if 1 <= rank <= n else None for rank in ranks))

        for kind in KINDS:
            self.databases[kind].settings(days=6)
            traces = self.read[kind][0]
            age = (seeded.UNTIL_MS - traces.timestamp_ms) / seeded.DAY_MS
            periods = traces[(age > 6) & (age <= 12)], traces[(age > 0) & (age <= 6)]
            expected = []
            for metric, q in (("success_rate", 0), ("p50_latency_ms", .5), ("p95_latency_ms", .95)):
                (n1, v1, l1, h1), (n2, v2, l2, h2) = (part(p, metric, q) for p in periods)
                low = high = None
                if None not in (v1, l1, h1, v2, l2, h2):
                    low = v2 - v1 - math.hypot(v2 - l2, h1 - v1)
                    high = v2 - v1 + math.hypot(h2 - v2, v1 - l1)
                verdict = ("too few" if min(n1, n2) < 20 or low is None else
                           "higher" if low > 0 else "lower" if high < 0 else "no clear change")
                expected.append({
                    "metric": metric, "n_before": n1, "n_now": n2, "before": v1, "now": v2,
                    "difference": v2 - v1 if n1 and n2 else None, "low": low, "high": high,
                    "verdict": verdict})
            try:
                with self.subTest(kind):
                    self.check_periods(self.ask(kind, "SELECT * FROM compare_periods"), expected)
            finally:
                self.databases[kind].settings(days=10)
            if kind == "all":
                self.assertIn("higher", [row["verdict"] for row in expected], "the slow release")
