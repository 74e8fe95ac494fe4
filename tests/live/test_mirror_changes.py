"""Every kind of change to a trace, and what a mirror says of it: as docs/mirror.md promises."""

import json
import time
import unittest

import support

import scenario
import seed
import seeded
from mirrored import ALSO, DAY_MS, HOUR_MS, Mirror, Traffic, scratch_folder


# Changes that leave everything as it was that the server can count.
NOT_COUNTED = {"rationale", "assessment metadata", "overridden", "tag set", "tag changed",
               "tag deleted", "declared tag", "linked to a run"}


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

    def prepared(self, traffic, kinds, at_ms, apart_ms):
        """A trace for each kind, as it is before the change, and what was done to it."""
        found = {}
        for i, kind in enumerate(kinds):
            before = kinds[kind][0]
            changes = {"state": "IN_PROGRESS"} if kind == "ended" else {}
            [trace] = traffic.add(1, at_ms - i * apart_ms, **changes)
            found[kind] = (trace, before and before(traffic, trace))
        return found

    def test_kinds_of_change(self):
        """Of the last hours all is seen, of older traces what the server counts."""
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror kinds", 20, now_ms - 2 * DAY_MS)
        recent = self.prepared(traffic, self.kinds, now_ms - HOUR_MS, 60_000)
        # A difference has the whole hour read again: each has its own, also after a late span.
        old = self.prepared(traffic, self.kinds, now_ms - 3 * DAY_MS, 5 * HOUR_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            self.assertEqual(set().union(*mirror.differences().values()), set())
            for made in (recent, old):
                for kind, (trace, given) in made.items():
                    self.kinds[kind][1](traffic, trace, given)
            late = {"recent": traffic.add(1, now_ms - 2 * HOUR_MS)[0].id,
                    "old": traffic.add(1, now_ms - 60 * HOUR_MS)[0].id}
            changed_ms = int(time.time() * 1000)
            stale = set().union(*mirror.differences().values())
            for kind in self.kinds:  # a link shows in no trace
                self.assertEqual(old[kind][0].id in stale, kind != "linked to a run", kind)

            mirror.sync()
            stale = set().union(*mirror.differences().values())
            for kind in self.kinds:
                self.assertNotIn(recent[kind][0].id, stale, kind)
            self.assertEqual(stale, {old[kind][0].id
                                     for kind in NOT_COUNTED - {"linked to a run"}})
            self.assertEqual(mirror.status()["gone"], 2)
            self.assertLess(mirror.status()["oldest_read_at_ms"], changed_ms)  # and it says so
            mirror.sync("--again")
            self.assertEqual(set().union(*mirror.differences().values()), set())
            self.assertGreater(mirror.status()["oldest_read_at_ms"], changed_ms)
            self.assertEqual(mirror.offline("SELECT count(*) FROM traces "
                                            "WHERE \"tags.environment\" = 'moon';"), "2")
            self.assertEqual(mirror.integrity(), "ok")

    def counted(self, source):
        """By hour what the server can count, in the mirror or on the server."""
        sql = """SELECT timestamp_ms / 3600000, name, status, count(*), sum(execution_time_ms),
                        max(execution_time_ms), sum(total_tokens)
                 FROM {0}traces GROUP BY 1, 2, 3;
                 SELECT timestamp_ms / 3600000, name, value_json, count(*)
                 FROM {0}assessments WHERE valid = 1 GROUP BY 1, 2, 3;"""
        if isinstance(source, Mirror):
            return source.offline(sql.format(""))
        return support.shell(sql.format("mlflow_"), self.server,
                             MLFLOW_EXPERIMENT_NAME=source.name)

    def test_random_changes(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror random", 60, now_ms - 30 * HOUR_MS)
        traffic.add(60, now_ms - HOUR_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            for _ in range(3):
                began_ms = int(time.time() * 1000)
                kinds = [traffic.random.choice(list(self.kinds)) for _ in range(60)]
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
                self.assertEqual(self.counted(mirror), self.counted(traffic))
            mirror.sync("--again")
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            self.assertEqual(mirror.integrity(), "ok")

    def test_what_differs_twice_is_left(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror differing", 3, now_ms - 3 * DAY_MS)
        traffic.add(3, now_ms - 5 * DAY_MS)
        lost, other = traffic.traces[0], traffic.traces[3]
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()

            def synced():
                mirror.sync()
                status = mirror.status()
                self.assertGreaterEqual(status["compared_at_ms"], now_ms)
                return status["differing"], status["read"]

            self.assertEqual(synced(), (0, 0))
            mirror.offline("DELETE FROM mirror_trace WHERE trace_id IN "
                           f"('{lost.id}', '{other.id}');")
            self.assertEqual(synced(), (2, 6))  # the two hours are read again
            self.assertEqual(mirror.differences()["traces"], set())
            self.assertEqual(synced(), (0, 0))
            # A mirror that cannot be as the server has it, whatever is read.
            mirror.offline(f"""CREATE TRIGGER lose BEFORE INSERT ON mirror_trace
                WHEN new.trace_id = '{lost.id}' BEGIN SELECT RAISE(IGNORE); END;
                DELETE FROM mirror_trace WHERE trace_id = '{lost.id}';""")
            self.assertEqual([synced() for _ in range(3)], [(1, 3), (1, 3), (1, 0)])
            traffic.judge(traffic.traces[1])  # in the same hour
            self.assertEqual([synced() for _ in range(3)], [(1, 3), (1, 3), (1, 0)])
            self.assertEqual(mirror.differences()["traces"], {lost.id})
            mirror.offline("DROP TRIGGER lose;")
            # As where it was read while it was there, and is gone from the server since.
            mirror.offline("INSERT INTO mirror_assessment(assessment_id, trace_id, experiment_id, name,"
                           " value, value_json, valid, timestamp_ms, place) SELECT 'gone', trace_id, "
                           "experiment_id, 'gone', 'no', '\"no\"', 1, timestamp_ms, 9 FROM mirror_trace "
                           f"WHERE trace_id = '{traffic.traces[1].id}'; UPDATE mirror_trace_json SET "
                           f"assessments = NULL WHERE trace_id = '{traffic.traces[1].id}';")
            self.assertEqual([synced() for _ in range(2)], [(1, 3), (0, 0)])
            mirror.sync("--again")
            self.assertEqual(synced(), (0, 0))
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})

    def test_a_change_that_comes_again_after_all_was_read(self):
        from mlflow.entities import Feedback

        traffic = Traffic(self.server, "mirror back", 1, int(time.time() * 1000) - 3 * DAY_MS)
        given = traffic.judge(traffic.traces[0])
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder)
            for value, options in (("yes", ()), ("no", ()), ("yes", ("--again",)), ("no", ())):
                traffic.update(traffic.traces[0], given,
                               feedback=Feedback(name="concise", value=value).feedback)
                mirror.sync(*options)
                self.assertEqual(mirror.offline(
                    "SELECT value FROM assessments WHERE name = 'concise';"), value)

    def test_maps_in_several_orders_of_their_keys(self):
        """The server writes a map in an order of its own, and groups by how it is written."""
        traffic = Traffic(self.server, "mirror maps", 2, int(time.time() * 1000) - 3 * DAY_MS)
        # So many keys that the order in which they came shows in that of the server, too.
        scores = {f"score {i}": i for i in range(200)}
        for trace, value in zip(traffic.traces, (scores, dict(reversed(scores.items())))):
            traffic.judge(trace, name="scores", value=value)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            mirror.sync()
            status = mirror.status()
            self.assertEqual((status["differing"], status["read"]), (0, 0))
            traffic.judge(traffic.traces[0], name="scores", value={"style": 1})
            mirror.sync()
            self.assertEqual(mirror.status()["read"], 2)
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})

    def test_more_than_the_server_counts_in_one_answer(self):
        """Of very many names or values, days are compared, and the averages of feedback."""
        from mlflow.entities import Feedback

        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror coarse", 3, now_ms - 3 * DAY_MS)
        for trace in traffic.traces:
            traffic.judge(trace, name="score", value=0.5)
        [agreed] = traffic.add(1, now_ms - 6 * DAY_MS)
        traffic.judge(agreed, name="agreed", value=" Yes\t")  # which the server takes for a 1
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            mirror.sync()
            hour_ms = now_ms // DAY_MS * DAY_MS - 20 * DAY_MS
            mirror.offline(f"""
                INSERT INTO mirror_trace(trace_id, experiment_id, name, timestamp_ms, read_at_ms)
                SELECT 'tr-' || value, experiment_id, value / 24,
                       {hour_ms} + value % 24 * 3600000, 1
                FROM json_each('[{','.join(map(str, range(24000)))}]'), mirror_experiment;
                INSERT INTO mirror_assessment(assessment_id, trace_id, experiment_id, name, value,
                                              value_json, value_num, valid, timestamp_ms, place)
                SELECT trace_id, trace_id, experiment_id, 'score', rowid, rowid, rowid, 1,
                       timestamp_ms, 1
                FROM (SELECT t.*, row_number() OVER () AS rowid FROM mirror_trace AS t
                      WHERE read_at_ms = 1);""")
            [given] = [a for a in traffic.info(traffic.traces[0]).assessments
                       if a.name == "score"]
            traffic.update(traffic.traces[0], given,
                           feedback=Feedback(name="score", value=0.25).feedback)
            mirror.sync()
            self.assertEqual(mirror.offline("SELECT width_ms FROM mirror_compared;"),
                             str(DAY_MS))
            self.assertEqual(mirror.offline(
                "SELECT count(*) FROM mirror_differing WHERE from_ms BETWEEN "
                f"{agreed.start_ms - DAY_MS} AND {agreed.start_ms};"), "0")
            self.assertEqual(mirror.status()["gone"], 24000)
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            mirror.sync()
            self.assertEqual(mirror.offline("SELECT width_ms FROM mirror_compared;"),
                             str(HOUR_MS))
            self.assertEqual(mirror.status()["differing"], 0)

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

    def test_spans_that_arrive_after_their_trace(self):
        """A sync came between a trace and its spans, or between spans; they are looked for."""
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror spans later", 3, now_ms - 3 * DAY_MS)
        made = [trace for trace in scenario.make_traces(400, 1, now_ms, "mirror spans later again")
                if trace.state == "OK" and not trace.run and len(trace.spans) > 2][:4]
        tracing, number = traffic.writer.tracing, traffic.writer.experiment_id
        spans = []
        for i, trace in enumerate(made):
            trace.start_ms = now_ms - (5 + i) * HOUR_MS if i < 3 else now_ms - 60 * HOUR_MS
            spans.append(list(seed.client_spans(trace)))
            tracing.start_trace(seed.client_info(trace, spans[i], number, {}))
        tracing.log_spans(number, spans[1][:1])
        tracing.log_spans(number, spans[2][1:])
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None, lookback_hours=0)
            mirror.sync()
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            for late in (spans[0], spans[1][1:], spans[2][:1]):
                tracing.log_spans(number, late)
            mirror.sync()
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            self.assertEqual(mirror.status()["spans_of"], 3)  # not of the one that is too old
            mirror.sync()
            self.assertEqual(mirror.status()["spans_of"], 0)  # nothing is lacking any more

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
            # Spans of the newest hours, too, whose traces look as they did.
            traffic.add(1, now_ms)
            mirror.settings(reread_days=7)
            mirror.sync()
            for options, days in (("--again",), 7), ((), 0):
                mirror.offline("UPDATE mirror_span SET name = 'older';")
                mirror.settings(reread_days=days)
                mirror.sync(*options)
                self.assertEqual(mirror.differences(), {table: set() for table in ALSO}, options)

    def test_what_has_not_been_read_is_not_compared(self):
        """The first copy broke off, and much arrived after what it read."""
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror broken off", 3, now_ms - 3 * DAY_MS)
        traffic.add(3, now_ms - 5 * DAY_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            mirror.offline(f"""DELETE FROM mirror_slice;
                DELETE FROM mirror_trace WHERE timestamp_ms < {now_ms - 4 * DAY_MS};
                INSERT INTO mirror_slice SELECT experiment_id, {now_ms - 4 * DAY_MS},
                  9223372036854775807, {now_ms - DAY_MS} FROM mirror_experiment;""")
            traffic.add(2, now_ms)
            mirror.sync()
            self.assertEqual(mirror.status()["differing"], 0)
            self.assertEqual(mirror.status()["read"], 5)
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
