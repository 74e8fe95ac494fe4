"""How fast are percentile() and strata(), next to SQLite's own percentile and DuckDB?

    PYTHON tests/bench/functions/run.py PATH_TO_mlflow [--rows N] [--sqlite NAME=LIBRARY ...]

One run over one table of N rows (10 million): trace ids, latencies, classes. PYTHON has duckdb and numpy.
Each engine gets the rows in memory, in a process of its own; each figure is the best of three.

SQLite's own percentile() is in libraries built with SQLITE_ENABLE_PERCENTILE. Build one from an
amalgamation, with the flags that Debian's has, and name it:

    gcc -O2 -fPIC -shared -DSQLITE_ENABLE_PERCENTILE -o /tmp/libsqlite3.so sqlite3.c -lm
    PYTHON run.py build/mlflow0 --sqlite 3.51.3=/tmp/libsqlite3.so

Up to 3.53 it sorts; 3.54 selects, as ours does. Both functions then run on that same SQLite.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

FILL = """
CREATE TABLE t(trace_id TEXT, ms REAL, class TEXT);
WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < {rows})
INSERT INTO t SELECT 'tr-' || printf('%08x%08x', i * 2654435761 % 4294967296, i) || '00000000deadbeef',
  10 + 0.001 * ((i * 7919 % 1000003) * (i * 104729 % 1000003) % 9999991),
  CASE WHEN i % 20 = 0 THEN 'ERROR' WHEN i % 3 = 0 THEN 'medium' ELSE 'fast' END FROM g;
"""

PERCENTILES = {
    "count(ms): the scan alone": "SELECT count(ms) FROM t",
    "percentile(ms, 95)": "SELECT percentile(ms, 95) FROM t",
    "percentile(ms, 50)": "SELECT percentile(ms, 50) FROM t",
    "three percentiles": "SELECT percentile(ms, 50), percentile(ms, 95), percentile(ms, 99) FROM t",
    "percentile(ms, 95) by class": "SELECT class, percentile(ms, 95) FROM t GROUP BY class",
    "median of 1,001 rows, sliding over 200,000": "SELECT sum(m) FROM (SELECT median(ms) OVER"
    " (ORDER BY rowid ROWS 1000 PRECEDING) AS m FROM t LIMIT 200000)",
    "median of 50,001 rows, sliding over 200,000": "SELECT sum(m) FROM (SELECT median(ms) OVER"
    " (ORDER BY rowid ROWS 50000 PRECEDING) AS m FROM (SELECT rowid, ms FROM t LIMIT 200000))",
}

SAMPLES = {
    "count(trace_id), count(class), trivial(trace_id, class, 50)": "SELECT count(trace_id),"
    " count(class), trivial(trace_id, class, 50) FROM t",
    "strata(trace_id, class, 50)": "SELECT length(strata(trace_id, class, 50)) FROM t",
    "stratified_sample(strata(...))": "SELECT count(*) FROM stratified_sample("
    "(SELECT strata(trace_id, class, 50) FROM t))",
}

DUCKDB = {
    "quantile_cont(ms, 0.95)": "SELECT quantile_cont(ms, 0.95) FROM t",
    "quantile_cont(ms, 0.5)": "SELECT quantile_cont(ms, 0.5) FROM t",
    "quantile_cont(ms, [0.5, 0.95, 0.99])": "SELECT quantile_cont(ms, [0.5, 0.95, 0.99]) FROM t",
    "quantile_cont(ms, 0.95) by class": "SELECT class, quantile_cont(ms, 0.95) FROM t GROUP BY class",
    "USING SAMPLE 17, class by class": "SELECT count(*) FROM ("
    + " UNION ALL ".join(
        f"SELECT * FROM (SELECT * FROM t WHERE class = '{name}') USING SAMPLE reservoir(17 ROWS)"
        for name in ("ERROR", "fast", "medium")
    )
    + ")",
    "row_number() OVER (PARTITION BY class ORDER BY hash(trace_id)) <= 17": "SELECT count(*) FROM"
    " (SELECT trace_id FROM t QUALIFY row_number() OVER (PARTITION BY class ORDER BY hash(trace_id))"
    " <= 17)",
}


def best(execute, sql):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        result = execute(sql)
        times.append(time.perf_counter() - start)
    return min(times), result


def run_sqlite(database, extensions, queries):
    """In a child: the figures of one SQLite, as JSON."""
    import sqlite3

    db = sqlite3.connect(":memory:")
    db.enable_load_extension(True)
    for extension in extensions:
        db.load_extension(extension)
    db.execute("ATTACH ? AS file", (database,))
    db.execute("CREATE TABLE t AS SELECT * FROM file.t")
    figures = {"version": sqlite3.sqlite_version}
    for name, sql in queries.items():
        try:
            figures[name] = best(lambda text: db.execute(text).fetchall(), sql)
        except sqlite3.Error as error:
            figures[name] = [None, str(error)]
    print(json.dumps(figures))


def run_duckdb(database, threads):
    import duckdb

    db = duckdb.connect(config={"threads": threads})
    rows = duckdb_rows(database)
    db.execute("CREATE TABLE t AS SELECT * FROM rows")
    del rows
    print(
        json.dumps(
            {
                "version": duckdb.__version__,
                **{
                    name: best(lambda text: db.execute(text).fetchall(), sql)
                    for name, sql in DUCKDB.items()
                },
            }
        )
    )


def duckdb_rows(database):
    """The same rows, without DuckDB's SQLite extension, which it would download."""
    import sqlite3

    import pandas

    return pandas.read_sql("SELECT * FROM t", sqlite3.connect(database))


def child(arguments, library=None):
    environment = dict(os.environ)
    if library:
        environment["LD_PRELOAD"] = str(pathlib.Path(library).resolve())
    command = [sys.executable, __file__, "--child", json.dumps(arguments)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if run.returncode:
        sys.exit(run.stderr)
    return json.loads(run.stdout)


def show(title, figures):
    print(f"\n{title} {figures.pop('version')}")
    for name, (seconds, result) in figures.items():
        print(
            f"  {seconds:8.3f} s  {name}"
            if seconds is not None
            else f"         -    {name}: {result}"
        )


def compare(name, ours, theirs):
    for query in PERCENTILES:
        if ours[query][0] is None or theirs[query][0] is None or query.startswith("count"):
            continue
        same = "same result" if ours[query][1] == theirs[query][1] else "OTHER RESULT"
        print(f"  {theirs[query][0] / ours[query][0]:6.2f} x  {query}  ({same})")
    print(f"  (SQLite {name}'s own percentile / ours, on that SQLite, scan included)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("extension")
    parser.add_argument("--rows", type=int, default=10000000)
    parser.add_argument("--sqlite", action="append", default=[], metavar="NAME=LIBRARY")
    options = parser.parse_args()
    extension = str(pathlib.Path(options.extension).resolve())
    with tempfile.TemporaryDirectory() as directory:
        import sqlite3

        trivial = f"{directory}/trivial"
        subprocess.run(
            ["cc", "-O2", "-fPIC", "-shared", "-o", trivial + ".so", HERE / "trivial.c"], check=True
        )
        database = f"{directory}/bench.db"
        db = sqlite3.connect(database)
        db.executescript("PRAGMA journal_mode = OFF;" + FILL.format(rows=options.rows))
        db.close()
        figures = child(["sqlite", database, [extension, trivial], PERCENTILES | SAMPLES])
        ratio = figures[list(SAMPLES)[1]][0] / figures[list(SAMPLES)[0]][0]
        show("ours on this system's SQLite", figures)
        print(f"  {ratio:6.2f} x  strata / the trivial aggregate with the counts")
        for name, library in (pair.split("=", 1) for pair in options.sqlite):
            ours = child(["sqlite", database, [extension, trivial], PERCENTILES | SAMPLES], library)
            theirs = child(["sqlite", database, [], PERCENTILES], library)
            show("ours on SQLite", dict(ours))
            show("its own on SQLite", dict(theirs))
            compare(name, ours, theirs)
        for threads in (1, os.cpu_count()):
            show(
                f"DuckDB, {threads} thread{'s'[: threads > 1]},",
                child(["duckdb", database, threads]),
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        kind, *arguments = json.loads(sys.argv[2])
        {"sqlite": run_sqlite, "duckdb": run_duckdb}[kind](*arguments)
    else:
        main()
