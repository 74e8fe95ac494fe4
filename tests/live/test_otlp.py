"""Spans that came over OpenTelemetry's protocol are found by what MLflow shows of them.

MLflow stores such a span as it came, and translates it when it is read: its type from half a dozen
conventions. So what is shown is not what the server's own filter compares.
"""

import os
import pathlib
import secrets
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

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

    def compare(self, server):
        experiment = support.create_experiment(server, "otlp")
        for attributes in ATTRIBUTES:
            send(server, support.experiment_id(server, experiment), attributes)
        connection = support.apsw_connection(server)
        self.addCleanup(connection.close)
        connection.execute(f"CREATE VIRTUAL TABLE temp.s USING mlflow_spans(experiment = "
                           f"'{experiment}'); CREATE TEMP TABLE copy AS SELECT * FROM s")
        types = [row[0] for row in connection.execute("SELECT DISTINCT span_type FROM copy")]
        self.assertGreater(len(types), 4)
        for column in ("span_type", "status", "name"):
            for [value] in connection.execute(f"SELECT DISTINCT {column} FROM copy").fetchall():
                for condition in (f"{column} = ?1", f"{column} IN (?1, 'OTHER')"):
                    sql = f"SELECT trace_id, span_id FROM {{}} WHERE {condition} ORDER BY 1, 2"
                    self.assertEqual(connection.execute(sql.format("s"), (value,)).fetchall(),
                                     connection.execute(sql.format("copy"), (value,)).fetchall(),
                                     (condition, value))


if __name__ == "__main__":
    unittest.main()
