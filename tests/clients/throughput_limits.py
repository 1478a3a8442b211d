"""`--limits aws`: a shard takes 1,000 records and 1 MiB a second, and gives 5 reads and 2 MiB a second; an account asks for
descriptions so often a second. Who wants more is told in the service's words."""

import time

from black_box.cases import equal, eventually
from black_box.wire import b64

THROTTLED = "ProvisionedThroughputExceededException"


def run(cases, wire, *, limited):
    """`limited`: whether the server was started with --limits aws; where not, nothing of this may be refused."""
    stream = "limits" if limited else "no-limits"
    wire.call("CreateStream", StreamName=stream, ShardCount=2)
    wire.wait_active(stream)
    account = "000000000000"
    message = f"Rate exceeded for shard shardId-000000000000 in stream {stream} under account {account}."

    def put(count, data, hash_key="0"):
        return wire.call("PutRecords", StreamName=stream, Records=[
            {"PartitionKey": "k", "ExplicitHashKey": hash_key, "Data": b64(data)}] * count)

    def refused(results):
        """The number of refused records; each of them says why."""
        wrong = [one for one in results if "ErrorCode" in one and (one["ErrorCode"], one["ErrorMessage"]) != (
            THROTTLED, message)]
        equal(wrong[:1], [])
        return sum("ErrorCode" in one for one in results)

    if not limited:
        with cases.case("nothing is throttled without --limits aws"):
            for _ in range(6):
                equal(put(500, b"x")["FailedRecordCount"], 0)
            equal(put(4, bytes(2**20))["FailedRecordCount"], 0)
            at = wire.call("GetShardIterator", StreamName=stream, ShardId="0", ShardIteratorType="TRIM_HORIZON")
            for _ in range(20):
                equal(wire.post("GetRecords", {**at, "Limit": 1}).status, 200)
            for _ in range(30):
                equal(wire.post("ListStreams", {}).status, 200)
        return

    with cases.case("records over 1,000 a second fail one by one, and the other shard is served"):
        answers = [put(500, b"x") for _ in range(6)]
        failed = sum(answer["FailedRecordCount"] for answer in answers)
        equal(failed, sum(refused(answer["Records"]) for answer in answers))
        assert failed >= 500, failed
        equal(put(500, b"x", hash_key=str(2**128 - 1))["FailedRecordCount"], 0)
    with cases.case("PutRecord over the limit is refused with 400, and passes a second later"):
        time.sleep(1.1)
        # By bytes: a record's worth of the 1,000 a second comes back in the millisecond that a call takes.
        put(1, bytes(1_000_000))
        answer = wire.post("PutRecord", {"StreamName": stream, "PartitionKey": "k", "ExplicitHashKey": "0",
                                         "Data": b64(bytes(900_000))})
        equal((answer.status, answer.json), (400, {"__type": THROTTLED, "message": message}))
        eventually(lambda: wire.call("PutRecord", StreamName=stream, PartitionKey="k", ExplicitHashKey="0", Data=""), 5,
                   "a put is taken again")
    with cases.case("bytes over 1 MiB a second fail"):
        time.sleep(1.1)
        answer = put(4, bytes(600_000))
        equal(answer["FailedRecordCount"], refused(answer["Records"]))
        assert answer["FailedRecordCount"] >= 2, answer["FailedRecordCount"]
    with cases.case("reads over 5 a second are refused, and pass a second later"):
        at = wire.call("GetShardIterator", StreamName=stream, ShardId="0", ShardIteratorType="LATEST")
        answers = [wire.post("GetRecords", at) for _ in range(12)]
        assert [one.status for one in answers[:5]] == [200] * 5, answers[:5]
        over = [one.json for one in answers if one.status != 200]
        assert len(over) >= 5, over
        equal(over[0], {"__type": THROTTLED,
                        "message": f"Rate exceeded for Shard - {account}/{stream}/shardId-000000000000"})
        eventually(lambda: wire.post("GetRecords", at).status == 200, 5, "a read is answered again")
    with cases.case("a stream on demand takes as much as comes"):
        wire.call("CreateStream", StreamName="no-limit", StreamModeDetails={"StreamMode": "ON_DEMAND"})
        wire.wait_active("no-limit")
        for _ in range(6):
            answer = wire.call("PutRecords", StreamName="no-limit", Records=[
                {"PartitionKey": "k", "Data": b64(b"x")}] * 500)
            equal(answer["FailedRecordCount"], 0)
    with cases.case("descriptions over the account's rate are refused, with the stream's name where there is one"):
        time.sleep(1.1)
        answers = [wire.post("DescribeStream", {"StreamName": stream}) for _ in range(30)]
        assert all(one.status == 200 for one in answers[:10]), answers[:10]
        equal(next(one.json for one in answers if one.status != 200), {
            "__type": "LimitExceededException", "message": f"Rate exceeded for stream {stream} under account {account}."})
        answers = [wire.post("ListStreams", {}) for _ in range(20)]
        equal(next(one.json for one in answers if one.status != 200), {
            "__type": "LimitExceededException", "message": f"Rate exceeded for account {account}."})
        eventually(lambda: wire.post("ListStreams", {}).status == 200, 5, "they are answered again")
