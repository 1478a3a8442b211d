"""Each alert fires once its cause is there, with a real server and a real Prometheus; those whose cause takes days
(MillraceScrubLate) are tested on figures alone, by promtool: rules_test.py."""
import contextlib
import http.client
import pathlib
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

from monitor import ROOT, Prometheus
from process import Server, SlowDisk


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prometheus = cls.enterClassContext(Prometheus())

    def serve(self, *flags: str, **more) -> Server:
        server = self.enterContext(Server(*flags, **more))
        self.prometheus.watch(server.address)
        self.prometheus.until(lambda: self.prometheus.query(f'up{{instance="{server.address}"}} == 1'), "a scrape")
        return server

    def fires(self, alert: str, server: Server, **labels: str) -> None:
        found = self.prometheus.until(lambda: self.prometheus.firing(alert, server.address), f"{alert} fires")
        for name, value in labels.items():
            self.assertEqual({row["metric"][name] for row in found}, {value})

    def client(self, server: Server, service: str = "kinesis"):
        return boto3.client(service, endpoint_url=f"http://{server.address}", region_name="us-east-1",
                            aws_access_key_id="AKIDREADER", aws_secret_access_key="any",
                            config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def stream(self, server: Server):
        kinesis = self.client(server)
        kinesis.create_stream(StreamName="s", ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName="s", WaiterConfig={"Delay": 0.1})
        return kinesis

    @contextlib.contextmanager
    def again_and_again(self, action):
        """Does it while the block runs, whether it succeeds or not."""
        stop = threading.Event()

        def work():
            while not stop.wait(0.1):
                with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
                    action()
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def put(self, kinesis):
        kinesis.put_record(StreamName="s", PartitionKey="k", Data=b"x")

    def test_a_healthy_server_fires_nothing(self):
        server = self.serve()
        kinesis = self.stream(server)
        with self.again_and_again(lambda: self.put(kinesis)):
            time.sleep(8)
        self.assertEqual(self.prometheus.query(f'ALERTS{{instance="{server.address}"}}'), [])

    def test_a_server_that_is_gone(self):
        server = self.serve()
        server.stop()
        self.fires("MillraceDown", server)

    def test_a_data_folder_that_is_gone_fails_puts_and_is_a_condition(self):
        root = tempfile.mkdtemp(prefix="millrace-watch-")
        data, elsewhere = pathlib.Path(root, "data"), pathlib.Path(root, "elsewhere")
        server = self.serve(data=str(data))
        kinesis = self.stream(server)
        self.put(kinesis)
        data.rename(elsewhere)
        with self.again_and_again(lambda: self.put(kinesis)):
            self.fires("MillracePutsFail", server, stream="s")
            self.fires("MillraceFaults", server, operation="PutRecord")
            self.fires("MillraceCondition", server, condition="data_folder")
        elsewhere.rename(data)

    def test_a_slow_disk(self):
        with SlowDisk() as disk:
            server = self.serve(env=disk.env)
            kinesis = self.stream(server)
            self.put(kinesis)
            disk.slow_down(600)
            with self.again_and_again(lambda: self.put(kinesis)):
                self.fires("MillraceCommitSlow", server)
            disk.slow_down(0)

    def test_a_disk_that_is_nearly_full(self):
        folder = tempfile.mkdtemp(prefix="millrace-watch-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small file system here: MillraceDiskFullSoon is tested by promtool only")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        server = self.serve(data=folder + "/data")
        self.addCleanup(server.stop)
        self.fires("MillraceDiskFullSoon", server)

    def test_a_reader_that_stopped(self):
        server = self.serve()
        kinesis = self.stream(server)
        self.put(kinesis)
        at = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000",
                                        ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        kinesis.get_records(ShardIterator=at)
        self.put(kinesis)
        self.fires("MillraceReaderLags", server, stream="s", kind="access_key", reader="AKIDREADER")

    def test_a_block_that_is_damaged(self):
        data = tempfile.mkdtemp(prefix="millrace-watch-")
        flags = ("--settle-after-ms", "10", "--tail-cache-bytes", "1MiB")
        with Server(*flags, data=data) as before:
            self.put(self.stream(before))
            segments = pathlib.Path(data, "log/segments")
            self.prometheus.until(lambda: list(segments.glob("*.mrs")), "a segment")
            time.sleep(0.5)  # until the manifest names it
            self.assertEqual(before.stop(), 0)
        with open(next(segments.glob("*.mrs")), "r+b") as file:
            file.seek(40)
            byte = file.read(1)[0]
            file.seek(40)
            file.write(bytes([byte ^ 1]))
        server = self.serve(*flags, data=data)
        kinesis = self.client(server)
        at = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000",
                                        ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        with self.assertRaises(botocore.exceptions.ClientError):
            kinesis.get_records(ShardIterator=at)
        self.fires("MillraceDamagedBlock", server)

    def test_connections_near_the_limit(self):
        server = self.serve("--connections-max", "20")
        host, port = server.address.split(":")
        for _ in range(18):
            connection = self.enterContext(contextlib.closing(http.client.HTTPConnection(host, int(port))))
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        self.fires("MillraceConnectionsNearLimit", server)

    def test_memory_near_the_budget(self):
        server = self.serve("--memory-bytes-max", "64MiB")
        dynamodb = self.client(server, "dynamodb")
        dynamodb.create_table(TableName="large", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                              BillingMode="PAY_PER_REQUEST")
        with self.assertRaises(botocore.exceptions.ClientError) as full:
            for i in range(200):
                dynamodb.put_item(TableName="large", Item={"k": {"S": str(i)}, "v": {"S": "x" * 390_000}})
        self.assertEqual(full.exception.response["Error"]["Code"], "RequestLimitExceeded")
        self.fires("MillraceMemoryNearBudget", server, part="tables")

    def test_a_clock_that_steps(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="millrace-watch-"))
        library, step = f"{folder}/clock.so", pathlib.Path(folder, "step")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, ROOT / "tests/app/stepped_wall_clock.c"], check=True)
        step.write_bytes(struct.pack("=q", 0))
        server = self.serve(env={"LD_PRELOAD": library, "STEPPED_WALL_CLOCK": str(step)})
        with open(step, "r+b") as file:
            file.write(struct.pack("=q", 7_200))
        self.fires("MillraceClockStep", server)


if __name__ == "__main__":
    unittest.main()
