"""Every kind of change to a trace, and what a mirror says of it: as docs/mirror.md promises."""

import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

import seeded  # noqa: E402
from mirrored import ALSO, DAY_MS, HOUR_MS, Mirror, Traffic, scratch_folder  # noqa: E402


def add_kinds():
    """{kind of change: (what is done before the copy is made, what is done after)}; each is given
    the traffic, the trace, and what the first one gave."""
    from mlflow.entities import Feedback

    no = Feedback(name="concise", value="no").feedback
    return {
        "ended": (None, lambda t, trace, _: t.end(trace)),
        "deleted": (None, lambda t, trace, _: t.delete(trace)),
        "late span": (None, lambda t, trace, _: t.late_span(trace)),
        "feedback added": (None, lambda t, trace, _: t.judge(trace)),
        "feedback deleted": (lambda t, trace: t.judge(trace),
                             lambda t, trace, given: t.mlflow.delete_assessment(
                                 trace.id, given.assessment_id)),
        "value changed": (lambda t, trace: t.judge(trace),
                          lambda t, trace, given: t.update(trace, given, feedback=no)),
        "rationale": (lambda t, trace: t.judge(trace),
                      lambda t, trace, given: t.update(trace, given, rationale="because")),
        "assessment metadata": (lambda t, trace: t.judge(trace),
                                lambda t, trace, given: t.update(trace, given,
                                                                 metadata={"k": "v"})),
        "overridden": (lambda t, trace: t.judge(trace),
                       lambda t, trace, given: t.mlflow.override_feedback(
                           trace_id=trace.id, assessment_id=given.assessment_id, value="yes")),
        "expectation added": (None, lambda t, trace, _: t.mlflow.log_expectation(
            trace_id=trace.id, name="answer", value={"is": 42})),
        "feedback on a span": (None, lambda t, trace, _: t.judge(
            trace, span_id=t.client.get_trace(trace.id).data.spans[0].span_id)),
        "renamed": (None, lambda t, trace, _: t.client.set_trace_tag(
            trace.id, "mlflow.traceName", "renamed")),
        "linked to a run": (None, lambda t, trace, _: t.client.link_traces_to_run(
            [trace.id], t.client.create_run(t.writer.experiment_id).info.run_id)),
        "tag set": (None, lambda t, trace, _: t.client.set_trace_tag(trace.id, "colour", "red")),
        "tag changed": (lambda t, trace: t.client.set_trace_tag(trace.id, "colour", "red"),
                        lambda t, trace, _: t.client.set_trace_tag(trace.id, "colour", "blue")),
        "tag deleted": (lambda t, trace: t.client.set_trace_tag(trace.id, "colour", "red"),
                        lambda t, trace, _: t.client.delete_trace_tag(trace.id, "colour")),
        "declared tag": (None, lambda t, trace, _: t.client.set_trace_tag(
            trace.id, "environment", "moon")),
    }


class Changes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        seeded.use(cls.server)
        cls.kinds = add_kinds()

    def prepared(self, traffic, kinds, at_ms):
        """A trace for each kind, as it is before the change, and what was done to it."""
        found = {}
        for kind, trace in zip(kinds, traffic.add(len(kinds), at_ms)):
            before = kinds[kind][0]
            found[kind] = (trace, before and before(traffic, trace))
        if "ended" in found:
            [trace] = traffic.add(1, at_ms - HOUR_MS, state="IN_PROGRESS")
            found["ended"] = (trace, None)
        return found

    def test_kinds_of_change(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror kinds", 20, now_ms - 5 * DAY_MS)
        recent = self.prepared(traffic, self.kinds, now_ms - HOUR_MS)
        old = self.prepared(traffic, self.kinds, now_ms - 3 * DAY_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            self.assertEqual(set().union(*mirror.differences().values()), set())
            for made in (recent, old):
                for kind, (trace, given) in made.items():
                    self.kinds[kind][1](traffic, trace, given)
            late = {"recent": traffic.add(1, now_ms - 2 * HOUR_MS)[0].id,
                    "old": traffic.add(1, now_ms - 4 * DAY_MS)[0].id}
            changed_ms = int(time.time() * 1000)
            stale = set().union(*mirror.differences().values())
            for kind in self.kinds:  # a link shows in no trace
                self.assertEqual(old[kind][0].id in stale, kind != "linked to a run", kind)

            mirror.sync()
            stale = set().union(*mirror.differences().values())
            for kind in self.kinds:
                self.assertNotIn(recent[kind][0].id, stale, kind)
            self.assertEqual(stale, {old[kind][0].id for kind in self.kinds
                                     if kind not in ("ended", "linked to a run")} | {late["old"]})
            self.assertLess(mirror.status()["oldest_read_at_ms"], changed_ms)  # and it says so
            mirror.sync("--again")
            self.assertEqual(set().union(*mirror.differences().values()), set())
            self.assertGreater(mirror.status()["oldest_read_at_ms"], changed_ms)
            self.assertEqual(mirror.offline("SELECT count(*) FROM traces "
                                            "WHERE \"tags.environment\" = 'moon';"), "2")
            self.assertEqual(mirror.integrity(), "ok")

    def test_random_changes(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror random", 100, now_ms - 30 * HOUR_MS)
        traffic.add(100, now_ms - HOUR_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            for _ in range(4):
                began_ms = int(time.time() * 1000)
                kinds = [traffic.random.choice(list(self.kinds)) for _ in range(75)]
                for kind in kinds:
                    trace = traffic.random.choice(traffic.traces)
                    given = self.kinds[kind][0] and self.kinds[kind][0](traffic, trace)
                    self.kinds[kind][1](traffic, trace, given)
                traffic.add(3, now_ms - traffic.random.randrange(2 * DAY_MS))
                mirror.sync()
                # What differs was read before it changed, or never.
                stale = set().union(*mirror.differences().values())
                read = json.loads(mirror.offline(
                    ".mode json\nSELECT json_group_object(trace_id, read_at_ms) AS r "
                    "FROM traces;"))[0]["r"]
                read = json.loads(read)
                self.assertEqual([i for i in stale if read.get(i, 0) >= began_ms], [])
            mirror.sync("--again")
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            self.assertEqual(mirror.integrity(), "ok")

    def test_traces_that_are_not_where_they_are_looked_for(self):
        now_ms = int(time.time() * 1000)
        # It begins a second after the time from which a sync reads again, which is a whole hour.
        hour_ms = now_ms // HOUR_MS * HOUR_MS - DAY_MS
        traffic = Traffic(self.server, "mirror moving", 1, hour_ms + 61_000)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            traffic.late_span(traffic.traces[0])  # whose start is now where nothing is read again
            support.insert_traces(self.server, traffic.name, [  # it ran for long and ends now
                {"trace_id": f"tr-{now_ms:x}-long", "timestamp_ms": now_ms - 4 * DAY_MS,
                 "execution_time_ms": 4 * DAY_MS}])
            mirror.sync()
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            self.assertEqual(mirror.offline("SELECT count(*) FROM traces;"), "2")
            self.assertEqual(mirror.status()["gone"], 0)

    def test_what_was_read_long_ago_is_read_again(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror rolling", 10, now_ms - 3 * DAY_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder)
            mirror.sync()
            trace = traffic.traces[0]
            traffic.client.set_trace_tag(trace.id, "colour", "red")
            mirror.sync()
            self.assertEqual(mirror.differences()["traces"], {trace.id})
            mirror.settings(reread_days=0)
            mirror.sync()
            self.assertEqual(mirror.differences()["traces"], set())


if __name__ == "__main__":
    unittest.main()
