#!/usr/bin/env python3
"""A real MLflow server on a scratch store: started, waited for, stopped.

    with Server() as server: ...                    the newest MLflow on a SQLite store
    with Server(store="postgresql"): ...            on a PostgreSQL cluster of its own
    with Server(version=OLDEST): ...

As a program it runs a command beside the server, and ends with it, with its status:

    tests/live/server.py [--store KIND] [--version V] [--workers N]
                         [--database FILE] [--copy-of FILE] -- COMMAND...

The command finds the server in MLFLOW_TRACKING_URI. Everything lives in a scratch folder, on free
ports of the loopback interface; only processes started here are ever stopped. The MLflow itself
is installed by tests/setup.
"""

import argparse
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parent.parent
POSTGRESQL = pathlib.Path("/usr/lib/postgresql/15/bin")
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 20

given_ports = set()


def pinned(name):
    """The MLflow version that tests/requirements-NAME.txt pins."""
    text = (TESTS / f"requirements-{name}.txt").read_text()
    return re.search(r"^mlflow==(\S+)$", text, re.MULTILINE).group(1)


NEWEST = pinned("newest")
OLDEST = pinned("oldest")
FLOOR = pinned("floor")


def environment_of(version):
    """Where tests/setup keeps the virtual environment of an MLflow version."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache) / "sqlite-mlflow" / f"mlflow-{version}"


def free_port():
    """One that this process has not been given before, for its taker may not have bound it yet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in given_ports:
            given_ports.add(port)
            return port


def stop(process, first_signal):
    """Ends a process that leads its own session, and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, first_signal)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def unprivileged(name, folder):
    """What Popen needs to run a program as this user, who then owns the folder, where we are root,
    as whom a database refuses to run."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(name)
    shutil.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Postgresql:
    """A cluster of our own, run by an unprivileged user, since PostgreSQL refuses root."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "postgresql"
        self.port = free_port()
        self.process = None

    def start(self):
        self.folder.mkdir()
        identity = unprivileged("postgres", self.folder)
        data = self.folder / "data"
        subprocess.run(
            [POSTGRESQL / "initdb", "--pgdata", data, "--username", "mlflow", "--auth", "trust",
             "--locale", "C.UTF-8", "--encoding", "UTF8", "--no-sync",
             # Small letters as in Turkish, where those of I and İ are others than elsewhere.
             "--locale-provider", "icu", "--icu-locale", "tr-TR"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **identity)
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "fsync": "off",
                   "unix_socket_directories": self.folder, "max_connections": "60"}
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with open(self.folder.parent / "postgresql.log", "wb") as log:
            self.process = subprocess.Popen(
                [POSTGRESQL / "postgres", "-D", data, *arguments], stdout=log, stderr=log,
                start_new_session=True, cwd=self.folder, **identity)
        deadline = time.monotonic() + START_SECONDS_MAX
        while subprocess.run([POSTGRESQL / "pg_isready", "-q", "-h", "127.0.0.1", "-p",
                              str(self.port)], check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.1)

    @property
    def uri(self):
        return f"postgresql+psycopg2://mlflow@127.0.0.1:{self.port}/postgres"

    def stop(self):
        if self.process:
            stop(self.process, signal.SIGINT)


class Server:
    """An MLflow server from start() to stop(); `uri` is what goes into MLFLOW_TRACKING_URI."""

    def __init__(self, store="sqlite", version=NEWEST, workers=1, database=None, copy_of=None,
                 options=(), prefix="", environment=()):
        self.store = store
        self.version = version
        self.workers = workers
        self.database = database  # of the SQLite store; None: in the scratch folder
        self.copy_of = copy_of  # what to begin it with; None: empty
        self.options = options  # more of `mlflow server`
        self.prefix = prefix  # of every path
        self.environment = environment  # more of its variables
        self.folder = None
        self.process = None
        self.postgresql = None
        self.command = None
        self.uri = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="sqlite-mlflow-")
        os.chmod(self.folder, 0o755)  # PostgreSQL's user passes through
        if self.store == "postgresql":
            self.postgresql = Postgresql(self.folder)
            self.postgresql.start()
            store_uri = self.postgresql.uri
        elif "://" in self.store:
            store_uri = self.store
        else:
            database = self.database or os.path.join(self.folder, "mlflow.db")
            if self.copy_of:
                shutil.copy(self.copy_of, database)
            # Several workers take turns at writing; MLflow's own patience is 5 s.
            store_uri = f"sqlite:///{database}?timeout=60"
        port = free_port()
        self.command = [
            environment_of(self.version) / "bin" / "mlflow", "server",
            "--backend-store-uri", store_uri,
            "--artifacts-destination", os.path.join(self.folder, "artifacts"),
            "--host", "127.0.0.1", "--port", str(port), "--workers", str(self.workers),
            *(["--static-prefix", self.prefix] if self.prefix else []), *self.options]
        self.uri = f"http://127.0.0.1:{port}{self.prefix}"
        self.launch()

    def launch(self):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("MLFLOW_", "_MLFLOW_"))}
        environment |= {"MLFLOW_DISABLE_TELEMETRY": "true",
                        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | dict(
                            self.environment)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=environment, cwd=self.folder,
                                            start_new_session=True)
        self.wait_until_healthy()

    def restart(self):
        """The same store at the same address, in a new process."""
        stop(self.process, signal.SIGTERM)
        self.launch()

    @property
    def log(self):
        return os.path.join(self.folder, "server.log")

    def wait_until_healthy(self):
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            with contextlib.suppress(OSError), direct.open(self.uri + "/health", timeout=5) as reply:
                if reply.read() == b"OK":
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                lines = pathlib.Path(self.log).read_text(errors="replace").splitlines()
                raise RuntimeError("MLflow did not start:\n" + "\n".join(lines[-15:]))
            time.sleep(0.1)

    def stop(self):
        if self.process:
            stop(self.process, signal.SIGTERM)
        if self.postgresql:
            self.postgresql.stop()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.process = self.postgresql = self.folder = None


def main():
    parser = argparse.ArgumentParser(description="Run a command beside a real MLflow server.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--version", choices=[NEWEST, OLDEST], default=NEWEST)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", help="the SQLite store's file (default: a new one)")
    parser.add_argument("--copy-of", help="begin the SQLite store with a copy of this file")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()

    def leave(number, _):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        with Server(arguments.store, arguments.version, arguments.workers,
                    arguments.database, arguments.copy_of) as server:
            environment = os.environ | {"MLFLOW_TRACKING_URI": server.uri}
            command = subprocess.Popen(arguments.command, env=environment)
            try:
                return command.wait()
            finally:
                if command.poll() is None:
                    command.terminate()
                    command.wait()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
