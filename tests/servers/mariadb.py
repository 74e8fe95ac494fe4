"""A MariaDB server of our own as MLflow's store, from Debian's package (tests/setup servers).

    with Mariadb() as database: ... database.uri
"""

import subprocess

import support
from daemon import Daemon


class Mariadb(Daemon):
    name = "MariaDB"

    def start(self):
        identity = support.live.unprivileged("mysql", self.folder)
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
        self.wait_until(lambda: not subprocess.run(
            ["mariadb", "--no-defaults", socket, "--user=root",
             "--execute=CREATE DATABASE mlflow CHARACTER SET utf8mb4 COLLATE utf8mb4_turkish_ci"],
            capture_output=True, check=False).returncode)

    @property
    def uri(self):
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/mlflow"
