"""Scans inside scans = the same over a local copy, over random statements.

What one scan of a statement remembers another one reads: joins, sub-selects that run anew for each
row, ordered and not, cut short and read to the end, look-ups with and without a list beside them,
all of the same traces at once. Times are all different, so that an order says which rows a LIMIT
takes.
"""

import contextlib
import os
import random
import unittest

import support

TRACES = 80
CASES = int(os.environ.get("MLFLOW_SQL_TEST_CASES", "2200")) // 14
DEPTH_MAX = 3
START_MS = 1_792_000_000_000


def traces(rng, prefix):
    times = rng.sample(range(10_000), TRACES)
    return [{"trace_id": f"tr-{prefix}{i:04}", "timestamp_ms": START_MS + at,
             "status": rng.choice(["OK", "OK", "ERROR"]), "execution_time_ms": rng.randrange(9),
             "tags": {"mlflow.traceName": rng.choice(["agent", "chat", "Agent"])},
             "assessments": [("concise", rng.choice(["yes", "no"]))] if i % 3 else []}
            for i, at in enumerate(times)]


class Statements:
    """Random SELECTs over the names traces, assessments and ids."""

    def __init__(self, rng, ids):
        self.rng, self.ids, self.aliases, self.usual = rng, ids, 0, "true"

    def simple(self):
        """A condition on the alias {one} alone."""
        rng = self.rng
        return rng.choice([
            "{one}.status = 'OK'", "{one}.status IN ('ERROR', 'IN_PROGRESS')",
            "{one}.name LIKE 'agent'", f"{{one}}.execution_time_ms < {rng.randrange(9)}",
            f"{{one}}.timestamp_ms >= {START_MS + rng.randrange(10_000)}",
            "{one}.trace_id IN (SELECT id FROM ids)", f"{{one}}.trace_id = '{rng.choice(self.ids)}'"])

    def beside(self, outer):
        """A condition on the alias {one} and one of those around it."""
        found = ["{one}.trace_id = {other}.trace_id", "{one}.trace_id = {other}.trace_id",
                 "{one}.trace_id = {other}.trace_id AND {one}.trace_id IN (SELECT id FROM ids)",
                 "{one}.status = {other}.status"]
        if len(outer) == 1:  # a question for each row, so not inside another such
            found += ["{one}.timestamp_ms < {other}.timestamp_ms",
                      "{one}.execution_time_ms = {other}.execution_time_ms"]
        return self.rng.choice(found).replace("{other}", self.rng.choice(outer))

    def scan(self, outer):
        """A new alias, and the FROM clause with its conditions. Many scans of a statement ask the
        same of the server."""
        rng = self.rng
        self.aliases += 1
        one = f"t{self.aliases}"
        conditions = [self.usual] if rng.random() < 0.6 else [self.simple()]
        if outer and rng.random() < 0.4:
            conditions.append(self.beside(outer))
        return one, f"FROM traces AS {one} WHERE {' AND '.join(conditions)}".replace("{one}", one)

    def order(self, one):
        return f"ORDER BY {one}.timestamp_ms {self.rng.choice(['ASC', 'DESC'])}"

    def value(self, outer, depth):
        """An expression: a sub-select, or at some depth a column."""
        rng = self.rng
        if depth >= DEPTH_MAX or rng.random() < 0.25 * depth:
            return f"{rng.choice(outer)}.execution_time_ms"
        one, scan = self.scan(outer)
        inner = self.value([*outer, one], depth + 1)
        ordered = f"SELECT {one}.trace_id || '/' || coalesce({inner}, '-') AS v {scan} " \
                  f"{self.order(one)}"
        return rng.choice([
            f"(SELECT total({one}.execution_time_ms + {inner}) {scan})",
            f"(SELECT count(*) {scan})",
            f"(EXISTS (SELECT 1 {scan} AND {inner} IS NOT NULL))",
            f"(SELECT {inner} {scan} {self.order(one)} LIMIT 1 OFFSET {rng.randrange(12)})",
            f"(SELECT group_concat(v) FROM ({ordered} LIMIT {rng.choice([1, 3, 12, 50])}))",
            f"(SELECT count(DISTINCT v) FROM ({ordered}))",
            f"(SELECT count(*) FROM assessments AS j WHERE j.trace_id = {one}.trace_id "
            f"AND j.value = 'no')".replace(f"{one}.", f"{rng.choice(outer)}.")])

    def make(self):
        """(sql, whether its rows have an order)."""
        rng, self.aliases = self.rng, 0
        self.usual = rng.choice(["true", "true", self.simple()])
        one, scan = self.scan([])
        kind = rng.random()
        depth = 2 if 0.5 <= kind < 0.7 else 1  # beside a join
        values = ", ".join(self.value([one], depth) for _ in range(rng.choice([1, 2])))
        if kind < 0.3:
            return f"SELECT {one}.trace_id, {values} {scan} {self.order(one)} " \
                   f"LIMIT {rng.choice([1, 5, 20, 60])}", True
        if kind < 0.5:
            return f"SELECT {one}.trace_id, {values} {scan}", False
        two, more = self.scan([one])
        joined = scan.replace(" WHERE ", f" {rng.choice(['JOIN', 'CROSS JOIN'])} traces AS {two} ON "
                              + more.partition(" WHERE ")[2] + " WHERE ", 1)
        if kind < 0.7:
            return f"SELECT {one}.trace_id, {two}.trace_id, {values} {joined}", False
        if kind < 0.8:
            return f"SELECT ids.id, {one}.status, {values} FROM ids LEFT JOIN traces AS {one} ON " \
                   f"{one}.trace_id = ids.id AND {scan.partition(' WHERE ')[2]}", False
        common = f"SELECT {one}.trace_id AS id, {values.partition(',')[0]} AS v {scan}" \
            if "," not in values else f"SELECT {one}.trace_id AS id, {one}.status AS v {scan}"
        if kind < 0.9:
            return f"WITH c AS ({common}) SELECT x.id, y.id, x.v FROM c AS x JOIN c AS y USING (v)", \
                False
        return f"{common} UNION ALL SELECT {two}.trace_id, {two}.name " \
               f"{more.replace(f'{one}.', f'{two}.')}", False


class Nesting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "nesting")
        number = support.experiment_id(cls.server, cls.experiment)
        support.insert_traces(cls.server, cls.experiment, traces(random.Random(1), f"n{number}-"))

    def compare(self, seed, cases, **settings):
        rng, rows = random.Random(seed), 0
        with support.environment(settings), \
                contextlib.closing(support.apsw_connection(self.server)) as connection:
            for table in ("traces", "assessments"):
                connection.execute(f"CREATE VIRTUAL TABLE main.{table} USING mlflow_{table}("
                                   f"experiment = '{self.experiment}')")
            connection.execute("ATTACH ':memory:' AS copy")
            for table in ("traces", "assessments"):
                connection.execute(f"CREATE TABLE copy.{table} AS SELECT *, timestamp_ms FROM "
                                   f"main.{table}" if table == "assessments" else
                                   "CREATE TABLE copy.traces AS SELECT * FROM main.traces")
            ids = [row[0] for row in connection.execute("SELECT trace_id FROM copy.traces")]
            connection.execute("CREATE TEMP TABLE ids(id)")
            connection.executemany("INSERT INTO ids VALUES (?)",
                                   [(i,) for i in [*ids[::4], ids[0], "tr-none", None]])
            statements = Statements(rng, [*ids, "tr-none"])
            for case in range(cases):
                sql, ordered = statements.make()
                there = self.rows(connection, sql, "main", ordered)
                self.assertEqual(there, self.rows(connection, sql, "copy", ordered),
                                 f"seed {seed}, case {case}: {sql}")
                rows += len(there)
        self.assertGreater(rows, cases)

    @staticmethod
    def rows(connection, sql, schema, ordered):
        for table in ("traces", "assessments"):
            sql = sql.replace(f" {table} AS", f" {schema}.{table} AS")
        found = connection.execute(sql).fetchall()
        return found if ordered else sorted(found, key=repr)

    def test_small_pages_in_turns(self):
        self.compare(1, CASES // 2, MLFLOW_SQL_PAGE_ROWS="7", MLFLOW_SQL_STREAMS="3")

    def test_small_pages_in_one_stream(self):
        self.compare(2, CASES // 4, MLFLOW_SQL_PAGE_ROWS="7", MLFLOW_SQL_STREAMS="1")

    def test_one_page(self):
        self.compare(3, CASES // 4)
