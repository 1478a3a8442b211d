"""(i) What a put waits at 50,000 records per second: alone, beside a backup, and beside a scrub of all segments."""
import os
import shutil
import subprocess
import threading

from suite.environment import ACCESS_KEY, DATA, SECRET_KEY, SERVER, Failure, Millrace, fresh_folder, load, say
from suite.latency import measure_disk
from suite.results import Results, milliseconds, number

SHARDS, LANES, RATE, BATCH = 8, 8, 50_000, 500
BYTES_A_RECORD = 170
# A scrub of a day goes seven times as fast as by default.
SCRUB_DAYS = 1


class Backups:
    """One after the other while it is entered, each a whole copy, at the pace that is the default."""

    def __init__(self, server: Millrace, folder):
        self._server, self._folder = server, folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.taken, self.failure = 0, ""

    def _run(self) -> None:
        environment = {**os.environ, "MILLRACE_ROOT_ACCESS_KEY": ACCESS_KEY, "MILLRACE_ROOT_SECRET_KEY": SECRET_KEY,
                       "MILLRACE_ENDPOINT": f"http://127.0.0.1:{self._server.port}"}
        while not self._stop.is_set() and not self.failure:
            done = subprocess.run([SERVER, "backup", self._folder / str(self.taken)], env=environment, capture_output=True, text=True,
                                  check=False)
            if done.returncode == 0:
                self.taken += 1
            else:
                self.failure = done.stderr.strip()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def put(server: Millrace, seconds: float) -> dict:
    result = load(server.port, "--put", "unique", "--rate", RATE, "--batch", BATCH, "--connections", LANES, "--seconds",
                  seconds, timeout=seconds + 120)
    if "put" not in result:
        raise Failure(f"(i): nothing was put: {result['errors']}")
    return result


def run(results: Results, options) -> None:
    seconds = options.latency_seconds / 2
    fresh_folder("disk")
    disk = measure_disk(RATE / BATCH, BATCH * BYTES_A_RECORD)
    rows, p99 = [], {}
    for what in ("alone", "backup", "scrub"):
        server = Millrace(fresh_folder(f"backup-{what}"), ("--scrub-days", str(SCRUB_DAYS if what == "scrub" else 0)))
        target = DATA / "backups"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        taken = 0
        try:
            load(server.port, "--create", SHARDS)
            put(server, 20)  # so that there are segments to copy and to read
            if what == "backup":
                with Backups(server, target) as backups:
                    result = put(server, seconds)
                if backups.failure or not backups.taken:
                    raise Failure(f"(i): {backups.taken} backups, {backups.failure}")
                taken = backups.taken
            else:
                result = put(server, seconds)
        finally:
            server.stop()
        latency = result["put"]["latency"]
        p99[what] = latency["p99_us"]
        say(f"i: {what}: put p50 {milliseconds(latency['p50_us'])} ms, p99 {milliseconds(latency['p99_us'])} ms, "
            f"{p99[what] / p99['alone']:.2f} of alone")
        results.add("i", what=what, seconds=seconds, disk=disk, backups=taken, **result)
        rows.append([what, number(result["put"]["records_per_s"]),
                     *(milliseconds(latency[key]) for key in ("p50_us", "p99_us", "p999_us", "max_us")),
                     f"{p99[what] / p99['alone']:.2f}", taken or ""])
    results.table(f"i: put in ms at {number(RATE)}/s for {seconds:.0f} s; generator, server and backup on the same cores and disk",
                  ["beside it", "acknowledged/s", "p50", "p99", "p99.9", "max", "p99 of alone's", "backups"], rows)
