"""boto3 as people use it: every operation, paginators, waiters, exceptions, big and odd records, lineage, restarts."""

import contextlib
import datetime
import hashlib
import os
import time
import uuid

import boto3
import botocore.exceptions
import urllib3
from botocore.config import Config

from black_box import coverage_page
from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from clients import every_operation

HASH_MAX = 2**128 - 1
urllib3.disable_warnings()  # of certificates: the tests' own are not verified here, but in sdk_js


def client_of(endpoint, access=ACCESS_KEY, secret=SECRET_KEY, attempts=2):
    return boto3.client("kinesis", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=access,
                        aws_secret_access_key=secret, verify=False,
                        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=60))


def created(kinesis, shards=1, prefix="s"):
    name = f"{prefix}-{uuid.uuid4().hex[:10]}"
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    waiting(kinesis, "stream_exists", name)
    return name


def waiting(kinesis, waiter, name):
    kinesis.get_waiter(waiter).wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def active(kinesis, name):
    eventually(lambda: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"]
               == "ACTIVE", 30, f"{name} ACTIVE")


def shards_of(kinesis, name, **request):
    return kinesis.list_shards(StreamName=name, **request)["Shards"]


def ids(shards):
    return [int(shard["ShardId"][8:]) for shard in shards]


def iterator(kinesis, name, shard=0, kind="TRIM_HORIZON", **position):
    return kinesis.get_shard_iterator(StreamName=name, ShardId=f"shardId-{shard:012d}", ShardIteratorType=kind,
                                      **position)["ShardIterator"]


def read(kinesis, at, limit=None):
    """All records from an iterator to the tip (or the shard's end)."""
    records = []
    while at:
        page = kinesis.get_records(ShardIterator=at, **({"Limit": limit} if limit else {}))
        records += page["Records"]
        at = page.get("NextShardIterator")
        if not page["Records"] and page["MillisBehindLatest"] == 0:
            break
    return records


def read_shard(kinesis, name, shard=0, **how):
    return read(kinesis, iterator(kinesis, name, shard), **how)


def error_of(call, **request):
    try:
        call(**request)
    except botocore.exceptions.ClientError as error:
        return error
    raise AssertionError("no error")


def streams(cases, kinesis):
    with cases.case("create, wait, describe, summary, list, delete, wait"):
        name = created(kinesis, 2)
        description = kinesis.describe_stream(StreamName=name)["StreamDescription"]
        equal((description["StreamStatus"], len(description["Shards"])), ("ACTIVE", 2))
        assert isinstance(description["StreamCreationTimestamp"], datetime.datetime)
        equal(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"], 2)
        assert name in kinesis.list_streams(Limit=10_000)["StreamNames"]
        kinesis.delete_stream(StreamName=name)
        waiting(kinesis, "stream_not_exists", name)
        assert name not in kinesis.list_streams(Limit=10_000)["StreamNames"]
    with cases.case("a stream on demand has shards of its own accord"):
        name = f"demand-{uuid.uuid4().hex[:8]}"
        kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        waiting(kinesis, "stream_exists", name)
        description = kinesis.describe_stream(StreamName=name)["StreamDescription"]
        equal((description["StreamModeDetails"], len(description["Shards"])), ({"StreamMode": "ON_DEMAND"}, 4))
        assert kinesis.describe_limits()["OnDemandStreamCount"] >= 1
        kinesis.delete_stream(StreamName=name)
    with cases.case("a stream created by its name alone is on demand: four shards, as the service gives it"):
        name = f"bare-{uuid.uuid4().hex[:8]}"
        kinesis.create_stream(StreamName=name)
        waiting(kinesis, "stream_exists", name)
        equal(len(shards_of(kinesis, name)), 4)
        kinesis.delete_stream(StreamName=name)
    with cases.case("pages list every stream, shard and described shard once"):
        prefix = f"page-{uuid.uuid4().hex[:6]}"
        names = sorted(f"{prefix}-{i}" for i in range(7))
        for name in names:
            kinesis.create_stream(StreamName=name, ShardCount=1 if name != names[0] else 7)
        for name in names:
            active(kinesis, name)
        pages = list(kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 3}))
        listed = [name for page in pages for name in page["StreamNames"]]
        equal(listed, sorted(set(listed)))
        assert set(names) <= set(listed) and len(pages) >= 3
        # Not by the paginator, which sends StreamName beside NextToken: the service refuses that.
        pages = [kinesis.list_shards(StreamName=names[0], MaxResults=3)]
        while "NextToken" in pages[-1]:
            pages.append(kinesis.list_shards(NextToken=pages[-1]["NextToken"], MaxResults=3))
        equal([ids(page["Shards"]) for page in pages], [[0, 1, 2], [3, 4, 5], [6]])
        pages = list(kinesis.get_paginator("describe_stream").paginate(StreamName=names[0],
                                                                       PaginationConfig={"PageSize": 4}))
        equal([ids(page["StreamDescription"]["Shards"]) for page in pages], [[0, 1, 2, 3], [4, 5, 6]])
        for name in names:
            kinesis.delete_stream(StreamName=name)
    with cases.case("retention up to 365 days, and back"):
        name = created(kinesis)
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=8760)
        equal(kinesis.describe_stream(StreamName=name)["StreamDescription"]["RetentionPeriodHours"], 8760)
        code = error_of(kinesis.increase_stream_retention_period, StreamName=name, RetentionPeriodHours=8761)
        assert code.response["Error"]["Code"] in ("InvalidArgumentException", "ValidationException"), code
        kinesis.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=24)
        equal(kinesis.describe_stream(StreamName=name)["StreamDescription"]["RetentionPeriodHours"], 24)
    with cases.case("exceptions have their own classes and the service's codes"):
        name = created(kinesis)
        for expected, call, request in [
            (kinesis.exceptions.ResourceInUseException, kinesis.create_stream, {"StreamName": name, "ShardCount": 1}),
            (kinesis.exceptions.ResourceNotFoundException, kinesis.describe_stream, {"StreamName": "nowhere"}),
            (kinesis.exceptions.InvalidArgumentException, kinesis.get_records, {"ShardIterator": "gibberish"}),
            (kinesis.exceptions.LimitExceededException, kinesis.create_stream,
             {"StreamName": "huge", "ShardCount": 100_000}),
        ]:
            error = error_of(call, **request)
            assert isinstance(error, expected), repr(error)
            equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
            assert error.response["ResponseMetadata"]["RequestId"]
        equal(error_of(kinesis.put_record, StreamName=name, PartitionKey="k" * 257, Data=b"").response["Error"]["Code"],
              "ValidationException")


def records(cases, kinesis):
    name = created(kinesis, 3, "records")
    with cases.case("put_record and put_records come back as sent, in order"):
        put = kinesis.put_record(StreamName=name, PartitionKey="a", Data=b"first")
        equal(put["ShardId"], "shardId-000000000000")
        batch = kinesis.put_records(StreamName=name, Records=[{"PartitionKey": "a", "Data": f"{i}".encode()}
                                                              for i in range(500)])
        equal((batch["FailedRecordCount"], len(batch["Records"])), (0, 500))
        numbers = [int(put["SequenceNumber"]), *(int(record["SequenceNumber"]) for record in batch["Records"])]
        equal(numbers, sorted(set(numbers)))
        got = read_shard(kinesis, name)
        equal([record["Data"] for record in got], [b"first", *(f"{i}".encode() for i in range(500))])
        equal([int(record["SequenceNumber"]) for record in got], numbers)
        now = datetime.datetime.now(datetime.timezone.utc)
        assert all(abs((now - record["ApproximateArrivalTimestamp"]).total_seconds()) < 60 for record in got)
    with cases.case("any bytes and any partition key pass unchanged"):
        payloads = [b"", b"\0", bytes(range(256)), os.urandom(10_001), "ünicödé 统一码 💣".encode()]
        keys = ["k", "ключ", "💣" * 128, "統" * 256, "a\"b\\c\nd\te\u2028f\u0001", " "]
        sent = [(key, data) for key in keys for data in payloads]
        answers = kinesis.put_records(StreamName=name, Records=[{"PartitionKey": key, "Data": data}
                                                                for key, data in sent])["Records"]
        third = 2**128 // 3
        for shard in range(3):
            here = [(key, data) for (key, data), answer in zip(sent, answers)
                    if answer["ShardId"] == f"shardId-{shard:012d}"]
            got = [(record["PartitionKey"], record["Data"]) for record in read_shard(kinesis, name, shard)]
            equal(got[len(got) - len(here):] if here else [], here)
        for (key, _), answer in zip(sent, answers):
            expected = min(2, int(hashlib.md5(key.encode()).hexdigest(), 16) // third)
            equal(answer["ShardId"], f"shardId-{expected:012d}", repr(key))
    with cases.case("ExplicitHashKey outranks the partition key, at every edge of a shard"):
        third = 2**128 // 3
        for hash_key, shard in [(0, 0), (third - 1, 0), (third, 1), (2 * third - 1, 1), (2 * third, 2), (HASH_MAX, 2)]:
            put = kinesis.put_record(StreamName=name, PartitionKey="a", ExplicitHashKey=str(hash_key), Data=b"")
            equal(put["ShardId"], f"shardId-{shard:012d}", hex(hash_key))
    with cases.case("SequenceNumberForOrdering chains records"):
        last, numbers = None, []
        for i in range(20):
            put = kinesis.put_record(StreamName=name, PartitionKey="a", Data=b"%d" % i,
                                     **({"SequenceNumberForOrdering": last} if last else {}))
            last = put["SequenceNumber"]
            numbers.append(int(last))
        equal(numbers, sorted(set(numbers)))
    with cases.case("a bad record fails the whole PutRecords and nothing is written"):
        before = len(read_shard(kinesis, name))
        equal(error_of(kinesis.put_records, StreamName=name, Records=[
            {"PartitionKey": "a", "Data": b"never"}, {"PartitionKey": "a", "ExplicitHashKey": str(2**128), "Data": b""}
        ]).response["Error"]["Code"], "InvalidArgumentException")
        equal(len(read_shard(kinesis, name)), before)


def large_records(cases, kinesis):
    name = created(kinesis, 1, "large")
    mib = 1024 * 1024
    with cases.case("records of 1, 5 and 10 MiB come back unchanged"):
        sent = [os.urandom(size) for size in (mib, 5 * mib, 10 * mib)]
        for data in sent:
            kinesis.put_record(StreamName=name, PartitionKey="k", Data=data)
        got = read_shard(kinesis, name)
        equal([hashlib.sha256(record["Data"]).hexdigest() for record in got],
              [hashlib.sha256(data).hexdigest() for data in sent])
    with cases.case("a record over 10 MiB is refused"):
        code = error_of(kinesis.put_record, StreamName=name, PartitionKey="k", Data=bytes(10 * mib + 1))
        equal(code.response["Error"]["Code"], "ValidationException")
    with cases.case("GetRecords answers at most 10 MiB at a time, and all in the end"):
        name = created(kinesis, 1, "pages")
        for i in range(4):
            kinesis.put_records(StreamName=name, Records=[{"PartitionKey": "k", "Data": bytes([i]) * mib}] * 4)
        at, sizes = iterator(kinesis, name), []
        while sum(sizes) < 16 * mib:
            page = kinesis.get_records(ShardIterator=at)
            sizes.append(sum(len(record["Data"]) for record in page["Records"]))
            assert 0 < sizes[-1] <= 10 * mib, sizes
            assert page["MillisBehindLatest"] >= 0
            at = page["NextShardIterator"]
        equal(sum(sizes), 16 * mib)
        assert len(sizes) >= 2, sizes


def reading(cases, kinesis):
    name = created(kinesis, 1, "reading")
    numbers = [kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"%d" % i)["SequenceNumber"]
               for i in range(3)]
    # botocore sends times in whole seconds.
    between = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=1)
    while datetime.datetime.now(datetime.timezone.utc) <= between:
        time.sleep(0.01)
    numbers += [kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"%d" % i)["SequenceNumber"]
                for i in range(3, 6)]

    def data(kind, **position):
        return [int(record["Data"]) for record in read(kinesis, iterator(kinesis, name, 0, kind, **position))]

    with cases.case("the five iterator types begin where they should"):
        equal(data("TRIM_HORIZON"), [0, 1, 2, 3, 4, 5])
        equal(data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]), [2, 3, 4, 5])
        equal(data("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]), [3, 4, 5])
        equal(data("LATEST"), [])
        equal(data("AT_TIMESTAMP", Timestamp=between), [3, 4, 5])
        start = shards_of(kinesis, name)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
        equal(data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=start), [0, 1, 2, 3, 4, 5])
    with cases.case("AT_TIMESTAMP takes any time: long ago, before the stream"):
        equal(data("AT_TIMESTAMP", Timestamp=datetime.datetime(2001, 1, 1)), [0, 1, 2, 3, 4, 5])
        equal(data("AT_TIMESTAMP", Timestamp=0), [0, 1, 2, 3, 4, 5])
    with cases.case("an iterator may be used again, and LATEST sees only what comes after"):
        at = iterator(kinesis, name, 0, "LATEST")
        equal(kinesis.get_records(ShardIterator=at)["Records"], [])
        kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"6")
        for _ in range(2):
            equal([record["Data"] for record in kinesis.get_records(ShardIterator=at)["Records"]], [b"6"])
    with cases.case("Limit parts the records, and NextShardIterator goes on behind each part"):
        at, parts = iterator(kinesis, name), []
        while not parts or parts[-1]:
            page = kinesis.get_records(ShardIterator=at, Limit=3)
            parts.append([int(record["Data"]) for record in page["Records"]])
            at = page["NextShardIterator"]
        equal(parts, [[0, 1, 2], [3, 4, 5], [6], []])
    with cases.case("MillisBehindLatest is above 0 while records are left, and 0 at the tip"):
        time.sleep(0.1)
        page = kinesis.get_records(ShardIterator=iterator(kinesis, name), Limit=1)
        assert page["MillisBehindLatest"] >= 50, page["MillisBehindLatest"]
        tip = kinesis.get_records(ShardIterator=iterator(kinesis, name))
        equal(tip["MillisBehindLatest"], 0)
        equal(kinesis.get_records(ShardIterator=tip["NextShardIterator"])["MillisBehindLatest"], 0)


def resharding(cases, kinesis):
    name = created(kinesis, 2, "lineage")
    half = 2**127

    def put(hash_key, data):
        return kinesis.put_record(StreamName=name, PartitionKey="k", ExplicitHashKey=str(hash_key), Data=data)

    def shard(index):
        return next(one for one in shards_of(kinesis, name) if int(one["ShardId"][8:]) == index)

    before = put(5, b"before")
    with cases.case("split: parent closed, children open, records go on in the child with greater numbers"):
        kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(half // 2))
        active(kinesis, name)
        parent, low, high = shard(0), shard(2), shard(3)
        assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
        equal((low["ParentShardId"], high["ParentShardId"]), (parent["ShardId"],) * 2)
        equal(low["HashKeyRange"], {"StartingHashKey": "0", "EndingHashKey": str(half // 2 - 1)})
        equal(high["HashKeyRange"], {"StartingHashKey": str(half // 2), "EndingHashKey": str(half - 1)})
        after = eventually(lambda: (lambda got: got if got["ShardId"] == low["ShardId"] else None)(put(5, b"after")),
                           10, "records in the child")
        assert int(after["SequenceNumber"]) > int(parent["SequenceNumberRange"]["EndingSequenceNumber"])
        assert int(after["SequenceNumber"]) > int(before["SequenceNumber"])
    with cases.case("a reader reaches the end of the parent and is told the children"):
        page = kinesis.get_records(ShardIterator=iterator(kinesis, name, 0))
        data = [record["Data"] for record in page["Records"]]
        while page.get("NextShardIterator"):
            page = kinesis.get_records(ShardIterator=page["NextShardIterator"])
            data += [record["Data"] for record in page["Records"]]
        equal(data[0], b"before")
        equal([(child["ShardId"], child["ParentShards"]) for child in page["ChildShards"]],
              [("shardId-000000000002", ["shardId-000000000000"]), ("shardId-000000000003", ["shardId-000000000000"])])
        equal([child["HashKeyRange"] for child in page["ChildShards"]],
              [shard(2)["HashKeyRange"], shard(3)["HashKeyRange"]])
    with cases.case("merge: both parents closed, one child with both as parents"):
        kinesis.merge_shards(StreamName=name, ShardToMerge="shardId-000000000003",
                             AdjacentShardToMerge="shardId-000000000001")
        active(kinesis, name)
        child = shard(4)
        equal((child["ParentShardId"], child["AdjacentParentShardId"]),
              ("shardId-000000000003", "shardId-000000000001"))
        equal(child["HashKeyRange"], {"StartingHashKey": str(half // 2), "EndingHashKey": str(HASH_MAX)})
        start = int(child["SequenceNumberRange"]["StartingSequenceNumber"])
        for parent in (1, 3):
            assert int(shard(parent)["SequenceNumberRange"]["EndingSequenceNumber"]) < start
    with cases.case("shard filters: at and from the latest, the horizon, a time, behind a shard"):
        def filtered(kind, **more):
            return ids(shards_of(kinesis, name, ShardFilter={"Type": kind, **more}))
        now = datetime.datetime.now(datetime.timezone.utc)
        equal(filtered("AT_LATEST"), [2, 4])
        equal(filtered("FROM_TRIM_HORIZON"), [0, 1, 2, 3, 4])
        equal(filtered("AT_TRIM_HORIZON"), [0, 1])
        equal(filtered("AFTER_SHARD_ID", ShardId="shardId-000000000002"), [3, 4])
        # A child's first second lies ahead of the split, as with the service, so nothing is asked of that moment.
        equal(filtered("FROM_TIMESTAMP", Timestamp=now - datetime.timedelta(hours=1)), [0, 1, 2, 3, 4])
        eventually(lambda: filtered("AT_TIMESTAMP", Timestamp=datetime.datetime.now(datetime.timezone.utc)) == [2, 4], 5,
                   "the open shards are those of now")
    with cases.case("UpdateShardCount splits and merges to even shares, and every record stays readable"):
        for target in (4, 2, 3):
            kinesis.put_records(StreamName=name, Records=[
                {"PartitionKey": f"{target}-{i}", "Data": f"{target}-{i}".encode()} for i in range(50)])
            answer = kinesis.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
            equal((answer["StreamName"], answer["TargetShardCount"]), (name, target))
            active(kinesis, name)
            opened = [one for one in shards_of(kinesis, name) if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
            ranges = sorted((int(one["HashKeyRange"]["StartingHashKey"]), int(one["HashKeyRange"]["EndingHashKey"]))
                            for one in opened)
            equal(len(ranges), target)
            equal((ranges[0][0], ranges[-1][1]), (0, HASH_MAX))
            for (_, last), (first, _) in zip(ranges, ranges[1:]):
                equal(first, last + 1)
            for first, last in ranges:
                assert abs((last - first) - 2**128 // target) <= 2**128 // 1000, (target, ranges)
        got = {record["Data"] for one in shards_of(kinesis, name)
               for record in read_shard(kinesis, name, int(one["ShardId"][8:]))}
        assert {f"{target}-{i}".encode() for target in (4, 2, 3) for i in range(50)} <= got
        code = error_of(kinesis.update_shard_count, StreamName=name, TargetShardCount=7, ScalingType="UNIFORM_SCALING")
        equal(code.response["Error"]["Code"], "InvalidArgumentException", "more than double the open shards")


def restarting(cases, server, kinesis):
    """After a clean stop and after a kill, all is there: streams, tags, retention, lineage, records, old iterators."""
    name = created(kinesis, 2, "restart")
    kinesis.add_tags_to_stream(StreamName=name, Tags={"team": "clicks"})
    kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey="1000")
    active(kinesis, name)
    sent = [f"{i}".encode() * (1 + i % 97) for i in range(1000)]
    answers = []
    for i in range(0, 1000, 250):
        answers += kinesis.put_records(StreamName=name, Records=[
            {"PartitionKey": f"k{j}", "Data": sent[j]} for j in range(i, i + 250)])["Records"]
    shards = shards_of(kinesis, name)
    middle = next(answer for answer in answers[500:] if answer["ShardId"] == "shardId-000000000001")
    kept = kinesis.get_shard_iterator(StreamName=name, ShardId=middle["ShardId"], ShardIteratorType="AT_SEQUENCE_NUMBER",
                                      StartingSequenceNumber=middle["SequenceNumber"])["ShardIterator"]

    for how in ("a clean stop", "kill -9"):
        with cases.case(f"after {how} everything is there"):
            if how == "kill -9":
                server.kill9()
            else:
                equal(server.stop(), 0, "exit code")
            server.start()
            equal(shards_of(kinesis, name), shards)
            summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
            equal((summary["RetentionPeriodHours"], summary["OpenShardCount"]), (48, 3))
            equal(kinesis.list_tags_for_stream(StreamName=name)["Tags"], [{"Key": "team", "Value": "clicks"}])
            got = {}
            for shard in ids(shards):
                for record in read_shard(kinesis, name, shard):
                    got[record["SequenceNumber"]] = record["Data"]
            equal(got, {answer["SequenceNumber"]: data for answer, data in zip(answers, sent)})
            equal(kinesis.get_records(ShardIterator=kept, Limit=1)["Records"][0]["SequenceNumber"],
                  middle["SequenceNumber"])
            put = kinesis.put_record(StreamName=name, PartitionKey="k0", Data=how.encode())
            assert int(put["SequenceNumber"]) > max(int(answer["SequenceNumber"]) for answer in answers
                                                    if answer["ShardId"] == put["ShardId"])
            answers.append(put)
            sent.append(how.encode())


def credentials(cases, endpoint, kinesis):
    with cases.case("wrong credentials are refused with the service's codes"):
        for access, secret, code in [(ACCESS_KEY, "wrong", "InvalidSignatureException"),
                                     ("AKIDNOBODY", SECRET_KEY, "UnrecognizedClientException")]:
            error = error_of(client_of(endpoint, access, secret, attempts=1).list_streams)
            equal(error.response["Error"]["Code"], code)
            equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)


def every(cases, kinesis):
    """Each operation once."""
    methods = {operation: method for method, operation in kinesis.meta.method_to_api_mapping.items()}

    def call(operation, request):
        answer = getattr(kinesis, methods[operation])(**request)
        if operation == "SubscribeToShard":
            with contextlib.closing(answer["EventStream"]) as events:
                return next(iter(events))["SubscribeToShardEvent"]
        return answer

    covered = every_operation.run(cases, kinesis.meta.endpoint_url, methods.__contains__, call)
    coverage_page.check(cases, "boto3", covered, set(methods))


def run(cases, server, endpoint, *, checks_signatures):
    """`server` is None where it is not ours to restart."""
    kinesis = client_of(endpoint) if checks_signatures else client_of(endpoint, "anything", "goes")
    streams(cases, kinesis)
    records(cases, kinesis)
    reading(cases, kinesis)
    if not checks_signatures:
        return
    large_records(cases, kinesis)
    resharding(cases, kinesis)
    credentials(cases, endpoint, kinesis)
    every(cases, kinesis)
    if server is not None:
        restarting(cases, server, kinesis)
