"""What /metrics says of streams, of who reads them, and of the disk; and who may read it."""
import os
import re
import signal
import tempfile
import time
import unittest

import boto3

from process import Server

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDEXAMPLE", "MILLRACE_ROOT_SECRET_KEY": "a-secret-of-the-tests"}
LABELS = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def client(server: Server, service: str = "kinesis"):
    return boto3.client(service, endpoint_url=f"http://{server.address}", region_name="us-east-1",
                        aws_access_key_id=KEYS["MILLRACE_ROOT_ACCESS_KEY"],
                        aws_secret_access_key=KEYS["MILLRACE_ROOT_SECRET_KEY"])


def metrics(server: Server) -> dict[tuple, float]:
    """Values by name and labels: ("millrace_streams",), ("millrace_stream_in_records_total", ("stream", "s"))."""
    page = server.get("/metrics")[2]
    values = {}
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", page, re.M):
        values[(name, *sorted(LABELS.findall(labels)))] = float(value)
    return values


def of_stream(name: str, stream: str) -> tuple:
    return f"millrace_stream_{name}", ("stream", stream)


def lag(values: dict[tuple, float], kind: str, reader: str, stream: str = "s") -> tuple[float, float] | None:
    """Records and seconds; None where the page does not have the reader."""
    labels = ("kind", kind), ("reader", reader), ("stream", stream)
    if ("millrace_reader_lag_records", *labels) not in values:
        return None
    return values["millrace_reader_lag_records", *labels], values["millrace_reader_lag_seconds", *labels]


class Streams(unittest.TestCase):
    def setUp(self):
        self.server = Server(env=KEYS)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.kinesis = client(self.server)

    def create(self, name: str, shards: int = 1):
        self.kinesis.create_stream(StreamName=name, ShardCount=shards)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 0.1})

    def put(self, stream: str, n: int) -> list[str]:
        """Sequence numbers."""
        return [self.kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"12345")["SequenceNumber"]
                for _ in range(n)]

    def iterator(self, stream: str, shard: int = 0) -> str:
        return self.kinesis.get_shard_iterator(StreamName=stream, ShardId=f"shardId-{shard:012}",
                                               ShardIteratorType="TRIM_HORIZON")["ShardIterator"]

    def after(self, condition, seconds: float = 10) -> dict[tuple, float]:
        """The page once `condition` holds of it; figures are up to a second old."""
        until = time.monotonic() + seconds
        while True:
            values = metrics(self.server)
            if condition(values):
                return values
            self.assertLess(time.monotonic(), until, {key: value for key, value in values.items()
                                                      if "stream" in key[0] or "reader" in key[0]})
            time.sleep(0.1)

    def test_records_and_bytes_in_and_out_by_stream(self):
        self.create("s")
        self.create("idle")
        self.put("s", 3)
        self.kinesis.get_records(ShardIterator=self.iterator("s"), Limit=2)
        values = self.after(lambda page: page.get(of_stream("out_records_total", "s")) == 2)
        self.assertEqual(values[of_stream("in_records_total", "s")], 3)
        self.assertEqual(values[of_stream("in_bytes_total", "s")], 18)
        self.assertEqual(values[of_stream("out_bytes_total", "s")], 12)
        self.assertEqual(values[of_stream("in_records_total", "idle")], 0)
        self.assertLess(values[of_stream("newest_record_age_seconds", "s")], 30)
        self.assertNotIn(of_stream("newest_record_age_seconds", "idle"), values)
        self.assertGreaterEqual(values["millrace_oldest_record_age_seconds",],
                                values[of_stream("newest_record_age_seconds", "s")])

    def test_what_was_done_before_the_first_page_counts(self):
        self.create("s")
        self.put("s", 3)
        time.sleep(1.1)
        self.assertEqual(metrics(self.server)[of_stream("in_records_total", "s")], 3)

    def test_a_stopped_reader_lags_by_what_it_has_not_read(self):
        self.create("s")
        self.put("s", 5)
        self.kinesis.get_records(ShardIterator=self.iterator("s"), Limit=2)
        values = self.after(lambda page: lag(page, "access_key", "AKIDEXAMPLE") is not None)
        records, seconds = lag(values, "access_key", "AKIDEXAMPLE")
        self.assertEqual(records, 3)
        self.put("s", 4)
        time.sleep(1.1)
        later = lag(metrics(self.server), "access_key", "AKIDEXAMPLE")
        self.assertEqual(later[0], 7)
        self.assertGreaterEqual(later[1], seconds + 1)
        self.kinesis.get_records(ShardIterator=self.iterator("s"))
        self.after(lambda page: lag(page, "access_key", "AKIDEXAMPLE") == (0, 0))

    def test_who_has_not_begun_with_the_children_of_a_shard_lags_behind_in_them(self):
        self.create("s")
        self.put("s", 2)
        self.kinesis.get_records(ShardIterator=self.iterator("s"))
        self.kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
        self.kinesis.get_waiter("stream_exists").wait(StreamName="s", WaiterConfig={"Delay": 0.1})
        self.put("s", 3)
        self.after(lambda page: (lag(page, "access_key", "AKIDEXAMPLE") or (0, 0))[0] == 3)

    def test_a_consumer_with_enhanced_fan_out_lags_once_it_is_cut_off(self):
        self.create("s")
        arn = self.kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
        consumer = self.kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
        time.sleep(0.5)
        self.put("s", 2)
        answer = self.kinesis.subscribe_to_shard(ConsumerARN=consumer["ConsumerARN"], ShardId="shardId-000000000000",
                                                 StartingPosition={"Type": "TRIM_HORIZON"})
        for event in answer["EventStream"]:
            if event["SubscribeToShardEvent"]["Records"]:
                break
        answer["EventStream"].close()
        self.after(lambda page: lag(page, "consumer", "reader") == (0, 0))
        time.sleep(0.5)
        self.put("s", 3)
        values = self.after(lambda page: (lag(page, "consumer", "reader") or (0, 0))[0] == 3)
        self.assertEqual(values[of_stream("out_records_total", "s")], 2)
        self.kinesis.deregister_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
        self.after(lambda page: lag(page, "consumer", "reader") is None)

    def lease_table(self, name: str):
        dynamodb = client(self.server, "dynamodb")
        dynamodb.create_table(TableName=name, KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
                              BillingMode="PAY_PER_REQUEST")
        return lambda key, checkpoint: dynamodb.put_item(
            TableName=name, Item={"leaseKey": {"S": key}, "checkpoint": {"S": checkpoint},
                                  "leaseCounter": {"N": "7"}, "leaseOwner": {"S": "worker"}})

    def test_an_application_of_kcl_is_where_its_lease_table_says(self):
        self.create("s")
        time.sleep(1.1)  # streams of one second cannot be told apart yet
        self.create("other")
        numbers = self.put("s", 5)
        self.put("other", 1)
        put_lease = self.lease_table("billing")
        put_lease("shardId-000000000000", numbers[1])
        values = self.after(lambda page: lag(page, "application", "billing") is not None)
        self.assertEqual(lag(values, "application", "billing")[0], 3)
        self.assertIsNone(lag(values, "application", "billing", "other"))
        put_lease("shardId-000000000000", numbers[4])
        self.after(lambda page: lag(page, "application", "billing") == (0, 0))
        # The table is durable: its application's lag is known after a start.
        put_lease("shardId-000000000000", numbers[0])
        self.assertEqual(self.server.stop(), 0)
        with Server(env=KEYS, data=self.server.data) as again:
            records, seconds = lag(metrics(again), "application", "billing")
        self.assertEqual(records, 4)
        self.assertGreater(seconds, 0)

    def test_an_application_of_many_streams_is_shown_for_each(self):
        self.create("s")
        self.create("t")
        first = self.put("s", 2)[0]
        self.put("t", 3)
        put_lease = self.lease_table("all")
        put_lease("000000000000:s:1700000000:shardId-000000000000", first)
        put_lease("000000000000:t:1700000000:shardId-000000000000", "TRIM_HORIZON")
        values = self.after(lambda page: lag(page, "application", "all", "t") is not None)
        self.assertEqual(lag(values, "application", "all")[0], 1)
        self.assertEqual(lag(values, "application", "all", "t")[0], 3)

    def test_a_table_that_fits_no_stream_or_several_is_counted(self):
        self.lease_table("nobody")("shardId-000000000000", "TRIM_HORIZON")
        self.after(lambda page: page["millrace_lease_tables_unmatched",] == 1)

    def test_a_table_whose_stream_is_gone_is_not_taken_for_one_of_another(self):
        self.create("s")
        put_lease = self.lease_table("billing")
        put_lease("shardId-000000000000", self.put("s", 1)[0])
        put_lease("shardId-000000000001", "SHARD_END")
        self.after(lambda page: lag(page, "application", "billing") is not None)
        self.kinesis.delete_stream(StreamName="s")
        self.kinesis.get_waiter("stream_not_exists").wait(StreamName="s", WaiterConfig={"Delay": 0.1})
        time.sleep(1.1)  # streams of one second cannot be told apart
        self.create("other", 2)
        values = self.after(lambda page: page["millrace_lease_tables_unmatched",] == 1)
        self.assertIsNone(lag(values, "application", "billing", "other"))

    def test_streams_of_one_second_are_told_apart_by_their_records(self):
        self.kinesis.create_stream(StreamName="s", ShardCount=1)
        self.kinesis.create_stream(StreamName="t", ShardCount=1)
        time.sleep(0.5)
        number = self.put("s", 2)[0]
        time.sleep(2.1)
        self.put("t", 3)
        self.lease_table("billing")("shardId-000000000000", number)
        values = self.after(lambda page: lag(page, "application", "billing") is not None)
        self.assertEqual(lag(values, "application", "billing")[0], 1)
        self.assertIsNone(lag(values, "application", "billing", "t"))

    def test_more_streams_than_are_shown_are_one_line(self):
        for i in range(103):
            self.kinesis.create_stream(StreamName=f"s-{i}", ShardCount=1)
        time.sleep(1)
        for i in range(103):
            self.put(f"s-{i}", 1)
        names = lambda page: {dict(key[1:])["stream"] for key in page if key[0] == "millrace_stream_in_records_total"}
        total = lambda page: sum(value for key, value in page.items() if key[0] == "millrace_stream_in_records_total")
        values = self.after(lambda page: total(page) == 103)
        self.assertEqual(len(names(values)), 101)
        self.assertIn("(others)", names(values))
        self.assertIn("the 100 busiest streams", self.server.get("/metrics")[2])

    def test_nothing_is_shown_of_operations_that_nobody_called(self):
        self.create("s")
        page = self.server.get("/metrics")[2]
        self.assertIn('operation="CreateStream"', page)
        self.assertNotIn('operation="MergeShards"', page)

    def test_commits_and_the_disk(self):
        values = metrics(self.server)
        self.assertFalse([key for key in values if key[0] == "millrace_log_commit_seconds_count"])
        self.create("s")
        self.put("s", 3)
        values = metrics(self.server)
        self.assertEqual(values["millrace_log_commit_seconds_count",], 3)
        self.assertEqual(values["millrace_log_sync_seconds_count",], 3)
        self.assertGreaterEqual(values["millrace_log_commit_seconds_sum",], values["millrace_log_sync_seconds_sum",])
        free = os.statvfs(self.server.data)
        self.assertAlmostEqual(values["millrace_disk_free_bytes",] / (free.f_bavail * free.f_frsize), 1, delta=0.2)
        self.after(lambda page: page["millrace_log_unsettled_bytes",] > 0)

    def test_no_secret_is_on_the_page(self):
        self.create("s")
        self.put("s", 1)
        self.assertNotIn(KEYS["MILLRACE_ROOT_SECRET_KEY"], self.server.get("/metrics")[2])


class Auth(unittest.TestCase):
    TOKEN = "a-token-of-the-tests"

    def get(self, server: Server, *headers: str) -> int:
        import http.client
        connection = http.client.HTTPConnection(server.address, timeout=10)
        connection.request("GET", "/metrics", headers={"Authorization": headers[0]} if headers else {})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 401:
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        connection.close()
        return answer.status

    def test_the_page_wants_the_token_where_one_is_set(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.TOKEN + "\n")
            file.flush()
            with Server("--metrics-auth", file.name) as server:
                self.assertEqual(self.get(server), 401)
                self.assertEqual(self.get(server, f"Bearer {self.TOKEN}x"), 401)
                self.assertEqual(self.get(server, f"Basic {self.TOKEN}"), 401)
                self.assertEqual(self.get(server, f"Bearer {self.TOKEN}"), 200)
                self.assertEqual(server.get("/healthz")[0], 200)
                file.seek(0)
                file.truncate()
                file.write("another-token-of-the-tests")
                file.flush()
                server.process.send_signal(signal.SIGHUP)
                until = time.monotonic() + 10
                while self.get(server, "Bearer another-token-of-the-tests") != 200 and time.monotonic() < until:
                    time.sleep(0.05)
                self.assertEqual(self.get(server, "Bearer another-token-of-the-tests"), 200)
                self.assertEqual(self.get(server, f"Bearer {self.TOKEN}"), 401)

    def test_a_token_that_does_not_fit_ends_the_start(self):
        from process import run
        with tempfile.TemporaryDirectory() as folder:
            for content in ("short", "a token with blanks in it", ""):
                path = os.path.join(folder, "token")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content)
                done = run("serve", "--listen", "127.0.0.1:0", "--data", folder + "/data", "--metrics-auth", path)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("--metrics-auth", done.stderr)
            done = run("serve", "--listen", "127.0.0.1:0", "--data", folder + "/data", "--metrics-auth", "/nowhere")
            self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    unittest.main()
