"""Every link of the README and the manual leads to a file, and to a heading in it; every page of
the manual can be reached from its index; files and functions that the architecture names are there."""

import re
import unittest

import support

LINK = re.compile(r"\]\(([^)\s]+)\)")
DOCS = support.ROOT / "docs"


def pages():
    return [support.ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def prose(page):
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)}


def links(page):
    """(file, anchor or "") of each link that does not leave the tree."""
    for link in LINK.findall(prose(page)):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


class Links(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in pages():
            for target, anchor in links(page):
                with self.subTest(page=page.name, target=str(target), anchor=anchor):
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(target))

    def test_each_page_is_in_the_index(self):
        index = {target for target, _ in links(DOCS / "README.md")}
        self.assertEqual(set(), set(DOCS.rglob("*.md")) - index - {DOCS / "README.md"})

    def test_the_architecture_names_what_there_is(self):
        ext = support.ROOT / "ext"
        code = "".join(path.read_text() for path in sorted(ext.rglob("*.[ch]")))
        words = set(re.findall(r"\w+", code))
        for name in re.findall(r"`([^`\s]+)`", prose(DOCS / "architecture.md")):
            with self.subTest(name=name):
                if re.fullmatch(r"[\w/]+\.[ch]|unit/\w+\.c|live/\w+\.py", name):
                    self.assertTrue(any((folder / name).exists()
                                        for folder in (ext, support.ROOT, support.TESTS)))
                elif re.fullmatch(r"[a-z]+_\w+", name) and name not in ("mlflow_requests",):
                    self.assertTrue(name in words or name in code)
