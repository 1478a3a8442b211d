"""(c) How old a record is when a consumer has it, beside how long a write waits for the disk alone."""
import os
import time

from suite.environment import DATA, Failure, Millrace, fresh_folder, load, say, tool
from suite.results import Results, milliseconds, number

SHARDS, POLL_MS = 8, 2
LANES = 8
BYTES_A_RECORD = 170  # as the journal has it
# Where the file system is mounted with `discard`, the disk works on the folder that was removed a moment ago.
DISCARDED_S = 3
DISK_S = 10


def measure_disk(requests_per_s: float = 100, request_bytes: int = 128 * 1024) -> dict:
    """How long requests wait that are only written and flushed, from when each is due."""
    os.sync()
    time.sleep(DISCARDED_S)
    return tool("fdatasync", DATA / "fdatasync.tmp", request_bytes, DISK_S, requests_per_s)


def run(results: Results, options) -> None:
    rows = []
    lost_any = []
    # Requests of 500 at a time, and of fewer, more often: what producers that cannot wait to fill one do.
    for rate, batch, seconds in ((50_000, 500, options.latency_seconds), (50_000, 100, 10), (200_000, 500, 10)):
        folder = fresh_folder("latency")
        disk = measure_disk(rate / batch, batch * BYTES_A_RECORD)
        server = Millrace(folder)
        try:
            load(server.port, "--create", SHARDS)
            before = server.cpu_seconds()
            result = load(server.port, "--put", "unique", "--get", "tip", "--rate", rate, "--batch", batch, "--connections",
                          LANES, "--seconds", seconds, "--poll-ms", POLL_MS, "--get-connections", 4,
                          timeout=seconds + 120)
            cpu = (server.cpu_seconds() - before) / seconds
        finally:
            server.stop()
        results.add("c", rate=rate, batch=batch, seconds=seconds, disk=disk, server_cores=cpu, **result)
        if "put" not in result or "end_to_end" not in result.get("get", {}):
            raise Failure(f"(c) at {rate}/s: nothing came back: {result['errors']}")
        end, verdict = result["get"]["end_to_end"], result["verdict"]
        say(f"c: {rate}/s in requests of {batch}: p50 {milliseconds(end['p50_us'])} ms, p99 {milliseconds(end['p99_us'])} ms, "
            f"disk alone p99 {milliseconds(disk['p99_us'])} ms, verdict {verdict}")
        rows.append([f"{number(rate)}/s × {seconds:.0f} s, {batch} a request", number(result["put"]["records_per_s"]),
                     *(milliseconds(end[key]) for key in ("p50_us", "p99_us", "p999_us", "max_us")),
                     milliseconds(result["put"]["latency"]["p99_us"]), f"{cpu:.2f}",
                     *(verdict[key] for key in ("acknowledged", "lost", "duplicated", "out_of_order")),
                     " / ".join(milliseconds(disk[key]) for key in ("p50_us", "p99_us", "max_us"))])
        if not verdict["clean"]:
            lost_any.append(rate)
    results.table(f"c: put to get in ms, from when the put was due; {SHARDS} shards polled every {POLL_MS} ms, generator and "
                  "server on the same cores",
                  ["load", "acknowledged/s", "p50", "p99", "p99.9", "max", "put p99", "server cores", "acknowledged",
                   "lost", "duplicated", "out of order", "the disk alone p50 / p99 / max"], rows)
    if lost_any:
        raise Failure(f"(c): records lost, doubled or misplaced at {lost_any}")
