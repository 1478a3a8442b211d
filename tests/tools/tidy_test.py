"""tools/tidy finds what breaks a house rule, and passes what does not."""
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tidy(files: dict[str, str]) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([ROOT / "tools/tidy", folder], capture_output=True, text=True, check=False)


class Tidy(unittest.TestCase):
    def found(self, name: str, text: str, says: str) -> None:
        done = tidy({name: text})
        self.assertEqual(done.returncode, 1, f"{text!r} passes")
        self.assertIn(says, done.stdout)

    def passes(self, name: str, text: str) -> None:
        done = tidy({name: text})
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_systems_clocks_dice_sleeps_and_sockets_are_found(self):
        for subject, line in (("clocks", "auto now = std::chrono::steady_clock::now();"),
                              ("clocks", "clock_gettime(CLOCK_REALTIME, &now);"),
                              ("dice", "std::random_device dice;"),
                              ("dice", "int number = rand();"),
                              ("sleeps", "std::this_thread::sleep_for(1ms);"),
                              ("sockets", "#include <sys/socket.h>"),
                              ("sockets", "#include <boost/asio.hpp>"),
                              ("files", "#include <fcntl.h>")):
            with self.subTest(line):
                self.found("src/log/a.cc", f"{line}\n", f"src/log/a.cc:1: the system's {subject}")

    def test_they_pass_where_they_are_implemented(self):
        self.passes("src/base/clock.cc", "clock_gettime(CLOCK_REALTIME, &now);\n")
        self.passes("src/base/random.cc", "getrandom(out, 8, 0);\n")
        self.passes("src/net/listener.cc", "#include <boost/asio.hpp>\n")
        self.passes("src/store/posix_file.cc", "#include <fcntl.h>\n")

    def test_our_own_names_are_not_taken_for_the_systems(self):
        self.passes("src/log/a.cc", "co_await sleep_for(loop, 5);\nclock.time(0);\nstd::int64_t uptime = 0;\n")
        self.passes("src/log/a.cc", "// rand() would not do here\n")

    def test_leftovers_are_found(self):
        for line in ("// TODO: later", "// FIXME", "int x;  // a stub"):
            with self.subTest(line):
                self.found("src/log/a.cc", line + "\n", "left over")

    def test_code_in_comments_is_found_and_prose_is_not(self):
        self.found("src/log/a.cc", "// if (x) return y;\n", "code in a comment")
        self.found("src/log/a.cc", "#if 0\n#endif\n", "code in a comment")
        self.passes("src/log/a.cc", "// if the file is short, the rest is zero;\n// return early: it is cheap.\n")

    def test_names_without_a_subject_are_found(self):
        self.found("src/utils/a.cc", "", "a name without a subject")
        self.found("src/log/helpers.h", "// log/helpers.h: x\n", "a name without a subject")

    def test_a_header_says_what_it_is_and_is_used(self):
        self.found("src/log/a.h", "#pragma once\n", "begins with")
        self.found("src/log/a.h", "// log/a.h: a thing\n", "nobody includes it")

    def test_long_files_and_functions_are_named_without_failing(self):
        done = tidy({"src/log/a.cc": "void f() {\n" + "  g();\n" * 90 + "}\n" + "\n" * 400})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("src/log/a.cc: 492 lines", done.stdout)
        self.assertIn("src/log/a.cc:1: a function of 91 lines", done.stdout)


if __name__ == "__main__":
    unittest.main()
