"""Side by side: all spans of 2,000 traces through the extension and through MLflow's client.

The extension prints every column of mlflow_spans in the sqlite3 shell, to /dev/null; its time is
the whole process. search_traces() gives one row a trace with its spans in it, timed without the
import of mlflow. The bare client asks for the same traces and the same batches of spans, as many side
by side, and drops the spans unread: what is slower than it is ours.
"""

import json
import sys

import measuring

TRACES = 2_000
CLIENT = "mlflow.search_traces()"
BARE = "bare HTTP client, four connections"
PANDAS = """
import json, sys, time, mlflow
begin, cpu = time.monotonic(), time.process_time()
traces = mlflow.search_traces(locations=[sys.argv[1]])
print(json.dumps({"rows": len(traces), "wall_s": time.monotonic() - begin,
                  "cpu_s": time.process_time() - cpu}))
"""
BARE_CLIENT = """
import concurrent.futures, http.client, json, sys, threading
address, experiment_id = sys.argv[1].removeprefix("http://"), sys.argv[2]
local = threading.local()

def ask(method, path, body=None):
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection(address)
    local.connection.request(method, path, body, {"Content-Type": "application/json"})
    return local.connection.getresponse().read()

def search(token):
    return json.loads(ask("POST", "/api/3.0/mlflow/traces/search", json.dumps({
        "locations": [{"type": "MLFLOW_EXPERIMENT",
                       "mlflow_experiment": {"experiment_id": experiment_id}}],
        "max_results": 500, "page_token": token})))

def fetch(batch):
    ask("GET", "/api/3.0/mlflow/traces/batchGet?" + "&".join(f"trace_ids={id}" for id in batch))

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    token, batches = "", []
    while token is not None:
        page = search(token)
        ids = [trace["trace_id"] for trace in page.get("traces", [])]
        batches += [pool.submit(fetch, ids[i:i + 50]) for i in range(0, len(ids), 50)]
        token = page.get("next_page_token")
    [batch.result() for batch in batches]
"""


def measure(server, experiment_id, folder, repeats):
    paths = "/api/3.0/mlflow/traces/(search|batchGet)"

    def extension():
        return measuring.shell(server, "", "SELECT * FROM mlflow_spans")

    def counted(runner):
        def run():
            before = measuring.requests_logged(server, paths)
            return runner() | {"requests": measuring.requests_logged(server, paths) - before}
        return run

    def pandas():
        result = measuring.run([sys.executable, "-c", PANDAS, experiment_id],
                               MLFLOW_TRACKING_URI=server.uri, MLFLOW_DISABLE_TELEMETRY="true")
        return result | json.loads(result["output"])

    def bare():
        return measuring.run([sys.executable, "-c", BARE_CLIENT, server.uri, experiment_id])

    medians = measuring.take_turns(
        {"SQL": extension, CLIENT: counted(pandas), BARE: counted(bare)}, repeats)
    faster = medians[CLIENT]["wall_s"] / medians["SQL"]["wall_s"]
    return (f"{measuring.markdown(medians, CLIENT)}\n\nThe extension is {faster:.1f} times as "
            "fast as `mlflow.search_traces` with spans.")


if __name__ == "__main__":
    measuring.main("spans", __doc__.split("\n")[0], lambda: measuring.seeded_store(TRACES),
                   measure)
