"""What a join of 2,000 local ids with 20,000 traces costs, beside one plain scan of these.

The same join in the forms people write it, SQLite's choice of sides and both sides by force. All
read the same columns in the sqlite3 shell; the time is the whole process.
"""

import measuring
import scan

IDS = 2_000
PLAIN = "plain scan"
READ = "count(*), sum(execution_time_ms), count(tags)"
FORMS = {
    PLAIN: f"SELECT {READ} FROM mlflow_traces",
    "JOIN": f"SELECT {READ} FROM ids JOIN mlflow_traces AS t ON t.trace_id = ids.id",
    "traces outside": f"SELECT {READ} FROM mlflow_traces AS t CROSS JOIN ids "
                      "ON t.trace_id = ids.id",
    "ids outside": f"SELECT {READ} FROM ids CROSS JOIN mlflow_traces AS t "
                   "ON t.trace_id = ids.id",
    "LEFT JOIN": f"SELECT {READ} FROM ids LEFT JOIN mlflow_traces AS t ON t.trace_id = ids.id",
    "LEFT JOIN with a list": f"SELECT {READ} FROM ids LEFT JOIN mlflow_traces AS t ON "
                             "t.trace_id = ids.id AND t.trace_id IN (SELECT id FROM ids)",
    "IN (SELECT ...)": f"SELECT {READ} FROM mlflow_traces WHERE trace_id IN "
                       "(SELECT id FROM ids)",
}


def measure(server, _, folder, repeats):
    database = folder / "ids.db"
    measuring.shell(server, f"CREATE TABLE ids AS SELECT trace_id AS id FROM mlflow_traces ORDER "
                    f"BY random() LIMIT {IDS};", "SELECT 1", database)
    runners = {name: lambda sql=sql: measuring.shell(server, "", sql, database)
               for name, sql in FORMS.items()}
    return measuring.markdown(measuring.take_turns(runners, repeats), PLAIN) + "\n\n"


if __name__ == "__main__":
    measuring.main("joins", __doc__.split("\n")[0],
                   lambda: measuring.seeded_store(scan.TRACES, scan.COPIES), measure)
