"""A small data folder with something in every part of it: records (clear and encrypted, in segments and in the journal),
a stream that was split, one that is gone, users, keys, a policy, tables. Says what must be there, and looks whether it is."""

import http.client
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.cases import eventually
from black_box.server import Server
from black_box.wire import ApiError, Wire, b64

FLAGS = ["--loops", "1", "--journal-file-bytes", "1MiB", "--transition-ms", "0"]
SETTLING = [*FLAGS, "--settle-at-bytes", "64KiB", "--settle-after-ms", "10"]
RESTING = [*FLAGS, "--settle-after-ms", "3600000"]


class Missing(Exception):
    """Something acknowledged is not there, or is not as it was."""


def call(wire, door, operation, **request):
    service, target = {"dynamodb": ("dynamodb", "DynamoDB_20120810"), "kms": ("kms", "TrentService")}[door]
    kind = "application/x-amz-json-1." + ("0" if door == "dynamodb" else "1")
    answer = wire.exchange(headers={"content-type": kind, "x-amz-target": f"{target}.{operation}"},
                           body=json.dumps(request).encode(), service=service)
    if answer.status != 200:
        raise ApiError(answer)
    return answer.json


def admin(wire, operation, **request):
    answer = wire.exchange(target=f"/admin/{operation}", headers={"content-type": "application/json"},
                           body=json.dumps(request).encode(), service="millrace")
    if answer.status != 200:
        raise ApiError(answer)
    return answer.json


class SmallFolder:
    """What was acknowledged in one data folder, over its starts."""

    def __init__(self):
        self.records = {}   # stream -> shard -> {sequence number as text: [key, data as text]}
        self.users = []
        self.keys = {}      # access key -> its secret
        self.master_keys = []
        self.items = {}     # leaseKey -> owner

    def dump(self):
        return json.dumps(vars(self), indent=1, sort_keys=True)

    @staticmethod
    def load(text):
        folder = SmallFolder()
        vars(folder).update(json.loads(text))
        return folder

    def put(self, wire, stream, count, size=200):
        records = [(f"key-{i % 7}", os.urandom(size // 2).hex()) for i in range(count)]
        answer = wire.call("PutRecords", StreamName=stream,
                           Records=[{"PartitionKey": key, "Data": b64(data)} for key, data in records])
        assert answer["FailedRecordCount"] == 0, answer
        for record, put in zip(records, answer["Records"]):
            self.records.setdefault(stream, {}).setdefault(put["ShardId"], {})[put["SequenceNumber"]] = list(record)

    def make(self, wire):
        """Of a new folder."""
        for stream in ("clicks", "secret", "old"):
            wire.call("CreateStream", StreamName=stream, ShardCount=1)
            wire.wait_active(stream)
            wire.call("IncreaseStreamRetentionPeriod", StreamName=stream, RetentionPeriodHours=-1)  # for folders that are kept
        key = call(wire, "kms", "CreateKey")["KeyMetadata"]["KeyId"]
        self.master_keys.append(key)
        wire.call("StartStreamEncryption", StreamName="secret", EncryptionType="KMS", KeyId=key)
        wire.wait_active("secret")
        call(wire, "dynamodb", "CreateTable", TableName="leases", BillingMode="PAY_PER_REQUEST",
             KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
             AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}])
        eventually(lambda: call(wire, "dynamodb", "DescribeTable", TableName="leases")["Table"]["TableStatus"] == "ACTIVE")

    def go_on(self, wire, name):
        """A round of changes in every part; `name` tells it from others."""
        for stream in ("clicks", "secret"):
            self.put(wire, stream, 30)
        call(wire, "dynamodb", "PutItem", TableName="leases",
             Item={"leaseKey": {"S": f"shard-{name}"}, "leaseOwner": {"S": f"worker-{name}"}})
        self.items[f"shard-{name}"] = f"worker-{name}"
        admin(wire, "AddUser", User=f"user-{name}")
        self.users.append(f"user-{name}")
        made = admin(wire, "CreateKey", User=f"user-{name}")
        self.keys[made["AccessKeyId"]] = made["SecretAccessKey"]
        self.master_keys.append(call(wire, "kms", "CreateKey")["KeyMetadata"]["KeyId"])
        wire.call("AddTagsToStream", StreamName="clicks", Tags={f"tag-{name}": name})

    def reshape(self, wire):
        """A shard ends and a stream goes."""
        wire.call("SplitShard", StreamName="clicks", ShardToSplit="0", NewStartingHashKey=str(2**127))
        wire.wait_active("clicks")
        self.put(wire, "old", 5)
        wire.call("DeleteStream", StreamName="old")
        self.records.pop("old")
        eventually(lambda: "old" not in wire.call("ListStreams")["StreamNames"])

    def check(self, endpoint, damaged_reads=False):
        """Throws Missing where something is not there. With `damaged_reads`, a read may end in InternalFailure; true if one did."""
        wire = Wire(endpoint)
        errors = 0
        for stream, shards in self.records.items():
            names = {shard["ShardId"] for shard in wire.shards(stream)}
            if not set(shards) <= names:
                raise Missing(f"{stream}: shards {sorted(names)}, not {sorted(shards)}")
            for shard, expected in shards.items():
                try:
                    got = {str(number): [key, data.decode()] for number, key, data in wire.read_shard(stream, shard)}
                except (ApiError, http.client.HTTPException, OSError):
                    if not damaged_reads:
                        raise
                    errors += 1
                    continue
                if got != expected:
                    raise Missing(f"{stream} {shard}: {len(got)} records of {len(expected)}")
        users = admin(wire, "ListUsers")
        if not set(self.users) <= {user["User"] for user in users["Users"]}:
            raise Missing(f"users {users}")
        for access, secret in self.keys.items():
            answer = wire.post("ListStreams", {}, access=access, secret=secret)
            if b"AccessDenied" not in answer.body:  # the signature held, and no policy allows it
                raise Missing(f"key {access}: {answer}")
        keys = {key["KeyId"] for key in call(wire, "kms", "ListKeys")["Keys"]}
        if not set(self.master_keys) <= keys:
            raise Missing(f"master keys {keys}")
        for lease, owner in self.items.items():
            item = call(wire, "dynamodb", "GetItem", TableName="leases", Key={"leaseKey": {"S": lease}}).get("Item")
            if item is None or item["leaseOwner"]["S"] != owner:
                raise Missing(f"item {lease}: {item}")
        wire.close()
        return errors > 0


def settled(path, more_than=0):
    return len(os.listdir(os.path.join(path, "log/segments"))) > more_than if os.path.isdir(
        os.path.join(path, "log/segments")) else False


def fill(binary, path, rounds=2, earlier=None):
    """A folder made, started `rounds` times more, and stopped. `earlier(number)` is called after each clean stop."""
    folder = SmallFolder()
    with Server(binary, path, flags=SETTLING) as server:
        server.start()
        wire = Wire(server.endpoint)
        folder.make(wire)
        folder.go_on(wire, "first")
        eventually(lambda: settled(path), 20, "records in segments")
        folder.reshape(wire)
        assert server.stop() == 0, server.log()
        if earlier:
            earlier(0)
        server.flags = RESTING
        for number in range(rounds):
            server.start()
            wire = Wire(server.endpoint)
            folder.go_on(wire, f"round-{number}")
            time.sleep(0.05)
            assert server.stop() == 0, server.log()
            if earlier:
                earlier(number + 1)
    return folder
