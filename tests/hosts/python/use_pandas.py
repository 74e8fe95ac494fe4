import sqlite3

import host
import pandas


class Pandas(host.Sqlite3):
    def __init__(self):
        self.connection = sqlite3.connect(":memory:")

    def rows(self, sql):
        return pandas.read_sql(sql, self.connection).itertuples(index=False)


host.run(Pandas)
