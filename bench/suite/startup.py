"""(e) From kill -9 to serving: time to /healthz, and to the first records out of GetRecords."""
import http.client
import shutil
import time

from suite import aws
from suite.environment import DATA, Failure, Millrace, drop_page_cache, folder_bytes, fresh_folder, load, say
from suite.results import Results, median, number

FILL_RECORD_BYTES = 1_000
FILL_SECONDS = 3
RESTARTS = 3


def fill(server: Millrace, gigabytes: float) -> None:
    """Writes until the folder holds so much, or until it no longer grows."""
    load(server.port, "--create", 8)
    best, since_growth = 0, 0
    while (size := folder_bytes(server.folder)) < gigabytes * 1e9:
        since_growth = 0 if size > best else since_growth + 1
        best = max(best, size)
        if since_growth > 10:
            raise Failure(f"the folder stays at {size / 1e9:.2f} GB")
        # Payloads of one run repeat; unique ones do not compress away.
        load(server.port, "--put", "unique", "--record-bytes", FILL_RECORD_BYTES, "--batch", 500, "--seconds", FILL_SECONDS)


def milliseconds_until(condition, seconds: float = 120) -> float:
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        try:
            if condition():
                return (time.monotonic() - begin) * 1000
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.002)
    raise Failure("the server does not come back")


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def first_records(port: int) -> bool:
    shard = aws.call(port, "ListShards", {"StreamName": "bench"})["Shards"][0]["ShardId"]
    iterator = aws.call(port, "GetShardIterator", {"StreamName": "bench", "ShardId": shard,
                                                   "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
    return len(aws.call(port, "GetRecords", {"ShardIterator": iterator, "Limit": 10})["Records"]) > 0


def run(results: Results, options) -> None:
    sizes = [1.0, 10.0] if options.full else [1.0]
    rows = []
    for gigabytes in sizes:
        if shutil.disk_usage(DATA.parent).free < gigabytes * 2.5e9:
            say(f"bench: skipping (e) at {gigabytes} GB: the disk has too little space")
            continue
        folder = fresh_folder("startup")
        server = Millrace(folder)
        times: list[tuple[float, float]] = []
        try:
            fill(server, gigabytes)
            for _ in range(RESTARTS):
                # Under full load when it dies: the journal ends where it ends.
                load(server.port, "--put", "unique", "--record-bytes", FILL_RECORD_BYTES, "--seconds", 0.5)
                server.kill()
                cold = drop_page_cache()
                begin = time.monotonic()
                server = Millrace(folder, wait=False)
                port = server.port
                health = milliseconds_until(lambda: healthy(port))
                milliseconds_until(lambda: first_records(port))
                times.append((health, (time.monotonic() - begin) * 1000))
                results.add("e", gigabytes=gigabytes, folder_bytes=folder_bytes(folder), page_cache_dropped=cold,
                            healthz_ms=times[-1][0], first_records_ms=times[-1][1])
                say(f"e: {gigabytes} GB: /healthz after {times[-1][0]:.0f} ms, records after {times[-1][1]:.0f} ms")
        finally:
            server.stop()
            size = folder_bytes(folder)
            shutil.rmtree(folder, ignore_errors=True)
        rows.append([f"{size / 1e9:.2f} GB", "yes" if cold else "no", number(median([one[0] for one in times])),
                     number(max(one[0] for one in times)), number(median([one[1] for one in times]))])
    if not options.full:
        results.text("(e) at 10 GB was not run: it takes --full.")
    results.table(f"e: start after kill -9, ms; {RESTARTS} times each",
                  ["data on disk", "page cache dropped", "to /healthz, median", "worst", "to the first records, median"],
                  rows)
