import adbc_driver_sqlite.dbapi
import host

OPTION = "adbc.sqlite.load_extension."


class Adbc:
    interrupt = None  # adbc_cancel() raises NOT_IMPLEMENTED
    half_read = None  # needs pyarrow

    def __init__(self):
        self.connection = adbc_driver_sqlite.dbapi.connect(":memory:")

    def option(self, name, value):
        self.connection.adbc_connection.set_options(**{OPTION + name: value})

    def load(self, path):
        self.option("enabled", "true")
        self.option("path", path)
        self.option("entrypoint", "sqlite3_mlflow_init")

    load_by_sql = load  # SQLite's function is refused

    def rows(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_polars().rows()

    def close(self):
        self.connection.close()


host.run(Adbc)
