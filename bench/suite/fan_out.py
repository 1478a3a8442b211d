"""(g) Enhanced fan-out: 20 consumers on each of 4 shards, all of it to each; and one more that is slow."""
import threading
import time

from suite.environment import Failure, Millrace, fresh_folder, load, say
from suite.latency import measure_disk
from suite.results import Results, milliseconds, number

SHARDS, CONSUMERS = 4, 20
BYTES_PER_SECOND, RECORD_BYTES = 10_000_000, 1_000
LANES = 8


class Memory:
    """The server's resident memory, once a second while a run lasts."""

    def __init__(self, server: Millrace):
        self.samples = []
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._ended.wait(1):
            self.samples.append(self._server.rss_bytes() / 1e6)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def run(results: Results, options) -> None:
    seconds = options.fan_out_seconds
    rows, unclean = [], []
    for batch, slow in ((25, 0), (100, 0), (500, 0), (100, 1)):
        folder = fresh_folder("fan-out")
        disk = measure_disk()
        # A small tail, so that what grows is seen, and a room for the slow one.
        server = Millrace(folder, ("--consumers-max", CONSUMERS + 1, "--tail-cache-bytes", "64MiB"))
        try:
            load(server.port, "--create", SHARDS)
            # As a server is after its first minute: journal files that were written before, a tail that is full.
            load(server.port, "--put", "replay", "--seconds", 5)
            before, begun = server.cpu_seconds(), time.monotonic()
            with Memory(server) as memory:
                result = load(server.port, "--put", "unique", "--fan-out", CONSUMERS + slow, "--slow", slow, "--rate",
                              BYTES_PER_SECOND / RECORD_BYTES, "--record-bytes", RECORD_BYTES, "--batch", batch,
                              "--connections", LANES, "--seconds", seconds, timeout=seconds + 120)
            cpu = (server.cpu_seconds() - before) / (time.monotonic() - begun)
        finally:
            server.stop()
        results.add("g", batch=batch, slow=slow, seconds=seconds, disk=disk, server_cores=cpu, memory_mb=memory.samples,
                    **result)
        if "end_to_end" not in result.get("get", {}):
            raise Failure(f"(g): nothing came back: {result['errors']}")
        end, verdict = result["get"]["end_to_end"], result["fan_out"]
        third = max(1, len(memory.samples) // 3)
        early, late = memory.samples[third - 1], memory.samples[-1]
        say(f"g: {batch} a request, {slow} slow: p50 {milliseconds(end['p50_us'])} ms, p99 {milliseconds(end['p99_us'])} ms, "
            f"memory {early:.0f} to {late:.0f} MB, {verdict}, errors {result['errors']}")
        rows.append([f"{batch} a request" + (", and one slow" if slow else ""),
                     number(result["put"]["records_per_s"]), f"{result['get']['payload_mb_per_s']:.0f}",
                     *(milliseconds(end[key]) for key in ("p50_us", "p99_us", "p999_us", "max_us")),
                     milliseconds(result["put"]["latency"]["p50_us"]), f"{cpu:.2f}", f"{early:.0f} / {late:.0f}",
                     *(verdict[key] for key in ("lost", "duplicated", "out_of_order")),
                     f"{milliseconds(disk['p50_us'])} / {milliseconds(disk['p99_us'])}"])
        if not verdict["clean"]:
            unclean.append((batch, slow))
    results.table(f"g: {CONSUMERS} consumers on each of {SHARDS} shards, {BYTES_PER_SECOND / 1e6:.0f} MB/s in for {seconds:.0f} "
                  "s; put to event in ms, from when the put was due; consumers, generator and server on the same cores",
                  ["load", "acknowledged/s", "MB/s out", "p50", "p99", "p99.9", "max", "put p50", "server cores",
                   "memory MB at a third / end", "lost", "duplicated", "out of order", "the disk alone p50 / p99"], rows)
    if unclean:
        raise Failure(f"(g): records lost, doubled or misplaced at {unclean}")
