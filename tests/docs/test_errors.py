"""Each message that docs/errors.md lists is in the code or in the scripts, in most of its words."""

import re
import unittest

import support

PAGE = support.ROOT / "docs" / "errors.md"
# What parts a message: a ; and what stands for a value, be it a text, a number or a name.
BETWEEN = re.compile(r"""[…;]|'[^']*'|"[^"]*"|\d[\d.,]*|\b[A-Z]+_[A-Z_]+\b|\bmlflow_\w+"""
                     r"|https?://\S*")
# SQLite's own words, and the server's.
NOT_OURS = {"no such module", "no such function: percentile", "unsafe use of virtual table",
            "Invalid clause(s) in filter string"}


def parts():
    """(message, words) of each part of a message in the first column, if it has three words."""
    for cell in re.findall(r"^\| (`.*?) \| ", PAGE.read_text(), re.MULTILINE):
        for message in re.findall(r"`([^`]+)`", cell):
            for part in (each.strip(" :,.()[]") for each in BETWEEN.split(message)):
                if part not in NOT_OURS and len(part.split()) >= 3:
                    yield message, part.split()


def texts():
    """The texts of the code, and the scripts, without comments."""
    code = "".join(path.read_text() for path in sorted((support.ROOT / "ext").rglob("*.[ch]")))
    found = re.findall(r'"((?:[^"\\\n]|\\.)*)"', re.sub(r'"\s*\n\s*"', "", code))
    for path in sorted((support.ROOT / "sql").rglob("*")):
        if path.is_file():
            found += re.findall(r"^(?!\s*(?:--|#)).+$", path.read_text(), re.MULTILINE)
    return "\n".join(found).replace('\\"', '"').replace("''", "'")


class Errors(unittest.TestCase):
    def test_the_messages_are_in_the_code(self):
        """Where the page has a name, the code may have %s: so half of the words are enough, those
        of which three in a row are in the code."""
        text, listed = texts(), list(parts())
        self.assertGreater(len(listed), 50)
        for message, words in listed:
            found = {place for i in range(len(words) - 2) if " ".join(words[i:i + 3]) in text
                     for place in range(i, i + 3)}
            with self.subTest(message):
                self.assertGreaterEqual(len(found), len(words) / 2, " ".join(words))
