"""A reply with a value of the wrong shape gives the same rows, or an error that says where: never
fewer rows, and never another value.

Every value in the replies that a statement reads is replaced by each of twelve shapes, one at a
time. Null stands for absent in JSON and may; so may a value of the right type.
"""

import json
import re
import unittest

import support
from hostile_server import HostileServer, Script

SHAPES = [7, -1.5, True, False, "", "odd", [], {}, [None], [7], {"a": 1}, [{"a": []}]]
AT = support.timestamp(1_790_000_000_000)


def trace(number):
    return {
        "trace_id": f"t{number}", "state": "OK", "execution_duration": "1.5s", "request_time": AT,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}},
        "client_request_id": "c", "request_preview": "q", "response_preview": "a",
        "tags": {"mlflow.traceName": "n", "mlflow.trace.spansLocation": "TRACKING_STORE"},
        "trace_metadata": {"mlflow.trace.session": "s", "mlflow.sourceRun": "r"},
        "assessments": [{
            "assessment_id": "a1", "assessment_name": "good", "create_time": AT,
            "last_update_time": AT, "valid": True, "rationale": "because",
            "source": {"source_type": "HUMAN", "source_id": "me"}, "metadata": {"k": "v"},
            "feedback": {"value": "yes"}}]}


SEARCH = {"traces": [trace(0), trace(1)]}
BATCH = {"traces": [{"trace_info": {"trace_id": f"t{i}"}, "spans": [{
    "trace_id": "AA==", "span_id": f"{i:016x}", "parent_span_id": "", "name": "root",
    "start_time_unix_nano": 5, "end_time_unix_nano": 9, "status": {"code": "STATUS_CODE_OK"},
    "attributes": [{"key": "mlflow.spanInputs", "value": {"string_value": "1"}}],
    "events": [{"name": "exception", "time_unix_nano": 6, "attributes": [
        {"key": "exception.type", "value": {"string_value": "E"}}]}]}]} for i in range(2)]}
EXPERIMENTS = {"experiments": [{
    "experiment_id": "1", "name": "a", "lifecycle_stage": "active", "artifact_location": "x",
    "creation_time": 5, "last_update_time": 6, "tags": [{"key": "k", "value": "v"}]}]}
# Not those that show the server's JSON as it is, whatever that is.
COLUMNS = {
    "mlflow_traces": "trace_id, experiment_id, status, request_time, execution_time_ms, name, "
                     "session_id, run_id, client_request_id, request_preview",
    "mlflow_assessments": "*", "mlflow_spans": "*", "mlflow_experiments": "*"}
REPLIES = {"/traces/search": SEARCH, "/traces/batchGet": BATCH, "/experiments/search": EXPERIMENTS}
READ = {"mlflow_traces": "/traces/search", "mlflow_assessments": "/traces/search",
        "mlflow_spans": "/traces/batchGet", "mlflow_experiments": "/experiments/search"}


def paths(value, path=()):
    """Every place in a document but the root."""
    items = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield path + (key,)
        yield from paths(each, path + (key,))


def mutate(document, path, shape):
    copy = json.loads(json.dumps(document))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    before = holder[path[-1]]
    holder[path[-1]] = shape
    return copy, before


def is_right(path, before, shape):
    """Whether the shape may stand there and mean something else: a text for a text and the like."""
    numbers = (int, float)
    if path[-1] == "value" or "attributes" in path or "metadata" in path:
        return True  # any JSON
    if isinstance(before, bool) or isinstance(shape, bool):
        return isinstance(before, bool) and isinstance(shape, bool)
    if isinstance(before, numbers) and isinstance(shape, (*numbers, str)):
        return True
    return type(before) is type(shape) and (not isinstance(shape, (dict, list)) or not shape
                                            or shape != before)


class Mutations(unittest.TestCase):
    def setUp(self):
        self.server = HostileServer()
        self.addCleanup(self.server.stop)
        with support.environment({"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
                                  "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}):
            self.connection = support.apsw_connection(self.server.uri)
            self.connection.execute("SELECT * FROM mlflow_settings").fetchall()
        self.addCleanup(self.connection.close)

    def play(self, replies):
        steps = {path: f"ok body='{json.dumps(reply)}'" for path, reply in replies.items()}
        steps["/version"] = "ok body=3.17.2 type=text/plain"
        steps["/get-trace-artifact"] = "status 404 body='{\"error_code\":\"NOT_FOUND\"}'"
        with self.server.lock:
            self.server.routes = {path: Script(each) for path, each in steps.items()}

    def ask(self, table):
        import apsw

        try:
            return self.connection.execute(f"SELECT {COLUMNS[table]} FROM {table}").fetchall()
        except apsw.Error as error:
            return str(error)

    def test_every_value_of_every_reply(self):
        tried, wrong = 0, []
        for table, read in READ.items():
            self.play(REPLIES)
            right = self.ask(table)
            self.assertIsInstance(right, list)
            self.assertGreater(len(right), 0)
            for path in paths(REPLIES[read]):
                for shape in SHAPES:
                    document, before = mutate(REPLIES[read], path, shape)
                    if is_right(path, before, shape):
                        continue
                    self.play(REPLIES | {read: document})
                    found = self.ask(table)
                    tried += 1
                    if found == right:
                        continue
                    if isinstance(found, str) and re.search(
                            r"\w\[\d+\]|traces|experiments|spans|reply", found):
                        continue
                    wrong.append((table, ".".join(map(str, path)), shape, str(found)[:300]))
        self.assertGreater(tried, 1000)
        self.assertEqual(wrong, [], f"{len(wrong)} of {tried}")
