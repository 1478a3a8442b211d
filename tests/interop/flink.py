"""A Flink job on its Kinesis connector: from a stream, through state kept by key, to another stream, while a shard is split
and the job fails once.

What must hold: each shard in order; each record counted once, whatever the failure; and all of it written to the sink,
which may hold some of it twice.
"""

import collections
import os
import shutil
import subprocess
import threading
import time
import uuid

import kcl
from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from black_box.wire import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = {"polling": "FlinkKinesisConsumer, polling", "efo": "FlinkKinesisConsumer, enhanced fan-out",
         "source": "KinesisStreamsSource"}


def build(target, installed):
    """The jar of the job, built by Maven."""
    shutil.copytree(os.path.join(HERE, "flink"), target, dirs_exist_ok=True)
    installed(["mvn", "-q", "-B", "package"], cwd=target)
    return os.path.join(target, "target", "flink.jar")


class Job:
    """The process of the job; `told` is what it printed."""

    def __init__(self, jar, endpoint, streams, mode, log):
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.lang", "java.util", "java.time")]
        self.told = []
        self._process = subprocess.Popen(
            ["java", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *opened, "-jar", jar, endpoint, *streams, mode],
            stdout=subprocess.PIPE, stderr=open(log, "wb"), text=True,
            env={**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": REGION})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self.told.append(line.strip())

    def runs(self):
        return self._process.poll() is None

    def kill(self):
        self._process.kill()
        self._process.wait()


def written(wire, stream):
    """By key, the numbers in the sink and the counts in it."""
    numbers, counts = collections.defaultdict(set), collections.defaultdict(set)
    for shard in wire.shards(stream):
        for _, key, data in wire.read_shard(stream, shard["ShardId"]):
            own_key, number, count = data.decode().split()
            equal(key, own_key, "partition key of the sink")
            numbers[key].add(int(number))
            counts[key].add(int(count))
    return numbers, counts


def flow(cases, endpoint, jar, mode, scratch):
    wire = Wire(endpoint)
    streams = [f"flink-{name}-{uuid.uuid4().hex[:8]}" for name in ("in", "out")]
    for stream in streams:
        wire.call("CreateStream", StreamName=stream, ShardCount=2)
        wire.wait_active(stream)
    producer = kcl.Producer(endpoint, streams[0])
    producer.start()
    job = Job(jar, endpoint, streams, mode, os.path.join(scratch, f"{streams[0]}.log"))
    name = MODES[mode]
    try:
        with cases.case(f"{name}: a job begins, takes a checkpoint, fails, and goes on from it"):
            eventually(lambda: "RESTORED" in job.told, 120, f"the job goes on after its failure; told: {job.told[-5:]}")
        with cases.case(f"{name}: a shard is split under way"):
            wire.close()  # it has idled for longer than the server keeps a connection
            kcl.split(wire, streams[0], wire.shards(streams[0])[0])
            split_at = dict(producer.put)
            time.sleep(5)
            producer.finish()
            assert any(producer.put[key] > put for key, put in split_at.items()), "nothing was put behind the split"
        with cases.case(f"{name}: every record is in the sink, counted once"):
            put = dict(producer.put)
            deadline = time.monotonic() + 90
            numbers, counts = written(wire, streams[1])
            while time.monotonic() < deadline and job.runs() and any(len(numbers[key]) < put[key] for key in put):
                time.sleep(1)
                numbers, counts = written(wire, streams[1])
            for key, count in put.items():
                equal(numbers[key], set(range(count)), f"numbers of {key}")
                equal(counts[key], set(range(1, count + 1)), f"counts of {key}")
            equal(sorted(numbers), sorted(put), "keys")
            print(f"    {sum(put.values())} records of {len(put)} keys", flush=True)
        with cases.case(f"{name}: each shard was read in order, and the job failed once only"):
            assert job.runs(), job.told
            assert not [line for line in job.told if line.startswith("DISORDER")], job.told
            equal(job.told.count("FAILS"), 1)
    finally:
        producer.stop()
        job.kill()
