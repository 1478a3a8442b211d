"""Cases and their count: a line for each case, and a last line `N passed, N failed, N skipped`."""

import contextlib
import re
import sys
import time
import traceback


class Skip(Exception):
    """Raised inside a case that cannot run here; its text says why."""


class Cases:
    """Counts cases. `with cases.case("what holds"): assert ...`; a failed case does not stop the next."""

    def __init__(self, subject, out=sys.stdout):
        self.subject = subject
        self.passed = self.failed = self.skipped = 0
        self._out = out

    @contextlib.contextmanager
    def case(self, name):
        began = time.monotonic()
        try:
            yield
        except Skip as why:
            self.skipped += 1
            self.line(f"skip  {self.subject}: {name}: {why}")
        except Exception as error:  # an AssertionError or whatever a client throws
            self.failed += 1
            self.line(f"FAIL  {self.subject}: {name}: {str(error)[:300] or type(error).__name__}")
            for row in traceback.format_exc().rstrip().splitlines():
                self.line(f"      {row[:1000]}")
        else:
            self.passed += 1
            self.line(f"ok    {self.subject}: {name} ({time.monotonic() - began:.2f} s)")

    def add(self, passed, failed, skipped):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def line(self, text):
        print(text, file=self._out, flush=True)

    def finish(self):
        """Prints the last line; returns the exit code."""
        self.line(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed or not (self.passed or self.skipped) else 0


VERDICT = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


def counts_in(text):
    """(passed, failed, skipped) of the last such line in a program's output; None when there is none."""
    for row in reversed(text.splitlines()):
        match = VERDICT.match(row.strip())
        if match:
            return tuple(int(number or 0) for number in match.groups())
    return None


def equal(got, expected, what=""):
    assert got == expected, f"{what + ': ' if what else ''}expected {expected!r}, got {got!r}"


def eventually(condition, seconds=20.0, what="condition"):
    """Waits until condition() is truthy; returns it. What it throws counts as not yet."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except Exception as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}{f' (last: {last!r})' if last else ''}")
