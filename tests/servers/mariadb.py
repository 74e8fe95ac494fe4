"""A MariaDB server of our own as MLflow's store, from Debian's package (tests/setup servers).

    with Mariadb() as database: ... database.uri
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import support

START_SECONDS_MAX = 60


class Mariadb:
    def __init__(self):
        self.folder = self.process = None
        self.port = support.live.free_port()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sqlite-mlflow-mariadb-"))
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            support.live.stop(self.process, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        identity = {}
        if os.geteuid() == 0:  # which MariaDB refuses to run as
            user = pwd.getpwnam("mysql")
            shutil.chown(self.folder, user.pw_uid, user.pw_gid)
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data, socket = f"--datadir={self.folder / 'data'}", f"--socket={self.folder / 'socket'}"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", data, "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True, cwd=self.folder, **identity)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", data, socket, f"--port={self.port}",
                 "--bind-address=127.0.0.1", f"--pid-file={self.folder / 'pid'}",
                 "--innodb-flush-log-at-trx-commit=0"],
                stdout=log, stderr=log, start_new_session=True, cwd=self.folder, **identity)
        deadline = time.monotonic() + START_SECONDS_MAX
        while subprocess.run(
                ["mariadb", "--no-defaults", socket, "--user=root",
                 "--execute=CREATE DATABASE mlflow CHARACTER SET utf8mb4"],
                capture_output=True, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("MariaDB did not start")
            time.sleep(0.1)

    @property
    def uri(self):
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/mlflow"
