"""litecli in a terminal, typed at; its command `tee` writes what it shows to a file, too.

Python hears Ctrl-C when SQLite returns, so nothing ends a statement that waits.
"""

import os
import pathlib
import pty
import sys
import tempfile
import threading
import time

SECONDS_MAX = 60
END = "'the' || ' end'"
extension, _, query, check = sys.argv[1:]
folder = pathlib.Path(tempfile.mkdtemp())
shown = folder / "shown"
(folder / "liteclirc").write_text(
    "[main]\ntable_format = tsv\nless_chatty = True\nenable_pager = False\n"
    f"log_file = {folder}/log\n")

process, terminal = pty.fork()
if process == 0:
    os.environ |= {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "HOME": str(folder)}
    program = os.path.join(os.path.dirname(sys.executable), "litecli")
    os.execv(program, [program, "--liteclirc", folder / "liteclirc", ":memory:"])


def drain():
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # litecli has ended


def type_line(text):
    os.write(terminal, " ".join(text.split()).encode() + b"\r")


def ask(sql):
    """The rows that litecli shows for a statement, a line each."""
    before = len(shown.read_text()) if shown.exists() else 0
    type_line(f"{sql}; SELECT {END}")
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        new = shown.read_text()[before:] if shown.exists() else ""
        if "the end\n" in new:
            lines = new.splitlines()
            typed = next(i for i, line in enumerate(lines) if line.endswith(f"; SELECT {END}"))
            return lines[typed + 2:lines.index(END)]  # what is typed and the columns' names go first
        time.sleep(0.1)
    raise SystemExit(f"litecli shows no end of {sql}: {new}")


def step(name, sql):
    print("=", name)
    print(*ask(sql), sep="\n")


threading.Thread(target=drain, daemon=True).start()
time.sleep(2)  # until it reads its terminal
type_line(f"tee {shown}")
step("sqlite", "SELECT sqlite_version()")
type_line(f".load {extension}")
step("rows", query)
type_line(f".load {extension}")
step("again", check)
os.write(terminal, b"\x04")  # the end of what is typed
if os.waitpid(process, 0)[1] == 0:
    print("= closed")
