"""Every SQL block of the README and the manual runs as it stands.

The blocks of one file run in order, in one sqlite3 shell with the extension, against a server with
a few traces. A block that is followed at once by a block of output has that output, if it shows a
query plan: other output depends on the data.
"""

import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support  # noqa: E402

BLOCK = re.compile(r"^```sql\n(.*?)^```\n(?:\n?^```\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def pages():
    return [support.ROOT / "README.md", *sorted((support.ROOT / "docs").rglob("*.md"))]


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

    def run_page(self, page):
        blocks = BLOCK.findall(page.read_text())
        environment = {"MLFLOW_EXPERIMENT_NAME": self.experiment}
        for number in range(len(blocks)):
            # Everything before a block may be what it stands on.
            before = "\n".join(sql for sql, _ in blocks[:number])
            sql, output = blocks[number]
            shown = support.shell(f".output /dev/null\n{before}\n.output stdout\n{sql}",
                                  self.server, **environment)
            if output.startswith("QUERY PLAN"):
                self.assertIn(output.strip(), shown, f"{page.name}, block {number + 1}")
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

if __name__ == "__main__":
    unittest.main()
