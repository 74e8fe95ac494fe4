"""The command sqlite-mlflow: a SQLite shell with the extension, and the scripts of sql/.

    sqlite-mlflow [OPTIONS] [DATABASE] [SQL]    as the sqlite3 shell; .help inside, --help for OPTIONS
    sqlite-mlflow report [OPTIONS]              the report of docs/report.md
    sqlite-mlflow check [OPTIONS]               the thresholds of docs/check.md
    sqlite-mlflow mirror FILE [OPTIONS]         the copy of docs/mirror.md
"""

import ctypes
import os
import shutil
import signal
import sys

import sqlite_mlflow

SCRIPTS = ("report", "check", "mirror")


def shell():
    """apsw's shell, on the SQLite that apsw carries; Ctrl-C ends a statement."""
    try:
        import apsw
        import apsw.shell
    except ImportError:
        sys.exit("sqlite-mlflow: the shell needs apsw; pip install 'sqlite-mlflow[shell]'")
    failures = []

    class Shell(apsw.shell.Shell):
        def handle_exception(self):
            failures.append(sys.exc_info()[1])
            super().handle_exception()

    apsw.connection_hooks.append(lambda connection: sqlite_mlflow.load(connection, interruptible=True))
    screen = Shell()
    try:
        _, _, commands = screen.process_args(sys.argv[1:])
        if not commands:
            screen.cmdloop()
        sys.stdout.flush()
    except BrokenPipeError:  # who read has seen enough, as head and less do
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still holds
        sys.exit(128 + signal.SIGPIPE)  # as the sqlite3 shell ends
    except (apsw.Error, Shell.Error) as error:
        sys.exit(1 if failures else f"sqlite-mlflow: {error}")
    sys.exit(1 if failures else 0)


def script(name, arguments):
    """One of sql/, each a bash script around the sqlite3 shell."""
    for program in ("bash", "sqlite3"):
        if not shutil.which(program):
            sys.exit(f"sqlite-mlflow: the {name} needs {program}, which is not on the PATH")
    os.environ.setdefault("SQLITE_MLFLOW", sqlite_mlflow.loadable_path())
    os.execvp("bash", ["bash", sqlite_mlflow.sql_path(name), *arguments])


def main():
    try:
        ctypes.CDLL(f"{sqlite_mlflow.loadable_path()}.so")
    except OSError as error:
        if "libcurl" not in str(error):
            raise
        sys.exit(f"{sqlite_mlflow.NEEDS_LIBCURL}: {error}")
    if sys.argv[1:2] and sys.argv[1] in SCRIPTS:
        script(sys.argv[1], sys.argv[2:])
    else:
        shell()
