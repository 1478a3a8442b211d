"""`millrace log dump --data` prints records that `millrace put` takes again."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from process import BINARY, ROOT, Server, environment, run

sys.path.insert(0, str(ROOT / "tests"))

from black_box.wire import Wire, b64  # noqa: E402

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDMILLRACETESTS001",
        "MILLRACE_ROOT_SECRET_KEY": "an example secret of the tests, 0123456789"}


class DumpAndPut(unittest.TestCase):
    def setUp(self) -> None:
        self.data = tempfile.mkdtemp(prefix="millrace-dump-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def fill(self) -> list[tuple[str, bytes]]:
        sent = []
        with Server(env=KEYS, data=self.data) as server:
            wire = Wire(f"http://{server.address}")
            for stream in ("plain", "secret"):
                wire.call("CreateStream", StreamName=stream, ShardCount=2)
                wire.wait_active(stream)
            wire.call("StartStreamEncryption", StreamName="secret", EncryptionType="KMS", KeyId="alias/aws/kinesis")
            wire.wait_active("secret")
            for number in range(20):
                sent.append((f"key-{number % 5}", bytes([number, 255, 0])))
                for stream in ("plain", "secret"):
                    wire.call("PutRecord", StreamName=stream, PartitionKey=sent[-1][0], Data=b64(sent[-1][1]))
            wire.call("PutRecord", StreamName="plain", PartitionKey="explicit", Data=b64(b"placed"), ExplicitHashKey="7")
            self.assertEqual(server.stop(), 0)
        return sent

    def dump(self, *flags: str) -> list[dict]:
        done = run("log", "dump", "--data", self.data, *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_stream_or_shard_that_there_is_not(self):
        self.fill()
        for flags, says in ((("--stream", "typo"), "there is no stream typo"), (("--shard", "x"), "there is no shard x"),
                            (("--stream", "plain", "--shard", "x"), "there is no shard x of stream plain")):
            with self.subTest(flags):
                done = run("log", "dump", "--data", self.data, *flags)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(says, done.stderr)

    def test_what_is_dumped_is_put_again(self):
        sent = self.fill()
        lines = self.dump("--stream", "secret")
        self.assertEqual(len(lines), len(sent))
        self.assertEqual({line["Stream"] for line in lines}, {"secret"})
        with Server(env=KEYS) as server:
            wire = Wire(f"http://{server.address}")
            wire.call("CreateStream", StreamName="again", ShardCount=2)
            wire.wait_active("again")
            text = "".join(json.dumps(line) + "\n" for line in lines)
            done = subprocess.run([BINARY, "put", "--stream", "again"], input=text, capture_output=True, text=True, check=False,
                                  env=environment({**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}), timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, "20 records put\n"), done.stderr)
            again = {}
            for shard in wire.shards("again"):
                for _, key, data in wire.read_shard("again", shard["ShardId"]):
                    again.setdefault(key, []).append(data)
            for line in ("{nope", "[1]"):
                odd = subprocess.run([BINARY, "put", "--stream", "again"], input=line + "\n", capture_output=True, text=True,
                                     check=False, timeout=60,
                                     env=environment({**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}))
                self.assertEqual(odd.returncode, 1)
                self.assertIn("line 1 is no JSON object", odd.stderr)
            refused = subprocess.run([BINARY, "put", "--stream", "again"], input='{"Data": "eA=="}\n', capture_output=True,
                                     text=True, check=False, timeout=60,
                                     env=environment({**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}))
            self.assertEqual(refused.returncode, 1)
            self.assertIn("line 1 has no PartitionKey", refused.stderr)
        expected = {}
        for key, data in sent:
            expected.setdefault(key, []).append(data)
        self.assertEqual(again, expected)

    def test_a_shard_and_a_hash_key_are_told(self):
        self.fill()
        lines = self.dump("--stream", "plain", "--shard", "shardId-000000000000")
        self.assertEqual({line["ShardId"] for line in lines}, {"shardId-000000000000"})
        placed = [line for line in lines if line["PartitionKey"] == "explicit"]
        self.assertEqual([line["ExplicitHashKey"] for line in placed], ["7"])
        numbers = [int(line["SequenceNumber"]) for line in lines]
        self.assertEqual(numbers, sorted(numbers))

    def test_without_the_keyring_what_is_encrypted_is_an_error_and_the_rest_is_there(self):
        sent = self.fill()
        pathlib.Path(self.data, "keyring").unlink()
        done = run("log", "dump", "--data", self.data)
        self.assertEqual(done.returncode, 1)
        self.assertIn("keyring", done.stderr)
        self.assertEqual({json.loads(line)["Stream"] for line in done.stdout.splitlines()}, {"plain"})
        self.assertEqual(len(done.stdout.splitlines()), len(sent) + 1)

    def test_a_folder_that_is_served_is_not_read(self):
        with Server(env=KEYS, data=self.data):
            self.assertEqual(run("log", "dump", "--data", self.data).returncode, 1)


if __name__ == "__main__":
    unittest.main()
