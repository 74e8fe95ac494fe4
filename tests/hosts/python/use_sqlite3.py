import sqlite3

import host


class Debian(host.Sqlite3):
    def __init__(self):
        self.connection = sqlite3.connect(":memory:")


host.run(Debian)
