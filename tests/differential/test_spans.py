"""Spans and assessments: pushdown on = pushdown off = a local copy, over random statements.

The traces are odd: names and types that are hard to quote, spans in the server's tables, in its
artifact store, unfinished or nowhere; feedback of every type, overridden, and expectations of the
same name. A predicate is asked of mlflow_spans or mlflow_assessments, alone or joined with
mlflow_traces and a local table, and of local copies of all of them.
"""

import json
import os
import random
import time
import unittest

import support

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
import mlflow
from mlflow.entities import (
    AssessmentSource, Expectation, Feedback, Span, TraceData, TraceInfo, TraceLocation, TraceState,
)
from mlflow.tracing.client import TracingClient
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

TRACES = 24
CASES = int(os.environ.get("MLFLOW_SQL_TEST_CASES", "400")) // 4
NAMES = ["step", "Step", "it's", 'say "hi"', "both ' and \"", "été", "", " x ", "a%b", "back\\", "日本"]
TYPES = ["TOOL", "tool", "CHAT_MODEL", "it's", "UNKNOWN", None]
VALUES = ["yes", "no", "YES", "", "it's", True, False, 1, 0, 0.5, "1", "true", '{"a": 1}']
START_MS = 1_791_000_000_000


def write(server, experiment, rng, everywhere):
    """Puts the traces there through the client, their spans everywhere or in the tables alone."""
    number = support.experiment_id(server, experiment)
    mlflow.set_tracking_uri(server.uri)
    tracing = TracingClient()
    old = tuple(int(part) for part in server.version.split(".")[:2]) < (3, 6)
    base = time.time_ns()
    for i in range(TRACES):
        trace_id = f"tr-{base:024x}{i:08x}"
        place = "file" if old else {5: "file", 7: "nowhere"}.get(
            everywhere and i % 12, "tables")
        info = tracing.start_trace(TraceInfo(
            trace_id=trace_id, trace_location=TraceLocation.from_experiment_id(number),
            request_time=START_MS + rng.randrange(8) * 1000, execution_duration=rng.randrange(50),
            state=rng.choice([TraceState.OK, TraceState.ERROR]), trace_metadata={}, tags={},
            assessments=assessments(rng, trace_id)))
        spans = [make_span(rng, trace_id, place_) for place_ in range(1, rng.randrange(2, 6))]
        if place == "file":
            tracing._upload_trace_data(info, TraceData(spans=spans))
        elif place == "tables":
            tracing.log_spans(number, spans)
        for logged in info.assessments:
            if logged.feedback and rng.random() < 0.2:
                mlflow.override_feedback(trace_id=trace_id, assessment_id=logged.assessment_id,
                                         value=rng.choice(["yes", "no"]),
                                         source=AssessmentSource("HUMAN", "someone"))


def assessments(rng, trace_id):
    source = AssessmentSource("LLM_JUDGE", "judge")
    made = []
    for name in ("concise", "it is", "concise", "score"):
        if rng.random() < 0.4:
            kind = Feedback if rng.random() < 0.8 else Expectation
            made.append(kind(name=name, value=rng.choice(VALUES), source=source, trace_id=trace_id))
    return made


def make_span(rng, trace_id, place):
    attributes = {"mlflow.traceRequestId": trace_id, "mlflow.spanInputs": {"n": place}}
    if kind := rng.choice(TYPES):
        attributes["mlflow.spanType"] = kind
    start_ns = START_MS * 1_000_000 + place * 1000
    context = SpanContext(int(trace_id[3:], 16), place, False, TraceFlags(1))
    parent = None if place == 1 else SpanContext(int(trace_id[3:], 16), place // 2, False,
                                                 TraceFlags(1))
    return Span(ReadableSpan(
        rng.choice(NAMES), context, parent, Resource({}),
        {key: json.dumps(value) for key, value in attributes.items()}, [],
        status=Status(rng.choice([StatusCode.OK, StatusCode.ERROR, StatusCode.UNSET])),
        start_time=start_ns, end_time=start_ns + rng.randrange(10**6)))


class Statements:
    def __init__(self, rng, ids):
        self.rng, self.ids = rng, ids

    def one(self, choices):
        return support.quoted(self.rng.choice(choices))

    def on_trace(self, table):
        rng = self.rng
        low = START_MS + rng.randrange(8) * 1000
        return rng.choice([
            f"{table}.trace_id = {self.one(self.ids)}",
            f"{table}.trace_id IN ({self.one(self.ids)}, {self.one(self.ids)}, NULL)",
            f"{table}.timestamp_ms >= {low}", f"{table}.timestamp_ms < {low}",
            f"{table}.timestamp_ms BETWEEN {low} AND {low + 3000}"])

    def on_span(self):
        column, choices = self.rng.choice([
            ("name", NAMES), ("span_type", [t or "UNKNOWN" for t in TYPES]),
            ("status", ["OK", "ERROR", "UNSET", "ok"])])
        operator = self.rng.choice(["=", "=", "=", "!=", "IN", "LIKE", "IS"])
        if operator == "IN":
            return f"s.{column} IN ({self.one(choices)}, {self.one(choices)})"
        return f"s.{column} {operator} {self.one(choices)}"

    def on_assessment(self):
        rng = self.rng
        return rng.choice([
            f"a.name = {self.one(['concise', 'it is', 'score', 'none'])}",
            f"a.name = {self.one(['concise', 'it is'])}",
            "a.assessment_type = 'feedback'", "a.assessment_type = 'expectation'",
            "a.valid = 1", "a.valid = 1", "a.valid = 0", f"a.value = {self.one(VALUES)}",
            f"a.value IN ({self.one(VALUES)}, {self.one(VALUES)})", "a.value_num > 0"])

    def terms(self, makers):
        found = [self.rng.choice(makers)() for _ in range(self.rng.randrange(1, 4))]
        if len(found) > 1 and self.rng.random() < 0.15:
            return f"({found[0]} OR {found[1]})" + "".join(f" AND {t}" for t in found[2:])
        return " AND ".join(found)

    def make(self):
        """A SELECT over the names spans, assessments, traces and ids."""
        rng = self.rng
        span, judged = "s.trace_id, s.span_id, s.name, s.depth", "a.assessment_id, a.value, a.valid"
        on_span = [self.on_span, self.on_span, lambda: self.on_trace("s")]
        on_judged = [self.on_assessment, self.on_assessment, lambda: self.on_trace("a")]
        return rng.choice([
            lambda: f"SELECT {span} FROM spans AS s WHERE {self.terms(on_span)}",
            lambda: f"SELECT {span} FROM spans AS s WHERE {self.terms(on_span)}",
            lambda: f"SELECT {judged} FROM assessments AS a WHERE {self.terms(on_judged)}",
            lambda: "SELECT a.assessment_id FROM assessments AS a WHERE a.assessment_type = "
                    f"'feedback' AND a.valid = 1 AND {self.terms(on_judged)}",
            lambda: f"SELECT {span}, t.status FROM traces AS t JOIN spans AS s USING (trace_id) "
                    f"WHERE {self.terms(on_span)}",
            lambda: f"SELECT t.trace_id, {judged} FROM traces AS t LEFT JOIN assessments AS a ON "
                    f"a.trace_id = t.trace_id AND {self.terms([self.on_assessment])}",
            lambda: f"SELECT ids.id, s.name FROM ids LEFT JOIN spans AS s ON s.trace_id = ids.id "
                    f"AND {self.terms([self.on_span])}",
            lambda: f"SELECT ids.id, s.name FROM ids JOIN spans AS s ON s.trace_id = ids.id AND "
                    f"s.trace_id IN (SELECT id FROM ids) WHERE {self.terms([self.on_span])}",
            lambda: "SELECT t.trace_id, t.request FROM traces AS t WHERE t.trace_id IN (SELECT "
                    f"s.trace_id FROM spans AS s WHERE {self.terms(on_span)})",
            lambda: f"SELECT a.name, count(*), count(s.span_id) FROM assessments AS a JOIN spans AS "
                    f"s USING (trace_id) WHERE {self.terms([self.on_span, self.on_assessment])} "
                    "GROUP BY 1"])()


def add(name, page_rows, streams, everywhere):
    def test(self):
        server = support.start(name)
        rng = random.Random(f"{name} {page_rows}")
        experiment = support.create_experiment(server, "spans")
        write(server, experiment, rng, everywhere)
        with support.environment({"MLFLOW_SQL_PAGE_ROWS": str(page_rows),
                                  "MLFLOW_SQL_STREAMS": str(streams)}):
            self.compare(server, experiment, rng, everywhere)

    setattr(Spans, f"test_{name}_{page_rows}".replace("-", "_").replace(".", "_"), test)


class Spans(unittest.TestCase):
    def compare(self, server, experiment, rng, everywhere):
        connection = support.apsw_connection(server)
        tables = ("traces", "spans", "assessments")
        for schema, more in (("main", ""), ("off", ", pushdown = off")):
            if schema == "off":
                connection.execute("ATTACH ':memory:' AS off; ATTACH ':memory:' AS copy")
            for table in tables:
                connection.execute(f"CREATE VIRTUAL TABLE {schema}.{table} USING mlflow_{table}("
                                   f"experiment = '{experiment}'{more})")
        for table in tables:
            connection.execute(f"CREATE TABLE copy.{table} AS SELECT *, timestamp_ms FROM "
                               f"off.{table}")
        ids = [row[0] for row in connection.execute("SELECT trace_id FROM copy.traces ORDER BY 1")]
        self.assertEqual(len(ids), TRACES)
        connection.execute("CREATE TEMP TABLE ids(id)")
        connection.executemany("INSERT INTO ids VALUES (?)",
                               [(i,) for i in ids[::3] + ids[:2] + ["tr-none", None]])
        statements, found = Statements(rng, ids + ["tr-none"]), 0
        for case in range(CASES):
            sql = statements.make()
            pushed = self.rows(connection, sql, "main")
            self.assertEqual(pushed, self.rows(connection, sql, "copy"), sql)
            if case % 10 == 0:
                self.assertEqual(pushed, self.rows(connection, sql, "off"), sql)
            found += bool(pushed)
        self.assertGreater(found, CASES // 4)
        sent = self.filters(connection, "SELECT a.value FROM assessments AS a WHERE a.name = "
                            "'concise' AND a.assessment_type = 'feedback' AND a.valid = 1")
        self.assertEqual("feedback.`concise` IS NOT NULL" in sent, server.version != support.OLDEST)
        sent = self.filters(connection, "SELECT s.name FROM spans AS s WHERE s.name = 'step' AND "
                            "s.status IN ('OK', 'ERROR')")
        self.assertEqual("span.name = 'step' AND span.status IN ('ERROR', 'OK')" in sent,
                         not everywhere)
        refused = connection.execute("SELECT endpoint, status, filter, error FROM mlflow_requests "
                                     "WHERE status NOT IN (200, 404)").fetchall()
        self.assertEqual(refused, [])
        connection.close()

    def filters(self, connection, sql):
        self.assertEqual(self.rows(connection, sql, "main"), self.rows(connection, sql, "copy"))
        return " ".join(row[0] for row in connection.execute(
            "SELECT filter FROM mlflow_requests WHERE filter IS NOT NULL"))

    @staticmethod
    def rows(connection, sql, schema):
        for table in ("traces", "spans", "assessments"):
            sql = sql.replace(f" {table} AS", f" {schema}.{table} AS")
        return sorted(connection.execute(sql).fetchall(), key=repr)


for each in support.servers():
    add(each, 500, 4, True)
add(support.SQLITE, 7, 1, False)
