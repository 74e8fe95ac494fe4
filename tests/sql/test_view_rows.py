"""The saved views over tables of one's own, for what the demo's traces do not have. No server."""

import json
import unittest

import support

TABLES = """CREATE TABLE traces(trace_id, name, status, timestamp_ms, user_id, session_id, tags,
                    request_preview);
CREATE TABLE spans(trace_id, span_id, name, span_type, depth, status, start_time_ns, end_time_ns,
                   duration_ms, model_name, model_provider, parent_span_id, child_count, inputs,
                   input_tokens, output_tokens, total_tokens, cache_read_input_tokens,
                   cache_creation_input_tokens, input_cost, output_cost, total_cost,
                   exception_type, exception_message, status_message, timestamp_ms);
CREATE TABLE assessments(assessment_id, trace_id, span_id, name, assessment_type, value, value_json,
                         valid, source_type, source_id, rationale, create_time_ms, timestamp_ms);
.read {0}/sql/views.sql
.read {0}/sql/questions.sql
UPDATE report_settings SET days = 1, until_ms = 100000000;
"""


class Rows(unittest.TestCase):
    def rows(self, tables, sql):
        """What a statement says of tables, {name: rows}, each row the values of some columns."""
        script = TABLES.format(support.ROOT)
        for name, rows in tables.items():
            for row in rows:
                values = ", ".join("NULL" if value is None else repr(value) for value in row.values())
                script += f"INSERT INTO {name}({', '.join(row)}) VALUES ({values});\n"
        return json.loads(support.shell(f"{script}.mode json\n{sql};") or "[]")

    def test_the_innermost_error_that_ended_first_is_the_cause(self):
        failed = [("b", 1, 9), ("a", 2, 8), ("c", 2, 7), ("d", 0, 1)]  # span, depth, end
        rows = self.rows({
            "traces": [{"trace_id": "tr-1", "status": "ERROR", "timestamp_ms": 99999999}],
            "spans": [{"trace_id": "tr-1", "span_id": span_id, "name": f"span {span_id}",
                       "depth": depth, "status": "ERROR", "end_time_ns": end,
                       "status_message": f"message {span_id}"} for span_id, depth, end in failed]
            + [{"trace_id": "tr-1", "span_id": "0", "depth": 9, "status": "OK", "end_time_ns": 1}]},
            "SELECT spans, example_message FROM error_groups")
        self.assertEqual(rows, [{"spans": "span c", "example_message": "message c"}])

    def test_a_call_that_begins_as_the_failed_one_ends_is_another_try(self):
        def calls(*spans):
            return {"spans": [{"trace_id": "tr-1", "name": name, "span_type": "TOOL",
                               "status": status, "start_time_ns": start, "end_time_ns": end,
                               "timestamp_ms": 99999999} for name, status, start, end in (
                                   *(("look up", *span) for span in spans), ("other", "OK", 8, 9))]}
        columns = ("SELECT calls, errors, retried, recovered, calls * error_rate FROM tool_calls "
                   "WHERE tool = 'look up'")
        for spans, expected in (((("ERROR", 1, 4), ("OK", 4, 9)), (2, 1, 1, 1)),
                                ((("ERROR", 1, 4), ("OK", 3, 9)), (2, 1, 0, 0)),
                                ((("ERROR", 1, 4), ("ERROR", 4, 9)), (2, 2, 1, 0)),
                                ((("ERROR", 1, 4), (None, 4, None)), (2, 1, 1, 1))):
            [row] = self.rows(calls(*spans), columns)
            self.assertEqual(tuple(row.values()), (*expected, expected[1]), spans)

    def test_a_trace_without_spans_counts_for_no_tool(self):
        traces, spans = [], []
        for place in range(60):
            failed, tool = place < 25, None if place < 5 else "x" if place < 40 else "y"
            traces.append({"trace_id": f"tr-{place}", "name": "agent", "timestamp_ms": 99999999,
                           "status": "ERROR" if failed else "OK", "tags": "{}"})
            if tool:
                spans.append({"trace_id": f"tr-{place}", "name": tool, "span_type": "TOOL",
                              "timestamp_ms": 99999999})
        rows = self.rows({"traces": traces, "spans": spans},
                         "SELECT n, rest_n, share, rest_share FROM what_fails "
                         "WHERE dimension = 'tool' AND value = 'x'")
        self.assertEqual([tuple(row.values()) for row in rows], [(20, 15, 1.0, 15 / 35)])

    def test_a_price_holds_from_its_millisecond_on(self):
        for start_ms, expected in ((999, 1.0), (1000, 2.0), (1001, 2.0)):
            [row] = self.rows({
                "model_prices": [{"model": "m", "from_ms": from_ms, "input": price, "output": 0}
                                 for from_ms, price in ((0, 1), (1000, 2))],
                "spans": [{"trace_id": "tr-1", "span_id": "a", "depth": 0, "child_count": 0,
                           "model_name": "m", "input_tokens": 1000000, "timestamp_ms": 99999999,
                           "start_time_ns": start_ms * 1000000}]},
                "SELECT repriced_cost FROM call_costs")
            self.assertEqual(row["repriced_cost"], expected, start_ms)

    def tree(self, *spans):
        """Spans of one trace, of (id, parent, depth, type, model, tokens)."""
        return {"spans": [{"trace_id": "tr-1", "span_id": span_id, "parent_span_id": parent,
                           "depth": depth, "span_type": span_type, "name": "tool", "inputs": "{}",
                           "model_name": model, "total_tokens": tokens, "input_tokens": tokens,
                           "child_count": 1, "status": "OK", "timestamp_ms": 99999999,
                           "start_time_ns": depth, "duration_ms": 1.0}
                          for span_id, parent, depth, span_type, model, tokens in spans]}

    def test_a_wrapped_call_is_a_call_and_its_tokens_count_once(self):
        agent = ("a", None, 0, "AGENT", "m", 10)
        wrapper, between = ("b", "a", 1, "CHAT_MODEL", "m", 10), ("c", "b", 2, "CHAIN", None, None)
        inner, other = ("d", "c", 3, "LLM", "m", 9), ("e", "a", 1, "LLM", "m", 5)
        unknown = ("b", "a", 1, "CHAT_MODEL", "m", None)
        for spans, calls, costs in (
                ((agent, wrapper, between, inner, other),
                 {"CHAT_MODEL": (1, 10), "LLM": (2, 5)}, {"a"}),
                ((agent, unknown, between, inner), {"CHAT_MODEL": (1, None), "LLM": (1, 9)}, {"a"}),
                ((("a", None, 0, "AGENT", "m", None), wrapper, between, inner, other),
                 {"CHAT_MODEL": (1, 10), "LLM": (2, 5)}, {"b", "e"})):
            tables = self.tree(*spans)
            rows = self.rows(tables, "SELECT span_type, calls, total_tokens FROM llm_calls")
            self.assertEqual({row["span_type"]: (row["calls"], row["total_tokens"]) for row in rows},
                             calls)
            rows = self.rows(tables, "SELECT span_id FROM call_costs")
            self.assertEqual({row["span_id"] for row in rows}, costs)

    def test_tokens_and_cost_may_be_on_different_levels(self):
        """Each is of the outermost call that has it, and a price is found where a model is named."""
        def spans(outer, inner):
            return {"spans": [{"trace_id": "tr-1", "span_id": span_id, "parent_span_id": parent,
                               "depth": depth, "child_count": 1 - depth, "status": "OK",
                               "start_time_ns": 1, "timestamp_ms": 99999999, **said}
                              for span_id, parent, depth, said in (("a", None, 0, outer),
                                                                   ("b", "a", 1, inner))],
                    "model_prices": [{"model": "m", "from_ms": 0, "input": 2.0, "output": 0.0}]}
        tokens = {"input_tokens": 1000000, "total_tokens": 1000000}
        for outer, inner, expected in (
                ({"span_type": "LLM"} | tokens,
                 {"span_type": "CHAT_MODEL", "model_name": "m", "total_cost": 3.0} | tokens,
                 (1000000, 3.0, 2.0, 1, 1)),
                ({"span_type": "LLM", "model_name": "m", "total_cost": 3.0},
                 {"span_type": "LLM", "model_name": "m"} | tokens, (1000000, 3.0, 2.0, 0, 1)),
                ({"span_type": "LLM", "model_name": "m", "total_cost": 3.0} | tokens,
                 {"span_type": "LLM", "model_name": "m", "total_cost": 3.0} | tokens,
                 (1000000, 3.0, 2.0, 0, 0))):
            [row] = self.rows(spans(outer, inner), "SELECT input_tokens, mlflow_cost, repriced_cost, "
                              "mlflow_unpriced, unpriced FROM costs WHERE dimension = 'all'")
            self.assertEqual(tuple(row.values()), expected, (outer, inner))
        [row] = self.rows(spans({"span_type": "LLM", "total_tokens": 9},
                                {"span_type": "LLM", "total_tokens": 9}),
                          "SELECT calls, total_tokens FROM llm_calls")
        self.assertEqual(row, {"calls": 2, "total_tokens": 9})

    def test_what_no_call_has_is_of_no_model(self):
        """An agent's tokens and a tool's cost: what the calls inside have is theirs, the rest a row."""
        def spans(*said):
            names = ("span_id", "parent_span_id", "depth", "span_type", "model_name", "input_tokens",
                     "output_tokens", "total_cost")
            return {"spans": [{"trace_id": "tr-1", "child_count": 1, "status": "OK",
                               "start_time_ns": 1, "timestamp_ms": 99999999, **dict(zip(names, each))}
                              for each in said]}
        agent, outer = ("a", None, 0, "AGENT", None, 100, 50, None), ("o", None, 0, "AGENT", "m", 9, 9)
        bare = ("b", "a", 1, "LLM", None, None, None, None)
        first, second = (("c", "a", 1, "LLM", "m", 60, 50, 0.5), ("d", "a", 1, "LLM", "m", 40, 0, 0.1))
        tool = ("e", "a", 1, "TOOL", None, None, None, 0.25)
        for tree, expected in (
                ((agent, bare), [(None, 1, 100, 50, None, 1, 1)]),
                ((("t", None, 0, "TOOL", None, None, None, 0.25),), [(None, 1, None, None, 0.25, 0, 1)]),
                ((agent, first, second), [("m", 2, 100, 50, 0.6, 0, 2)]),
                ((agent, first, tool), [("m", 1, 60, 50, 0.5, 0, 1),
                                        (None, 2, 40, None, 0.25, 1, 2)]),
                ((agent, first, second, ("f", "a", 1, "LLM", "m", 7, 7, None)),
                 [("m", 3, 107, 57, 0.6, 1, 3)]),
                ((agent, ("g", "a", 1, "CHAIN", None, 100, 50), (*first[:1], "g", 2, *first[3:])),
                 [("m", 1, 60, 50, 0.5, 0, 1), (None, 1, 40, None, None, 1, 1)]),
                ((outer, ("h", "o", 1, "CHAIN", None, 9, 9)), [("m", 1, 9, 9, None, 1, 1)]),
                (((*agent[:7], 0.6), first, second), [("m", 2, 100, 50, 0.6, 0, 2)])):
            rows = self.rows(spans(*tree), "SELECT value, calls, input_tokens, output_tokens, "
                             "mlflow_cost, mlflow_unpriced, unpriced FROM costs "
                             "WHERE dimension = 'model' ORDER BY value IS NULL")
            self.assertEqual([tuple(row.values()) for row in rows], expected, tree)

    def test_cached_tokens_that_are_more_than_the_input_are_beside_it(self):
        for read, written, expected in ((600, 300, 0.001605), (20000, 500, 0.010875)):
            [row] = self.rows({
                "model_prices": [{"model": "m", "from_ms": 0, "input": 3.0, "output": 0.0,
                                  "cache_read": 0.3, "cache_write": 3.75}],
                "spans": [{"trace_id": "tr-1", "span_id": "a", "depth": 0, "child_count": 0,
                           "model_name": "m", "input_tokens": 1000,
                           "cache_read_input_tokens": read, "start_time_ns": 1,
                           "cache_creation_input_tokens": written, "timestamp_ms": 99999999}]},
                "SELECT repriced_cost FROM call_costs")
            self.assertAlmostEqual(row["repriced_cost"], expected)

    def test_what_has_not_ended_did_not_end_first(self):
        rows = self.rows({
            "traces": [{"trace_id": "tr-1", "status": "ERROR", "timestamp_ms": 99999999}],
            "spans": [{"trace_id": "tr-1", "span_id": span_id, "name": span_id, "depth": 1,
                       "status": "ERROR", "end_time_ns": end, "timestamp_ms": 99999999}
                      for span_id, end in (("a", None), ("b", 9), ("c", 8))]},
            "SELECT (SELECT spans FROM error_groups) AS a, (SELECT name FROM first_failures) AS b")
        self.assertEqual(rows, [{"a": "c", "b": "c"}])

    def test_parents_may_go_in_a_circle(self):
        """As a table has it: one of the circle is a root, and keeps the parent that was logged."""
        tables = self.tree(("a", "b", 0, "TOOL", None, None), ("b", "a", 1, "TOOL", None, None),
                           ("c", "b", 2, "LLM", "m", 7), ("d", "d", 0, "TOOL", None, None))
        self.assertEqual(self.rows(tables, "SELECT span_id, total_tokens FROM llm_spans"),
                         [{"span_id": "c", "total_tokens": 7}])
        self.assertEqual(self.rows(tables, "SELECT times, wasted_tokens FROM repeated_calls"),
                         [{"times": 3, "wasted_tokens": 7}])

    def test_inputs_are_the_same_in_another_order_of_their_names(self):
        for first, second, same in (
                ('{"a":1,"b":{"c":[2]}}', '{"b":{"c":[2]},"a":1}', True),
                ('{"a":1,"b":2}', '{"a":2,"b":1}', False), ('{"a":1}', '{"a":"1"}', False),
                ('{"a":{}}', '{"a":"{}"}', False), ('{"a":1}', '{"a":true}', False),
                ('{"a":12345678901234567890}', '{"a":12345678901234567891}', False),
                (r'{"a":"\u0000b"}', r'{"a":"\u0000c"}', False),
                ('[1,2]', '[2,1]', False), ('[1,2]', '[1,2]', True),
                ('no json', 'no json', True), ('no json', 'no JSON', False)):
            rows = self.rows({"spans": [
                {"trace_id": "tr-1", "span_id": place, "name": "tool", "span_type": "TOOL",
                 "depth": 0, "status": "OK", "inputs": inputs, "start_time_ns": place,
                 "timestamp_ms": 99999999} for place, inputs in enumerate((first, second))]},
                "SELECT inputs, times FROM repeated_calls")
            self.assertEqual(rows, [{"inputs": first, "times": 2}] if same else [], (first, second))

    def test_a_judge_may_say_no_or_false(self):
        for value, verdict in (("no", "bad"), (False, "bad"), ("yes", "good"), (True, "good")):
            [row] = self.rows({
                "traces": [{"trace_id": "tr-1", "status": "OK", "timestamp_ms": 99999999,
                            "request_preview": "a question"}],
                "assessments": [{"trace_id": "tr-1", "assessment_type": "feedback", "valid": 1,
                                 "source_type": "CODE", "value_json": json.dumps(value),
                                 "timestamp_ms": 99999999}]}, "SELECT verdict FROM to_label")
            self.assertEqual(row["verdict"], verdict, value)

    def test_what_was_said_last_of_the_same_thing_is_compared(self):
        def given(number, source, value, span_id=None, at=1, **more):
            return {"assessment_id": number, "trace_id": "tr-1", "span_id": span_id, "name": "good",
                    "assessment_type": "feedback", "value": value, "value_json": json.dumps(value),
                    "valid": 1, "source_type": source, "source_id": "x", "create_time_ms": at,
                    "timestamp_ms": 99999999} | more
        said = [given("9", "HUMAN", "yes", at=1), given("1", "HUMAN", "no", at=2),
                given("8", "CODE", "no", at=3), given("2", "CODE", "yes", at=3, valid=0),
                given("3", "CODE", "yes", "span"), given("4", "HUMAN", "maybe", "span"),
                given("5", None, "yes", "other"), given("6", "LLM_JUDGE", "no", "other")]
        rows = self.rows({"assessments": said},
                         "SELECT span_id, a_source_type, a_value, b_source_type, b_value "
                         "FROM judge_pairs ORDER BY span_id")
        self.assertEqual([tuple(row.values()) for row in rows], [
            (None, "CODE", "no", "HUMAN", "no"), ("other", None, "yes", "LLM_JUDGE", "no"),
            ("span", "CODE", "yes", "HUMAN", "maybe")])
