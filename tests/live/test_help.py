"""mlflow_help says what is true: of the columns, of what is sent, of the functions; and its examples run.
"""

import itertools
import re
import subprocess
import unittest

import support

WALKING = ("mlflow_traces", "mlflow_spans", "mlflow_assessments")
# What is written after a column, and what EXPLAIN QUERY PLAN shows of it if it is sent.
OPERATORS = {"=": "= 'a'", "!=": "!= 'a'", "<": "< 'a'", "<=": "<= 'a'", ">": "> 'a'", ">=": ">= 'a'",
             "IN": "IN ('a', 'b')", "LIKE": "LIKE 'a_b'", "GLOB": "GLOB 'a*b'", "IS NULL": "IS NULL",
             "IS NOT NULL": "IS NOT NULL", "IS": "IS :a"}
SHOWN = {"IN": "IN (?)", "IS NULL": "IS NULL", "IS NOT NULL": "IS NOT NULL"}
DOCS = support.ROOT / "docs" / "reference"


class Help(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "help")
        support.seed(cls.server, cls.experiment, 20)
        with support.environment({"MLFLOW_EXPERIMENT_NAME": cls.experiment}):
            cls.db = support.apsw_connection(cls.server)
            cls.db.execute("SELECT count(*) FROM mlflow_settings").get
        cls.addClassCleanup(cls.db.close)
        cls.rows = [dict(zip([name for name, *_ in cursor.getdescription()], row, strict=True))
                    for cursor in [cls.db.execute("SELECT * FROM mlflow_help")] for row in cursor]

    def of(self, kind, table=None):
        return [row for row in self.rows if row["kind"] == kind
                and (table is None or row["table_name"] == table)]

    def test_reading_it_asks_nothing(self):
        self.assertEqual(support.shell("SELECT count(*) > 150 FROM mlflow_help; "
                                       "SELECT count(*) FROM mlflow_requests;"), "1\n0")

    def test_tables_are_those_that_there_are(self):
        modules = [name for (name,) in self.db.execute(
            "SELECT name FROM pragma_module_list WHERE name LIKE 'mlflow%' ORDER BY 1")]
        self.assertEqual(sorted(row["name"] for row in self.of("table")), modules)

    def test_columns_are_those_that_tables_declare(self):
        for table in self.of("table"):
            declared = list(self.db.execute(
                "SELECT name, type, hidden FROM pragma_table_xinfo(?)", (table["name"],)))
            told = [(row["name"], row["type"], row["hidden"])
                    for row in self.of("column", table["name"])]
            self.assertEqual(told, declared, table["name"])

    def test_columns_are_those_of_the_manual(self):
        for table in self.of("table"):
            page = (DOCS / f"{table['name']}.md").read_text()
            columns = re.search(r"^## Columns\n.*?^\|---.*?\n(.*?)\n\n", page, re.M | re.S).group(1)
            written = set()
            for line in columns.splitlines():
                names, types, meaning = [cell.strip() for cell in line.split("|")[1:4]]
                written |= {(name.strip(" `"), "hidden" in types) for name in names.split(",")}
                written |= {(name, True) for name in re.findall(r"also hidden as `(\w+)`", meaning)}
            self.assertEqual({(row["name"], bool(row["hidden"]))
                              for row in self.of("column", table["name"])}, written, table["name"])

    def test_everything_has_a_meaning(self):
        for row in self.rows:
            self.assertRegex(row["meaning"] or "", r"^\w", row)

    def sent(self, table, column, operator):
        """Whether EXPLAIN QUERY PLAN shows the operator on the column as sent."""
        sql = (f'EXPLAIN QUERY PLAN SELECT 1 FROM {table} AS t WHERE t."{column}" '
               f"{OPERATORS[operator]}")
        plan = self.db.execute(sql, {"a": "a"}).fetchall()[0][-1]
        shown = SHOWN.get(operator, f"{operator} ?")
        return re.search(rf"INDEX \d+:{re.escape(column)} {re.escape(shown)}(?! IN)", plan) is not None

    def test_what_is_pushed_is_what_the_plan_shows(self):
        for table in WALKING:
            self.db.execute(f"CREATE VIRTUAL TABLE temp.own_{table[7:]} USING {table}"
                            "(tags.KEY, metadata.KEY, feedback.KEY)")
        for row in self.rows:
            if not row["kind"].endswith("column"):
                continue
            table = row["table_name"]
            where = f"temp.own_{table[7:]}" if row["kind"] == "declared column" else table
            told = row["pushed"].split(", ") if row["pushed"] else []
            self.assertEqual(told, [name for name in OPERATORS if self.sent(where, row["name"], name)],
                             (table, row["name"]))

    def test_what_reaches_the_server_is_said_to(self):
        """For the operators that the plan shows alike: the log of requests has them."""
        for column, value in (("status", "'OK'"), ("execution_time_ms", "5")):
            self.db.execute(f"SELECT max(timestamp_ms) FROM mlflow_traces WHERE {column} = {value}").get
            last = self.db.execute("SELECT filter FROM mlflow_requests ORDER BY rowid DESC LIMIT 1")
            self.assertIn(f"attributes.{column} = {value}", last.get)

    def test_functions_are_those_that_loading_adds(self):
        listing = "SELECT name || ' ' || narg FROM pragma_function_list;"
        before = set(subprocess.run(["sqlite3", ":memory:", listing], capture_output=True,
                                    text=True, check=True).stdout.splitlines())
        added = set(support.shell(listing).splitlines()) - before
        told = set()
        for row in self.of("function"):
            if row["name"] == "stratified_sample":  # a table function
                continue
            needed, *optional = row["arguments"].replace("]", "").split("[")
            least = len([name for name in needed.split(",") if name.strip()])
            told |= {f"{row['name']} {least + more}" for more in range(len(optional) + 1)}
        self.assertEqual(told, added)

    def test_functions_are_in_the_manual(self):
        pages = "".join(page.read_text() for page in (DOCS / "functions").glob("*.md"))
        for row in self.of("function"):
            names = re.findall(r"\w+", row["arguments"])
            if not row["name"].startswith("mlflow_"):
                self.assertRegex(pages, rf"\b{row['name']}\(", row["name"])
            self.assertTrue(row["example"] and row["name"] in row["example"], row["name"])
            self.assertEqual(len(names), len(set(names)))

    def test_examples_run(self):
        examples = [row for row in self.rows if row["example"]]
        self.assertGreater(len(examples), 30)
        for row in examples:
            if row["name"] != "mlflow_connect":
                cursor = self.db.execute(row["example"])
                list(itertools.islice(cursor, 1000))
                if row["kind"] == "column":
                    self.assertIn(row["name"], row["example"])
                self.assertIn(row["table_name"] or row["name"], row["example"])
        connect = next(row for row in self.of("function") if row["name"] == "mlflow_connect")
        self.assertEqual(support.shell(connect["example"] + ";"), "http://127.0.0.1:5000")
