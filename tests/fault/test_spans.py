"""Spans from a server that misbehaves: right or an error, never short, and Ctrl-C is heard."""

import itertools
import json
import statistics
import threading
import time
import unittest

import support
from hostile_server import HostileServer, Script

IDS = ["t0", "t1", "t2"]
COUNT = "SELECT trace_id, count(*) FROM mlflow_spans GROUP BY 1"


def trace(trace_id, at):
    return {"trace_id": trace_id, "request_time": support.timestamp(1_790_000_000_000 - at),
            "trace_location": {"mlflow_experiment": {"experiment_id": "1"}},
            "tags": {"mlflow.trace.spansLocation": "TRACKING_STORE"}}


def spans(*names):
    return [{"span_id": f"{i:016x}", "name": name, "start_time_unix_nano": i + 1}
            for i, name in enumerate(names)]


def batch(*found):
    return json.dumps({"traces": [{"trace_info": {"trace_id": trace_id}, "spans": theirs}
                                  for trace_id, theirs in found]}, separators=(",", ":"))


WHOLE = batch(*((trace_id, spans("a", "b")) for trace_id in IDS))
ROWS = [(trace_id, 2) for trace_id in IDS]
NONE = 'status 404 body=\'{"error_code":"NOT_FOUND","message":"none"}\''


class Spans(unittest.TestCase):
    def setUp(self):
        self.server = HostileServer()
        self.addCleanup(self.server.stop)
        with support.environment({"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
                                  "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}):
            self.connection = support.apsw_connection(self.server.uri)
            self.connection.execute("SELECT * FROM mlflow_settings").fetchall()
        self.addCleanup(self.connection.close)
        self.play()

    def play(self, batch_steps=f"ok body='{WHOLE}'", file_steps=NONE):
        traces = json.dumps({"traces": [trace(trace_id, i) for i, trace_id in enumerate(IDS)]})
        with self.server.lock:
            self.server.routes = {path: Script(steps) for path, steps in {
                "/version": "ok body=3.17.2 type=text/plain",
                "/experiments/search":
                    'ok body=\'{"experiments":[{"experiment_id":"1","name":"a"}]}\'',
                "/traces/search": f"ok body='{traces}'", "/traces/batchGet": batch_steps,
                "/get-trace-artifact": file_steps}.items()}

    def ask(self, sql=COUNT):
        return self.connection.execute(sql).fetchall()

    def fails(self, pattern, sql=COUNT):
        import apsw

        with self.assertRaisesRegex(apsw.SQLError, pattern):
            self.ask(sql)

    def test_sizes_that_no_trace_has(self):
        traces = [trace(trace_id, i) for i, trace_id in enumerate(IDS)]
        for size in (2**63 - 1, 10**30, -1, 0):
            for each in traces:
                each["trace_metadata"] = {"mlflow.trace.sizeBytes": str(size)}
            self.server.route("/traces/search", f"ok body='{json.dumps({'traces': traces})}'")
            self.assertEqual(self.ask(), ROWS)

    def test_rows_without_an_id_of_their_own(self):
        """As other writers leave them: SQLite is not told that an id is a key."""
        found = trace("t0", 0) | {"assessments": [
            {"assessment_name": name, "feedback": {"value": name}} for name in ("a", "b", "c")]}
        self.server.route("/traces/search", f"ok body='{json.dumps({'traces': [found]})}'")
        self.server.route("/traces/batchGet", "ok body='{}'".format(
            batch(("t0", [{**span, "span_id": ""} for span in spans("a", "b", "c")]))))
        at_ms = self.ask("SELECT timestamp_ms FROM mlflow_traces")[0][0]
        for table in ("spans", "assessments"):
            for condition in (f"timestamp_ms = {at_ms} AND name = 'a' OR trace_id = 't0'",
                              f"trace_id = 't0' AND name = 'b' OR timestamp_ms = {at_ms}"):
                sql = f"SELECT name FROM mlflow_{table} WHERE {condition}"
                plan = "".join(row[3] for row in self.ask(f"EXPLAIN QUERY PLAN {sql}"))
                self.assertIn("MULTI-INDEX OR", plan)
                self.assertEqual(sorted(self.ask(sql)), [("a",), ("b",), ("c",)], sql)
        self.assertEqual(self.ask("SELECT count(*) FROM (SELECT DISTINCT trace_id, span_id "
                                  "FROM mlflow_spans)"), [(1,)])
        self.assertEqual(self.ask("SELECT count(*) FROM mlflow_assessments "
                                  "WHERE assessment_id IS NULL"), [(3,)])

    def test_rows_that_are_sent_in_another_order_each_time(self):
        """As PostgreSQL does: SQLite knows by the key which rows it has had."""
        there = [(name, {"assessment_id": f"a-{name}", "assessment_name": name,
                         "feedback": {"value": name}},
                  {"span_id": f"{i:016x}", "name": name, "start_time_unix_nano": 1})
                 for i, name in enumerate("abc")]
        for path, replies in (
                ("/traces/search", [json.dumps({"traces": [trace("t0", 0) | {
                    "assessments": [row[1] for row in rows]}]}) for rows in (there, there[::-1])]),
                ("/traces/batchGet", [batch(("t0", [row[2] for row in rows]))
                                      for rows in (there, there[::-1])])):
            self.server.route(path, " ; ".join(f"ok body='{reply}'" for reply in 20 * replies))
        at_ms = self.ask("SELECT timestamp_ms FROM mlflow_traces")[0][0]
        for table in ("spans", "assessments"):
            for names in itertools.permutations("abc", 2):
                sql = (f"SELECT name FROM mlflow_{table} WHERE (trace_id = 't0' AND name = "
                       f"'{names[0]}') OR (timestamp_ms = {at_ms} AND name = '{names[1]}')")
                self.assertEqual(sorted(self.ask(sql)), sorted((name,) for name in names), sql)

    def test_a_batch_cut_at_every_byte(self):
        self.assertEqual(self.ask(), ROWS)
        whole = len(Script(f"ok body='{WHOLE}'").next.answer())
        for length in range(0, whole, 3):
            for end in ("close", "reset"):
                cut = f"cut {length} body='{WHOLE}' end={end}"
                self.play(f"{cut} ; ok body='{WHOLE}'")
                self.assertEqual(self.ask(), ROWS, f"once, after {length} bytes")
                self.play(cut)
                self.fails("batchGet", COUNT)
                self.fails("batchGet", "SELECT request FROM mlflow_traces")

    def test_a_trace_that_the_batch_leaves_out(self):
        self.play(f"ok body='{batch((IDS[0], spans('a', 'b')), (IDS[2], spans('a', 'b')))}'")
        self.assertEqual(self.ask(), [ROWS[0], ROWS[2]])  # its spans are nowhere
        self.assertEqual(self.ask("SELECT trace_id, request FROM mlflow_traces"),
                         [(trace_id, None) for trace_id in IDS])
        late = json.dumps({"spans": spans("late")})
        self.play(f"ok body='{batch((IDS[0], spans('a', 'b')))}'", f"ok body='{late}'")
        self.assertEqual(self.ask(), [ROWS[0], (IDS[1], 1), (IDS[2], 1)])

    def test_a_file_without_a_list_of_spans(self):
        for file in ('{"spans":null}', "{}", '{"spans":[]}'):
            self.play("ok body='{\"traces\":[]}'", f"ok body='{file}'")
            sql = "SELECT trace_id, request, span_error FROM mlflow_traces"
            self.assertEqual(self.ask(sql), [(trace_id, None, None) for trace_id in IDS], file)
            self.assertEqual(self.ask(), [], file)
        self.assertLess(self.ask("SELECT count(*) FROM mlflow_requests")[0][0], 60)

    def test_what_is_asked_about_traces_that_the_batch_leaves_out(self):
        late = json.dumps({"spans": spans("late")})
        traces = json.dumps({"traces": [trace(trace_id, i) for i, trace_id in enumerate(IDS)]})
        some = json.dumps({"traces": [trace(IDS[1], 1)]})
        refusal = "status 400 body='{\"error_code\":\"INVALID_PARAMETER_VALUE\"}'"
        for answer, rows in (("ok body='{}'", [ROWS[0]]),
                             (f"ok body='{some}'", [ROWS[0], (IDS[1], 1)]),
                             (refusal, [ROWS[0], (IDS[1], 1), (IDS[2], 1)])):
            self.play(f"ok body='{batch((IDS[0], spans('a', 'b')))}'", f"ok body='{late}'")
            self.server.route("/traces/search", f"ok body='{traces}' ; {answer}")
            self.assertEqual(self.ask(), rows, answer)
        self.play(f"ok body='{batch((IDS[0], spans('a', 'b')))}'", f"ok body='{late}'")
        self.server.route("/traces/search", f"ok body='{traces}' ; status 500")
        self.fails("traces/search: 500")

    def test_who_skips_many_without_spans(self):
        # What is looked ahead for never takes the place of what is asked for.
        traces = [trace(f"t{i:04d}", i) for i in range(1500)]
        self.server.route("/traces/search", f"ok body='{json.dumps({'traces': traces})}'")
        self.server.route("/traces/batchGet", "ok body='{\"traces\":[]}'")
        for step in (8, 22, 30, 38):
            run = support.run_shell(
                "SELECT count(*) FROM mlflow_traces AS t CROSS JOIN mlflow_spans AS s "
                f"USING (trace_id) WHERE t.timestamp_ms % {step} = 0;", self.server.uri)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "0\n", ""), step)

    def test_what_is_no_answer_is_an_error(self):
        for steps, pattern in (
                ("status 401", "batchGet: 401.*MLFLOW_TRACKING_TOKEN"),
                ("status 403 body='{\"error_code\":\"PERMISSION_DENIED\"}'",
                 "batchGet: 403 PERMISSION_DENIED"),
                ("html", "batchGet: .*not JSON.*login page"),
                (f"ok body='{WHOLE[:-1]}'", "batchGet: the reply is not JSON"),
                ("garbage", "batchGet")):
            with self.subTest(steps[:20]):
                self.play(steps)
                self.fails(pattern)
        self.play(f"ok body='{batch((IDS[0], [{'name': 'no id'}]))}'")
        self.fails(r"spans\[0\] is an object, where a span with a span_id belongs")
        self.play("status 500 body='{\"error_class\":\"CLIENT_X\"}'", "status 500")
        self.fails("get-trace-artifact: 500")

    def test_ctrl_c_while_spans_are_fetched(self):
        import apsw

        for steps in ("delay 60 body='{}'", f"cut 100 body='{WHOLE}' end=stall",
                      "status 503 Retry-After=30"):
            with self.subTest(steps[:12]):
                delays = []
                for i in range(3):
                    self.play(steps)
                    called = []

                    def interrupt():
                        called.append(time.monotonic())
                        self.connection.interrupt()

                    timer = threading.Timer(0.1 + 0.03 * i, interrupt)
                    timer.start()
                    with self.assertRaises(apsw.InterruptError):
                        self.ask()
                    delays.append(time.monotonic() - called[0])
                    timer.join()
                self.assertLess(statistics.median(delays), 0.25)
                self.play()
                self.assertEqual(self.ask(), ROWS)
