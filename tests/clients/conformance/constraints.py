"""Members that break their bounds. All that are broken come in one message, up to ten, in any order."""

import re

from black_box import wire as wires
from black_box.cases import equal

NAME = "[a-zA-Z0-9_.-]+"
HASH_KEY = r"0|([1-9]\d{0,38})"
SEQUENCE = r"0|([1-9]\d{0,128})"
LONG = "a" * 129


def breach(path, value, constraint):
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def null(path):
    return breach(path, None, "Member must not be null")


def pattern(path, value, expression):
    return breach(path, value, f"Member must satisfy regular expression pattern: {expression}")


def shorter(path, value, bound):
    return breach(path, value, f"Member must have length greater than or equal to {bound}")


def longer(path, value, bound):
    return breach(path, value, f"Member must have length less than or equal to {bound}")


def smaller(path, value, bound):
    return breach(path, value, f"Member must have value greater than or equal to {bound}")


def greater(path, value, bound):
    return breach(path, value, f"Member must have value less than or equal to {bound}")


def empty_name(path):
    return [pattern(path, "", NAME), shorter(path, "", 1)]


ITERATOR_TYPES = "[AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]"
MIB_10 = 10 * 1024 * 1024


def tag_lengths(prefix, most, least):
    return (f"{prefix} must satisfy constraint: [Member must have length less than or equal to {most}, "
            f"Member must have length greater than or equal to {least}]")


# (operation, request, [messages]); where a request names no stream that is not what it is about, "s" stands for one.
ROWS = [
    ("CreateStream", {}, [null("shardCount"), null("streamName")]),
    ("CreateStream", {"StreamName": "", "ShardCount": 0}, [smaller("shardCount", 0, 1), *empty_name("streamName")]),
    ("CreateStream", {"StreamName": LONG, "ShardCount": 1}, [longer("streamName", LONG, 128)]),
    ("CreateStream", {"StreamName": "a/b", "ShardCount": 1}, [pattern("streamName", "a/b", NAME)]),
    ("DeleteStream", {"StreamName": ""}, empty_name("streamName")),
    ("DeleteStream", {"StreamName": LONG}, [longer("streamName", LONG, 128)]),
    ("DescribeStream", {"StreamName": "", "Limit": 0, "ExclusiveStartShardId": ""},
     [smaller("limit", 0, 1), *empty_name("exclusiveStartShardId"), *empty_name("streamName")]),
    ("DescribeStream", {"StreamName": LONG, "Limit": 100_000_000_000, "ExclusiveStartShardId": LONG},
     [greater("limit", 2_147_483_647, 10_000), longer("exclusiveStartShardId", LONG, 128),
      longer("streamName", LONG, 128)]),
    ("DescribeStreamSummary", {"StreamName": ""}, empty_name("streamName")),
    ("ListStreams", {"ExclusiveStartStreamName": "", "Limit": 0},
     [smaller("limit", 0, 1), *empty_name("exclusiveStartStreamName")]),
    ("ListStreams", {"ExclusiveStartStreamName": LONG, "Limit": 1_000_000},
     [greater("limit", 1_000_000, 10_000), longer("exclusiveStartStreamName", LONG, 128)]),
    ("ListShards", {"StreamName": "", "NextToken": "", "MaxResults": 0, "ExclusiveStartShardId": ""},
     [smaller("maxResults", 0, 1), *empty_name("exclusiveStartShardId"), *empty_name("streamName"),
      shorter("nextToken", "", 1)]),
    ("ListShards", {"StreamName": LONG, "MaxResults": 100_000, "ExclusiveStartShardId": LONG},
     [greater("maxResults", 100_000, 10_000), longer("exclusiveStartShardId", LONG, 128),
      longer("streamName", LONG, 128)]),
    ("PutRecord", {"StreamName": "s"}, [null("partitionKey"), null("data")]),
    ("PutRecord", {"StreamName": "", "PartitionKey": "", "Data": "", "ExplicitHashKey": "",
                   "SequenceNumberForOrdering": ""},
     [pattern("sequenceNumberForOrdering", "", SEQUENCE), shorter("partitionKey", "", 1),
      pattern("explicitHashKey", "", HASH_KEY), *empty_name("streamName")]),
    ("PutRecord", {"StreamName": LONG, "PartitionKey": LONG + LONG, "Data": "", "ExplicitHashKey": "01"},
     [longer("partitionKey", LONG + LONG, 256), pattern("explicitHashKey", "01", HASH_KEY),
      longer("streamName", LONG, 128)]),
    ("PutRecord", {"StreamName": "s", "PartitionKey": "k", "Data": wires.b64(bytes(MIB_10 + 1))},
     [longer("data", f"java.nio.HeapByteBuffer[pos=0 lim={MIB_10 + 1} cap={MIB_10 + 1}]", MIB_10)]),
    ("PutRecords", {"StreamName": "s"}, [null("records")]),
    ("PutRecords", {"StreamName": "", "Records": []}, [shorter("records", "[]", 1), *empty_name("streamName")]),
    ("PutRecords", {"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": ""}, {}]},
     [null("records.2.member.partitionKey"), null("records.2.member.data")]),
    ("PutRecords", {"StreamName": "", "Records": [{"PartitionKey": "", "Data": "", "ExplicitHashKey": ""}]},
     [shorter("records.1.member.partitionKey", "", 1), pattern("records.1.member.explicitHashKey", "", HASH_KEY),
      *empty_name("streamName")]),
    ("GetShardIterator", {"StreamName": "s"}, [null("shardId"), null("shardIteratorType")]),
    ("GetShardIterator", {"StreamName": "", "ShardIteratorType": "", "ShardId": "", "StartingSequenceNumber": ""},
     [*empty_name("shardId"),
      breach("shardIteratorType", "", "Member must satisfy enum value set: " + ITERATOR_TYPES),
      pattern("startingSequenceNumber", "", SEQUENCE), *empty_name("streamName")]),
    ("GetShardIterator", {"StreamName": LONG, "ShardId": LONG, "ShardIteratorType": "LATEST"},
     [longer("shardId", LONG, 128), longer("streamName", LONG, 128)]),
    ("GetRecords", {}, [null("shardIterator")]),
    ("GetRecords", {"ShardIterator": "", "Limit": 0}, [smaller("limit", 0, 1), shorter("shardIterator", "", 1)]),
    ("GetRecords", {"ShardIterator": "a" * 513, "Limit": 100_000},
     [greater("limit", 100_000, 10_000), longer("shardIterator", "a" * 513, 512)]),
    ("SplitShard", {"StreamName": "s"}, [null("newStartingHashKey"), null("shardToSplit")]),
    ("SplitShard", {"StreamName": "", "ShardToSplit": "", "NewStartingHashKey": ""},
     [pattern("newStartingHashKey", "", HASH_KEY), *empty_name("streamName"), *empty_name("shardToSplit")]),
    ("MergeShards", {"StreamName": "s"}, [null("shardToMerge"), null("adjacentShardToMerge")]),
    ("MergeShards", {"StreamName": "", "ShardToMerge": "", "AdjacentShardToMerge": ""},
     [*empty_name("shardToMerge"), *empty_name("adjacentShardToMerge"), *empty_name("streamName")]),
    ("MergeShards", {"StreamName": LONG, "ShardToMerge": LONG, "AdjacentShardToMerge": LONG},
     [longer("shardToMerge", LONG, 128), longer("adjacentShardToMerge", LONG, 128), longer("streamName", LONG, 128)]),
    ("UpdateShardCount", {"StreamName": "s"}, [null("targetShardCount"), null("scalingType")]),
    ("UpdateShardCount", {"StreamName": "s", "TargetShardCount": 0, "ScalingType": "X"},
     [smaller("targetShardCount", 0, 1),
      breach("scalingType", "X", "Member must satisfy enum value set: [UNIFORM_SCALING]")]),
    ("IncreaseStreamRetentionPeriod", {"StreamName": "s"}, [null("retentionPeriodHours")]),
    ("DecreaseStreamRetentionPeriod", {"StreamName": "s"}, [null("retentionPeriodHours")]),
    ("AddTagsToStream", {"StreamName": "s"}, [null("tags")]),
    ("AddTagsToStream", {"StreamName": "", "Tags": {}}, [shorter("tags", "{}", 1), *empty_name("streamName")]),
    ("AddTagsToStream", {"StreamName": "s", "Tags": {LONG: "v"}},
     [breach("tags", f"{{{LONG}=v}}", tag_lengths("Map keys", 128, 1))]),
    ("AddTagsToStream", {"StreamName": "s", "Tags": {"k": LONG + LONG}},
     [breach("tags", f"{{k={LONG + LONG}}}", tag_lengths("Map value", 256, 0))]),
    ("RemoveTagsFromStream", {"StreamName": "s"}, [null("tagKeys")]),
    ("RemoveTagsFromStream", {"StreamName": "", "TagKeys": []}, [shorter("tagKeys", "[]", 1), *empty_name("streamName")]),
    ("RemoveTagsFromStream", {"StreamName": "s", "TagKeys": ["a", LONG, "b"]},
     [breach("tagKeys", f"[a, {LONG}, b]", tag_lengths("Member", 128, 1))]),
    ("ListTagsForStream", {"StreamName": "", "ExclusiveStartTagKey": "", "Limit": 0},
     [smaller("limit", 0, 1), shorter("exclusiveStartTagKey", "", 1), *empty_name("streamName")]),
    ("ListTagsForStream", {"StreamName": LONG, "ExclusiveStartTagKey": LONG, "Limit": 100},
     [greater("limit", 100, 50), longer("exclusiveStartTagKey", LONG, 128), longer("streamName", LONG, 128)]),
]


def same_breaches(message, expected):
    """Whether `message` lists exactly the expected breaches, in any order."""
    plural = "s" if len(expected) > 1 else ""
    head = f"{len(expected)} validation error{plural} detected: "
    assert message.startswith(head), f"expected to begin with {head!r}: {message[:500]!r}"
    rest, left = message[len(head):], list(expected)
    while left:
        match = next((text for text in left if rest.startswith(text)), None)
        assert match is not None, f"expected one of {[text[:300] for text in left]} at {rest[:300]!r}"
        left.remove(match)
        rest = rest[len(match):].removeprefix("; ")
    equal(rest, "", "after the last breach")


def shown(request):
    text = ", ".join(f"{key}={value!r}" if len(repr(value)) < 25 else f"{key}=…" for key, value in request.items())
    return f"({text})"


def run(cases, wire):
    for operation, request, expected in ROWS:
        with cases.case(f"{operation}{shown(request)} breaks {len(expected)}"):
            answer = wire.post(operation, request)
            equal(answer.status, 400, repr(answer))
            equal(answer.json["__type"], "ValidationException")
            same_breaches(answer.json["message"], expected)

    with cases.case("PutRecords of 501 records names the list and the first nine members, ten in all"):
        answer = wire.post("PutRecords", {"StreamName": "", "Records": [{"PartitionKey": "", "Data": ""}] * 501})
        equal(answer.status, 400)
        # How a record prints is the service's own business (a class name and a hash).
        message = re.sub(r"'\[com\.amazonaws\.kinesis\.v20131202\.PutRecordsRequestEntry@[0-9a-f]+"
                         r"(, com\.amazonaws\.kinesis\.v20131202\.PutRecordsRequestEntry@[0-9a-f]+){500}\]'",
                         "'[501]'", answer.json["message"])
        same_breaches(message, [longer("records", "[501]", 500),
                                *(shorter(f"records.{i}.member.partitionKey", "", 1) for i in range(1, 10))])
