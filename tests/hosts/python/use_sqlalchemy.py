import host
import sqlalchemy


class Sqlalchemy(host.Sqlite3):
    def __init__(self):
        self.engine = sqlalchemy.create_engine("sqlite://")
        self.pooled = self.engine.connect()
        self.connection = self.pooled.connection.driver_connection

    def rows(self, sql):
        return self.pooled.execute(sqlalchemy.text(sql)).fetchall()

    def close(self):
        self.pooled.close()
        self.engine.dispose()


host.run(Sqlalchemy)
