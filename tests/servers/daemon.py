"""A program of Debian's that a test puts up for itself, in a folder of its own, and ends again."""

import pathlib
import shutil
import signal
import tempfile
import time

import support

START_SECONDS_MAX = 60


class Daemon:
    """`name` as in messages. A subclass starts `process` in `folder`, on `port`."""

    name = None

    def __init__(self):
        self.folder = self.process = None
        self.port = support.live.free_port()

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sqlite-mlflow-{self.name.lower()}-"))
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            support.live.stop(self.process, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until(self, answers):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start")
            time.sleep(0.1)
