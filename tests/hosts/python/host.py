"""The steps that tests/hosts/run.py asks of every host, for those of Python.

A host is a class with the methods of Sqlite3 below; `interrupt` and
`half_read` are None where it has no way.
"""

import sys
import threading


def step(name, rows=()):
    print("=", name)
    for row in rows:
        print(*row, sep="\t")


def run(host_class):
    extension, uri, query, check = sys.argv[1:]
    host = host_class()
    step("sqlite", host.rows("SELECT sqlite_version()"))
    host.load(extension)
    step("rows", host.rows(query))
    host.load_by_sql(extension)
    step("again", host.rows(check))
    if host.interrupt:
        host.rows(f"SELECT mlflow_connect('{uri}')")
        timer = threading.Timer(1, host.interrupt)
        timer.start()
        try:
            host.rows("SELECT count(*) FROM mlflow_traces")
        except Exception as error:  # each host has a class of its own
            step("interrupted", [[error]])
        timer.join()
        step("after", host.rows(check))
    host.close()

    host = host_class()
    if host.half_read:
        half_read = host.half_read("SELECT 1 UNION ALL SELECT 2")
        host.load_by_sql(extension)
        step("open", host.rows(check))
        del half_read
    host.close()
    step("closed")


class Sqlite3:
    """What all hosts over Python's sqlite3 have in common: `connection` is its."""

    def load(self, path):
        self.connection.enable_load_extension(True)
        self.connection.load_extension(path)

    def load_by_sql(self, path):
        self.connection.enable_load_extension(True)
        self.rows(f"SELECT load_extension('{path}')")

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def half_read(self, sql):
        cursor = self.connection.execute(sql)
        next(cursor)
        return cursor

    def interrupt(self):
        self.connection.interrupt()

    def close(self):
        self.connection.close()
