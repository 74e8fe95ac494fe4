"""Side by side: the extension, MLflow's pandas client, and a bare HTTP client, on 20,000 traces.

Every contender reads all traces of one experiment from the same server, in turns, several times;
the table has medians. The extension runs in the sqlite3 shell and prints thirteen columns, raw JSON
included, to /dev/null; its time is the whole process. search_traces(include_spans=False) is timed
without the import of mlflow. The bare client fetches the same pages one after the other and drops
them: what is slower than it is ours. Requests are counted in the server's log.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "live"))
import server as live  # noqa: E402

EXPERIMENT = "agent-prod"
TRACES = 20_000
SEEDED = 1_000
POLL_SECONDS = 0.02
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"

COLUMNS = ("trace_id, name, status, timestamp_ms, execution_time_ms, session_id, user_id, "
           "total_tokens, request_preview, response_preview, tags, metadata, assessments")
PANDAS = """
import json, sys, time, mlflow
begin, cpu = time.monotonic(), time.process_time()
rows = len(mlflow.search_traces(locations=[sys.argv[1]], include_spans=False))
print(json.dumps({"rows": rows, "wall_s": time.monotonic() - begin,
                  "cpu_s": time.process_time() - cpu}))
"""


def multiply(path, copies):
    """Adds copies of every trace to a store, without spans: other ids, other times."""
    with sqlite3.connect(path) as db:
        def copy(table, changed):
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(changed.get(name, name) for name in names)
            db.execute(f"INSERT INTO {table}({', '.join(names)}) SELECT {values} FROM "
                       f"(SELECT * FROM {table} WHERE {key[table]} IN (SELECT id FROM original))"
                       ", copies")

        key = {"trace_info": "request_id", "trace_tags": "request_id",
               "trace_request_metadata": "request_id", "assessments": "trace_id"}
        db.execute("CREATE TEMP TABLE original AS SELECT request_id AS id FROM trace_info")
        db.execute("CREATE TEMP TABLE copies AS WITH RECURSIVE c(n) AS "
                   f"(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {copies}) SELECT n FROM c")
        for table, trace in key.items():
            changed = {trace: f"substr({trace}, 1, 29) || printf('%06x', n)"}
            if table == "trace_info":
                changed["timestamp_ms"] = "timestamp_ms - n * 1234567"
            if table == "assessments":
                changed["assessment_id"] = "substr(assessment_id, 1, 28) || printf('%06x', n)"
                changed["trace_timestamp_ms"] = "trace_timestamp_ms - n * 1234567"
            copy(table, changed)
    db.close()


def seeded_store():
    """The file of a store with the traces, kept in the cache."""
    seeder = hashlib.sha256(b"".join(path.read_bytes() for path in (
        HERE.parent / "live" / "seed.py", HERE.parent / "live" / "scenario.py"))).hexdigest()[:12]
    folder = live.environment_of(live.NEWEST).parent
    kept = folder / f"bench-{live.NEWEST}-{seeder}-{TRACES}.db"
    if not kept.exists():
        for old in folder.glob("bench-*.db*"):
            old.unlink()
        print(f"Seeding {TRACES} traces", flush=True)
        new = kept.with_suffix(".db.new")
        with live.Server(database=new) as server:
            subprocess.run(
                [sys.executable, HERE.parent / "live" / "seed.py", "--traces", str(SEEDED),
                 "--experiment", EXPERIMENT],
                check=True, env=os.environ | {"MLFLOW_TRACKING_URI": server.uri})
        multiply(new, TRACES // SEEDED - 1)
        new.rename(kept)
    return kept


def peak_mib(pid):
    """The most memory that a running process had at once, as far as it got."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0


def run(command, given="", **variables):
    """Wall and CPU seconds, peak MiB and the short output of a process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")} | variables
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=environment)
    process.stdin.write(given)
    process.stdin.close()
    peak, ended = 0, 0
    while not ended:  # wait4 would say the peak of this process, from before the exec
        peak = max(peak, peak_mib(process.pid))
        time.sleep(POLL_SECONDS)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    wall_s = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    output = process.stdout.read()
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": peak,
            "output": output}


def contenders(server, experiment_id, bare_client):
    def extension(**variables):
        sql = (f".load {ROOT / 'build' / 'mlflow'}\n.output /dev/null\nSELECT {COLUMNS} FROM "
               "mlflow_traces;\n.output stdout\nSELECT sum(rows_kept) FROM mlflow_requests;\n")
        result = run(["sqlite3", "-batch", "-bail"], sql, MLFLOW_TRACKING_URI=server.uri,
                     MLFLOW_EXPERIMENT_NAME=EXPERIMENT, **variables)
        return result | {"rows": int(result["output"])}

    def pandas():
        result = run([sys.executable, "-c", PANDAS, experiment_id],
                     MLFLOW_TRACKING_URI=server.uri, MLFLOW_DISABLE_TELEMETRY="true")
        return result | json.loads(result["output"])

    def bare():
        result = run([bare_client, server.uri, experiment_id])
        return result | {"rows": TRACES}

    return {
        "SQL, default streams": extension,
        "SQL, one stream": lambda: extension(MLFLOW_SQL_STREAMS="1"),
        "mlflow.search_traces(include_spans=False)": pandas,
        "bare HTTP client, one connection": bare,
    }


def measure(server, runners, repeats):
    """The medians of each contender's figures, over turns; one turn first to warm up."""
    found = {name: [] for name in runners}
    for turn in range(repeats + 1):
        for name, runner in runners.items():
            before = requests(server)
            result = runner()
            result["requests"] = requests(server) - before
            if result["rows"] != TRACES:
                raise RuntimeError(f"{name} read {result['rows']} traces of {TRACES}")
            if turn:
                found[name].append(result)
            print(f"  {'warm-up' if not turn else f'turn {turn}'}: {name}: "
                  f"{result['wall_s']:.2f} s", flush=True)
    return {name: {key: statistics.median(result[key] for result in results)
                   for key in ("wall_s", "cpu_s", "peak_mib", "requests")}
            for name, results in found.items()}


def requests(server):
    log = pathlib.Path(server.log).read_text()
    return len(re.findall(r'"POST /api/3.0/mlflow/traces/search', log))


def table(medians, workers, repeats):
    bare = medians["bare HTTP client, one connection"]["wall_s"]
    lines = ["| contender | wall s | CPU s | peak MiB | requests | wall, bare client = 1 |",
             "|---|---|---|---|---|---|"]
    lines += [f"| {name} | {row['wall_s']:.2f} | {row['cpu_s']:.2f} | {row['peak_mib']:.0f} | "
              f"{row['requests']:.0f} | {row['wall_s'] / bare:.2f} |"
              for name, row in medians.items()]
    faster = medians["mlflow.search_traces(include_spans=False)"]["wall_s"] / \
        medians["SQL, default streams"]["wall_s"]
    lines += ["", f"The extension is {faster:.1f} times as fast as `mlflow.search_traces`. Medians "
              f"of {repeats}; MLflow {live.NEWEST} with {workers} workers on its SQLite store, "
              f"server and client together on {os.cpu_count()} cores."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=4, help="of the server; MLflow's default")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="sqlite-mlflow-bench-"))
    try:
        subprocess.run(["cmake", "--workflow", "--preset", "release"], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
        bare_client = folder / "bare_client"
        subprocess.run(["cc", "-std=c11", "-O2", HERE / "bare_client.c", "-lcurl", "-o",
                        bare_client], check=True)
        store = folder / "mlflow.db"
        shutil.copy(seeded_store(), store)
        with live.Server(workers=arguments.workers, database=store) as server:
            listed = run(["sqlite3", "-batch"], f".load {ROOT / 'build' / 'mlflow'}\nSELECT "
                         f"experiment_id FROM mlflow_experiments WHERE name = '{EXPERIMENT}';",
                         MLFLOW_TRACKING_URI=server.uri)
            runners = contenders(server, listed["output"].strip(), bare_client)
            medians = measure(server, runners, arguments.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = table(medians, arguments.workers, arguments.repeats)
    print(text)
    if arguments.write:
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
