"""tools/check-imports finds an import against the arrow, and passes what goes along it."""
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(files: dict[str, str]) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([ROOT / "tools/check-imports", folder], capture_output=True, text=True, check=False)


class CheckImports(unittest.TestCase):
    def test_an_import_against_the_arrow_is_found_and_named(self):
        done = check({"src/log/log.h": '#include "broker/broker.h"\n', "src/broker/broker.h": ""})
        self.assertEqual(done.returncode, 1)
        self.assertIn('src/log/log.h:1: log imports "broker/broker.h"', done.stdout)

    def test_a_front_door_that_reaches_past_the_broker_is_found(self):
        done = check({"src/kinesis/put.cc": '\n  #  include "store/disk.h"\n', "src/store/disk.h": ""})
        self.assertEqual(done.returncode, 1)
        self.assertIn("src/kinesis/put.cc:2", done.stdout)

    def test_an_import_along_the_arrow_passes(self):
        done = check({"src/log/log.h": '#include "base/bytes.h"\n#include <vector>\n', "src/base/bytes.h": ""})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_folder_without_a_line_in_the_arrow_is_found(self):
        self.assertEqual(check({"src/utils/things.h": ""}).returncode, 1)

    def test_an_include_relative_to_its_own_folder_is_found(self):
        self.assertEqual(check({"src/log/a.cc": '#include "b.h"\n', "src/log/b.h": ""}).returncode, 1)

    def test_the_build_links_along_the_same_arrow(self):
        arrow = dict(re.findall(r'^    "(\w+)": "([\w ]*)",$', (ROOT / "tools/check-imports").read_text(), re.M))
        linked = {name: uses.strip() for name, uses in
                  re.findall(r"^millrace_folder\((\w+)\s*(?:USES ([\w ]+?))?(?: LINKS.*)?\)$",
                             (ROOT / "CMakeLists.txt").read_text(), re.M)}
        self.assertTrue(linked)
        self.assertEqual({name: arrow[name] for name in linked}, linked)

    def test_the_project_itself_passes(self):
        done = subprocess.run([ROOT / "tools/check-imports"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
