"""What a statement knows: what it was given it does not ask again, whatever the shape; tables whose
scopes differ are right or an error; and one statement leaves nothing behind for the next.

The same statement over the same data sends the same requests on any machine, so requests are
counted, on Debian's SQLite and on the newest one.
"""

import itertools
import json
import random
import re
import subprocess
import unittest

import support

import seeded

TRACES = 120
OTHERS = 12
PAGE = 40
PAGES = TRACES // (PAGE - 1) + 2  # a page begins with the last trace of the one before; and the end
BATCHES = TRACES // PAGE + 3      # the first ones are small
RECEIPT = ("SELECT json_array(count(*) FILTER (WHERE endpoint LIKE '%traces/search'), "
           "count(*) FILTER (WHERE endpoint LIKE '%/batchGet'), count(*)) FROM mlflow_requests")
MIXED = "say experiment = "


class Statement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.here = support.create_experiment(cls.server, "statement")
        cls.there = support.create_experiment(cls.server, "elsewhere")
        support.seed(cls.server, cls.here, TRACES)
        support.seed(cls.server, cls.there, OTHERS)

    def answer(self, sql, preset=None, before="", **variables):
        """[(rows as text or the error, [searches, batches, requests])] of both SQLites."""
        variables = {"MLFLOW_EXPERIMENT_NAME": preset, "MLFLOW_SQL_PAGE_ROWS": str(PAGE),
                     "MLFLOW_SQL_STREAMS": "2"} | variables
        with support.environment(variables):
            given = {name: value for name, value in variables.items() if value is not None}
            run = support.run_shell(f"{before};\n{sql};\n.print ===\n{RECEIPT};", self.server,
                                    **given)
            shown, _, requests = run.stdout.partition("===\n")
            answers = [(run.stderr.strip() or shown.strip(),
                        json.loads(requests) if requests else [0, 0, 0])]
            connection = support.apsw_connection(self.server)
            try:
                connection.execute(before)
                rows = "\n".join("|".join("" if v is None else str(v) for v in row)
                                 for row in connection.execute(sql))
            except Exception as error:
                rows = str(error)
            answers.append((rows, json.loads(connection.execute(RECEIPT).get)))
            connection.close()
        return answers

    def costs(self, sql, expected, searches_max, batches_max=0, preset="", **more):
        for rows, (searches, batches, _) in self.answer(sql, preset or self.here, **more):
            self.assertEqual(rows, str(expected), sql)
            self.assertLessEqual(searches, 1.2 * searches_max, sql)
            self.assertLessEqual(batches, 1.2 * batches_max, sql)

    def count(self, sql):
        return self.answer(sql, self.here)[0][0]

    def test_what_a_scan_delivered_answers_the_look_ups_after_it(self):
        spans = self.count("SELECT count(*) FROM mlflow_spans")
        judged = self.count("SELECT count(*) FROM mlflow_assessments")
        for ids in (f"(SELECT trace_id FROM mlflow_traces ORDER BY timestamp_ms DESC LIMIT {TRACES})",
                    "(SELECT DISTINCT trace_id FROM mlflow_traces)"):
            self.costs(f"SELECT count(*) FROM {ids} JOIN mlflow_spans USING (trace_id)", spans,
                       PAGES, BATCHES)
            self.costs(f"SELECT count(*) FROM {ids} JOIN mlflow_assessments USING (trace_id)",
                       judged, PAGES)
            self.costs(f"WITH n AS MATERIALIZED {ids} SELECT count(*) FROM n JOIN mlflow_spans "
                       "USING (trace_id)", spans, PAGES, BATCHES)
            self.costs("SELECT count(*) FROM mlflow_spans WHERE trace_id IN " + ids, spans,
                       PAGES + TRACES // PAGE, BATCHES)
        self.costs("SELECT count(*) FROM mlflow_traces JOIN mlflow_spans USING (trace_id)", spans,
                   PAGES, BATCHES)

    def test_spans_in_another_order_than_that_of_time(self):
        """Sixteen one by one; then in batches, which grow with what of them was asked for later."""
        spans = self.count("SELECT count(*) FROM mlflow_spans")
        before = ("CREATE TEMP TABLE ids AS SELECT trace_id FROM mlflow_traces ORDER BY "
                  f"37 * row_number() OVER (ORDER BY timestamp_ms) % {TRACES}")
        for link, batches in (("", 22), ("AND s.trace_id IN (SELECT trace_id FROM ids)", 2 * BATCHES)):
            self.costs("SELECT count(span_id) FROM ids LEFT JOIN mlflow_spans AS s ON "
                       f"s.trace_id = ids.trace_id {link}", spans, 2 * PAGES + 16, batches,
                       before=before)

    def test_where_spans_are_is_asked_once(self):
        """Not for each part of what is asked for."""
        before = ("CREATE TEMP TABLE w AS SELECT low + (high - low) * value / 10 AS a, low + (high - "
                  "low) * (value + 1) / 10 AS b FROM json_each('[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]'), "
                  "(SELECT min(timestamp_ms) AS low, max(timestamp_ms) + 1 AS high "
                  "FROM mlflow_traces)")
        sql = ("SELECT count(*) FROM w CROSS JOIN mlflow_spans AS s WHERE {0}s.timestamp_ms >= w.a AND "
               "{0}s.timestamp_ms < w.b AND {0}s.span_type = 'TOOL'")
        expected = self.answer(sql.format("+"), self.here, before)[0][0]
        self.assertGreater(int(expected), 0)
        self.costs(sql.format(""), expected, 10 + 2 + PAGES, 10 + BATCHES, before=before)

    def test_a_pass_is_not_paid_twice(self):
        spans = int(self.count("SELECT count(*) FROM mlflow_spans WHERE status <> 'ERROR'"))
        kinds = "(VALUES ('OK'), ('UNSET'), ('NONE'), ('ERROR'), ('X')) AS kind"
        for join in ("JOIN", "LEFT JOIN"):
            self.costs(f"SELECT count(span_id) FROM {kinds} {join} mlflow_spans AS s "
                       "ON +s.status = kind.column1 AND kind.column1 <> 'ERROR'", spans,
                       PAGES, BATCHES)
        self.costs("SELECT sum(n) FROM (SELECT (SELECT count(*) FROM mlflow_traces AS t WHERE "
                   "+t.trace_id <> value) AS n FROM json_each('[1, 2, 3, 4, 5]'))", 5 * TRACES,
                   PAGES)

    def test_a_column_that_is_joined_costs_a_walk_at_most(self):
        sql = ("SELECT count(*) FROM {0} AS t JOIN {0} AS u ON u.name = t.name")
        before = "CREATE TEMP TABLE copy AS SELECT trace_id, name FROM mlflow_traces"
        expected = self.answer(sql.format("copy"), self.here, before)[0][0]
        self.costs(sql.format("mlflow_traces"), expected, 3 * PAGES + 16 * 2)
        self.assertGreater(int(expected), TRACES)

    def test_a_look_up_is_about_its_trace(self):
        judged = self.count("SELECT count(DISTINCT trace_id) FROM mlflow_assessments")
        spans = self.count("SELECT count(*) FROM mlflow_spans")
        self.costs("SELECT count(*) FROM mlflow_traces AS t WHERE t.experiment = "
                   f"'{self.here}' AND EXISTS (SELECT 1 FROM mlflow_assessments AS a "
                   "WHERE a.trace_id = t.trace_id)", judged, PAGES, preset=self.there)
        self.costs("SELECT count(*), min(s.experiment) FROM mlflow_traces AS t CROSS JOIN "
                   f"mlflow_spans AS s USING (trace_id) WHERE t.experiment = '{self.here}'",
                   f"{spans}|{self.here}", PAGES, BATCHES, preset=self.there)
        sql = (f"SELECT count(*) FROM mlflow_traces AS t WHERE t.experiment = '{self.here}' AND "
               "NOT EXISTS (SELECT 1 FROM mlflow_traces AS u WHERE u.trace_id = t.trace_id AND "
               f"u.{{}} IN ('{self.there}', 'gone', '2000000000'))")
        for column in ("experiment", "experiment_id"):
            for rows, (*_, requests) in self.answer(sql.format(column), self.here):
                self.assertEqual(rows, str(TRACES))
                self.assertLessEqual(requests, PAGES + 8, column)

    def test_a_sub_select_reaches_a_view_with_windows(self):
        before = "".join((support.ROOT / "sql" / f"{name}.sql").read_text()
                         for name in ("tables", "views"))
        slowest = "(SELECT trace_id FROM slowest LIMIT 1)"
        profile = ("SELECT span_type, count, round(wall_time_s, 3), round(critical_time_s, 3) FROM "
                   "span_profile WHERE trace_id = {} ORDER BY 1")
        [(trace, _), _] = self.answer(f"SELECT {slowest}", self.here, before)
        [(expected, _), _] = self.answer(profile.format(f"'{trace}'"), self.here, before)
        self.assertIn("AGENT|1|", expected)
        self.costs(profile.format(slowest), expected, PAGES + 1, 2, before=before)

    def test_scopes_that_meet_are_right_or_an_error(self):
        sql = ("SELECT count(*) FROM mlflow_assessments AS a CROSS JOIN mlflow_traces AS t USING "
               f"(trace_id) WHERE t.experiment = '{self.here}' AND a.name = 'none such'")
        for rows, _ in self.answer(sql, self.there):
            self.assertIn(f"mlflow_assessments: the environment says to read experiment "
                          f"'{self.there}'", rows)
            self.assertIn(f"asks another table for '{self.here}'; {MIXED}", rows)
        for preset in (None, self.here):
            for rows, _ in self.answer(sql, preset):
                self.assertEqual(rows, "0")
        # SQLite does not tell a plan of this condition: all experiments are read, and compared.
        compared = sql.replace("t.experiment =", "+t.experiment =")
        for rows, _ in self.answer(compared, self.there):
            self.assertIn(f"asks another table for another; {MIXED}", rows)
        for rows, _ in self.answer(compared, None):
            self.assertEqual(rows, "0")

    def test_scans_with_one_plan_tell_each_its_own_experiment(self):
        sql = ("SELECT count(*) FROM mlflow_traces AS x, mlflow_traces AS y, mlflow_traces AS z "
               "WHERE x.experiment = ?1 AND y.experiment = ?2")
        with support.environment({"MLFLOW_EXPERIMENT_NAME": self.there}):
            connection = support.apsw_connection(self.server)
            connection.execute("SELECT * FROM mlflow_settings").fetchall()
        self.addCleanup(connection.close)
        for values in ((self.there, self.here), (self.here, self.there)):
            with self.assertRaisesRegex(Exception, MIXED):
                connection.execute(sql, values).fetchall()

    def statements(self, dice, count):
        """Random statements over two tables, each told its experiment or not."""
        links = ("{0} AS x JOIN {1} AS y ON y.trace_id = x.trace_id",
                 "{0} AS x LEFT JOIN {1} AS y ON y.trace_id = x.trace_id",
                 "{1} AS y CROSS JOIN {0} AS x ON y.trace_id = x.trace_id",
                 "{0} AS x WHERE {2} EXISTS (SELECT 1 FROM {1} AS y WHERE "
                 "y.trace_id = x.trace_id {3}) AND 1",
                 "{0} AS x WHERE x.trace_id {2} IN (SELECT trace_id FROM {1} AS y WHERE 1 {3}) "
                 "AND 1")
        tests = ("AND {}.timestamp_ms % 3 <> 1", "AND {}.timestamp_ms >= 1790000000000", "",
                 "AND length({}.trace_id) > 2")
        for _ in range(count):
            link = dice.choice(links)
            names = [f"mlflow_{dice.choice(('traces', 'spans', 'assessments'))}" for _ in range(2)]
            told = [dice.choice(("", "AND {}.experiment = '%s'" % self.here,
                                 "AND {}.experiment IS '%s'" % self.there,
                                 "AND {}.experiment IN ('%s', 'gone')" % self.here))
                    for _ in range(2)]
            inner = told[1].format("y") + " " + dice.choice(tests).format("y")
            outer = told[0].format("x") + " " + dice.choice(tests).format("x")
            if "WHERE" in link:
                body = link.format("{0}", "{1}", dice.choice(("", "NOT")), inner) + " " + outer
            else:
                body = f"{link} {inner} WHERE 1 {outer}"
            yield names, told, f"SELECT count(*), count(DISTINCT x.trace_id) FROM {body}"

    def test_random_statements_equal_a_copy(self):
        dice = random.Random(20)
        copy = "".join(
            f"CREATE TEMP TABLE all_{name} AS SELECT trace_id, experiment, timestamp_ms FROM "
            f"mlflow_{name} WHERE experiment IN ('{self.here}', '{self.there}');"
            f"CREATE TEMP VIEW own_{name} AS SELECT * FROM all_{name} WHERE experiment = "
            f"'{self.there}';" for name in ("traces", "spans", "assessments"))
        refused = 0
        asked = list(self.statements(dice, 16))
        for preset in (None, self.there):
            local = []
            for names, told, sql in asked:
                # A table that is told nothing is the preset's; beside one that is told another it
                # is about the traces of that, or an error.
                mixed = preset and any(self.here in each for each in told)
                kind = "own" if preset and not mixed else "all"
                local.append(sql.format(*(
                    name.replace("mlflow", "all" if each else kind)
                    for name, each in zip(names, told, strict=True))))
            expected = self.answer(" UNION ALL ".join(local), preset, copy)[0][0].splitlines()
            for (names, told, sql), right in zip(asked, expected, strict=True):
                if preset is None and not all(told):
                    continue  # all experiments of the server, whatever other tests made
                for rows, _ in self.answer(sql.format(*names), preset):
                    if MIXED in rows and preset and not all(told):
                        refused += 1
                        continue
                    self.assertEqual(rows, right, (preset, sql.format(*names)))
        self.assertLess(refused, len(asked))

    def test_nothing_of_a_plan_is_left_for_the_next(self):
        told = f"t.experiment = '{self.here}'"
        for first in (f"EXPLAIN QUERY PLAN SELECT 1 FROM mlflow_traces t WHERE {told}",
                      "EXPLAIN QUERY PLAN SELECT 1 FROM mlflow_traces WHERE filter = 'tags.a = 1'",
                      f"SELECT 1 FROM mlflow_traces t WHERE {told} LIMIT 0",
                      "SELECT 1 FROM (SELECT 1 AS x WHERE 0) e WHERE EXISTS (SELECT 1 FROM "
                      f"mlflow_traces t WHERE {told} AND t.trace_id = e.x)"):
            for rows, _ in self.answer("SELECT DISTINCT experiment, filter FROM mlflow_traces",
                                       self.there, first):
                self.assertEqual(rows.splitlines()[-1], f"{self.there}|")
        for rows, _ in self.answer(
                "SELECT count(*) FROM mlflow_traces a JOIN mlflow_traces b USING (trace_id) WHERE "
                "a.filter = 'attributes.status = ''OK''' AND b.filter = a.filter", self.here):
            self.assertNotIn("no query solution", rows)
            self.assertGreater(int(rows), 0)

    def test_a_statement_inside_another_is_right_or_an_error(self):
        def ask(sql):
            try:
                return str(connection.execute(sql).fetchall())
            except Exception as error:
                return str(error)

        with support.environment({"MLFLOW_EXPERIMENT_NAME": self.there}):
            connection = support.apsw_connection(self.server)
            self.addCleanup(connection.close)
            connection.create_scalar_function("ask", ask)
            connection.execute("CREATE TEMP TABLE kept(x)")
            here = f"(SELECT experiment_id FROM mlflow_experiments WHERE name = '{self.here}')"
            counted = "SELECT count(*) FROM mlflow_traces WHERE "
            right = dark = 0
            for before, condition in itertools.product(
                    ("", "SELECT 'x' UNION ALL ",
                     "SELECT count(DISTINCT name) FROM mlflow_traces UNION ALL "),
                    ("1", f"experiment = '{self.here}'", f"+experiment = '{self.here}'",
                     f"+experiment_id = {here}", "filter || '' = 'tags.a = ''1'''")):
                sql = before + counted + condition
                alone = ask(sql)
                for outer in ("SELECT ask(?)", "SELECT 1 UNION ALL SELECT ask(?)",
                              "INSERT INTO kept SELECT ask(?) RETURNING x",
                              "SELECT ask(?) FROM (SELECT count(*) FROM mlflow_traces)",
                              "SELECT trace_id, ask(?) FROM mlflow_traces LIMIT 2"):
                    told = connection.execute(outer, (sql,)).fetchall()[-1][-1]
                    if "SQLite does not show here what" in told:
                        dark += 1
                    elif "the environment says" not in alone:
                        self.assertEqual(told, alone, (outer, sql))
                        right += 1
            self.assertEqual(ask(f"{counted} +experiment_id = {here}"), f"[({TRACES},)]")
            # One shape of plan, and only the outer statement drops rows by it.
            sql = ("SELECT 0 UNION ALL SELECT count(a.name) FROM mlflow_traces AS a LEFT JOIN "
                   "(SELECT 1 AS z) AS b ON a.session_id IS NULL")
            for outer in ("SELECT ask(?) FROM (SELECT count(name) FROM mlflow_traces AS a WHERE "
                          "a.session_id IS NULL)",
                          "SELECT ask(?) FROM (SELECT count(*) FROM mlflow_traces)"):
                self.assertEqual(connection.execute(outer, (sql,)).get, ask(sql))
            self.assertGreater(dark, 5)
            self.assertGreater(right, 40)

    def test_what_sqlite_keeps_open_is_no_statement(self):
        """A search of FTS5 or R*Tree keeps a handle of a BLOB, which is busy and has no text."""
        before = ("CREATE VIRTUAL TABLE temp.words USING fts5(word); INSERT INTO words VALUES "
                  "('a b'); CREATE VIRTUAL TABLE temp.boxes USING rtree(id, low, high); INSERT INTO "
                  "boxes VALUES (1, 0, 1)")
        here = f"(SELECT experiment_id FROM mlflow_experiments WHERE name = '{self.here}')"
        sql = ("SELECT (SELECT count(*) FROM mlflow_traces AS t WHERE +experiment_id = "
               f"{here} AND +trace_id <> x.column1) FROM (VALUES (1), (2)) AS x")
        alone = self.answer(sql, self.there)
        self.assertEqual(alone[0][0], f"{TRACES}\n{TRACES}")
        for table in ("words WHERE word MATCH 'a'", "boxes WHERE low <= 0"):
            told = self.answer(f"{sql} CROSS JOIN {table}", self.there, before)
            for (rows, (searches, *_)), (expected, (few, *_)) in zip(told, alone, strict=True):
                self.assertEqual(rows, expected, table)
                # All experiments are read, and other tests make some meanwhile.
                self.assertLess(searches, 1.5 * few, table)

    def test_arguments_want_texts(self):
        for column, value in itertools.product(("filter", "in_run"), ("5", "x'61'", "1.5",
                                                                     "'a' || char(0)")):
            for rows, (searches, *_) in self.answer(
                    f"SELECT count(*) FROM mlflow_traces WHERE {column} = {value}", self.here):
                self.assertIn(f"{column} = … wants", rows)
                self.assertEqual(searches, 0)

    def test_a_trigger_takes_no_budget_away(self):
        before = ("CREATE TEMP TABLE l(id, n); INSERT INTO l SELECT value, 0 FROM "
                  "json_each('[1, 2, 3, 4, 5, 6, 7, 8]'); CREATE TEMP TRIGGER g AFTER UPDATE ON l "
                  "BEGIN SELECT 1; END")
        sql = ("UPDATE l SET n = (SELECT count(*) FROM mlflow_traces t WHERE "
               "t.client_request_id = 'none' || l.id)")
        for rows, (searches, *_) in self.answer(sql, self.here, before,
                                                MLFLOW_SQL_STATEMENT_REQUESTS_MAX="5"):
            self.assertIn("MLFLOW_SQL_STATEMENT_REQUESTS_MAX", rows)
            self.assertLessEqual(searches, 5)

    def limited(self, sql, rows):
        """The one value of a statement that may be given so many rows, or the error, as a text."""
        with support.environment({"MLFLOW_EXPERIMENT_NAME": self.here,
                                  "MLFLOW_SQL_STATEMENT_ROWS_MAX": str(rows)}):
            connection = support.apsw_connection(self.server)
            self.addCleanup(connection.close)
            try:
                return str(connection.execute(sql).get)
            except Exception as error:
                return str(error)

    def test_rows_are_limited(self):
        judged = int(self.count("SELECT count(*) FROM mlflow_assessments"))
        spans = int(self.count("SELECT count(*) FROM mlflow_spans"))
        metrics = ("SELECT count(*) FROM mlflow_metrics WHERE view = 'traces' AND metric = "
                   "'latency' AND aggregation IN ('p1', 'p2', 'p3') AND dimensions = ''")
        for sql, rows in (("SELECT count(timestamp_ms) FROM mlflow_traces", TRACES),
                          ("SELECT count(*) FROM mlflow_traces WHERE +status = 'none'", TRACES),
                          ("SELECT count(*) FROM (SELECT 1 FROM mlflow_traces LIMIT 50)", 50),
                          ("SELECT count(*) FROM mlflow_spans", spans),
                          ("SELECT count(*) FROM mlflow_assessments", judged),
                          ("SELECT count(*) FROM mlflow_traces AS t CROSS JOIN mlflow_traces AS u "
                           "USING (trace_id)", 2 * TRACES),
                          (metrics, 3),
                          ("SELECT count(*) FROM (SELECT 1 FROM mlflow_experiments LIMIT 2)", 2)):
            self.assertEqual(self.limited(sql, rows), self.limited(sql, 0), sql)
            self.assertRegex(self.limited(sql, rows - 1),
                             rf"mlflow_\w+: the statement has been given {rows - 1} rows, the most "
                             r"that MLFLOW_SQL_STATEMENT_ROWS_MAX allows, after .* requests?;")

    def test_bytes_are_limited(self):
        log = "SELECT sum(bytes) FROM mlflow_requests"
        for column, path in (("trace_id", "traces/search"), ("response", "traces/batchGet")):
            sql = f"SELECT count({column}) FROM mlflow_traces"
            [(spent, _), _] = self.answer(log, self.here, f"CREATE TEMP TABLE whole AS {sql}")
            whole = self.count(sql)
            for limit, ends_well in ((2 * int(spent), True), (int(spent) // 2, False)):
                for found, _ in self.answer(sql, self.here,
                                            MLFLOW_SQL_STATEMENT_BYTES_MAX=str(limit)):
                    if ends_well:
                        self.assertEqual(found, whole)
                        continue
                    said = re.search(rf"mlflow_traces: (POST|GET) \S+{path}: the statement has "
                                     rf"read (\d+) bytes, more than the {limit} that "
                                     r"MLFLOW_SQL_STATEMENT_BYTES_MAX allows, after .* requests?;",
                                     found)
                    self.assertTrue(said, found)
                    self.assertGreater(int(said.group(2)), limit)

    def test_a_full_disk_is_no_traces_fault(self):
        """What a statement was given goes to a file when it is much."""
        many = seeded.experiment(self.server, "all")
        script = (f".load {support.extension()}\nSELECT sum(length(attributes)) FROM mlflow_spans "
                  "WHERE trace_id IN (SELECT trace_id FROM mlflow_traces LIMIT 450);")
        for limit, fails in (("unlimited", False), ("64", True)):
            ran = subprocess.run(
                ["bash", "-c", f"ulimit -f {limit}; trap '' XFSZ; exec sqlite3 -batch -bail :memory:"],
                input=script, text=True, capture_output=True, check=False,
                env=support.clean_environment(self.server, MLFLOW_EXPERIMENT_NAME=many,
                                              MLFLOW_SQL_BAD_TRACES="null"))
            self.assertEqual(ran.returncode != 0, fails, ran.stderr)
            self.assertIn("the temporary database for what" if fails else "", ran.stderr)
            if not fails:
                self.assertGreater(int(ran.stdout), 3 << 19)  # and as much again beside it

    def test_a_limit_is_of_one_statement(self):
        sql = "SELECT count(*) FROM mlflow_traces"
        for rows, _ in self.answer(sql, self.here, before=f"{sql}; {sql}",
                                   MLFLOW_SQL_STATEMENT_ROWS_MAX=str(TRACES)):
            self.assertEqual(rows.splitlines()[-1], str(TRACES))

    def test_the_log_of_requests_does_not_feed_itself(self):
        for rows, (searches, *_) in self.answer(
                "SELECT count(*) FROM mlflow_requests AS r CROSS JOIN mlflow_traces AS t ON "
                "t.client_request_id = r.filter", self.here,
                "SELECT count(*) FROM mlflow_traces"):
            self.assertEqual(rows.splitlines()[-1], "0")
            self.assertLessEqual(searches, 4 * PAGES)
