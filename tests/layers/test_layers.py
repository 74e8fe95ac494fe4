"""The tree keeps its own rules: layers, doors, entry points, small pieces, one layout."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import support

EXT = support.ROOT / "ext"
MAY_INCLUDE = {
    "base": {"base"},
    "analysis": {"base", "analysis"},  # of base, the allocator
    "model": {"base", "model"},
    "query": {"base", "model", "query"},
    "remote": {"base", "model", "remote"},
    "tables": {"base", "analysis", "model", "query", "remote", "tables"},
    "functions": {"base", "analysis", "functions"},
    "": {"base", "tables", "functions"},  # mlflow.c
}
DOORS = {  # a foreign header and where it may be included
    "sqlite3ext.h": ["base/sqlite_api.h", "mlflow.c"],  # the latter defines what the former uses
    "curl/curl.h": ["remote/transfer.h"],
    "cJSON.h": ["model/json.c"],
}
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
LINE_COLUMNS_MAX = 100


def sources(*suffixes):
    return sorted(path for path in EXT.rglob("*") if path.suffix in (suffixes or (".c", ".h")))


def includes(path):
    return re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def functions(text):
    """(name, lines) of each function: from its first line to the brace in the first column."""
    start = None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[A-Za-z_].*[(,]", line) and not line.endswith(";") and start is None:
            start = number
        elif line == "}" and start is not None:
            name = re.search(r"(\w+)\(", " ".join(lines[start:start + 3]))
            yield (name.group(1) if name else lines[start]), number - start + 1
            start = None
        elif line.endswith(";") and not line.startswith((" ", "\t")):
            start = None


class LayersTest(unittest.TestCase):
    def test_each_layer_includes_only_those_below_it(self):
        wrong = []
        for path in sources():
            layer = "" if path.parent == EXT else path.relative_to(EXT).parts[0]
            for header in includes(path):
                if not (EXT / header).is_file():
                    continue
                target = header.split("/")[0]
                if target not in MAY_INCLUDE[layer]:
                    wrong.append(f"{path.relative_to(EXT)} includes {header}")
        self.assertEqual(wrong, [])

    def test_foreign_headers_come_through_their_doors(self):
        for header, doors in DOORS.items():
            with self.subTest(header=header):
                users = [str(path.relative_to(EXT)) for path in sources()
                         if any(name.endswith(header) for name in includes(path))]
                self.assertEqual(users, doors)

    def test_static_names_are_unique_over_the_tree(self):
        unity = "".join(f'#include "{path}"\n' for path in sources(".c"))
        with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
            file.write(unity)
            file.flush()
            built = subprocess.run(
                ["gcc", "-std=c11", "-fsyntax-only", "-D_DEFAULT_SOURCE", '-DMLF_VERSION="0"',
                 f"-I{EXT}", file.name], capture_output=True, text=True, check=False)
        self.assertEqual(built.returncode, 0, built.stderr[-3000:])

    def test_only_the_entry_points_are_exported(self):
        library = pathlib.Path(support.extension()).with_suffix(".so")
        listed = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True,
                                text=True, check=True).stdout
        self.assertEqual([line.split()[-1] for line in listed.splitlines()],
                         ["sqlite3_extension_init", "sqlite3_mlflow_init"])

    def test_pieces_stay_small(self):
        wrong = []
        for path in sources():
            text = path.read_text()
            name = path.relative_to(EXT)
            lines = text.splitlines()
            if len(lines) > FILE_LINES_MAX:
                wrong.append(f"{name}: {len(lines)} lines")
            wrong += [f"{name}:{number}: {len(line)} columns"
                      for number, line in enumerate(lines, 1) if len(line) > LINE_COLUMNS_MAX]
            wrong += [f"{name}: {function}() has {count} lines"
                      for function, count in functions(text) if count > FUNCTION_LINES_MAX]
        self.assertEqual(wrong, [])

    def test_c_is_laid_out_by_clang_format(self):
        files = [path for folder in (EXT, support.TESTS) for path in sorted(folder.rglob("*.[ch]"))]
        run = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *files],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr[:3000])

    def test_clang_tidy_finds_nothing(self):
        flags = ["-std=c11", "-D_DEFAULT_SOURCE", '-DMLF_VERSION="0"', f"-I{EXT}"]
        errors = EXT / "base" / "error.c"
        others = [path for path in sources(".c") if path != errors]
        known = ["-include", pathlib.Path(__file__).parent / "errors.h"]
        runs = [subprocess.Popen(["clang-tidy-14", "--quiet", *command], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, cwd=support.ROOT)
                for command in ([errors, "--", *flags], [*others[::2], "--", *flags, *known],
                                [*others[1::2], "--", *flags, *known])]
        said = [run.communicate()[0] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * len(runs), "".join(said)[:3000])

    def test_shellcheck_finds_nothing(self):
        scripts = [path for folder in ("sql", "tests", "ext", ".ci")
                   for path in sorted((support.ROOT / folder).rglob("*"))
                   if path.is_file() and (path.suffix == ".sh" or
                                          re.match(rb"#!.*\bsh|#!.*\bbash", path.read_bytes()))]
        self.assertGreater(len(scripts), 5)
        run = subprocess.run(["shellcheck", "--external-sources", *scripts], capture_output=True,
                             text=True, check=False, cwd=support.ROOT)
        self.assertEqual(run.returncode, 0, run.stdout[:3000])

    def test_no_file_names_this_machine(self):
        here = (f"{support.ROOT}/", f"{pathlib.Path.home()}/")
        wrong = []
        for folder in ("ext", "sql", "tests", "docs", ".ci"):
            for path in (support.ROOT / folder).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts and any(
                        name in path.read_text(errors="replace") for name in here):
                    wrong.append(str(path.relative_to(support.ROOT)))
        self.assertEqual(wrong, [])
