"""Loads the extension into a connection in each state that people's connections are in.

    PYTHON tests/sql/loads.py HOST PATH [STATE]     HOST: sqlite3, apsw or pysqlite3

prints JSON: for each state and way to load, what the connection answers after it, or the error, or the
signal that ended it. Each is a process of its own, since what fails here may well crash: a fork of
this one, which has imported the host and never opens a connection.
"""

import importlib
import json
import os
import sys
import threading

PERCENTILES = ("percentile", "percentile_cont", "percentile_disc", "median")
ROWS = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"
WAYS = ("c", "sql")


class Own:
    """A function of the host's under a name of ours."""

    def step(self, *values):
        pass

    def finalize(self):
        return "own"

    final = finalize


class Host:
    def __init__(self, name, path):
        self.name, self.path = name, path
        self.module = importlib.import_module("pysqlite3.dbapi2" if name == "pysqlite3" else name)

    def connect(self):
        if self.name == "apsw":
            return self.module.Connection(":memory:")
        return self.module.connect(":memory:", check_same_thread=False, isolation_level=None)

    def load(self, connection, way):
        connection.enable_load_extension(True)
        if way == "c":
            connection.load_extension(self.path)
        else:
            connection.execute("SELECT load_extension(?)", (self.path,)).fetchall()
        connection.enable_load_extension(False)

    def register(self, connection, name, arguments):
        if self.name == "apsw":
            connection.create_aggregate_function(name, Own, arguments)
        else:
            connection.create_aggregate(name, arguments, Own)


def ask(connection, sql):
    return connection.execute(sql).fetchall()[0][0]


def half_read(connection, sql):
    """An open statement; it has two more rows."""
    cursor = connection.execute(sql)
    next(cursor)
    return cursor


# ---------------------------------------------------------------------------------------------
# The states: each makes a connection (host, way), loads, and gives it with an open statement or None.


def fresh(host, way):
    connection = host.connect()
    host.load(connection, way)
    return connection, None


def own_median(host, way, arguments=1, names=("median",), sql=None):
    connection = host.connect()
    for name in names:
        host.register(connection, name, arguments)
    left = half_read(connection, sql) if sql else None
    host.load(connection, way)
    return connection, left


def own_median_of_any_arguments(host, way):
    return own_median(host, way, -1)


def own_percentiles(host, way):
    return own_median(host, way, -1, PERCENTILES)


def own_median_and_a_statement_open(host, way):
    return own_median(host, way, sql=ROWS)


def own_median_in_an_open_statement(host, way):
    return own_median(host, way, sql=f"SELECT median(x) FROM (SELECT 0 AS x UNION ALL {ROWS}) "
                      "WHERE x > 0 GROUP BY x")


def own_median_afterwards(host, way):
    connection, _ = fresh(host, way)
    host.register(connection, "median", 1)
    host.load(connection, way)
    return connection, None


def statement_open(host, way):
    connection = host.connect()
    left = half_read(connection, ROWS)
    host.load(connection, way)
    return connection, left


def transaction_open(host, way):
    connection = host.connect()
    connection.execute("CREATE TABLE t(x)").fetchall()
    connection.execute("BEGIN").fetchall()
    connection.execute("INSERT INTO t VALUES (1)").fetchall()
    host.load(connection, way)
    connection.execute("COMMIT").fetchall()
    return connection, None


def loaded(host, way):
    connection, _ = fresh(host, way)
    connection.execute("SELECT * FROM mlflow_settings").fetchall()
    host.load(connection, way)
    return connection, None


def loaded_the_other_way(host, way):
    connection, _ = fresh(host, WAYS[1 - WAYS.index(way)])
    host.load(connection, way)
    return connection, None


def loaded_and_its_statement_open(host, way):
    connection, _ = fresh(host, way)
    left = half_read(connection, "SELECT name FROM mlflow_settings LIMIT 3")
    host.load(connection, way)
    return connection, left


def loaded_by_each_row(host, way):
    connection, _ = fresh(host, way)
    connection.enable_load_extension(True)
    if way == "sql":
        connection.execute(f"SELECT load_extension(?) FROM ({ROWS})", (host.path,)).fetchall()
    for _ in range(3):
        host.load(connection, way)
    return connection, None


def closed_before(host, way):
    for _ in range(3):
        connection, _ = fresh(host, way)
        ask(connection, "SELECT bar(1, 2, 4)")
        connection.close()
    return fresh(host, way)


def another_connection(host, way):
    """One that has loaded and closes first."""
    other, _ = fresh(host, way)
    connection, _ = fresh(host, way)
    other.close()
    return connection, None


def threads(host, way):
    """Each loads into a connection of its own, at the same time."""
    made = []
    together = threading.Barrier(4)

    def work():
        together.wait()
        made.append(fresh(host, way)[0])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for other in made[:3]:
        ask(other, "SELECT mlflow_version()")
        other.close()
    return made[3], None


STATES = {state.__name__.replace("_", " "): state for state in (
    fresh, own_median, own_median_of_any_arguments, own_percentiles, own_median_and_a_statement_open,
    own_median_in_an_open_statement, own_median_afterwards, statement_open, transaction_open, loaded,
    loaded_the_other_way, loaded_and_its_statement_open, loaded_by_each_row, closed_before,
    another_connection, threads)}


# ---------------------------------------------------------------------------------------------


def answers(host, state, way):
    connection, left = STATES[state](host, way)
    return {
        "version": ask(connection, "SELECT mlflow_version()"),
        "percentile": ask(connection, "SELECT percentile(x, 50) FROM "
                          "(SELECT 1 AS x UNION ALL SELECT 4 UNION ALL SELECT 9)"),
        "median": ask(connection, "SELECT median(x) FROM (SELECT 1 AS x UNION ALL SELECT 4)"),
        "bar": ask(connection, "SELECT bar(1, 2, 4)"),
        "functions": ask(connection, "SELECT value FROM mlflow_settings WHERE name = 'functions'"),
        "left": len(list(left)) if left else None}


def forked(host, state, way):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            shown = answers(host, state, way)
        except Exception as error:  # each host has a class of its own
            shown = {"error": str(error)}
        os.write(write, json.dumps(shown).encode())
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as pipe:
        shown = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(shown) if status == 0 else {"status": status}


def main():
    host = Host(*sys.argv[1:3])
    print(json.dumps({state: {way: forked(host, state, way) for way in WAYS}
                      for state in sys.argv[3:] or STATES}))


if __name__ == "__main__":
    main()
