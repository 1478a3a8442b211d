#!/usr/bin/python3
"""kill -9, again and again, while clients put at full speed: kill9.py SERVER [--times N] [--seed N] [--encrypted] [--keep].

Producers: two boto3 processes, two of the JavaScript SDK with two lanes each, and one on raw signed HTTP. Between kills
shards are split and merged (with --encrypted, encryption begins, gets new keys and ends too), and the server runs with settings drawn anew, so that settling is under way when it dies.
At the end every shard is read in full and held against what the producers were told.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.cases import Cases, equal, eventually
from black_box.server import Server, scratch_folder
from black_box.wire import ApiError, Wire
from clients import javascript
from crash.history import History

STREAM = "crash"
SHARDS_AT_FIRST = 4
PRODUCERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "producers")
SMALL_LOG = ["--journal-file-bytes", "4MiB", "--settle-at-bytes", "1MiB", "--settle-after-ms", "300"]


class Producer:
    def __init__(self, command, lanes, folder, environment=None):
        self.lanes, self._folder = lanes, folder
        self._offsets = dict.fromkeys(lanes, 0)
        self._errors_path = os.path.join(folder, f"{lanes[0]}.errors")
        with open(self._errors_path, "wb") as errors:
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=errors,
                                             stderr=errors)

    def acknowledged_since(self):
        """Whether each lane has had an answer since the last time that this was true."""
        fresh = {}
        for lane, offset in self._offsets.items():
            try:
                with open(os.path.join(self._folder, f"{lane}.ledger"), "rb") as ledger:
                    ledger.seek(offset)
                    added = ledger.read()
            except FileNotFoundError:
                return False
            if b"\nA " not in added:
                return False
            fresh[lane] = offset + len(added)
        self._offsets = fresh
        return True

    def forget(self):
        for lane in self.lanes:
            self._offsets[lane] = os.path.getsize(os.path.join(self._folder, f"{lane}.ledger"))

    def end(self, seconds=60):
        self._process.terminate()
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"producer {self.lanes} did not end") from None
        with open(self._errors_path, errors="replace") as errors:
            equal(code, 0, f"exit code of producer {self.lanes}: {errors.read()[-1000:]}")

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def start_producers(endpoint, folder):
    python, producers = sys.executable, []
    for lane in ("b0", "b1"):
        producers.append(Producer([python, os.path.join(PRODUCERS, "boto3_producer.py"), endpoint, STREAM, lane, folder],
                                  [lane], folder))
    script = javascript.script(os.path.join(PRODUCERS, "sdk_producer.mjs"))
    for lanes in (["j0", "j1"], ["j2", "j3"]):
        producers.append(Producer(["node", script, endpoint, STREAM, ",".join(lanes), folder], lanes, folder,
                                  javascript.environment()))
    producers.append(Producer([python, os.path.join(PRODUCERS, "wire_producer.py"), endpoint, STREAM, "w0", folder],
                              ["w0"], folder))
    return producers


def open_shards(wire):
    shards = [shard for shard in wire.shards(STREAM) if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    return sorted(shards, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def reshard(endpoint, dice, outcome, encrypted):
    """One split or merge, or one change of encryption; the server may die at any moment of it."""
    wire = Wire(endpoint)
    try:
        shards = open_shards(wire)
        if encrypted and dice.random() < 0.5:
            wire.call("StartStreamEncryption" if dice.random() < 0.7 else "StopStreamEncryption", StreamName=STREAM,
                      EncryptionType="KMS", KeyId="alias/aws/kinesis")
        elif len(shards) > 2 and (len(shards) > 8 or dice.random() < 0.5):
            at = dice.randrange(len(shards) - 1)
            wire.call("MergeShards", StreamName=STREAM, ShardToMerge=shards[at]["ShardId"],
                      AdjacentShardToMerge=shards[at + 1]["ShardId"])
        else:
            shard = dice.choice(shards)
            first, last = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
            wire.call("SplitShard", StreamName=STREAM, ShardToSplit=shard["ShardId"],
                      NewStartingHashKey=str((first + last) // 2))
        outcome.append("done")
    except ApiError as error:
        # The one before it may still be under way.
        busy = error.answer.status >= 500 or error.answer.json["__type"] == "ResourceInUseException"
        outcome.append("refused" if busy else f"unexpected: {error}")
    except Exception:  # the server died under it
        outcome.append("cut off")
    finally:
        wire.close()


class Chaos:
    def __init__(self, cases, binary, scratch, times, seed, encrypted):
        self.encrypted = encrypted
        self.cases, self.dice, self.times = cases, random.Random(seed), times
        self.ledgers = os.path.join(scratch, "ledgers")
        os.mkdir(self.ledgers)
        self.server = Server(binary, os.path.join(scratch, "data"), flags=SMALL_LOG)
        self.producers = []
        self.reshards, self.killed_starting, self.slowest_start = [], 0, 0.0

    def run(self):
        self.server.start()
        wire = Wire(self.server.endpoint)
        wire.call("CreateStream", StreamName=STREAM, ShardCount=SHARDS_AT_FIRST)
        wire.wait_active(STREAM)
        if self.encrypted:
            wire.call("StartStreamEncryption", StreamName=STREAM, EncryptionType="KMS", KeyId="alias/aws/kinesis")
            wire.wait_active(STREAM)
        self.producers = start_producers(self.server.endpoint, self.ledgers)
        for kill in range(1, self.times + 1):
            self._serve_then_kill(kill)
        self._start()
        self._await_progress()
        for producer in self.producers:
            producer.end()

    def _serve_then_kill(self, kill):
        self._await_progress()
        resharding = None
        if kill % 2 == 0:
            resharding = threading.Thread(target=reshard, args=(self.server.endpoint, random.Random(self.dice.random()),
                                                                self.reshards, self.encrypted))
            resharding.start()
        time.sleep(self.dice.uniform(0.0, 0.8))
        if self.server.exit_code() is not None:
            raise AssertionError(f"the server ended by itself with {self.server.exit_code()}: "
                                 f"{self.server.log()[-2000:]}")
        self.server.kill9()
        if resharding:
            resharding.join()
        for producer in self.producers:
            producer.forget()
        if self.dice.random() < 0.2:  # once more while it recovers
            self._settings()
            self.server.spawn()
            time.sleep(self.dice.uniform(0.0, 0.15))
            self.server.kill9()
            self.killed_starting += 1
        if kill < self.times:
            self._start()
        if kill % 10 == 0:
            self.cases.line(f"      {kill} kills")

    def _settings(self):
        self.server.flags = [*(SMALL_LOG if self.dice.random() < 0.7 else []), "--loops",
                             str(self.dice.choice((1, 2, 2, 3)))]

    def _start(self):
        self._settings()
        began = time.monotonic()
        self.server.start()
        self.slowest_start = max(self.slowest_start, time.monotonic() - began)

    def _await_progress(self):
        eventually(lambda: all(producer.acknowledged_since() for producer in self.producers), 60,
                   "every producer acknowledged")

    def read_all(self):
        history = History(self.ledgers)
        wire = Wire(self.server.endpoint)
        shards = wire.shards(STREAM)
        for shard in shards:
            history.seen(int(shard["ShardId"][8:]), wire.read_shard(STREAM, shard["ShardId"]))
        return history, shards


def verdict(cases, chaos):
    history, shards = chaos.read_all()
    lost = history.lost()
    done = chaos.reshards.count("done")
    cases.line(f"kill9: {chaos.times} kills, {chaos.killed_starting} more while starting; {done} reshards; "
               f"{history.acknowledged:,} records acknowledged, {len(lost)} lost, {len(history.disordered)} out of order, "
               f"{len(history.never_sent)} never sent, {len(history.doubled)} doubled; {history.unacknowledged_found:,} "
               f"found that were not acknowledged; {len(shards)} shards; slowest start {chaos.slowest_start:.2f} s")
    for what, wrong in [
        ("no acknowledged record is lost", lost),
        ("records are read where and as what they were acknowledged", history.misplaced),
        ("records are in order: of acknowledgement, and in each shard", history.disordered),
        ("no record is read that was never sent", history.never_sent),
        ("no record is there twice", history.doubled),
        ("producers were told only what they may be told", history.unexpected),
        ("reshards ended in ways that they may", [text for text in chaos.reshards if text.startswith("unexpected")]),
    ]:
        with cases.case(what):
            equal((len(wrong), wrong[:5]), (0, []))
    with cases.case("the run meant something: every lane acknowledged, something resharded"):
        assert history.acknowledged > 100 * chaos.times and history.read >= history.acknowledged
        assert done > 0 or chaos.times < 10, chaos.reshards
    with cases.case("a clean stop, and `log verify` finds nothing wrong"):
        equal(chaos.server.stop(), 0, "exit code")
        checked = subprocess.run([chaos.server.binary, "log", "verify", chaos.server.data], capture_output=True,
                                 text=True, timeout=300, check=False)
        equal(checked.returncode, 0, (checked.stdout + checked.stderr)[-2000:])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server")
    arguments.add_argument("--times", type=int, default=15)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments.add_argument("--encrypted", action="store_true", help="with encryption that begins, changes and ends")
    arguments.add_argument("--keep", action="store_true", help="keep the data folder and ledgers")
    options = arguments.parse_args()
    cases = Cases(f"kill9, seed {options.seed}")
    scratch = scratch_folder("kill9")
    chaos = Chaos(cases, options.server, scratch, options.times, options.seed, options.encrypted)
    try:
        try:
            chaos.run()
        finally:
            for producer in chaos.producers:
                producer.kill()
        verdict(cases, chaos)
    except Exception:
        with cases.case(f"{options.times} kills"):
            raise
    finally:
        chaos.server.kill9()
    if cases.failed or options.keep:
        print(f"kept: {scratch}")
    else:
        shutil.rmtree(scratch)
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
