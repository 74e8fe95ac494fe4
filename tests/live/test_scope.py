"""Which experiments a statement reads, and that its conditions on them hold however SQLite plans it.

SQLite does not always tell a table what it checks: not in the branches of an OR beside a sub-select,
not in a RIGHT JOIN.
"""

import unittest

import support

TRACES = 60
# What tells no plan which experiments are meant, with the name of one, and its id, in it.
COMPARED = [
    "lower(experiment) = '{name}'", "experiment || '' = '{name}'", "instr(experiment || '|', '{name}|') = 1",
    "coalesce(experiment, '') = '{name}'", "instr('{name}', experiment)",
    "nullif(experiment, '{name}') IS NULL",
    "date(replace(experiment, '{name}', '2026-01-01')) IS '2026-01-01'",
    "date(replace(experiment, '{name}', '2026-01-01')) NOT NULL",
    "+experiment IN ('{name}', 'scope none', 'scope no')",
    "+experiment IN (SELECT name FROM named)", "experiment COLLATE NOCASE IN ('{name}', 'a', 'b')",
    "EXISTS (SELECT 1 FROM named WHERE named.name = experiment)",
    "(SELECT max(e = '{name}') FROM (SELECT experiment AS e LIMIT 1))",
    "CAST(experiment_id AS INTEGER) = {id}", "experiment_id + 0 = {id}", "experiment_id LIKE '{id}'",
    "experiment_id >= '{id}' AND experiment_id <= '{id}'",
    "EXISTS (SELECT 1 FROM named WHERE named.id = experiment_id)",
    "experiment = coalesce(nullif('{name}', ''), experiment)",
    "experiment IS ifnull('{name}', experiment)", "experiment IN ('{name}', '')",
    "experiment_id = coalesce('{id}', experiment_id)",
]
JOINED = [
    "mlflow_traces AS t CROSS JOIN named ON named.name = t.experiment",
    "mlflow_traces AS t CROSS JOIN named ON named.id = t.experiment_id",
    "named CROSS JOIN mlflow_traces AS t ON named.id = t.experiment_id",
    "(SELECT experiment AS e FROM mlflow_traces LIMIT -1) AS t WHERE e = (SELECT name FROM named)",
    "(SELECT experiment AS e, row_number() OVER (ORDER BY trace_id) FROM mlflow_traces) "
    "WHERE e = (SELECT name FROM named)",
    "(SELECT max(experiment) AS e FROM mlflow_traces GROUP BY trace_id) "
    "WHERE e = (SELECT name FROM named)",
]
BRANCHES = "(trace_id = '{}' OR (session_id = 's3' AND name = 'n3' AND status = 'OK'))"


class Scope(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        own = support.live.Server()  # of its own: much here reads all that there is
        cls.addClassCleanup(own.stop)
        own.start()
        cls.server = support.Remote(support.SQLITE, own.uri)
        cls.name = support.create_experiment(cls.server, "scope")
        cls.other = support.create_experiment(cls.server, "scope beside it")
        cls.id = support.experiment_id(cls.server, cls.name)
        cls.ids = [f"tr-scope{cls.id}-{i:03}" for i in range(TRACES)]
        support.insert_traces(cls.server, cls.name, [
            {"trace_id": trace_id, "timestamp_ms": 1000 + i, "status": "OK" if i % 3 else "ERROR",
             "metadata": {"mlflow.trace.session": f"s{i % 5}"},
             "tags": {"mlflow.traceName": f"n{i % 7}"}} for i, trace_id in enumerate(cls.ids)])
        cls.branches = BRANCHES.format(cls.ids[4])

    def connection(self, preset=None):
        with support.environment({"MLFLOW_EXPERIMENT_NAME": preset}):
            connection = support.apsw_connection(self.server)
            connection.execute("SELECT count(*) FROM mlflow_settings")
        self.addCleanup(connection.close)
        connection.execute("CREATE TEMP TABLE l(id)")
        connection.execute("INSERT INTO l VALUES (?), ('tr-none')", (self.ids[4],))
        return connection

    def ask(self, connection, sql, *values):
        return connection.execute(sql, values).fetchall()

    def test_a_condition_holds_under_every_plan(self):
        sql = f"SELECT count(*) FROM mlflow_traces WHERE {self.branches} AND experiment = "
        for preset in (None, self.other, self.name):
            connection = self.connection(preset)
            self.assertEqual(self.ask(connection, sql + "?1", self.name), [(2,)], preset)
            self.assertEqual(self.ask(connection, sql + "(SELECT ?1)", self.name), [(2,)])
            for join, where in (("LEFT", "ON"), ("LEFT", "WHERE"), ("RIGHT", "WHERE"),
                                ("FULL", "WHERE")):
                condition = "AND" if where == "ON" else "WHERE"
                found = self.ask(
                    connection, f"SELECT count(t.trace_id), count(l.id) FROM l {join} JOIN "
                    f"mlflow_traces AS t ON t.trace_id = l.id {condition} t.experiment = ?1",
                    self.name)
                self.assertEqual(found, [(1, 2 if where == "ON" else 1) if join == "LEFT" else
                                         (TRACES, 1)], (preset, join, where))

    def test_what_is_not_asked_for_is_the_preset_or_all(self):
        like = f"tr-scope{self.id}-%"
        for preset, expected in ((None, TRACES), (self.other, 0), (self.name, TRACES)):
            connection = self.connection(preset)
            for columns in ("count(*)", "count(experiment)", "count(coalesce(filter, 'none'))"):
                self.assertEqual(self.ask(
                    connection, f"SELECT {columns} FROM mlflow_traces WHERE trace_id LIKE ?1", like),
                    [(expected,)], (preset, columns))

    def test_what_is_compared_in_another_way_reads_all(self):
        """However SQLite plans it: whether the plan tells the table, or an index of SQLite's own or
        a list is looked up, which the table is not told of."""
        named = (f"CREATE TEMP TABLE named AS SELECT '{self.name}' AS name, "
                 f"CAST({self.id} AS INTEGER) AS id")
        statements = [f"SELECT count(*) FROM mlflow_traces WHERE {condition}".format(
            name=self.name, id=self.id) for condition in COMPARED]
        statements += [f"SELECT count(*) FROM {join}" for join in JOINED]
        statements += [
            "WITH t AS MATERIALIZED (SELECT experiment AS e, status FROM mlflow_traces) "
            f"SELECT count(*) FROM t WHERE e = '{self.name}'",
            f"SELECT count(*) FILTER (WHERE experiment IN ('{self.name}', 'a', 'b')) "
            "FROM mlflow_traces",
            "SELECT count(*) FROM (SELECT experiment AS e FROM mlflow_traces GROUP BY trace_id) "
            f"WHERE e = coalesce('{self.name}', e)",
            "WITH RECURSIVE c(t, e, n) AS (SELECT trace_id, experiment, 0 FROM mlflow_traces UNION ALL "
            "SELECT t, e, 1 FROM c WHERE n = 0) SELECT count(DISTINCT t) FROM c WHERE e = "
            f"'{self.name}'",
            "SELECT count(*) - 1 FROM (SELECT experiment AS e FROM mlflow_traces UNION ALL SELECT name "
            "FROM named) AS u JOIN named ON named.name = u.e"]
        for preset in (None, self.other):
            connection = self.connection(preset)
            connection.execute(named)
            for sql in statements:
                self.assertEqual(self.ask(connection, sql), [(TRACES,)], (preset, sql))
            variables = {"MLFLOW_EXPERIMENT_NAME": preset} if preset else {}
            shown = support.shell(";\n".join([named, *statements]) + ";", self.server, **variables)
            self.assertEqual(shown.split("\n"), [str(TRACES)] * len(statements), preset)

    def test_what_is_looked_for_among_the_experiments_reads_all(self):
        """The names are in a list or an index of SQLite's, and another value is looked for there."""
        for preset in (None, self.other):
            connection = self.connection(preset)
            connection.execute(f"CREATE TEMP TABLE named AS SELECT '{self.name}' AS name")
            for sql, expected in (
                    ("SELECT count(*) FROM named WHERE name IN (SELECT experiment FROM mlflow_traces)",
                     1),
                    ("SELECT count(*) FROM (SELECT name FROM named EXCEPT "
                     "SELECT experiment FROM mlflow_traces)", 0),
                    ("SELECT count(*) FROM (SELECT experiment FROM mlflow_traces INTERSECT "
                     "SELECT name FROM named)", 1),
                    ("SELECT sum(n) FROM named LEFT JOIN (SELECT experiment AS e, count(*) AS n "
                     "FROM mlflow_traces GROUP BY 1) ON e = name", TRACES)):
                self.assertEqual(self.ask(connection, sql), [(expected,)], (preset, sql))

    def test_a_parameter_may_be_left_out(self):
        """With its value in place SQLite would leave the OR out, and tell the table more than it
        does."""
        sql = "SELECT count(*) FROM mlflow_traces WHERE "
        for preset, everything in ((None, TRACES), (self.other, 0)):
            connection = self.connection(preset)
            for column, asked in (("experiment", self.name), ("experiment_id", str(self.id))):
                for condition in (f"(?1 IS NULL OR {column} = ?1)",
                                  f"(?1 IS NULL OR {column} = ?1) AND status IN ('OK', 'ERROR')"):
                    self.assertEqual(self.ask(connection, sql + condition, asked), [(TRACES,)],
                                     (preset, condition))
            self.assertEqual(self.ask(
                connection, f"{sql} status = 'OK' AND (trace_id > ?1 OR ?2) AND trace_id LIKE ?3",
                "x", 1, f"tr-scope{self.id}-%"), [(everything * 2 // 3,)])
            self.ask(connection, f"{sql} status = 'OK' AND (trace_id > ?1 OR ?2)", "x", 1)
            for column in ("filter", "in_run"):
                for condition in (f"(?1 IS NULL OR {column} = ?1)", f"{column} = coalesce(?1, {column})",
                                  f"{column} IS ifnull(?1, {column})"):
                    with self.assertRaisesRegex(Exception, "does not tell the table", msg=condition):
                        self.ask(connection, sql + condition, "attributes.status = 'OK'")

    def test_a_name_in_another_table_may_be_none(self):
        """What the statement itself names is misspelt; a row of a table finds no trace."""
        count = "SELECT count(*) FROM mlflow_traces AS t WHERE "
        for preset in (None, self.other):
            connection = self.connection(preset)
            connection.execute("CREATE TEMP TABLE named(name, status)")
            connection.execute("INSERT INTO named VALUES(?1, 'OK'), ('gone', 'OK'), (?2, 'OK'), "
                               "('', 'OK'), (NULL, 'OK')", (self.name, str(self.id)))
            fine = self.ask(connection, f"{count} experiment = ?1 AND status = 'OK'", self.name)
            for sql in (f"{count} (experiment, status) IN (SELECT name, status FROM named)",
                        "SELECT count(*) FROM named AS n CROSS JOIN mlflow_traces AS t "
                        "ON t.experiment = n.name AND t.status = n.status",
                        "SELECT sum((SELECT count(*) FROM mlflow_traces AS t WHERE t.status = 'OK' "
                        "AND t.experiment = n.name)) FROM named AS n",
                        "SELECT count(trace_id) FROM named AS n LEFT JOIN mlflow_traces AS t "
                        "ON t.experiment = n.name AND t.status = 'OK'"):
                self.assertEqual(self.ask(connection, sql), fine, (preset, sql))
            for value in ("'gone'", "?1", "(SELECT 'gone')", "lower('GONE')"):
                with self.assertRaisesRegex(Exception, "no experiment has the name or id 'gone'"):
                    self.ask(connection, f"{count} experiment = {value}",
                             *["gone"] * value.count("?"))

    def test_a_number_is_equal_to_several_names(self):
        """In SQL: the text '02' is compared with an INTEGER of a table as a number."""
        self.assertEqual(support.create_experiment(self.server, "02"), "02")
        self.addCleanup(self.server.call, "POST", "/api/2.0/mlflow/experiments/delete",
                        {"experiment_id": support.experiment_id(self.server, "02")})
        support.insert_traces(self.server, "02", [
            {"trace_id": "tr-two", "timestamp_ms": 1, "status": "OK"}])
        for preset in (None, self.other):
            connection = self.connection(preset)
            connection.execute("CREATE TEMP TABLE two(i INTEGER, r REAL); "
                               "INSERT INTO two VALUES (2, 2)")
            for condition in ("IN (SELECT i FROM two)", "= (SELECT i FROM two)",
                              "= CAST('2' AS INTEGER)", "= (SELECT r FROM two)"):
                self.assertEqual(self.ask(
                    connection, f"SELECT min(trace_id) FROM mlflow_traces WHERE experiment {condition}"),
                    [("tr-two",)], (preset, condition))
            self.assertEqual(self.ask(connection, "SELECT trace_id FROM two LEFT JOIN mlflow_traces "
                                      "AS t ON t.experiment = two.i"), [("tr-two",)])

    def test_an_empty_name(self):
        sql = "SELECT count(*) FROM mlflow_traces WHERE experiment"
        connection = self.connection()
        self.assertEqual(self.ask(connection, f"{sql} IN ('', ?1)", self.name), [(TRACES,)])
        self.assertEqual(self.ask(connection, f"{sql} IN ('', NULL)"), [(0,)])
        with self.assertRaisesRegex(Exception, "no experiment has an empty name"):
            self.ask(connection, f"{sql} = ''")

    def test_a_bound_value_that_cannot_be_written_in_sql(self):
        for preset in (None, self.other):
            connection = self.connection(preset)
            for sql in ("lower(experiment) = ?1 AND timestamp_ms < ?2",
                        "+experiment = ?1 AND trace_id IN (SELECT trace_id FROM mlflow_traces "
                        "WHERE experiment = ?1 AND timestamp_ms < ?2)"):
                self.assertEqual(self.ask(
                    connection, f"SELECT count(*) FROM mlflow_traces WHERE {sql}",
                    self.name, float("inf")), [(TRACES,)], (preset, sql))

    def test_what_is_only_shown_is_the_presets(self):
        connection = self.connection(self.name)
        for shown in ("DISTINCT experiment", "max(experiment)", "lower(experiment)",
                      "(SELECT experiment)", "coalesce(nullif(experiment, ''), 'none')"):
            self.assertEqual(set(self.ask(connection, f"SELECT {shown} FROM mlflow_traces")),
                             {(self.name,)}, shown)
        self.assertEqual(self.ask(
            connection, "SELECT experiment, experiment_id, count(*), rank() OVER (ORDER BY experiment) "
            "FROM mlflow_traces GROUP BY 1, 2 ORDER BY 1, 2"), [(self.name, self.id, TRACES, 1)])

    def test_an_id_that_is_a_real_number(self):
        for preset in (None, self.other):
            connection = self.connection(preset)
            for value in (f"CAST({self.id} AS REAL)", f"(SELECT CAST({self.id} AS REAL))"):
                for condition in (f"= {value}", f"IN ({value}, 0.5)"):
                    found = self.ask(connection, "SELECT count(*) FROM mlflow_traces WHERE "
                                     f"experiment_id {condition}")
                    self.assertEqual(found, [(TRACES if "IN" not in condition else 0,)], condition)

    def test_ids(self):
        connection = self.connection()
        named = "SELECT count(*) FROM mlflow_traces WHERE experiment = ?1 AND experiment_id = "
        for value, expected in ((self.id, TRACES), (f"'{self.id}'", TRACES), (f"'{self.id}.0'", 0),
                                (f"CAST({self.id} AS REAL)", TRACES), (f"{self.id}.5", 0)):
            self.assertEqual(self.ask(connection, named + value, self.name), [(expected,)], value)
        with self.assertRaisesRegex(Exception, f"name '{self.id}'; the one with this id is called "
                                    f"'{self.name}'"):
            self.ask(connection, "SELECT * FROM mlflow_traces WHERE experiment = ?1", self.id)

    def test_a_name_that_is_another_ones_id(self):
        name = support.create_experiment(self.server, "scope by id")
        its_id = support.experiment_id(self.server, name)
        support.insert_traces(self.server, name, [
            {"trace_id": f"tr-scope-by-id{its_id}", "timestamp_ms": 1000}])
        self.assertEqual(support.create_experiment(self.server, its_id), its_id)
        connection = self.connection()
        count = "SELECT count(*) FROM mlflow_traces WHERE "
        for condition in (f"experiment_id = '{its_id}'", f"experiment_id = {its_id}",
                          f"experiment_id IN ('{its_id}', '999999')"):
            self.assertEqual(self.ask(connection, count + condition), [(1,)], condition)
        self.assertEqual(self.ask(connection, count + f"experiment = '{its_id}'"), [(0,)])
        self.assertEqual(self.ask(self.connection(its_id), count + "true"), [(0,)])
        with support.environment({"MLFLOW_EXPERIMENT_ID": its_id}):
            self.assertEqual(self.ask(self.connection(), count + "true"), [(1,)])

    def test_a_name_that_is_the_presets_id_is_another_experiment(self):
        name = support.create_experiment(self.server, "scope preset")
        its_id = support.experiment_id(self.server, name)
        named = support.create_experiment(self.server, its_id)
        for experiment in (name, named):  # and away again, before others count
            trace_id = f"tr-scope-preset-{experiment.replace(' ', '-')}"
            support.insert_traces(self.server, experiment, [{"trace_id": trace_id, "timestamp_ms": 1}])
            self.addCleanup(support.delete_traces, self.server, experiment, [trace_id])
        preset = self.connection(name)
        asked = ("WITH x AS MATERIALIZED (SELECT trace_id FROM mlflow_traces WHERE {} = '{}') SELECT "
                 "count(*) FROM x JOIN mlflow_traces AS t ON t.name IS NOT x.trace_id")
        with self.assertRaisesRegex(Exception, "say experiment = '…' for this table, too"):
            self.ask(preset, asked.format("experiment", named))
        self.assertEqual(self.ask(preset, asked.format("experiment_id", its_id)), [(1,)])

    def test_an_experiment_that_is_null(self):
        for told in ("experiment", "experiment_id"):
            connection = self.connection()
            self.assertEqual(self.ask(
                connection, f"SELECT count(*) FROM mlflow_traces WHERE {told} = (SELECT NULL)"),
                [(0,)])
            self.assertEqual(self.ask(connection, "SELECT count(*) FROM mlflow_requests"), [(0,)])

    def test_a_filter_that_the_plan_is_not_told_of_is_an_error(self):
        connection = self.connection()
        raw = "attributes.status = 'OK'"
        sql = f"SELECT count(*) FROM mlflow_traces WHERE {self.branches} AND filter = "
        self.assertEqual(self.ask(connection, sql + "?1", raw), [(2,)])
        with self.assertRaisesRegex(Exception, "does not tell the table what filter"):
            self.ask(connection, sql + "(SELECT ?1)", raw)
        # Who asks for none reads none, as programs do that show all columns.
        self.ask(connection, "SELECT count(*) FROM mlflow_traces WHERE status = 'none'")
        self.assertEqual(self.ask(connection, "SELECT DISTINCT filter FROM mlflow_traces"), [(None,)])

    def test_experiments_are_asked_for_once_a_statement(self):
        connection = self.connection()
        several = ", ".join(support.create_experiment(self.server, f"scope {i}") for i in range(20))
        connection.execute(f"CREATE VIRTUAL TABLE temp.several USING mlflow_traces(experiments = "
                           f"'{several}')")
        for table, requests in (("mlflow_traces", 1), ("several", 20)):
            before = self.experiment_requests(connection)
            self.ask(connection, "SELECT (SELECT count(*) FROM {} AS t WHERE t.trace_id = j.value "
                     "OR t.status = 'none') FROM json_each(?1) AS j".format(table),
                     str([f"tr-{i}" for i in range(60)]).replace("'", '"'))
            self.assertEqual(self.experiment_requests(connection) - before, requests, table)

    def test_experiments_that_are_listed_are_not_asked_for_again(self):
        connection = self.connection()
        self.assertEqual(self.ask(
            connection, "SELECT e.name, count(t.trace_id) FROM mlflow_experiments AS e "
            "LEFT JOIN mlflow_traces AS t USING (experiment_id) WHERE e.name IN (?1, ?2) "
            "GROUP BY 1", self.name, self.other), [(self.name, TRACES), (self.other, 0)])
        self.assertEqual(self.experiment_requests(connection), 1)

    @staticmethod
    def experiment_requests(connection):
        return connection.execute("SELECT count(*) FROM mlflow_requests "
                                  "WHERE endpoint LIKE '%/experiments/%'").get
