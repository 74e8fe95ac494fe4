"""Experiments that the tests of sql/ share: made once a server, and read back, by MLflow's client.

    seeded.experiment(server, "all")            traces of scenario.py, and some odd assessments
    seeded.experiment(server, "errors")         errors alone
    seeded.experiment(server, "in progress")    unfinished ones alone
    seeded.experiment(server, "empty")          none

gives its name; read() what the client says of it, as rows of plain values for pandas; and Database
a file with the tables and views of sql/, asked in Debian's sqlite3 and in the newest SQLite.
Traffic follows the day and the week, so the two weeks are always the same: those before UNTIL_MS.
"""

import atexit
import contextlib
import fcntl
import json
import math
import os
import pathlib
import tempfile
import unittest

import scenario
import seed
import support
from scenario import Assessment

COUNT = 600  # more than a page
DAY_MS = scenario.DAY_MS
UNTIL_MS = 1_772_809_200_000  # Friday, 6 March 2026, 15:00 UTC
SQL = support.ROOT / "sql"
SCRIPTS = ("tables.sql", "views.sql", "questions.sql", "checks.sql")
READ_SCRIPTS = "\n".join(f".read {SQL}/{script}" for script in SCRIPTS)
THRESHOLDS = ("INSERT INTO thresholds SELECT replace(metric, 'NAME', 'concise_communication'), "
              "'at least', 1 FROM threshold_metrics;")  # so that threshold_checks has rows
WANTED = {"all": lambda trace: True, "errors": lambda trace: trace.state == "ERROR",
          "in progress": lambda trace: trace.state == "IN_PROGRESS", "empty": lambda trace: False}
ODD = [  # what pattern 4 must tell apart
    Assessment("odd", "no"), Assessment("odd", False, rationale="is false"), Assessment("odd", 0),
    Assessment("odd", "NO"), Assessment("odd", True), Assessment("odd", "no", "expectation"),
    Assessment("odd", None, error=("TIMEOUT", "the judge hung")),
    Assessment("odd", "no", corrected="yes"), Assessment("odd", ["no"]), Assessment("odd", "no"),
]


def use(server):
    """Makes the server that of this process's MLflow client."""
    import mlflow

    mlflow.set_tracking_uri(server.uri)
    return mlflow


@contextlib.contextmanager
def once(server, name):
    """Gives a seed.Writer for an experiment that a server has once, whichever test file comes first;
    None if it is complete. Files that run side by side take turns."""
    mlflow = use(server)
    with open(support.live.environment_of(support.NEWEST).parent / "seeding", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        found = mlflow.get_experiment_by_name(name)
        if found and "complete" in found.tags:
            yield None
            return
        writer = seed.Writer(name)
        yield writer
        mlflow.MlflowClient().set_experiment_tag(writer.experiment_id, "complete", "yes")


def experiment(server, kind):
    name = f"seeded {kind}"
    with once(server, name) as writer:
        if writer:
            fill(writer, name, kind)
    return name


def fill(writer, name, kind):
    traces = [trace for trace in scenario.make_traces(COUNT, 1, UNTIL_MS, name)
              if WANTED[kind](trace)]
    if kind == "all":
        finished = [trace for trace in traces if trace.state == "OK" and not trace.run]
        for trace, odd in zip(finished, ODD):
            trace.run = "odd run"
            trace.assessments.append(odd)
        finished[0].request, finished[1].request = "a text", ["a", {"list": 1}]
        for trace in finished[:2]:
            trace.spans[0].inputs = trace.request
    writer.start_runs(traces)
    writer.write_all(traces)


def read(server, name):
    """The traces of an experiment as the client returns them, newest first."""
    mlflow = use(server)
    number = mlflow.get_experiment_by_name(name).experiment_id
    return mlflow.search_traces(locations=[number], return_type="list", max_results=10_000)


def trace_rows(traces):
    rows = []
    for trace in traces:
        info, root = trace.info, trace.data._get_root_span()
        usage = json.loads(info.trace_metadata.get("mlflow.trace.tokenUsage", "{}"))
        cost = json.loads(info.trace_metadata.get("mlflow.trace.cost", "{}"))
        rows.append({
            "trace_id": info.trace_id, "status": info.state.value,
            "timestamp_ms": info.request_time, "ms": info.execution_duration,
            "session_id": info.trace_metadata.get("mlflow.trace.session"),
            "user_id": info.trace_metadata.get("mlflow.trace.user"),
            "run_id": info.trace_metadata.get("mlflow.sourceRun"),
            "total_tokens": usage.get("total_tokens"), "total_cost": cost.get("total_cost"),
            "inputs": root.inputs if root else None, "outputs": root.outputs if root else None})
    return rows


def span_rows(traces):
    rows = []
    for trace in traces:
        for span in trace.data.spans:
            tokens = span.attributes.get("mlflow.chat.tokenUsage") or {}
            cost = span.attributes.get("mlflow.llm.cost") or {}
            rows.append({
                "trace_id": trace.info.trace_id, "timestamp_ms": trace.info.request_time,
                "span_id": span.span_id, "parent_id": span.parent_id, "name": span.name,
                "span_type": span.span_type, "status": span.status.status_code.value,
                "start_ns": span.start_time_ns, "end_ns": span.end_time_ns,
                "model_name": span.attributes.get("mlflow.llm.model"),
                "model_provider": span.attributes.get("mlflow.llm.provider"),
                "input_tokens": tokens.get("input_tokens"),
                "total_tokens": tokens.get("total_tokens"), "total_cost": cost.get("total_cost")})
    return rows


def feedback_rows(traces):
    """The valid feedback alone."""
    rows = []
    for trace in traces:
        for given in trace.info.assessments:
            if given.feedback is None or given.valid is False:
                continue
            rows.append({
                "trace_id": trace.info.trace_id, "timestamp_ms": trace.info.request_time,
                "evaluated_in": (given.metadata or {}).get(
                    "mlflow.assessment.sourceRunId",
                    trace.info.trace_metadata.get("mlflow.sourceRun")),
                "scorer": given.name, "value": given.feedback.value, "rationale": given.rationale,
                "error_code": given.feedback.error.error_code if given.feedback.error else None,
                "source_type": given.source.source_type, "source_id": given.source.source_id})
    return rows


class Database:
    """A database file with the views, in a folder that goes with the process."""

    def __init__(self, server, name, path=None, **settings):
        self.server = server
        self.environment = {"MLFLOW_EXPERIMENT_NAME": name}
        self.folder = tempfile.TemporaryDirectory()
        atexit.register(self.folder.cleanup)
        self.path = path or pathlib.Path(self.folder.name) / "traces.db"
        self.connection = None
        self.shell(READ_SCRIPTS)
        self.settings(**settings)

    def settings(self, **settings):
        for column, value in settings.items():
            self.shell(f"UPDATE report_settings SET {column} = "
                       f"{repr(value) if value is not None else 'NULL'};")

    def shell(self, sql, **variables):
        return support.shell(sql, self.server, database=str(self.path),
                             **self.environment | variables)

    def rows(self, sql, **variables):
        """The rows as dicts, in Debian's sqlite3."""
        return json.loads(self.shell(f".mode json\n{sql};", **variables) or "[]")

    def newest(self, sql):
        """The rows as dicts, in the newest SQLite."""
        with support.environment(self.environment):
            if not self.connection:
                self.connection = support.apsw_connection(self.server, str(self.path))
            rows = []
            cursor = self.connection.execute(sql)
            for row in cursor:
                rows.append({name: value for (name, *_), value in
                             zip(cursor.get_description(), row)})
        return rows

    def views(self):
        """The names of all its views."""
        return [row["name"] for row in
                self.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")]

    def view(self, name, ask=rows):
        """The rows of a saved view, in one order."""
        rows = ask(self, f"SELECT * FROM {name}")
        for row in rows:
            if name == "error_groups" and row["spans"]:  # which come in no order
                row["spans"] = sorted(row["spans"].split(","))
        return sorted(rows, key=lambda row: json.dumps(row, default=str))

    def receipt(self, sql):
        """(requests, payloads) that statements cost, but for what a connection asks first."""
        shown = self.shell(
            f".output {os.devnull}\n{sql}\n.output stdout\n.headers off\n.mode list\n"
            "SELECT count(*), coalesce(sum(rows) FILTER (WHERE endpoint LIKE '%batchGet'), 0) "
            "FROM mlflow_requests WHERE endpoint LIKE '%/traces/%';")
        return tuple(int(number) for number in shown.split("|"))

    def filters(self, sql):
        return self.rows(f".output {os.devnull}\n{sql};\n.output stdout\n.mode json\n"
                         "SELECT filter FROM mlflow_requests WHERE filter IS NOT NULL")


def same(one, other):
    """Whether two answers are equal, numbers to nine digits; NaN is pandas' NULL."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    one, other = (None if isinstance(x, float) and math.isnan(x) else x for x in (one, other))
    if one is None or other is None or isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def total(values):
    """As SQL's sum: without NULL, and NULL of none."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def wilson(successes, trials, z=1.959963984540054):
    """Wilson's interval, of 95 % unless z says otherwise."""
    if not trials:
        return None, None
    p, n = successes / trials, trials
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


class Compared(unittest.TestCase):
    """Tests that compare answers of `databases`, a Database by kind, with what is expected."""

    def check(self, kind, sql, expected):
        """Checks the rows of both versions of SQLite, and gives them."""
        rows = self.databases[kind].rows(sql)
        newest = self.databases[kind].newest(sql)
        self.assertTrue(same(rows, newest), f"{kind}: {sql}\n{rows[:3]}\n{newest[:3]}")
        self.assertEqual(len(rows), len(expected), f"{kind}: {sql}")
        for row, wanted in zip(rows, expected):
            self.assertTrue(same(row, wanted), f"{kind}: {sql}\n{row}\n{wanted}")
        return rows
