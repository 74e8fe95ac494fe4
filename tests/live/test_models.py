"""call_costs, costs, model_calls, retrieved_documents and to_label: their figures equal what plain
Python makes of what MLflow's client returns, with the prices that a table has, on the demo's traces
and on odd ones: calls within calls, without tokens, without a model, from before there was a price.

Each view is asked in Debian's sqlite3 and in the newest SQLite.
"""

import collections
import datetime
import hashlib
import json

import support

import mirrored
import seeded
from scenario import Span, Trace

NAME = "odd calls of models"
BEGIN_MS = seeded.UNTIL_MS - 10 * seeded.DAY_MS
KINDS = ["all", "odd", "empty"]
MODEL_TYPES = ("CHAT_MODEL", "LLM", "EMBEDDING")
TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens",
          "cache_creation_input_tokens")
PRICES = [  # model, from when, and dollars a million: input, output, cache read and written
    ("gpt-5", 0, 1.25, 10.0, 0.125, None), ("gpt-5-mini", 0, 0.25, 2.0, None, None),
    ("gpt-5-mini", seeded.UNTIL_MS - 4 * seeded.DAY_MS, 0.5, 3.0, None, None),
    ("cached", 0, 4.0, 8.0, 0.5, 5.0), ("free", 0, 0.0, 0.0, None, None),
    ("later", seeded.UNTIL_MS, 1.0, 1.0, None, None)]


def usage(model, cost=None, **tokens):
    attributes = {"mlflow.llm.model": model} if model else {}
    if tokens:
        attributes["mlflow.chat.tokenUsage"] = tokens
    if cost is not None:
        attributes["mlflow.llm.cost"] = {"input_cost": 0.0, "output_cost": cost, "total_cost": cost}
    return attributes


def call(parent, model, kind="CHAT_MODEL", error=None, cost=None, **tokens):
    return Span("call", kind, 1, 9, parent, {}, error=error, attributes=usage(model, cost, **tokens))


def answer(outputs, *events, **said):
    tokens = usage("free", input_tokens=0, output_tokens=3, cache_read_input_tokens=0)
    return Span("answer", "CHAT_MODEL", 1, 9, 0, {}, outputs, tokens | said, events=list(events))


def retriever(outputs, **said):
    return Span("search", "RETRIEVER", 1, 9, 0, {"query": "q"}, outputs, said)


SPANS = [
    Span("agent", "AGENT", 0, 100, None, {}, attributes=usage(None, input_tokens=99)),  # a sum
    call(0, "cached", input_tokens=1000, output_tokens=10, cache_read_input_tokens=600,
         cache_creation_input_tokens=300, cost=0.5),
    call(0, "cached", input_tokens=10, output_tokens=0, cache_read_input_tokens=600),
    call(0, "gpt-5", input_tokens=100, output_tokens=20), call(3, "gpt-5", input_tokens=100),
    call(0, None), call(5, "gpt-5", input_tokens=7),  # the outer one has no tokens of its own
    call(0, "free", kind="EMBEDDING", input_tokens=5), call(0, "free", output_tokens=4),
    call(0, "unknown", input_tokens=5), call(0, "later", input_tokens=5), call(0, "gpt-5", cost=2.0),
    call(0, None, kind="LLM", input_tokens=3), call(0, "gpt-5"), call(0, "gpt-5", error=("E", "e")),
    call(0, "free", kind="TOOL", input_tokens=1), call(0, None, kind="TOOL", input_tokens=77)]
ENDS = [
    answer({"choices": [{"finish_reason": "length"}]}, ("mlflow.chunk.item.1", 5),
           ("mlflow.chunk.item.0", 4)),
    answer({"stop_reason": "max_tokens"}, ("new_token", 4), ("new_token", 6)),
    answer({"candidates": [{"finishReason": "MAX_TOKENS"}]}, ("other", 2)),
    answer({"incomplete_details": {"reason": "max_output_tokens"}, "status": "incomplete"}),
    answer("a text", **{"gen_ai.response.finish_reasons": ["length", "stop"],
                        "gen_ai.response.time_to_first_chunk": 0.25}),
    answer(["a", "list"])]
FOUND = [
    retriever([{"page_content": "a", "id": "1", "metadata": {"doc_uri": "kb://1", "score": 0.5}},
               {"content": "b", "score": 0.25}, {"text": "c", "metadata": {"id": "3"}}, "plain"]),
    retriever({"n": 2}, **{"gen_ai.retrieval.documents": [{"id": "4", "score": 0.9}, {"id": "5"}]}),
    retriever(None), retriever([])]


def odd_traces():
    for number, (at_ms, user, session, tags) in enumerate((
            (BEGIN_MS - 1, "eve", "s", {}), (BEGIN_MS, "ann", "s", {"team": "a", "mlflow.x": "y"}),
            (seeded.UNTIL_MS - 50, "bob", "t", {"team": "b"}), (seeded.UNTIL_MS, "eve", "s", {}))):
        yield Trace(id="tr-" + hashlib.md5(f"{NAME}/{number}".encode()).hexdigest(), name="agent",
                    start_ms=at_ms, duration_ms=100, state="OK", user=user, session=session,
                    request={"q": number}, response=None, tags=tags, client_request_id=str(number),
                    spans=SPANS + ENDS + FOUND)


def make(server):
    with seeded.once(server, NAME) as writer:
        if writer:
            writer.write(list(odd_traces()))


def of_path(value, *path):
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def reprice(model, at_ms, tokens):
    """Dollars, by the price that the model had at the time."""
    prices = [price for price in PRICES if price[0] == model and price[1] <= at_ms]
    if not prices or tokens.get("input_tokens", tokens.get("output_tokens")) is None:
        return None
    _, _, price, output, read_price, write_price = max(prices)
    read, written = (tokens.get(key, 0) for key in TOKENS[2:])
    given = tokens.get("input_tokens", 0)
    return ((given - (read + written if read + written <= given else 0)) * price
            + read * (price if read_price is None else read_price)
            + written * (price if write_price is None else write_price)
            + tokens.get("output_tokens", 0) * output) / 1e6


def calls_of(trace):
    """The model calls of a trace, none within another."""
    children = collections.defaultdict(list)
    known = {span.span_id for span in trace.data.spans}
    for span in trace.data.spans:
        children[span.parent_id if span.parent_id in known else None].append(span)
    waiting = list(children[None])
    while waiting:
        span = waiting.pop()
        model = span.attributes.get("mlflow.llm.model")
        tokens = span.attributes.get("mlflow.chat.tokenUsage") or {}
        cost = (span.attributes.get("mlflow.llm.cost") or {}).get("total_cost")
        of_model = model is not None or span.span_type in MODEL_TYPES
        if of_model and (tokens or cost is not None) or (
                of_model and not children[span.span_id] and span.status.status_code.value != "ERROR"):
            yield {"trace_id": trace.info.trace_id, "span_id": span.span_id, "model_name": model,
                   **{key: tokens.get(key) for key in TOKENS}, "total_cost": cost,
                   "repriced_cost": reprice(model, span.start_time_ns // 1_000_000, tokens)}
        if not (of_model and (tokens or cost is not None)):
            waiting += children[span.span_id]


class Priced(seeded.Compared):
    """What both classes of tests compare."""

    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        make(cls.server)
        cls.traces, cls.databases = {}, {}
        for kind in KINDS:
            name = NAME if kind == "odd" else seeded.experiment(cls.server, kind)
            cls.traces[kind] = [trace for trace in seeded.read(cls.server, name)
                                if BEGIN_MS <= trace.info.request_time < seeded.UNTIL_MS]
            cls.databases[kind] = seeded.Database(cls.server, name, days=10,
                                                  until_ms=seeded.UNTIL_MS)
            cls.databases[kind].shell(cls.insert_prices())

    @staticmethod
    def insert_prices():
        rows = ", ".join(str(price).replace("None", "NULL") for price in PRICES)
        return f"INSERT INTO model_prices VALUES {rows};"


class Costs(Priced):
    def test_call_costs(self):
        columns = ", ".join(["trace_id", "span_id", "model_name", *TOKENS, "total_cost",
                             "repriced_cost"])
        for kind in KINDS:
            expected = sorted((row for trace in self.traces[kind] for row in calls_of(trace)),
                              key=lambda row: (row["trace_id"], row["span_id"]))
            with self.subTest(kind):
                self.check(kind, f"SELECT {columns} FROM call_costs ORDER BY trace_id, span_id",
                           expected)
            if kind == "odd":
                priced = [row["repriced_cost"] for row in expected]
                self.assertEqual((len(priced), priced.count(None)), (36, 10))

    def test_the_totals_are_those_of_mlflow(self):
        """Beside the costs of calls, MLflow has a sum in each trace."""
        expected = seeded.total(row["total_cost"] for row in seeded.trace_rows(self.traces["all"]))
        [row] = self.databases["all"].rows("SELECT mlflow_cost FROM costs WHERE dimension = 'all'")
        self.assertAlmostEqual(row["mlflow_cost"], expected, 9)

    def test_costs(self):
        for kind in KINDS:
            groups = collections.defaultdict(list)
            names = {key for trace in self.traces[kind] for key in trace.info.tags
                     if not key.startswith("mlflow.")}
            for trace in self.traces[kind]:
                info = trace.info
                day = datetime.datetime.fromtimestamp(info.request_time / 1000, datetime.timezone.utc)
                for made in calls_of(trace):
                    for key in [("all", None), ("day", f"{day:%Y-%m-%d}"),
                                ("user", info.trace_metadata.get("mlflow.trace.user")),
                                ("session", info.trace_metadata.get("mlflow.trace.session")),
                                ("model", made["model_name"]),
                                *((f"tag.{name}", info.tags.get(name)) for name in names)]:
                        groups[key].append(made)
            expected = [{
                "dimension": dimension, "value": value,
                "traces": len({made["trace_id"] for made in calls}), "calls": len(calls),
                **{key: seeded.total(made[key] for made in calls) for key in TOKENS},
                "mlflow_cost": seeded.total(made["total_cost"] for made in calls),
                "mlflow_unpriced": sum(made["total_cost"] is None for made in calls),
                "repriced_cost": seeded.total(made["repriced_cost"] for made in calls),
                "unpriced": sum(made["repriced_cost"] is None for made in calls)}
                for (dimension, value), calls in groups.items()]
            with self.subTest(kind):
                self.check(kind, "SELECT * FROM costs ORDER BY dimension, value",
                           sorted(expected, key=lambda r: (r["dimension"], r["value"] or "")))
            if kind == "odd":
                self.assertEqual({dimension for dimension, _ in groups} - {"tag.service.name"},
                                 {"all", "day", "user", "session", "model", "tag.team"})

    def test_prices_that_cannot_be_are_refused(self):
        for wrong in ("('m', 0, '', 1, NULL, NULL)", "('m', 0, 1, 1, '', NULL)",
                      "('m', 0, 1, -1, NULL, NULL)", "('m', 'now', 1, 1, NULL, NULL)",
                      "('gpt-5', 0, 1, 1, NULL, NULL)"):
            with self.assertRaises(RuntimeError, msg=wrong):
                self.databases["empty"].shell(f"INSERT INTO model_prices VALUES {wrong};")

    def test_reading_the_script_again_keeps_the_prices(self):
        self.databases["empty"].shell(f".read {seeded.SQL}/questions.sql")
        self.assertEqual(self.databases["empty"].rows("SELECT count(*) AS n FROM model_prices"),
                         [{"n": len(PRICES)}])

    def test_a_mirror_says_the_same(self):
        with mirrored.scratch_folder() as folder:
            mirror = mirrored.Mirror(self.server, NAME, folder, spans_days=None)
            mirror.sync()
            support.shell(f"{seeded.READ_SCRIPTS}\n{self.insert_prices()}\nUPDATE report_settings "
                          f"SET days = 10, until_ms = {seeded.UNTIL_MS};", database=str(mirror.path))
            for view in ("call_costs ORDER BY trace_id, span_id", "costs ORDER BY dimension, value"):
                sql = f"SELECT * FROM {view}"
                shown = support.shell(f".mode json\n{sql};", "http://127.0.0.1:9",
                                      database=str(mirror.path))
                with self.subTest(view):
                    self.assertTrue(seeded.same(json.loads(shown),
                                                self.databases["odd"].rows(sql)))


class ModelsAndRetrievers(Priced):
    def test_model_calls(self):
        for kind in KINDS:
            expected = []
            for trace in self.traces[kind]:
                for span in trace.data.spans:
                    said = span.attributes
                    if "mlflow.llm.model" not in said and span.span_type not in MODEL_TYPES:
                        continue
                    tokens = said.get("mlflow.chat.tokenUsage") or {}
                    took = (span.end_time_ns - span.start_time_ns) / 1e6
                    first = [event.timestamp for event in span.events
                             if event.name in ("mlflow.chunk.item.0", "new_token")]
                    waited = said.get("gen_ai.response.time_to_first_chunk")
                    reasons = [of_path(said, "gen_ai.response.finish_reasons", 0), *(
                        of_path(span.outputs, *path) for path in (
                            ("choices", 0, "finish_reason"), ("stop_reason",),
                            ("candidates", 0, "finishReason"), ("incomplete_details", "reason")))]
                    read, given, made = (tokens.get(key) for key in (
                        "cache_read_input_tokens", "input_tokens", "output_tokens"))
                    cached = (read or 0) + tokens.get("cache_creation_input_tokens", 0)
                    expected.append({
                        "trace_id": trace.info.trace_id, "span_id": span.span_id,
                        "finish_reason": next(filter(None, reasons), None),
                        "time_to_first_token_ms": waited * 1000 if waited is not None else
                        (min(first) - span.start_time_ns) / 1e6 if first else None,
                        "cache_hit_rate": read / (given + (cached if cached > given else 0))
                        if read is not None and given else None,
                        "tokens_per_second": made * 1000 / took if made is not None and took
                        else None})
            with self.subTest(kind):
                self.check(kind, "SELECT trace_id, span_id, finish_reason, time_to_first_token_ms, "
                           "cache_hit_rate, tokens_per_second FROM model_calls ORDER BY 1, 2",
                           sorted(expected, key=lambda row: (row["trace_id"], row["span_id"])))
            if kind == "odd":
                self.assertEqual({row["finish_reason"] for row in expected},
                                 {None, "length", "max_tokens", "MAX_TOKENS", "max_output_tokens"})
                self.assertEqual({row["time_to_first_token_ms"] for row in expected},
                                 {None, 250.0, 3.0})

    def test_retrieved_documents(self):
        for kind in KINDS:
            expected = []
            for trace in self.traces[kind]:
                for span in trace.data.spans:
                    found = span.outputs if isinstance(span.outputs, list) else span.attributes.get(
                        "gen_ai.retrieval.documents", [])
                    for position, document in enumerate(
                            found if span.span_type == "RETRIEVER" else [], 1):
                        metadata = of_path(document, "metadata")
                        content = document if isinstance(document, str) else next(
                            (document[key] for key in ("page_content", "content", "text")
                             if key in document), None)
                        expected.append({
                            "trace_id": trace.info.trace_id, "span_id": span.span_id,
                            "position": position, "content": content,
                            "document_id": of_path(document, "id") or of_path(metadata, "id"),
                            "doc_uri": of_path(metadata, "doc_uri"),
                            "score": of_path(document, "score") or of_path(metadata, "score")})
            with self.subTest(kind):
                self.check(kind, "SELECT trace_id, span_id, position, content, document_id, doc_uri, "
                           "score FROM retrieved_documents ORDER BY 1, 2, 3",
                           sorted(expected, key=lambda row: tuple(row.values())[:3]))
            if kind == "odd":
                self.assertEqual(len(expected), 2 * 6)

    def test_what_reaches_the_server(self):
        database = self.databases["odd"]
        for sql, term in (
                ("model_calls WHERE trace_id = 't' AND name = 'n'", "trace_id = ? AND name = ?"),
                ("retrieved_documents WHERE trace_id = 't' AND retriever = 'r'",
                 "trace_id = ? AND name = ?"),
                ("call_costs", "timestamp_ms >= ? AND timestamp_ms < ?"),
                ("costs", "SCAN traces VIRTUAL TABLE INDEX 0:timestamp_ms >= ? AND "
                          "timestamp_ms < ?")):
            sql = f"EXPLAIN QUERY PLAN SELECT * FROM {sql}"
            database.connection = None
            newest = "\n".join(row["detail"] for row in database.newest(sql))
            for plan in (database.shell(sql + ";"), newest):
                self.assertIn(term, plan, sql)


class ToLabel(Priced):
    def kinds(self, kind):
        """{trace: (verdict, tool, novelty, alike)} of what may be labelled, one of each kind."""
        groups = collections.defaultdict(list)
        for trace in sorted(self.traces[kind], key=lambda t: (-t.info.request_time, t.info.trace_id)):
            if trace.info.state.value in ("OK", "ERROR"):
                text = trace.info.request_preview.replace('"', " ").replace("'", "''")
                groups[text].append(trace)
        values = ", ".join(f"('{text}')" for text in groups)
        masks = self.databases[kind].rows(
            "SELECT column1 AS text, mask_message(column1) AS mask "
            f"FROM (VALUES {values})") if groups else []
        alike = collections.defaultdict(list)
        for row in masks:
            alike[row["mask"]] += groups[row["text"].replace("'", "''")]
        for traces in alike.values():
            given = {trace.info.trace_id: [
                said for said in trace.info.assessments if said.feedback is not None
                and said.valid is not False and said.feedback.value is not None]
                for trace in traces}
            people = {key for key, said in given.items()
                      if any(one.source.source_type == "HUMAN" for one in said)}
            left = sorted((t for t in traces if t.info.trace_id not in people),
                          key=lambda t: (-t.info.request_time, t.info.trace_id))
            if left:
                first = left[0].info.trace_id
                bad = [one.feedback.value == "no" or one.feedback.value is False
                       for one in given[first]]
                tools = sorted((span.start_time_ns, span.name) for span in left[0].data.spans
                               if span.span_type == "TOOL")
                yield first, ("bad" if any(bad) else "good" if bad else "none",
                              tools[0][1] if tools else None, "seen" if people else "new", len(left))

    def test_to_label(self):
        for kind in KINDS:
            expected = dict(self.kinds(kind))
            rows = self.databases[kind].rows("SELECT * FROM to_label")
            newest = self.databases[kind].newest("SELECT * FROM to_label")
            with self.subTest(kind):
                self.assertTrue(seeded.same(rows, newest))
                self.assertEqual(len(rows), min(50, len(expected)))
                weights = collections.Counter()
                for row in rows:
                    key = row["trace_id"]
                    self.assertEqual((row["verdict"], row["tool"], row["novelty"], row["alike"]),
                                     expected.pop(key))
                    weights[row["verdict"], row["tool"], row["novelty"]] += row["weight"]
                self.assertAlmostEqual(sum(weights.values()), len(rows) + len(expected))
            if kind == "all":
                self.assertTrue(10 < len(rows) < 30, "the demo asks 14 kinds of questions")
                self.assertIn("seen", {row["novelty"] for row in rows})
            if kind == "odd":
                self.assertEqual([(row["novelty"], row["alike"]) for row in rows], [("new", 2)])
