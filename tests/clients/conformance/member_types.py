"""Members of a wrong JSON type: 400 SerializationException, with `Message` (capital M), before any bound is checked."""

from black_box.cases import equal

NUMBER = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber"
LIST = "Start of list found where not expected"
MAP = "Start of structure or map found where not expected."
NUMBERS = (23, -2_147_483_648, 2_147_483_648, 34.56)


def converting(to, *, text=None, truth=None, numbers=None):
    """[(value, message)] of what cannot become `to`."""
    rows = [([], LIST), ({}, MAP)]
    if text:
        rows.append(("23", f"{text} can not be converted to {to}"))
    if truth:
        rows.append((True, f"class java.lang.Boolean can not be converted to {to}"))
    if numbers:
        rows += [(number, f"{NUMBER} can not be converted to {to}") for number in numbers]
    return rows


def nothing_but(what, *, aggregate):
    rows = [(value, f"Expected {what}") for value in ("23", True, *NUMBERS)]
    return rows + ([([], LIST)] if aggregate == "map" else [({}, MAP)])


WRONG = {
    "String": converting("an String", truth=True, numbers=NUMBERS),
    "Integer": converting("an Integer", text="class java.lang.String", truth=True),
    "Boolean": converting("an Boolean", text="'23'", numbers=NUMBERS[:3]),
    "Timestamp": converting("milliseconds since epoch", text="class java.lang.String", truth=True),
    "Blob": converting("a Blob", truth=True, numbers=NUMBERS) + [
        ("23456", "'23456' can not be converted to a Blob: "
                  "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
        ("=+/=", "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"),
        ("+/+=", "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"),
    ],
    "List": nothing_but("list or null", aggregate="list"),
    "Map": nothing_but("map or null", aggregate="map"),
    "Structure": nothing_but("null", aggregate="map"),
}

STREAM = {"StreamName": "String"}
# A path with dots goes through lists ("0") and structures.
MEMBERS = {
    "CreateStream": {**STREAM, "ShardCount": "Integer"},
    "DeleteStream": {**STREAM, "EnforceConsumerDeletion": "Boolean"},
    "DescribeStream": {**STREAM, "Limit": "Integer", "ExclusiveStartShardId": "String"},
    "DescribeStreamSummary": STREAM,
    "ListStreams": {"Limit": "Integer", "ExclusiveStartStreamName": "String"},
    "ListShards": {**STREAM, "MaxResults": "Integer", "ExclusiveStartShardId": "String", "NextToken": "String",
                   "StreamCreationTimestamp": "Timestamp", "ShardFilter": "Structure", "ShardFilter.Type": "String",
                   "ShardFilter.Timestamp": "Timestamp"},
    "PutRecord": {**STREAM, "Data": "Blob", "PartitionKey": "String", "ExplicitHashKey": "String",
                  "SequenceNumberForOrdering": "String"},
    "PutRecords": {**STREAM, "Records": "List", "Records.0": "Structure", "Records.0.Data": "Blob",
                   "Records.0.PartitionKey": "String", "Records.0.ExplicitHashKey": "String"},
    "GetShardIterator": {**STREAM, "ShardId": "String", "ShardIteratorType": "String",
                         "StartingSequenceNumber": "String", "Timestamp": "Timestamp"},
    "GetRecords": {"ShardIterator": "String", "Limit": "Integer"},
    "SplitShard": {**STREAM, "ShardToSplit": "String", "NewStartingHashKey": "String"},
    "MergeShards": {**STREAM, "ShardToMerge": "String", "AdjacentShardToMerge": "String"},
    "UpdateShardCount": {**STREAM, "TargetShardCount": "Integer", "ScalingType": "String"},
    "IncreaseStreamRetentionPeriod": {**STREAM, "RetentionPeriodHours": "Integer"},
    "DecreaseStreamRetentionPeriod": {**STREAM, "RetentionPeriodHours": "Integer"},
    "AddTagsToStream": {**STREAM, "Tags": "Map", "Tags.a": "String"},
    "RemoveTagsFromStream": {**STREAM, "TagKeys": "List", "TagKeys.0": "String"},
    "ListTagsForStream": {**STREAM, "ExclusiveStartTagKey": "String", "Limit": "Integer"},
}


def nested(path, value):
    for part in reversed(path.split(".")):
        value = [value] if part == "0" else {part: value}
    return value


def run(cases, wire):
    for operation, members in MEMBERS.items():
        for path, kind in members.items():
            with cases.case(f"{operation}.{path} that is no {kind}"):
                wrong = []
                for value, message in WRONG[kind]:
                    answer = wire.post(operation, nested(path, value))
                    expected = (400, {"__type": "SerializationException", "Message": message})
                    if (answer.status, answer.json) != expected:
                        wrong.append(f"{value!r}: expected {expected}, got {answer!r}")
                equal(wrong, [])
