#!/usr/bin/python3
"""Backups under load, cut off by kill -9 of either side: backup.py SERVER [--rounds N] [--lanes N] [--seed N] [--full].

Producers put at full speed while shards are split and merged. In each round a backup begins; it is left alone, or killed, or
the server under it is killed. Then the newest complete backup is restored, served and read in full: every record that was
acknowledged before that backup began must be there, and nothing that was never sent.
--full is the long form: a load of about 50,000 records per second where the machine has the cores for it.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.cases import Cases, equal
from black_box.server import ACCESS_KEY, SECRET_KEY, Server, scratch_folder
from black_box.wire import Wire
from crash import kill9
from crash.history import History

ROUNDS = ("left alone", "backup killed", "server killed")
SMALL_LOG = ["--journal-file-bytes", "4MiB", "--settle-at-bytes", "1MiB", "--settle-after-ms", "300", "--loops", "2"]


def complete_backups(folder):
    return sorted(name for name in os.listdir(folder) if name.isdigit()) if os.path.isdir(folder) else []


class Load:
    """Producers, and how far each ledger had come at some moment."""

    def __init__(self, endpoint, folder, lanes):
        self.folder = folder
        self.producers = [kill9.Producer(
            [sys.executable, os.path.join(kill9.PRODUCERS, "wire_producer.py"), endpoint, kill9.STREAM, f"w{lane}", folder],
            [f"w{lane}"], folder) for lane in range(lanes)]

    @contextlib.contextmanager
    def paused(self):
        for producer in self.producers:
            producer.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for producer in self.producers:
                producer.signal(signal.SIGCONT)

    def sizes(self):
        return {name: os.path.getsize(os.path.join(self.folder, name)) for name in os.listdir(self.folder)
                if name.endswith(".ledger")}

    def history(self, sizes, scratch):
        """All that was sent so far, and of what was acknowledged only what was so at `sizes`."""
        shutil.rmtree(scratch, ignore_errors=True)
        os.mkdir(scratch)
        for name in os.listdir(self.folder):
            if not name.endswith(".ledger"):
                continue
            with open(os.path.join(self.folder, name), "rb") as ledger:
                before, after = ledger.read(sizes.get(name, 0)), ledger.read()
            known = before.rfind(b"\n") + 1  # a line that was being written belongs to what came later
            rows = (before[known:] + after).split(b"\n")[:-1]
            with open(os.path.join(scratch, name), "wb") as copy:
                copy.write(before[:known] + b"".join(row + b"\n" for row in rows if row.startswith(b"S ")))
        return History(scratch)


class Backups:
    def __init__(self, cases, options, scratch):
        self.cases, self.options, self.scratch = cases, options, scratch
        self.dice = random.Random(options.seed)
        self.folder = os.path.join(scratch, "backups")
        self.ledgers = os.path.join(scratch, "ledgers")
        os.mkdir(self.ledgers)
        self.server = Server(options.server, os.path.join(scratch, "data"), flags=SMALL_LOG)
        self.begun_at = {}  # complete backup -> the ledgers' sizes when it began
        self.load = None
        self.backup_s = 0.0  # how long one takes that is left alone

    def environment(self):
        return {**os.environ, "MILLRACE_ROOT_ACCESS_KEY": ACCESS_KEY, "MILLRACE_ROOT_SECRET_KEY": SECRET_KEY,
                "MILLRACE_ENDPOINT": self.server.endpoint}

    def begin(self):
        self.server.start()
        wire = Wire(self.server.endpoint)
        wire.call("CreateStream", StreamName=kill9.STREAM, ShardCount=kill9.SHARDS_AT_FIRST)
        wire.wait_active(kill9.STREAM)
        self.load = Load(self.server.endpoint, self.ledgers, self.options.lanes)

    def round(self, kind):
        time.sleep(self.dice.uniform(0.5, 1.5) * self.options.seconds)
        resharding = threading.Thread(target=kill9.reshard, args=(self.server.endpoint, random.Random(self.dice.random()),
                                                                  [], False))
        resharding.start()
        before, sizes, began = complete_backups(self.folder), self.load.sizes(), time.monotonic()
        backup = subprocess.Popen([self.server.binary, "backup", self.folder, "--bytes-per-s", "0"], env=self.environment(),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if kind != "left alone":
            time.sleep(self.dice.uniform(0, 1.1 * self.backup_s))
            if kind == "backup killed":
                backup.kill()
            else:
                self.server.kill9()
        output, _ = backup.communicate(timeout=300)
        resharding.join()
        if kind == "server killed":
            self.server.start()
        fresh = [name for name in complete_backups(self.folder) if name not in before]
        for name in fresh:
            self.begun_at[name] = sizes
        if kind == "left alone":
            self.backup_s = time.monotonic() - began
            equal((backup.returncode, len(fresh)), (0, 1), output)
        elif kind == "server killed":
            equal(backup.returncode == 0, len(fresh) == 1, f"exit {backup.returncode}: {output}")
        return "complete" if fresh else "cut off"

    def restore_and_compare(self):
        newest = complete_backups(self.folder)[-1]
        restored = os.path.join(self.scratch, "restored")
        shutil.rmtree(restored, ignore_errors=True)
        done = subprocess.run([self.server.binary, "restore", self.folder, "--data", restored], capture_output=True, text=True,
                              timeout=300, check=False)
        equal(done.returncode, 0, done.stdout + done.stderr)
        history = self.load.history(self.begun_at[newest], os.path.join(self.scratch, "known"))
        with Server(self.server.binary, restored, flags=SMALL_LOG) as server:
            server.start()
            wire = Wire(server.endpoint)
            for shard in wire.shards(kill9.STREAM):
                history.seen(int(shard["ShardId"][8:]), wire.read_shard(kill9.STREAM, shard["ShardId"]))
            equal(server.stop(), 0, "exit code")
        wrong = {"lost": history.lost(), "misplaced": history.misplaced, "doubled": history.doubled,
                 "never sent": history.never_sent}
        equal({what: found[:3] for what, found in wrong.items() if found}, {}, f"backup {newest}")
        return newest, history.acknowledged, history.read

    def run(self):
        self.begin()
        began, counted = time.monotonic(), 0
        for number in range(self.options.rounds):
            kind = ROUNDS[number % len(ROUNDS)]
            with self.cases.case(f"round {number + 1}, {kind}: the newest complete backup has all that was acknowledged before it"):
                outcome = self.round(kind)
                with self.load.paused():
                    newest, counted, read = self.restore_and_compare()
                self.cases.line(f"      {outcome}; backup {newest}: {counted:,} acknowledged before it, {read:,} read")
        with self.cases.case("producers were told only what they may be told, and acknowledged"):
            for producer in self.load.producers:
                producer.end()
            history = History(self.ledgers)
            equal(history.unexpected[:3], [])
            assert history.acknowledged > 1000, history.acknowledged
        self.cases.line(f"backup: {self.options.rounds} rounds, {history.acknowledged:,} records acknowledged, "
                        f"{history.acknowledged / (time.monotonic() - began):,.0f} per second")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--lanes", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=1.0, help="of load before each backup, about")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments.add_argument("--full", action="store_true")
    options = arguments.parse_args()
    if options.full:
        options.rounds, options.lanes, options.seconds = 30, 6, 5.0
    cases = Cases(f"backup, seed {options.seed}")
    scratch = scratch_folder("backup")
    backups = Backups(cases, options, scratch)
    try:
        try:
            backups.run()
        finally:
            for producer in backups.load.producers if backups.load else []:
                producer.kill()
    except Exception:
        with cases.case("the load and the rounds"):
            raise
    finally:
        backups.server.kill9()
    if cases.failed:
        print(f"kept: {scratch}")
    else:
        shutil.rmtree(scratch)
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
