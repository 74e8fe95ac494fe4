"""What CMake installs and packs, from the build tree that the tests use, and what a plain
configuration makes of it."""

import json
import pathlib
import subprocess
import tarfile
import tempfile
import unittest

import support

BUILD = pathlib.Path(support.extension()).parent


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          capture_output=True, **more).stdout


class Install(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def check_report(self, sql):
        """The report of this folder finds the library: the message is the library's."""
        ran = subprocess.run([sql / "report", "--html", self.folder / "x.html"], text=True,
                             capture_output=True, check=False, env=support.clean_environment())
        self.assertIn("sql/report: mlflow_traces: no server is set", ran.stderr)
        ran = subprocess.run([sql / "check", "--at-least", "requests=1"], text=True, check=False,
                             capture_output=True, env=support.clean_environment())
        self.assertEqual(ran.returncode, 2)
        self.assertIn("sql/check: mlflow_traces: no server is set", ran.stderr)

    def test_cpack_makes_what_sqlpkg_installs(self):
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", self.folder)
        spec = json.loads((BUILD / "sqlpkg.json").read_text())
        self.assertEqual((spec["owner"], spec["name"]), ("local", "mlflow"))  # nobody's, until told
        archive, = (name.replace("{version}", spec["version"])
                    for name in spec["assets"]["files"].values())
        with tarfile.open(self.folder / archive) as packed:
            names = packed.getnames()
            packed.extractall(self.folder / "unpacked")
        # sqlpkg takes what the pattern matches, and makes no folders.
        self.assertEqual([name for name in names if pathlib.PurePath(name).match("mlflow0.*")],
                         ["mlflow0.so"])
        self.assertEqual({name.split("/")[0] for name in names},
                         {"mlflow0.so", "sql", "docs", "README.md", "LICENSE"})
        self.assertFalse([name for name in names if "demo" in name])
        unpacked = self.folder / "unpacked"
        self.assertEqual(run("sqlite3", ":memory:", "-cmd", f".load {unpacked / 'mlflow0'}",
                             "SELECT mlflow_version()").strip(), spec["version"])
        self.check_report(unpacked / "sql")

    def test_components_are_installed_by_themselves(self):
        for component, top in (("library", {"lib"}), ("sql", {"share"}), ("docs", {"share"})):
            prefix = self.folder / component
            run("cmake", "--install", BUILD, "--component", component, "--prefix", prefix)
            self.assertEqual({path.name for path in prefix.iterdir()}, top)
        run("cmake", "--install", BUILD, "--prefix", self.folder / "all")
        library, = (self.folder / "all").glob("lib*/sqlite3/mlflow0.so")
        self.assertTrue(library.is_file())
        self.assertTrue((self.folder / "all/share/doc/sqlite-mlflow/docs/errors.md").is_file())
        self.check_report(self.folder / "all/share/sqlite-mlflow/sql")

    def test_a_plain_configuration_optimizes(self):
        run("cmake", "-S", support.ROOT, "-B", self.folder / "b", "-G", "Ninja")
        commands = json.loads((self.folder / "b/compile_commands.json").read_text())
        for command in commands:
            self.assertIn(" -O2 ", command["command"])
