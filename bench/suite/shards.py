"""(d) What many shards cost: throughput, and memory of those that are idle."""
import time

from suite.environment import Millrace, fresh_folder, load, say
from suite.peers import BATCH, CONNECTIONS, RECORD_BYTES
from suite.results import Results, median, mebibytes, number

COUNTS = (1, 100, 10_000)
BODIES = 64  # × 500 keys: enough to reach most of 10,000 shards


def measure(shards: int, seconds: float) -> dict:
    server = Millrace(fresh_folder("shards"))
    try:
        load(server.port, "--stream", "warm", "--create", 1, "--put", "replay", "--seconds", 1, "--warmup", 0)
        time.sleep(1)
        before = server.rss_bytes()
        load(server.port, "--create", shards, timeout=300)
        time.sleep(2)
        idle = server.rss_bytes() - before
        result = load(server.port, "--put", "replay", "--connections", CONNECTIONS, "--batch", BATCH, "--bodies", BODIES,
                      "--record-bytes", RECORD_BYTES, "--seconds", seconds)
        return {"shards": shards, "idle_bytes": idle, "idle_bytes_per_shard": idle / shards,
                "records_per_s": result["put"]["records_per_s"], "rss_bytes_after": server.rss_bytes(),
                "errors": result["errors"]}
    finally:
        server.stop()


def run(results: Results, options) -> None:
    runs: dict[int, list[dict]] = {count: [] for count in COUNTS}
    for turn in range(options.rounds):
        for count in COUNTS:
            one = measure(count, options.seconds)
            runs[count].append(one)
            results.add("d", round=turn + 1, **one)
            say(f"d, round {turn + 1}: {count} shards: {number(one['records_per_s'])} records/s, "
                f"{one['idle_bytes_per_shard'] / 1024:.1f} KiB an idle shard")
    rates = {count: median([one["records_per_s"] for one in runs[count]]) for count in COUNTS}
    rows = [[f"{count:,}", number(rates[count]), f"{rates[count] / rates[100] - 1:+.1%}",
             f"{median([one['idle_bytes_per_shard'] for one in runs[count]]) / 1024:.1f}" if count > 1 else "-",
             mebibytes(median([one["rss_bytes_after"] for one in runs[count]]))] for count in COUNTS]
    results.table(f"d: shards; medians of {options.rounds} × {options.seconds:.0f} s",
                  ["shards", "records/s", "against 100", "KiB an idle shard", "MiB after the load"], rows)
