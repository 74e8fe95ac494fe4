"""Runs the tests in stages, counts them, and says at the end what passed. For tests/run.

A stage finds its tests by name, so a new file is all that a new test needs:

    layers         tests/layers/test_*.py        what the tree promises about itself
    unit           tests/unit/test_*.c           cmocka, through the dev preset
    functions      tests/sql/functions/*.py      the SQL functions, in two versions of SQLite
    sql            tests/sql/test_*.py           what people see in the sqlite3 shell
    live           tests/live/test_*.py          a real MLflow, both stores, three versions
    package        tests/package/test_*.py       the Python package, built, installed and used
    docs           tests/docs/test_*.py          the manual's examples
    differential   tests/differential/test_*.py  pushdown on = off = a local copy
    fault          tests/fault/test_*.py         servers that misbehave, memory that runs out
    asan           unit, sql and fault again, under AddressSanitizer and UBSan
    tsan           threads, under ThreadSanitizer
    valgrind       the unit tests that need no server, and the shell with the extension
    fuzz           tests/fuzz/fuzz_*.c           some seconds each

These run when they are named, and print tables that the manual shows:

    hosts          tests/hosts/run.py            every host program of docs/ways-in.md
    servers        tests/servers/run.py          every server of docs/install.md
    roots          tests/roots/run.py            the Python package on other systems

Python files are run by pytest, each in a process of its own, since an extension keeps one table of
SQLite's functions and so has one SQLite in a process; those of `functions` are programs given the
extension's path that print "NAME: N checks, N failed". As many run side by side as there are
processors, but for those that say how long something took. (With one more, the longest of a stage
ends later, and the stage with it.) A stage's full output is shown when something in it fails. What
stands after `--` goes to pytest: tests/run live -- -k mirror -x
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import support

BUILD = support.ROOT.parent / f"{support.ROOT.name}-build"
SIDE_BY_SIDE = os.cpu_count()
# These say how long something took, which what runs beside them would spoil.
ALONE = ("test_cancel.py", "test_walk.py")
# The longest of their stages: begun first, they end with the others.
FIRST = ("test_mirror.py", "test_restriction.py", "test_statements.py")
FUZZ_SECONDS = 3
FILE_SECONDS_MAX = 1800
VALGRIND_SECONDS_MAX = 600
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--error-exitcode=99"]
# These fork, measure times that valgrind's slowness spoils, or run whole statements once for each
# allocation; they run under ASan.
VALGRIND_LEAVES_OUT = ("test_functions", "test_given", "test_http", "test_load", "test_mask",
                       "test_pager", "test_payloads", "test_tables", "test_trace_source")
NO_TEST_CHOSEN = 5  # pytest's status where -k chose none
CACHE = support.live.environment_of(support.NEWEST).parent / "pytest"

running = set()  # processes


class Tally:
    """What passed, what did not, and what was left out for which reasons."""

    def __init__(self, passed=0, failed=0, skipped=()):
        self.passed, self.failed, self.skipped = passed, failed, list(skipped)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        if self.skipped:
            text += f", {len(self.skipped)} skipped"
        return text


class Stage:
    """Runs the commands of a stage; what they print is shown if they fail."""

    def __init__(self, folder, servers, options=()):
        self.folder = folder
        self.servers = servers
        self.options = options  # for pytest

    def run(self, command, seconds_max=FILE_SECONDS_MAX, folder=support.ROOT, **variables):
        """(status, output) of a command."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        environment |= {"MLFLOW_SQL_TEST_SERVERS": self.servers.text()} | variables
        environment.setdefault("MLFLOW_SQL_TEST_EXTENSION", str(BUILD / "dev" / "mlflow0"))
        with tempfile.TemporaryFile(dir=self.folder) as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       cwd=folder, env=environment, start_new_session=True)
            running.add(process)
            try:
                status = process.wait(seconds_max)
            except subprocess.TimeoutExpired:
                status = f"no end after {seconds_max} s"
            finally:
                support.live.stop(process, 15)
                running.discard(process)
            out.seek(0)
            return status, out.read().decode(errors="replace")

    def show(self, what, status, output, lines=200):
        print(f"--- {what}: {status}")
        print("\n".join(output.splitlines()[-lines:]), flush=True)

    def side_by_side(self, run, things, alone=lambda thing: False):
        """The sum of what `run` gives for each of the things, a Tally each."""
        tally = Tally()
        things = sorted(things, key=lambda thing: (thing.name not in FIRST, thing))
        pool = concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE)
        try:
            for part in pool.map(run, [thing for thing in things if not alone(thing)]):
                tally.add(part)
        finally:
            pool.shutdown(cancel_futures=True)
        for thing in filter(alone, things):
            tally.add(run(thing))
        return tally

    def python(self, folder, **variables):
        """Each pytest module of a folder in a process of its own."""
        return self.side_by_side(lambda path: self.python_file(path, **variables),
                                 (support.TESTS / folder).glob("test_*.py"),
                                 lambda path: path.name in ALONE)

    def python_file(self, path, **variables):
        report = self.folder / f"{path.parent.name}-{path.stem}.xml"
        status, output = self.run(
            [sys.executable, "-B", "-m", "pytest", "-o", f"cache_dir={CACHE}", "-q", "--color=no",
             f"--junitxml={report}", *self.options, path], **variables)
        tally = Tally()
        if report.exists():
            suite = ElementTree.parse(report).getroot().find("testsuite")
            counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors",
                                                              "skipped")}
            report.unlink()
            tally.failed = counts["failures"] + counts["errors"]
            tally.passed = counts["tests"] - tally.failed - counts["skipped"]
            tally.skipped = [skipped.get("message") for skipped in suite.iter("skipped")]
        if status not in (0, NO_TEST_CHOSEN):
            tally.failed = max(tally.failed, 1)
            self.show(path.relative_to(support.ROOT), status, output)
        return tally

    def cmocka(self, preset, only=None):
        """Configures, builds and runs the unit tests of a preset, or one of their programs."""
        tally = Tally()
        target = ["--target", only] if only else []
        for command in (["cmake", "--preset", preset],
                        ["cmake", "--build", "--preset", preset, *target]):
            status, output = self.run(command)
            if status != 0:
                self.show(" ".join(command), status, output)
                return Tally(failed=1)
        status, output = self.run(["ctest", "--preset", preset, "--verbose", "--label-regex", "unit",
                                   "--parallel", str(SIDE_BY_SIDE),
                                   *(["--tests-regex", f"^{only}$"] if only else [])])
        tally.passed = len(re.findall(r"\[       OK \]", output))
        tally.failed = len(re.findall(r"\*\*\*(?:Failed|Exception|Timeout)", output))
        if status != 0:
            tally.failed = max(tally.failed, 1)
            # Lines of programs that ran side by side are mixed; each has its program's number.
            numbers = re.findall(r"Test +#(\d+): .*\*\*\*", output)
            lines = [line for line in output.splitlines()
                     if line.split(":")[0] in numbers or "***" in line]
            self.show(f"unit tests, {preset}", status, "\n".join(lines) or output)
        return tally


class Servers:
    """The MLflow servers that the stages share, started by the first stage that wants any."""

    def __init__(self):
        self.running = []

    def start(self):
        if self.running:
            return
        for name in [*support.servers(), support.SQLITE_FLOOR]:
            store, _, version = name.partition("-")
            # Most tests ask this one, as many at a time as run side by side.
            server = support.live.Server(store, version,
                                         workers=SIDE_BY_SIDE if name == support.SQLITE else 1)
            self.running.append((name, server))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda named: named[1].start(), self.running))

    def uri(self, name):
        return dict(self.running)[name].uri

    def text(self):
        return " ".join(f"{name}={server.uri}" for name, server in self.running)

    def stop(self):
        for _, server in self.running:
            server.stop()


def stage_layers(stage):
    return stage.python("layers")


def stage_unit(stage):
    return stage.cmocka("dev")


def stage_functions(stage):
    def program(path):
        status, output = stage.run([sys.executable, "-B", path, BUILD / "dev" / "mlflow0"])
        counts = re.search(r"(\d+) checks, (\d+) failed", output)
        checks, failed = (int(n) for n in counts.groups()) if counts else (0, 0)
        if status != 0:
            failed = max(failed, 1)
            stage.show(path.relative_to(support.ROOT), status, output)
        return Tally(max(checks - failed, 0), failed)

    return stage.side_by_side(
        program, [path for path in (support.TESTS / "sql" / "functions").glob("*.py")
                  if "support.finish()" in path.read_text()])


def with_servers(folder):
    def stage_python(stage):
        stage.servers.start()
        return stage.python(folder)

    return stage_python


def stage_fault(stage):
    return stage.python("fault")


def stage_asan(stage):
    tally = stage.cmocka("asan")
    if tally.failed:
        return tally
    runtimes = [subprocess.run(["gcc", f"-print-file-name=lib{name}.so"], capture_output=True,
                               text=True, check=True).stdout.strip() for name in ("asan", "ubsan")]
    stage.servers.start()
    for folder in ("sql", "fault"):
        # Python frees not all of its own at its end; the shell does, and support.py holds it to it.
        tally.add(stage.python(folder, MLFLOW_SQL_TEST_EXTENSION=str(BUILD / "asan" / "mlflow0"),
                               LD_PRELOAD=" ".join(runtimes), ASAN_OPTIONS="detect_leaks=0"))
    return tally


def stage_tsan(stage):
    return stage.cmocka("tsan", "test_threads")


def stage_valgrind(stage):
    def valgrind(what, command, expected=0, **variables):
        status, output = stage.run([*VALGRIND, *command], VALGRIND_SECONDS_MAX, support.TESTS,
                                   **variables)
        if status != expected:
            stage.show(f"valgrind, {what}", status, output)
        return Tally(status == expected, status != expected)

    tally = stage.side_by_side(
        lambda program: valgrind(program.name, [program]),
        [program for program in (BUILD / "dev" / "tests").glob("test_*")
         if not program.is_dir() and not program.name.startswith(VALGRIND_LEAVES_OUT)])
    stage.servers.start()
    for name in support.servers():
        for statement in (
                "SELECT count(*), max(tags), max(assessments) FROM mlflow_traces",
                "SELECT trace_id FROM mlflow_traces WHERE status = 'OK' LIMIT 3",
                "SELECT * FROM mlflow_experiments",
                "SELECT count(*) FROM mlflow_traces WHERE experiment = 'there is no such'"):
            script = stage.folder / "valgrind.sql"
            script.write_text(f".load {BUILD / 'dev' / 'mlflow0'}\n{statement};")
            tally.add(valgrind(f"{name}: {statement}",
                               ["sqlite3", "-batch", "-bail", ":memory:", f".read {script}"],
                               1 if "no such" in statement else 0,
                               MLFLOW_TRACKING_URI=stage.servers.uri(name)))
    return tally


def stage_fuzz(stage):
    """One after the other: tests/fuzz/run builds into one folder, on all processors. The inputs are
    the same each time, so that what fails is the change's; tests/fuzz/run alone tries others."""
    tally = Tally()
    for source in sorted((support.TESTS / "fuzz").glob("fuzz_*.c")):
        target = source.stem.removeprefix("fuzz_")
        status, output = stage.run([support.TESTS / "fuzz" / "run", str(FUZZ_SECONDS), target],
                                   FUZZ_SEED="1")
        tally.add(Tally(status == 0, status != 0))
        if status != 0:
            stage.show(source.name, status, output)
    return tally


def of_a_program(folder):
    """A stage that is a program, whose last line counts."""
    def stage_program(stage):
        status, output = stage.run([sys.executable, "-B", support.TESTS / folder / "run.py"], 7200)
        print(f"\n{output}", flush=True)
        counts = re.search(r"(\d+) passed, (\d+) failed, \d+ skipped\s*$", output)
        passed, failed = (int(n) for n in counts.groups()) if counts else (0, 1)
        return Tally(passed, max(failed, status != 0),
                     re.findall(r"^skipped: (.*)", output, re.MULTILINE))

    return stage_program


NAMED_STAGES = {name: of_a_program(name) for name in ("hosts", "servers", "roots")}
STAGES = {
    "layers": stage_layers,
    "unit": stage_unit,
    "functions": stage_functions,
    "sql": with_servers("sql"),
    "live": with_servers("live"),
    "package": with_servers("package"),
    "docs": with_servers("docs"),
    "differential": with_servers("differential"),
    "fault": stage_fault,
    "asan": stage_asan,
    "tsan": stage_tsan,
    "valgrind": stage_valgrind,
    "fuzz": stage_fuzz,
}


def main():
    parser = argparse.ArgumentParser(prog="tests/run", description="Run the tests.",
                                     usage="%(prog)s [--list] [STAGE...] [-- PYTEST-OPTION...]")
    parser.add_argument("--list", action="store_true", help="print the stages and end")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="only these")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    options = words[end + 1:]
    arguments = parser.parse_args(words[:end])
    if arguments.list:
        print("\n".join(STAGES | NAMED_STAGES))
        return 0
    unknown = [name for name in arguments.stages if name not in STAGES | NAMED_STAGES]
    if unknown:
        parser.error(f"no stage {', '.join(unknown)}; tests/run --list names them")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="sqlite-mlflow-tests-"))
    servers = Servers()
    total = Tally()

    def leave(*_):
        for process in running.copy():
            support.live.stop(process, signal.SIGTERM)
        sys.exit(143)

    signal.signal(signal.SIGTERM, leave)
    # Started in the background it ignores SIGINT, and so would the programs in which tests press
    # Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        status, output = Stage(folder, servers).run(
            ["sh", "-c", "cmake --preset dev && cmake --build --preset dev"])
        if status != 0:
            print(output)
            return 1
        for name in arguments.stages or STAGES:
            print(f"{name:<13}", end="", flush=True)
            begin = time.monotonic()
            tally = (STAGES | NAMED_STAGES)[name](Stage(folder, servers, options))
            print(f"{tally}, {time.monotonic() - begin:.0f} s", flush=True)
            total.add(tally)
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for reason in sorted(set(total.skipped)):
        print(f"skipped: {reason}")
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
