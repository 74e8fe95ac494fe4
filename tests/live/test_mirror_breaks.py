"""What can go wrong around a mirror, and that it is whole then: killed at each request, a disk that
is full, a clock that is wrong."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import support

from mirrored import ALSO, DAY_MS, HOUR_MS, Mirror, Traffic, scratch_folder

NOTHING = {table: set() for table in ALSO}
CLOCK = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
  const char *ahead = getenv("AHEAD_S");
  long rc = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
  return (int)rc;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
  return 0;
}
"""


class Counting:
    """A server before another one: it counts requests, calls `at_request` with each number, and
    says what `edit` makes of each reply."""

    def __init__(self, server):
        upstream = urllib.parse.urlsplit(server.uri)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with outer.lock:
                    outer.count += 1
                    number = outer.count
                if outer.at_request(number):
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                connection = http.client.HTTPConnection(upstream.netloc)
                connection.request(self.command, self.path, body, dict(self.headers))
                reply = connection.getresponse()
                content = outer.edit(reply.read())
                connection.close()
                with contextlib.suppress(OSError):  # who asked may have been killed
                    self.send_response(reply.status)
                    for name, value in reply.getheaders():
                        if name.lower() not in ("content-length", "transfer-encoding",
                                                "connection"):
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.lock = threading.Lock()
        self.count = 0
        self.at_request = lambda number: False
        self.edit = lambda content: content
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def counted(self, sync):
        """How many requests it makes."""
        self.count = 0
        sync()
        return self.count


class Breaks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()

    def assert_whole(self, mirror):
        """Each trace has its spans."""
        self.assertEqual(mirror.integrity(), "ok")
        self.assertEqual(mirror.offline(
            "SELECT count(*) FROM traces AS t WHERE NOT EXISTS (SELECT 1 FROM spans "
            "WHERE trace_id = t.trace_id);"), "0")

    def test_assessments_without_an_id(self):
        traffic = Traffic(self.server, "mirror no ids", 6, int(time.time() * 1000))
        for trace in traffic.traces:
            traffic.judge(trace)
        proxy = Counting(self.server)
        self.addCleanup(proxy.stop)
        proxy.edit = lambda content: content.replace(b'"assessment_id"', b'"no_id"')
        with scratch_folder() as folder:
            mirror = Mirror(proxy, traffic.name, folder)
            mirror.sync("--no-compare")
            self.assertEqual(mirror.differences(), NOTHING)
            self.assertEqual(mirror.offline("SELECT count(*) > 5, count(assessment_id) "
                                            "FROM assessments;"), "1|0")

    def killed(self, proxy, mirror, number):
        """Runs it until it asks for the number-th time."""
        proxy.count = 0
        process = mirror.start()

        def kill(count):
            if count == number:
                os.killpg(process.pid, signal.SIGKILL)
            return count >= number

        proxy.at_request = kill
        process.communicate(timeout=60)
        proxy.at_request = lambda number: False
        self.assertEqual(process.returncode, -signal.SIGKILL)

    def assert_same(self, mirror, fresh):
        """All that is mirrored, whenever it was read."""
        self.assertEqual(mirror.offline(f"ATTACH '{fresh.path}' AS fresh;\n{self.comparison}"), "")

    def compare(self, mirror):
        """The statements that answer what two files do not have in common."""
        pairs = mirror.offline("""
            SELECT t.name, group_concat(format('"%w"', c.name))
            FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND t.name GLOB 'mirror_*' AND c.name NOT IN ('read_at_ms',
                  'document_id') AND t.name NOT IN ('mirror_slice', 'mirror_sync', 'mirror_compared',
                                              'mirror_differing')
            GROUP BY 1;""").splitlines()
        self.assertEqual(len(pairs), 10)
        return "\n".join(
            f"SELECT '{table}', * FROM (SELECT {columns} FROM {one}.{table} EXCEPT "
            f"SELECT {columns} FROM {other}.{table});"
            for table, columns in (pair.split("|") for pair in pairs)
            for one, other in (("main", "fresh"), ("fresh", "main")))

    def test_killed_at_each_request(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror killed", 6, now_ms - HOUR_MS)
        traffic.add(5, now_ms - 4 * DAY_MS)
        proxy = Counting(self.server)
        self.addCleanup(proxy.stop)

        def copy(folder):
            return Mirror(proxy, traffic.name, folder, spans_days=None)

        with scratch_folder() as folder:
            before = copy(folder)
            requests = proxy.counted(before.sync)
            self.assertEqual(before.differences(), NOTHING)
            self.comparison = self.compare(before)
            for number in range(1, requests + 1):
                with self.subTest(copy=number), scratch_folder() as other:
                    mirror = copy(other)
                    self.killed(proxy, mirror, number)
                    self.assert_whole(mirror)
                    mirror.sync()
                    self.assert_same(mirror, before)

            traffic.judge(traffic.traces[0])
            traffic.delete(traffic.traces[1])
            traffic.add(2, now_ms)
            before.offline("PRAGMA wal_checkpoint(TRUNCATE);")
            with scratch_folder() as other, scratch_folder() as counted:
                fresh, mirror = copy(other), copy(counted)
                fresh.sync()
                shutil.copy(before.path, mirror.path)
                requests = proxy.counted(mirror.sync)
                self.assert_same(mirror, fresh)
                for number in range(1, requests + 1):
                    with self.subTest(sync=number):
                        for suffix in ("-wal", "-shm"):
                            pathlib.Path(f"{mirror.path}{suffix}").unlink(missing_ok=True)
                        shutil.copy(before.path, mirror.path)
                        self.killed(proxy, mirror, number)
                        self.assert_whole(mirror)
                        mirror.sync()
                        self.assert_same(mirror, fresh)

    def test_the_server_does_not_count(self):
        traffic = Traffic(self.server, "mirror uncounted", 2, int(time.time() * 1000) - 3 * DAY_MS)
        proxy = Counting(self.server)
        self.addCleanup(proxy.stop)
        with scratch_folder() as folder:
            mirror = Mirror(proxy, traffic.name, folder, spans_days=None)
            mirror.sync()
            before = mirror.offline("SELECT * FROM mirror_slice;")
            proxy.count = 0
            proxy.at_request = lambda number: number > 2  # after the version and the experiment
            with self.assertRaisesRegex(RuntimeError, "^sql/mirror: mlflow_metrics: [^\n]*; "
                                        "--no-compare does without the counts of the server$"):
                mirror.sync(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
            self.assertEqual(mirror.offline("SELECT * FROM mirror_slice;"), before)
            proxy.at_request = lambda number: False
            mirror.sync("--no-compare")
            self.assertIsNone(mirror.status()["compared_at_ms"])

    def test_an_archive_out_of_reach(self):
        """The server sends no spans for a while; those that are here stay."""
        traffic = Traffic(self.server, "mirror archive", 3, int(time.time() * 1000) - HOUR_MS)
        proxy = Counting(self.server)
        self.addCleanup(proxy.stop)

        def without_spans(content):
            try:
                reply = json.loads(content)
            except ValueError:
                return content
            for trace in reply.get("traces", []):
                if "spans" in trace:
                    trace["spans"] = []
            return json.dumps(reply).encode()

        with scratch_folder() as folder:
            mirror = Mirror(proxy, traffic.name, folder, spans_days=None)
            mirror.sync()
            proxy.edit = without_spans
            mirror.sync("--again")
            self.assertEqual(mirror.status()["read"], 3)
            proxy.edit = lambda content: content
            self.assertEqual(mirror.differences(), NOTHING)

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
    def test_the_disk_is_full(self):
        now_ms = int(time.time() * 1000)
        traffic = Traffic(self.server, "mirror full", 40, now_ms - HOUR_MS)
        with scratch_folder() as folder:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", folder], check=True)
            try:
                mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
                with self.assertRaisesRegex(RuntimeError,
                                            "^sql/mirror: no room is left for .*mirror.db or "
                                            "for SQLite's temporary files; [^\n]*$"):
                    mirror.sync()
                self.assert_whole(mirror)
                self.assertLess(int(mirror.offline("SELECT count(*) FROM traces;")), 40)
                subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
                mirror.sync()
                self.assertEqual(mirror.differences(), NOTHING)
                self.assertEqual(mirror.status()["traces"], 40)
            finally:
                subprocess.run(["umount", folder], check=True)


class Clocks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.library = pathlib.Path(cls.folder.name) / "clock.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", cls.library, "-x", "c", "-"], check=True,
                       text=True, input=CLOCK)

    def sync(self, mirror, hours, *options):
        """Brings it up to date on a machine whose clock is so many hours ahead."""
        return mirror.sync(
            *options, AHEAD_S=str(hours * 3600),
            LD_PRELOAD=f"{os.environ.get('LD_PRELOAD', '')} {self.library}".strip())

    def test_the_clock_is_ahead_or_behind(self):
        """By an hour all the time, or put right or wrong between syncs; by days in one sync."""
        now_ms = int(time.time() * 1000)
        for hours in ((1, 1, 1), (-1, -1, -1), (1, 0, 0), (-1, 0, 1), (100, 0, 0)):
            with self.subTest(hours), scratch_folder() as folder:
                traffic = Traffic(self.server, "mirror clock", 3, now_ms - 3 * DAY_MS)
                traffic.add(3, now_ms - 20 * HOUR_MS)
                mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
                self.sync(mirror, hours[0])
                self.assertEqual(mirror.differences(), NOTHING)
                self.assertAlmostEqual(mirror.status()["synced_at_ms"],
                                       now_ms + hours[0] * HOUR_MS, delta=HOUR_MS / 2)
                traffic.add(2, int(time.time() * 1000))
                traffic.judge(traffic.traces[3])
                traffic.delete(traffic.traces[4])
                self.sync(mirror, hours[1])
                self.assertEqual(mirror.differences(), NOTHING)
                traffic.judge(traffic.traces[0])  # from three days ago
                mirror.offline(f"DELETE FROM mirror_span WHERE trace_id = '{traffic.traces[1].id}';")
                self.sync(mirror, hours[2], "--again")
                self.assertEqual(mirror.differences(), NOTHING)
                self.assertGreaterEqual(mirror.status()["seconds"], 0)

    def test_an_hour_without_traces(self):
        """There was none, then some arrive late, and then all are deleted."""
        now_ms = int(time.time() * 1000)
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        traffic = Traffic(self.server, "mirror hour", 2, hour_ms - 2 * HOUR_MS)
        traffic.add(2, hour_ms - 4 * HOUR_MS)
        with scratch_folder() as folder:
            mirror = Mirror(self.server, traffic.name, folder, spans_days=None)
            mirror.sync()
            empty = (f"SELECT count(*) FROM traces WHERE timestamp_ms >= {hour_ms - 4 * HOUR_MS} "
                     f"AND timestamp_ms < {hour_ms - 3 * HOUR_MS};")
            self.assertEqual(mirror.offline(empty), "0")
            self.assertEqual(mirror.differences(), NOTHING)
            late = traffic.add(2, hour_ms - 3 * HOUR_MS)
            mirror.sync()
            self.assertEqual(mirror.offline(empty), "2")
            self.assertEqual(mirror.differences(), NOTHING)
            for trace in late:
                traffic.delete(trace)
            mirror.sync()
            self.assertEqual(mirror.offline(empty), "0")
            self.assertEqual(mirror.differences(), NOTHING)
            self.assertEqual(mirror.status()["gone"], 2)
