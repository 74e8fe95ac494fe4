import host
import sqlite_utils


class SqliteUtils(host.Sqlite3):
    def __init__(self):
        self.database = sqlite_utils.Database(memory=True)
        self.connection = self.database.conn

    def rows(self, sql):
        return [row.values() for row in self.database.query(sql)]


host.run(SqliteUtils)
