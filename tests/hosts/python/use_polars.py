import sqlite3

import host
import polars


class Polars(host.Sqlite3):
    def __init__(self):
        self.connection = sqlite3.connect(":memory:")

    def rows(self, sql):
        return polars.read_database(sql, self.connection).rows()


host.run(Polars)
