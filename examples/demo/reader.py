"""examples/demo/reader.py ENDPOINT STREAM: reads every shard with boto3, from the oldest record on.

Lines on stdin: first {"begin_us":…}; at the end the producer's last line, after which it waits for what was
acknowledged and has not come yet. Prints a JSON line each second, and the verdict as the last.
"""
import json
import queue
import sys
import threading
import time

import boto3
from botocore.config import Config

POLL_SECONDS = 0.02
DRAIN_SECONDS = 20
STAMP_BYTES = 48  # bench/load/stamp.h has the layout


class Received:
    """What came, of which lane, in which order, how old."""

    def __init__(self):
        self.lock = threading.Lock()
        self.lanes: dict[int, set[int]] = {}
        self.last: dict[tuple[str, int], int] = {}
        self.records = self.bytes = self.duplicated = self.out_of_order = self.foreign = 0
        self.ages_us: list[int] = []  # of this second

    def add(self, shard: str, records: list[dict]) -> None:
        now_us = int(time.time() * 1e6)
        with self.lock:
            for record in records:
                data = record["Data"]
                try:
                    stamp = json.loads(data[:STAMP_BYTES - 1] + b"}")
                    lane, sequence, due_us = stamp["p"], stamp["n"], stamp["t"]
                except (ValueError, KeyError):
                    self.foreign += 1
                    continue
                self.records += 1
                self.bytes += len(data)
                self.ages_us.append(now_us - due_us)
                seen = self.lanes.setdefault(lane, set())
                if sequence in seen:
                    self.duplicated += 1
                    continue
                seen.add(sequence)
                # A lane sends in order, so within a shard its records must rise.
                if sequence < self.last.get((shard, lane), -1):
                    self.out_of_order += 1
                self.last[shard, lane] = sequence


def read_shard(client, stream: str, shard: str, received: Received, stop: threading.Event) -> None:
    iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard,
                                         ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while iterator and not stop.is_set():
        answer = client.get_records(ShardIterator=iterator)
        received.add(shard, answer["Records"])
        iterator = answer.get("NextShardIterator")
        if not answer["MillisBehindLatest"]:
            time.sleep(POLL_SECONDS)


def second_line(second: int, received: Received, before: tuple[int, int]) -> tuple[int, int]:
    with received.lock:
        ages, received.ages_us = sorted(received.ages_us), []
        now = (received.records, received.bytes)
    quantile = lambda q: ages[min(len(ages) - 1, int(q * len(ages)))] if ages else 0  # noqa: E731
    print(json.dumps({"second": second, "out": now[0] - before[0], "out_bytes": now[1] - before[1],
                      "p50_us": quantile(0.5), "p99_us": quantile(0.99), "max_us": ages[-1] if ages else 0}), flush=True)
    return now


def verdict(received: Received, producer: dict) -> dict:
    lost = never_sent = 0
    for lane, sent in enumerate(producer["sent"]):
        seen = received.lanes.get(lane, set())
        unknown = set(producer["unacknowledged"][lane])
        lost += sum(1 for sequence in range(sent) if sequence not in seen and sequence not in unknown)
        never_sent += sum(1 for sequence in seen if sequence >= sent)
    never_sent += sum(len(seen) for lane, seen in received.lanes.items() if lane >= len(producer["sent"]))
    return {"attempted": sum(producer["sent"]), "acknowledged": producer["acknowledged"],
            "received": sum(map(len, received.lanes.values())), "lost": lost, "duplicated": received.duplicated,
            "out_of_order": received.out_of_order, "never_sent": never_sent, "foreign": received.foreign}


def main() -> None:
    endpoint, stream = sys.argv[1:]
    client = boto3.client("kinesis", endpoint_url=endpoint, config=Config(max_pool_connections=64))
    received, stop = Received(), threading.Event()
    shards = [shard["ShardId"] for shard in client.list_shards(StreamName=stream)["Shards"]]
    for shard in shards:
        threading.Thread(target=read_shard, args=(client, stream, shard, received, stop), daemon=True).start()
    print(json.dumps({"ready": len(shards)}), flush=True)

    told: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=lambda: [told.put(json.loads(line)) for line in sys.stdin], daemon=True).start()
    begin_us = told.get()["begin_us"]
    producer, drain_end, second, before = None, float("inf"), 0, (0, 0)
    while time.time() < drain_end:
        if producer is not None:
            now = verdict(received, producer)
            if now["lost"] == 0:
                break
        next_second = begin_us / 1e6 + second + 1
        if producer is None:
            try:
                producer = told.get(timeout=max(0, next_second - time.time()))
                drain_end = time.time() + DRAIN_SECONDS
            except queue.Empty:
                pass
        else:
            time.sleep(0.05)
        if time.time() >= next_second:
            second += 1
            before = second_line(second, received, before)
    stop.set()
    result = verdict(received, producer)
    result["clean"] = not any(result[key] for key in ("lost", "duplicated", "out_of_order", "never_sent"))
    print(json.dumps({"verdict": result}), flush=True)


if __name__ == "__main__":
    main()
