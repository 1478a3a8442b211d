"""(f) Catch-up reads: how fast GetRecords hands out what is in memory, and what is only on the disk."""
import time

from suite.environment import Millrace, drop_page_cache, fresh_folder, load, say
from suite.results import Results, number

HOT_SECONDS, COLD_SECONDS = 1, 5
READERS = 4


def read_all(server: Millrace) -> dict:
    before = server.cpu_seconds()
    result = load(server.port, "--get", "all", "--get-connections", READERS, timeout=900)
    cpu = server.cpu_seconds() - before
    get = result["get"]
    payload_mb = get["payload_mb_per_s"] * get["seconds"]
    return {"payload_mb": payload_mb, "payload_mb_per_s": get["payload_mb_per_s"], "body_mb_per_s": get["body_mb_per_s"],
            "records_per_s": get["records_per_s"], "records": get["records"], "server_cpu_seconds": cpu,
            "payload_mb_per_server_cpu_s": payload_mb / cpu if cpu > 0 else 0.0, "errors": result["errors"]}


def run(results: Results, options) -> None:
    del options
    rows = []
    for record_bytes in (150, 1_000):
        folder = fresh_folder("catchup")
        server = Millrace(folder)
        try:
            load(server.port, "--create", 8, "--put", "replay", "--record-bytes", record_bytes, "--warmup", 0, "--seconds",
                 HOT_SECONDS)
            hot = read_all(server)
            load(server.port, "--put", "replay", "--record-bytes", record_bytes, "--warmup", 0, "--seconds", COLD_SECONDS)
            time.sleep(5)  # the settler catches up
            server.stop()
            dropped = drop_page_cache()
            server = Millrace(folder)
            cold = read_all(server)
        finally:
            server.stop()
        for kind, one in (("hot", hot), ("cold" if dropped else "restarted, page cache kept", cold)):
            results.add("f", kind=kind, record_bytes=record_bytes, **one)
            say(f"f: {kind}, {record_bytes} B: {number(one['payload_mb_per_s'])} MB/s, "
                f"{number(one['payload_mb_per_server_cpu_s'])} MB per server CPU second")
            rows.append([f"{kind}, {record_bytes} B", number(one["payload_mb"]), number(one["payload_mb_per_s"]),
                         number(one["records_per_s"]), number(one["payload_mb_per_server_cpu_s"])])
    results.table("f: catch-up reads with GetRecords, payload MB (as sent it is 4/3 in base64, and more)",
                  ["records", "MB read", "MB/s, reader beside it", "records/s", "MB/s per core of the server"], rows)
