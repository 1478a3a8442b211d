"""Log lines that tell: who changed what, who was refused, and what happened to connections."""
import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

from process import Server, SlowDisk, run

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDEXAMPLE", "MILLRACE_ROOT_SECRET_KEY": "a-secret-of-the-tests"}
ROOT_ARN = "arn:aws:iam::000000000000:root"


def client(server: Server, service: str = "kinesis", access: str = KEYS["MILLRACE_ROOT_ACCESS_KEY"],
           secret: str = KEYS["MILLRACE_ROOT_SECRET_KEY"]):
    return boto3.client(service, endpoint_url=f"http://{server.address}", region_name="us-east-1",
                        aws_access_key_id=access, aws_secret_access_key=secret,
                        config=botocore.config.Config(retries={"total_max_attempts": 1}))


def lines(server: Server, message: str) -> list[dict]:
    return [line for line in map(json.loads, list(server.stderr_lines)) if line["msg"] == message]


class Log(unittest.TestCase):
    def start(self, *flags: str, env: dict[str, str] | None = None, **more) -> Server:
        server = Server(*flags, env={**KEYS, **(env or {})}, **more)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def until(self, server: Server, message: str, n: int = 1, seconds: float = 10) -> list[dict]:
        end = time.monotonic() + seconds
        while len(lines(server, message)) < n:
            self.assertLess(time.monotonic(), end, server.stderr_lines[-20:])
            time.sleep(0.05)
        return lines(server, message)

    def create(self, kinesis, name: str = "s"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 0.1})

    def test_changes_of_streams_say_who_made_them(self):
        server = self.start()
        kinesis = client(server)
        self.create(kinesis)
        kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
        kinesis.get_waiter("stream_exists").wait(StreamName="s", WaiterConfig={"Delay": 0.1})
        kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"x")
        kinesis.describe_stream_summary(StreamName="s")
        kinesis.delete_stream(StreamName="s")
        for message in ("stream created", "stream resharded", "stream deleted"):
            with self.subTest(message):
                line, = self.until(server, message)
                self.assertEqual((line["level"], line["principal"], line["access_key"]),
                                 ("info", ROOT_ARN, "AKIDEXAMPLE"))
                self.assertEqual(line["resource"], "arn:aws:kinesis:us-east-1:000000000000:stream/s")
                self.assertTrue(line["peer"].startswith("127.0.0.1:"))
        self.assertEqual(lines(server, "changed"), [])  # none of what only looks or brings records

    def test_a_key_that_is_disabled_is_named_then_and_when_it_is_refused(self):
        server = self.start("--log-level", "debug")
        admin = {**KEYS, "MILLRACE_ENDPOINT": f"http://{server.address}"}
        self.assertEqual(run("admin", "user", "add", "anna", env=admin).returncode, 0)
        key = json.loads(run("admin", "key", "create", "anna", env=admin).stdout)
        answer = lambda: json.loads(run("admin", "key", "list", env=admin).stdout)
        listed = lambda: answer()["Keys"][0]["LastUsedMs"]
        self.assertIsNone(listed())
        self.assertLess(abs(answer()["LastUsedKnownSinceMs"] - time.time() * 1e3), 60_000)
        anna = client(server, access=key["AccessKeyId"], secret=key["SecretAccessKey"])
        with self.assertRaises(botocore.exceptions.ClientError):
            anna.list_streams()  # she may nothing, but her key is right
        self.assertLess(abs(listed() - time.time() * 1e3), 70_000)
        self.assertEqual(run("admin", "key", "disable", key["AccessKeyId"], env=admin).returncode, 0)
        line, = self.until(server, "key disabled")
        self.assertEqual((line["resource"], line["principal"]), (key["AccessKeyId"], ROOT_ARN))
        self.assertIsInstance(listed(), int)
        with self.assertRaises(botocore.exceptions.ClientError):
            anna.list_streams()
        audited = [line for line in lines(server, "audit") if line["reason"] == "UnrecognizedClientException"]
        self.assertEqual([line["access_key"] for line in audited], [key["AccessKeyId"]])
        self.assertNotIn(key["SecretAccessKey"], "".join(server.stderr_lines))

    def test_keys_that_somebody_makes_up_do_not_fill_the_audit_log(self):
        server = self.start()
        for i in range(60):
            with self.assertRaises(botocore.exceptions.ClientError):
                client(server, access=f"AKIDMADEUP{i}").list_streams()
        self.assertEqual(server.stop(), 0)
        server.reader.join()
        refused = [line for line in lines(server, "audit") if line["decision"] == "deny"]
        self.assertEqual(len({line["access_key"] for line in refused} - {""}), 32)
        self.assertEqual(sum(line["count"] for line in refused), 60)

    def test_refused_requests_are_debug_lines(self):
        server = self.start("--log-level", "debug")
        with self.assertRaises(botocore.exceptions.ClientError):
            client(server).describe_stream_summary(StreamName="nowhere")
        with self.assertRaises(botocore.exceptions.ClientError):
            client(server, secret="a-wrong-secret-of-the-tests").list_streams()
        with self.assertRaises(botocore.exceptions.ClientError):
            client(server, "dynamodb").describe_table(TableName="nowhere")
        first, second, third = self.until(server, "refused", 3)
        self.assertEqual((first["level"], first["operation"], first["code"], first["status"], first["principal"]),
                         ("debug", "DescribeStreamSummary", "ResourceNotFoundException", 400, ROOT_ARN))
        self.assertEqual((second["operation"], second["code"], second["access_key"], second["principal"]),
                         ("ListStreams", "InvalidSignatureException", "AKIDEXAMPLE", ""))
        self.assertEqual(third["operation"], "DescribeTable")
        self.assertIn("ResourceNotFoundException", third["code"])

    def test_faults_are_warnings_and_one_of_a_kind_at_a_time(self):
        root = tempfile.mkdtemp(prefix="millrace-log-")
        data = pathlib.Path(root, "data")
        server = self.start(data=str(data))
        kinesis = client(server)
        self.create(kinesis)
        data.rename(pathlib.Path(root, "elsewhere"))
        for _ in range(5):
            with self.assertRaises(botocore.exceptions.ClientError):
                kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"x")
        line, = self.until(server, "a request was answered with a fault")
        self.assertEqual((line["level"], line["operation"], line["suppressed"]), ("warn", "PutRecord", 0))
        self.assertGreaterEqual(line["status"], 500)
        pathlib.Path(root, "elsewhere").rename(data)

    def test_a_consumer_that_is_cut_off_is_a_line(self):
        server = self.start()
        kinesis = client(server)
        self.create(kinesis)
        arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
        consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]["ConsumerARN"]
        time.sleep(0.5)
        answer = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId="shardId-000000000000",
                                            StartingPosition={"Type": "LATEST"})
        kinesis.deregister_stream_consumer(ConsumerARN=consumer)
        line, = self.until(server, "a consumer was cut off")
        self.assertEqual((line["level"], line["stream"], line["consumer"], line["shard"], line["code"]),
                         ("info", "s", "reader", "shardId-000000000000", "ResourceNotFoundException"))
        answer["EventStream"].close()

    def test_slow_commits_are_a_line_with_how_long_they_took(self):
        with SlowDisk() as disk:
            server = self.start(env=disk.env)
            kinesis = client(server)
            self.create(kinesis)
            kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"x")
            self.assertEqual(lines(server, "a commit was slow: look at the disk"), [])
            disk.slow_down(1_100)
            for _ in range(2):
                kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"x")
            line, = self.until(server, "a commit was slow: look at the disk")
            self.assertEqual(line["level"], "warn")
            self.assertGreaterEqual(line["ms"], 1_100)
            disk.slow_down(0)

    def test_tls_to_a_port_without_a_certificate_is_one_line(self):
        server = self.start()
        host, port = server.address.split(":")
        for _ in range(3):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                with self.assertRaises(OSError):
                    ssl._create_unverified_context().wrap_socket(connection)
        line, = self.until(server, "a client speaks TLS, and this server has no certificate: let the client use "
                                   "http://, or start the server with --tls-cert and --tls-key")
        self.assertEqual(line["level"], "warn")
        self.assertTrue(line["peer"].startswith("127.0.0.1:"))

    def test_a_failed_handshake_says_why(self):
        folder = tempfile.mkdtemp(prefix="millrace-log-")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key.pem",
                        "-out", f"{folder}/cert.pem", "-days", "2", "-subj", "/CN=localhost"],
                       check=True, capture_output=True)
        server = self.start("--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem")
        host, port = server.address.split(":")
        for _ in range(2):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                with self.assertRaises(OSError):
                    ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
        line, = self.until(server, "a TLS handshake failed")
        self.assertEqual(line["level"], "warn")
        self.assertIn("unknown ca", line["error"])
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
