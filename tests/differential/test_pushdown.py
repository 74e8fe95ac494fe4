"""Pushdown on = pushdown off = a local copy, over random predicates and odd data.

Each predicate is asked three times: of a table that pushes down, of one with pushdown = off, and
of a local copy of the rows. All three must give the same rows, in the same order where the
statement asks for one. The same predicates run with pages of other sizes and numbers of streams,
on each server and store that is there, and on the newest SQLite beside Debian's.
"""

import os
import random
import unittest

import support

TRACES = 150
# Of each server; the oldest is told less, so each case there reads more.
CASES = int(os.environ.get("MLFLOW_SQL_TEST_CASES", "500"))
CASES_OLDEST = CASES * 3 // 11

ODD = [
    "", " ", "  x ", "x", "X", "it's", 'say "hi"', "both ' and \"", "back\\slash", "ends with \\",
    "%", "_", "100%", "a_b", "a%b", "ab", "AB", "aB", "été", "ÉTÉ", "straße", "日本", "🙂", "k", "K",
    "\u212a", "tab\there", "line\nbreak", "`tick`", "semi;colon", "-- comment", "/* c */", "null",
    "NULL", "true", "1", "1.0", "01", "AND", "x' OR '1'='1", "OK", "production", "[a]", "*", "?",
]
# The server shows 250 characters of metadata and 4,096 of a tag, and compares all.
LONG_METADATA = ["m" * 249, "m" * 250, "m" * 250 + "end"]
LONG_TAGS = ["t" * 4095, "t" * 4096, "t" * 4096 + "end"]
SHOWN = LONG_METADATA[:2] + LONG_TAGS[:2]
STATUSES = ["OK", "ERROR", "IN_PROGRESS"]
TAGS = ["environment", "name", "text", "prompt", "run_id", "dotted.key", "with space", "UPPER"]
NAMES = ["agent", "Agent", "chat_bot", "it's", "été", "100%", ""]

COLUMNS = ", ".join(
    [f'tags."{key}" AS "t_{key}"' for key in TAGS]
    + ['metadata."mlflow.trace.user" AS meta_user', 'metadata."odd key" AS meta_odd',
       "feedback.concise AS concise", "feedback.score AS score"]
)
TEXT_COLUMNS = [
    "trace_id", "name", "status", "session_id", "user_id", "client_request_id", "run_id", "state",
    "experiment_id", "model_id", "request_preview", "meta_user", "meta_odd",
] + [f'"t_{key}"' for key in TAGS]
NUMBER_COLUMNS = ["timestamp_ms", "execution_time_ms", "end_time_ms", "total_tokens",
                  "execution_duration"]
VISIBLE = (
    "trace_id, experiment_id, name, status, timestamp_ms, execution_time_ms, end_time_ms, "
    "session_id, user_id, run_id, model_id, client_request_id, total_tokens, request_preview, "
    "tags, metadata, state, execution_duration, request_time, meta_user, meta_odd, concise, score, "
    + ", ".join(f'"t_{key}"' for key in TAGS)
)


def odd_traces(rng, count):
    """Traces whose every field is taken from the odd values."""
    start = 1_790_000_000_000
    traces = []
    for i in range(count):
        status = rng.choice(STATUSES)
        tags = {key: rng.choice(ODD + LONG_TAGS) for key in TAGS if rng.random() < 0.6}
        if rng.random() < 0.8:
            tags["mlflow.traceName"] = rng.choice(NAMES)
        metadata = {}
        for key in ("mlflow.trace.user", "mlflow.trace.session", "odd key", "mlflow.sourceRun"):
            if rng.random() < 0.5:
                long = [] if key == "mlflow.trace.session" else LONG_METADATA
                metadata[key] = rng.choice(ODD + long)
        assessments = []
        if rng.random() < 0.5:
            assessments.append(("concise", rng.choice(["yes", "no", True, False, "true", "été"])))
        if rng.random() < 0.4:
            assessments.append(("score", rng.choice([1, 1.0, 0, 0.5, "1", 5, [1], {"a": 1}])))
        traces.append(
            {
                "trace_id": f"tr-{i:032x}" if i % 9 else f"tr-Odd{i:029X}",
                "timestamp_ms": start + rng.randrange(0, count // 2) * rng.choice([1, 1, 1000]),
                "execution_time_ms": None if status == "IN_PROGRESS" else rng.choice(
                    [0, 1, 5, 1000, 1001, rng.randrange(10**6)]),
                "status": status,
                "client_request_id": rng.choice(ODD[:20]) if rng.random() < 0.5 else None,
                "request_preview": rng.choice(ODD),
                "tags": tags,
                "metadata": metadata,
                "assessments": assessments,
            }
        )
    return traces


class Predicates:
    """Random WHERE clauses, ORDER BY and LIMIT over the columns."""

    def __init__(self, rng, traces):
        self.rng = rng
        self.traces = traces
        self.times = [t["timestamp_ms"] for t in traces]

    def text(self):
        return support.quoted(self.rng.choice(ODD + SHOWN))

    def value_for(self, column):
        rng = self.rng
        if column in ("status", "state") and rng.random() < 0.8:
            return repr(rng.choice(STATUSES + ["ok", "OTHER"]))
        if column == "name" and rng.random() < 0.8:
            return support.quoted(rng.choice(NAMES))
        if column == "trace_id" and rng.random() < 0.9:
            return repr(rng.choice(self.traces)["trace_id"])
        if column == "concise" and rng.random() < 0.7:
            return rng.choice(["'yes'", "'no'", "1", "0", "'true'", "'false'"])
        if column == "score" and rng.random() < 0.7:
            return rng.choice(["1", "0", "0.5", "'1'", "5", "1.0"])
        return rng.choice([self.text(), self.text(), "1", "NULL", "x'41'", "1.0",
                           "CAST('1' AS INTEGER)"])

    def number(self, column):
        rng = self.rng
        if column in ("timestamp_ms", "end_time_ms"):
            base = rng.choice(self.times)
            return rng.choice([str(base), f"'{base}'", f"{base}.5", f"{base}.0", str(base + 1)])
        return rng.choice(["0", "1", "5", "1000", "1000.5", "-1", "'5'", "' 5'", "'abc'", "NULL",
                           "9223372036854775807", "1e19", "-1e19", "x'00'", "5.0"])

    def like(self):
        rng = self.rng
        base = rng.choice(ODD + NAMES + SHOWN)
        pattern = rng.choice(["%", "_", ""]) + base[: rng.randrange(len(base) + 1)] + rng.choice(
            ["%", "_", "", "%%"])
        return support.quoted(pattern)

    def glob(self):
        rng = self.rng
        base = rng.choice(ODD + NAMES + SHOWN)
        pattern = rng.choice(["*", "?", "", "[a-z]"]) + base[: rng.randrange(len(base) + 1)]
        return support.quoted(pattern + rng.choice(["*", "?", ""]))

    def term(self):
        rng = self.rng
        if rng.random() < 0.3:
            column = rng.choice(NUMBER_COLUMNS)
            op = rng.choice(["=", "!=", "<", "<=", ">", ">=", "IS", "IS NOT"])
            if rng.random() < 0.15:
                return f"{column} BETWEEN {self.number(column)} AND {self.number(column)}"
            if rng.random() < 0.1:
                return f"{column} IN ({self.number(column)}, {self.number(column)})"
            return f"{column} {op} {self.number(column)}"
        column = rng.choice(TEXT_COLUMNS + ["concise", "score"])
        kind = rng.random()
        if kind < 0.4:
            return f"{column} {rng.choice(['=', '=', '!=', '<', '>', 'IS', 'IS NOT'])} " + \
                self.value_for(column)
        if kind < 0.55:
            values = ", ".join(self.value_for(column) for _ in range(rng.randrange(1, 5)))
            return f"{column} {rng.choice(['IN', 'IN', 'NOT IN'])} ({values})"
        if kind < 0.6:
            return f"{column} IN (SELECT {column} FROM copy WHERE {self.term()} LIMIT 7)"
        if kind < 0.75:
            return f"{column} {rng.choice(['LIKE', 'LIKE', 'NOT LIKE'])} {self.like()}"
        if kind < 0.85:
            return f"{column} GLOB {self.glob()}"
        if kind < 0.92:
            return f"{column} IS {rng.choice(['', 'NOT '])}NULL"
        return f"{column} = {self.value_for(column)} COLLATE NOCASE"

    def where(self):
        rng = self.rng
        terms = [self.term() for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4]))]
        text = terms[0]
        for term in terms[1:]:
            text += f" {rng.choice(['AND', 'AND', 'AND', 'OR'])} {term}"
        return text

    def statement(self):
        """A statement with {table} in it, and whether its rows have an order."""
        rng = self.rng
        where = self.where()
        kind = rng.random()
        if kind < 0.7:
            return f"SELECT {VISIBLE} FROM {{table}} WHERE {where}", False
        if kind < 0.85:
            order = rng.choice(["timestamp_ms DESC, trace_id", "timestamp_ms, trace_id",
                                "execution_time_ms, trace_id"])
            return (f"SELECT trace_id FROM {{table}} WHERE {where} ORDER BY {order} "
                    f"LIMIT {rng.randrange(0, 20)} OFFSET {rng.choice([0, 0, 3])}"), True
        if kind < 0.95:
            # Ties make the rows ambiguous, never their times.
            order = rng.choice(["timestamp_ms DESC", "timestamp_ms", "timestamp_ms ASC"])
            return (f"SELECT timestamp_ms FROM {{table}} WHERE {where} ORDER BY {order} "
                    f"LIMIT {rng.randrange(0, 40)} OFFSET {rng.choice([0, 0, 3, 25])}"), True
        return f"SELECT status, count(*), min(timestamp_ms) FROM {{table}} WHERE {where} " \
               "GROUP BY status ORDER BY 1", True


class PushdownTest(unittest.TestCase):
    """Runs on each server that support offers; a subclass for each."""

    server = None

    def connection(self):
        connection = support.apsw_connection(self.server)
        cursor = connection.cursor()
        name = self.experiment
        cursor.execute(f"CREATE VIRTUAL TABLE temp.pushed USING mlflow_traces("
                       f"experiment = '{name}', {COLUMNS})")
        cursor.execute(f"CREATE VIRTUAL TABLE temp.plain USING mlflow_traces("
                       f"experiment = '{name}', pushdown = off, {COLUMNS})")
        return connection

    def copy(self, connection):
        """A local copy, with the types that the virtual table declares."""
        cursor = connection.cursor()
        declared = {row[1]: row[2] for row in cursor.execute("PRAGMA temp.table_xinfo(pushed)")}
        names = [name.strip().strip('"') for name in VISIBLE.split(",")]
        columns = ", ".join(f'"{name}" {declared[name]}' for name in names)
        cursor.execute(f"CREATE TEMP TABLE copy({columns})")
        cursor.execute(f"INSERT INTO copy SELECT {VISIBLE} FROM plain")

    def compare(self, seed, cases, environment):
        rng, count = random.Random(seed), 0
        with support.environment(environment):
            connection = self.connection()
            self.copy(connection)
            predicates = Predicates(rng, self.traces)
            cursor = connection.cursor()
            self.assertEqual(cursor.execute("SELECT count(*) FROM copy").fetchone()[0],
                             len(self.traces))
            for case in range(cases):
                statement, ordered = predicates.statement()
                rows = {}
                for table in ("pushed", "plain", "copy"):
                    if table == "plain" and case % 10:
                        continue
                    found = cursor.execute(statement.format(table=table)).fetchall()
                    rows[table] = found if ordered else sorted(found, key=repr)
                count += len(rows["copy"])
                for table, found in rows.items():
                    if found != rows["copy"]:
                        self.fail(f"seed {seed}, case {case}, {environment}: {table} gives "
                                  f"{len(found)} rows, the copy {len(rows['copy'])}:\n"
                                  + statement.format(table=table) + "\nplan: "
                                  + str(cursor.execute("EXPLAIN QUERY PLAN "
                                                       + statement.format(table=table)).fetchall())
                                  + "\nonly there: "
                                  + str([r for r in found if r not in rows["copy"]][:3])
                                  + "\nmissing: "
                                  + str([r for r in rows["copy"] if r not in found][:3]))
            connection.close()
        self.assertGreater(count, cases)

    def test_lists_from_columns_of_a_type(self):
        """'01' is 1 to SQL where the list comes from a column of numbers."""
        connection = self.connection()
        self.copy(connection)
        cursor = connection.cursor()
        cursor.execute("CREATE TEMP TABLE typed(i INTEGER, r REAL, n NUMERIC, t TEXT, b BLOB)")
        cursor.executemany("INSERT INTO typed VALUES (?1, ?1, ?1, ?1, ?1)",
                           [(value,) for value in (1, 1.0, "1", "01", 5, "x", b"1", None)])
        sql = "SELECT trace_id FROM {} WHERE {} IN (SELECT {} FROM typed) ORDER BY 1"
        refused = 0
        for column in [f'"{name.strip(chr(34))}"' for name in TEXT_COLUMNS] + ["concise", "score"]:
            for kind in "irntb":
                expected = cursor.execute(sql.format("copy", column, kind)).fetchall()
                for asked in (f"+{column}", column):
                    wanted = expected if asked == column else cursor.execute(
                        sql.format("copy", asked, kind)).fetchall()
                    try:
                        found = cursor.execute(sql.format("pushed", asked, kind)).fetchall()
                    except Exception as error:  # pylint: disable=broad-except
                        self.assertIn("is given a number", str(error))
                        self.assertEqual((asked, kind == "t"), (column, False))
                        refused += 1
                    else:
                        self.assertEqual(found, wanted, (asked, kind))
        self.assertGreater(refused, 10)
        many = " AND ".join(f"timestamp_ms > {i}" for i in range(30))
        with self.assertRaisesRegex(Exception, "is given a number"):  # also behind many others
            cursor.execute("SELECT trace_id FROM pushed WHERE " + many +
                           " AND session_id IN (SELECT i FROM typed)").fetchall()
        connection.close()


def make_tests():
    """One class a server, one test a setting: the cases are shared out among them."""
    settings = [
        {},
        {"MLFLOW_SQL_PAGE_ROWS": "2", "MLFLOW_SQL_STREAMS": "1"},
        {"MLFLOW_SQL_PAGE_ROWS": "7", "MLFLOW_SQL_STREAMS": "3"},
        {"MLFLOW_SQL_PAGE_ROWS": "100", "MLFLOW_SQL_STREAMS": "16"},
    ]
    shares = [0.94, 0.005, 0.015, 0.04]
    for server in support.servers():

        class Case(PushdownTest):
            @classmethod
            def setUpClass(cls):
                cls.server = support.start(cls.server_name)
                cls.traces = odd_traces(random.Random(7), TRACES)
                cls.experiment = support.create_experiment(cls.server, "odd data")
                support.insert_traces(cls.server, cls.experiment, cls.traces)

        Case.server_name = server
        for number, (setting, share) in enumerate(zip(settings, shares)):

            def test(self, number=number, setting=setting, share=share):
                cases = CASES_OLDEST if self.server_name == support.SQLITE_OLDEST else CASES
                self.compare(seed=100 + number, cases=max(5, int(cases * share)),
                             environment=setting)

            name = "default" if not setting else "pages_of_" + setting["MLFLOW_SQL_PAGE_ROWS"]
            setattr(Case, "test_" + name, test)
        Case.__name__ = Case.__qualname__ = "Pushdown_" + server.replace("-", "_").replace(".", "_")
        globals()[Case.__name__] = Case
    del globals()["PushdownTest"]


make_tests()
