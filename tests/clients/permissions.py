"""docs/authorization.md, row by row: of every operation of every service, whoever has all but one of its rows is refused by that
row's action on that row's resource, and whoever has its rows and nothing else is not refused. The operations are those that the
sources register: a new one wants its rows on the page and a request here."""

import fnmatch
import json
import os
import re
import time

from black_box.cases import equal
from black_box.server import REGION, Server
from black_box.wire import Wire, b64
from clients.front_doors import NOT_AUTHORIZED, SOURCES, AdminDoor, CloudWatchJson, DynamoDb, JsonDoor, Kms, Sts, registered
from clients.identity import ACCOUNT, document, trust

PAGE = os.path.join(os.path.dirname(SOURCES), "docs", "authorization.md")
TAGS, ENCRYPTED = "with `Tags`", "of a stream encrypted with a key of one's own"
INDEX = "with `IndexName`, in place of the table"


def page():
    """Section -> operation -> [(action, resource, condition)]."""
    sections = {}
    with open(PAGE, encoding="utf-8") as file:
        for line in file:
            if line.startswith("## "):
                rows = sections.setdefault(line[3:].strip(), {})
            cells = [cell.strip() for cell in line.split("|")]
            if line.startswith("| `"):
                operation, action, resource = (cell.strip("`") for cell in cells[1:4])
                rows.setdefault(operation, []).append((action, resource, cells[4]))
    return sections


class Kinesis(JsonDoor):
    service, prefix, content_type = "kinesis", "Kinesis_20131202", "application/x-amz-json-1.1"


class Case:
    """A request, which of the page's conditions it fulfils, and what the page's names stand for."""

    def __init__(self, operation, request, *conditions, **names):
        self.operation, self.request, self.conditions, self.names = operation, request, conditions, names

    def rows(self, rows):
        mine = [row for row in rows if not row[2] or row[2] in self.conditions]
        return [row for row in mine if row[2] == INDEX] or mine


class Walk:
    def __init__(self, cases, admin_door, wire, people):
        self.cases, self.admin_door, self.wire, self.people = cases, admin_door, wire, people

    def may(self, *statements):
        """What the walker may from now on."""
        self.admin_door.ok_as_root("PutInlinePolicy", User="walker", Policy="own", Document=json.dumps(
            {"Version": "2012-10-17", "Statement": list(statements)}))

    def ask(self, door, case):
        """None where it was not refused; else to whom what on what."""
        door.requests[case.operation] = case.request
        answer = door.post(case.operation, **self.people["walker"])
        if answer.status == 200:
            return None
        code, text = door.code_and_text(answer)
        assert "Signature" not in code and "Token" not in code, answer
        if "AccessDenied" not in code:
            return None
        return NOT_AUTHORIZED.search(text).groups()

    def section(self, name, operations, door, requests, names):
        rows_of = page()[name]
        with self.cases.case(f"{name}: the page has the operations that there are, each with its requests here"):
            equal(sorted(rows_of), sorted(operations))
            used = {(case.operation, row) for case in requests for row in case.rows(rows_of[case.operation])}
            equal(sorted({(operation, row) for operation, rows in rows_of.items() for row in rows} - used), [], "not asked for")
        asked = [(case, [(action, self.resolved(resource, {**names, **case.names}))
                         for action, resource, _ in case.rows(rows_of[case.operation])]) for case in requests]
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        for case, rows in asked:
            with self.cases.case(f"{name}: {case.operation} is refused without any one of its rows {case.conditions or ''}"):
                for action, resource in rows:
                    if not action:
                        continue
                    self.may(everything, {"Effect": "Deny", "Action": action, "Resource": resource})
                    refusal = self.ask(door, case)
                    assert refusal is not None, f"a deny of {action} on {resource} does not hold"
                    equal(refusal[1], action)
                    assert fnmatch.fnmatchcase(refusal[2], resource), f"{refusal[2]} is not {resource}"
        for case, rows in asked:
            with self.cases.case(f"{name}: {case.operation} needs nothing but its rows {case.conditions or ''}"):
                forbidden = [{**everything, "Effect": "Deny"}]
                self.may(*([{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in rows if action]
                           or forbidden))
                equal(self.ask(door, case), None)

    @staticmethod
    def resolved(template, names):
        return re.sub(r"\b[A-Z]{3,}\b", lambda word: names[word.group()], template)


class RootAdmin(AdminDoor):
    def ok_as_root(self, operation, **request):
        self.requests[operation] = request
        answer = self.post(operation)
        equal(answer.status, 200, f"{operation}: {answer!r}")
        return answer.json


def kinesis(walk, door, kms_door):
    wire = Wire(f"http://{door.wire.host}")
    key = kms_door.ok("CreateKey", {})["KeyMetadata"]["Arn"]
    consumers, iterators = {}, {}
    for stream in ("walked", "sealed"):
        wire.call("CreateStream", StreamName=stream, ShardCount=2)
        wire.wait_active(stream)
        arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"
        consumers[stream] = wire.call("RegisterStreamConsumer", StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
        iterators[stream] = wire.call("GetShardIterator", StreamName=stream, ShardId="shardId-000000000000",
                                      ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    wire.call("StartStreamEncryption", StreamName="sealed", EncryptionType="KMS", KeyId=key)
    wire.wait_active("sealed")
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/walked"
    by_name, by_arn, sealed = {"StreamName": "walked"}, {"StreamARN": arn}, {"StreamName": "sealed"}
    stream, consumer = {"ResourceARN": arn}, {"ResourceARN": consumers["walked"]}
    of_stream, of_consumer = "of a stream", "of a consumer"
    in_sealed = {"STREAM": "sealed", "CREATED": consumers["sealed"].rpartition(":")[2]}
    record, tags = {"PartitionKey": "k", "Data": b64("x")}, {"Tags": {"a": "b"}}
    policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}, "Action": "kinesis:*", "Resource": "*"}]})}
    subscription = {"ShardId": "shardId-000000000000", "StartingPosition": {"Type": "LATEST"}, "DryRun": True}
    operations = registered("kinesis/operations.def", r"^OPERATION\((\w+),")
    later = registered("kinesis/operations.def", r"^OPERATION\((\w+), (?:channels|queues)\)")
    requests = [Case(operation, {}) for operation in ("DescribeAccountSettings", "DescribeLimits", "ListStreams", *later)]
    requests += [Case(operation, by_name) for operation in ("DescribeStream", "DescribeStreamSummary", "ListShards",
                                                            "ListTagsForStream")]
    requests += [
        Case("UpdateAccountSettings", {"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}}),
        Case("CreateStream", {"StreamName": "new", "ShardCount": 1, **tags}, TAGS, STREAM="new"),
        Case("RegisterStreamConsumer", {**by_arn, "ConsumerName": "new", **tags}, TAGS, CONSUMER="new", CREATED="*"),
        Case("ListStreamConsumers", by_arn),
        Case("PutRecord", {**by_name, **record}),
        Case("PutRecord", {**sealed, **record}, ENCRYPTED, **in_sealed),
        Case("PutRecords", {**by_arn, "Records": [record]}),
        Case("PutRecords", {**sealed, "Records": [record]}, ENCRYPTED, **in_sealed),
        Case("GetShardIterator", {**by_name, "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}),
        Case("GetRecords", {"ShardIterator": iterators["walked"]}),
        Case("GetRecords", {"ShardIterator": iterators["sealed"]}, ENCRYPTED, **in_sealed),
        Case("SubscribeToShard", {"ConsumerARN": consumers["walked"], **subscription}),
        Case("SubscribeToShard", {"ConsumerARN": consumers["sealed"], **subscription}, ENCRYPTED, **in_sealed),
        Case("DescribeStreamConsumer", {"ConsumerARN": consumers["walked"]}),
        Case("AddTagsToStream", {**by_name, **tags}),
        Case("RemoveTagsFromStream", {**by_name, "TagKeys": ["a"]}),
        *(Case(operation, {**resource, **more}, condition)
          for resource, condition in ((stream, of_stream), (consumer, of_consumer))
          for operation, more in (("TagResource", tags), ("ListTagsForResource", {}), ("UntagResource", {"TagKeys": ["a"]}),
                                  ("PutResourcePolicy", policy), ("GetResourcePolicy", {}), ("DeleteResourcePolicy", {}))),
        Case("EnableEnhancedMonitoring", {**by_name, "ShardLevelMetrics": ["ALL"]}),
        Case("DisableEnhancedMonitoring", {**by_name, "ShardLevelMetrics": ["ALL"]}),
        Case("IncreaseStreamRetentionPeriod", {**by_name, "RetentionPeriodHours": 48}),
        Case("DecreaseStreamRetentionPeriod", {**by_name, "RetentionPeriodHours": 24}),
        Case("UpdateMaxRecordSize", {**by_arn, "MaxRecordSizeInKiB": 2048}),
        Case("StartStreamEncryption", {**by_name, "EncryptionType": "KMS", "KeyId": key}, "with a key of one's own"),
        Case("StopStreamEncryption", {**by_name, "EncryptionType": "KMS", "KeyId": key}),
        Case("SplitShard", {**by_name, "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "1000"}),
        Case("MergeShards", {**by_name, "ShardToMerge": "shardId-000000000000", "AdjacentShardToMerge": "shardId-000000000001"}),
        Case("UpdateShardCount", {**by_name, "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}),
        Case("UpdateStreamMode", {**by_arn, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
        Case("UpdateStreamRecordDistributionStrategy", {**by_arn, "RecordDistributionStrategy": "AUTO"}),
        Case("UpdateStreamWarmThroughput", {**by_name, "WarmThroughputMiBps": 5}),
        Case("DeregisterStreamConsumer", {"ConsumerARN": consumers["walked"]}),
        Case("DeleteStream", {**by_name, "EnforceConsumerDeletion": True}),
    ]
    walk.section("kinesis", operations, door, requests,
                 {"REGION": REGION, "ACCOUNT": ACCOUNT, "STREAM": "walked", "CONSUMER": "c",
                  "CREATED": consumers["walked"].rpartition(":")[2], "KEY": key.rpartition("/")[2]})


def kms(walk, door):
    key, other = (door.ok("CreateKey", {})["KeyMetadata"]["KeyId"] for _ in range(2))
    door.ok("CreateAlias", {"AliasName": "alias/walked", "TargetKeyId": key})
    text = b64("text")
    sealed = door.ok("Encrypt", {"KeyId": key, "Plaintext": text})["CiphertextBlob"]
    of, by_alias, tags = {"KeyId": key}, {"KeyId": "alias/walked"}, [{"TagKey": "c", "TagValue": "d"}]
    policy = door.ok("GetKeyPolicy", of)["Policy"]
    simple = ("DescribeKey", "DisableKey", "EnableKey", "ListKeyPolicies", "GetKeyPolicy", "EnableKeyRotation",
              "DisableKeyRotation", "GetKeyRotationStatus", "RotateKeyOnDemand", "ListResourceTags")
    requests = [
        Case("ListKeys", {}), Case("ListAliases", {}), Case("GenerateRandom", {"NumberOfBytes": 8}),
        Case("CreateKey", {"Tags": tags}, TAGS),
        *(Case(operation, of) for operation in simple),
        Case("DescribeKey", by_alias), Case("Encrypt", {**by_alias, "Plaintext": text}), Case("Encrypt", {**of, "Plaintext": text}),
        Case("Decrypt", {"CiphertextBlob": sealed}), Case("Decrypt", {"CiphertextBlob": sealed, **by_alias}),
        Case("ReEncrypt", {"CiphertextBlob": sealed, "DestinationKeyId": other}),
        Case("GenerateDataKey", {**of, "KeySpec": "AES_256"}),
        Case("GenerateDataKeyWithoutPlaintext", {**of, "KeySpec": "AES_256"}),
        Case("UpdateKeyDescription", {**of, "Description": "other"}),
        Case("PutKeyPolicy", {**of, "PolicyName": "default", "Policy": policy}),
        Case("TagResource", {**of, "Tags": tags}), Case("UntagResource", {**of, "TagKeys": ["c"]}),
        Case("CreateAlias", {"AliasName": "alias/new", "TargetKeyId": key}, ALIAS="alias/new"),
        Case("DeleteAlias", {"AliasName": "alias/walked"}),
        Case("UpdateAlias", {"AliasName": "alias/new", "TargetKeyId": other}, ALIAS="alias/new"),
        Case("ScheduleKeyDeletion", {**of, "PendingWindowInDays": 7}), Case("CancelKeyDeletion", of),
    ]
    door.ok("CreateAlias", {"AliasName": "alias/new", "TargetKeyId": key})  # so that it has one to leave
    walk.section("kms", registered("kms/operations.def", r"^OPERATION\((\w+)\)"), door, requests,
                 {"REGION": REGION, "ACCOUNT": ACCOUNT, "KEY": key, "OTHER": other, "ALIAS": "alias/walked"})


def dynamodb(walk, door):
    table, key = {"TableName": "walked"}, {"TableName": "walked", "Key": {"k": {"S": "a"}}}
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/walked"
    tags, of = [{"Key": "c", "Value": "d"}], {"ResourceArn": arn}
    index = {"IndexName": "by-x", "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}
    definition = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                  "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}]}
    attributes = [*definition["AttributeDefinitions"], {"AttributeName": "x", "AttributeType": "S"}]
    door.ok("CreateTable", {**table, **definition, "AttributeDefinitions": attributes, "GlobalSecondaryIndexes": [index]})
    deadline = time.monotonic() + 30
    while door.ok("DescribeTable", table)["Table"]["TableStatus"] != "ACTIVE" and time.monotonic() < deadline:
        time.sleep(0.05)
    item = {**table, "Item": {"k": {"S": "b"}}}
    update = {"UpdateExpression": "SET y = :y", "ExpressionAttributeValues": {":y": {"S": "1"}}}
    by = {"ExpressionAttributeValues": {":v": {"S": "a"}}}
    requests = [
        *(Case(operation, {}) for operation in ("DescribeEndpoints", "DescribeLimits", "ListTables")),
        *(Case(operation, table) for operation in ("DescribeTable", "DescribeContinuousBackups", "DescribeTimeToLive", "Scan")),
        Case("DescribeTable", {"TableName": arn}),
        Case("Scan", {**table, "IndexName": "by-x"}, INDEX),
        Case("Query", {**table, **by, "KeyConditionExpression": "k = :v"}),
        Case("Query", {**table, **by, "KeyConditionExpression": "x = :v", "IndexName": "by-x"}, INDEX),
        Case("CreateTable", {"TableName": "new", **definition, "Tags": tags}, TAGS, TABLE="new"),
        Case("GetItem", key), Case("GetItem", {**key, "TableName": arn}), Case("PutItem", item), Case("UpdateItem", {**key, **update}),
        Case("DeleteItem", key),
        Case("BatchGetItem", {"RequestItems": {"walked": {"Keys": [key["Key"]]}}}),
        Case("BatchGetItem", {"RequestItems": {arn: {"Keys": [key["Key"]]}}}),
        Case("BatchWriteItem", {"RequestItems": {"walked": [{"PutRequest": {"Item": item["Item"]}}]}}),
        Case("TransactGetItems", {"TransactItems": [{"Get": key}]}),
        *(Case("TransactWriteItems", {"TransactItems": [{kind: request}]}, f"of a `{kind}`") for kind, request in (
            ("Put", item), ("Delete", key), ("Update", {**key, **update}),
            ("ConditionCheck", {**key, "ConditionExpression": "attribute_not_exists(y)"}))),
        Case("TagResource", {**of, "Tags": tags}), Case("ListTagsOfResource", of), Case("UntagResource", {**of, "TagKeys": ["c"]}),
        Case("UpdateContinuousBackups", {**table, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}),
        Case("UpdateTimeToLive", {**table, "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}}),
        Case("UpdateTable", {**table, "DeletionProtectionEnabled": False}),
        Case("DeleteTable", table),
    ]
    walk.section("dynamodb", registered("leases/dynamodb/operations.def", r"^OPERATION\((\w+),"), door, requests,
                 {"REGION": REGION, "ACCOUNT": ACCOUNT, "TABLE": "walked", "INDEX": "by-x"})


def cloudwatch(walk, door):
    now = int(time.time())
    metric = {"Namespace": "walked", "MetricName": "m"}
    span = {"StartTime": now - 600, "EndTime": now}
    walk.section("cloudwatch", registered("leases/cloudwatch/operations.cc", r'^ +\{"(\w+)", "cloudwatch:\w+"'), door, [
        Case("PutMetricData", {"Namespace": "walked", "MetricData": [{"MetricName": "n", "Value": 1}]}),
        Case("ListMetrics", {"Namespace": "walked"}),
        Case("GetMetricStatistics", {**metric, **span, "Period": 60, "Statistics": ["Sum"]}),
        Case("GetMetricData", {**span, "MetricDataQueries": [
            {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]}),
    ], {})


def sts(walk, door):
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/held", "RoleSessionName": "job"}
    tagged = {"Tags.member.1.Key": "team", "Tags.member.1.Value": "web"}
    walk.section("sts", registered("sts/operations.cc", r'^ +Operation\{"(\w+)",'), door, [
        Case("AssumeRole", role),
        Case("AssumeRole", {**role, **tagged}, "with `Tags`, or where the caller's session passes tags on"),
        Case("GetCallerIdentity", {}), Case("GetSessionToken", {}),
    ], {"ACCOUNT": ACCOUNT, "ROLE": "held"})


def admin_api(walk, door, key):
    user, role, policy = {"User": "held"}, {"Role": "held"}, {"Policy": "walked"}
    of_user, of_role, text = "with `User`", "with `Role`", document("Allow", "kinesis:ListStreams")
    requests = [
        *(Case(operation, {}) for operation in ("ListUsers", "ListPolicies", "ListRoles", "ListQuotas")),
        Case("AddUser", {"User": "new"}, USER="new"),
        Case("CreateKey", user), Case("ListKeys", user), Case("ListKeys", {}, USER="*"),
        *(Case(operation, {"AccessKeyId": key}) for operation in ("DisableKey", "EnableKey")),
        Case("PutPolicy", {"Policy": "new", "Document": text}, "of a new policy", POLICY="new"),
        Case("PutPolicy", {**policy, "Document": text}, "of a policy that exists"),
        Case("GetPolicy", policy, "of a policy by itself"), Case("DeletePolicy", {"Policy": "unused"}, POLICY="unused"),
        *(Case(operation, {**policy, **holder, **more}, condition)
          for holder, condition in ((user, of_user), (role, of_role))
          for operation, more in (("PutInlinePolicy", {"Document": text}), ("GetPolicy", {}), ("DeleteInlinePolicy", {}),
                                  ("DetachPolicy", {}), ("AttachPolicy", {}))),
        Case("CreateRole", {"Role": "new", "Trust": trust(ACCOUNT)}, ROLE="new"),
        Case("ChangeRole", {**role, "SessionSecondsMax": 7200}, "with `SessionSecondsMax`"),
        Case("ChangeRole", {**role, "Trust": trust(ACCOUNT)}, "with `Trust`"),
        Case("ChangeRole", {**role, "Trust": trust(ACCOUNT), "SessionSecondsMax": 7200}, "with `Trust`",
             "with `SessionSecondsMax`"),
        Case("GetRole", role),
        Case("PutQuota", {"Owner": "stream/walked", "RequestsPerSecond": 1}), Case("RemoveQuota", {"Owner": "stream/walked"}),
        Case("DeleteKey", {"AccessKeyId": key}),
        Case("RemoveRole", role, "of a role with attached policies, for each", "of a role with inline policies",
             "of a role with a quota"),
        Case("RemoveUser", user, "of a user with keys", "of a user with attached policies, for each",
             "of a user with inline policies", "of a user with a quota"),
    ]
    walk.section("admin", registered("iam/admin_operations.cc", r'^ +AdminOperation\{"(\w+)",'), door, requests,
                 {"ACCOUNT": ACCOUNT, "USER": "held", "ROLE": "held", "POLICY": "walked", "OWNER": "stream/walked"})


def backup(walk, door):
    names = registered("app/backup_door.cc", r'"/admin/(\w+)"')
    walk.section("backup", names, door, [Case(name, {"Backup": "0"}) for name in names], {})


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "authorization"), flags=["--transition-ms", "0"]) as server:
        server.start()
        wire = Wire(server.endpoint)
        root = RootAdmin(wire, None, {})
        keys = {}
        for name in ("walker", "held"):
            root.ok_as_root("AddUser", User=name)
            keys[name] = root.ok_as_root("CreateKey", User=name)
        text = document("Allow", "kinesis:ListStreams")
        root.ok_as_root("CreateRole", Role="held", Trust=trust(ACCOUNT, Action=["sts:AssumeRole", "sts:TagSession"]))
        for policy in ("walked", "unused"):
            root.ok_as_root("PutPolicy", Policy=policy, Document=text)
        for holder in ({"User": "held"}, {"Role": "held"}):
            root.ok_as_root("AttachPolicy", Policy="walked", **holder)
            root.ok_as_root("PutInlinePolicy", Policy="kept", Document=text, **holder)
            [(kind, name)] = holder.items()
            root.ok_as_root("PutQuota", Owner=f"{kind.lower()}/{name}", RequestsPerSecond=1000)
        people = {"walker": {"access": keys["walker"]["AccessKeyId"], "secret": keys["walker"]["SecretAccessKey"]}}
        walk = Walk(cases, root, wire, people)
        kms_door = Kms(wire, None, {})
        kinesis(walk, Kinesis(wire, None, {}), kms_door)
        kms(walk, kms_door)
        dynamodb(walk, DynamoDb(wire, None, {}))
        cloudwatch(walk, CloudWatchJson(wire, None, {}))
        sts(walk, Sts(wire, None, {}))
        admin_api(walk, AdminDoor(wire, None, {}), keys["held"]["AccessKeyId"])
        backup(walk, AdminDoor(wire, None, {}))
        with cases.case("authorization: the server ends in order"):
            equal(server.stop(), 0)
