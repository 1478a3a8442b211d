"""Every query of the dashboard, asked of a Prometheus that scrapes a server with streams, readers and errors."""
import json
import tempfile
import threading
import time
import unittest

import boto3
import botocore.exceptions

from monitor import ROOT, TOKEN, Prometheus
from process import Server

DASHBOARD = json.loads((ROOT / "deploy/prometheus/grafana-dashboard.json").read_text())


def queries() -> list[tuple[str, str]]:
    """Panel and expression, its variables as Grafana has them for "All"."""
    return [(f'{panel["title"]} {target["refId"]}',
             target["expr"].replace("$instance", ".*").replace("$stream", ".*").replace("$__rate_interval", "30s"))
            for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        token = cls.enterClassContext(tempfile.NamedTemporaryFile("w", suffix=".token"))
        token.write(TOKEN)
        token.flush()
        cls.prometheus = cls.enterClassContext(Prometheus())
        cls.server = cls.enterClassContext(Server("--metrics-auth", token.name, "--settle-after-ms", "500"))
        cls.prometheus.watch(cls.server.address)
        cls.client = staticmethod(lambda service: boto3.client(
            service, endpoint_url=f"http://{cls.server.address}", region_name="us-east-1",
            aws_access_key_id="AKIDREADER", aws_secret_access_key="any"))
        kinesis = cls.client("kinesis")
        kinesis.create_stream(StreamName="clicks", ShardCount=2)
        kinesis.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 0.1})
        cls.stop = threading.Event()
        cls.traffic = threading.Thread(target=cls.work, daemon=True)
        cls.traffic.start()
        cls.addClassCleanup(cls.traffic.join)
        cls.addClassCleanup(cls.stop.set)
        cls.prometheus.until(
            lambda: cls.prometheus.query("rate(millrace_stream_out_records_total[30s]) > 0"), "records are read")

    @classmethod
    def work(cls):
        kinesis = cls.client("kinesis")
        iterator = kinesis.get_shard_iterator(StreamName="clicks", ShardId="shardId-000000000000",
                                              ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while not cls.stop.is_set():
            for key in "ab":
                kinesis.put_record(StreamName="clicks", PartitionKey=key, Data=b"x" * 100)
            iterator = kinesis.get_records(ShardIterator=iterator)["NextShardIterator"]
            try:
                kinesis.describe_stream_summary(StreamName="nowhere")
            except botocore.exceptions.ClientError:
                pass
            time.sleep(0.1)

    def test_every_query_gives_data(self):
        self.assertGreaterEqual(len(queries()), 40)
        for panel, expression in queries():
            with self.subTest(panel):
                self.prometheus.until(lambda: self.prometheus.query(expression), expression, 30)

    def test_variables_find_servers_and_streams(self):
        for series, label, value in (("millrace_build_info", "instance", self.server.address),
                                     ("millrace_stream_in_records_total", "stream", "clicks")):
            self.assertIn(value, [row["metric"][label] for row in self.prometheus.query(series)])

    def test_figures_are_those_of_the_traffic(self):
        by_operation = {row["metric"]["operation"]: float(row["value"][1]) for row in self.prometheus.query(
            "sum by (operation) (rate(millrace_kinesis_requests_total[30s]))")}
        self.assertGreater(by_operation["PutRecord"], 0)
        readers = {row["metric"]["reader"] for row in self.prometheus.query('millrace_reader_lag_seconds{kind="access_key"}')}
        self.assertEqual(readers, {"AKIDREADER"})


if __name__ == "__main__":
    unittest.main()
