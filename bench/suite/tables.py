"""(h) How long puts and lease updates wait while large tables are written."""
import threading
import time

from suite.aws import call
from suite.environment import Failure, Millrace, fresh_folder, load, say
from suite.results import Results, mebibytes, milliseconds

# What is written: the size of an item in bytes, and the number of items per request.
TABLES = {"1,250 items of 395 KB": (1_250, 395_000, 1), "448,000 items of 30 B": (448_000, 30, 25)}
SHARDS, RATE, BATCH = 4, 5_000, 50
LEASE_EVERY_S = 0.02
WRITERS = 2


def dynamodb(port: int, operation: str, request: dict) -> dict:
    return call(port, operation, request, target="DynamoDB_20120810", service="dynamodb")


class Background:
    """Threads that work until the end, and whose failure is one of the benchmark."""

    def __init__(self):
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self.failure: Exception | None = None

    def start(self, work) -> None:
        def run() -> None:
            try:
                while not self._ending.is_set():
                    work()
            except Exception as failure:  # noqa: BLE001: told by the main thread
                self.failure = failure
        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()


def create_table(port: int, name: str) -> None:
    dynamodb(port, "CreateTable", {"TableName": name, "BillingMode": "PAY_PER_REQUEST",
                                   "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
                                   "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}]})
    while dynamodb(port, "DescribeTable", {"TableName": name})["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.1)


class Filler:
    """Writes all items of a table, and then all over again."""

    def __init__(self, port: int, items: int, item_bytes: int, batch: int):
        self.port, self.items, self.batch = port, items, batch
        self.value = "x" * (item_bytes - 10)
        self.written = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            first, self.written = self.written, self.written + self.batch
        puts = [{"PutRequest": {"Item": {"k": {"S": str((first + i) % self.items)}, "v": {"S": self.value}}}}
                for i in range(self.batch)]
        dynamodb(self.port, "BatchWriteItem", {"RequestItems": {"large": puts}})


def measure(items: int, item_bytes: int, batch: int, seconds: float) -> dict:
    server = Millrace(fresh_folder("tables"), ("--limits", "none"))
    background = Background()
    waits_us: list[float] = []
    try:
        for name in ("large", "leases"):
            create_table(server.port, name)
        filler = Filler(server.port, items, item_bytes, batch)

        def renew_lease() -> None:
            begin = time.monotonic()
            dynamodb(server.port, "PutItem",
                     {"TableName": "leases", "Item": {"k": {"S": "lease"}, "v": {"N": str(len(waits_us))}}})
            waits_us.append((time.monotonic() - begin) * 1e6)
            time.sleep(LEASE_EVERY_S)

        for _ in range(WRITERS):
            background.start(filler)
        while filler.written < items and background.failure is None:
            time.sleep(0.5)
        background.start(renew_lease)
        written = filler.written
        result = load(server.port, "--create", SHARDS, "--put", "unique", "--get", "tip", "--rate", RATE, "--batch", BATCH,
                      "--connections", 4, "--seconds", seconds, timeout=seconds + 120)
        written = filler.written - written
        background.end()
        if background.failure is not None:
            raise Failure(f"(h): {background.failure}")
        waits_us.sort()
        return {"put": result["put"], "verdict": result["verdict"], "items_per_s": written / seconds,
                "lease": {"p50_us": waits_us[len(waits_us) // 2], "p99_us": waits_us[len(waits_us) * 99 // 100],
                          "max_us": waits_us[-1]}, "rss_bytes": server.rss_bytes()}
    finally:
        background.end()
        server.stop()


def run(results: Results, options) -> None:
    rows = []
    for name, (items, item_bytes, batch) in TABLES.items():
        one = measure(items, item_bytes, batch, options.tables_seconds)
        results.add("h", tables=name, **one)
        put, lease = one["put"]["latency"], one["lease"]
        say(f"h: {name}: put p99 {milliseconds(put['p99_us'])} ms, lease p99 {milliseconds(lease['p99_us'])} ms")
        rows.append([name, f"{one['items_per_s']:,.0f}",
                     *(milliseconds(put[key]) for key in ("p50_us", "p99_us", "max_us")),
                     *(milliseconds(lease[key]) for key in ("p50_us", "p99_us", "max_us")), mebibytes(one["rss_bytes"])])
        if not one["verdict"]["clean"]:
            raise Failure(f"(h): records lost, doubled or misplaced beside {name}")
    results.table(f"h: ms that puts ({RATE:,} records/s, {BATCH} a request) and lease updates wait while tables of that size "
                  f"are written over, for {options.tables_seconds:.0f} s",
                  ["tables", "items written/s", "put p50", "p99", "max", "lease p50", "p99", "max", "server's memory, MiB"],
                  rows)
