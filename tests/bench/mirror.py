"""What ten questions over seven days of traces cost, and what a mirror of them costs.

The questions are a dashboard's: counts, rates, percentiles, tokens and cost by hour, day, name,
user and session. They go to the server, to a temporary table that is filled first, to a mirror
that is there, and to DuckDB over Parquet of the same rows. One question goes over all traces. Then
the mirror is made, beside a plain scan of the same columns of traces and assessments, and brought
up to date where nothing is new; without spans (spans_days = 0): what those cost is another
benchmark's. The time is the whole process, and for DuckDB also without Python's start and import.

With --growth: the questions to mirrors of a tenth of the store's traces, of all of them, and of ten
times as many. No server is filled for the last one: it is the one before with nine more of each
trace, made in the file.
"""

import contextlib
import itertools
import json
import sqlite3
import sys

import measuring

ORIGINALS = 1000  # traces that were made through the client
SERVER, TABLE = "the server", "a temporary table, filled first"
READ = ("name, status, timestamp_ms, execution_time_ms, user_id, session_id, total_tokens, "
        "total_cost")
QUESTIONS = """
SELECT count(*), avg(status = 'OK') FROM {0};
SELECT status, count(*) FROM {0} GROUP BY 1;
SELECT timestamp_ms / 3600000, count(*), sum(status = 'ERROR') FROM {0} GROUP BY 1;
SELECT timestamp_ms / 86400000, percentile(execution_time_ms, 95) FROM {0} GROUP BY 1;
SELECT name, count(*), percentile(execution_time_ms, 50), percentile(execution_time_ms, 95)
FROM {0} GROUP BY 1;
SELECT timestamp_ms / 86400000, sum(total_tokens), sum(total_cost) FROM {0} GROUP BY 1;
SELECT name, avg(status = 'ERROR') FROM {0} GROUP BY 1 ORDER BY 2 DESC;
SELECT user_id, sum(total_cost) FROM {0} GROUP BY 1 ORDER BY 2 DESC LIMIT 10;
SELECT session_id, count(*), max(execution_time_ms) FROM {0} GROUP BY 1 ORDER BY 2 DESC LIMIT 10;
SELECT latency_class(execution_time_ms), count(*) FROM {0} GROUP BY 1
"""
ALL = "SELECT name, count(*), percentile(execution_time_ms, 95) FROM {0} GROUP BY 1"
DUCKDB = """
import json, sys, time, duckdb
connection = duckdb.connect()
begin, cpu = time.monotonic(), time.process_time()
for question in sys.stdin.read().split(";"):
    connection.execute(question).fetchall()
print(json.dumps({"wall_s": time.monotonic() - begin, "cpu_s": time.process_time() - cpu}))
"""


def for_duckdb(questions):
    """The same in DuckDB's words."""
    for ours, its in (("percentile(execution_time_ms, 95)",
                       "quantile_cont(execution_time_ms, 0.95)"),
                      ("percentile(execution_time_ms, 50)",
                       "quantile_cont(execution_time_ms, 0.5)"),
                      ("avg(status = 'OK')", "avg(CAST(status = 'OK' AS INTEGER))"),
                      ("avg(status = 'ERROR')", "avg(CAST(status = 'ERROR' AS INTEGER))"),
                      ("timestamp_ms / ", "timestamp_ms // "),
                      ("latency_class(execution_time_ms)",
                       "CASE WHEN execution_time_ms < 1000 THEN 1 WHEN execution_time_ms < 5000 "
                       "THEN 2 WHEN execution_time_ms < 15000 THEN 3 ELSE 4 END")):
        questions = questions.replace(ours, its)
    return questions.strip()


def write_parquet(database, path):
    import pyarrow
    import pyarrow.parquet

    with sqlite3.connect(database) as mirror:
        cursor = mirror.execute(f"SELECT {READ} FROM mirror_trace")
        columns = zip(*cursor.fetchall())
        names = [column[0] for column in cursor.description]
    mirror.close()
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, map(list, columns)))), path)


def mirror(server, path):
    """What it costs to make the mirror, or to bring it up to date."""
    if not path.exists():
        measuring.run(["sqlite3", path], f".read {measuring.ROOT}/sql/mirror.sql\n"
                      "UPDATE mirror_settings SET spans_days = 0;\n")
    result = measuring.run([measuring.ROOT / "sql" / "mirror", path, "--quiet"],
                           MLFLOW_TRACKING_URI=server.uri,
                           MLFLOW_EXPERIMENT_NAME=measuring.EXPERIMENT)
    seen = measuring.run(["sqlite3", path], "SELECT requests FROM mirror_status;")
    # The peak is that of bash, which waits for sqlite3.
    return result | {"requests": int(seen["output"]), "peak_mib": float("nan")}


def scan_of_all():
    """What a mirror reads, as one plain statement."""
    def columns(table):
        return measuring.run(
            ["sqlite3", "-batch"], f".load {measuring.EXTENSION}\nSELECT name FROM "
            f"pragma_table_info('mlflow_{table}') WHERE name NOT IN ('request', 'response');"
        )["output"].split()

    traces, assessments = columns("traces"), columns("assessments")
    assessments += ["NULL"] * (len(traces) - len(assessments))
    return (f"SELECT {', '.join(traces)} FROM mlflow_traces UNION ALL "
            f"SELECT {', '.join(assessments)} FROM mlflow_assessments")


def last_week(path):
    newest = measuring.run(["sqlite3", path], "SELECT max(timestamp_ms) FROM traces;")["output"]
    return f"WHERE timestamp_ms > {int(newest) - 7 * 86_400_000}"


def ask_mirror(path, source, questions=QUESTIONS):
    script = f".load {measuring.EXTENSION}\n" + questions.format(source) + ";\n"
    return measuring.run(["sqlite3", "-batch", "-bail", path], script) | {"requests": 0}


def multiply(path):
    """Adds nine copies of every trace to a mirror: other ids, other times."""
    changed = {"trace_id": "trace_id || '-' || n", "document_id": "NULL",
               "assessment_id": "assessment_id || '-' || n",
               "timestamp_ms": "timestamp_ms - n * 123457"}
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TEMP TABLE copies AS SELECT value AS n FROM json_each(?)",
                   (json.dumps(list(range(1, 10))),))
        # The trigger of a declared tag reads it from the trace's JSON, which so comes first.
        for table in ("mirror_trace_json", "mirror_trace", "mirror_document", "mirror_assessment",
                      "mirror_assessment_text"):
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(changed.get(name, f'"{name}"') for name in names)
            db.execute(f"INSERT INTO {table} SELECT {values} FROM {table}, copies")


def growth(server, experiment_id, folder, repeats):
    def row(path, asked=None):
        costs = ["–"] * 4
        if asked:
            copy = mirror(asked, path)
            sync = measuring.take_turns({"nothing new": lambda: mirror(asked, path)}, repeats)
            sync = sync["nothing new"]
            costs = [f"{copy['wall_s']:.1f}", str(copy["requests"]), f"{sync['wall_s']:.2f}",
                     f"{sync['requests']:.0f}"]
        week = f"(SELECT * FROM traces {last_week(path)})"
        asked = measuring.take_turns({"ten questions": lambda: ask_mirror(path, week)}, repeats)
        traces = int(measuring.run(["sqlite3", path], "SELECT count(*) FROM traces;")["output"])
        return traces, " | ".join([f"| {traces:,}", *costs,
                                   f"{asked['ten questions']['wall_s']:.2f}",
                                   f"{path.stat().st_size / 2**20:,.0f} |"])

    path = folder / "mirror.db"
    traces, middle = row(path, server)
    store = measuring.seeded_store(traces // 10, max(traces // 10 // ORIGINALS, 1))
    with measuring.live.Server(copy_of=store, workers=server.workers) as small:
        _, first = row(folder / "small.db", small)
    multiply(path)
    _, last = row(path)
    return "\n".join(
        ["| traces | first copy, s | its requests | nothing new, s | its requests | "
         "ten questions over seven days, s | file, MiB |", "|---|---|---|---|---|---|---|",
         first, middle, last]) + "\n\n"


def measure(server, experiment_id, folder, repeats):
    database, parquet = folder / "mirror.db", folder / "traces.parquet"
    copies = itertools.count()

    mirror(server, database)
    write_parquet(database, parquet)
    week = last_week(database)

    def ask(source, setup="", questions=QUESTIONS):
        return measuring.shell(server, "", setup + questions.format(source).rstrip())

    def ask_duckdb(timed_inside):
        result = measuring.run([sys.executable, "-c", DUCKDB],
                               for_duckdb(QUESTIONS.format(f"(FROM '{parquet}' {week})")))
        return result | (json.loads(result["output"]) if timed_inside else {}) | {"requests": 0}

    runners = {
        SERVER: lambda: ask(f"(SELECT * FROM mlflow_traces {week})"),
        TABLE: lambda: ask("week", f"CREATE TEMP TABLE week AS SELECT {READ} "
                                   f"FROM mlflow_traces {week};"),
        "a mirror": lambda: ask_mirror(database, f"(SELECT * FROM traces {week})"),
        "DuckDB over Parquet": lambda: ask_duckdb(False),
        "DuckDB over Parquet, its questions alone": lambda: ask_duckdb(True),
        "p95 by name, all traces, the server": lambda: ask("mlflow_traces", questions=ALL),
        "p95 by name, all traces, a mirror": lambda: ask_mirror(database, "traces", ALL),
        "a scan of what a mirror holds": lambda: measuring.shell(server, "", scan_of_all()),
        "sql/mirror, all": lambda: mirror(server, folder / f"mirror{next(copies)}.db"),
        "sql/mirror, nothing new": lambda: mirror(server, database)}
    text = measuring.markdown(measuring.take_turns(runners, repeats), SERVER)
    counts = measuring.run(["sqlite3", "-list", database],
                           "SELECT printf('%,d', count(*)) FROM traces;")["output"].strip()
    return (f"{text}\n\nThe mirror holds {counts} traces without spans in "
            f"{database.stat().st_size / 2**20:.0f} MiB.")


if __name__ == "__main__":
    grown = "--growth" in sys.argv
    if grown:
        sys.argv.remove("--growth")
    measuring.main("growth" if grown else "mirror", __doc__.split("\n", 1)[0],
                   lambda traces: measuring.seeded_store(traces, max(traces // ORIGINALS, 1)),
                   growth if grown else measure, traces=100_000 if grown else 20_000)
