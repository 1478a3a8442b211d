"""tools/fuzz runs the targets that tests/fuzz names, and fails when one finds something or was not built."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Fuzz(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        (self.root / "tools").mkdir()
        shutil.copy(ROOT / "tools/fuzz", self.root / "tools/fuzz")

    def name(self, target: str) -> None:
        path = self.root / f"tests/fuzz/{target}_fuzz.cc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    def build(self, target: str, status: int = 0) -> None:
        path = self.root / f"build/asan/tests/fuzz/fuzz_{target}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho stat::number_of_executed_units: 7\nexit {status}\n")
        path.chmod(0o755)

    def run_fuzz(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.root / "tools/fuzz", *arguments], capture_output=True, text=True, check=False)

    def test_every_target_that_is_named_is_run(self):
        for target in ("one", "two"):
            self.name(target)
            self.build(target)
        done = self.run_fuzz("1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("one: 7 inputs", done.stdout)
        self.assertIn("two: 7 inputs", done.stdout)

    def test_a_target_that_was_not_built_fails_and_is_named_and_the_others_are_run(self):
        self.name("one")
        self.build("one")
        self.name("forgotten")
        done = self.run_fuzz("1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("forgotten", done.stderr)
        self.assertIn("one: 7 inputs", done.stdout)

    def test_a_total_is_shared_among_the_targets(self):
        targets = [f"target{number}" for number in range(4 * (os.cpu_count() or 1))]
        for target in targets:
            self.name(target)
            self.build(target)
        done = self.run_fuzz("--total", "40")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{len(targets)} targets, 10 s each", done.stdout)

    def test_a_finding_fails(self):
        self.name("one")
        self.build("one", status=77)
        self.assertEqual(self.run_fuzz("1").returncode, 1)

    def test_only_the_targets_asked_for_are_run_and_asking_for_one_that_is_none_fails(self):
        for target in ("one", "two"):
            self.name(target)
            self.build(target)
        done = self.run_fuzz("1", "two")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("one:", done.stdout)
        self.assertEqual(self.run_fuzz("1", "three").returncode, 1)

    def test_a_program_whose_source_is_gone_is_not_run(self):
        self.name("one")
        self.build("one")
        self.build("stale", status=1)
        done = self.run_fuzz("1")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("stale", done.stdout)


if __name__ == "__main__":
    unittest.main()
