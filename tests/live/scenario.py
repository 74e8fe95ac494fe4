"""What a team's LLM agents did in two weeks: traces as plain data, the same for the same seed.

Three agents answer questions in sessions of a few turns. Traffic follows the day and the week,
latencies are log-normal from 50 ms to 60 s, spans nest and run side by side, a release in the
second week made one agent slower, and one afternoon the model provider refused half of the calls.
Users, judges and an evaluation run left feedback. seed.py sends all this to a server.
"""

import dataclasses
import datetime
import hashlib
import math
import random

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DAYS = 14
RELEASE_DAY = 8
INCIDENT_DAYS_AGO = 4
INCIDENT_HOURS = range(13, 17)  # UTC
TURNS_MAX = 6
UNFINISHED_SHARE = 0.01  # of traces whose process died before it could report the end


@dataclasses.dataclass
class Span:
    name: str
    type: str
    start_ms: float  # since the trace's start
    end_ms: float
    parent: int | None  # its place in Trace.spans
    inputs: object
    outputs: object = None
    attributes: dict = dataclasses.field(default_factory=dict)
    error: tuple | None = None  # type and message
    events: list = dataclasses.field(default_factory=list)  # name, and when since the trace's start


@dataclasses.dataclass
class Assessment:
    name: str
    value: object
    kind: str = "feedback"  # or expectation
    source: tuple = ("LLM_JUDGE", "judge-v3")
    rationale: str | None = None
    error: tuple | None = None  # code and message
    span: int | None = None
    corrected: object = None  # the value with which a person overrode it


@dataclasses.dataclass
class Trace:
    id: str
    name: str
    start_ms: int
    duration_ms: int | None
    state: str
    user: str
    session: str
    request: object
    response: object
    tags: dict
    client_request_id: str
    run: str | None = None
    spans: list = dataclasses.field(default_factory=list)
    assessments: list = dataclasses.field(default_factory=list)


MODELS = {  # provider, dollars a million input tokens and output tokens
    "claude-sonnet-4-5": ("anthropic", 3.0, 15.0),
    "gpt-5-mini": ("openai", 0.25, 2.0),
    "gpt-5": ("openai", 1.25, 10.0),
}

AGENTS = {  # share, median milliseconds, model, tools, questions
    "support_agent": (0.66, 1700, "gpt-5-mini",
                      ["lookup_order", "track_parcel", "refund_policy", "create_ticket"],
                      ["Where is my order {n}?", "How do I return the shoes from order {n}?",
                       "I was charged twice for order {n}.", "Can I change the address of {n}?",
                       "The discount code SPRING{n} does not work.", "Cancel order {n}, please.",
                       "My parcel {n} arrived damaged, what now?"]),
    "research_agent": (0.20, 8200, "claude-sonnet-4-5",
                       ["web_search", "fetch_page", "summarize_page", "cite"],
                       ["Summarize what changed in release {n} of our API.",
                        "Which competitors offer same-day delivery in region {n}?",
                        "Compare the three cheapest couriers for {n} kg parcels.",
                        "Find the sources for claim {n} in the quarterly report."]),
    "sql_assistant": (0.14, 600, "gpt-5",
                      ["describe_table", "run_query"],
                      ["How many orders over {n} euros came in last week?",
                       "List the top {n} customers by revenue.",
                       "Why is the revenue of store {n} down?"]),
}

FAILURES = [  # weight, span type that fails, exception, message
    (5, "CHAT_MODEL", "RateLimitError",
     "Error code: 429 - Rate limit reached for organization org-{h} on tokens per minute: "
     "limit 200000, used {n}"),
    (3, "TOOL", "TimeoutError", "POST https://orders.internal/v2/orders/{n} timed out after 30.0 s"),
    (2, "PARSER", "JSONDecodeError", "Expecting ',' delimiter: line 1 column {n} (char {n})"),
    (2, "RETRIEVER", "ConnectionError",
     "HTTPConnectionPool(host='10.0.{b}.{b}', port=8080): Max retries exceeded"),
    (1, "TOOL", "KeyError", "'order_{n}'"),
    (1, "CHAT_MODEL", "ContextWindowExceededError",
     "This model's maximum context length is 128000 tokens, but {n} tokens were requested"),
    (1, "TOOL", "FileNotFoundError",
     "[Errno 2] No such file or directory: '/var/cache/agent/{h}/page.html'"),
]

ANSWERS = [
    "Your parcel left our depot this morning and should arrive by tomorrow evening.",
    "You can return it within 30 days; I have sent a label to your e-mail address.",
    "I found two charges; the second one is refunded and shows up within three days.",
    "Here is what I found, with the sources in brackets, most recent first.",
    "The query returned 12 rows; revenue fell mostly in the first half of the week.",
    "I could not find this order. Could you check the number, please?",
]

RATIONALES = {
    "yes": ["Direct answer without filler.", "Covers the question and stops.",
            "All statements follow from the retrieved documents."],
    "no": ["Repeats the question before it answers.", "Three paragraphs where one line would do.",
           "Answers a different question than the one asked.",
           "States a delivery date that no document supports."],
}


def traffic(at_ms):
    """How busy this moment is, from 0 to 1: days over nights, workdays over weekends."""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.timezone.utc)
    hour = at.hour + at.minute / 60
    rhythm = 0.08 + 0.92 * max(0.0, math.sin((hour - 6) / 16 * math.pi)) ** 1.3
    return rhythm * (0.45 if at.weekday() >= 5 else 1.0)


def fill(rng, text):
    return text.format(n=rng.randrange(100, 99999), b=rng.randrange(256),
                       h=f"{rng.getrandbits(48):012x}")


def chat(rng, name, model, messages, answer):
    """The inputs, outputs and attributes of a call of a chat model."""
    provider, input_price, output_price = MODELS[model]
    tokens = {"input_tokens": 180 * len(messages) + rng.randrange(40, 900),
              "output_tokens": rng.randrange(12, 420)}
    if rng.random() < 0.3:
        tokens["cache_read_input_tokens"] = tokens["input_tokens"] // 2
    tokens["total_tokens"] = tokens["input_tokens"] + tokens["output_tokens"]
    cost = {"input_cost": tokens["input_tokens"] * input_price / 1e6,
            "output_cost": tokens["output_tokens"] * output_price / 1e6}
    cost["total_cost"] = cost["input_cost"] + cost["output_cost"]
    return ({"model": model, "messages": messages, "temperature": 0.2},
            {"choices": [{"message": {"role": "assistant", "content": answer},
                          "finish_reason": "stop"}]},
            {"mlflow.llm.model": model, "mlflow.llm.provider": provider,
             "mlflow.chat.tokenUsage": tokens, "mlflow.llm.cost": cost})


def stages(rng, duration_ms, model, tools, question, answer):
    """What an agent does one after the other: (weight, [(name, type, inputs, outputs, attributes,
    children)]), the spans of a stage side by side."""
    user = {"role": "user", "content": question}
    if duration_ms < 250:
        return [(1, [("recall_answer", "MEMORY", {"key": question}, {"hit": True}, {}, [])])]
    documents = [{"page_content": f"Policy section {rng.randrange(1, 40)}", "metadata":
                  {"doc_uri": f"kb://policies/{rng.randrange(400)}"}} for _ in range(3)]
    result = [
        (0.02, [("check_input", "GUARDRAIL", {"text": question}, {"allowed": True}, {}, [])]),
        (0.12, [("search_docs", "RETRIEVER", {"query": question}, documents, {},
                 [("embed_query", "EMBEDDING", {"input": question}, {"dimensions": 1536}, 0.0, 0.4),
                  ("rerank", "RERANKER", {"documents": 20}, {"kept": 3}, 0.45, 0.95)])]),
    ]
    for _ in range(1 + (duration_ms > 2500) + (duration_ms > 9000) * rng.randrange(1, 4)):
        side_by_side = rng.sample(tools, min(len(tools), rng.choice([1, 1, 2, 3])))
        plan = f"I will call {', '.join(side_by_side)}."
        result.append((0.3, [("plan", "CHAT_MODEL", *chat(rng, "plan", model, [user], plan), [])]))
        result.append((rng.uniform(0.1, 0.6), [
            (tool, "TOOL", {"arguments": {"id": rng.randrange(100, 99999)}},
             {"status": "ok", "items": rng.randrange(9)}, {}, []) for tool in side_by_side]))
    history = [user] * (len(result) // 2)
    result.append((0.4, [("answer", "CHAT_MODEL", *chat(rng, "answer", model, history, answer),
                          [])]))
    result.append((0.01, [("parse_answer", "PARSER", {"text": answer}, {"answer": answer}, {},
                           [])]))
    return result


def lay_out(rng, trace, model, tools, failure):
    """Gives the trace its spans; a failure ends it at the first span of the failing type."""
    duration = trace.duration_ms
    question = trace.request["messages"][-1]["content"]
    answer = trace.response["content"]
    plan = stages(rng, duration, model, tools, question, answer)
    weights = [weight * rng.uniform(0.6, 1.4) for weight, _ in plan]
    scale = 0.97 * duration / sum(weights)
    spans = trace.spans = [Span(trace.name, "AGENT", 0, duration, None, trace.request,
                                trace.response)]
    now = 0.01 * duration
    for (_, side_by_side), weight in zip(plan, weights):
        longest = weight * scale
        for place, (name, kind, inputs, outputs, attributes, children) in enumerate(side_by_side):
            length = longest * (1 if place == 0 else rng.uniform(0.3, 0.95))
            spans.append(Span(name, kind, now, now + length, 0, inputs, outputs, dict(attributes)))
            parent = len(spans) - 1
            for child, child_kind, given, got, begin, end in children:
                spans.append(Span(child, child_kind, now + begin * length, now + end * length,
                                  parent, given, got))
            if failure and kind == failure[0]:
                fail(trace, spans[parent], failure[1:])
                return
        now += longest
    if failure:
        fail(trace, spans[0], failure[1:])


def fail(trace, span, error):
    """Ends the trace with this span's error."""
    span.error, span.outputs = error, None
    for key in ("mlflow.chat.tokenUsage", "mlflow.llm.cost"):
        span.attributes.pop(key, None)
    root = trace.spans[0]
    root.error, root.outputs = error, None
    root.end_ms = max(other.end_ms for other in trace.spans[1:])
    trace.duration_ms = max(1, round(root.end_ms))
    trace.state, trace.response = "ERROR", None


def judge(rng, trace, evaluated):
    """The feedback and expectations that a trace gathers."""
    found = trace.assessments
    slow = (trace.duration_ms or 0) > 9000
    for name, share, passing in (("concise_communication", 0.45, 0.8),
                                 ("relevance_to_query", 0.45, 0.9), ("safety", 0.2, 0.99)):
        if not evaluated and rng.random() > share:
            continue
        if rng.random() < 0.025:
            found.append(Assessment(name, None, error=(
                "SCORER_ERROR", f"Judge returned no JSON after {rng.randrange(2, 5)} tries")))
            continue
        value = "yes" if rng.random() < passing - 0.2 * slow else "no"
        found.append(Assessment(name, value, rationale=rng.choice(RATIONALES[value])))
        if value == "no" and rng.random() < 0.06:
            found[-1].corrected = "yes"
    if rng.random() < 0.12:
        found.append(Assessment("thumbs_up", rng.random() < 0.8 - 0.4 * (trace.state == "ERROR"),
                                source=("HUMAN", trace.user)))
    if rng.random() < 0.06:
        found.append(Assessment("quality", rng.choice([1, 2, 3, 4, 4, 5, 5, 4.5]),
                                source=("HUMAN", "reviewer@example.com")))
    places = [i for i, span in enumerate(trace.spans) if span.type == "RETRIEVER"]
    if places and rng.random() < 0.1:
        value = rng.choice(["yes", "yes", "yes", "no"])
        found.append(Assessment("retrieval_groundedness", value, span=places[0],
                                rationale=rng.choice(RATIONALES[value])))
    if evaluated or rng.random() < 0.02:
        found.append(Assessment("expected_response", rng.choice(ANSWERS), "expectation",
                                ("HUMAN", "reviewer@example.com")))
        found.append(Assessment("expected_facts", ["within 30 days", "label by e-mail"],
                                "expectation", ("HUMAN", "reviewer@example.com")))


def make_trace(rng, key, at_ms, now_ms, agent, user, session):
    """One turn of a session."""
    _, median, model, tools, questions = AGENTS[agent]
    day = DAYS - (now_ms - at_ms) / DAY_MS
    released = day >= RELEASE_DAY
    slower = 1.5 if released and agent == "support_agent" else 1.0
    duration = round(min(60_000, max(50, rng.lognormvariate(math.log(median * slower), 0.95))))
    question = fill(rng, rng.choice(questions))
    trace = Trace(
        id="tr-" + hashlib.md5(key.encode()).hexdigest(), name=agent, start_ms=at_ms,
        duration_ms=duration, state="OK", user=user, session=session,
        request={"messages": [{"role": "user", "content": question}]},
        response={"role": "assistant", "content": rng.choice(ANSWERS)},
        tags={"mlflow.traceName": agent, "version": "2.4.0" if released else "2.3.1",
              "environment": rng.choices(["production", "staging", "development"],
                                         [75, 18, 7])[0]},
        client_request_id=f"req-{rng.getrandbits(40):010x}")
    incident = (now_ms // DAY_MS - at_ms // DAY_MS == INCIDENT_DAYS_AGO
                and at_ms % DAY_MS // HOUR_MS in INCIDENT_HOURS)
    failure = None
    if rng.random() < (0.5 if incident else 0.06):
        _, kind, error, message = FAILURES[0] if incident else rng.choices(
            FAILURES, [weight for weight, *_ in FAILURES])[0]
        failure = (kind, error, fill(rng, message))
    lay_out(rng, trace, model, tools, failure)
    if not failure and rng.random() < 0.04:
        tool = next((span for span in trace.spans if span.type == "TOOL"), None)
        if tool:  # an error that the agent got over
            tool.error, tool.outputs = ("TimeoutError", "tool took longer than 5.0 s"), None
    if rng.random() < UNFINISHED_SHARE:
        trace.state, trace.duration_ms, trace.response = "IN_PROGRESS", None, None
        trace.spans = trace.spans[: max(2, len(trace.spans) // 2)]
    return trace


def make_traces(count, seed, now_ms, name):
    """`count` traces of the last two weeks, oldest first; the ids depend on the name too."""
    rng = random.Random(f"{name}/{seed}")
    users = [f"{first}@example.com" for first in
             "alice bob carla deniz emma farid greta hugo ines jonas kira liam maya nils olga pablo "
             "qiang rosa sven tara umar vera wanda xenia yusuf zoe".split()]
    popularity = [1 / (rank + 2) for rank in range(len(users))]
    traces = []
    while len(traces) < count:
        at_ms = now_ms - rng.randrange(1000, DAYS * DAY_MS)
        if rng.random() > traffic(at_ms):
            continue
        agent = rng.choices(list(AGENTS), [share for share, *_ in AGENTS.values()])[0]
        user = rng.choices(users, popularity)[0]
        session = f"session-{rng.getrandbits(32):08x}"
        for turn in range(rng.randrange(1, TURNS_MAX + 1)):
            if at_ms >= now_ms or len(traces) == count:
                break
            key = f"{name}/{seed}/{len(traces)}"
            trace = make_trace(rng, key, at_ms, now_ms, agent, user, session)
            evaluated = agent == "support_agent" and turn == 0 and rng.random() < 0.35
            if evaluated and trace.state == "OK":
                trace.run = rng.choice(["nightly evaluation A", "nightly evaluation B"])
                trace.tags["environment"] = "development"
            if trace.state != "IN_PROGRESS":
                judge(rng, trace, trace.run is not None)
            traces.append(trace)
            at_ms += (trace.duration_ms or 1000) + rng.randrange(15_000, 240_000)
    return sorted(traces, key=lambda trace: trace.start_ms)
