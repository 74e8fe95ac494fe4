#!/usr/bin/env python3
"""Fills an experiment of a real MLflow server with the traces of scenario.py.

    MLFLOW_TRACKING_URI=… PYTHON tests/live/seed.py [--experiment NAME] [--traces N] [--seed N]

PYTHON is that of an environment with MLflow. Everything goes through MLflow's own client, by its
quickest ways: a trace's info with its assessments is one request, the spans of many traces are
another. The server may be as old as 3.5.
"""

import argparse
import concurrent.futures
import json
import os
import statistics
import sys
import time

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import mlflow  # noqa: E402
from mlflow.entities import (  # noqa: E402
    AssessmentError, AssessmentSource, Expectation, Feedback, Span, TraceData, TraceInfo,
    TraceLocation, TraceState,
)
from mlflow.tracing.client import TracingClient  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import Event, ReadableSpan  # noqa: E402
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags  # noqa: E402

import scenario  # noqa: E402

TRACES_A_REQUEST = 50
CONNECTIONS = 2
RESOURCE = Resource({"service.name": "agents"})


def span_id(trace, place):
    return int(trace.id[3:19], 16) ^ place + 1


def client_spans(trace):
    """The trace's finished spans as the client knows them."""
    trace_number = int(trace.id[3:], 16)

    def context(place):
        return SpanContext(trace_number, span_id(trace, place), False, TraceFlags(1))

    for place, span in enumerate(trace.spans):
        if trace.state == "IN_PROGRESS" and place == 0:
            continue
        start_ns = trace.start_ms * 1_000_000 + round(span.start_ms * 1e6)
        end_ns = trace.start_ms * 1_000_000 + round(span.end_ms * 1e6)
        attributes = {"mlflow.traceRequestId": trace.id, "mlflow.spanType": span.type,
                      "mlflow.spanInputs": span.inputs} | span.attributes
        if span.outputs is not None:
            attributes["mlflow.spanOutputs"] = span.outputs
        events = [Event(name, {}, trace.start_ms * 1_000_000 + round(at_ms * 1e6))
                  for name, at_ms in span.events]
        status = Status(StatusCode.OK)
        if span.error:
            kind, message = span.error
            status = Status(StatusCode.ERROR, f"{kind}: {message}")
            events += [Event("exception", {
                "exception.type": kind, "exception.message": message,
                "exception.stacktrace": "Traceback (most recent call last):\n"
                f'  File "/app/agents/{trace.name}.py", line 142, in {span.name}\n'
                f"{kind}: {message}"}, end_ns)]
        yield Span(ReadableSpan(
            span.name, context(place), None if span.parent is None else context(span.parent),
            RESOURCE, {key: json.dumps(value) for key, value in attributes.items()}, events,
            status=status, start_time=start_ns, end_time=end_ns))


def client_assessment(trace, given, run_id=None):
    """What was given to a trace; by a judge, in the run that evaluated the trace if one did."""
    source = AssessmentSource(source_type=given.source[0], source_id=given.source[1])
    at_ms = trace.start_ms + (trace.duration_ms or 0) + 60_000
    common = {"name": given.name, "source": source, "create_time_ms": at_ms,
              "last_update_time_ms": at_ms, "trace_id": trace.id}
    if given.span is not None:
        common["span_id"] = f"{span_id(trace, given.span):016x}"
    if run_id and given.source[0] != "HUMAN":
        common["metadata"] = {"mlflow.assessment.sourceRunId": run_id}
    if given.kind == "expectation":
        return Expectation(value=given.value, **common)
    error = AssessmentError(*given.error) if given.error else None
    return Feedback(value=given.value, error=error, rationale=given.rationale, **common)


def totals(trace, key):
    """The sums of a dict attribute over the spans that have it."""
    sums = {}
    for span in trace.spans:
        for name, value in span.attributes.get(key, {}).items():
            sums[name] = sums.get(name, 0) + value
    return sums


def client_info(trace, spans, experiment_id, runs):
    sizes = sorted(len(json.dumps(span.to_dict())) for span in spans) or [0]
    quartiles = statistics.quantiles(sizes, n=4) if len(sizes) > 1 else sizes * 3
    metadata = {
        "mlflow.trace.user": trace.user, "mlflow.trace.session": trace.session,
        "mlflow.user": "service", "mlflow.source.name": "serve.py", "mlflow.source.type": "LOCAL",
        "mlflow.trace.sizeBytes": str(sum(sizes)),
        "mlflow.trace.sizeStats": json.dumps({
            "total_size_bytes": sum(sizes), "num_spans": len(spans), "max": sizes[-1],
            "p25": int(quartiles[0]), "p50": int(quartiles[1]), "p75": int(quartiles[2])}),
    }
    for name, attribute in (("mlflow.trace.tokenUsage", "mlflow.chat.tokenUsage"),
                            ("mlflow.trace.cost", "mlflow.llm.cost")):
        if sums := totals(trace, attribute):
            metadata[name] = json.dumps(sums)
    if trace.run:
        metadata["mlflow.sourceRun"] = runs[trace.run]
    return TraceInfo(
        trace_id=trace.id, trace_location=TraceLocation.from_experiment_id(experiment_id),
        request_time=trace.start_ms, execution_duration=trace.duration_ms,
        state=TraceState(trace.state), client_request_id=trace.client_request_id,
        request_preview=json.dumps(trace.request),
        response_preview=json.dumps(trace.response) if trace.response else None,
        trace_metadata=metadata, tags=trace.tags,
        assessments=[client_assessment(trace, given, runs.get(trace.run))
                     for given in trace.assessments])


class Writer:
    """Sends traces to one experiment."""

    def __init__(self, experiment):
        client = mlflow.MlflowClient()
        found = client.get_experiment_by_name(experiment)
        self.experiment_id = (found.experiment_id if found
                              else client.create_experiment(experiment))
        self.client = client
        self.tracing = TracingClient()
        version = self.tracing.store._get_server_version(self.tracing.store.get_host_creds())
        self.serves_spans = version.release >= (3, 6)  # older ones give back files alone
        self.many_a_request = version.release >= (3, 8)
        self.runs = {}

    def start_runs(self, traces):
        for name in sorted({trace.run for trace in traces if trace.run}):
            run = self.client.create_run(self.experiment_id, run_name=name)
            self.runs[name] = run.info.run_id

    def write(self, traces):
        pending = []
        for trace in traces:
            spans = list(client_spans(trace))
            info = self.tracing.start_trace(
                client_info(trace, spans, self.experiment_id, self.runs))
            self.override(trace, info)
            if self.serves_spans:
                pending.append(spans)
            else:
                self.tracing._upload_trace_data(info, TraceData(spans=spans))
        if self.many_a_request:
            pending = [[span for spans in pending for span in spans]]
        for spans in pending:
            self.tracing.log_spans(self.experiment_id, spans)

    def write_all(self, traces, said=lambda done: None):
        """Many traces; says after each request for spans how many are there."""
        parts = [traces[i:i + TRACES_A_REQUEST] for i in range(0, len(traces), TRACES_A_REQUEST)]
        done = 0
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            for part, _ in zip(parts, pool.map(self.write, parts)):
                done += len(part)
                said(done)

    def override(self, trace, info):
        """Logs the corrections that a person made of a judge's feedback."""
        corrected = {given.name: given.corrected for given in trace.assessments if given.corrected}
        for logged in info.assessments:
            if logged.name in corrected:
                mlflow.override_feedback(
                    trace_id=trace.id, assessment_id=logged.assessment_id,
                    value=corrected[logged.name], rationale="Short enough for this question.",
                    source=AssessmentSource("HUMAN", "reviewer@example.com"))


def fill(experiment, count, number=1, said=lambda done: None):
    """Puts `count` traces into an experiment; `number` is that of the chance. Gives the traces."""
    traces = scenario.make_traces(count, number, int(time.time() * 1000), experiment)
    writer = Writer(experiment)
    writer.start_runs(traces)
    writer.write_all(traces, said)
    return traces


def main():
    parser = argparse.ArgumentParser(description="Seed an MLflow server with agent traces.")
    parser.add_argument("--experiment", default="agent-prod")
    parser.add_argument("--traces", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    def show(done):
        sys.stderr.write(f"\r  {done} of {arguments.traces} traces")
        sys.stderr.flush()

    begin = time.monotonic()
    traces = fill(arguments.experiment, arguments.traces, arguments.seed, show)
    spans = sum(len(trace.spans) for trace in traces)
    sys.stderr.write(f"\r  {len(traces)} traces, {spans} spans in "
                     f"{time.monotonic() - begin:.1f} s\n")


if __name__ == "__main__":
    main()
