import apsw
import host


class Apsw(host.Sqlite3):
    def __init__(self):
        self.connection = apsw.Connection(":memory:")


host.run(Apsw)
