"""Floods by clients without credentials, one after the other, and what a well-behaved client sees meanwhile.

The server has its default settings. During each flood puts, control changes and health checks go on; afterwards all is
as before. How fast puts are is compared with a quiet server, and with one that is as busy with requests that are well
behaved: on a machine with two processors a flooder takes its share of them, whatever the server does.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from black_box.server import Server
from black_box.wire import Wire, b64
from hostile.attacker import Target
from hostile.flooder import KINDS

FLOODS = [kind for kind in KINDS if kind != "well-behaved"]
GROWTH_MAX = 150 * 1024 * 1024
HEALTH_S_MAX = 1.0
P50_FACTOR = 2
P50_SLACK_MS = 5  # of a machine that does other things, too
AFTER_S = 5
STREAM = "beside-floods"
FLOODER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flooder.py")


class Beside:
    """Puts, control changes and health checks of a well-behaved client, each on a thread of its own."""

    def __init__(self, server, target):
        self.put_ms, self.control_ms, self.health_ms, self.errors = [], [], [], []
        self.most_bytes = 0
        self._server, self._target = server, target
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=arguments, daemon=True)
                         for arguments in ((self._puts(), self.put_ms, 0.002), (self._control(), self.control_ms, 0.25),
                                           (self._health(), self.health_ms, 0.1))]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, steps, times, pause_s):
        while not self._stop.wait(pause_s):
            began = time.monotonic()
            try:
                next(steps)
            except Exception as error:
                self.errors.append(f"after {time.monotonic() - began:.1f} s: {error!r}"[:300])
                return
            times.append((time.monotonic() - began) * 1e3)

    def _puts(self):
        wire = Wire(self._server.endpoint, timeout=20)
        while True:
            yield wire.call("PutRecord", StreamName=STREAM, PartitionKey="p", Data=b64("beside a flood"))

    def _control(self):
        wire = Wire(self._server.endpoint, timeout=20)
        count = 0
        while True:
            count += 1
            yield wire.call("AddTagsToStream", StreamName=STREAM, Tags={"count": str(count)})

    def _health(self):
        while True:
            self.most_bytes = max(self.most_bytes, self._target.resident_bytes())
            with urllib.request.urlopen(f"{self._server.endpoint}/healthz", timeout=20) as answer:
                assert answer.status == 200
            yield


def watch(server, target, seconds, kind=None):
    """What `Beside` saw in `seconds`, during a flood of that kind or none; (Beside, what the flooder says)."""
    flooder = kind and subprocess.Popen([sys.executable, FLOODER, kind, str(server.port), str(seconds)],
                                        stdout=subprocess.PIPE, text=True)
    with Beside(server, target) as beside:
        if flooder is None:
            time.sleep(seconds)
            return beside, None
        try:
            output, _ = flooder.communicate(timeout=seconds + 60)
        finally:
            flooder.kill()
            flooder.wait()
    return beside, json.loads(output.splitlines()[-1])


def p50(times):
    return statistics.median(times) if times else float("inf")


def p50_ms_max(*watched):
    return P50_FACTOR * max(p50(beside.put_ms) for beside in watched) + P50_SLACK_MS


def flood(cases, server, target, kind, seconds, calm):
    before = target.resident_bytes()
    beside, sent = watch(server, target, seconds, kind)
    most = max(beside.most_bytes, target.resident_bytes())
    cases.line(f"      {kind}: {sent}; {(most - before) / 1e6:+.0f} MB, put p50 {p50(beside.put_ms):.1f} ms, control p50 "
               f"{p50(beside.control_ms):.1f} ms, health max {max(beside.health_ms, default=float('inf')):.0f} ms")
    with cases.case(f"{kind}: it was a flood"):
        assert sent["connections"] > 0 and sent["bytes"] + sent["connections"] > 100, sent
    with cases.case(f"{kind}: puts, control changes and health checks go on"):
        assert not beside.errors, beside.errors
        assert len(beside.put_ms) > seconds and len(beside.control_ms) > seconds / 2, (len(beside.put_ms), len(beside.control_ms))
        assert max(beside.health_ms) <= HEALTH_S_MAX * 1e3, f"/healthz took {max(beside.health_ms):.0f} ms"
        most_ms = p50_ms_max(*calm)
        if p50(beside.put_ms) > most_ms:  # perhaps the machine has become slower since, for other reasons
            most_ms = p50_ms_max(*calm, watch(server, target, 3, "well-behaved")[0])
        assert p50(beside.put_ms) <= most_ms, f"put p50 {p50(beside.put_ms):.1f} ms, over {most_ms:.1f} ms"
    with cases.case(f"{kind}: memory grows by at most {GROWTH_MAX >> 20} MiB"):
        assert most - before <= GROWTH_MAX, f"{(most - before) >> 20} MiB"


def run(cases, binary, folder, seconds):
    with Server(binary, os.path.join(folder, "floods")) as server:
        server.start()
        wire = Wire(server.endpoint)
        wire.call("CreateStream", StreamName=STREAM, ShardCount=2)
        wire.wait_active(STREAM)
        target = Target(server, STREAM)
        watch(server, target, 1)  # what is slow only once
        quiet, _ = watch(server, target, 3)
        busy, _ = watch(server, target, 3, "well-behaved")
        cases.line(f"      put p50: quiet {p50(quiet.put_ms):.1f} ms, busy {p50(busy.put_ms):.1f} ms")
        files_before = target.open_files()
        for kind in FLOODS:
            flood(cases, server, target, kind, seconds, (quiet, busy))
            with cases.case(f"{kind}: the server still stands"):
                assert server.exit_code() is None, f"it ended with {server.exit_code()}: {server.log()[-2000:]}"
        time.sleep(AFTER_S)
        after, _ = watch(server, target, 2)
        with cases.case(f"{AFTER_S} s after the last flood all is normal"):
            cases.line(f"      put p50 {p50(after.put_ms):.1f} ms, {target.open_files() - files_before:+d} files")
            assert not after.errors, after.errors
            assert p50(after.put_ms) <= p50_ms_max(quiet, busy)
            assert target.open_files() <= files_before + 20
        with cases.case("a stream is made and deleted afterwards"):
            wire = Wire(server.endpoint)
            wire.call("CreateStream", StreamName="afterwards", ShardCount=1)
            wire.wait_active("afterwards")
            wire.call("DeleteStream", StreamName="afterwards")
        with cases.case("it ends in order when it is told to"):
            assert server.stop() == 0
