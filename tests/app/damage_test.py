"""A block of a segment that is damaged on disk: what the operator and the caller are told, and what goes on."""
import pathlib
import re
import shutil
import sys
import tempfile
import time
import unittest

from process import ROOT, Server, run

sys.path.insert(0, str(ROOT / "tests"))

from black_box.wire import ApiError, Wire, b64  # noqa: E402

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDMILLRACETESTS001",
        "MILLRACE_ROOT_SECRET_KEY": "an example secret of the tests, 0123456789"}
MESSAGE = "records are damaged on disk and cannot be read"
IN_THE_BLOCK = 40  # a byte of the first block of a segment


class Damage(unittest.TestCase):
    def setUp(self) -> None:
        self.data = tempfile.mkdtemp(prefix="millrace-damage-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        with self.server() as server:
            wire = Wire(f"http://{server.address}")
            wire.call("CreateStream", StreamName="clicks", ShardCount=1)
            wire.wait_active("clicks")
            before = {"PartitionKey": "key", "Data": b64(b"before")}
            answer = wire.call("PutRecords", StreamName="clicks", Records=[before] * 3)
            self.numbers = [record["SequenceNumber"] for record in answer["Records"]]
            self.segment = self.wait_for_segments(1)
            wire.call("PutRecord", StreamName="clicks", PartitionKey="key", Data=b64(b"behind"))
            self.wait_for_segments(2)
            self.assertEqual(server.stop(), 0)
        with open(self.segment, "r+b") as file:
            file.seek(IN_THE_BLOCK)
            byte = file.read(1)[0]
            file.seek(IN_THE_BLOCK)
            file.write(bytes([byte ^ 1]))

    def server(self, *flags: str) -> Server:
        return Server("--settle-after-ms", "10", "--tail-cache-bytes", "1MiB", *flags, env=KEYS, data=self.data)

    def wait_for_segments(self, count: int) -> pathlib.Path:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = sorted(pathlib.Path(self.data, "log/segments").glob("*.mrs"))
            manifests = max(pathlib.Path(self.data, "log/manifest").iterdir(), key=lambda path: path.name)
            if len(found) == count and manifests:
                time.sleep(0.3)  # until the manifest names it
                return found[0]
            time.sleep(0.05)
        raise TimeoutError(f"no {count} segments")

    def read(self, server: Server) -> list[bytes]:
        wire = Wire(f"http://{server.address}")
        return [data for _, _, data in wire.read_shard("clicks", "shardId-000000000000")]

    def metric(self, server: Server, name: str) -> float:
        return float(re.search(rf"^{name} (\S+)$", server.get("/metrics")[2], re.M)[1])

    def test_one_line_names_the_records_and_the_place_and_callers_learn_no_path(self):
        with self.server() as server:
            for _ in range(3):
                with self.assertRaises(ApiError) as refused:
                    self.read(server)
                self.assertEqual(refused.exception.answer.status, 500)
                self.assertNotIn(self.data, str(refused.exception.answer.body))
                self.assertNotIn(".mrs", str(refused.exception.answer.body))
            line = server.wait_for_line(MESSAGE)
            self.assertEqual(line["level"], "error")
            self.assertEqual((line["stream"], line["shard"]), ("clicks", "shardId-000000000000"))
            self.assertEqual((line["first_sequence_number"], line["last_sequence_number"]),
                             (self.numbers[0], self.numbers[2]))
            self.assertEqual((line["file"], line["offset"]), (str(self.segment), 32))
            self.assertEqual(sum(MESSAGE in text for text in server.stderr_lines), 1)
            self.assertEqual(self.metric(server, "millrace_damaged_blocks"), 1)
            wire = Wire(f"http://{server.address}")
            iterator = wire.call("GetShardIterator", StreamName="clicks", ShardId="shardId-000000000000",
                                 ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                                 StartingSequenceNumber=self.numbers[2])["ShardIterator"]
            self.assertEqual(len(wire.call("GetRecords", ShardIterator=iterator)["Records"]), 1)
            self.assertEqual(server.stop(), 0)

    def test_skipping_it_lets_readers_go_on_behind_it(self):
        sound = pathlib.Path(self.data, "log/segments").glob("*.mrs")
        refused = run("log", "skip", self.data, str(max(sound)), "32")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is not damaged", refused.stderr)
        with self.server() as server:
            held = run("log", "skip", self.data, str(self.segment), "32")
            self.assertEqual(held.returncode, 1)
            self.assertEqual(server.stop(), 0)
        skipped = run("log", "skip", self.data, str(self.segment), "32")
        self.assertEqual(skipped.returncode, 0, skipped.stderr)
        self.assertIn("records 0 to 2 of shard 1", skipped.stdout)
        self.assertIn("0 problems", run("log", "verify", self.data).stdout)
        for _ in range(2):  # it lasts
            with self.server() as server:
                self.assertEqual(self.read(server), [b"behind"])
                self.assertEqual(self.metric(server, "millrace_damaged_blocks"), 0)
                self.assertEqual(self.metric(server, "millrace_lost_blocks"), 1)
                self.assertEqual(server.stop(), 0)
        self.assertEqual(run("log", "skip", self.data, str(self.segment), "32").returncode, 1)


if __name__ == "__main__":
    unittest.main()
