#!/usr/bin/python3
"""A disk that is full, and then is not: full_disk.py SERVER [--kind tmpfs|ext4] [--mib N].

The data folder lies on a small file system of its own beside a ballast file. Puts go on until the server says no; then
reads and health must hold, the ballast goes, puts resume, and after kill -9 every acknowledged record is there. Needs to
mount: as root, or in a user's own namespace (tmpfs only); where neither is allowed the cases are skipped.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.cases import Cases, Skip, equal, eventually
from black_box.server import Server, scratch_folder
from black_box.wire import Wire, b64
from crash.changes import change_each, make_table, refused

STREAM = "full"
FLAGS = ["--journal-file-bytes", "4MiB", "--settle-at-bytes", "2MiB", "--settle-after-ms", "200", "--loops", "2",
         "--unsettled-bytes-max", "16MiB"]
BALLAST_MIB = 96  # what comes back: room for what waits to settle, for rewriting, and for new records
RETRIED = ("InternalFailure", "InternalFailureException", "ProvisionedThroughputExceededException",
           "ServiceUnavailable", "KMSThrottlingException")


class SmallDisk:
    """A file system of `mib` at `path`, mounted for as long as the object is entered."""

    def __init__(self, kind, path, mib):
        self._kind, self.path, self._mib = kind, path, mib
        self._image = path + ".image"

    def __enter__(self):
        os.mkdir(self.path)
        if self._kind == "ext4":
            with open(self._image, "wb") as image:
                image.truncate(self._mib * 1024 * 1024)
            run_or_skip(["mkfs.ext4", "-q", "-m", "0", self._image])
            run_or_skip(["mount", "-o", "loop", self._image, self.path])
        else:
            run_or_skip(["mount", "-t", "tmpfs", "-o", f"size={self._mib}m", "tmpfs", self.path])
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=False, capture_output=True)


def run_or_skip(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise Skip(str(missing)) from None
    if done.returncode != 0:
        raise Skip(f"{command[0]} is not allowed here: {done.stderr.strip()}")


class Writer:
    """Puts records of random bytes one request at a time, and keeps what was acknowledged."""

    def __init__(self, endpoint):
        self._wire = Wire(endpoint)
        self.acknowledged = {}  # (shard, number) -> data

    def reconnect(self):
        """After a restart of the server."""
        self._wire.close()

    def put(self):
        """How many of 20 were acknowledged, and the errors that the others got: (kind, text)."""
        data = [os.urandom(12_000) for _ in range(20)]
        answer = self._wire.post("PutRecords", {"StreamName": STREAM, "Records": [
            {"PartitionKey": f"{i}", "Data": b64(one)} for i, one in enumerate(data)]})
        if answer.status != 200:
            assert answer.status in (500, 503), f"expected 500 or 503: {answer!r}"
            assert answer.json["__type"], f"expected an error of the API's shape: {answer!r}"
            return 0, [(answer.json["__type"], answer.json.get("message", ""))]
        errors = []
        for one, result in zip(data, answer.json["Records"]):
            if "ErrorCode" in result:
                errors.append((result["ErrorCode"], result["ErrorMessage"]))
            else:
                self.acknowledged[result["ShardId"], int(result["SequenceNumber"])] = one
        equal(answer.json["FailedRecordCount"], len(errors))
        return len(data) - len(errors), errors


def not_ready(server):
    """The conditions that /readyz names."""
    answer = Wire(server.endpoint).exchange("GET", "/readyz", sign=False)
    return answer.json.get("reasons", []) if answer.status == 503 else []


def read_all(endpoint):
    wire = Wire(endpoint)
    return {(shard["ShardId"], number): data for shard in wire.shards(STREAM)
            for number, _, data in wire.read_shard(STREAM, shard["ShardId"])}


def missing(writer, endpoint):
    got = read_all(endpoint)
    return [place for place, data in writer.acknowledged.items() if got.get(place) != data]


def fill(writer, seconds=60):
    """Puts until ten requests in a row were refused in full; returns their errors."""
    refused, errors = 0, []
    deadline = time.monotonic() + seconds
    while refused < 10:
        assert time.monotonic() < deadline, "the disk did not fill"
        done, failed = writer.put()
        refused = 0 if done else refused + 1
        errors += failed
    return errors


def run(cases, binary, disk):
    ballast = os.path.join(disk.path, "ballast")
    server = Server(binary, os.path.join(disk.path, "data"), flags=FLAGS)
    # Not on the disk that will be full.
    server.log_path = disk.path + ".log"
    with server:
        server.start()
        wire = Wire(server.endpoint)
        wire.call("CreateStream", StreamName=STREAM, ShardCount=3)
        wire.wait_active(STREAM)
        make_table(wire)
        with open(ballast, "wb") as file:
            file.write(b"\1" * (BALLAST_MIB * 1024 * 1024))
            os.fsync(file.fileno())
        writer = Writer(server.endpoint)
        with cases.case("puts onto a full disk are refused, in the API's words"):
            errors = fill(writer)
            assert writer.acknowledged, "nothing was acknowledged before the disk was full"
            kinds = {kind for kind, _ in errors}
            assert kinds <= set(RETRIED), kinds
            assert all(text for _, text in errors), "an error without a text"
            cases.line(f"      {len(writer.acknowledged)} records acknowledged, then {sorted(kinds)}: {errors[-1][1][:200]}")
        with cases.case("the server is up and healthy, and an operator is told"):
            equal(server.exit_code(), None)
            assert server.healthy()
            assert any(word in server.log().lower() for word in ("no space", "enospc", "full")), server.log()[-1500:]
        with cases.case("every acknowledged record is read from a full disk"):
            equal(missing(writer, server.endpoint), [])
        with cases.case("commands are refused or done, never half done"):
            answer = wire.post("AddTagsToStream", {"StreamName": STREAM, "Tags": {"full": "yes"}})
            assert answer.status in (200, 500, 503), repr(answer)
            tags = wire.call("ListTagsForStream", StreamName=STREAM)["Tags"]
            equal(bool(tags), answer.status == 200)
        with cases.case("changes of identities, keys and tables are refused or done, in the API's words"):
            for part, answer in change_each(wire, STREAM).items():
                assert answer.status in (200, 500, 503), f"{part}: {answer!r}"
        with cases.case("puts resume within 10 s of space coming back, without a restart"):
            os.remove(ballast)
            eventually(lambda: all(writer.put()[0] == 20 for _ in range(10)) or time.sleep(0.3), 10,
                       "10 puts acknowledged in full, in a row")
        with cases.case("and so do changes of streams, identities, keys and tables"):
            eventually(lambda: not refused(change_each(wire, STREAM)) or time.sleep(0.3), 10, "one change of each")
            equal(not_ready(server), [])
        with cases.case("after kill -9 every acknowledged record is there"):
            server.kill9()
            server.start()
            equal(missing(writer, server.endpoint), [])
        with cases.case("a start on a full disk serves reads, or says why not; with space it serves all"):
            with open(ballast, "wb", buffering=0) as file:  # else what did not fit is tried again when it is closed
                try:
                    while True:
                        file.write(b"\1" * 65536)
                except OSError:
                    pass
            server.kill9()
            server.spawn()
            if server.wait_healthy(20):
                equal(missing(writer, server.endpoint), [])
            else:
                assert server.exit_code() not in (None, 0), "neither serves nor ends"
                assert "space" in server.log()[-3000:].lower(), server.log()[-1500:]
            server.kill9()
            os.remove(ballast)
            server.start()
            equal(missing(writer, server.endpoint), [])
            writer.reconnect()
            eventually(lambda: writer.put()[0] == 20, 10, "a put acknowledged in full")
        with cases.case("unmounted under the server, nothing is acknowledged any more, and /readyz says why"):
            run_or_skip(["umount", "-l", disk.path])
            eventually(lambda: writer.put()[0] == 0, 10, "a put refused")
            eventually(lambda: [one["condition"] for one in not_ready(server)] == ["data_folder"], 10, "the condition")
            equal(writer.put()[0], 0)
            assert server.healthy()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server")
    arguments.add_argument("--kind", choices=("tmpfs", "ext4"), default="tmpfs")
    arguments.add_argument("--mib", type=int, default=192)
    options = arguments.parse_args()
    if os.geteuid() != 0 and "MILLRACE_OWN_NAMESPACE" not in os.environ:
        inside = {**os.environ, "MILLRACE_OWN_NAMESPACE": "1"}
        if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0:
            os.execvpe("unshare", ["unshare", "-rm", sys.executable, *sys.argv], inside)
    cases = Cases(f"full disk, {options.kind}")
    scratch = scratch_folder("full-disk")
    disk = SmallDisk(options.kind, os.path.join(scratch, "disk"), options.mib)
    try:
        with disk:
            run(cases, os.path.abspath(options.server), disk)
    except Skip as why:
        with cases.case("a file system that fills up"):
            raise Skip(str(why))
    except Exception:
        with cases.case("all cases could be run"):
            raise
    if cases.failed:
        print(f"the server's log is kept: {scratch}")
    else:
        shutil.rmtree(scratch)
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
