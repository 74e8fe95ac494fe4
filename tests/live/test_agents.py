"""sessions, tool_calls, repeated_calls and first_failures: their figures equal what plain Python makes
of what MLflow's client returns, on the demo's traces and on odd ones: sessions that the window cuts,
tools called again, failures within failures.

Each view is asked in Debian's sqlite3 and in the newest SQLite.
"""

import collections
import hashlib
import json
import statistics

import support

import numpy

import mirrored
import seeded
from scenario import Assessment, Span, Trace

NAME = "agents that go round"
BEGIN_MS = seeded.UNTIL_MS - 10 * seeded.DAY_MS
KINDS = ["all", "odd", "empty"]
TIMEOUT = ("TimeoutError", "it took longer than 5.0 s")


def tokens(total):
    return {"mlflow.chat.tokenUsage": {"input_tokens": total - 1, "output_tokens": 1,
                                       "total_tokens": total}}


def tool(begin, end, inputs, error=None, parent=0, **more):
    return Span("lookup", "TOOL", begin, end, parent, inputs, error=error, **more)


def spans(*children, error=None, end=100):
    return [Span("agent", "AGENT", 0, end, None, {"q": 1}, error=error), *children]


LOOPS = spans(  # failed, then well, then again: the first that went well was enough
    tool(1, 4, {"id": 7}, TIMEOUT), tool(6, 10, {"id": 7}), tool(11, 20, {"id": 7}),
    Span("sub", "AGENT", 11, 19, 3, {}), Span("chat", "LLM", 12, 18, 4, {}, attributes=tokens(30)),
    Span("http", "LLM", 13, 17, 5, {}, attributes=tokens(30)),  # the same tokens once more
    Span("other", "CHAT_MODEL", 14, 15, 4, {}, attributes=tokens(5)),
    tool(21, 22, {"id": 8}), tool(23, 24, None), tool(25, 26, None), tool(30, 31, [1]),
    tool(32, 33, [1], attributes=tokens(9)))
HOPELESS = spans(  # all failed: one, the first, is no waste
    tool(1, 5, {"id": 7}, TIMEOUT), tool(2, 9, {"id": 7}, TIMEOUT), tool(12, 19, {"id": 7}, TIMEOUT),
    error=TIMEOUT)
NESTED = spans(  # the deepest is not the first: b failed before
    Span("a", "CHAIN", 1, 50, 0, {}, error=("ValueError", "from c")),
    Span("c", "TOOL", 10, 40, 1, {}, error=("KeyError", "'x'")),
    Span("b", "TOOL", 2, 30, 0, {}, error=("IndexError", "b")),
    error=("ValueError", "from c"))
LATE = spans(  # the child ends after its parent, and has failed, too
    Span("a", "CHAIN", 1, 20, 0, {}, error=("ValueError", "a")),
    Span("c", "TOOL", 10, 60, 1, {}, error=("KeyError", "c")))


def turn(number, session, at_ms, state="OK", own=None, took=100, **more):
    said = {"text": f"answer {number}"} if state == "OK" else None
    return Trace(id=f"tr-{hashlib.md5(NAME.encode()).hexdigest()[:24]}{number:08x}", name="agent",
                 start_ms=at_ms, duration_ms=None if state == "IN_PROGRESS" else took, state=state,
                 user=f"user {number % 3}", session=session, request={"q": f"request {number}"},
                 response=said, tags={"mlflow.traceName": "agent"},
                 client_request_id=f"request-{number}", spans=own or spans(end=took), **more)


def odd_traces():
    bad = Assessment("thumbs", False)
    after_ms = seeded.UNTIL_MS
    return [
        turn(1, "cut", BEGIN_MS - 5 * seeded.DAY_MS, "ERROR", HOPELESS),
        turn(2, "cut", BEGIN_MS - 1), turn(3, "cut", BEGIN_MS, own=LOOPS),
        turn(4, "cut", after_ms - 9, took=5), turn(5, "cut", after_ms, "ERROR", NESTED),
        turn(6, "before", BEGIN_MS - 7), turn(7, "after", after_ms + 7),
        turn(8, "twins", BEGIN_MS + 9, assessments=[bad]),
        turn(9, "twins", BEGIN_MS + 9, "ERROR", NESTED),
        turn(10, "hangs", BEGIN_MS + 50, "ERROR", HOPELESS, took=9000),
        turn(11, "hangs", BEGIN_MS + 60, "IN_PROGRESS", spans(tool(1, 2, {}, TIMEOUT))),
        turn(12, "bad", BEGIN_MS + 70, own=LATE, assessments=[bad, Assessment("more", "no")]),
        turn(13, "forgiven", BEGIN_MS + 80, assessments=[Assessment("more", "no", corrected="yes")]),
        turn(14, "odd", BEGIN_MS + 90, assessments=[
            Assessment("zero", 0), Assessment("NO", "NO"), Assessment("no", "no", "expectation"),
            Assessment("hung", None, error=("TIMEOUT", "the judge hung"))]),
        turn(15, "judged", BEGIN_MS + 100), turn(16, "judged", BEGIN_MS + 200)]


def make(server):
    mlflow = seeded.use(server)
    with seeded.once(server, NAME) as writer:
        if not writer:
            return
        traces = odd_traces()
        writer.write(traces)
        for name, session, judged in (("frustration", "judged", traces[-2]),
                                      ("elsewhere", "another", traces[2])):
            mlflow.log_feedback(trace_id=judged.id, name=name, value="no",
                                source=mlflow.entities.AssessmentSource("LLM_JUDGE", "judge"),
                                metadata={"mlflow.trace.session": session})


def largest(values):
    return max((value for value in values if value is not None), default=None)


def failed(span):
    return span.status.status_code.value == "ERROR"


def took_ms(span):
    return (span.end_time_ns - span.start_time_ns) / 1e6


def is_bad(given):
    return (given.feedback is not None and given.valid is not False
            and (given.feedback.value == "no" or given.feedback.value is False))


def tokens_within(span, trace):
    """The tokens of a span and of those below, none twice."""
    own = (span.attributes.get("mlflow.chat.tokenUsage") or {}).get("total_tokens")
    if own is not None:
        return own
    return seeded.total(tokens_within(child, trace) for child in trace.data.spans
                        if child.parent_id == span.span_id)


class Agents(seeded.Compared):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        make(cls.server)
        cls.read, cls.databases = {}, {}
        for kind in KINDS:
            name = NAME if kind == "odd" else seeded.experiment(cls.server, kind)
            cls.read[kind] = seeded.read(cls.server, name)
            cls.databases[kind] = seeded.Database(cls.server, name, days=10,
                                                  until_ms=seeded.UNTIL_MS)

    def window(self, kind):
        return [trace for trace in self.read[kind]
                if BEGIN_MS <= trace.info.request_time < seeded.UNTIL_MS]

    def sessions(self, kind):
        of = collections.defaultdict(list)
        for trace in self.read[kind]:
            if trace.info.request_time < seeded.UNTIL_MS:
                of[trace.info.trace_metadata.get("mlflow.trace.session")].append(trace)
        for name, turns in sorted(of.items()):
            turns = sorted(turns, key=lambda t: (t.info.request_time, t.info.trace_id))
            infos = [trace.info for trace in turns]
            first, last = infos[0], infos[-1]
            if last.request_time < BEGIN_MS:
                continue
            rows = seeded.trace_rows(turns)
            begins = [info.request_time for info in infos]
            ends = [info.request_time + info.execution_duration for info in infos
                    if info.execution_duration is not None]
            about = [given for info in infos for given in info.assessments
                     if (given.metadata or {}).get("mlflow.trace.session") == name]
            yield {
                "session_id": name, "user_id": min(row["user_id"] for row in rows),
                "turns": len(turns), "errors": sum(row["status"] == "ERROR" for row in rows),
                "first_ms": begins[0], "last_ms": begins[-1],
                "duration_ms": max(ends) - begins[0] if ends else None,
                "busy_ms": seeded.total(row["ms"] for row in rows),
                "slowest_turn_ms": largest(row["ms"] for row in rows),
                "total_tokens": seeded.total(row["total_tokens"] for row in rows),
                "total_cost": seeded.total(row["total_cost"] for row in rows),
                "first_request": first.request_preview, "last_response": last.response_preview,
                "last_trace_id": last.trace_id, "last_status": last.state.value,
                "ended_in_error": int(last.state.value == "ERROR"),
                "ended_with_bad_feedback": int(any(map(is_bad, last.assessments + about)))}

    def test_sessions(self):
        for kind in KINDS:
            with self.subTest(kind):
                rows = self.check(kind, "SELECT * FROM sessions ORDER BY session_id",
                                  list(self.sessions(kind)))
            if kind == "odd":
                found = {row["session_id"]: row for row in rows}
        self.assertEqual(set(found), {"cut", "twins", "hangs", "bad", "forgiven", "odd", "judged"})
        self.assertEqual((found["cut"]["turns"], found["cut"]["duration_ms"]),
                         (4, 15 * seeded.DAY_MS - 4))
        self.assertEqual([name for name, row in found.items() if row["ended_with_bad_feedback"]],
                         ["bad", "judged"])
        self.assertEqual([name for name, row in found.items() if row["ended_in_error"]], ["twins"])

    def test_one_session_costs_two_requests(self):
        sql = "SELECT * FROM sessions WHERE session_id = 'cut'"
        for sent in self.databases["odd"].filters(sql):
            self.assertIn("metadata.`mlflow.trace.session` = 'cut'", sent["filter"])
        self.assertEqual(self.databases["odd"].receipt(sql + ";"), (2, 0))

    def tools(self, kind):
        """(tool, trace, span) of each call in the window."""
        return [(span.name, trace, span) for trace in self.window(kind)
                for span in trace.data.spans if span.span_type == "TOOL"]

    def test_tool_calls(self):
        for kind in KINDS:
            called = self.tools(kind)
            expected = []
            for name in {name for name, *_ in called}:
                calls = [(trace, span) for other, trace, span in called if other == name]
                ms = [took_ms(span) for _, span in calls]
                errors = [(trace, span) for trace, span in calls if failed(span)]
                again = [[later for other, later in calls if other is trace
                          and later.start_time_ns >= span.end_time_ns] for trace, span in errors]
                traces = len({trace.info.trace_id for trace, _ in calls})
                low, high = seeded.wilson(len(errors) / len(calls) * traces, traces)
                expected.append({
                    "tool": name, "calls": len(calls), "errors": len(errors),
                    "error_rate": len(errors) / len(calls), "error_low": low, "error_high": high,
                    "retried": sum(map(bool, again)),
                    "recovered": sum(not all(map(failed, later)) for later in again),
                    "trace_failed": sum(trace.info.state.value == "ERROR" for trace, _ in errors),
                    "p50_ms": round(statistics.median(ms), 1),
                    "p95_ms": round(numpy.percentile(ms, 95), 1), "max_ms": round(max(ms), 1)})
            with self.subTest(kind):
                columns = ", ".join(expected[0]) if expected else "*"
                rows = self.check(kind, f"SELECT {columns} FROM tool_calls",
                                  sorted(expected, key=lambda row: (-row["calls"], row["tool"])))
                for row in self.databases[kind].rows("SELECT * FROM tool_calls"):
                    slowest = [trace.info.trace_id for name, trace, span in called
                               if name == row["tool"] and round(took_ms(span), 1) == row["max_ms"]]
                    self.assertIn(row["slowest_trace_id"], slowest)
            if kind == "odd":
                [lookup] = [row for row in rows if row["tool"] == "lookup"]
        self.assertEqual((lookup["errors"], lookup["retried"], lookup["recovered"],
                          lookup["trace_failed"]), (5, 3, 1, 3))

    def test_repeated_calls(self):
        for kind in KINDS:
            groups = collections.defaultdict(list)
            for name, trace, span in self.tools(kind):
                if span.inputs is not None:
                    groups[trace.info.trace_id, name, json.dumps(span.inputs)].append((trace, span))
            expected = []
            for (trace_id, name, inputs), calls in sorted(groups.items()):
                if len(calls) == 1:
                    continue
                calls.sort(key=lambda call: (failed(call[1]), call[1].start_time_ns))
                expected.append({
                    "trace_id": trace_id, "timestamp_ms": calls[0][0].info.request_time,
                    "tool": name, "inputs": inputs, "times": len(calls),
                    "errors": sum(failed(span) for _, span in calls),
                    "wasted_ms": sum(took_ms(span) for _, span in calls[1:]),
                    "wasted_tokens": seeded.total(tokens_within(span, trace)
                                                  for trace, span in calls[1:])})
            for row in expected:
                row["inputs"] = json.dumps(json.loads(row["inputs"]), separators=(",", ":"))
            with self.subTest(kind):
                self.check(kind, "SELECT * FROM repeated_calls ORDER BY trace_id, tool, inputs",
                           sorted(expected, key=lambda r: (r["trace_id"], r["tool"], r["inputs"])))
            if kind == "odd":
                found = [(row["times"], row["errors"], row["wasted_ms"], row["wasted_tokens"])
                         for row in expected]
        self.assertEqual(sorted(found, key=str),
                         [(2, 0, 1.0, 9), (3, 1, 12.0, 35), (3, 3, 14.0, None)])

    def test_first_failures(self):
        for kind in KINDS:
            expected = []
            for trace in self.window(kind):
                wrong = [span for span in trace.data.spans if failed(span)]
                parents = {span.parent_id for span in wrong}
                by_id = {span.span_id: span for span in trace.data.spans}

                def depth(span):
                    return 1 + depth(by_id[span.parent_id]) if span.parent_id in by_id else 0

                if wrong:
                    first = min((span for span in wrong if span.span_id not in parents),
                                key=lambda span: (span.end_time_ns, -depth(span), span.span_id))
                    error = [event for event in first.events if event.name == "exception"][-1]
                    expected.append({
                        "trace_id": trace.info.trace_id, "timestamp_ms": trace.info.request_time,
                        "trace_status": trace.info.state.value, "span_id": first.span_id,
                        "name": first.name, "span_type": first.span_type, "depth": depth(first),
                        "end_time_ns": first.end_time_ns,
                        "exception_type": error.attributes["exception.type"],
                        "message": error.attributes["exception.message"],
                        "failed_spans": len(wrong)})
            with self.subTest(kind):
                self.check(kind, "SELECT * FROM first_failures ORDER BY trace_id",
                           sorted(expected, key=lambda row: row["trace_id"]))
            if kind == "odd":
                names = {row["name"] for row in expected}
        self.assertEqual(names, {"lookup", "b", "c"})

    def test_what_reaches_the_server(self):
        database = self.databases["odd"]
        for sql, terms in (
                ("sessions WHERE session_id = 's'", ["session_id = ?", "timestamp_ms < ?"]),
                ("tool_calls", ["timestamp_ms >= ? AND timestamp_ms < ?"]),
                ("repeated_calls WHERE trace_id = 't' AND timestamp_ms > 5 AND tool = 'x'",
                 ["trace_id = ? AND timestamp_ms > ? AND name = ?"]),
                ("first_failures WHERE trace_id = 't' AND timestamp_ms > 5",
                 ["status = ?", "trace_id = ? AND timestamp_ms > ?"])):
            sql = f"EXPLAIN QUERY PLAN SELECT * FROM {sql}"
            database.connection = None
            newest = "\n".join(row["detail"] for row in database.newest(sql))
            for plan in (database.shell(sql + ";"), newest):
                for term in terms:
                    self.assertIn(term, plan, sql)

    def test_a_mirror_says_the_same(self):
        with mirrored.scratch_folder() as folder:
            mirror = mirrored.Mirror(self.server, NAME, folder, spans_days=None)
            mirror.sync()
            for view, order in (("sessions", "session_id"), ("tool_calls", "tool"),
                                ("repeated_calls", "trace_id, inputs"),
                                ("first_failures", "trace_id")):
                sql = f"SELECT * FROM {view} ORDER BY {order}"
                shown = support.shell(
                    f"{seeded.READ_SCRIPTS}\nUPDATE report_settings SET days = 10, "
                    f"until_ms = {seeded.UNTIL_MS};\n.mode json\n{sql};", "http://127.0.0.1:9",
                    database=str(mirror.path))
                with self.subTest(view):
                    self.assertEqual(json.loads(shown), self.databases["odd"].rows(sql))
