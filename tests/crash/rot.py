#!/usr/bin/python3
"""One bit flipped, or one file cut short or gone, anywhere in the data folder: rot.py SERVER [--trials N] [--seed N].

A folder is filled until records lie in segments and in the journal, and is left once by a clean stop and once by
kill -9. Each trial damages a copy and starts the server on it. It must either
    refuse    end with an error that names the file (and, for a bit, where in it; for a file that is gone: any file),
    serve     every acknowledged record, as it was acknowledged, or
    answer    an error where the damage is read, and `millrace log verify` names the file;
never serve less without saying so, and never serve what was not sent. Every kind of file is tried at its first and last
bytes and at random ones; the journal also around the record that was acknowledged last. Only the newest of a chain of
numbered objects is never taken away whole: that looks like an object that was never written.
"""

import argparse
import http.client
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.cases import Cases, eventually
from black_box.server import Server, scratch_folder
from black_box.wire import ApiError, Wire, b64

STREAM = "rot"
SHARDS = 3
SETTLING = ["--journal-file-bytes", "1MiB", "--settle-at-bytes", "128KiB", "--settle-after-ms", "50", "--loops", "2"]
RESTING = ["--journal-file-bytes", "1MiB", "--settle-at-bytes", "256MiB", "--settle-after-ms", "3600000", "--loops", "2"]
START_SECONDS = 20


class Folder:
    """A filled data folder and what was acknowledged: shard -> {sequence number: (key, data)}."""

    def __init__(self, binary, path, how):
        self.path, self.how = path, how
        self.acknowledged = {}
        self.last_data = None
        with Server(binary, path, flags=SETTLING) as server:
            server.start()
            wire = Wire(server.endpoint)
            wire.call("CreateStream", StreamName=STREAM, ShardCount=SHARDS)
            wire.wait_active(STREAM)
            dice = random.Random(how)
            for _ in range(12):
                self._put(wire, dice, 150)
                time.sleep(0.06)
            wire.call("SplitShard", StreamName=STREAM, ShardToSplit="0", NewStartingHashKey="9" * 37)
            wire.wait_active(STREAM)
            self._put(wire, dice, 150)
            eventually(lambda: any("segment" in name for name in files_of(path)), 20, "records settle into segments")
            server.stop()
            server.flags = RESTING
            server.start()
            wire = Wire(server.endpoint)
            for _ in range(5):
                self._put(wire, dice, 80)
            self._put(wire, dice, 1)
            self.last_data = self._latest
            if how == "stopped":
                server.stop()
            else:
                server.kill9()

    def _put(self, wire, dice, count):
        records = [(f"key-{dice.randrange(50)}", os.urandom(8).hex().encode() * dice.randint(1, 60)) for _ in range(count)]
        answer = wire.call("PutRecords", StreamName=STREAM, Records=[{"PartitionKey": key, "Data": b64(data)}
                                                                     for key, data in records])
        assert answer["FailedRecordCount"] == 0, answer
        for record, result in zip(records, answer["Records"]):
            self.acknowledged.setdefault(result["ShardId"], {})[int(result["SequenceNumber"])] = record
        self._latest = records[-1][1]

    def count(self):
        return sum(len(records) for records in self.acknowledged.values())


def files_of(folder):
    found = []
    for parent, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names]
    return sorted(found)


def kind_of(name):
    """Names that differ in numbers alone are of one kind."""
    return re.sub(r"[0-9a-f]*[0-9][0-9a-f]*", "#", name)


class Damage:
    def __init__(self, name, what, at, bit=0):
        self.name, self.what, self.at, self.bit = name, what, at, bit

    def __str__(self):
        where = {"flip": f"bit {self.bit} of byte {self.at} flipped in", "cut": f"cut to {self.at} bytes:", "gone": "gone:"}
        return f"{where[self.what]} {self.name}"

    def apply(self, folder):
        path = os.path.join(folder, self.name)
        if self.what == "gone":
            os.remove(path)
        elif self.what == "cut":
            os.truncate(path, self.at)
        else:
            with open(path, "r+b") as file:
                file.seek(self.at)
                byte = file.read(1)[0]
                file.seek(self.at)
                file.write(bytes([byte ^ 1 << self.bit]))


def damages_of(folder, dice, trials):
    """The certain ones, then random ones up to `trials`."""
    certain, kinds = [], {}
    for name in files_of(folder.path):
        with open(os.path.join(folder.path, name), "rb") as file:
            content = file.read()
        if content:
            kinds.setdefault(kind_of(name), []).append((name, content))
        at = content.find(folder.last_data)
        if at >= 0:  # the last acknowledged record, if it is stored as it is
            for where in (at - 1, at, at + len(folder.last_data) - 1, at - 30):
                certain.append(Damage(name, "flip", where, dice.randrange(8)))
            certain += [Damage(name, "cut", at), Damage(name, "cut", at + len(folder.last_data) - 1)]
    if not certain:
        raise AssertionError("the last acknowledged record is not found in the folder as it was sent")
    for kind in sorted(kinds):
        name, content = kinds[kind][-1]
        certain += [Damage(name, "flip", 0, dice.randrange(8)), Damage(name, "flip", len(content) - 1, dice.randrange(8)),
                    Damage(name, "cut", 0), Damage(name, "cut", len(content) - 1)]
        certain.append(Damage(kinds[kind][0][0], "gone", 0))
    while len(certain) < trials:
        name, content = dice.choice(kinds[dice.choice(sorted(kinds))])
        # Preallocated zeros are most of a journal: damage there says little.
        used = len(content.rstrip(b"\0")) or len(content)
        at = dice.randrange(used)
        certain.append(Damage(name, "cut", at) if dice.random() < 0.35 else Damage(name, "flip", at, dice.randrange(8)))
    return certain


class Wrong(Exception):
    pass


def names(text, damage):
    """Whether a log or report names the damaged file, and a place in it where a bit was flipped."""
    if damage.what == "gone":  # what pointed to it may be what is found wrong
        return os.path.basename(damage.name) in text or bool(re.search(r"(log|control|keys)/[^ ]*\w", text))
    base = os.path.basename(damage.name)
    rows = [row for row in text.splitlines() if base in row]
    return any(damage.what != "flip" or re.search(r"\d", row.replace(base, "")) for row in rows)


def read_back(server):
    """({shard: {number: (key, data)}}, [what went wrong at which shard])"""
    wire, got, errors = Wire(server.endpoint), {}, []
    try:
        shards = [shard["ShardId"] for shard in wire.shards(STREAM)]
    except (ApiError, OSError, http.client.HTTPException) as error:
        return {}, [f"shards of the stream: {error}"]
    for shard in shards:
        records = got.setdefault(shard, {})
        try:
            for number, key, data in wire.read_shard(STREAM, shard):
                if number in records:
                    raise Wrong(f"{shard}: {number} read twice")
                records[number] = (key, data)
        except (ApiError, OSError, http.client.HTTPException) as error:
            errors.append(f"{shard}: {error}")
    return got, errors


def trial(binary, folder, damage, scratch):
    """Damages a copy, starts, reads. Returns what the server did; Wrong when that breaks the promise."""
    copy = os.path.join(scratch, "copy")
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", folder.path, copy], check=True)
    damage.apply(copy)
    with Server(binary, copy, flags=RESTING) as server:
        open(server.log_path, "w").close()
        server.spawn()
        if not server.wait_healthy(START_SECONDS):
            code = server.exit_code()
            if code is None:
                raise Wrong(f"neither serves nor ends within {START_SECONDS} s: {server.log()[-500:]}")
            if code <= 0:
                raise Wrong(f"ended with {code}: {server.log()[-800:]}")
            if not names(server.log(), damage):
                raise Wrong(f"refused without naming {os.path.basename(damage.name)}: {server.log()[-800:]}")
            return "refused"
        got, errors = read_back(server)
        if server.exit_code() is not None:
            raise Wrong(f"ended with {server.exit_code()} while it was read: {server.log()[-800:]}")
        log = server.log()
    invented = [f"{shard} {number}" for shard, records in got.items() for number, record in records.items()
                if folder.acknowledged.get(shard, {}).get(number) != record]
    if invented:
        raise Wrong(f"{len(invented)} records read that were not acknowledged so: {invented[:3]}")
    missing = folder.count() - sum(len(records) for records in got.values())
    if missing == 0 and not errors:
        return "served all"
    report = subprocess.run([binary, "log", "verify", copy], capture_output=True, text=True, timeout=60, check=False)
    if not errors:
        raise Wrong(f"{missing} of {folder.count()} acknowledged records are missing in silence; verify says "
                    f"{report.returncode}: {(report.stdout + report.stderr)[-500:]!r}; log: {log[-700:]}")
    if report.returncode == 0 or not names(report.stdout + report.stderr, damage):
        raise Wrong(f"reading says {errors[:2]}, but log verify does not name the file (exit {report.returncode}): "
                    f"{(report.stdout + report.stderr)[-800:]}")
    return "answered an error"


def undamaged(cases, binary, folder, scratch):
    with cases.case(f"{folder.how}, undamaged: all {folder.count()} records, and log verify finds nothing"):
        copy = os.path.join(scratch, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", folder.path, copy], check=True)
        report = subprocess.run([binary, "log", "verify", copy], capture_output=True, text=True, timeout=60, check=False)
        assert report.returncode == 0, report.stdout + report.stderr
        with Server(binary, copy, flags=RESTING) as server:
            server.start()
            got, errors = read_back(server)
        assert not errors and got == {**dict.fromkeys(got, {}), **folder.acknowledged}, errors


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server")
    arguments.add_argument("--trials", type=int, default=60, help="of each of the two folders")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = arguments.parse_args()
    cases = Cases(f"rot, seed {options.seed}")
    scratch = scratch_folder("rot")
    dice = random.Random(options.seed)
    counts = {}
    for how in ("stopped", "killed"):
        with cases.case(f"a folder is filled and {how}"):
            folder = Folder(options.server, os.path.join(scratch, how), how)
        if cases.failed and how not in os.listdir(scratch):
            break
        undamaged(cases, options.server, folder, scratch)
        for damage in damages_of(folder, dice, options.trials):
            with cases.case(f"{how}: {damage}"):
                outcome = trial(os.path.abspath(options.server), folder, damage, scratch)
                counts[outcome] = counts.get(outcome, 0) + 1
    if cases.failed:
        print(f"kept: {scratch}")
    else:
        shutil.rmtree(scratch)
    print("rot: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
