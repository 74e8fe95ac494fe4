"""What the benchmarks share: seeded stores, processes that are measured, turns, and the tables in
docs/performance.md.
"""

import argparse
import contextlib
import hashlib
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
POLL_SECONDS = 0.02
PAGE = ROOT / "docs" / "performance.md"
EXTENSION = ROOT / "build" / "mlflow0"


def multiply(db, copies):
    """Adds copies of every trace to a store, without spans: other ids, other times. `db` is a
    connection to SQLite or PostgreSQL."""
    cursor = db.cursor()

    def copy(table, changed):
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        names = [column[0] for column in cursor.description]
        values = ", ".join(changed.get(name, name) for name in names)
        cursor.execute(f"INSERT INTO {table}({', '.join(names)}) SELECT {values} FROM "
                       f"(SELECT * FROM {table} WHERE {key[table]} IN (SELECT id FROM original))"
                       " AS one, copies")

    key = {"trace_info": "request_id", "trace_tags": "request_id",
           "trace_request_metadata": "request_id", "assessments": "trace_id"}
    cursor.execute("CREATE TEMP TABLE original AS SELECT request_id AS id FROM trace_info")
    cursor.execute("CREATE TEMP TABLE copies AS WITH RECURSIVE c(n) AS "
                   f"(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {copies}) SELECT n FROM c")
    for table, trace in key.items():
        changed = {trace: f"substr({trace}, 1, 29) || (100000 + n)"}
        if table == "trace_info":
            changed["timestamp_ms"] = "timestamp_ms - n * 1234567"
        if table == "assessments":
            changed["assessment_id"] = "substr(assessment_id, 1, 28) || (100000 + n)"
            changed["trace_timestamp_ms"] = "trace_timestamp_ms - n * 1234567"
        copy(table, changed)
    db.commit()


def seed(server, traces):
    """Fills the experiment through MLflow's client."""
    subprocess.run([sys.executable, HERE.parent / "live" / "seed.py", "--traces", str(traces),
                    "--experiment", EXPERIMENT],
                   check=True, env=os.environ | {"MLFLOW_TRACKING_URI": server.uri})


def seeded_store(traces, copied=1):
    """The file of a store with so many traces, kept in the cache. `copied` is how many of them
    come of one that was made through the client; only that one has spans."""
    seeder = hashlib.sha256(b"".join(path.read_bytes() for path in (
        HERE.parent / "live" / "seed.py", HERE.parent / "live" / "scenario.py"))).hexdigest()[:12]
    folder = live.environment_of(live.NEWEST).parent
    kept = folder / f"bench-{live.NEWEST}-{seeder}-{traces}.db"
    if not kept.exists():
        for old in folder.glob(f"bench-*-{traces}.db*"):
            old.unlink()
        print(f"Seeding {traces} traces", flush=True)
        new = kept.with_suffix(".db.new")
        with live.Server(database=new) as server:
            seed(server, traces // copied)
        if copied > 1:
            with contextlib.closing(sqlite3.connect(new)) as db:
                multiply(db, copied - 1)
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


def shell(server, setup, sql, database=":memory:", **variables):
    """The sqlite3 shell on a statement whose rows go to /dev/null. `rows` are those that the
    server sent and that were kept, `requests` all that were asked."""
    script = (f".load {EXTENSION}\n{setup}\n.output /dev/null\n{sql};\n"
              ".output stdout\nSELECT sum(rows_kept) FILTER (WHERE endpoint LIKE '%search'), "
              "count(*) FROM mlflow_requests;\n")
    result = run(["sqlite3", "-batch", "-bail", "-separator", " ", database], script,
                 MLFLOW_TRACKING_URI=server.uri, MLFLOW_EXPERIMENT_NAME=EXPERIMENT, **variables)
    rows, requests = result["output"].split()[-2:]
    return result | {"rows": int(rows), "requests": int(requests)}


def take_turns(runners, repeats):
    """The medians of each contender's figures, over turns; one turn first to warm up."""
    found = {name: [] for name in runners}
    for turn in range(repeats + 1):
        for name, runner in runners.items():
            result = runner()
            if turn:
                found[name].append(result)
            print(f"  {'warm-up' if not turn else f'turn {turn}'}: {name}: "
                  f"{result['wall_s']:.2f} s", flush=True)
    return {name: {key: statistics.median(result[key] for result in results)
                   for key in ("wall_s", "cpu_s", "peak_mib", "requests")}
            for name, results in found.items()}


def requests_logged(server, path):
    log = pathlib.Path(server.log).read_text()
    return len(re.findall(f'"[A-Z]+ {path}', log))


def markdown(medians, unit):
    """The table of the medians, walls also as multiples of that of `unit`; NaN is not known."""
    one = medians[unit]["wall_s"]
    return "\n".join(
        [f"| contender | wall s | CPU s | peak MiB | requests | wall, {unit} = 1 |",
         "|---|---|---|---|---|---|"]
        + [f"| {name} | {row['wall_s']:.2f} | {row['cpu_s']:.2f} | {row['peak_mib']:.0f} | "
           f"{row['requests']:.0f} | {row['wall_s'] / one:.2f} |"
           for name, row in medians.items()]).replace("| nan |", "| – |")


def main(name, description, store, measure, traces=None):
    """A benchmark's command line: `measure(server, experiment_id, folder, repeats)` on a copy of
    the seeded store gives the text that docs/performance.md has between its marks. Where `traces`
    says how many there are unless asked for otherwise, the store is told."""
    parser = argparse.ArgumentParser(prog=f"tests/bench/run {name}", description=description)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=4, help="of the server; MLflow's default")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    if traces:
        parser.add_argument("--traces", type=int, default=traces)
    arguments = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="sqlite-mlflow-bench-"))
    try:
        build()
        shutil.copy(store(arguments.traces) if traces else store(), folder / "mlflow.db")
        with live.Server(workers=arguments.workers, database=folder / "mlflow.db") as server:
            listed = run(["sqlite3", "-batch"], f".load {EXTENSION}\nSELECT "
                         f"experiment_id FROM mlflow_experiments WHERE name = '{EXPERIMENT}';",
                         MLFLOW_TRACKING_URI=server.uri)
            text = measure(server, listed["output"].strip(), folder, arguments.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = text if text.endswith("\n") else text + " "
    publish(name, f"{text}Medians of {arguments.repeats}; MLflow {live.NEWEST} with "
            f"{arguments.workers} workers on its SQLite store, server and client together on "
            f"{os.cpu_count()} cores.", arguments.write)


def build():
    subprocess.run(["cmake", "--workflow", "--preset", "release"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)


def publish(name, text, write):
    """Prints what was measured; writes it between the marks of docs/performance.md."""
    print(text)
    if write:
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = PAGE.read_text().split(begin)
        PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
