"""What the real service answered to the tests of LocalStack (those marked as validated) and of moto; after kinesalite's time."""

import base64
import uuid

from black_box.cases import equal
from black_box.wire import API, b64

CBOR = "application/x-amz-cbor-1.1"
UNIFORM = "UNIFORM_SCALING"


def cbor_text(text):
    data = text.encode()
    return (bytes([0x60 | len(data)]) if len(data) < 24 else bytes([0x78, len(data)])) + data


def cbor_post(wire, operation, **members):
    body = bytes([0xa0 | len(members)]) + b"".join(
        cbor_text(name) + (value if isinstance(value, bytes) else cbor_text(value)) for name, value in members.items())
    answer = wire.exchange(headers={"content-type": CBOR, "x-amz-target": f"{API}.{operation}"}, body=body)
    equal(answer.headers["content-type"], CBOR)
    return answer


def new_stream(wire, shards):
    name = f"later-{uuid.uuid4().hex[:8]}"
    wire.call("CreateStream", StreamName=name, ShardCount=shards)
    wire.wait_active(name)
    return name


def open_shards(wire, name):
    return [shard for shard in wire.shards(name) if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]


def iterators(cases, wire, name):
    first = {"StreamName": name, "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    with cases.case("an iterator in its JSON quotes is taken"):
        wire.call("PutRecord", StreamName=name, PartitionKey="1", ExplicitHashKey="0", Data=b64(b"Hello world"))
        iterator = wire.call("GetShardIterator", **first)["ShardIterator"]
        page = wire.call("GetRecords", ShardIterator=f'"{iterator}"')
        equal([record["Data"] for record in page["Records"]], [b64(b"Hello world")])
    with cases.case("each answer has an iterator of its own, also where nothing is read"):
        iterator = wire.call("GetShardIterator", **{**first, "ShardIteratorType": "LATEST"})["ShardIterator"]
        seen = [iterator]
        for _ in range(3):
            seen.append(wire.call("GetRecords", ShardIterator=seen[-1])["NextShardIterator"])
        equal(len(set(seen)), len(seen))
    with cases.case("records have these members and no others, the answer too"):
        page = wire.call("GetRecords", ShardIterator=wire.call("GetShardIterator", **first)["ShardIterator"])
        equal(sorted(page), ["MillisBehindLatest", "NextShardIterator", "Records"])
        equal(sorted(page["Records"][0]), ["ApproximateArrivalTimestamp", "Data", "PartitionKey", "SequenceNumber"])


def cbor(cases, wire, name):
    with cases.case("CBOR: times are integer milliseconds under the tag of times"):
        answer = cbor_post(wire, "DescribeStream", StreamName=name)
        equal(answer.status, 200)
        at = answer.body.index(b"StreamCreationTimestamp") + len(b"StreamCreationTimestamp")
        equal(answer.body[at:at + 2], b"\xc1\x1b")
        created = wire.call("DescribeStream", StreamName=name)["StreamDescription"]["StreamCreationTimestamp"]
        equal(int.from_bytes(answer.body[at + 2:at + 10], "big"), round(created * 1000))
    with cases.case("CBOR: a time of a request may have the tag, and is in milliseconds"):
        answer = cbor_post(wire, "GetShardIterator", StreamName=name, ShardId="shardId-000000000000",
                           ShardIteratorType="AT_TIMESTAMP", Timestamp=b"\xc1\x1b" + (1_700_000_000_123).to_bytes(8, "big"))
        equal(answer.status, 200)
    with cases.case("CBOR: an error has __type and message"):
        answer = cbor_post(wire, "DescribeStream", StreamName="wrong-stream-name")
        equal(answer.status, 400)
        assert b"f__typex\x19ResourceNotFoundException" in answer.body, answer
        assert b"gmessage" in answer.body and b"Stream wrong-stream-name under account " in answer.body, answer


def resharding(cases, wire, name):
    for count, in_all in ((4, 6), (5, 6 + 11)):
        with cases.case(f"UpdateShardCount to {count} leaves {in_all} shards in all"):
            before = len(open_shards(wire, name))
            answer = wire.call("UpdateShardCount", StreamName=name, TargetShardCount=count, ScalingType=UNIFORM)
            equal((answer["StreamName"], answer["CurrentShardCount"], answer["TargetShardCount"]), (name, before, count))
            wire.wait_active(name)
            equal((len(open_shards(wire, name)), len(wire.shards(name))), (count, in_all))
    with cases.case("four shards to two leave six in all; merged again, a child names both"):
        other = new_stream(wire, 4)
        wire.call("UpdateShardCount", StreamName=other, TargetShardCount=2, ScalingType=UNIFORM)
        wire.wait_active(other)
        equal(len(wire.shards(other)), 6)
        wire.call("MergeShards", StreamName=other, ShardToMerge="shardId-000000000004",
                  AdjacentShardToMerge="shardId-000000000005")
        wire.wait_active(other)
        last = open_shards(wire, other)
        equal([(s["ShardId"], s["ParentShardId"], s["AdjacentParentShardId"]) for s in last],
              [("shardId-000000000006", "shardId-000000000004", "shardId-000000000005")])


def retention(cases, wire, name):
    for direction in ("Increase", "Decrease"):
        with cases.case(f"{direction}StreamRetentionPeriod: too long"):
            answer = wire.post(f"{direction}StreamRetentionPeriod", {"StreamName": name, "RetentionPeriodHours": 9999})
            equal(answer.json, {"__type": "InvalidArgumentException",
                                "message": "Maximum allowed retention period is 8760 hours. Requested retention period "
                                           "(9999 hours) is too long."})


def run(cases, wire):
    name = new_stream(wire, 2)
    with cases.case("any data comes back as it was: nothing, text of all kinds, a thousand bytes"):
        sent = [b"test", "\u00fcnic\u00f6d\u00e9 \u7edf\u4e00\u7801 \U0001f4a3".encode(), b"a" * 1000, b""]
        one = new_stream(wire, 1)
        for data in sent:
            wire.call("PutRecord", StreamName=one, PartitionKey="1", Data=b64(data))
        iterator = wire.call("GetShardIterator", StreamName=one, ShardId="shardId-0", ShardIteratorType="TRIM_HORIZON")
        equal([base64.b64decode(r["Data"]) for r in wire.call("GetRecords", **iterator)["Records"]], sent)
    iterators(cases, wire, name)
    cbor(cases, wire, name)
    retention(cases, wire, name)
    resharding(cases, wire, name)
