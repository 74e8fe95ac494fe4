"""What the tests of the SQL functions share: the newest SQLite in this process (apsw), Debian's in its
shell, and a count of checks.

The two never meet in one process: an extension keeps one table of SQLite's functions.
"""

import os
import subprocess
import sys

import apsw

checks = 0
failures = []


def extension():
    """The path to give to .load: the argument, or what tests/run has built."""
    path = sys.argv[1] if len(sys.argv) == 2 else os.environ.get("MLFLOW_SQL_TEST_EXTENSION")
    return path or sys.exit(f"usage: {sys.argv[0]} PATH_TO_mlflow (without suffix)")


def hide_functions(action, one, two, *_):
    hidden = action == apsw.SQLITE_FUNCTION and two in ("percentile", "percentile_cont",
                                                        "percentile_disc", "median")
    return apsw.SQLITE_DENY if hidden else apsw.SQLITE_OK


def connect():
    """A connection with all functions of ours: those that this SQLite has built in are hidden from
    the load, which would let them stay."""
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.authorizer = hide_functions
    db.load_extension(extension())
    db.authorizer = None
    kept = db.execute("SELECT value FROM mlflow_settings WHERE name = 'functions'").get
    assert kept is None, kept
    return db


def shell(sql, *options):
    """What Debian's shell prints for the statements, or the last line of its errors."""
    run = subprocess.run(
        ["sqlite3", "-batch", *options, ":memory:"],
        input=f".load {extension()}\n{sql}\n",
        capture_output=True,
        text=True,
        timeout=300,
    )
    if run.returncode:
        return run.stderr.strip().splitlines()[-1]
    return run.stdout.rstrip("\n")


def answer(db, sql, bindings=()):
    """The rows, or the error's text."""
    try:
        return db.execute(sql, bindings).fetchall()
    except apsw.Error as error:
        return str(error)


def check(what, actual, expected):
    global checks
    checks += 1
    if actual != expected:
        failures.append(what)
        print(f"FAILED: {what}\n  expected {expected!r}\n  actual   {actual!r}", file=sys.stderr)


def finish():
    name = sys.argv[0].rsplit("/", 1)[-1]
    print(f"{name}: {checks} checks, {len(failures)} failed")
    sys.exit(1 if failures else 0)
