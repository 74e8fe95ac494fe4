"""What the tests share: where things are, SQLite with the extension loaded, and MLflow servers.

Test files run under the newest MLflow's Python, by pytest, which puts tests/ on sys.path. tests/run
builds the extension and names it in MLFLOW_SQL_TEST_EXTENSION; by hand, e.g.

    MLFLOW_SQL_TEST_EXTENSION=/tmp/build/mlflow0 PYTHON -m pytest tests/live/test_joins.py

tests/run also names the servers that it has started, so that files share them:
MLFLOW_SQL_TEST_SERVERS="sqlite-3.17.2=http://127.0.0.1:5801 ...". A server that it does not name
is started on first use and stopped when the process ends.
"""

import atexit
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
sys.path.insert(0, str(TESTS / "live"))
import server as live  # noqa: E402

NEWEST, OLDEST = live.NEWEST, live.OLDEST
SQLITE = f"sqlite-{NEWEST}"
POSTGRESQL = f"postgresql-{NEWEST}"
SQLITE_OLDEST = f"sqlite-{OLDEST}"
SQLITE_FLOOR = f"sqlite-{live.FLOOR}"  # for the few tests that ask what the floor does


def extension():
    """The path to give to .load, without suffix."""
    return os.environ.get("MLFLOW_SQL_TEST_EXTENSION", str(ROOT / "build" / "mlflow0"))


# ---------------------------------------------------------------------------------------------
# Servers


class Remote:
    """A server that runs: its name, its uri, and calls of its REST API as they are."""

    def __init__(self, name, uri, variables=(), headers=()):
        self.name = name
        self.uri = uri
        self.variables = dict(variables)  # what a client needs in its environment to get in
        self.headers = {"Content-Type": "application/json"} | dict(headers)  # what they become
        self.store, _, self.version = name.partition("-")

    def call(self, method, path, body=None):
        """The JSON answer; raises urllib.error.HTTPError for a status from 400."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.uri + path, data, self.headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            return json.loads(reply.read() or b"{}")


_started = {}


def servers():
    """The names to give to start(): each store of the newest MLflow, and the oldest one; or, in
    tests/servers, the one that is named."""
    only = os.environ.get("MLFLOW_SQL_TEST_ONLY")
    return [only] if only else [SQLITE, POSTGRESQL, SQLITE_OLDEST]


def start(name=SQLITE):
    """The server of this name, shared with whoever asks for it too."""
    if name not in _started:
        given = dict(pair.split("=", 1)
                     for pair in os.environ.get("MLFLOW_SQL_TEST_SERVERS", "").split())
        uri = given.get(name)
        if not uri:
            store, _, version = name.partition("-")
            own = live.Server(store, version)
            atexit.register(own.stop)
            own.start()
            uri = own.uri
        _started[name] = Remote(name, uri)
    return _started[name]


def create_experiment(server, name):
    """Creates an experiment of this name, with a number if it is taken; gives the name."""
    for candidate in itertools.chain([name], (f"{name} {i}" for i in itertools.count(2))):
        try:
            server.call("POST", "/api/2.0/mlflow/experiments/create", {"name": candidate})
            return candidate
        except urllib.error.HTTPError as error:
            if b"RESOURCE_ALREADY_EXISTS" not in error.read():
                raise


def seed(server, experiment, traces):
    """Fills an experiment, named, with traces of live/scenario.py, spans and assessments."""
    import seed as seeding  # and with it MLflow's client, which takes seconds

    with environment({"MLFLOW_TRACKING_URI": server.uri} | server.variables):
        seeding.mlflow.set_tracking_uri(server.uri)
        seeding.fill(experiment, traces)


def experiment_id(server, name):
    query = urllib.parse.urlencode({"experiment_name": name})
    answer = server.call("GET", "/api/2.0/mlflow/experiments/get-by-name?" + query)
    return answer["experiment"]["experiment_id"]


def timestamp(ms):
    """RFC 3339, as MLflow's JSON has times."""
    seconds, fraction = divmod(ms, 1000)
    text = f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{fraction:03d}Z"


def trace_info(experiment, trace):
    """The server's JSON of a trace given as in insert_traces."""
    at = timestamp(trace["timestamp_ms"])
    info = {
        "trace_id": trace["trace_id"],
        "trace_location": {"type": "MLFLOW_EXPERIMENT",
                           "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": at,
        "state": trace.get("status", "OK"),
        "trace_metadata": trace.get("metadata", {}),
        "tags": trace.get("tags", {}),
        "assessments": [
            {"assessment_name": name, "feedback": {"value": value}, "create_time": at,
             "last_update_time": at, "source": {"source_type": "LLM_JUDGE", "source_id": "judge"}}
            for name, value in trace.get("assessments", [])
        ],
    }
    if trace.get("execution_time_ms") is not None:
        info["execution_duration"] = f"{trace['execution_time_ms'] / 1000:.3f}s"
    for key in ("client_request_id", "request_preview", "response_preview"):
        if trace.get(key) is not None:
            info[key] = trace[key]
    return info


def insert_traces(server, experiment, traces):
    """Creates traces without spans in an experiment, named, through the REST API.

    A trace is a dict: trace_id and timestamp_ms; status, execution_time_ms, client_request_id,
    request_preview, response_preview, tags, metadata, and assessments as (name, value) pairs.
    """
    number = experiment_id(server, experiment)

    def insert(trace):
        body = {"trace": {"trace_info": trace_info(number, trace)}}
        server.call("POST", "/api/3.0/mlflow/traces", body)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(insert, traces))
    atexit.register(forget_traces, server, experiment, [trace["trace_id"] for trace in traces])


def forget_traces(server, experiment, trace_ids):
    """Makes the ids free for another process on the same server, if that still runs."""
    with contextlib.suppress(OSError):
        for i in range(0, len(trace_ids), 100):
            delete_traces(server, experiment, trace_ids[i:i + 100])


def delete_traces(server, experiment, trace_ids):
    body = {"experiment_id": experiment_id(server, experiment), "request_ids": list(trace_ids)}
    server.call("POST", "/api/2.0/mlflow/traces/delete-traces", body)


# ---------------------------------------------------------------------------------------------
# SQLite


def quoted(value):
    """A value as SQL writes it, and as .mode quote shows it."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(int(value) if isinstance(value, bool) else value)


@contextlib.contextmanager
def environment(variables):
    """Sets environment variables, None to unset, for the time of the block."""
    before = {name: os.environ.get(name) for name in variables}

    def put(values):
        for name, value in values.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    put(variables)
    try:
        yield
    finally:
        put(before)


def clean_environment(server=None, **variables):
    """The environment for a program that is to know this server and nothing else of MLflow."""
    result = {k: v for k, v in os.environ.items()
              if not k.startswith("MLFLOW_") or k.startswith("MLFLOW_SQL_")}
    if isinstance(server, str):
        result["MLFLOW_TRACKING_URI"] = server
    elif server:
        result |= {"MLFLOW_TRACKING_URI": server.uri} | getattr(server, "variables", {})
    return result | variables


def run_shell(sql, server=None, database=":memory:", options=("-bail",), timeout=120, newest=False,
              **variables):
    """Runs SQL in the real sqlite3 shell, or in that of the newest SQLite; gives stdout, stderr and
    returncode as they are.

    If tests/run has put a sanitizer before all, a leak is an error, too (but not of Python's own).
    """
    program = [sys.executable, "-m", "apsw"] if newest else ["sqlite3"]
    if not newest:
        variables["ASAN_OPTIONS"] = "detect_leaks=1"
    return subprocess.run(
        [*program, "-batch", *options, database],
        input=f".load {extension()}\n{sql}\n", capture_output=True, text=True, timeout=timeout,
        env=clean_environment(server, **variables), check=False)


def shell(sql, server=None, **more):
    """What the sqlite3 shell prints for the statements; an error of theirs raises."""
    run = run_shell(sql, server, **more)
    if run.returncode or run.stderr:
        raise RuntimeError(run.stderr.strip() or f"sqlite3 ended with {run.returncode}")
    return run.stdout.rstrip("\n")


def apsw_connection(server=None, database=":memory:"):
    """The newest SQLite, in this process; MLFLOW_TRACKING_URI of this process becomes the server's.

    Not together with Python's own sqlite3: an extension keeps one table of SQLite's functions.
    """
    import apsw

    if server:
        os.environ["MLFLOW_TRACKING_URI"] = server if isinstance(server, str) else server.uri
    connection = apsw.Connection(database)
    connection.enable_load_extension(True)
    connection.load_extension(extension())
    return connection
