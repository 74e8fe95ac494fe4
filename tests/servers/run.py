"""Every version of MLflow that docs/install.md names, each held to its own client.

    tests/run servers
    PYTHON tests/servers/run.py [NAME...]     some of them, in an environment of tests/setup

The newest client writes the traces of tests/live/test_client.py, and that file, run by the version's
own client, compares every field of what it reads there with the extension's tables. Versions are
installed with the packages of their time. The table is that of docs/install.md.
"""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]
import support  # noqa: E402
import test_client  # noqa: E402

VERSIONS = {  # and a day soon after each came out
    "3.2.0": "2025-08-12", "3.4.0": "2025-09-24", "3.6.0": "2025-11-14", "3.8.1": "2026-01-02",
    "3.10.1": "2026-03-12", "3.12.0": "2026-05-12", "3.14.0": "2026-06-24", "3.16.1": "2026-09-23"}
APSW = "apsw==3.54.1.0"
COMPARE_SECONDS_MAX = 600


def install(version):
    """MLflow of this version in an environment beside those of tests/setup, by uv."""
    environment = support.live.environment_of(version)
    done = environment / "installed"
    if version == support.NEWEST or done.exists():
        return
    uv = environment.parent / "uv"
    if not uv.exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", uv], check=True)
        subprocess.run([uv / "bin" / "pip", "install", "--quiet", "uv"], check=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", environment], check=True)
    at = [uv / "bin" / "uv", "pip", "install", "--quiet", "--python", environment / "bin" / "python"]
    subprocess.run([*at, "--exclude-newer", VERSIONS[version], f"mlflow=={version}"], check=True)
    subprocess.run([*at, APSW], check=True)
    done.touch()


def write(server):
    """The experiment of test_client.py on a running server."""
    return test_client.Client.write(support.Remote(f"sqlite-{server.version}", server.uri))


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


def postgresql():
    with support.live.Server("postgresql") as server:
        return compare(server.version, server.uri, write(server))


CASES = {version: lambda version=version: of_version(version)
         for version in [*VERSIONS, support.NEWEST]} | {"PostgreSQL 15": postgresql}


def main():
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
