"""Every SQL block of the README and the manual runs as it stands.

The blocks of one file run in order, in one sqlite3 shell with the extension, against a server with
the demo's kind of traces. A block that is followed at once by a block of output has that output, if
it shows a query plan; of tables it has the columns, for what is in them depends on the data.
"""

import re
import time
import unittest

import support

import seeded

MARK = "-- block "
BLOCK = re.compile(r"^```sql\n(.*?)^```\n(?:\n?^```\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def pages():
    return [support.ROOT / "README.md", *sorted((support.ROOT / "docs").rglob("*.md"))]


def columns(output):
    """The names of the columns of each table in box mode."""
    lines = output.splitlines()
    return [[name.strip() for name in below.strip("│").split("│")]
            for line, below in zip(lines, lines[1:]) if line.startswith("┌")]


def log_loop(server, experiment):
    """A trace whose agent calls a tool twice with the same inputs."""
    mlflow = seeded.use(server)
    mlflow.set_experiment(experiment)
    with mlflow.start_span("agent", span_type="AGENT"):
        for _ in range(2):
            with mlflow.start_span("search_web", span_type="TOOL") as span:
                span.set_inputs({"query": "order 7"})
    mlflow.flush_trace_async_logging()


class Blocks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.start()
        cls.experiment = support.create_experiment(cls.server, "manual")
        now = int(time.time() * 1000)
        support.insert_traces(cls.server, cls.experiment, [
            {"trace_id": f"tr-manual{i:026d}", "timestamp_ms": now - i * 3_600_000,
             "status": ["OK", "OK", "ERROR"][i % 3], "execution_time_ms": 100 * i,
             "tags": {"mlflow.traceName": "agent", "environment": "production"},
             "metadata": {"mlflow.trace.user": f"user{i % 4}"},
             "assessments": [("concise_communication", "yes")]}
            for i in range(30)])
        support.seed(cls.server, cls.experiment, 400)
        log_loop(cls.server, cls.experiment)

    def run_page(self, page):
        blocks = BLOCK.findall(page.read_text())
        script = "".join(
            f".mode {'box' if columns(output) else 'list'}\n.print {MARK}{number}\n{sql}\n"
            for number, (sql, output) in enumerate(blocks))
        run = support.run_shell(script, self.server, MLFLOW_EXPERIMENT_NAME=self.experiment)
        parts = re.split(rf"^{MARK}\d+\n", run.stdout, flags=re.MULTILINE)[1:]
        where = f"{page.name}, block {len(parts)}"
        self.assertEqual((run.returncode, run.stderr), (0, ""), where)
        for number, ((_, output), shown) in enumerate(zip(blocks, parts, strict=True), 1):
            where = f"{page.name}, block {number}"
            if output.startswith("QUERY PLAN"):
                self.assertIn(output.strip(), shown, where)
            if columns(output):
                self.assertEqual(columns(output), columns(shown), where)
        return len(blocks)

    def test_there_are_blocks(self):
        self.assertGreater(sum(len(BLOCK.findall(page.read_text())) for page in pages()), 10)


def add(page):
    def test(self):
        self.run_page(page)

    name = re.sub(r"\W", "_", str(page.relative_to(support.ROOT).with_suffix("")))
    setattr(Blocks, f"test_{name}", test)


for each in pages():
    if BLOCK.search(each.read_text()):
        add(each)
