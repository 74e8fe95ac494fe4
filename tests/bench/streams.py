"""What streams are worth on a server with several workers, on a PostgreSQL store.

One scan of 20,000 traces for each number of workers and of streams, in the sqlite3 shell. Workers are
processes of one server, which is started anew for each number on the same store.
"""

import argparse
import os
import statistics

import psycopg2
import scan

import measuring

WORKERS = (1, 2, 4, 8)
STREAMS = (1, 2, 4, 8)


def scan_with(server, streams):
    result = measuring.shell(server, "", f"SELECT {scan.COLUMNS} FROM mlflow_traces",
                             MLFLOW_SQL_STREAMS=str(streams))
    if result["rows"] != scan.TRACES:
        raise RuntimeError(f"{result['rows']} traces of {scan.TRACES} were read")
    return result["wall_s"]


def fill(server):
    measuring.seed(server, scan.TRACES // scan.COPIES)
    with psycopg2.connect(server.postgresql.uri.replace("+psycopg2", "")) as db:
        measuring.multiply(db, scan.COPIES - 1)
        db.cursor().execute("ANALYZE")


def measure(repeats):
    """Wall seconds by (workers, streams): medians."""
    found = {}
    with measuring.live.Server(store="postgresql") as store:
        fill(store)
        for workers in WORKERS:
            with measuring.live.Server(store=store.postgresql.uri, workers=workers) as server:
                scan_with(server, 1)  # warms up
                for streams in STREAMS:
                    walls = [scan_with(server, streams) for _ in range(repeats)]
                    found[workers, streams] = statistics.median(walls)
                    print(f"  {workers} workers, {streams} streams: "
                          f"{found[workers, streams]:.2f} s", flush=True)
    return found


def markdown(found):
    one = found[1, 1]
    return "\n".join(
        ["| workers | " + " | ".join(
            f"{streams} stream{'s' * (streams > 1)}" for streams in STREAMS) + " |",
         "|---|" + "---|" * len(STREAMS)]
        + [f"| {workers} | " + " | ".join(f"{found[workers, streams] / one:.2f}"
                                          for streams in STREAMS) + " |" for workers in WORKERS])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests/bench/run streams",
                                     description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    measuring.build()
    table = markdown(measure(arguments.repeats))
    measuring.publish("streams", f"{table}\n\nWall time, one worker and one stream = 1. Medians of "
                      f"{arguments.repeats}; MLflow {measuring.live.NEWEST} on PostgreSQL 15, all "
                      f"together on {os.cpu_count()} cores.", arguments.write)
