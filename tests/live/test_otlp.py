"""Spans that came over OpenTelemetry's protocol are found by what MLflow shows of them.

MLflow stores such a span as it came, and translates it when it is read: its type from half a dozen
conventions. So what is shown is not what the server's own filter compares.
"""

import json
import os
import secrets
import unittest
import urllib.request

import support
import test_client

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
START_NS = 1_795_000_000_000_000_000
ATTRIBUTES = [
    {"openinference.span.kind": "LLM"}, {"openinference.span.kind": "TOOL"},
    {"gen_ai.operation.name": "chat"}, {"traceloop.span.kind": "tool"},
    {"ai.operationId": "ai.generateText"}, {"mlflow.spanType": "AGENT"},
    {"mlflow.spanType": '"AGENT"'}, {"mlflow.spanType": ""}, {"mlflow.spanType": "null"}, {},
]


def send(server, experiment_id, attributes):
    """One trace: a root, and a child that has the attributes and an error."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    trace_id = secrets.token_bytes(16)
    for place, given in enumerate(({}, attributes), 1):
        span = spans.add(trace_id=trace_id, span_id=place.to_bytes(8, "big"), name=f"step {place}",
                         start_time_unix_nano=START_NS + place,
                         end_time_unix_nano=START_NS + 10 + place)
        span.status.code = place
        if place > 1:
            span.parent_span_id = (1).to_bytes(8, "big")
        for key, value in given.items():
            span.attributes.add(key=key).value.string_value = value
    urllib.request.urlopen(urllib.request.Request(
        f"{server.uri}/v1/traces", request.SerializeToString(),
        {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment_id}))


class Otlp(unittest.TestCase):
    def test_conditions_on_spans(self):
        for name in (support.SQLITE, support.POSTGRESQL):
            with self.subTest(name):
                self.compare(support.start(name))

    def test_texts_are_the_clients_to_any_depth(self):
        """JSON in a text, which is how what is deep comes over the protocol."""
        for name in (support.SQLITE, support.POSTGRESQL):
            server = support.start(name)
            for depth in test_client.DEPTHS:
                with self.subTest(name, depth=depth):
                    self.check_texts(server, depth)

    def check_texts(self, server, depth):
        import mlflow

        experiment = support.create_experiment(server, f"otlp {depth} levels")
        number = support.experiment_id(server, experiment)
        value = test_client.nested(depth)
        for i, text in enumerate(test_client.SCRIPTS):
            written = json.dumps(value, ensure_ascii=i % 2 > 0, indent=i % 3 or None)
            send(server, number, {"mlflow.spanInputs": written, "output.value": written,
                                  "note": text, text: written})
        with test_client.Client.client(server), support.apsw_connection(server) as connection:
            rows = {row[:2]: row[2:] for row in connection.execute(
                "SELECT trace_id, name, inputs, outputs, attributes FROM mlflow_spans "
                "WHERE experiment = ?", (experiment,))}
            self.assertEqual(len(rows), 2 * len(test_client.SCRIPTS))
            inputs = {row[0] for (_, name), row in rows.items() if name == "step 2"}
            self.assertEqual(len(inputs), 1)  # one value is one text, however it was written
            self.assertEqual(json.loads(inputs.pop()), value)
            # What is deep the server cannot send in a batch, and its client has no other way.
            traces = [] if depth > test_client.TABLES_DEPTH_MAX else mlflow.search_traces(
                locations=[number], return_type="list")
            for trace in traces:
                for span in trace.data.spans:
                    inputs, outputs, attributes = rows.pop((trace.info.trace_id, span.name))
                    self.assertEqual(inputs and json.loads(inputs), span.inputs)
                    self.assertEqual(outputs and json.loads(outputs), span.outputs)
                    self.assertEqual(json.loads(attributes), span.attributes)
            self.assertEqual(len(rows), 0 if traces else 2 * len(test_client.SCRIPTS))

    def compare(self, server):
        experiment = support.create_experiment(server, "otlp")
        for attributes in ATTRIBUTES:
            send(server, support.experiment_id(server, experiment), attributes)
        connection = support.apsw_connection(server)
        self.addCleanup(connection.close)
        connection.execute(f"CREATE VIRTUAL TABLE temp.s USING mlflow_spans(experiment = "
                           f"'{experiment}'); CREATE TEMP TABLE copy AS SELECT * FROM s")
        # What a raw filter says of spans, and what SQL says, may be of two spans of a trace.
        for raw in ('span.name = "step 2"', 'span.status = "ERROR"'):
            asked = connection.execute("SELECT count(*) FROM s WHERE name = 'step 1' AND filter = ?",
                                       (raw,)).get
            self.assertEqual(asked, len(ATTRIBUTES), raw)
        types = [row[0] for row in connection.execute("SELECT DISTINCT span_type FROM copy")]
        self.assertGreater(len(types), 4)
        for column in ("span_type", "status", "name"):
            for [value] in connection.execute(f"SELECT DISTINCT {column} FROM copy").fetchall():
                for condition in (f"{column} = ?1", f"{column} IN (?1, 'OTHER')"):
                    sql = f"SELECT trace_id, span_id FROM {{}} WHERE {condition} ORDER BY 1, 2"
                    self.assertEqual(connection.execute(sql.format("s"), (value,)).fetchall(),
                                     connection.execute(sql.format("copy"), (value,)).fetchall(),
                                     (condition, value))
