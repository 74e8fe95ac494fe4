"""Each column says what MLflow's own Python client says, field by field.

The traces are the demo's, and some that no demo has; their spans are in the server's tables, in
its artifact store, or nowhere. The comparison goes over everything that search_traces returns.
"""

import contextlib
import inspect
import json
import logging
import math
import os
import time
import unittest

import support

# The client's own connection may be reset on a busy machine: it tries once more, at once.
os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
               "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0", "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0"}
import mlflow
from mlflow.entities import (
    AssessmentSource, Expectation, Feedback, Span, TraceData, TraceInfo, TraceLocation, TraceState,
)
from mlflow.tracing.client import TracingClient
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

try:
    from mlflow.entities import Link
except ImportError:  # before MLflow 3.13
    Link = None

logging.getLogger("mlflow").setLevel(logging.ERROR)
DEMO_TRACES = 120
FLOOR_TRACES = 20  # on the oldest server that is supported; tests/servers gives it all
WRITTEN = "MLFLOW_SQL_TEST_EXPERIMENT"  # what tests/servers/run.py has written, for older clients
START_MS = 1_790_000_000_123
START_NS = START_MS * 1_000_000 + 456_789
SEARCH_ARGUMENTS = inspect.signature(mlflow.search_traces).parameters
ODD_VALUES = {
    "text": 'é "quoted" \\ \n\t\U0001f642 </script>', "empty": "", "blank": " ", "looks": "123",
    "like json": '{"a": 1}', "true": True, "false": False, "zero": 0, "big": 2**63 - 1,
    "small": -2**63, "real": 0.1, "tiny": 5e-324, "none": None, "list": [], "map": {},
    "nested": {"a": [1, "2", None, {"b": [[], {}]}]}, "odd.key `\"'": 1,
}
SCRIPTS = ("Où est « ma » commande ?", "Где мой заказ?", "注文はどこですか", "أين طلبي؟", "\U0001f4e6\U0001f9d1\u200d\U0001f4bb❓")
DEPTHS = (15, 64, 500)
# What goes into the server's tables goes as protobuf, whose readers stop at 100 levels: four are one.
TABLES_DEPTH_MAX = 20


def nested(depth):
    """A value of so many levels, lists and objects, with a text and a key of each script in turn."""
    value = list(SCRIPTS)
    for level in range(depth - 1):
        text = SCRIPTS[level % len(SCRIPTS)]
        value = [text, value] if level % 2 else {text: value, "n": level}
    return value


def span(trace_id, place, parent=None, name="step", start=0, end=1_000_000, attributes=None,
         events=(), status=StatusCode.OK, message=None, links=()):
    def context(number):
        return SpanContext(int(trace_id[3:], 16), number, False, TraceFlags(1))

    attributes = {"mlflow.traceRequestId": trace_id, "mlflow.spanType": "CHAIN"} | (
        attributes or {})
    made = Span(ReadableSpan(
        name, context(place), None if parent is None else context(parent), Resource({}),
        {key: json.dumps(value) for key, value in attributes.items()}, list(events),
        status=Status(status, message), start_time=START_NS + start,
        end_time=None if end is None else START_NS + end))
    made._links = list(links)
    return made


def odd_traces():
    """(what is odd, trace id, spans): each with a root of its own."""
    number = time.time_ns()

    def make(place, *spans):
        trace_id = f"tr-{number:024x}{place:08x}"
        return trace_id, [span(trace_id, **given) for given in spans]

    yield "values", *make(1, {
        "place": 1, "name": "é \"name\"", "attributes": {
            "mlflow.spanInputs": ODD_VALUES, "mlflow.spanOutputs": list(ODD_VALUES.values()),
            **{f"odd {key}": value for key, value in ODD_VALUES.items()}}})
    for i, depth in enumerate(DEPTHS):
        yield f"{depth} levels", *make(8 + i, {
            "place": 1, "name": SCRIPTS[1], "status": StatusCode.ERROR, "message": SCRIPTS[2],
            "attributes": {
                "mlflow.spanInputs": nested(depth), "mlflow.spanOutputs": nested(depth - 1),
                **{text: nested(depth) for text in SCRIPTS}}}, *(
            {"place": 2 + j, "parent": 1, "name": text, "attributes": {"mlflow.spanInputs": text}}
            for j, text in enumerate(SCRIPTS)))
    yield "scalars", *make(2, {"place": 1, "attributes": {
        "mlflow.spanInputs": "just a text", "mlflow.spanOutputs": 3.5}})
    yield "no payloads", *make(3, {"place": 1})
    yield "events and links", *make(4, {
        "place": 1, "status": StatusCode.ERROR, "message": "it failed", "events": [
            Event("exception", {"exception.type": "First", "exception.message": "1"}, START_NS),
            Event("log", {"level": 3, "ok": True, "ratio": 0.5, "tags": ["a", "b"]}, START_NS + 1),
            Event("exception", {"exception.type": "Last", "exception.message": "é\n2"},
                  START_NS + 2)],
        "links": [Link(trace_id="tr-" + "ab" * 16, span_id="cd" * 8, attributes={"why": "retry"})]})
    yield "orphans, two roots, skew", *make(
        5, {"place": 1, "end": 10}, {"place": 2, "start": 5, "end": 20},
        {"place": 3, "parent": 99, "start": 2, "end": 3},
        {"place": 4, "parent": 1, "start": -5, "end": 30},
        {"place": 5, "parent": 4, "start": 7, "end": 7})
    yield "still running", *make(
        6, {"place": 1, "end": None, "status": StatusCode.UNSET},
        {"place": 2, "parent": 1, "start": 5, "end": 20})
    yield "deep and wide", *make(
        7, {"place": 1, "end": 5000}, *(
            {"place": i, "parent": i // 2, "start": i, "end": 5000 - i} for i in range(2, 1200)))


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.experiments = {}
        written = os.environ.get(WRITTEN)
        for name in support.servers():
            server = support.start(name)
            cls.experiments[server] = written or cls.write(server), DEMO_TRACES
        if not written:
            server = support.start(support.SQLITE_FLOOR)
            cls.experiments[server] = cls.write(server, FLOOR_TRACES), FLOOR_TRACES

    @classmethod
    def write(cls, server, traces=DEMO_TRACES):
        experiment = support.create_experiment(server, "client")
        support.seed(server, experiment, traces)
        cls.write_odd(server, experiment)
        return experiment

    @classmethod
    def write_odd(cls, server, experiment):
        number = support.experiment_id(server, experiment)
        with cls.client(server):
            tracing = TracingClient()
            many = tracing.store._get_server_version(
                tracing.store.get_host_creds()).release >= (3, 6)
            for what, trace_id, spans in odd_traces():
                too_deep = any(what == f"{depth} levels" for depth in DEPTHS
                               if depth > TABLES_DEPTH_MAX)
                for place in ("artifacts", "tables")[:2 if many and not too_deep else 1]:
                    own_id = trace_id if place == "tables" else f"{trace_id[:-2]}f{trace_id[-1]}"
                    info = tracing.start_trace(TraceInfo(
                        trace_id=own_id, trace_location=TraceLocation.from_experiment_id(number),
                        request_time=START_MS, execution_duration=None, state=TraceState.OK,
                        trace_metadata={"mlflow.trace_schema.version": "3"}, tags={"odd": what},
                        assessments=[]))
                    if place == "artifacts":
                        tracing._upload_trace_data(info, TraceData(spans=spans))
                    else:
                        tracing.log_spans(number, spans)
            tracing.start_trace(TraceInfo(
                trace_id=f"tr-{time.time_ns():032x}", request_time=START_MS,
                trace_location=TraceLocation.from_experiment_id(number), state=TraceState.OK,
                execution_duration=5, tags={"odd": "spans never came"}))
            cls.assess(info.trace_id)

    @staticmethod
    def assess(trace_id):
        human = AssessmentSource("HUMAN", "someone@example.com")
        for value in (True, False, 0, 1.5, -3, "no", "", "é", None, ["a", 1], {"a": None}):
            with contextlib.suppress(Exception):  # what one version refuses another takes
                mlflow.log_assessment(trace_id, Feedback(
                    name="odd", value=value, source=human, rationale="because\n\"so\"",
                    metadata={"mlflow.assessment.sourceRunId": "run-1", "k": "v"}))
                mlflow.log_assessment(trace_id, Expectation(name="wanted", value=value,
                                                            source=human))
        with contextlib.suppress(Exception):
            mlflow.log_assessment(trace_id, Feedback(
                name="crashed", source=human, error=ValueError("no such thing")))

    @staticmethod
    @contextlib.contextmanager
    def client(server):
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(server.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)

    def each_server(self):
        for server, (experiment, demo_traces) in self.experiments.items():
            with self.client(server), support.apsw_connection(server) as connection:
                number = mlflow.get_experiment_by_name(experiment).experiment_id
                where = "locations" if "locations" in SEARCH_ARGUMENTS else "experiment_ids"
                traces = mlflow.search_traces(**{where: [number]}, return_type="list")
                self.assertGreater(len(traces), demo_traces * 0.9)
                yield connection, experiment, traces

    def rows(self, connection, experiment, table, key):
        found = {}
        cursor = connection.execute(f"SELECT *, timestamp_ms FROM {table} WHERE experiment = ?",
                                    (experiment,))
        names = None
        for row in cursor:
            names = names or [column[0] for column in cursor.description]
            row = dict(zip(names, row))
            at = tuple(row[name] for name in key)
            self.assertFalse(at in found, f"{table}: {at} comes twice")
            found[at] = row
        return found

    def same(self, what, got, expected):
        for name, value in expected.items():
            if isinstance(value, float) and math.isnan(value):
                value = None
            if isinstance(value, float) and isinstance(got[name], float):
                self.assertAlmostEqual(got[name], value, msg=f"{what}.{name}", places=9)
            else:
                self.assertEqual((type(got[name]), got[name]), (type(value), value),
                                 f"{what}.{name}")

    def test_traces(self):
        for connection, experiment, traces in self.each_server():
            rows = self.rows(connection, experiment, "mlflow_traces", ["trace_id"])
            shown = {trace.info.trace_id for trace in traces}
            self.assertEqual(len(shown), len(traces))
            # The client leaves out a trace of which it gets no spans.
            self.assertEqual([json.loads(row["tags"]).get("odd") for row in rows.values()
                              if row["trace_id"] not in shown], ["spans never came"])
            for trace in traces:
                info, row = trace.info, rows[trace.info.trace_id,]
                usage = info.token_usage or {}
                # Older clients have no `cost` and leave it in the metadata.
                cost = json.loads(info.trace_metadata.get("mlflow.trace.cost", "{}"))
                self.same(info.trace_id, row, {
                    "experiment_id": info.experiment_id, "status": info.state.value,
                    "timestamp_ms": info.request_time,
                    "execution_time_ms": info.execution_duration,
                    "client_request_id": info.client_request_id,
                    "request_preview": info.request_preview,
                    "response_preview": info.response_preview,
                    "name": info.tags.get("mlflow.traceName"),
                    "input_tokens": usage.get("input_tokens"),
                    "output_tokens": usage.get("output_tokens"),
                    "total_tokens": usage.get("total_tokens"),
                    "total_cost": cost.get("total_cost")})
                self.assertEqual(json.loads(row["tags"]), info.tags)
                self.assertEqual(json.loads(row["metadata"]), info.trace_metadata)
                for column in ("request", "response"):
                    client = getattr(trace.data, column)
                    client = None if client is None else json.loads(client)
                    got = row[column] and json.loads(row[column])
                    self.assertEqual(got, client, f"{info.trace_id} {column}")

    def test_spans(self):
        for connection, experiment, traces in self.each_server():
            rows = self.rows(connection, experiment, "mlflow_spans", ["trace_id", "span_id"])
            self.assertGreater(len(rows), 500)
            for trace in traces:
                for span in trace.data.spans:
                    row = rows.pop((trace.info.trace_id, span.span_id))
                    usage = span.get_attribute("mlflow.chat.tokenUsage") or {}
                    exceptions = [e for e in span.events if e.name == "exception"] or [None]
                    about = exceptions[-1].attributes if exceptions[-1] else {}
                    self.same(f"{trace.info.trace_id} {span.name}", row, {
                        "parent_span_id": span.parent_id, "name": span.name,
                        "experiment_id": trace.info.experiment_id,
                        "timestamp_ms": trace.info.request_time,
                        "span_type": span.span_type, "status": span.status.status_code.value,
                        "status_message": span.status.description or None,
                        "start_time_ns": span.start_time_ns,
                        "end_time_ns": span.end_time_ns or None,
                        "model_name": span.get_attribute("mlflow.llm.model"),
                        "model_provider": span.get_attribute("mlflow.llm.provider"),
                        "input_tokens": usage.get("input_tokens"),
                        "total_cost": (span.get_attribute("mlflow.llm.cost") or {}).get(
                            "total_cost"),
                        "exception_type": about.get("exception.type"),
                        "exception_message": about.get("exception.message")})
                    self.assertEqual(row["inputs"] and json.loads(row["inputs"]), span.inputs)
                    self.assertEqual(row["outputs"] and json.loads(row["outputs"]), span.outputs)
                    self.assertEqual(json.loads(row["attributes"]), span.attributes)
                    self.assertEqual(
                        [(e["name"], e["timestamp"], e["attributes"])
                         for e in json.loads(row["events"])],
                        [(e.name, e.timestamp, {k: list(v) if isinstance(v, tuple) else v
                                                for k, v in e.attributes.items()})
                         for e in span.events])
                    if Link:
                        self.assertEqual(
                            [(link["trace_id"], link["span_id"], link["attributes"])
                             for link in json.loads(row["links"])],
                            [(link.trace_id, link.span_id, link.attributes or {})
                             for link in span.links])
            self.assertEqual(list(rows), [])

    def test_assessments(self):
        for connection, experiment, traces in self.each_server():
            rows = self.rows(connection, experiment, "mlflow_assessments",
                             ["trace_id", "assessment_id"])
            self.assertGreater(len(rows), len(traces))
            for trace in traces:
                for given in trace.info.assessments:
                    row = rows.pop((trace.info.trace_id, given.assessment_id))
                    kind = ("feedback" if given.feedback else "expectation"
                            if given.expectation else "issue")
                    value = getattr(getattr(given, kind), "value", None)
                    error = given.feedback.error if given.feedback else None
                    self.same(f"{trace.info.trace_id} {given.name}", row, {
                        "span_id": given.span_id, "name": given.name, "assessment_type": kind,
                        "rationale": given.rationale,
                        "source_type": given.source.source_type,
                        "source_id": given.source.source_id, "run_id": given.run_id,
                        "create_time_ms": given.create_time_ms,
                        "last_update_time_ms": given.last_update_time_ms,
                        # The client leaves out what the server says of an expectation.
                        "valid": int(given.valid) if kind == "feedback" else 1,
                        "overrides": given.overrides,
                        "error_code": error and error.error_code,
                        "error_message": error and error.error_message})
                    self.assertEqual(json.loads(row["metadata"]), given.metadata or {})
                    shown = row["value_json"] and json.loads(row["value_json"])
                    self.assertEqual((type(shown), shown), (type(value), value))
                    if isinstance(value, (bool, int, float)):
                        self.assertEqual(row["value"], value)
                        self.assertEqual(row["value_num"], value)
                    elif isinstance(value, (list, dict)):
                        self.assertEqual(json.loads(row["value"]), value)
                    else:
                        self.assertEqual(row["value"], value)
                        self.assertIsNone(row["value_num"])
            self.assertEqual(list(rows), [])

    def test_a_trace_without_spans_is_a_row_without_payloads(self):
        for connection, experiment, _ in self.each_server():
            self.assertEqual(connection.execute(
                "SELECT request, response, status FROM mlflow_traces WHERE experiment = ?1 "
                "AND tags ->> 'odd' = 'spans never came'", (experiment,)).fetchall(),
                [(None, None, "OK")])

    def test_critical_paths_add_up_to_the_roots(self):
        for connection, experiment, _ in self.each_server():
            worst = connection.execute(
                "SELECT max(abs(parts - roots)) FROM (SELECT sum(critical_path_ms) AS parts, "
                "sum(duration_ms) FILTER (WHERE depth = 0) AS roots FROM mlflow_spans "
                "WHERE experiment = ?1 GROUP BY trace_id "
                "HAVING count(end_time_ns) = count(*))", (experiment,)).get
            self.assertLess(worst, 1e-6)
