"""sql/check and sql/report over a mirror made by hand: how they are run, what is around them, and what
they say where they cannot answer. No server.
"""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest

import support

SQL = support.ROOT / "sql"
END_MS = 100_000_000
MIRROR = f""".read {SQL}/mirror.sql
INSERT INTO mirror_experiment VALUES ('1', 'agent-prod', 0, 'http://127.0.0.1:9');
INSERT INTO mirror_slice VALUES ('1', 0, 9223372036854775807, {END_MS});
INSERT INTO mirror_sync(experiment_id, began_ms, ended_ms, width_ms) VALUES ('1', {END_MS}, {END_MS}, 1);
INSERT INTO mirror_trace(trace_id, experiment_id, name, status, timestamp_ms, read_at_ms)
SELECT 'tr-' || value, '1', 'agent', 'OK', {END_MS} - 1 - value, {END_MS}
FROM (SELECT 0 AS value UNION ALL VALUES (1), (2));
"""
WINDOW = ("--days", "1")


def mirror(path, sql=""):
    subprocess.run(["sqlite3", "-batch", "-bail", path], input=MIRROR + sql, text=True, check=True)
    return path


def run(program, *options, cwd=None, **variables):
    """(status, standard output, standard error)"""
    ran = subprocess.run(
        [program, *map(str, options)], text=True, timeout=120, capture_output=True, check=False,
        cwd=cwd, env=support.clean_environment(SQLITE_MLFLOW=support.extension()) | variables)
    return ran.returncode, ran.stdout, ran.stderr


@contextlib.contextmanager
def small_disk(folder):
    """A disk of this folder's own; gives what sets how many KiB it has."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], check=True)
    try:
        yield lambda kib: subprocess.run(["mount", "-o", f"remount,size={kib}k", folder], check=True)
    finally:
        subprocess.run(["umount", folder], check=True)


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.mirror = mirror(self.folder / "mirror.db")
        self.check = ("--file", self.mirror, *WINDOW, "--at-least")

    def test_they_are_found_however_they_are_run(self):
        for name in ("check", "report", "mirror", "demo"):
            (self.folder / name).symlink_to(SQL / name)
        for check, cwd, variables in ((self.folder / "check", None, {}),
                                      ("sql/check", SQL.parent, {"CDPATH": f"{SQL.parent}:."})):
            for threshold, status in (("requests=3", 0), ("requests=4", 1)):
                found, said, error = run(check, *self.check, threshold, cwd=cwd, **variables)
                self.assertEqual((found, error), (status, ""), check)
                self.assertIn("requests is 3", said)
            for name in ("report", "mirror", "demo"):  # each says how it is used
                status, _, said = run(pathlib.Path(check).with_name(name), "--wrong", cwd=cwd,
                                      **variables)
                self.assertEqual((status, said.split()[0]), (2, f"sql/{name}"))

    def test_a_check_that_cannot_read_its_own_files_is_no_breach(self):
        copy = self.folder / "check"
        copy.write_text((SQL / "check").read_text())
        copy.chmod(0o700)
        self.assertEqual(run(copy, *self.check, "requests=4")[0], 2)

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
    def test_no_room_for_the_check_is_no_breach(self):
        disk = self.folder / "disk"
        disk.mkdir()
        with small_disk(disk) as resize:
            def check(kib):
                resize(kib)
                return run(SQL / "check", *self.check, "requests=3", TMPDIR=str(disk))

            few, enough = 4, 4096
            while enough - few > 4:  # up to one page of the disk too little
                middle = (few + enough) // 8 * 4
                few, enough = (few, middle) if check(middle)[0] == 0 else (middle, enough)
            for kib in range(max(few - 8, 8), enough, 4):
                status, _, error = check(kib)
                self.assertEqual((status, error), (2, f"sql/check: no room is left in {disk}; make "
                                                      "some, or set TMPDIR\n"), kib)
