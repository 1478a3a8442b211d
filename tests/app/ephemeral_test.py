"""A server for the tests of others: --ephemeral, --streams, --port-file, --allow-any-credentials, --tls-self-signed."""
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import time
import unittest

from process import BINARY, Server, environment


class Ephemeral:
    """`with Ephemeral(...) as server`: --ephemeral below a TMPDIR of its own."""

    def __init__(self, *flags: str):
        self.flags = flags

    def __enter__(self) -> "Ephemeral":
        self.folder = tempfile.TemporaryDirectory()
        self.port_file = pathlib.Path(self.folder.name, "port")
        self.temporary = pathlib.Path(self.folder.name, "tmp")
        self.temporary.mkdir()
        self.log = open(self.port_file.with_suffix(".log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([BINARY, "serve", "--ephemeral", "--listen", "127.0.0.1:0", "--port-file",
                                         self.port_file, *self.flags], stdout=subprocess.DEVNULL, stderr=self.log,
                                        env=environment({"TMPDIR": str(self.temporary)}))
        until = time.monotonic() + 30
        while not self.port_file.exists():
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(pathlib.Path(self.log.name).read_text())
            time.sleep(0.005)
        self.port = int(self.port_file.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def call(self, operation: str, body: dict, **headers: str) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/", json.dumps(body), {
                "X-Amz-Target": f"Kinesis_20131202.{operation}", "Content-Type": "application/x-amz-json-1.1", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def logged(self) -> list[dict]:
        return [json.loads(line) for line in pathlib.Path(self.log.name).read_text().splitlines()]


class KeepsNothing(unittest.TestCase):
    def test_it_serves_and_leaves_nothing_behind(self):
        with Ephemeral("--streams", "clicks:4") as server:
            status, _ = server.call("PutRecord", {"StreamName": "clicks", "PartitionKey": "k", "Data": "eA=="})
            self.assertEqual(status, 200)
            kept = [path for path in server.temporary.rglob("*") if path.is_file()]
            self.assertLess(sum(path.stat().st_blocks * 512 for path in kept), 64 << 20)
            self.assertGreater(len(kept), 3)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(20), 0)
            self.assertEqual(list(server.temporary.iterdir()), [])

    def test_a_start_that_fails_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder, Ephemeral() as other:
            done = subprocess.run([BINARY, "serve", "--ephemeral", "--listen", f"127.0.0.1:{other.port}"],
                                  capture_output=True, env=environment({"TMPDIR": folder}), timeout=30, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(os.listdir(folder), [])


class FirstStreams(unittest.TestCase):
    def test_they_are_active_with_their_shards_when_the_server_answers(self):
        with Ephemeral("--streams", "clicks:4,orders:on-demand,plain") as server:
            for name, shards, mode in (("clicks", 4, "PROVISIONED"), ("orders", 4, "ON_DEMAND"),
                                       ("plain", 1, "PROVISIONED")):
                status, body = server.call("DescribeStreamSummary", {"StreamName": name})
                self.assertEqual(status, 200)
                summary = body["StreamDescriptionSummary"]
                self.assertEqual((summary["StreamStatus"], summary["OpenShardCount"],
                                  summary["StreamModeDetails"]["StreamMode"]), ("ACTIVE", shards, mode))

    def test_what_exists_stays_as_it_is(self):
        with tempfile.TemporaryDirectory() as data:
            for streams in ("a:2", "a:5,b:3"):
                with Server("--streams", streams, data=data) as server:
                    server.stop()
            with Server(data=data) as server:
                for name, shards in (("a", 2), ("b", 3)):
                    connection = http.client.HTTPConnection(server.address, timeout=10)
                    connection.request("POST", "/", json.dumps({"StreamName": name}), {
                        "X-Amz-Target": "Kinesis_20131202.DescribeStreamSummary",
                        "Content-Type": "application/x-amz-json-1.1"})
                    summary = json.loads(connection.getresponse().read())["StreamDescriptionSummary"]
                    connection.close()
                    self.assertEqual(summary["OpenShardCount"], shards)


class AnyCredentials(unittest.TestCase):
    def test_any_host_is_answered_and_each_start_warns(self):
        body = {"StreamName": "s", "ShardCount": 1}
        with Ephemeral() as server:
            self.assertEqual(server.call("CreateStream", body, Host="streams:4566")[0], 403)
        with Ephemeral("--allow-any-credentials") as server:
            self.assertEqual(server.call("CreateStream", body, Host="streams:4566")[0], 200)
            self.assertEqual(server.call("ListStreams", {}, Origin="https://evil.example")[0], 403)
            self.assertTrue(any(line["level"] == "warn" and "--allow-any-credentials" in line["msg"]
                                for line in server.logged()))


class SelfSigned(unittest.TestCase):
    def test_a_client_that_trusts_the_certificate_is_served_and_it_is_kept(self):
        with tempfile.TemporaryDirectory() as data:
            certificate = pathlib.Path(data, "tls/certificate.pem")
            made = []
            for _ in range(2):
                with Server("--tls-self-signed", data=data) as server:
                    trusting = ssl.create_default_context(cafile=str(certificate))
                    port = int(server.address.rsplit(":", 1)[1])
                    for host in ("localhost", "127.0.0.1"):
                        connection = http.client.HTTPSConnection(host, port, context=trusting, timeout=10)
                        connection.request("GET", "/healthz")
                        self.assertEqual(connection.getresponse().status, 200)
                        connection.close()
                    made.append(certificate.read_text())
            self.assertEqual(made[0], made[1])
            self.assertEqual(pathlib.Path(data, "tls/key.pem").stat().st_mode & 0o777, 0o600)

    def test_half_of_the_pair_is_refused(self):
        with tempfile.TemporaryDirectory() as data:
            with Server("--tls-self-signed", data=data) as server:
                server.stop()
            pathlib.Path(data, "tls/certificate.pem").unlink()
            with self.assertRaisesRegex(TimeoutError, "certificate.pem is missing"):
                Server("--tls-self-signed", data=data).__enter__()


if __name__ == "__main__":
    unittest.main()
