"""packaging/packages.txt is well formed, and tools/install-packages does nothing where nothing is missing."""
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*groups: str) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "tools/install-packages", *groups], capture_output=True, text=True, check=False)


class InstallPackages(unittest.TestCase):
    def test_every_line_is_a_group_a_package_and_perhaps_a_command(self):
        seen = set()
        for line in (ROOT / "packaging/packages.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                fields = line.split()
                self.assertIn(len(fields), (2, 3), line)
                self.assertNotIn(tuple(fields[:2]), seen, f"twice: {line}")
                seen.add(tuple(fields[:2]))

    def test_a_group_that_is_installed_needs_nothing_and_says_nothing(self):
        done = run("server")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_an_unknown_group_and_no_group_are_bad_usage(self):
        self.assertEqual(run("no-such-group").returncode, 2)
        self.assertEqual(run().returncode, 2)


if __name__ == "__main__":
    unittest.main()
