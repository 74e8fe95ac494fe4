"""Side by side: all spans of 2,000 traces through the extension and through MLflow's client.

The extension prints every column of mlflow_spans in the sqlite3 shell, to /dev/null; its time is
the whole process. search_traces() gives one row a trace with its spans in it, timed without the
import of mlflow.
"""

import json
import sys

import measuring

TRACES = 2_000
CLIENT = "mlflow.search_traces()"
PANDAS = """
import json, sys, time, mlflow
begin, cpu = time.monotonic(), time.process_time()
traces = mlflow.search_traces(locations=[sys.argv[1]])
print(json.dumps({"rows": len(traces), "wall_s": time.monotonic() - begin,
                  "cpu_s": time.process_time() - cpu}))
"""


def measure(server, experiment_id, folder, repeats):
    paths = "/api/3.0/mlflow/traces/(search|batchGet)"

    def extension():
        return measuring.shell(server, "", "SELECT * FROM mlflow_spans")

    def pandas():
        before = measuring.requests_logged(server, paths)
        result = measuring.run([sys.executable, "-c", PANDAS, experiment_id],
                               MLFLOW_TRACKING_URI=server.uri, MLFLOW_DISABLE_TELEMETRY="true")
        return (result | json.loads(result["output"])
                | {"requests": measuring.requests_logged(server, paths) - before})

    medians = measuring.take_turns({"SQL": extension, CLIENT: pandas}, repeats)
    faster = medians[CLIENT]["wall_s"] / medians["SQL"]["wall_s"]
    return (f"{measuring.markdown(medians, CLIENT)}\n\nThe extension is {faster:.1f} times as "
            "fast as `mlflow.search_traces` with spans.")


if __name__ == "__main__":
    measuring.main("spans", __doc__.split("\n")[0], lambda: measuring.seeded_store(TRACES),
                   measure)
