"""A mirror says what the server says, after any break, and whatever asks it (docs/mirror.md)."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import support

import seeded
import test_agents
import test_check
import test_models
import test_report
from mirrored import ALSO, DAY_MS, HOUR_MS, Mirror, Traffic, scratch_folder
from test_patterns import PATTERNS


def sqlite_of(process):
    """The pid of the sqlite3 that a running sql/mirror talks to. (Bash forks for moments, too.)"""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while True:
        for child in children.read_text().split():
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "sqlite3\n":
                    return int(child)


class Copies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.name = support.create_experiment(cls.server, "mirror")
        support.seed(cls.server, cls.name, 300)
        cls.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.mirror = Mirror(cls.server, cls.name, cls.folder.name, spans_days=None)
        cls.said = cls.mirror.sync()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_it_says_what_the_server_says(self):
        self.assertEqual(self.mirror.differences(), {table: set() for table in ALSO})
        self.assertRegex(self.said.splitlines()[0],
                         rf"^{self.name}: 300 traces in the mirror; read 300, and the "
                         r"spans of 300, in \d+ requests and [\d.]+ s$")
        self.assertEqual(self.mirror.integrity(), "ok")

    def test_the_saved_views_are_in_it(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder)
            mirror.path.unlink()
            said, hint = mirror.sync().splitlines()
            self.assertRegex(said, "300 traces in the mirror")
            command = hint.partition("the saved views want the library: ")[2]
            ran = subprocess.run(["bash", "-c", command], check=False, text=True,
                                 capture_output=True, env=support.clean_environment())
            self.assertEqual(ran.stderr, "")
            self.assertRegex(ran.stdout, r"^\d+\|")
            saved = "SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY name;"
            names = {line.split("|")[0] for line in mirror.offline(saved).splitlines()}
            self.assertLess({"trace_quality", "failing_cases", "repeated_calls"}, names)

            mirror.offline("DROP VIEW failing_cases; DROP VIEW trace_quality;"
                           "CREATE VIEW trace_quality AS SELECT 1 AS mine;")
            mirror.settings(tags='["other"]')  # a column goes: SQLite then reads all views
            before = mirror.offline(saved)
            self.assertEqual(len(mirror.sync().splitlines()), 1)
            self.assertEqual(mirror.offline(saved), before)
            columns = mirror.offline("SELECT name FROM pragma_table_info('traces');")
            self.assertEqual([name for name in columns.split() if name.startswith("tags.")],
                             ["tags.other"])

    def test_it_keeps_off_names_of_yours(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder)
            mirror.offline("CREATE VIEW Daily_Quality AS SELECT 'mine' AS mine;")
            self.assertEqual(len(mirror.sync().splitlines()), 1)
            self.assertEqual(mirror.offline(
                "SELECT name FROM sqlite_schema WHERE name COLLATE NOCASE IN "
                "('daily_quality', 'trace_quality'); SELECT * FROM daily_quality;"),
                "Daily_Quality\nmine")
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder)
            mirror.path.unlink()
            mirror.offline("PRAGMA encoding = 'UTF-16le'; CREATE TABLE Traces(mine);")
            with self.assertRaisesRegex(RuntimeError, "has a table 'Traces' of its own"):
                mirror.sync()
            mirror.offline("ALTER TABLE Traces RENAME TO other;")
            self.assertEqual(len(mirror.sync().splitlines()), 2)

    def whole_slices_alone(self, mirror):
        """Each trace has its spans, and lies in a slice that was read to its end."""
        self.assertEqual(mirror.offline(
            "SELECT count(*) FROM traces AS t WHERE NOT EXISTS (SELECT 1 FROM spans "
            "WHERE trace_id = t.trace_id) OR NOT EXISTS (SELECT 1 FROM mirror_slice "
            "WHERE timestamp_ms >= from_ms AND timestamp_ms < until_ms);"), "0")
        self.assertEqual(mirror.integrity(), "ok")

    def test_it_is_killed_while_it_writes(self):
        for table in ("mirror_trace_json", "mirror_span", "mirror_slice"):
            with self.subTest(table), scratch_folder() as folder:
                mirror = Mirror(self.server, self.name, folder, spans_days=None)
                mirror.offline(f"""CREATE TRIGGER hold AFTER INSERT ON {table}
                    WHEN (SELECT count(*) FROM mirror_slice) > 2 BEGIN
                      SELECT count(*) FROM (WITH RECURSIVE c(n) AS (
                        SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000000000) SELECT n FROM c);
                    END;""")
                process = mirror.start()
                deadline, seen = time.monotonic() + 60, None
                while seen != (seen := mirror.offline("SELECT count(*) FROM mirror_slice;")) \
                        or int(seen) < 2:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(1)
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                self.whole_slices_alone(mirror)
                mirror.offline("DROP TRIGGER hold;")
                mirror.sync()
                self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
                self.whole_slices_alone(mirror)

    def test_it_is_interrupted(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder, spans_days=None)
            process = mirror.start()
            time.sleep(1)
            began = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            _, said = process.communicate(timeout=60)
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(process.returncode, 130, said)
            self.assertRegex(said, r"^sql/mirror: stopped; .*mirror.db has what was read")
            self.assertEqual(len(said.splitlines()), 1)
            mirror.sync()
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})

    def test_it_is_interrupted_as_it_begins(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder, spans_days=None)
            begun = 0
            for hundredths in range(4, 20):  # while one short program runs after the other
                process = mirror.start()
                time.sleep(hundredths / 100)
                os.killpg(process.pid, signal.SIGINT)
                _, said = process.communicate(timeout=60)
                if process.returncode != -signal.SIGINT:  # it had not begun
                    begun += 1
                    self.assertEqual(process.returncode, 130, said)
                    self.assertRegex(said, r"^sql/mirror: stopped; [^\n]*\n$")
            self.assertGreater(begun, 8)

    def test_sqlite_is_interrupted_first(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder, spans_days=None)
            process = mirror.start()
            while mirror.offline("SELECT count(*) FROM mirror_slice;") == "0":
                self.assertIsNone(process.poll())
            os.kill(sqlite_of(process), signal.SIGINT)
            _, said = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, said)
            self.assertRegex(said, r"^sql/mirror: stopped; [^\n]*\n$")

    def test_two_at_once(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder, spans_days=None)
            first = mirror.start("--watch", "60", "--quiet")
            while mirror.offline("SELECT count(*) FROM mirror_sync;") == "0":
                self.assertIsNone(first.poll())
            second = mirror.start()
            _, said = second.communicate(timeout=60)
            self.assertEqual((second.returncode, said), (
                2, f"sql/mirror: another sql/mirror is bringing {mirror.path} up to date\n"))
            while mirror.status()["synced_at_ms"] is None:
                self.assertIsNone(first.poll())
            first.terminate()
            first.communicate(timeout=10)
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})

    def test_somebody_else_writes(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder)
            with contextlib.closing(sqlite3.connect(mirror.path)) as other:
                other.execute("CREATE TABLE own(x)")
                other.execute("PRAGMA journal_mode = WAL")
                other.execute("BEGIN IMMEDIATE")
                with self.assertRaisesRegex(RuntimeError, "^sql/mirror: .*mirror.db is being "
                                            "written to by another program; try again"):
                    mirror.sync()

    def test_readers_are_not_stopped(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder, spans_days=None)
            process, counts = mirror.start(), []
            while process.poll() is None:
                counts.append(int(mirror.offline("SELECT count(*) FROM traces;")))
            process.communicate()
            self.assertEqual(counts, sorted(counts))
            self.assertGreater(len(set(counts)), 3)  # useful before it is complete
            with self.assertRaisesRegex(RuntimeError, "no such module|no such table"):
                mirror.offline("SELECT count(*) FROM mlflow_traces;")  # it asks nobody

    def test_a_sync_with_nothing_new_costs_little(self):
        before = self.mirror.status()
        self.mirror.sync()
        after = self.mirror.status()
        self.assertLessEqual(after["requests"], 10)  # two of them for traces in progress
        self.assertLess(after["requests"], before["requests"] / 2)

    def test_a_copy_costs_its_pages(self):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, self.name, folder, spans_days=0)
            mirror.sync(MLFLOW_SQL_PAGE_ROWS="10", MLFLOW_SQL_STREAMS="1")
            slices = int(mirror.offline("SELECT count(*) FROM mirror_slice;"))
            # A page begins with the last row of the one before. Each slice asks for its newest
            # trace, and may end with a page that is not full.
            self.assertLessEqual(mirror.status()["requests"], 300 / 9 + 2 * slices + 5)
            self.assertLess(slices, 12)

    @contextlib.contextmanager
    def of(self, name):
        with scratch_folder() as folder:
            mirror = Mirror(self.server, name, folder, spans_days=None)
            mirror.sync()
            yield name, mirror

    @contextlib.contextmanager
    def of_all_kinds(self):
        """(name, mirror) of the experiment that the tests share; it is read once."""
        name = seeded.experiment(self.server, "all")
        once = pathlib.Path(self.folder.name) / "all.db"
        with scratch_folder() as folder:
            mirror = Mirror(self.server, name, folder, spans_days=None)
            if once.exists():
                shutil.copy(once, mirror.path)
            else:
                mirror.sync()
                shutil.copy(mirror.path, once)
            yield name, mirror

    def test_patterns_and_views_are_those_of_the_server(self):
        with self.of_all_kinds() as (name, mirror):
            online = seeded.Database(self.server, name, until_ms=seeded.UNTIL_MS)
            unreachable = {"MLFLOW_EXPERIMENT_NAME": name}

            def offline(sql):
                return support.shell(sql, "http://127.0.0.1:9", database=str(mirror.path),
                                     **unreachable)

            offline(f".read {seeded.SQL}/tables.sql\n.read {seeded.SQL}/views.sql\n"
                    f"UPDATE report_settings SET until_ms = {seeded.UNTIL_MS};")
            self.assertEqual(len(PATTERNS), 7)
            for path in PATTERNS:
                with self.subTest(path.name):
                    sql = f".mode json\n.read {path}"
                    shown = offline(sql)
                    self.assertEqual(shown, online.shell(sql))
                    self.assertNotEqual(shown, "")

    def test_saved_views_are_those_of_the_server(self):
        test_agents.make(self.server)
        test_models.make(self.server)
        said = set()
        for made in self.of_all_kinds(), self.of(test_agents.NAME), self.of(test_models.NAME):
            with made as (name, mirror):
                online = seeded.Database(self.server, name, days=10, until_ms=seeded.UNTIL_MS)
                offline = seeded.Database(self.server, name, path=mirror.path, days=10,
                                          until_ms=seeded.UNTIL_MS)
                for database in online, offline:
                    database.shell(seeded.THRESHOLDS + test_models.Priced.insert_prices())
                views = online.views()
                self.assertLess(set(views), set(offline.views()))
                for view in views:
                    with self.subTest(view, name=name):
                        rows, copied = online.view(view), offline.view(view)
                        said |= {view} if rows else set()
                        for row in rows + copied:
                            row.pop("run_id", None)  # of no run was asked (docs/mirror.md)
                        self.assertTrue(seeded.same(copied, rows))
                self.assertEqual(offline.receipt("".join(f"SELECT * FROM {view};"
                                                         for view in views)), (0, 0))
        self.assertEqual(said, set(views))

    def test_parquet_of_a_mirror(self):
        """The two blocks of docs/beyond.md, beside the same question to the mirror."""
        import duckdb

        page = (support.ROOT / "docs" / "beyond.md").read_text()
        program = re.search(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)
        question = re.search(r"^```text\n(SELECT.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)
        folder = self.mirror.path.parent
        subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
        with contextlib.chdir(folder):
            found = duckdb.sql(question).fetchall()
        shown = support.shell(
            "SELECT name, count(*), percentile(execution_time_ms, 95) FROM traces GROUP BY 1;",
            database=str(self.mirror.path))
        expected = [line.split("|") for line in shown.splitlines()]
        self.assertEqual({name: (count, round(p95, 6)) for name, count, p95 in found},
                         {name: (int(count), round(float(p95), 6))
                          for name, count, p95 in expected})
        self.assertGreater(len(found), 2)

    def test_the_report_of_a_mirror(self):
        self.mirror.sync()
        with scratch_folder() as folder:
            _, online = test_report.report(self.server, self.name, folder, "--days", "14")
            page, offline = test_report.report("http://127.0.0.1:9", self.name, folder, "--days",
                                               "14", "--file", self.mirror.path)
            self.assertEqual(test_report.Structure(page).open, [])
            online, offline = online.splitlines(), offline.splitlines()
            figures = [line for line in online[2:] if line.startswith("  ")][:12]
            self.assertIn("  Success rate", "\n".join(figures))
            self.assertEqual([line for line in offline[2:] if line.startswith("  ")][:12], figures)
            self.assertEqual(offline[0], self.name)
            self.assertTrue(offline[1].endswith(f" on {self.server.uri}"), offline[1])
            shown = "\n".join(offline)
            self.assertRegex(
                shown, r"From a mirror as of 2[\d-]+ [\d:]+ \(\d+ min old\): 300 traces")
            self.assertNotIn("Fetched in", shown)

            def refusal(file, *options, experiment=self.name):
                with self.assertRaises(RuntimeError) as caught:
                    test_report.report("http://127.0.0.1:9", experiment, folder, "--file", file,
                                       *options)
                return str(caught.exception)

            self.assertIn("is no mirror; sql/mirror makes one", refusal("/dev/null"))
            self.assertIn("has no experiment 'other'; sql/mirror adds it",
                          refusal(self.mirror.path, experiment="other"))
            begun = Mirror(self.server, self.name, folder)
            begun.offline("INSERT INTO mirror_experiment VALUES ('1', "
                          f"'{self.name}', 0, '{self.server.uri}');")
            self.assertIn("is not complete yet; sql/mirror goes on with it", refusal(begun.path))


class Corners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()

    def mirrored(self, name, traces, **settings):
        experiment = support.create_experiment(self.server, name)
        support.insert_traces(self.server, experiment, traces)
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        return Mirror(self.server, experiment, folder.name, **settings)

    def test_odd_times_and_names(self):
        now_ms = int(time.time() * 1000)
        prefix = f"tr-{now_ms:x}-odd"
        hour = now_ms // HOUR_MS * HOUR_MS
        odd = [
            (now_ms, {"tags": {"mlflow.traceName": "named"}}), (now_ms, {}),  # one millisecond
            (hour - 5 * HOUR_MS, {}), (hour - 5 * HOUR_MS - 1, {}),  # each side of an hour
            (now_ms + 300 * DAY_MS, {}), (1, {}), (0, {}),  # clocks that were wrong
            (now_ms - 400 * DAY_MS, {"status": "IN_PROGRESS"})]
        mirror = self.mirrored("mirror odd", [
            {"trace_id": f"{prefix}{i}", "timestamp_ms": at, **more}
            for i, (at, more) in enumerate(odd)])
        mirror.sync()
        self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
        self.assertEqual(mirror.offline("SELECT count(*), count(name) FROM traces;"), "8|1")
        for _ in range(2):
            mirror.sync()
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})

    def test_what_a_sync_with_nothing_new_asks(self):
        now_ms = int(time.time() * 1000)
        mirror = self.mirrored("mirror idle", [
            {"trace_id": f"tr-{now_ms:x}-idle", "timestamp_ms": now_ms, "status": "IN_PROGRESS"}],
            spans_days=0)
        for _ in range(4):  # slices grow, up to the whole
            mirror.sync("--no-compare")  # the version, the experiment, what ended, a page
        self.assertEqual(mirror.status()["requests"], 4)
        mirror.sync()  # the version, the experiment, five counts, a page
        self.assertEqual(mirror.status()["requests"], 8)
        support.insert_traces(self.server, mirror.experiment, [
            {"trace_id": f"tr-{now_ms:x}-idle{days}", "timestamp_ms": now_ms - days * DAY_MS,
             "status": "IN_PROGRESS"} for days in (2, 40)])
        mirror.sync("--again")
        mirror.sync("--no-compare")  # and the two that have been in progress for days
        self.assertEqual(mirror.status()["requests"], 5)
        self.assertEqual(mirror.status()["read"], 3)
        mirror.sync()
        self.assertEqual(mirror.status()["requests"], 8)
        self.assertEqual(mirror.status()["read"], 1)

    def test_more_in_an_hour_than_one_list_holds(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror many", 20, now_ms)
        support.insert_traces(self.server, traffic.name, [
            {"trace_id": f"tr-{now_ms:x}-many{i}", "timestamp_ms": now_ms - i,
             "assessments": [("concise", "yes")]} for i in range(510)])
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder)
            mirror.sync()
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            self.assertEqual(mirror.offline("SELECT count(*) FROM traces;"), "530")
            self.assertGreater(int(mirror.offline("SELECT count(*) FROM spans;")), 100)

    def test_every_store_and_age(self):
        now_ms = int(time.time() * 1000)
        for name in support.servers():
            with self.subTest(name), scratch_folder() as folder:
                server = support.start(name)
                experiment = support.create_experiment(server, "mirror store")
                ids = [f"tr-{now_ms:x}-store{i}" for i in range(6)]
                support.insert_traces(server, experiment, [
                    {"trace_id": trace_id, "timestamp_ms": now_ms - i * DAY_MS,
                     "tags": {"environment": "moon"}, "assessments": [("concise", "yes")],
                     "status": "OK" if i else "IN_PROGRESS", "execution_time_ms": i or None}
                    for i, trace_id in enumerate(ids)])
                mirror = Mirror(server, experiment, folder)
                for _ in range(2):
                    mirror.sync()
                    self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
                self.assertEqual(mirror.offline("SELECT count(*) FROM assessments;"), "6")
                compared = mirror.status()["compared_at_ms"] is not None
                self.assertEqual(compared, "3.17" in server.version)
                self.assertEqual(mirror.status()["differing"], 0)
                support.delete_traces(server, experiment, [ids[0], ids[3]])
                mirror.sync()
                self.assertEqual(mirror.offline("SELECT count(*) FROM traces;"),
                                 "4" if compared else "5")

    def test_a_new_file_is_its_owners(self):
        mirror = self.mirrored("mirror modes", [])
        mirror.path = mirror.path.parent / "new's.db"
        mirror.sync()
        self.assertEqual(mirror.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(mirror.status()["traces"], 0)

    def test_progress_on_a_terminal(self):
        now_ms = int(time.time() * 1000)
        mirror = self.mirrored("mirror progress", [
            {"trace_id": f"tr-{now_ms:x}-days{i}", "timestamp_ms": now_ms - i * DAY_MS}
            for i in range(9)])
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [seeded.SQL / "mirror", mirror.path], stdout=theirs, stderr=theirs,
            env=support.clean_environment(self.server, SQLITE_MLFLOW=support.extension(),
                                          MLFLOW_EXPERIMENT_NAME=mirror.experiment))
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is gone
            while read := os.read(ours, 4096):
                shown += read
        os.close(ours)
        self.assertEqual(process.wait(60), 0)
        lines = shown.decode().split("\r\x1b[K")
        oldest = time.strftime("%Y-%m-%d", time.gmtime(now_ms / 1000 - 8 * 86400))
        self.assertGreater(len(lines), 3)
        self.assertRegex(lines[1], rf"^{mirror.experiment}: 1 traces read, \d+ requests, back to "
                                   rf"[-\d]+ \d\d:00 of {oldest} \d\d:\d\d$")
        self.assertIn(": 9 traces in the mirror; read 9", lines[-1])

    def test_nothing_is_an_answer_too(self):
        mirror = self.mirrored("mirror empty", [])
        mirror.sync()
        self.assertEqual(mirror.status()["traces"], 0)
        self.assertIsNotNone(mirror.status()["synced_at_ms"])
        self.assertEqual(mirror.offline("SELECT min(from_ms), max(until_ms) FROM mirror_slice;"),
                         "-9223372036854775808|9223372036854775807")
        now_ms = int(time.time() * 1000)
        support.insert_traces(self.server, mirror.experiment, [
            {"trace_id": f"tr-{now_ms:x}-first", "timestamp_ms": now_ms}])
        mirror.sync()
        self.assertEqual(mirror.differences()["traces"], set())
        self.assertEqual(mirror.status()["traces"], 1)
        support.delete_traces(self.server, mirror.experiment, [f"tr-{now_ms:x}-first"])
        self.assertIn("; 1 are gone", mirror.sync())  # a window that is empty now
        self.assertEqual(mirror.status()["traces"], 0)

    def test_days_to_keep(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror days", 4, now_ms - HOUR_MS)
        for days in (3, 10, 40):
            traffic.add(4, now_ms - days * DAY_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, days=20)
            counts = ("SELECT (SELECT count(*) FROM traces), (SELECT count(DISTINCT trace_id) "
                      "FROM spans), (SELECT count(request) FROM traces), "
                      "(SELECT count(DISTINCT trace_id) FROM search);")
            mirror.sync()
            self.assertEqual(mirror.offline(counts), "12|8|8|12")
            for settings, shown in (({"days": 5}, "8|8|8|8"), ({"spans_days": 1}, "8|4|4|8"),
                                    ({"days": None}, "16|4|4|16"), ({"spans_days": 0}, "16|0|0|16"),
                                    ({"spans_days": None}, "16|16|16|16")):
                mirror.settings(**settings)
                mirror.sync("--again")
                self.assertEqual(mirror.offline(counts), shown, settings)
                self.assertEqual(mirror.integrity(), "ok")
            self.assertEqual(mirror.differences(), {table: set() for table in ALSO})
            # What was let go comes again, also from a slice of which the rest is kept.
            for days, shown in ((5, "8|8|8|8"), (None, "16|16|16|16")):
                mirror.settings(days=days)
                mirror.sync("--no-compare")
                self.assertEqual(mirror.offline(counts), shown, days)

    def test_a_window_that_is_not_kept(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror window", 4, now_ms - HOUR_MS)
        traffic.add(4, now_ms - 60 * HOUR_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, days=4, spans_days=1)
            mirror.sync()
            there = ("--file", mirror.path)
            kept = time.strftime("%Y-%m-%d %H:%M",
                                 time.gmtime((now_ms // HOUR_MS - 4 * 24) * 3600))
            count = ("--at-least", "requests=1", *there)
            for options in (), ("--days", "5"), ("--since", "2026-01-01"):
                for ask in (lambda: test_check.check(self.server, traffic.name, *count, *options),
                            lambda: test_report.report(self.server, traffic.name, folder, *there,
                                                       *options)):
                    with self.assertRaisesRegex(RuntimeError, rf"keeps traces since {kept} UTC; "
                                                "take a shorter window, or raise mirror_settings"):
                        ask()
            self.assertEqual(test_check.check(self.server, traffic.name, *count, "--days", "4")[0],
                             0)
            page, text = test_report.report(self.server, traffic.name, folder, *there, "--days",
                                            "3")
            self.assertIn("The window before this one was not read in full", page)
            self.assertRegex(page, "The mirror keeps spans since [-0-9]+ [0-9:]+: what only spans")
            self.assertIn("4 drawn at random", text)
            self.assertNotIn("Beside the window before", text)
            page, _ = test_report.report(self.server, traffic.name, folder, *there, "--since",
                                         "90 minutes")
            self.assertNotIn("keeps spans since", page)

    def test_declared_tags(self):
        now_ms = int(time.time() * 1000)
        tags = {"environment": "moon", "it's": "so", "a.b": "dotted", "2": "two", 'a"b': "quoted",
                "[x": "open", "a b": "apart", "": "unnamed", "nul": "a\0b", "slash": "\\u0000\\"}

        def trace(i):
            return {"trace_id": f"tr-{now_ms:x}-tag{i}", "timestamp_ms": now_ms - i, "tags": tags}

        def shown(names):
            columns = ", ".join('"tags.' + name.replace('"', '""') + '"' for name in names)
            return mirror.offline(f"SELECT {columns}, count(*) FROM traces GROUP BY 1;")

        mirror = self.mirrored("mirror tags", [trace(i) for i in range(3)])
        mirror.sync()
        for names in (["environment", "it's"], list(tags), ["Environment", "a.b"], ["a.b"], [],
                      ["environment", "a.b"]):
            mirror.settings(tags=json.dumps(names))
            for options in ((), (), ("--again",)):
                mirror.sync(*options)
                expected = [tags.get(name, "").replace("\0", "\\u0000") for name in names]
                if names:
                    self.assertEqual(shown(names), "|".join([*expected, "3"]), options)
        self.assertNotIn("tags.version", mirror.offline("PRAGMA table_info(traces);"))
        with self.assertRaisesRegex(RuntimeError, "two names differ in the case of letters alone"):
            mirror.settings(tags='["version", "it\'s", "Version"]')
        mirror.settings(tags='["environment", 2, "2", "a.b"]')
        mirror.settings(tags='["environment", "a.b"]')
        # As files of an earlier version are, of which a change of tags may have lost a trigger.
        mirror.offline("""DROP TRIGGER mirror_tags;
            CREATE TRIGGER mirror_tag_environment AFTER INSERT ON mirror_trace BEGIN
              UPDATE mirror_trace SET "tags.environment" = 'old' WHERE trace_id = new.trace_id;
            END;""")
        support.insert_traces(self.server, mirror.experiment, [trace(3)])
        mirror.sync()
        self.assertEqual(shown(["environment", "a.b"]), "moon|dotted|4")

    def test_several_experiments_in_one_file(self):
        now_ms = int(time.time() * 1000)
        mirror = self.mirrored("mirror one", [
            {"trace_id": f"tr-{now_ms:x}-one", "timestamp_ms": now_ms - 5}])
        other = support.create_experiment(self.server, "mirror two")
        support.insert_traces(self.server, other, [
            {"trace_id": f"tr-{now_ms:x}-two{i}", "timestamp_ms": now_ms} for i in range(2)])
        mirror.sync()
        mirror.sync("--experiment", other)
        mirror.sync("--experiment", support.experiment_id(self.server, mirror.experiment))
        self.assertEqual(mirror.offline(
            "SELECT experiment, count(*) FROM traces GROUP BY 1 ORDER BY 2;"),
            f"{mirror.experiment}|1\n{other}|2")
        shown = "SELECT experiment, traces FROM mirror_status ORDER BY 2;"
        self.assertEqual(mirror.offline(shown), f"{mirror.experiment}|1\n{other}|2")
        # They exchange their names.
        numbers = [support.experiment_id(self.server, name) for name in (mirror.experiment, other)]
        for number, name in ((0, f"{other} soon"), (1, mirror.experiment), (0, other)):
            self.server.call("POST", "/api/2.0/mlflow/experiments/update",
                             {"experiment_id": numbers[number], "new_name": name})
        for name in (other, mirror.experiment):
            mirror.sync("--experiment", name)
            self.assertEqual(mirror.offline(shown), f"{other}|1\n{mirror.experiment}|2")

    def test_what_is_refused(self):
        mirror = self.mirrored("mirror refused", [])
        mirror.sync()
        before = mirror.offline(".dump")

        def refusal(*options, **variables):
            with self.assertRaises(RuntimeError) as caught:
                mirror.sync(*options, **variables)
            self.assertNotIn("\n", str(caught.exception))
            self.assertEqual(mirror.offline(".dump"), before)
            return str(caught.exception)

        self.assertIn(f"the file mirrors {self.server.uri}, not http://127.0.0.1:9: use another "
                      "file, one for each server", refusal("--uri", "http://127.0.0.1:9/"))
        self.assertIn("has no experiment 'never made', or the account may not read it", refusal(
            "--experiment", "never made"))
        self.assertIn("no experiment is named", refusal(MLFLOW_EXPERIMENT_NAME=""))
        mirror.offline("UPDATE mirror_experiment SET experiment_id = 'older';")
        before = mirror.offline(".dump")
        self.assertIn("it was made anew on", refusal())
        other = pathlib.Path(mirror.path.parent) / "other.db"
        with contextlib.closing(sqlite3.connect(other)) as connection:
            connection.execute("CREATE TABLE spans(x)")
        mirror.path, before = other, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n" \
            "CREATE TABLE spans(x);\nCOMMIT;"
        self.assertIn("has a table 'spans' of its own", refusal())

    def test_a_sync_that_fails_keeps_what_is_there(self):
        now_ms = int(time.time() * 1000)
        mirror = self.mirrored("mirror down", [
            {"trace_id": f"tr-{now_ms:x}-down", "timestamp_ms": now_ms}])
        mirror.sync()
        before = mirror.status()
        mirror.offline("CREATE TRIGGER fails BEFORE INSERT ON mirror_slice BEGIN "
                       "SELECT RAISE(ABORT, 'the disk is full'); END;")
        with self.assertRaisesRegex(RuntimeError, "^sql/mirror: the disk is full$"):
            mirror.sync()
        self.assertEqual(mirror.status(), before | {"unfinished": 1})
        mirror.offline("DROP TRIGGER fails;")
        for last, width in (("24000000", "3000000"), ("80000", "60000")):  # it may have held too much
            self.assertEqual(support.shell(
                f"UPDATE mirror_sync SET width_ms = {last} WHERE ended_ms IS NULL;\n.read "
                f"{seeded.SQL}/mirror.d/begin.sql\nSELECT width_ms FROM syncing;", self.server,
                database=str(mirror.path), MLFLOW_EXPERIMENT_NAME=mirror.experiment), width)
        mirror.sync()
        self.assertEqual(mirror.status()["unfinished"], 0)
        self.assertGreater(mirror.status()["oldest_read_at_ms"], before["oldest_read_at_ms"])
        mirror.offline("UPDATE mirror_experiment SET uri = 'http://127.0.0.1:9';")
        with self.assertRaisesRegex(RuntimeError, "^sql/mirror: .*cannot connect"):
            mirror.sync("--uri", "http://127.0.0.1:9", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
        self.assertEqual(mirror.offline("SELECT count(*) FROM traces;"), "1")

    def test_a_sync_from_a_program(self):
        """The steps of docs/mirror.md, as the shell runs them; one that fails is the last."""
        page = (support.ROOT / "docs" / "mirror.md").read_text()
        steps = re.search(r"```sql\n(\.bail on\n\.read sql/mirror\.sql\n.*?)```", page, re.DOTALL)
        part = ".read sql/mirror.d/slice.sql\n.read sql/mirror.d/store.sql\n"
        now_ms = int(time.time() * 1000)
        mirror = self.mirrored("mirror by a program", [
            {"trace_id": f"tr-{now_ms:x}-program{i}", "timestamp_ms": now_ms - i,
             "tags": {f"t{j}": "x" * 4000 for j in range(5)}} for i in range(5)])

        def run(parts, **variables):
            ran = support.run_shell(
                steps.group(1).replace(part, part * parts).replace("sql/", f"{seeded.SQL}/"),
                self.server, database=str(mirror.path), options=(),
                MLFLOW_EXPERIMENT_NAME=mirror.experiment, **variables)
            return ran.stderr, mirror.status()

        said, status = run(1)  # too few
        self.assertEqual((said, status["unfinished"], status["synced_at_ms"]), ("", 1, None))
        said, whole = run(3)
        self.assertEqual((said, whole["unfinished"], whole["traces"]), ("", 0, 5))
        said, status = run(3, MLFLOW_SQL_REPLY_BYTES_MAX="50000")
        self.assertIn("a larger MLFLOW_SQL_REPLY_BYTES_MAX takes more", said)
        self.assertEqual((status["traces"], status["unfinished"], status["synced_at_ms"]),
                         (5, 1, whole["synced_at_ms"]))
        self.assertEqual((run(3)[0], mirror.status()["unfinished"]), ("", 0))
        self.assertEqual(mirror.differences(), {table: set() for table in ALSO})

    def test_watch(self):
        mirror = self.mirrored("mirror watch", [])
        process = mirror.start("--watch", "1")
        now_ms = int(time.time() * 1000)
        for i in range(2):
            support.insert_traces(self.server, mirror.experiment, [
                {"trace_id": f"tr-{now_ms:x}-watch{i}", "timestamp_ms": now_ms + i}])
            deadline = time.monotonic() + 30
            while mirror.offline("SELECT count(*) FROM traces;") != str(i + 1):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.2)
        number = support.experiment_id(self.server, mirror.experiment)

        def rename(name):
            self.server.call("POST", "/api/2.0/mlflow/experiments/update",
                             {"experiment_id": number, "new_name": name})

        rename(f"{mirror.experiment} by another name")
        said = process.stderr.readline()
        while "has no experiment" not in said:  # the end of the file, if it ends
            self.assertNotEqual(said, "")
            said = process.stderr.readline()
        rename(mirror.experiment)
        support.delete_traces(self.server, mirror.experiment, [f"tr-{now_ms:x}-watch0"])
        while mirror.offline("SELECT count(*) FROM traces;") != "1":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        process.terminate()
        _, said = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130)
        self.assertIn("sql/mirror: stopped", said)

    def test_a_name_that_is_written_from_right_to_left(self):
        now_ms = int(time.time() * 1000)
        mirror = self.mirrored("\u062a\u062c\u0631\u0628\u0629\u200f \u202bmirror\u202c", [
            {"trace_id": f"tr-{now_ms:x}-left", "timestamp_ms": now_ms}])
        mirror.sync()
        self.assertEqual(mirror.status()["experiment"], mirror.experiment)
        self.assertEqual(mirror.offline("SELECT count(*) FROM traces;"), "1")

    def test_a_watched_file_that_goes(self):
        mirror = self.mirrored("mirror moved", [])
        mirror.sync()
        process = mirror.start("--watch", "1", "--quiet")
        while mirror.status()["unfinished"] or mirror.offline(
                "SELECT count(*) FROM mirror_sync;") == "1":
            self.assertIsNone(process.poll())
        mirror.path.rename(mirror.path.with_name("elsewhere.db"))
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(said.splitlines()[-1],
                         f"sql/mirror: {mirror.path} is another file now, or none; run it again")
        self.assertFalse(mirror.path.exists())

    def test_search(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror search", 1, now_ms - HOUR_MS)
        [trace] = traffic.add(1, now_ms - 2 * HOUR_MS)
        trace.spans[0].inputs, trace.id = {"q": "Где мой заказ?"}, "tr-" + trace.id[3:][::-1]
        traffic.writer.write([trace])
        [failed] = traffic.add(1, now_ms - 3 * HOUR_MS)
        failed.spans[-1].error = ("QuotaError", "the zebra quota is exhausted")
        failed.id = "tr-" + failed.id[3:][::-1]
        traffic.writer.write([failed])
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder)
            mirror.sync()

            def found(words):
                return mirror.offline("SELECT DISTINCT trace_id FROM search "
                                      f"WHERE search MATCH '{words}';").split()

            self.assertEqual(found("заказ"), [trace.id])
            self.assertEqual(found("exception_message: zebra"), [failed.id])
            self.assertEqual(found(f"name: {trace.spans[-1].name}") != [], True)
            self.assertEqual(mirror.offline(
                "SELECT snippet(search, 3, '[', ']', '…', 5) FROM search "
                "WHERE search MATCH 'request: заказ';"), '{"q":"Где мой [заказ]?"}')
            traffic.delete(trace)
            mirror.sync()
            self.assertEqual(found("заказ"), [])
            self.assertEqual(mirror.integrity(), "ok")
