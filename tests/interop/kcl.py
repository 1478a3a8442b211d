"""KCL for real: three workers on eight shards, killed and added, while shards are split and merged under them.

What must hold: every record is processed; per key, in a shard, in order; every closed shard is read to its end before
its children begin; and the leases of a killed worker move within KCL's own fail-over time.
"""

import collections
import os
import shutil
import subprocess
import threading
import time
import uuid

from black_box.cases import Skip, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from black_box.wire import Wire, b64

HERE = os.path.dirname(os.path.abspath(__file__))
FAILOVER_MS = 4_000
KEYS = 40


class Worker:
    """A JVM with one KCL worker; `lines` are what it told, each with the time."""

    def __init__(self, jar, endpoint, stream, application, name, mode, log):
        self.name = name
        self.lines = []
        self._process = subprocess.Popen(
            ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
             "-Dorg.slf4j.simpleLogger.showDateTime=true",
             "-jar", jar, endpoint, stream, application, name, mode, str(FAILOVER_MS)],
            stdout=subprocess.PIPE, stderr=open(log, "wb"), text=True,
            env={**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                 "AWS_REGION": REGION})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append((time.monotonic(), line.split()))

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join()

    def told(self, *what):
        return [(at, words) for at, words in list(self.lines) if words and words[0] in what]


class Producer(threading.Thread):
    """Puts numbered records of each key in turn, until told to stop."""

    def __init__(self, endpoint, stream):
        super().__init__(daemon=True)
        self._wire, self._stream = Wire(endpoint), stream
        self.put = collections.defaultdict(int)  # by key: numbers 0 to n - 1 were acknowledged
        self.failure = None
        self._done = threading.Event()

    def run(self):
        try:
            while not self._done.wait(0.2):
                for key in range(KEYS):
                    name = f"key-{key}"
                    answer = self._wire.call("PutRecord", StreamName=self._stream, PartitionKey=name,
                                             Data=b64(str(self.put[name])))
                    assert answer["SequenceNumber"]
                    self.put[name] += 1
        except Exception as failure:
            self.failure = failure

    def stop(self):
        self._done.set()

    def finish(self):
        self.stop()
        self.join()
        if self.failure is not None:
            raise self.failure


def processed(workers):
    """By key, the numbers seen; and by shard and worker session, whether each key's numbers only grew."""
    seen = collections.defaultdict(set)
    disorder = []
    for worker in workers:
        last = {}
        for _, words in list(worker.lines):
            if words[:1] == ["START"]:
                last = {k: v for k, v in last.items() if k[0] != words[1]}
            if words[:1] != ["R"]:
                continue
            _, shard, key, value = words
            if int(value) <= last.get((shard, key), -1):
                disorder.append((worker.name, shard, key, last[shard, key], int(value)))
            last[shard, key] = int(value)
            seen[key].add(int(value))
    return seen, disorder


def all_processed(workers, producer):
    seen, _ = processed(workers)
    return all(seen[key] >= set(range(count)) for key, count in producer.put.items())


def first_seen_in_order(workers):
    """The keys whose numbers were first seen, by all workers together, out of order."""
    events = sorted((at, words) for worker in workers for at, words in worker.told("R"))
    highest = collections.defaultdict(lambda: -1)
    wrong = []
    for _, (_, _, key, value) in events:
        number = int(value)
        if number > highest[key] + 1:
            wrong.append((key, highest[key], number))
        highest[key] = max(highest[key], number)
    return wrong


def closed_shards(shards):
    return {s["ShardId"] for s in shards if "EndingSequenceNumber" in s["SequenceNumberRange"]}


def split(wire, stream, shard):
    low, high = (int(shard["HashKeyRange"][k]) for k in ("StartingHashKey", "EndingHashKey"))
    wire.call("SplitShard", StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2 + 1))
    wire.wait_active(stream)


def merge(wire, stream, shard, adjacent):
    wire.call("MergeShards", StreamName=stream, ShardToMerge=shard["ShardId"], AdjacentShardToMerge=adjacent["ShardId"])
    wire.wait_active(stream)


def flow(cases, endpoint, jar, mode, scratch):
    wire = Wire(endpoint)
    if mode == "fanout" and b"UnknownOperation" in wire.post("ListStreamConsumers", {"StreamARN": "x"}).body:
        with cases.case("fanout: consumers with a throughput of their own"):
            raise Skip("this server has no SubscribeToShard")
        return
    stream = f"kcl-{uuid.uuid4().hex[:8]}"
    application = f"app-{uuid.uuid4().hex[:8]}"
    wire.call("CreateStream", StreamName=stream, ShardCount=8)
    wire.wait_active(stream)
    first_shards = {s["ShardId"] for s in wire.shards(stream)}
    workers = []

    def start(name):
        workers.append(Worker(jar, endpoint, stream, application, name, mode, os.path.join(scratch, f"{stream}-{name}.log")))

    # One that only makes the leases' table: a worker of KCL 3 that finds its index in the making fails its start, tries
    # again, and then neither gets leases nor, as the leader, gives any.
    with cases.case(f"{mode}: a worker makes its application's table"):
        first = Worker(jar, endpoint, stream, application, "first", mode, os.path.join(scratch, f"{stream}-first.log"))
        try:
            eventually(lambda: first.told("START"), 300, "the first worker has begun")
        finally:
            first.kill()
    wire.close()  # it has idled for longer than the server keeps a connection

    producer = Producer(endpoint, stream)
    producer.start()
    try:
        with cases.case(f"{mode}: three workers share eight shards"):
            for name in ("a", "b", "c"):
                start(name)
            eventually(lambda: {w[1] for worker in workers for _, w in worker.told("START")} >= first_shards, 240,
                       "every shard has begun")
            eventually(lambda: all(worker.told("R") for worker in workers), 240, "every worker processes records")
        with cases.case(f"{mode}: shards are split and merged under way"):
            wire.close()  # after minutes without a request the server has ended its connection
            shards = [s for s in wire.shards(stream) if s["ShardId"] in first_shards]
            shards.sort(key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))
            split(wire, stream, shards[0])
            merge(wire, stream, shards[3], shards[4])
        with cases.case(f"{mode}: the leases of a killed worker move within KCL's fail-over time"):
            ended = closed_shards(wire.shards(stream))
            victim = eventually(lambda: next((w for w in workers if held(w) - ended), None), 60, "a worker holds an open shard")
            lost = held(victim) - ended
            at = time.monotonic()
            victim.kill()
            others = [w for w in workers if w is not victim]
            # A lease has expired after fail-over time, and who leads looks each twice that, and may first have to be
            # found. The leader of KCL 3 gives leases to the dead too, while their last metrics are younger than twice the
            # 30 s after which workers report them (MigrationAwareLAMDataManager's workerMetricsExpiryDuration).
            allowed_s = 60 + 10 * FAILOVER_MS / 1000
            eventually(lambda: {w[1] for o in others for t, w in o.told("START") if t > at} >= lost, allowed_s,
                       f"shards {sorted(lost)} begin elsewhere")
            print(f"    {len(lost)} leases moved within {time.monotonic() - at:.1f} s", flush=True)
        with cases.case(f"{mode}: a worker that is added takes its share"):
            start("d")
            wire.close()
            split(wire, stream, next(s for s in wire.shards(stream)
                                     if "EndingSequenceNumber" not in s["SequenceNumberRange"]))
            eventually(lambda: workers[-1].told("R"), 150, "the new worker processes records")
        with cases.case(f"{mode}: every record is processed, each shard to its end"):
            time.sleep(5)
            producer.finish()
            wire.close()
            eventually(lambda: all_processed(workers, producer), 120, "all records are processed")
            eventually(lambda: closed_shards(wire.shards(stream)) <=
                       {w[1] for worker in workers for _, w in worker.told("END")}, 90, "each closed shard ends")
            print(f"    {sum(producer.put.values())} records of {len(producer.put)} keys", flush=True)
        with cases.case(f"{mode}: in order per key"):
            _, disorder = processed(workers)
            assert not disorder, disorder[:5]
            assert not first_seen_in_order(workers), first_seen_in_order(workers)[:5]
        with cases.case(f"{mode}: no worker saw a failure"):
            failures = [w for worker in workers for _, w in worker.told("FAILED")]
            assert not failures, failures[:3]
    finally:
        for worker in workers:
            worker.stop()


def held(worker):
    """The shards that a worker has begun and neither lost nor ended."""
    shards = set()
    for _, words in list(worker.lines):
        if words[:1] == ["START"]:
            shards.add(words[1])
        if words[:1] in (["LOST"], ["END"]):
            shards.discard(words[1])
    return shards


def build(target, version, installed):
    """The jar, built by Maven with that version of KCL."""
    shutil.copytree(os.path.join(HERE, "kcl1" if version.startswith("1.") else "kcl"), target, dirs_exist_ok=True)
    installed(["mvn", "-q", "-B", f"-Dkcl.version={version}", "package"], cwd=target)
    return os.path.join(target, "target", "kcl.jar")
