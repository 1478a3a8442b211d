"""What operations answer about streams, shards and records that exist, or do not: states, messages, shapes."""

import re
import time
import uuid

from black_box.cases import equal, eventually
from black_box.wire import b64

HASH_MAX = 2**128 - 1
THIRD = 2**128 // 3
RANGES = [(0, THIRD - 1), (THIRD, 2 * THIRD - 1), (2 * THIRD, HASH_MAX)]
BAD_TAGS = "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @."
WANTS_NUMBER = ("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or "
                "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ")


def shard_id(index):
    return f"shardId-{index:012d}"


class World:
    """One stream "known" of three shards, one name "absent", and the account they are under."""

    def __init__(self, wire):
        self.wire = wire
        self.known = f"known-{uuid.uuid4().hex[:8]}"
        self.absent = f"absent-{uuid.uuid4().hex[:8]}"
        self.account = re.search(r"under account (\S+) not found",
                                 wire.post("DeleteStream", {"StreamName": self.absent}).json["message"])[1]
        wire.call("CreateStream", StreamName=self.known, ShardCount=3)
        wire.wait_active(self.known)

    def no_stream(self, name=None):
        return f"Stream {name or self.absent} under account {self.account} not found."

    def no_shard(self, shard, stream=None):
        return f"Could not find shard {shard} in stream {stream or self.absent} under account {self.account}."

    def shard_absent(self, index, stream=None):
        return f"Shard {shard_id(index)} in stream {stream or self.absent} under account {self.account} does not exist"

    def refuses(self, operation, request, kind, message):
        answer = self.wire.post(operation, request)
        equal((answer.status, answer.json), (400, {"__type": kind, "message": message}), operation)


def refusals(world):
    """(operation, request, error type, message)"""
    known, absent, account = world.known, world.absent, world.account
    missing, argument, in_use = "ResourceNotFoundException", "InvalidArgumentException", "ResourceInUseException"
    here = f"in stream {known} under account {account}"

    yield "CreateStream", {"StreamName": known, "ShardCount": 1}, in_use, (
        f"Stream {known} under account {account} already exists.")

    for operation, request in {
        "DeleteStream": {}, "DescribeStream": {}, "DescribeStreamSummary": {}, "ListShards": {},
        "PutRecord": {"PartitionKey": "k", "Data": ""}, "PutRecords": {"Records": [{"PartitionKey": "k", "Data": ""}]},
        "SplitShard": {"ShardToSplit": "2147483647", "NewStartingHashKey": "0"},
        "MergeShards": {"ShardToMerge": "-00002147483647", "AdjacentShardToMerge": "shard-0"},
        "UpdateShardCount": {"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"},
        "IncreaseStreamRetentionPeriod": {"RetentionPeriodHours": 25},
        "DecreaseStreamRetentionPeriod": {"RetentionPeriodHours": 25},
        "AddTagsToStream": {"Tags": {"k": "v"}}, "RemoveTagsFromStream": {"TagKeys": [";"]},
        "ListTagsForStream": {"ExclusiveStartTagKey": "a", "Limit": 1},
    }.items():
        yield operation, {"StreamName": absent, **request}, missing, world.no_stream()

    # A shard is named by the number behind its last hyphen, or by a number alone.
    for name in ("2147483647", "anything-2147483647", "a-00002147483647", "-00002147483647"):
        yield "GetShardIterator", {"StreamName": absent, "ShardId": name, "ShardIteratorType": "LATEST"}, missing, (
            world.shard_absent(2147483647))
    for name in ("2147483648", "shardId-002147483648", "ABKLFD8", "2.14E4"):
        message = world.no_shard(name)
        yield "GetShardIterator", {"StreamName": absent, "ShardId": name, "ShardIteratorType": "LATEST"}, missing, message
        yield "SplitShard", {"StreamName": absent, "ShardToSplit": name, "NewStartingHashKey": "0"}, missing, message
        yield "MergeShards", {"StreamName": absent, "ShardToMerge": name, "AdjacentShardToMerge": "s-0"}, missing, message
        yield "MergeShards", {"StreamName": absent, "ShardToMerge": "s-0", "AdjacentShardToMerge": name}, missing, message
    yield "GetShardIterator", {"StreamName": known, "ShardId": "shardId-5", "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                               "StartingSequenceNumber": "5"}, missing, world.shard_absent(5, known)
    for operation, request in {
        "SplitShard": {"ShardToSplit": "shardId-5", "NewStartingHashKey": "0"},
        "MergeShards": {"ShardToMerge": "shardId-5", "AdjacentShardToMerge": "s-0"},
    }.items():
        yield operation, {"StreamName": known, **request}, missing, world.no_shard(shard_id(5), known)
    yield "MergeShards", {"StreamName": known, "ShardToMerge": "s-0", "AdjacentShardToMerge": "shardId-5"}, missing, (
        world.no_shard(shard_id(5), known))

    for split, index in (("1", 0), (str(THIRD - 1), 0), ("9" * 39, 2)):
        first, last = RANGES[index]
        yield "SplitShard", {"StreamName": known, "ShardToSplit": f"s-{index}", "NewStartingHashKey": split}, argument, (
            f"NewStartingHashKey {split} used in SplitShard() on shard {shard_id(index)} {here} is not both greater than "
            f"one plus the shard's StartingHashKey {first} and less than the shard's EndingHashKey {last}.")
    for one, other in ((0, 2), (1, 0), (0, 0)):
        yield "MergeShards", {"StreamName": known, "ShardToMerge": f"s-{one}", "AdjacentShardToMerge": f"s-{other}"}, (
            argument), (f"Shards {shard_id(one)} and {shard_id(other)} {here} are not an adjacent pair of shards "
                        "eligible for merging")

    beyond = str(2**128)
    for operation, request in {
        "PutRecord": {"PartitionKey": "a", "Data": "", "ExplicitHashKey": beyond},
        "PutRecords": {"Records": [{"PartitionKey": "a", "Data": ""},
                                   {"PartitionKey": "a", "Data": "", "ExplicitHashKey": beyond}]},
    }.items():
        yield operation, {"StreamName": known, **request}, argument, (
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {beyond}")
    for digits in ("20000000000000000000000000000000000000000000000", "20000000000000000000000000000000000000000000004",
                   "20000000000000000000000000000000000000000000003", "30000000000000000000000000000000000000000000001",
                   "1ffffffffff7fffffffffffffff000000000007fffffff2", "20000000000800000000000000000000000000000000002",
                   "13bb2cc3d80000000000000000000000", "2ffffffffff7fffffffffffffff000000000007fffffff2"):
        number = str(int(digits, 16))
        yield "PutRecord", {"StreamName": known, "PartitionKey": "a", "Data": "",
                            "SequenceNumberForOrdering": number}, argument, (
            f"ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {known} under account {account} is "
            "invalid.")

    at = {"StreamName": known, "ShardId": "shardId-0", "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        yield "GetShardIterator", {**at, "ShardIteratorType": kind}, argument, (
            f"{WANTS_NUMBER}{kind} and no StartingSequenceNumber.")
    for kind in ("LATEST", "TRIM_HORIZON"):
        yield "GetShardIterator", {**at, "ShardIteratorType": kind, "StartingSequenceNumber": "5"}, argument, (
            f"{WANTS_NUMBER}{kind} and also a StartingSequenceNumber.")
    for number, encoded in (("5", shard_id(5)),
                            (str(int("20000000000000000000000000000000000000800000002", 16)), "shardId--02147483648")):
        yield "GetShardIterator", {**at, "StartingSequenceNumber": number}, argument, (
            f"Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to a shard with "
            f"{shard_id(0)}")
    for digits in ("13bb2cc3d80000000000000000000000", "20000000000800000000000000000000000000000000002"):
        number = str(int(digits, 16))
        yield "GetShardIterator", {**at, "StartingSequenceNumber": number}, argument, (
            f"StartingSequenceNumber {number} used in GetShardIterator on shard {shard_id(0)} {here} is invalid.")
    yield "GetShardIterator", {**at, "ShardIteratorType": "AT_TIMESTAMP"}, argument, (
        "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp "
        "parameter.")
    yield "GetRecords", {"ShardIterator": "gibberish"}, argument, "Invalid ShardIterator."

    yield "ListShards", {}, argument, "Either NextToken or StreamName should be provided."
    yield "ListShards", {"StreamName": absent, "NextToken": absent}, argument, (
        "NextToken and StreamName cannot be provided together.")

    for operation in ("IncreaseStreamRetentionPeriod", "DecreaseStreamRetentionPeriod"):
        yield operation, {"StreamName": known, "RetentionPeriodHours": 23}, argument, (
            "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.")
    yield "DecreaseStreamRetentionPeriod", {"StreamName": known, "RetentionPeriodHours": 25}, argument, (
        f"Requested retention period (25 hours) for stream {known} can not be longer than existing retention period "
        "(24 hours). Use IncreaseRetentionPeriod API.")

    for character in (";", "\t", "\n", ","):
        text = f"abc{character}def"
        yield "AddTagsToStream", {"StreamName": known, "Tags": {text: "v"}}, argument, BAD_TAGS
        yield "AddTagsToStream", {"StreamName": known, "Tags": {"k": text}}, argument, BAD_TAGS
        yield "RemoveTagsFromStream", {"StreamName": known, "TagKeys": [text]}, argument, BAD_TAGS
    for tags in ({"abc%def": "v"}, {"k": "abc%def"}):
        yield "AddTagsToStream", {"StreamName": known, "Tags": tags}, argument, (
            f"Failed to add tags to stream {known} under account {account} because some tags contained illegal "
            "characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.")


SHARDS = [{"ShardId": shard_id(index), "HashKeyRange": {"StartingHashKey": str(first), "EndingHashKey": str(last)}}
          for index, (first, last) in enumerate(RANGES)]
# What newer releases of the service added to what was recorded.
LATER_MEMBERS = ("StreamModeDetails", "StreamId", "KeyId", "WarmThroughput", "MaxRecordSizeInKiB", "ChannelCount",
                 "QueueCount", "RecordDistributionStrategy")


def without_numbers(shards):
    """The shards; their sequence number ranges checked in form, and taken out."""
    for shard in shards:
        numbers = shard.pop("SequenceNumberRange")
        assert re.fullmatch(r"\d{56}", numbers["StartingSequenceNumber"]), numbers
    return shards


def seconds_of(number):
    """(the shard's creation, the arrival) in a sequence number."""
    digits = f"{int(number):x}"
    return int(digits[1:10], 16), int(digits[29:38], 16)


def check_number(text, index, *, began):
    """The form of a record's number: 47 hex digits with the shard's creation, its index and the arrival in seconds."""
    digits = f"{int(text):x}"
    match = re.fullmatch(rf"2([0-9a-f]{{9}}){index:x}([0-9a-f]{{16}})00([0-9a-f]{{9}}){index:08x}2", digits)
    assert match, digits
    assert began - 4 <= int(match[3], 16) <= time.time() + 1, f"arrival in {digits}"


def run(cases, wire):
    world = World(wire)
    known, account = world.known, world.account
    arn = f"arn:aws:kinesis:us-east-1:{account}:stream/{known}"

    for operation, request, kind, message in refusals(world):
        named = {key: ("known" if value == known else "absent" if value == world.absent else value)
                 for key, value in request.items()}
        with cases.case(f"{operation}({str(named)[1:90]}): {message[:60]}"):
            world.refuses(operation, request, kind, message)

    with cases.case("AT_TIMESTAMP in the future is refused and names both times"):
        moment = time.time() + 5
        answer = wire.post("GetShardIterator", {"StreamName": known, "ShardId": "shardId-0",
                                                "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": round(moment, 3)})
        equal(answer.json["__type"], "InvalidArgumentException")
        assert re.fullmatch(r"The timestampInMillis parameter cannot be greater than the currentTimestampInMillis\. "
                            rf"timestampInMillis: {round(round(moment, 3) * 1000)}, currentTimestampInMillis: \d+",
                            answer.json["message"]), answer.json["message"]

    with cases.case("more shards than the account may have are refused with the count"):
        count = 100_000
        answer = wire.post("CreateStream", {"StreamName": world.absent, "ShardCount": count})
        equal((answer.status, answer.json["__type"]), (400, "LimitExceededException"))
        assert re.fullmatch(
            rf"This request would exceed the shard limit for the account {account} in us-east-1\. Current shard count "
            rf"for the account: \d+\. Limit: \d+\. Number of additional shards that would have resulted from this "
            rf"request: {count}\. Refer to the AWS Service Limits page "
            r"\(http://docs\.aws\.amazon\.com/general/latest/gr/aws_service_limits\.html\) for current limits and how "
            r"to request higher limits\.", answer.json["message"]), answer.json["message"]

    common = {"StreamName": known, "StreamARN": arn, "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24,
              "EncryptionType": "NONE", "EnhancedMonitoring": [{"ShardLevelMetrics": []}]}
    with cases.case("DescribeStream shows the stream and its shards"):
        description = wire.call("DescribeStream", StreamName=known)["StreamDescription"]
        assert abs(description.pop("StreamCreationTimestamp") - time.time()) < 300
        without_numbers(description["Shards"])
        equal({k: v for k, v in description.items() if k not in LATER_MEMBERS},
              {**common, "HasMoreShards": False, "Shards": SHARDS})
    with cases.case("DescribeStream pages by Limit and ExclusiveStartShardId"):
        page = wire.call("DescribeStream", StreamName=known, Limit=2)["StreamDescription"]
        equal(([s["ShardId"] for s in page["Shards"]], page["HasMoreShards"]), ([shard_id(0), shard_id(1)], True))
        page = wire.call("DescribeStream", StreamName=known, ExclusiveStartShardId=shard_id(1))["StreamDescription"]
        equal(([s["ShardId"] for s in page["Shards"]], page["HasMoreShards"]), ([shard_id(2)], False))
    with cases.case("DescribeStreamSummary counts open shards and consumers"):
        summary = wire.call("DescribeStreamSummary", StreamName=known)["StreamDescriptionSummary"]
        assert abs(summary.pop("StreamCreationTimestamp") - time.time()) < 300
        equal({k: v for k, v in summary.items() if k not in LATER_MEMBERS},
              {**common, "OpenShardCount": 3, "ConsumerCount": 0})
    with cases.case("ListShards lists the shards, and those behind ExclusiveStartShardId"):
        equal(without_numbers(wire.call("ListShards", StreamName=known)["Shards"]), SHARDS)
        equal(without_numbers(wire.call("ListShards", StreamName=known, ExclusiveStartShardId=shard_id(1))["Shards"]),
              SHARDS[2:])

    with cases.case("StreamARN stands for StreamName, alone or beside it"):
        put = wire.call("PutRecord", StreamARN=arn, PartitionKey="a", Data=b64("by ARN"))
        at = wire.call("GetShardIterator", StreamARN=arn, ShardId=put["ShardId"],
                       ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=put["SequenceNumber"])
        page = wire.call("GetRecords", StreamARN=arn, ShardIterator=at["ShardIterator"])
        equal([record["Data"] for record in page["Records"]], [b64("by ARN")])
        wire.call("PutRecords", StreamARN=arn, StreamName=known, Records=[{"PartitionKey": "a", "Data": ""}])
        wire.call("AddTagsToStream", StreamARN=arn, Tags={"by": "arn"})
        equal(wire.call("ListTagsForStream", StreamARN=arn)["Tags"], [{"Key": "by", "Value": "arn"}])
        wire.call("RemoveTagsFromStream", StreamARN=arn, TagKeys=["by"])
        wire.call("IncreaseStreamRetentionPeriod", StreamARN=arn, RetentionPeriodHours=48)
        wire.wait_active(known)
        wire.call("DecreaseStreamRetentionPeriod", StreamARN=arn, RetentionPeriodHours=24)
        wire.wait_active(known)
        equal(wire.call("DescribeStream", StreamARN=arn)["StreamDescription"]["StreamName"], known)
        equal(wire.call("DescribeStreamSummary", StreamARN=arn)["StreamDescriptionSummary"]["StreamName"], known)
        equal(without_numbers(wire.call("ListShards", StreamARN=arn)["Shards"]), SHARDS)
    with cases.case("a StreamARN of no stream, of another form, or none at all is refused"):
        equal(wire.post("DescribeStream", {"StreamARN": arn + "x"}).json["__type"], "ResourceNotFoundException")
        for request in ({"StreamARN": "stream"}, {"StreamARN": "arn:aws:sqs:us-east-1:000000000000:q"}, {}):
            answer = wire.post("DescribeStream", request)
            equal(answer.status, 400, repr(request))
            assert answer.json["__type"] in ("ValidationException", "InvalidArgumentException"), repr(answer)

    with cases.case("PutRecords routes by MD5 and by ExplicitHashKey, in order within each shard"):
        entries = [("a", None, 0), ("b", None, 1), ("e", None, 2), ("f", None, 1), ("a", HASH_MAX, 2),
                   ("a", 2 * THIRD - 1, 1), ("a", 2 * THIRD, 2)]
        began = time.time()
        result = wire.call("PutRecords", StreamName=known, Records=[
            {"PartitionKey": key, "Data": b64(str(i)), **({} if hash_key is None else {"ExplicitHashKey": str(hash_key)})}
            for i, (key, hash_key, _) in enumerate(entries)])
        equal(result["FailedRecordCount"], 0)
        last = {}
        for (_, _, index), record in zip(entries, result["Records"]):
            equal(sorted(set(record) - {"EncryptionType"}), ["SequenceNumber", "ShardId"])
            equal(record["ShardId"], shard_id(index))
            check_number(record["SequenceNumber"], index, began=began)
            assert int(record["SequenceNumber"]) > last.get(index, 0), "order within the shard"
            last[index] = int(record["SequenceNumber"])
    with cases.case("PutRecord accepts numbers of versions 1 and 2 for ordering"):
        for digits in ("20000000000000000000000000000000000000000000002",
                       "20000000000000000000000000000000000000000000001",
                       "20000000000000000000000000000000000000800000002"):
            result = wire.call("PutRecord", StreamName=known, PartitionKey="a", Data="",
                               SequenceNumberForOrdering=str(int(digits, 16)))
            equal(result["ShardId"], shard_id(0))
    with cases.case("a shard is found by any prefix and by a number alone"):
        for name in ("0", "-0", "whatever-0", "shardId-000000000000", "a-00"):
            equal(list(wire.call("GetShardIterator", StreamName=known, ShardId=name, ShardIteratorType="LATEST")),
                  ["ShardIterator"])

    with cases.case("a record read carries key, data, number and arrival, and nothing else"):
        put = wire.call("PutRecord", StreamName=known, PartitionKey="a", Data=b64("x"))
        at = wire.call("GetShardIterator", StreamName=known, ShardId=shard_id(0), ShardIteratorType="AT_SEQUENCE_NUMBER",
                       StartingSequenceNumber=put["SequenceNumber"])["ShardIterator"]
        page = wire.call("GetRecords", ShardIterator=at)
        equal(sorted(page), ["MillisBehindLatest", "NextShardIterator", "Records"])
        record = page["Records"][0]
        assert abs(record.pop("ApproximateArrivalTimestamp") - time.time()) < 5
        record.pop("EncryptionType", None)
        equal(record, {"PartitionKey": "a", "Data": b64("x"), "SequenceNumber": put["SequenceNumber"]})
        equal(wire.call("GetRecords", ShardIterator=page["NextShardIterator"])["Records"], [])

    with cases.case("AT_TIMESTAMP is exact to the millisecond, at each record's own time, before it and behind it"):
        numbers = []
        for i in range(5):
            numbers.append(wire.call("PutRecord", StreamName=known, PartitionKey="a", Data=b64(f"{i}"))["SequenceNumber"])
            time.sleep(0.003)
        arrivals = {}
        first = wire.call("GetShardIterator", StreamName=known, ShardId="0", ShardIteratorType="AT_SEQUENCE_NUMBER",
                          StartingSequenceNumber=numbers[0])["ShardIterator"]
        for record in wire.call("GetRecords", ShardIterator=first)["Records"]:
            arrivals[record["SequenceNumber"]] = round(record["ApproximateArrivalTimestamp"] * 1000)
        equal(list(arrivals), numbers)
        for number in numbers:
            for shift in (-1, 0, 1):
                moment = arrivals[number] + shift
                at = wire.call("GetShardIterator", StreamName=known, ShardId="0", ShardIteratorType="AT_TIMESTAMP",
                               Timestamp=moment / 1000)["ShardIterator"]
                got = [record["SequenceNumber"] for record in wire.call("GetRecords", ShardIterator=at)["Records"]]
                equal([one for one in got if one in arrivals], [one for one in numbers if arrivals[one] >= moment],
                      f"{number} {shift:+} ms")

    with cases.case("ListTagsForStream is sorted by key, begins behind the key given, and says when there are more"):
        keys = ["a", " ", "ÿ", "_", "/", "=", "+", "Zb", "0", "@"]
        wire.call("AddTagsToStream", StreamName=known, Tags={key: "v" for key in keys})
        ordered = [" ", "+", "/", "0", "=", "@", "Zb", "_", "a", "ÿ"]
        equal(wire.call("ListTagsForStream", StreamName=known),
              {"Tags": [{"Key": key, "Value": "v"} for key in ordered], "HasMoreTags": False})
        for start, limit, expected, more in [("@", 2, ["Zb", "_"], True), ("$Z%", 50, ordered[1:], False),
                                             ("Za$Z%*(*&@,,.,,", 50, ordered[6:], False), ("ÿ", 50, [], False)]:
            page = wire.call("ListTagsForStream", StreamName=known, ExclusiveStartTagKey=start, Limit=limit)
            equal(([tag["Key"] for tag in page["Tags"]], page["HasMoreTags"]), (expected, more))
        wire.call("AddTagsToStream", StreamName=known, Tags={"a": "ü0 _./=+-@"})
        wire.call("RemoveTagsFromStream", StreamName=known, TagKeys=[key for key in keys if key != "a"])
        equal(wire.call("ListTagsForStream", StreamName=known)["Tags"], [{"Key": "a", "Value": "ü0 _./=+-@"}])
    with cases.case("a stream takes 50 tags and not one more"):
        wire.call("RemoveTagsFromStream", StreamName=known, TagKeys=["a"])
        for i in range(0, 50, 10):
            wire.call("AddTagsToStream", StreamName=known, Tags={f"t{j}": "v" for j in range(i, i + 10)})
        answer = wire.post("AddTagsToStream", {"StreamName": known, "Tags": {"one-more": "v"}})
        equal(answer.status, 400)
        assert answer.json["__type"] in ("InvalidArgumentException", "LimitExceededException"), repr(answer)
        equal(len(wire.call("ListTagsForStream", StreamName=known)["Tags"]), 50)

    with cases.case("retention rises, stays, and falls only by the operation for it"):
        for _ in range(2):
            wire.call("IncreaseStreamRetentionPeriod", StreamName=known, RetentionPeriodHours=25)
            wire.wait_active(known)
        world.refuses("IncreaseStreamRetentionPeriod", {"StreamName": known, "RetentionPeriodHours": 24},
                      "InvalidArgumentException",
                      f"Requested retention period (24 hours) for stream {known} can not be shorter than existing "
                      "retention period (25 hours). Use DecreaseRetentionPeriod API.")
        wire.call("DecreaseStreamRetentionPeriod", StreamName=known, RetentionPeriodHours=24)
        wire.wait_active(known)
        equal(wire.call("DescribeStreamSummary", StreamName=known)["StreamDescriptionSummary"]["RetentionPeriodHours"],
              24)

    with cases.case("retention without end is -1, our own, and can be taken back"):
        wire.call("IncreaseStreamRetentionPeriod", StreamName=known, RetentionPeriodHours=-1)
        wire.wait_active(known)
        equal(wire.call("DescribeStreamSummary", StreamName=known)["StreamDescriptionSummary"]["RetentionPeriodHours"], -1)
        wire.call("DecreaseStreamRetentionPeriod", StreamName=known, RetentionPeriodHours=24)
        wire.wait_active(known)

    transitions(cases, world)
    with cases.case("DescribeLimits counts shards and on-demand streams"):
        limits = wire.call("DescribeLimits")
        assert {"ShardLimit", "OpenShardCount"} <= set(limits), limits
        assert limits["OpenShardCount"] >= 3 and limits["ShardLimit"] >= limits["OpenShardCount"], limits
    with cases.case("an iterator of a deleted stream finds no shard"):
        iterator = wire.call("GetShardIterator", StreamName=known, ShardId="0", ShardIteratorType="LATEST")
        wire.call("DeleteStream", StreamName=known)
        gone(wire, known)
        world.refuses("GetRecords", iterator, "ResourceNotFoundException", world.shard_absent(0, known))


def status(wire, name):
    return wire.call("DescribeStream", StreamName=name)["StreamDescription"]["StreamStatus"]


def gone(wire, name):
    eventually(lambda: wire.post("DescribeStream", {"StreamName": name}).status == 400, 20, f"{name} deleted")


def transitions(cases, world):
    """What holds while a stream is CREATING, UPDATING or DELETING, and what it becomes."""
    wire, account = world.wire, world.account
    name = f"turning-{uuid.uuid4().hex[:8]}"

    def busy(state):
        return f"Stream {name} under account {account} not ACTIVE, instead in state {state}"

    with cases.case("a stream being created has no shards and takes no records"):
        equal(wire.post("CreateStream", {"StreamName": name, "ShardCount": 3}).body, b"")
        description = wire.call("DescribeStream", StreamName=name)["StreamDescription"]
        equal((description["StreamStatus"], description["Shards"]), ("CREATING", []))
        world.refuses("PutRecord", {"StreamName": name, "PartitionKey": "a", "Data": ""}, "ResourceNotFoundException",
                      world.no_stream(name))
        world.refuses("GetShardIterator", {"StreamName": name, "ShardId": "shardId-0", "ShardIteratorType": "LATEST"},
                      "ResourceNotFoundException", world.shard_absent(0, name))
        world.refuses("SplitShard", {"StreamName": name, "ShardToSplit": "0", "NewStartingHashKey": "2"},
                      "ResourceInUseException", busy("CREATING"))
        world.refuses("MergeShards", {"StreamName": name, "ShardToMerge": "0", "AdjacentShardToMerge": "1"},
                      "ResourceInUseException", busy("CREATING"))
    with cases.case("a merge is UPDATING at first, then closes both parents and opens their child"):
        wire.wait_active(name)
        equal(wire.post("MergeShards", {"StreamName": name, "ShardToMerge": "x-0", "AdjacentShardToMerge": "1"}).body, b"")
        equal(status(wire, name), "UPDATING")
        world.refuses("MergeShards", {"StreamName": name, "ShardToMerge": "1", "AdjacentShardToMerge": "2"},
                      "ResourceInUseException", busy("UPDATING"))
        wire.call("PutRecord", StreamName=name, PartitionKey="a", Data="", ExplicitHashKey=str(THIRD))
        wire.wait_active(name)
        shards = wire.shards(name)
        equal([(s["ShardId"], s.get("ParentShardId"), s.get("AdjacentParentShardId")) for s in shards],
              [(shard_id(0), None, None), (shard_id(1), None, None), (shard_id(2), None, None),
               (shard_id(3), shard_id(0), shard_id(1))])
        equal(shards[3]["HashKeyRange"], {"StartingHashKey": "0", "EndingHashKey": str(2 * THIRD - 1)})
        for index, shard in enumerate(shards):
            numbers = shard["SequenceNumberRange"]
            equal("EndingSequenceNumber" in numbers, index < 2, shard["ShardId"])
            if index < 2:
                equal(f"{int(numbers['EndingSequenceNumber']):x}"[11:27], "7fffffffffffffff", "ordinal of the end")
                assert int(numbers["EndingSequenceNumber"]) < int(
                    shards[3]["SequenceNumberRange"]["StartingSequenceNumber"]), "a child begins behind its parents' end"
        ends = [seconds_of(shard["SequenceNumberRange"]["EndingSequenceNumber"])[1] for shard in shards[:2]]
        begin = seconds_of(shards[3]["SequenceNumberRange"]["StartingSequenceNumber"])
        equal((ends[0], begin), (ends[1], (ends[1] + 1, ends[1] + 1)), "seconds of the parents' end, of the child's begin")
        created = wire.call("DescribeStream", StreamName=name)["StreamDescription"]["StreamCreationTimestamp"]
        assert -7 < seconds_of(shards[0]["SequenceNumberRange"]["StartingSequenceNumber"])[0] - created < -2, (
            "a stream's first shards begin some seconds before it")
    with cases.case("a split leaves the parent closed and two children"):
        equal(wire.post("SplitShard", {"StreamName": name, "ShardToSplit": "y-3", "NewStartingHashKey": "2"}).body, b"")
        wire.wait_active(name)
        shards = wire.shards(name)
        equal([(s["ShardId"], s.get("ParentShardId"), s["HashKeyRange"]) for s in shards[4:]],
              [(shard_id(4), shard_id(3), {"StartingHashKey": "0", "EndingHashKey": "1"}),
               (shard_id(5), shard_id(3), {"StartingHashKey": "2", "EndingHashKey": str(2 * THIRD - 1)})])

        def routed_to_child():
            return wire.call("PutRecord", StreamName=name, PartitionKey="a", Data="",
                             ExplicitHashKey="1")["ShardId"] == shard_id(4)
        eventually(routed_to_child, 5, "records go to the child")
    with cases.case("a closed shard reads to its end and then has no next iterator"):
        iterator, seen = wire.call("GetShardIterator", StreamName=name, ShardId="1",
                                   ShardIteratorType="TRIM_HORIZON")["ShardIterator"], 0
        for _ in range(10):
            page = wire.call("GetRecords", ShardIterator=iterator)
            seen += len(page["Records"])
            iterator = page.get("NextShardIterator")
            if iterator is None:
                break
        equal((seen, iterator), (1, None))
        equal([child["ShardId"] for child in page.get("ChildShards", [])], [shard_id(3)])
        equal(page["ChildShards"][0]["ParentShards"], [shard_id(0), shard_id(1)])
    with cases.case("a closed shard cannot be split or merged again"):
        for operation, request in (("SplitShard", {"ShardToSplit": "0", "NewStartingHashKey": "2"}),
                                   ("MergeShards", {"ShardToMerge": "0", "AdjacentShardToMerge": "1"})):
            answer = wire.post(operation, {"StreamName": name, **request})
            equal(answer.status, 400)
            assert answer.json["__type"] in ("InvalidArgumentException", "ResourceInUseException",
                                             "ResourceNotFoundException"), repr(answer)
    with cases.case("a stream being deleted says so, and its name is free again afterwards"):
        equal(wire.post("DeleteStream", {"StreamName": name}).body, b"")
        equal(status(wire, name), "DELETING")
        gone(wire, name)
        wire.call("CreateStream", StreamName=name, ShardCount=1)
        wire.wait_active(name)
        equal([s["ShardId"] for s in wire.shards(name)], [shard_id(0)])
        equal(list(wire.read_shard(name, shard_id(0))), [])
        wire.call("DeleteStream", StreamName=name)
        gone(wire, name)
    with cases.case("a stream can be deleted while it is being created"):
        wire.call("CreateStream", StreamName=name, ShardCount=1)
        wire.call("DeleteStream", StreamName=name)
        gone(wire, name)
