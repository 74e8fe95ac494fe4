"""Every server that docs/install.md names, each held to MLflow's own client.

    tests/run servers
    PYTHON tests/servers/run.py [NAME...]     some of them, in an environment of tests/setup

The newest client writes the traces of tests/live/test_client.py, and that file, run by the version's
own client, compares every field of what it reads there with the extension's tables: by the same
address, with the same variables. Versions are installed with the packages of their time. The tables
are those of docs/install.md.
"""

import base64
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]
import support  # noqa: E402
import test_client  # noqa: E402
from mariadb import Mariadb  # noqa: E402
from nginx import Nginx  # noqa: E402

VERSIONS = {  # and a day soon after each came out
    "3.4.0": "2025-09-24", "3.6.0": "2025-11-14", "3.8.1": "2026-01-02",
    "3.10.1": "2026-03-12", "3.12.0": "2026-05-12", "3.14.0": "2026-06-24", "3.16.1": "2026-09-23"}
APSW = "apsw==3.54.1.0"
# What a server may need beside MLflow: for MariaDB, and for accounts.
DRIVERS = ["PyMySQL==1.2.4", "Flask-WTF==1.3.0", "WTForms==3.3.2"]
# basic-auth's own settings, but that a password is hashed once a minute and not for each request:
# without that, the traces took more than six minutes to write.
ACCOUNTS = """[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""
COMPARE_SECONDS_MAX = 600


def uv(python, *arguments):
    """Installs for this Python, by what tests/setup has installed."""
    program = support.live.environment_of(support.NEWEST).parent / "uv" / "bin" / "uv"
    subprocess.run([program, "pip", "install", "--quiet", "--python", python, *arguments],
                   check=True)


def install(version):
    """MLflow of this version in an environment beside those of tests/setup."""
    environment = support.live.environment_of(version)
    done = environment / "installed"
    if not done.exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", environment], check=True)
        uv(environment / "bin" / "python", "--exclude-newer", VERSIONS[version], f"mlflow=={version}")
        done.touch()
    uv(environment / "bin" / "python", APSW)


def drivers():
    """The environment of a server that finds DRIVERS, which its own tests do without."""
    python = support.live.environment_of(support.NEWEST) / "bin" / "python"
    folder = python.parent.parent.parent / "drivers"
    uv(python, "--target", folder, "--no-deps", *DRIVERS)
    return {"PYTHONPATH": str(folder)}


def write(server, variables=(), headers=()):
    """The experiment of test_client.py on a running server."""
    remote = support.Remote(f"sqlite-{server.version}", server.uri, variables, headers)
    with support.environment(remote.variables):
        return test_client.Client.write(remote)


def compare(version, uri, experiment, **variables):
    """(tests that passed, what else was printed or None), by the client of this version."""
    name = f"sqlite-{version}"
    python = support.live.environment_of(version) / "bin" / "python"
    environment = support.clean_environment(None, **{
        "PYTHONPATH": str(support.TESTS), "MLFLOW_SQL_TEST_SERVERS": f"{name}={uri}",
        "MLFLOW_SQL_TEST_ONLY": name, test_client.WRITTEN: experiment}, **variables)
    ran = subprocess.run(
        [python, "-B", "-m", "unittest", "test_client"], cwd=support.TESTS / "live", text=True,
        env=environment, capture_output=True, timeout=COMPARE_SECONDS_MAX, check=False)
    count = re.search(r"^Ran (\d+) tests", ran.stderr, re.MULTILINE)
    passed = int(count.group(1)) if count and ran.returncode == 0 else 0
    return passed, None if passed else ran.stderr[-4000:]


def of_version(version):
    install(version)
    with support.live.Server(version=version) as server:
        return compare(version, server.uri, write(server))


def newest(store="sqlite", **more):
    """The newest MLflow, put up in some way."""
    with support.live.Server(store, **more) as server:
        return compare(server.version, server.uri, write(server))


def mariadb():
    with Mariadb() as database:
        return newest(database.uri, environment=drivers())


def accounts():
    """An administrator writes, and one who may only read compares."""
    admin, reader = ("admin", "administrators-password"), ("reader", "a-readers-password")
    header = {"Authorization": "Basic " + base64.b64encode(":".join(admin).encode()).decode()}
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as settings:
        settings.write(ACCOUNTS)
        settings.flush()
        with support.live.Server(options=["--app-name", "basic-auth"], environment=drivers() | {
                "MLFLOW_AUTH_CONFIG_PATH": settings.name,
                "MLFLOW_AUTH_ADMIN_PASSWORD": admin[1],
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "a secret of this run"}) as server:
            experiment = write(server, account(admin), header)
            support.Remote("", server.uri, headers=header).call(
                "POST", "/api/2.0/mlflow/users/create",
                {"username": reader[0], "password": reader[1]})
            return compare(server.version, server.uri, experiment, **account(reader))


def account(of):
    return {"MLFLOW_TRACKING_USERNAME": of[0], "MLFLOW_TRACKING_PASSWORD": of[1]}


def workspaces():
    """What is in a workspace of its own, which nobody sees from another."""
    with support.live.Server(options=["--enable-workspaces"]) as server:
        support.Remote("", server.uri).call("POST", "/api/3.0/mlflow/workspaces", {"name": "team"})
        team = {"MLFLOW_WORKSPACE": "team"}
        experiment = write(server, team, {"X-MLFLOW-WORKSPACE": "team"})
        return compare(server.version, server.uri, experiment, **team)


def behind_nginx(prefix="", tls=False):
    """Written to the server itself, and read through nginx. It compresses what the client asks for;
    the extension does not ask for that."""
    with support.live.Server() as server, Nginx(server.uri, prefix, tls) as proxy:
        variables = {"MLFLOW_TRACKING_SERVER_CERT_PATH": str(proxy.certificate)} if tls else {}
        passed, wrong = compare(server.version, proxy.uri, write(server), **variables)
        replies = "\n".join(proxy.replies())
        for reply in ("mlflow-python-client/.* 200 gzip", r"sqlite-mlflow/\S+ 200 -"):
            if not re.search(f"^{reply} {prefix}/api/", replies, re.MULTILINE):
                wrong = wrong or f"no reply was {reply}"
        return passed, wrong


CASES = {version: lambda version=version: of_version(version)
         for version in [support.live.FLOOR, *VERSIONS, support.NEWEST]} | {
    "PostgreSQL 15": lambda: newest("postgresql"),
    "MariaDB 10.11": mariadb,
    "--app-name basic-auth": accounts,
    "--static-prefix": lambda: newest(prefix="/tools/mlflow"),
    "--enable-workspaces": workspaces,
    "nginx, prefix and gzip": lambda: behind_nginx("/tools/mlflow"),
    "nginx, self-signed TLS": lambda: behind_nginx(tls=True),
}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    subprocess.run([support.TESTS / "setup", "servers"], check=True)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    print("| server | comparisons with its client |\n|---|---|", flush=True)
    for name, case in CASES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        passed, wrong = case()
        counts["failed" if wrong else "passed"] += 1
        print(f"| {name} | {'differs' if wrong else f'{passed} tests'} |", flush=True)
        if wrong:
            print(f"--- {name}: {wrong}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
