"""sql/check and sql/report over a mirror made by hand: how they are run, what is around them, and what
they say where they cannot answer. No server.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import support

SQL = support.ROOT / "sql"
END_MS = 100_000_000
MIRROR = f""".read {SQL}/mirror.sql
INSERT INTO mirror_experiment VALUES ('1', 'agent-prod', 0, 'http://127.0.0.1:9');
INSERT INTO mirror_slice VALUES ('1', 0, 9223372036854775807, {END_MS});
INSERT INTO mirror_sync(experiment_id, began_ms, ended_ms, width_ms)
VALUES ('1', {END_MS}, {END_MS}, 1);
INSERT INTO mirror_trace(trace_id, experiment_id, name, status, timestamp_ms, read_at_ms)
SELECT 'tr-' || value, '1', 'agent', 'OK', {END_MS} - 1 - value, {END_MS}
FROM (SELECT 0 AS value UNION ALL VALUES (1), (2));
"""
WINDOW = ("--days", "1")


def offline(path, sql):
    subprocess.run(["sqlite3", "-batch", "-bail", path], input=sql, text=True, check=True)


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
        self.mirror = self.folder / "mirror.db"
        offline(self.mirror, MIRROR)
        self.check = ("--file", self.mirror, *WINDOW, "--at-least")
        self.page = self.folder / "report.html"
        self.report = ("--file", self.mirror, *WINDOW, "--html", self.page)

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

    def test_where_no_temporary_folder_can_be(self):
        nowhere = self.folder / "none"
        for name, options, status in (("check", (*self.check, "requests=3"), 2),
                                      ("report", self.report, 1),
                                      ("mirror", (self.folder / "new.db",), 1)):
            for folder in (nowhere, self.mirror):  # none there, and none at all
                self.assertEqual(run(SQL / name, *options, TMPDIR=str(folder)), (
                    status, "", f"sql/{name}: no temporary folder can be made in {folder}; set TMPDIR "
                                "to a folder that can be written to\n"))
        self.assertEqual(list(self.folder.iterdir()), [self.mirror])

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

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
    def test_no_room_for_the_report(self):
        """Beside the database, or for the page: no page, and the former one stays."""
        disk = self.folder / "disk"
        disk.mkdir()
        self.assertEqual(run(SQL / "report", *self.report)[0], 0)
        whole = len(self.page.read_bytes())
        with small_disk(disk) as resize:
            for kib in range(8, 4096, 64):
                resize(kib)
                self.page.write_text("the former")
                status, _, error = run(SQL / "report", *self.report, TMPDIR=str(disk))
                if status == 0:
                    break
                self.assertEqual((status, error), (1, f"sql/report: no room is left in {disk}; make "
                                                      "some, or set TMPDIR\n"), kib)
                self.assertEqual(self.page.read_text(), "the former")
            self.assertTrue(self.page.read_text().endswith("</html>\n"))

            page = disk / "page.html"
            for kib in (4, 8, whole // 4096 * 4):
                resize(kib)
                page.write_text("the former")
                status, _, error = run(SQL / "report", *self.report, "--html", page)
                self.assertEqual((status, error), (
                    1, f"sql/report: '{page}' cannot be written as a whole; is its disk full? A page "
                       "that was there stays\n"), kib)
                self.assertEqual(page.read_text(), "the former")
                self.assertEqual(list(disk.iterdir()), [page])

    def test_a_page_is_its_owners_unless_it_was_there(self):
        for mode, umask in ((0o600, 0o022), (0o644, 0o077)):
            before = os.umask(umask)
            self.assertEqual(run(SQL / "report", *self.report)[0], 0)
            os.umask(before)
            self.assertEqual(self.page.stat().st_mode & 0o777, mode)
            self.page.chmod(0o644)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"mirror.db", "report.html"})

    def test_where_no_page_can_be(self):
        for page, why in ((self.folder, "is no file"), ("/dev/null", "is no file"),
                          (self.folder / "none" / "x.html", "cannot be written")):
            self.assertEqual(run(SQL / "report", *self.report, "--html", page),
                             (2, "", f"sql/report: --html: '{page}' {why}\n"))

    def test_a_page_may_have_any_name(self):
        for name in ("| cat >copy #", "-page", "it's \"one\""):
            status, _, error = run(SQL / "report", *self.report, "--html", name, cwd=self.folder)
            self.assertEqual((status, error), (0, ""))
            self.assertTrue((self.folder / name).read_text().endswith("</html>\n"))
            (self.folder / name).unlink()
        self.assertEqual(list(self.folder.iterdir()), [self.mirror])

    def test_a_link_to_a_page_stays_one(self):
        link = self.folder / "link.html"
        link.symlink_to(self.page)
        for _ in range(2):  # of a page that is not there yet, and of one that is
            self.assertEqual(run(SQL / "report", *self.report, "--html", link)[0], 0)
            self.assertEqual(link.readlink(), self.page)
            self.assertTrue(self.page.read_text().endswith("</html>\n"))

    def test_a_library_may_be_named_from_here(self):
        library = pathlib.Path(support.extension() + ".so")
        (self.folder / "own.so").symlink_to(library.resolve())
        for name in ("own", "./own"):
            self.assertEqual(run(SQL / "check", *self.check, "requests=3", cwd=self.folder,
                                 SQLITE_MLFLOW=name)[0], 0)

    def test_without_the_shell(self):
        tools = self.folder / "bin"
        tools.mkdir()
        for name in ("basename", "date", "dirname", "mktemp", "readlink", "rm", "sed"):
            (tools / name).symlink_to(shutil.which(name))
        for name, options, failed in (("check", (*self.check, "requests=3"), 2),
                                      ("report", self.report, 1),
                                      ("mirror", (self.folder / "new.db",), 1)):
            self.assertEqual(run(SQL / name, *options, PATH=str(tools)), (
                failed, "", f"sql/{name}: sqlite3 is missing, the shell of SQLite; Debian has it as "
                            "the package sqlite3\n"))

    def test_a_mirror_is_a_file_whatever_its_name(self):
        for name in (":memory:", "file:new.db"):
            status, _, error = run(SQL / "mirror", name, cwd=self.folder,
                                   MLFLOW_TRACKING_URI="http://127.0.0.1:9",
                                   MLFLOW_EXPERIMENT_NAME="agent-prod",
                                   MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
            self.assertEqual(status, 1)
            self.assertIn("cannot connect", error)
            self.assertGreater((self.folder / name).stat().st_size, 0)
            self.assertFalse((self.folder / "new.db").exists())

        (self.folder / "file:new.db").write_bytes(self.mirror.read_bytes())
        self.assertEqual(run(SQL / "check", "--file", "file:new.db", *WINDOW, "--at-least",
                             "requests=3", cwd=self.folder)[0], 0)
        self.assertFalse((self.folder / "new.db").exists())

    def test_a_mirror_is_a_file_and_nothing_else(self):
        os.mkfifo(self.folder / "pipe")
        for path in (self.folder, self.folder / "pipe"):
            self.assertEqual(run(SQL / "mirror", path),
                             (2, "", f"sql/mirror: '{path}' cannot be a file\n"))

    def test_what_a_signal_ends(self):
        """It ends the sqlite3 that waits for the server, too, and leaves nothing."""
        made = self.folder / "made"
        made.mkdir()
        for name, options in (("check", ("--at-least", "requests=1")),
                              ("report", ("--html", self.page))):
            with self.subTest(name), socket.create_server(("127.0.0.1", 0)) as server:
                server.settimeout(60)
                process = subprocess.Popen(
                    [SQL / name, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env=support.clean_environment(
                        SQLITE_MLFLOW=support.extension(), TMPDIR=str(made),
                        MLFLOW_TRACKING_URI=f"http://127.0.0.1:{server.getsockname()[1]}",
                        MLFLOW_EXPERIMENT_NAME="x"))
                asked, _ = server.accept()
                with asked:
                    process.terminate()
                    asked.settimeout(30)
                    while asked.recv(4096):  # up to the end of who asked
                        pass
                process.wait(30)
                self.assertEqual(list(made.iterdir()), [])
        self.assertEqual(set(self.folder.iterdir()), {made, self.mirror})

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
    def test_no_room_beside_a_mirror(self):
        """What could not be written is no answer that nothing is in the way."""
        disk, own = self.folder / "disk", self.folder / "own.db"
        disk.mkdir()
        offline(own, "CREATE TABLE traces(mine);")
        offline(self.mirror, "CREATE VIEW trace_quality AS SELECT 1 AS mine;")
        with small_disk(disk) as resize:
            resize(8)
            (disk / "fill").write_bytes(b"." * 8192)
            for path in (own, self.mirror):
                before = path.read_bytes()
                self.assertEqual(run(SQL / "mirror", path, TMPDIR=str(disk),
                                     SQLITE_TMPDIR=str(self.folder)), (
                    1, "", f"sql/mirror: no room is left in {disk}; make some, or set TMPDIR\n"))
                self.assertEqual(path.read_bytes(), before)

    def test_windows_that_cannot_be(self):
        for options, why in (
                (("--until", "2099-01-01"), "--until is '2099-01-01', which is yet to come; leave it "
                                            "out for a window that ends now"),
                (("--zone", "+25:00"), "--zone is '+25:00'; it must be UTC, localtime or like +02:00; "
                                       "for a city set TZ"),
                (("--zone", "-14:01"), "--zone is '-14:01'; it must be UTC, localtime or like +02:00; "
                                       "for a city set TZ")):
            for name, more in (("check", ("--at-least", "requests=1")), ("report", ())):
                self.assertEqual(run(SQL / name, *more, *options, MLFLOW_TRACKING_URI="http://[::1]:9"),
                                 (2, "", f"sql/{name}: {why}\n"))

    def test_an_experiment_whose_name_is_anothers_id(self):
        offline(self.mirror, f"""INSERT INTO mirror_experiment
            VALUES ('2', '1', 0, 'http://127.0.0.1:9');
            INSERT INTO mirror_slice VALUES ('2', 0, 9223372036854775807, {END_MS});
            INSERT INTO mirror_sync(experiment_id, began_ms, ended_ms, width_ms)
            VALUES ('2', {END_MS}, {END_MS}, 1);
            UPDATE mirror_trace SET experiment_id = '2' WHERE trace_id = 'tr-2';""")
        for variables, requests in (
                ({"MLFLOW_EXPERIMENT_NAME": "1"}, 1), ({"MLFLOW_EXPERIMENT_ID": "1"}, 2),
                ({"MLFLOW_EXPERIMENT_NAME": "2"}, 1), ({"MLFLOW_EXPERIMENT_NAME": "agent-prod"}, 2),
                ({"MLFLOW_EXPERIMENT_ID": "2", "MLFLOW_EXPERIMENT_NAME": "agent-prod"}, 1),
                ({"MLFLOW_EXPERIMENT_NAME": ""}, 3)):
            _, said, _ = run(SQL / "check", *self.check, "requests=0", **variables)
            self.assertIn(f"requests is {requests},", said, variables)
        for variables in {"MLFLOW_EXPERIMENT_ID": "agent-prod"}, {"MLFLOW_EXPERIMENT_NAME": "it's 3"}:
            status, _, error = run(SQL / "check", *self.check, "requests=0", **variables)
            self.assertEqual(status, 2)
            self.assertIn(f"has no experiment '{list(variables.values())[0]}'; sql/mirror", error)

    def test_a_file_that_cannot_be_read(self):
        def why():
            found = run(SQL / "check", *self.check, "requests=0")
            self.assertEqual(found[:2], (2, ""))
            return found[2]

        start = f"sql/check: --file: '{self.mirror}' "
        with contextlib.closing(sqlite3.connect(self.mirror)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            self.assertEqual(why(), f"{start}cannot be read: database is locked, by another program; "
                                    "try again when that has ended\n")
        whole = self.mirror.read_bytes()
        self.mirror.write_bytes(whole[:100] + b"?" * 8000 + whole[8100:])
        self.assertEqual(why(), f"{start}cannot be read: database disk image is malformed\n")
        for other in (b"no database at all", b""):
            self.mirror.write_bytes(other)
            self.assertEqual(why(), f"{start}is no mirror; sql/mirror makes one\n")

    def test_a_program_mirrors_all_traces(self):
        steps = "".join(f".read {SQL}/{step}.sql\n" for step in (
            "mirror", *(f"mirror.d/{name}" for name in (
                "begin", "compare", "stale", "store", "slice", "store", "end"))))
        filtered = {"MLFLOW_EXPERIMENT_NAME": "agent-prod", "MLFLOW_SQL_FILTER": "tags.a = 'b'"}
        said = support.shell(f"{steps}SELECT count(*) FROM mirror_slice;", "http://127.0.0.1:9",
                             **filtered)
        why = "MLFLOW_SQL_FILTER is set, and a mirror is of all traces; unset it"
        self.assertEqual(said, f"{why}\n0")
        self.assertEqual(run(SQL / "mirror", self.folder / "new.db", **filtered),
                         (2, "", f"sql/mirror: {why}\n"))
