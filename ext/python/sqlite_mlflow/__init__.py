"""A remote MLflow server's traces, spans and assessments as SQL tables: the SQLite extension.

    connection = sqlite3.connect("traces.db")
    sqlite_mlflow.load(connection)
    connection.execute("SELECT status, count(*) FROM mlflow_traces GROUP BY status")

The server and the secret come from the environment: MLFLOW_TRACKING_URI and others.
"""

import os

__all__ = ["loadable_path", "sql_path", "load"]

NEEDS_LIBCURL = ("sqlite-mlflow needs the system's libcurl, which is the package libcurl4 of Debian, "
                 "Ubuntu and SUSE, and libcurl of Fedora")
_FOLDER = os.path.dirname(os.path.abspath(__file__))
_PROGRESS_STEPS = 1000  # of SQLite's machine; while it waits for a server, it makes some thousands a time


def loadable_path():
    """The library, as load_extension() and .load take it: without .so."""
    return os.path.join(_FOLDER, "mlflow0")


def sql_path(name=""):
    """A file of the folder sql, such as "tables.sql" or "views.sql", or the folder."""
    return os.path.join(_FOLDER, "sql", name)


def load(connection, interruptible=False):
    """Loads the extension into an sqlite3.Connection or apsw.Connection.

    With interruptible, Ctrl-C ends a statement that waits for the server: apsw raises
    KeyboardInterrupt, sqlite3 an OperationalError "interrupted". This takes the place of the
    connection's progress handler.

    Loading of other extensions is off afterwards. RuntimeError if this Python cannot load extensions,
    or if the machine has no libcurl; what SQLite says of anything else is raised as it is.
    """
    try:
        enable = connection.enable_load_extension
    except AttributeError:
        raise RuntimeError("this Python's sqlite3 was built without loadable extensions; use "
                           "another Python, or apsw.Connection from the package apsw") from None
    enable(True)
    try:
        connection.load_extension(loadable_path())
    except Exception as error:
        if "libcurl" not in str(error):
            raise
        raise RuntimeError(f"{NEEDS_LIBCURL}: {error}") from error
    finally:
        enable(False)
    if interruptible:
        connection.set_progress_handler(_go_on, _PROGRESS_STEPS)


def _go_on():
    """Lets SQLite go on. Python handles a signal when it runs this, and not while SQLite runs."""
    return 0
