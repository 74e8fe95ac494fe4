"""Which conditions on a saved view reach the server: what docs/pushdown.md and docs/questions.md say
is what EXPLAIN shows, and what the comment above the view says ("Sent: …"). EXPLAIN asks no server."""

import re
import unittest

import support

VIEWS = ("views.sql", "questions.sql", "checks.sql")
SCRIPTS = [support.ROOT / "sql" / name for name in ("tables.sql", *VIEWS)]
PAGE = support.ROOT / "docs" / "pushdown.md"
QUESTIONS = support.ROOT / "docs" / "questions.md"


class ViewPlans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with support.environment({"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}):
            cls.db = support.apsw_connection()
        cls.addClassCleanup(cls.db.close)
        for script in SCRIPTS:
            cls.db.execute(script.read_text())

    def terms(self, sql):
        """The conditions that our tables are told, and how often each."""
        plan = "\n".join(row[-1] for row in self.db.execute(f"EXPLAIN QUERY PLAN {sql}"))
        found = re.findall(r"VIRTUAL TABLE INDEX \d+:([^\n]*\?[^\n]*)", plan)
        return sorted(term for each in found for term in each.split(" AND "))

    def sent(self, view):
        """The columns of the view on which a condition with = reaches the server."""
        without = self.terms(f"SELECT * FROM {view}")
        names = [row[1] for row in self.db.execute(f"PRAGMA table_info({view})")]
        return {name for name in names
                if len(self.terms(f"SELECT * FROM {view} WHERE {name} = 'x'")) > len(without)}

    def views(self, script):
        """(name, the comment above it) of each view."""
        text = (support.ROOT / "sql" / script).read_text()
        return re.findall(r"((?:^--.*\n)+)DROP VIEW IF EXISTS (\w+);", text, re.MULTILINE)

    def test_the_pages_say_what_the_plans_show(self):
        rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|$",
                          PAGE.read_text().partition("### The saved views")[2], re.MULTILINE)
        told = {view: set(re.findall(r"`(\w+)`", columns)) for view, columns, _ in rows}
        every = {view for script in VIEWS for _, view in self.views(script)}
        self.assertLessEqual({view for _, view in self.views("questions.sql")}, set(told))
        self.assertLessEqual(set(told), every)
        for view in every:
            self.assertEqual(self.sent(view), told.get(view, set()), view)
        for view, _, shown in rows:
            for term in re.findall(r"`([^`]*\?\)?)`", shown):
                self.assertIn(term, self.terms(f"SELECT * FROM {view}"), view)
        rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|.*\|([^|]*)\|$", QUESTIONS.read_text(),
                          re.MULTILINE)
        asked = {view: set(re.findall(r"`(\w+)`", columns)) for views, columns in rows
                 for view in re.findall(r"`(\w+)`", views)}
        self.assertLessEqual({view for _, view in self.views("questions.sql")}, set(asked))
        for view, columns in asked.items():
            self.assertEqual(columns, told.get(view, set()), view)

    def test_the_comments_say_what_the_plans_show(self):
        said = 0
        for script in VIEWS:
            for comment, view in self.views(script):
                text = " ".join(line.lstrip("- ") for line in comment.splitlines())
                sent = re.search(r"Sent: ([\w, ]+)\.", text)
                columns = set(sent.group(1).split(", ")) if sent else set()
                said += len(columns)
                self.assertEqual(self.sent(view), columns, view)
        self.assertGreater(said, 20)
