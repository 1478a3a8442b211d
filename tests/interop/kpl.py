"""The KPL with its native daemon, aggregating, at full speed over TLS: what it was told to be acknowledged is all read, by a
de-aggregator of our own and by KCL."""

import collections
import os
import re
import shutil
import subprocess
import time
import uuid

import aggregation
import kcl
from black_box.cases import Skip, equal
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from black_box.wire import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDS, KEYS, DATA_BYTES = 200_000, 500, 150


def build(target, installed):
    """The jar of the producer, built by Maven."""
    shutil.copytree(os.path.join(HERE, "kpl"), target, dirs_exist_ok=True)
    installed(["mvn", "-q", "-B", "package"], cwd=target)
    return os.path.join(target, "target", "kpl.jar")


def produced(jar, server, stream, scratch):
    """(what the producer told, the names that were acknowledged to it)"""
    names = os.path.join(scratch, f"{stream}.acknowledged")
    done = subprocess.run(
        ["java", "-Xmx256m", "-XX:+UseSerialGC", "-Djava.io.tmpdir=" + scratch, "-jar", jar, str(server.port), stream, str(RECORDS),
         str(KEYS), str(DATA_BYTES), names], env={**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                                                  "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": REGION},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=560, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    with open(names, encoding="utf-8") as lines:
        return done.stdout, lines.read().split()


def named(data):
    """The name "KEY/n" of a user record's data "KEY/n/xxx"."""
    return data.rpartition("/")[0]


def read_by_us(wire, stream):
    """How often each name is in the stream, and of how many records of the stream they are."""
    seen, records = collections.Counter(), 0
    for shard in wire.shards(stream):
        for _, key, data in wire.read_shard(stream, shard["ShardId"]):
            records += 1
            for own_key, own_data in aggregation.user_records(key, data):
                name = named(own_data.decode())
                equal(own_key, name.partition("/")[0], "partition key")
                equal(len(own_data), len(name) + 1 + DATA_BYTES, "bytes")
                seen[name] += 1
    return seen, records


def flow(cases, server, jar, kcl_jar, scratch):
    wire = Wire(server.endpoint)
    stream = f"kpl-{uuid.uuid4().hex[:8]}"
    wire.call("CreateStream", StreamName=stream, ShardCount=4)
    wire.wait_active(stream)
    acknowledged = []
    with cases.case("every record is acknowledged"):
        told, acknowledged = produced(jar, server, stream, scratch)
        rate = re.search(r"^RATE (\S+) (\S+)$", told, re.MULTILINE)
        assert "FAILURES 0" in told, told[-3000:]
        equal(len(acknowledged), RECORDS)
        print(f"    {RECORDS} records of {DATA_BYTES} bytes in {rate[2]} s: {rate[1]} a second", flush=True)
    with cases.case("all that is acknowledged is read and de-aggregated by a reader of our own"):
        seen, records = read_by_us(wire, stream)
        missing = set(acknowledged) - set(seen)
        assert acknowledged and not missing, sorted(missing)[:5]
        assert records * 10 < RECORDS, f"{records} records of the stream: not aggregated"
        print(f"    in {records} records of the stream, {seen.total() - len(seen)} twice", flush=True)
    with cases.case("its metrics are there"):
        answer = wire.exchange(headers={"content-type": "application/x-www-form-urlencoded"}, service="monitoring",
                               body=b"Action=ListMetrics&Version=2010-08-01&Namespace=KinesisProducerLibrary")
        assert b"UserRecordsPut" in answer.body, answer
    with cases.case("all that is acknowledged is de-aggregated by KCL"):
        if kcl_jar is None:
            raise Skip("no KCL")
        # The same port takes clear text.
        worker = kcl.Worker(kcl_jar, server.endpoint.replace("https", "http"), stream, f"app-{stream}", "a", "polling",
                            os.path.join(scratch, f"{stream}-kcl.log"))
        try:
            names = lambda: {named(words[3]) for _, words in worker.told("R")}
            deadline = time.monotonic() + 300
            while len(names()) < len(acknowledged) and time.monotonic() < deadline:
                time.sleep(2)
            missing = set(acknowledged) - names()
            assert acknowledged and not missing, (len(missing), sorted(missing)[:5])
            assert all(named(words[3]).partition("/")[0] == words[2] for _, words in worker.told("R")), "keys"
        finally:
            worker.stop()
