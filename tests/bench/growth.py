"""How a mirror grows: ten questions, full text, a sync where nothing is new, and the file.

The mirrors of 10,000 and 100,000 traces are copied from a server; that of 1,000,000 is the one of
100,000 with nine copies of each trace beside it, made in the file, since a server of that size
would take a day to fill. Its sync asks the server of 100,000. The questions are those of the
mirror's benchmark, over seven days.
"""

import contextlib
import shutil
import sqlite3
import statistics
import time

import measuring
import mirror

SIZES = (10_000, 100_000)
COPIES = 9
TABLES = ("mirror_trace", "mirror_trace_json", "mirror_document", "mirror_assessment",
          "mirror_assessment_text")
WORD = "refund"


def multiply(path):
    """Adds copies of every trace to a mirror: other ids, other times."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA cache_size = -400000")
        db.execute("CREATE TEMP TABLE copies AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL "
                   f"SELECT n + 1 FROM c WHERE n < {COPIES}) SELECT n FROM c")
        for table in TABLES:
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            values = {"trace_id": "trace_id || printf('%02x', n)", "document_id": "NULL",
                      "timestamp_ms": "timestamp_ms - n * 123457",
                      "assessment_id": "assessment_id || printf('%02x', n)"}
            shown = ", ".join(values.get(name, f'"{name}"') for name in names)
            db.execute(f"CREATE TEMP TABLE made AS SELECT {shown} FROM {table}, copies")
            db.execute(f"INSERT INTO {table} SELECT * FROM made")
            db.execute("DROP TABLE made")


def seconds(repeats, ask):
    took = []
    for _ in range(repeats + 1):
        begin = time.monotonic()
        ask()
        took.append(time.monotonic() - begin)
    return statistics.median(took[1:])


def row(path, environment, repeats):
    [[traces, newest]] = sqlite3.connect(path).execute(
        "SELECT count(*), max(timestamp_ms) FROM mirror_trace").fetchall()
    week = f"(SELECT * FROM traces WHERE timestamp_ms > {newest - 7 * 86_400_000})"
    questions = f".load {measuring.EXTENSION}\n{mirror.QUESTIONS.format(week)};\n"
    search = ("SELECT trace_id, rank FROM search WHERE search MATCH "
              f"'{WORD}' ORDER BY rank LIMIT 10;\n")

    def sync():
        measuring.run([measuring.ROOT / "sql" / "mirror", path, "--quiet"], **environment)

    sync()
    ten = seconds(repeats, lambda: measuring.run(["sqlite3", "-batch", "-bail", path], questions))
    text = seconds(repeats, lambda: measuring.run(["sqlite3", "-batch", "-bail", path], search))
    nothing_new = seconds(repeats, sync)
    requests = measuring.run(["sqlite3", path], "SELECT requests FROM mirror_status;")["output"]
    return (f"| {traces:,} | {ten:.2f} | {text:.2f} | {nothing_new:.2f} | {requests.strip()} | "
            f"{path.stat().st_size / 2**20:,.0f} |")


def measure(server, experiment_id, folder, repeats):
    rows = []
    environment = {"MLFLOW_TRACKING_URI": server.uri, "MLFLOW_EXPERIMENT_ID": experiment_id}
    with measuring.live.Server(database=folder / "small.db", workers=server.workers) as small:
        for traces, asked in ((SIZES[0], small), (SIZES[1], server)):
            path = folder / f"mirror-{traces}.db"
            own = environment | {"MLFLOW_TRACKING_URI": asked.uri}
            measuring.run(["sqlite3", path], f".read {measuring.ROOT}/sql/mirror.sql\n"
                          "UPDATE mirror_settings SET spans_days = 0;\n")
            measuring.run([measuring.ROOT / "sql" / "mirror", path, "--quiet"], **own)
            rows.append(row(path, own, repeats))
            print(rows[-1], flush=True)
    large = folder / "mirror-large.db"
    shutil.copy(path, large)
    multiply(large)
    rows.append(row(large, environment, repeats))
    return "\n".join(
        ["| traces | ten questions, s | full text, s | a sync with nothing new, s | its requests | "
         "file, MiB |", "|---|---|---|---|---|---|", *rows])


def stores(folder):
    small, large = (measuring.seeded_store(traces, traces // mirror.ORIGINALS) for traces in SIZES)
    shutil.copy(small, folder / "small.db")
    return large


if __name__ == "__main__":
    measuring.main("growth", __doc__.split("\n", 1)[0], stores, measure)
