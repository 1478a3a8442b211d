"""Quotas by `millrace admin quota`: what passes and what is refused, over restarts and kill -9 too."""

import os
import threading
import time
import urllib.request

from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, SECRET_KEY, Server
from clients.identity import Admin, arn, client, document, error_of

EXCEEDED = "ProvisionedThroughputExceededException"
PUT = {"StreamName": "clicks", "PartitionKey": "k", "Data": b"123456789"}  # 10 bytes


def put_records(kinesis, count):
    """How many passed, and the messages of the others."""
    records = [{"PartitionKey": "k", "Data": b"123456789"} for _ in range(count)]
    answer = kinesis.put_records(StreamName="clicks", Records=records)
    failed = [row for row in answer["Records"] if "ErrorCode" in row]
    equal(answer["FailedRecordCount"], len(failed))
    assert all(row["ErrorCode"] == EXCEEDED for row in failed), failed
    return count - len(failed), {row["ErrorMessage"] for row in failed}


def commands(cases, admin):
    with cases.case("admin quota: set, list, replace and remove"):
        admin("user", "add", "temp")
        admin("quota", "set", "--user", "temp", "--records-in", "10", "--bytes-in", "64KiB")
        admin("quota", "set", "--stream", "not-yet-there", "--bytes-out", "1MiB")
        admin("quota", "set", "--default", "--requests", "500")
        equal(admin("quota", "list")["Quotas"], [
            {"Owner": "default", "RequestsPerSecond": 500}, {"Owner": "stream/not-yet-there", "BytesOutPerSecond": 1 << 20},
            {"Owner": "user/temp", "RecordsInPerSecond": 10, "BytesInPerSecond": 65536}])
        admin("quota", "set", "--user", "temp", "--requests", "7")
        assert {"Owner": "user/temp", "RequestsPerSecond": 7} in admin("quota", "list")["Quotas"]
        admin("quota", "remove", "--default")
        admin("quota", "remove", "--stream", "not-yet-there")
        admin("user", "remove", "temp")
        equal(admin("quota", "list")["Quotas"], [], "the user's went with it")
    with cases.case("admin quota: what does not fit is refused by field and limit"):
        admin("user", "add", "temp")
        admin.refused("quota", "set", "--user", "temp", "--records-in", "0",
                      says="RecordsInPerSecond is 0: must be a whole number, 1 to 100000000")
        admin.refused("quota", "set", "--user", "temp", "--bytes-out", "1TiB",
                      says="BytesOutPerSecond is 1099511627776: must be a whole number, 1 to 100000000000")
        admin.refused("quota", "set", "--user", "temp", says="a quota needs at least one of RecordsInPerSecond")
        admin.refused("quota", "set", "--user", "temp", "--requests", "many", says="--requests", code=2)
        admin.refused("quota", "set", "--requests", "1", says="--user,--role,--stream,--default", code=2)
        admin.refused("quota", "set", "--user", "a", "--role", "b", "--requests", "1", says="--user,--role,--stream,--default", code=2)
        admin.refused("quota", "set", "--user", "nobody", "--requests", "1", says="there is no user nobody")
        admin.refused("quota", "set", "--stream", "a b", "--requests", "1", says='stream name "a b" must be 1 to 128')
        admin.refused("quota", "remove", "--user", "temp", says="there is no quota of user/temp")
        admin.refused("quota", says="role or quota, and what of it?", code=2)
        admin("user", "remove", "temp")
    with cases.case("admin quota: others than root need the action on the quota"):
        admin("user", "add", "helper")
        key = admin("key", "create", "helper")
        other = Admin(admin.binary, admin.environment["MILLRACE_ENDPOINT"], key["AccessKeyId"], key["SecretAccessKey"])
        other.refused("quota", "set", "--user", "helper", "--requests", "9",
                      says="is not authorized to perform: millrace:PutQuota on resource: " + arn("quota", "user/helper"))
        other.refused("quota", "list", says="millrace:ListQuotas")
        other.refused("quota", "remove", "--default", says="millrace:DeleteQuota")
        admin("policy", "put-inline", "streams", "-", "--user", "helper",
              stdin=document("Allow", "millrace:PutQuota", arn("quota", "stream/*")))
        other("quota", "set", "--stream", "x", "--requests", "9")
        other.refused("quota", "set", "--default", "--requests", "9", says="millrace:PutQuota")
        admin("quota", "remove", "--stream", "x")
        admin("user", "remove", "helper")


def throughput(cases, server, admin):
    root = client(server.endpoint, "kinesis", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
    root.create_stream(StreamName="clicks", ShardCount=1)
    root.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 1})
    admin("user", "add", "producer")
    admin("policy", "put-inline", "all", "-", "--user", "producer", stdin=document("Allow", "*"))
    keys = admin("key", "create", "producer")
    kinesis = client(server.endpoint, "kinesis", keys)
    with cases.case("quotas: without one, nothing is refused"):
        equal(put_records(kinesis, 500), (500, set()))
        assert "millrace_quota_exceeded_total{" not in metrics(server)
    with cases.case("quotas: what is over fails record by record and names the quota, and shows in the metrics"):
        admin("quota", "set", "--user", "producer", "--records-in", "100")
        passed, messages = put_records(kinesis, 500)
        assert 100 <= passed <= 150, passed
        equal(messages, {"Rate exceeded: the quota of user producer is 100 records/s in."})
        assert f'millrace_quota_exceeded_total{{figure="records_in"}} {500 - passed}' in metrics(server)
        equal(put_records(root, 500), (500, set()))
    with cases.case("quotas: connections on all loops share one, over seconds too"):
        began = time.monotonic()
        admin("quota", "set", "--user", "producer", "--records-in", "50")
        got = []

        def produce():
            mine = client(server.endpoint, "kinesis", keys)
            sum_ = 0
            while time.monotonic() < began + 4:
                sum_ += put_records(mine, 5)[0]
            got.append(sum_)
        threads = [threading.Thread(target=produce) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bound = 50 * (time.monotonic() - began + 1)
        assert 100 <= sum(got) <= bound, (got, bound)
    with cases.case("quotas: a session of a role has the role's"):
        admin("role", "create", "job", "--trust", "-", stdin=document("Allow", "sts:AssumeRole", Principal={"AWS": "*"})
              .replace('"Resource": "*", ', ""))
        admin("policy", "put-inline", "all", "-", "--role", "job", stdin=document("Allow", "*"))
        admin("quota", "set", "--role", "job", "--requests", "2")
        sts = client(server.endpoint, "sts", keys)
        session = client(server.endpoint, "kinesis", sts.assume_role(
            RoleArn=arn("role", "job"), RoleSessionName="one")["Credentials"])
        other = client(server.endpoint, "kinesis", sts.assume_role(
            RoleArn=arn("role", "job"), RoleSessionName="two")["Credentials"])
        session.list_streams()
        other.list_streams()
        equal(error_of(session.list_streams), (EXCEEDED, "Rate exceeded: the quota of role job is 2 requests/s."))
    with cases.case("quotas: GetRecords is held off until what it gave is paid"):
        admin("quota", "set", "--user", "producer", "--bytes-out", "10")
        iterator = root.get_shard_iterator(StreamName="clicks", ShardId="shardId-000000000000",
                                           ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        equal(len(kinesis.get_records(ShardIterator=iterator)["Records"]), 1, "a second's worth at most")
        equal(len(kinesis.get_records(ShardIterator=iterator)["Records"]), 1, "and into debt")
        equal(error_of(kinesis.get_records, ShardIterator=iterator),
              (EXCEEDED, "Rate exceeded: the quota of user producer is 10 bytes/s out."))
        eventually(lambda: kinesis.get_records(ShardIterator=iterator), 10, "a read that passes")
    return kinesis


def durability(cases, server, admin, kinesis):
    with cases.case("quotas: kill -9 right after an acknowledged change loses none"):
        for figure in (3, 5):
            admin("quota", "set", "--stream", "clicks", "--records-in", str(figure))
            server.kill9()
            server.start()
            assert {"Owner": "stream/clicks", "RecordsInPerSecond": figure} in admin("quota", "list")["Quotas"]
            passed, messages = put_records(kinesis, 100)
            assert figure <= passed <= figure + 5, passed
            equal(messages, {f"Rate exceeded: the quota of stream clicks is {figure} records/s in."})
        admin("quota", "remove", "--stream", "clicks")
        server.kill9()
        server.start()
        equal(put_records(kinesis, 100), (100, set()))
    with cases.case("quotas: a snapshot keeps them"):
        for figure in range(1, 300):  # more changes than are kept one by one
            admin("quota", "set", "--stream", "clicks", "--records-in", str(figure))
        server.kill9()
        server.start()
        assert {"Owner": "stream/clicks", "RecordsInPerSecond": 299} in admin("quota", "list")["Quotas"]


def metrics(server):
    with urllib.request.urlopen(server.endpoint + "/metrics", timeout=30) as answer:
        return answer.read().decode()


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "quotas"), flags=["--loops", "2"]) as server:
        server.start()
        admin = Admin(binary, server.endpoint)
        commands(cases, admin)
        kinesis = throughput(cases, server, admin)
        durability(cases, server, admin, kinesis)
        equal(server.stop(), 0)
    with cases.case("quotas: a server that checks no signatures has those of streams"):
        with Server(binary, os.path.join(scratch, "quotas-unchecked"), signed=False) as server:
            server.start()
            admin = Admin(binary, server.endpoint)
            kinesis = client(server.endpoint, "kinesis", {"AccessKeyId": "any", "SecretAccessKey": "thing"})
            kinesis.create_stream(StreamName="clicks", ShardCount=1)
            kinesis.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 1})
            admin("quota", "set", "--stream", "clicks", "--records-in", "2")
            admin.refused("quota", "set", "--user", "u", "--records-in", "2", says="there is no user u")
            assert 2 <= put_records(kinesis, 50)[0] <= 5
