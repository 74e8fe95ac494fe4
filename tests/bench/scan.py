"""Side by side: the extension, MLflow's pandas client, and a bare HTTP client, on 20,000 traces.

Every contender reads all traces of one experiment from the same server, in turns, several times;
the table has medians. The extension runs in the sqlite3 shell and prints thirteen columns, raw JSON
included, to /dev/null; its time is the whole process. search_traces(include_spans=False) is timed
without the import of mlflow. The bare client fetches the same pages one after the other and drops
them: what is slower than it is ours. Its requests are counted in the server's log.
"""

import json
import subprocess
import sys

import measuring

TRACES, COPIES = 20_000, 20
BARE = "bare HTTP client, one connection"
CLIENT = "mlflow.search_traces(include_spans=False)"
SEARCH = "/api/3.0/mlflow/traces/search"
COLUMNS = ("trace_id, name, status, timestamp_ms, execution_time_ms, session_id, user_id, "
           "total_tokens, request_preview, response_preview, tags, metadata, assessments")
PANDAS = """
import json, sys, time, mlflow
begin, cpu = time.monotonic(), time.process_time()
rows = len(mlflow.search_traces(locations=[sys.argv[1]], include_spans=False))
print(json.dumps({"rows": rows, "wall_s": time.monotonic() - begin,
                  "cpu_s": time.process_time() - cpu}))
"""


def contenders(server, experiment_id, bare_client):
    def whole(result):
        if result["rows"] != TRACES:
            raise RuntimeError(f"{result['rows']} traces of {TRACES} were read")
        return result

    def counted(result, before):
        return whole(result | {"requests": measuring.requests_logged(server, SEARCH) - before})

    def extension(**variables):
        return whole(measuring.shell(server, "", f"SELECT {COLUMNS} FROM mlflow_traces",
                                     **variables))

    def pandas():
        before = measuring.requests_logged(server, SEARCH)
        result = measuring.run([sys.executable, "-c", PANDAS, experiment_id],
                               MLFLOW_TRACKING_URI=server.uri, MLFLOW_DISABLE_TELEMETRY="true")
        return counted(result | json.loads(result["output"]), before)

    def bare():
        before = measuring.requests_logged(server, SEARCH)
        return counted(measuring.run([bare_client, server.uri, experiment_id])
                       | {"rows": TRACES}, before)

    return {"SQL, default streams": extension,
            "SQL, one stream": lambda: extension(MLFLOW_SQL_STREAMS="1"),
            CLIENT: pandas, BARE: bare}


def measure(server, experiment_id, folder, repeats):
    bare_client = folder / "bare_client"
    subprocess.run(["cc", "-std=c11", "-O2", measuring.HERE / "bare_client.c", "-lcurl", "-o",
                    bare_client], check=True)
    medians = measuring.take_turns(contenders(server, experiment_id, bare_client), repeats)
    faster = medians[CLIENT]["wall_s"] / medians["SQL, default streams"]["wall_s"]
    return (f"{measuring.markdown(medians, BARE)}\n\nThe extension is {faster:.1f} times as fast "
            "as `mlflow.search_traces`.")


if __name__ == "__main__":
    measuring.main("scan", __doc__.split("\n")[0],
                   lambda: measuring.seeded_store(TRACES, COPIES), measure)
