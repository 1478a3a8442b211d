"""Whole HTTP requests, rightly signed, whose body no client would send: each is refused in shape, none hurts."""

import json
import random

from black_box.wire import API, Wire, b64

from .attacker import judge

OPERATIONS = ["PutRecord", "PutRecords", "GetRecords", "GetShardIterator", "CreateStream", "ListStreams", "ListShards",
              "SplitShard", "AddTagsToStream"]

# Members of requests; each gets each wrong value in turn.
MEMBERS = {
    "CreateStream": ["StreamName", "ShardCount", "StreamModeDetails"],
    "DescribeStream": ["StreamName", "StreamARN", "Limit", "ExclusiveStartShardId"],
    "ListStreams": ["Limit", "ExclusiveStartStreamName", "NextToken"],
    "ListShards": ["StreamName", "NextToken", "MaxResults", "ShardFilter", "StreamCreationTimestamp"],
    "PutRecord": ["StreamName", "Data", "PartitionKey", "ExplicitHashKey", "SequenceNumberForOrdering"],
    "PutRecords": ["StreamName", "Records"],
    "GetShardIterator": ["StreamName", "ShardId", "ShardIteratorType", "StartingSequenceNumber", "Timestamp"],
    "GetRecords": ["ShardIterator", "Limit"],
    "SplitShard": ["StreamName", "ShardToSplit", "NewStartingHashKey"],
    "MergeShards": ["StreamName", "ShardToMerge", "AdjacentShardToMerge"],
    "UpdateShardCount": ["StreamName", "TargetShardCount", "ScalingType"],
    "IncreaseStreamRetentionPeriod": ["StreamName", "RetentionPeriodHours"],
    "AddTagsToStream": ["StreamName", "Tags"],
    "RemoveTagsFromStream": ["StreamName", "TagKeys"],
    "ListTagsForStream": ["StreamName", "ExclusiveStartTagKey", "Limit"],
}
WRONG_VALUES = [b"true", b"-1", b"0", b"1.5", b"1e999", b"-1e999", b"1" + b"0" * 400, b'""', b'"x"', b"[]", b"[[]]",
                b"{}", b'{"a":{}}', b"[null]", b'"\\u0000"', b'"\\ud800"', b'"' + b"a" * 2000 + b'"',
                b"9223372036854775808", b"-9223372036854775809", b"2147483648"]

BODIES = {
    "an opening brace": b"{", "a closing brace": b"}", "a cut member": b'{"StreamName"', "no value": b'{"StreamName":}',
    "a comma too many": b'{"StreamName":"s",}', "single quotes": b"{'StreamName':'s'}", "an array": b"[]",
    "null": b"null", "true": b"true", "a string": b'"x"', "a number": b"1", "two documents": b"{}{}",
    "garbage behind": b"{} x", "a byte order mark": b"\xef\xbb\xbf{}", "NUL": b"\x00", "NULs behind": b"{}\x00\x00",
    "only blanks": b" \t\r\n ", "a comment": b"{/* */}", "NaN": b'{"Limit":NaN}', "a leading zero": b'{"Limit":007}',
    "a plus": b'{"Limit":+1}', "a hexadecimal": b'{"Limit":0x10}', "an exponent cut": b'{"Limit":1e}',
    "wrong UTF-8": b'{"StreamName":"\xff\xfe"}', "overlong UTF-8": b'{"StreamName":"\xc0\xaf"}',
    "UTF-8 cut": b'{"StreamName":"\xe2\x82"}', "UTF-8 surrogate": b'{"StreamName":"\xed\xa0\x80"}',
    "UTF-8 in a name": b'{"\xff":1}', "UTF-16": '{"StreamName":"s"}'.encode("utf-16"),
    "a control character": b'{"StreamName":"a\x01b"}', "an unknown escape": b'{"StreamName":"\\x41"}',
    "a cut escape": b'{"StreamName":"\\u12"}', "an unpaired surrogate": b'{"StreamName":"\\udc00\\ud800"}',
    "nested arrays": b"[" * 100_000, "nested objects": b'{"a":' * 100_000,
    "nested and closed": b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "nested in a member": b'{"Tags":' + b"[" * 50_000,
    "an enormous number": b'{"Limit":' + b"9" * 100_000 + b"}", "an enormous exponent": b'{"Limit":1e999999999}',
    "an enormous name": b'{"' + b"a" * 1_000_000 + b'":1}', "an enormous text": b'{"StreamName":"' + b"a" * 1_000_000 + b'"}',
    "100,000 members": b"{" + b",".join(b'"m%d":%d' % (i, i) for i in range(100_000)) + b"}",
    "100,000 equal members": b"{" + b",".join([b'"Limit":1'] * 100_000) + b"}",
    "a megabyte of blanks": b"{" + b" " * 1_000_000 + b"}", "a megabyte of quotes": b'"' * 1_000_000,
    "a megabyte of backslashes": b'{"a":"' + b"\\" * 1_000_000, "a megabyte of commas": b"[" + b"," * 1_000_000,
}
BAD_BASE64 = ["=", "==", "====", "a", "ab", "abc", "a===", "ab=c", "abc=abcd", "ab==cdef", "!!!!", "abc\n", "ab c", "abcd=",
              "abcde", "\u00e9\u00e9\u00e9\u00e9", "abc\u0000", "-_-_", "YWJj" * 100 + "Y", "YWJ" * 100 + "*"]


def run(cases, target):
    wire = Wire(target.server.endpoint)

    def refused(operation, body):
        answer = wire.post(operation, body)
        if answer.status != 200:
            judge(answer)
        return answer

    for name, body in BODIES.items():
        with cases.case(f"a body of {name} is refused by every operation"):
            for operation in OPERATIONS:
                answer = refused(operation, body)
                # Members that an operation does not know are skipped, so what is whole JSON may pass there.
                assert answer.status != 200 or operation in ("ListStreams", "ListShards", "CreateStream"), answer
    with cases.case("every member with every wrong value is refused or ignored"):
        for operation, members in MEMBERS.items():
            for member in members:
                for value in WRONG_VALUES:
                    rest = {name: "s" for name in members if name != member and name in ("StreamName", "ShardId")}
                    document = json.dumps(rest)[1:-1].encode()
                    refused(operation, b'{"%s":%s%s}' % (member.encode(), value, b"," + document if document else b""))
    with cases.case("bad base64 is refused, alone and between good records"):
        good = {"Data": b64("good"), "PartitionKey": "k"}
        for text in BAD_BASE64:
            bad = {"Data": text, "PartitionKey": "k"}
            assert refused("PutRecord", {"StreamName": target.stream, **bad}).status == 400, text
            for records in ([bad], [good, bad], [bad, good], [good] * 250 + [bad] + [good] * 249):
                answer = refused("PutRecords", {"StreamName": target.stream, "Records": records})
                assert answer.status == 400, (text, answer)
    with cases.case("records that break their bounds are refused"):
        good = {"Data": b64("good"), "PartitionKey": "k"}
        for records in ([], [good] * 501, [{}], [None], ["x"], [good, {**good, "PartitionKey": ""}], [[good]], {"a": good},
                        [{**good, "PartitionKey": "k" * 257}], [{**good, "ExplicitHashKey": "-1"}],
                        [{**good, "ExplicitHashKey": "340282366920938463463374607431768211456"}],
                        [{**good, "ExplicitHashKey": "1e3"}], [{**good, "ExplicitHashKey": "00"}], [good] * 100_000):
            answer = refused("PutRecords", {"StreamName": target.stream, "Records": records})
            assert answer.status == 400, (str(records)[:100], answer)
    with cases.case("iterators, tokens and sequence numbers of our own making are refused"):
        dice = random.Random(1)
        for _ in range(200):
            text = "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=dice.choice(
                [1, 4, 100, 152, 168, 224, 300])))
            assert refused("GetRecords", {"ShardIterator": text}).status == 400, text
            assert refused("ListShards", {"NextToken": text}).status == 400, text
            number = str(dice.getrandbits(dice.choice([1, 100, 124, 128, 186, 187, 300])))
            request = {"StreamName": target.stream, "ShardId": "shardId-000000000000",
                       "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": number}
            answer = wire.post("GetShardIterator", request)
            assert answer.status in (200, 400, 500), (number, answer)  # the service says InternalFailure to old ones
    with cases.case("CBOR of random bytes is answered in shape"):
        dice = random.Random(2)
        for operation in OPERATIONS:
            for _ in range(40):
                start = dice.choice([b"", b"\xbf", b"\xa1", b"\xa1jStreamName", b"\x9f", b"\xbf" * 5_000, b"\xd8\x40",
                                     b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"])
                body = start + dice.randbytes(dice.randrange(1, 60))
                headers = {"content-type": "application/x-amz-cbor-1.1", "x-amz-target": f"{API}.{operation}"}
                answer = wire.exchange(headers=headers, body=body)
                if answer.status != 200:
                    judge(answer)
    wire.close()
