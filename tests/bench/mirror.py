"""What ten questions over seven days of 20,000 traces cost, and what a mirror of them costs.

The questions are a dashboard's: counts, rates, percentiles, tokens and cost by hour, day, name,
user and session. They go to the server, to a temporary table that is filled first, and to a mirror
that is there. Then the mirror is made, and brought up to date where nothing is new; without spans
(spans_days = 0): what those cost is another benchmark's. The time is the whole process.
"""

import itertools

import measuring
import scan

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


def measure(server, experiment_id, folder, repeats):
    database = folder / "mirror.db"
    copies = itertools.count()
    environment = {"MLFLOW_TRACKING_URI": server.uri,
                   "MLFLOW_EXPERIMENT_ID": experiment_id}

    def mirror(path):
        if not path.exists():
            measuring.run(["sqlite3", path], f".read {measuring.ROOT}/sql/mirror.sql\n"
                          "UPDATE mirror_settings SET spans_days = 0;\n")
        result = measuring.run([measuring.ROOT / "sql" / "mirror", path, "--quiet"], **environment)
        seen = measuring.run(["sqlite3", path], "SELECT requests FROM mirror_status;")
        # The peak is that of bash, which waits for sqlite3.
        return result | {"requests": int(seen["output"]), "peak_mib": float("nan")}

    mirror(database)
    newest = measuring.run(["sqlite3", database], "SELECT max(timestamp_ms) FROM traces;")["output"]
    week = f"WHERE timestamp_ms > {int(newest) - 7 * 86_400_000}"

    def ask(source, setup=""):
        return measuring.shell(server, "", setup + QUESTIONS.format(source).rstrip())

    def ask_mirror():
        script = f".load {measuring.EXTENSION}\n" + QUESTIONS.format(
            f"(SELECT * FROM traces {week})") + ";\n"
        return measuring.run(["sqlite3", "-batch", "-bail", database], script) | {"requests": 0}

    runners = {
        SERVER: lambda: ask(f"(SELECT * FROM mlflow_traces {week})"),
        TABLE: lambda: ask("week", f"CREATE TEMP TABLE week AS SELECT {READ} "
                                   f"FROM mlflow_traces {week};"),
        "a mirror": ask_mirror,
        "sql/mirror, all": lambda: mirror(folder / f"mirror{next(copies)}.db"),
        "sql/mirror, nothing new": lambda: mirror(database)}
    text = measuring.markdown(measuring.take_turns(runners, repeats), SERVER)
    counts = measuring.run(["sqlite3", "-list", database],
                           "SELECT printf('%,d', count(*)) FROM traces;")["output"].strip()
    return (f"{text}\n\nThe mirror holds {counts} traces without spans in "
            f"{database.stat().st_size / 2**20:.0f} MiB.")


if __name__ == "__main__":
    measuring.main("mirror", __doc__.split("\n")[0],
                   lambda: measuring.seeded_store(scan.TRACES, scan.COPIES), measure)
