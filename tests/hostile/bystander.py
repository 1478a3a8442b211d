#!/usr/bin/python3
"""A well-behaved client: bystander.py ENDPOINT STREAM. Puts and reads until its input ends, then prints what it saw.

The last line is JSON: {"calls", "errors", "put", "read", "p50_ms", "p99_ms", "max_ms"}; "errors" lists the first ones.
It has the access of black_box/server.py. A call that fails is not tried again: it was to be answered.
"""

import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.wire import Wire, b64

PAUSE_S = 0.02


class Bystander:
    def __init__(self, endpoint, stream):
        self._wire = Wire(endpoint, timeout=30)
        self._stream = stream
        self._times = []
        self.errors = []
        self.put = []
        self.read = []
        shard = self._wire.shards(stream)[0]["ShardId"]
        self._iterator = self._wire.call("GetShardIterator", StreamName=stream, ShardId=shard,
                                         ShardIteratorType="LATEST")["ShardIterator"]

    def _call(self, operation, **request):
        began = time.monotonic()
        try:
            return self._wire.call(operation, **request)
        except Exception as error:
            self.errors.append(f"{operation} after {time.monotonic() - began:.1f} s: {error!r}"[:500])
            return None
        finally:
            self._times.append(time.monotonic() - began)

    def step(self):
        text = f"event-{len(self.put)}"
        if self._call("PutRecord", StreamName=self._stream, PartitionKey="bystander", Data=b64(text)):
            self.put.append(text)
        self._read()

    def _read(self):
        page = self._call("GetRecords", ShardIterator=self._iterator)
        if page:
            self._iterator = page["NextShardIterator"]
            self.read += [record["Data"] for record in page["Records"]]
        return page

    def drain(self):
        for _ in range(100):
            page = self._read()
            if page and not page["Records"] and page["MillisBehindLatest"] == 0:
                return

    def summary(self):
        times = sorted(self._times)
        return {"calls": len(times), "errors": self.errors[:5], "error_count": len(self.errors),
                "put": len(self.put), "read": len(self.read),
                "in_order": self.read == [b64(text) for text in self.put],
                "p50_ms": times[len(times) // 2] * 1e3, "p99_ms": times[len(times) * 99 // 100] * 1e3,
                "max_ms": times[-1] * 1e3}


def main():
    bystander = Bystander(sys.argv[1], sys.argv[2])
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    print("ready", flush=True)
    while not done.wait(PAUSE_S):
        bystander.step()
    bystander.drain()
    print(json.dumps(bystander.summary()), flush=True)


if __name__ == "__main__":
    main()
