"""A trace whose start moves while a scan runs comes once, and is not missed.

OpenTelemetry's exporters send a child when it ends and the root last, so a trace gets an earlier
start again and again; and it ends, is tagged and deleted, all while it is read. On real servers, in
small pages, with the newest SQLite in this process, so that a test can act between two rows.
"""

import random
import secrets
import unittest
import urllib.request

import support

START_MS = 1_795_000_000_000


class Moving:
    """The tests; a subclass for each server."""

    name = None

    def setUp(self):
        self.server = support.start(self.name)
        self.experiment = support.create_experiment(self.server, "moving")
        self.number = support.experiment_id(self.server, self.experiment)

    def export(self, trace_id, start_ms, root=False):
        """Sends one span more of a trace; the root ends it."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest)

        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add(
            trace_id=trace_id, span_id=secrets.token_bytes(8), name="root" if root else "child",
            start_time_unix_nano=start_ms * 1_000_000,
            end_time_unix_nano=(START_MS + 900_000) * 1_000_000)
        if not root:
            span.parent_span_id = (1).to_bytes(8, "big")
        urllib.request.urlopen(urllib.request.Request(
            f"{self.server.uri}/v1/traces", request.SerializeToString(),
            {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": self.number}))

    def begin(self, count):
        made = [secrets.token_bytes(16) for _ in range(count)]
        for place, trace_id in enumerate(made):
            self.export(trace_id, START_MS + 1000 * place)
        return made

    def scan(self, streams, tail):
        with support.environment({"MLFLOW_SQL_PAGE_ROWS": "5", "MLFLOW_SQL_STREAMS": str(streams)}):
            connection = support.apsw_connection(self.server)
            self.addCleanup(connection.close)
            yield from connection.execute(
                f"SELECT trace_id FROM mlflow_traces WHERE experiment = ? {tail}",
                (self.experiment,))

    def check(self, made, streams, tail, act):
        """Reads, with `act` before each row; what it gives back was not there throughout."""
        seen, gone = [], set()
        for place, (trace_id,) in enumerate(self.scan(streams, tail)):
            seen.append(trace_id)
            gone |= act(place) or set()
        expected = {"tr-" + trace_id.hex() for trace_id in made}
        self.assertEqual(len(seen), len(set(seen)), f"{tail}: a trace came twice")
        self.assertEqual(expected - gone - set(seen), set(), f"{tail}: a trace is missing")

    def test_a_start_moves_across_the_scan(self):
        for streams in (1, 4):
            for tail in ("", "ORDER BY timestamp_ms DESC", "ORDER BY timestamp_ms",
                         "ORDER BY timestamp_ms LIMIT 39", "ORDER BY timestamp_ms DESC LIMIT 40",
                         "AND timestamp_ms > 5 ORDER BY timestamp_ms",
                         # What the server cannot be told makes several pages of the oldest first.
                         "AND status <> 'it''s \"odd\"' ORDER BY timestamp_ms LIMIT 39"):
                made = self.begin(40)

                def act(place, made=made):
                    if place == 12:  # to behind the read position, for who reads the newest first
                        self.export(made[-1], START_MS - 1_000_000)
                        self.export(made[-30], START_MS - 2_000_000, root=True)
                    if place == 13:  # and one ahead, for who reads the oldest first
                        self.export(made[20], START_MS - 3_000_000)
                    return {"tr-" + made[-1].hex()} if "LIMIT 39" in tail else set()

                self.check(made, streams, tail, act)
                support.delete_traces(self.server, self.experiment,
                                      ["tr-" + trace_id.hex() for trace_id in made])

    def test_the_oldest_where_a_condition_is_not_sent(self):
        """Inside another statement SQLite does not show what a condition is for; unsent it takes
        a trace away, so that one page of the oldest does not do."""
        made = self.begin(40)
        connection = support.apsw_connection(self.server)
        self.addCleanup(connection.close)
        seen = []

        def read():
            for trace_id, in connection.execute(
                    "SELECT trace_id FROM mlflow_traces WHERE experiment = ? AND trace_id <> ? "
                    "ORDER BY timestamp_ms LIMIT 38", (self.experiment, "tr-" + made[5].hex())):
                seen.append(trace_id)
                if len(seen) == 12:  # the last one that is wanted
                    self.export(made[38], START_MS - 1_000_000)

        connection.create_scalar_function("read", read)
        connection.execute("SELECT read()").fetchall()
        self.assertEqual(seen, ["tr-" + made[place].hex() for place in range(39) if place != 5])
        support.delete_traces(self.server, self.experiment,
                              ["tr-" + trace_id.hex() for trace_id in made])

    def test_whatever_happens(self):
        dice = random.Random(7)
        for tail in ("", "ORDER BY timestamp_ms DESC"):
            made = self.begin(60)

            def act(_place, made=made):
                trace_id = dice.choice(made)
                name = "tr-" + trace_id.hex()
                what = dice.randrange(8)
                if what < 3:
                    self.export(trace_id, START_MS - dice.randrange(1, 10**6), what == 0)
                elif what == 3:
                    self.server.call("PATCH", f"/api/3.0/mlflow/traces/{name}/tags",
                                     {"key": "seen", "value": str(dice.random())})
                elif what == 4 and dice.random() < 0.3:
                    support.delete_traces(self.server, self.experiment, [name])
                    return {name}
                return set()

            self.check(made, 1, tail, act)
            support.delete_traces(self.server, self.experiment,
                                  ["tr-" + trace_id.hex() for trace_id in made])


class MovingOnSqlite(Moving, unittest.TestCase):
    name = support.SQLITE


class MovingOnPostgresql(Moving, unittest.TestCase):
    name = support.POSTGRESQL
