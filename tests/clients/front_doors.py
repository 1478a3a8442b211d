"""Every operation of DynamoDB, CloudWatch, KMS, STS and the admin API refuses whoever may not call it, whichever way he fails
to, and then nothing was done. The operations are those that the sources register: a new one wants a request here. (Of Kinesis
itself: tests/kinesis/access_test.cc.)"""

import base64
import datetime
import json
import os
import re
import time
import urllib.parse

from black_box.cases import equal
from black_box.server import REGION, Server
from black_box.wire import Wire, signed_headers, stamp_of
from clients.identity import ACCOUNT, Admin, arn, document, trust

SOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "src")
TABLE, KEY = "walked", {"leaseKey": {"S": "a"}}
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
FORM = "application/x-www-form-urlencoded"
NOT_AUTHORIZED = re.compile(r"User: (\S+) is not authorized to perform: (\S+) on resource: (\S+)")


def registered(path, pattern):
    with open(os.path.join(SOURCES, path), encoding="utf-8") as source:
        names = re.findall(pattern, source.read(), re.MULTILINE)
    assert len(names) >= 3 and len(set(names)) == len(names), f"{path}: found {names}"
    return names


class People:
    """nobody has no policy; free may do everything; barred, too, but for a deny; locked_out is denied by resources' policies."""

    def __init__(self, admin):
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        self.keys = {}
        for name, statements in {"nobody": [], "free": [allow], "barred": [allow, {**allow, "Effect": "Deny"}],
                                 "locked-out": [allow]}.items():
            admin("user", "add", name)
            self.keys[name] = admin("key", "create", name)
            if statements:
                admin("policy", "put-inline", "own", "-", "--user", name,
                      stdin=json.dumps({"Version": "2012-10-17", "Statement": statements}))

    def by(self, name, **more):
        return {"access": self.keys[name]["AccessKeyId"], "secret": self.keys[name]["SecretAccessKey"], **more}


def minutes(count):
    return stamp_of(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=count))


class Door:
    """One front door, in one of its protocols. `requests`: operation -> what would do something."""

    service = status = None
    # What the ways to fail are called, where they are not as in the JSON protocols.
    codes = {"unsigned": "MissingAuthenticationTokenException", "unknown": "UnrecognizedClientException",
             "signature": "InvalidSignatureException", "denied": "AccessDeniedException"}
    for_everybody = ()  # operations that need no permission
    actions = {}        # where it is not the operation's name

    def __init__(self, wire, people, requests):
        self.wire, self.people, self.requests = wire, people, requests

    def message(self, operation):
        """(target, headers, body)"""
        raise NotImplementedError

    def code_and_text(self, answer):
        return answer.json["__type"].split("#")[-1], answer.json.get("message", answer.json.get("Message", ""))

    def post(self, operation, **signing):
        target, headers, body = self.message(operation)
        return self.wire.exchange("POST", target, headers, body, service=self.service, **signing)

    def ok(self, operation, request):
        """One of root's, on the way to a state."""
        self.requests["-"] = (operation, request)
        answer = self.post("-")
        equal(answer.status, 200, f"{operation}: {answer!r}")
        return answer.json

    def asked(self, operation):
        return self.requests["-"] if operation == "-" else (operation, self.requests[operation])

    def refused(self, operation, way, answer, code, begins=""):
        got, text = self.code_and_text(answer)
        assert (answer.status, got) == (self.status, self.codes[code]) and text.startswith(begins), \
            f"{operation}, {way}: expected {self.status} {self.codes[code]} {begins!r}, got {answer!r}"
        return text

    def refuses_strangers(self, operation):
        free = self.people.by("free")
        self.refuses_unsigned(operation)
        self.refused(operation, "wrong secret", self.post(operation, **{**free, "secret": "x" * 40}), "signature")
        self.refused(operation, "unknown key", self.post(operation, **{**free, "access": "AKIA" + "Z" * 16}), "unknown")
        self.refused(operation, "expired", self.post(operation, **free, stamp=minutes(-6)), "signature", "Signature expired: ")
        self.refused(operation, "early", self.post(operation, **free, stamp=minutes(6)), "signature",
                     "Signature not yet current: ")
        target, headers, body = self.message(operation)
        signed = signed_headers("POST", target, {"host": self.wire.host, **headers}, body, service=self.service, **free)
        self.refused(operation, "body changed", self.wire.exchange("POST", target, signed, body + b" ", sign=False), "signature")

    def refuses_unsigned(self, operation):
        self.refused(operation, "unsigned", self.post(operation, sign=False), "unsigned")

    def refuses_unauthorized(self, operation):
        for name, ending in (("nobody", ""), ("barred", "with an explicit deny in an identity-based policy")):
            text = self.refused(operation, name, self.post(operation, **self.people.by(name)), "denied")
            who, action, _ = NOT_AUTHORIZED.search(text).groups()
            equal(who, arn("user", name), operation)
            equal(action, self.actions.get(operation, f"{self.service}:{operation}"), operation)
            assert text.endswith(ending) or not self.shows_reason, text

    shows_reason = True

    def walk(self, cases, what, operations, state):
        """state(): whatever an operation could have done."""
        for operation in operations:
            with cases.case(f"{what}: {operation} refuses whoever may not call it"):
                assert operation in self.requests, f"give {operation} a request in front_doors.py"
                before = state()
                self.refuses_strangers(operation)
                if operation not in self.for_everybody:
                    self.refuses_unauthorized(operation)
                equal(state(), before, "what was there before, and is after")
        with cases.case(f"{what}: who may is answered by the same requests"):
            refusals = set(self.codes.values())
            for operation in operations:
                answer = self.post(operation, **self.people.by("free"))
                if answer.status != 200:
                    assert self.code_and_text(answer)[0] not in refusals, f"{operation}: {answer!r}"


class JsonDoor(Door):
    status = 400
    prefix = content_type = ""

    def message(self, operation):
        name, request = self.asked(operation)
        headers = {"content-type": self.content_type, "x-amz-target": f"{self.prefix}.{name}"}
        return "/", headers, json.dumps(request).encode()


class DynamoDb(JsonDoor):
    service, prefix, content_type = "dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0"
    actions = {"TransactGetItems": "dynamodb:GetItem", "TransactWriteItems": "dynamodb:PutItem"}


def dynamodb(cases, wire, people):
    table = {"TableName": TABLE}
    key, tags = {**table, "Key": KEY}, [{"Key": "c", "Value": "d"}]
    definition = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}],
                  "AttributeDefinitions": [{"AttributeName": "leaseKey", "AttributeType": "S"}]}
    other = {"leaseKey": {"S": "b"}}
    door = DynamoDb(wire, people, {
        "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [KEY]}}},
        "BatchWriteItem": {"RequestItems": {TABLE: [{"PutRequest": {"Item": other}}]}},
        "CreateTable": {"TableName": "new", **definition},
        "DeleteItem": key,
        "DeleteTable": table,
        "DescribeContinuousBackups": table,
        "DescribeEndpoints": {},
        "DescribeLimits": {},
        "DescribeTable": table,
        "DescribeTimeToLive": table,
        "GetItem": key,
        "ListTables": {},
        "ListTagsOfResource": {"ResourceArn": TABLE_ARN},
        "PutItem": {**table, "Item": other},
        "Query": {**table, "KeyConditionExpression": "leaseKey = :k", "ExpressionAttributeValues": {":k": {"S": "a"}}},
        "Scan": table,
        "TagResource": {"ResourceArn": TABLE_ARN, "Tags": tags},
        "TransactGetItems": {"TransactItems": [{"Get": key}]},
        "TransactWriteItems": {"TransactItems": [{"Put": {**table, "Item": other}}]},
        "UntagResource": {"ResourceArn": TABLE_ARN, "TagKeys": ["a"]},
        "UpdateContinuousBackups": {**table, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
        "UpdateItem": {**key, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"N": "1"}}},
        "UpdateTable": {**table, "DeletionProtectionEnabled": True},
        "UpdateTimeToLive": {**table, "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}},
    })
    door.ok("CreateTable", {**table, **definition, "Tags": [{"Key": "a", "Value": "b"}]})
    deadline = time.monotonic() + 30
    while door.ok("DescribeTable", table)["Table"]["TableStatus"] != "ACTIVE" and time.monotonic() < deadline:
        time.sleep(0.05)
    door.ok("PutItem", {**table, "Item": {**KEY, "x": {"N": "0"}}})

    def state():
        return [door.ok(name, request) for name, request in (
            ("ListTables", {}), ("DescribeTable", table), ("Scan", table), ("ListTagsOfResource", {"ResourceArn": TABLE_ARN}),
            ("DescribeTimeToLive", table), ("DescribeContinuousBackups", table))]
    door.walk(cases, "DynamoDB", registered("leases/dynamodb/operations.def", r"^OPERATION\((\w+),"), state)


class Kms(JsonDoor):
    service, prefix, content_type = "kms", "TrentService", "application/x-amz-json-1.1"
    actions = {"ReEncrypt": "kms:ReEncryptFrom"}


def kms(cases, wire, people):
    door = Kms(wire, people, {})
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": arn("user", "locked-out")}, "Action": "kms:*", "Resource": "*"}]})
    key = door.ok("CreateKey", {"Policy": policy, "Tags": [{"TagKey": "a", "TagValue": "b"}]})["KeyMetadata"]["Arn"]
    door.ok("CreateAlias", {"AliasName": "alias/walked", "TargetKeyId": key})
    text = base64.b64encode(b"text").decode()
    sealed = door.ok("Encrypt", {"KeyId": key, "Plaintext": text})["CiphertextBlob"]
    of = {"KeyId": key}
    on_no_key = {"CreateKey": {}, "ListKeys": {}, "ListAliases": {}, "GenerateRandom": {"NumberOfBytes": 8}}
    door.requests = {
        **on_no_key,
        **{name: of for name in ("DescribeKey", "EnableKey", "DisableKey", "CancelKeyDeletion", "ListKeyPolicies",
                                 "EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus", "RotateKeyOnDemand",
                                 "ListResourceTags")},
        "UpdateKeyDescription": {**of, "Description": "other"},
        "ScheduleKeyDeletion": {**of, "PendingWindowInDays": 7},
        "GetKeyPolicy": {**of, "PolicyName": "default"},
        "PutKeyPolicy": {**of, "PolicyName": "default", "Policy": policy.replace("kms:*", "kms:D*")},
        "CreateAlias": {"AliasName": "alias/new", "TargetKeyId": key},
        "UpdateAlias": {"AliasName": "alias/walked", "TargetKeyId": key},
        "DeleteAlias": {"AliasName": "alias/walked"},
        "Encrypt": {**of, "Plaintext": text},
        "Decrypt": {"CiphertextBlob": sealed},
        "ReEncrypt": {"CiphertextBlob": sealed, "DestinationKeyId": key},
        "GenerateDataKey": {**of, "KeySpec": "AES_256"},
        "GenerateDataKeyWithoutPlaintext": {**of, "KeySpec": "AES_256"},
        "TagResource": {**of, "Tags": [{"TagKey": "c", "TagValue": "d"}]},
        "UntagResource": {**of, "TagKeys": ["a"]},
    }
    operations = registered("kms/operations.def", r"^OPERATION\((\w+)\)")

    def state():
        return [door.ok(name, request) for name, request in (
            ("ListKeys", {}), ("ListAliases", {}), ("DescribeKey", of), ("GetKeyPolicy", {**of, "PolicyName": "default"}),
            ("GetKeyRotationStatus", of), ("ListResourceTags", of))]
    before = state()
    for operation in operations:
        if operation in on_no_key or operation not in door.requests:
            continue
        with cases.case(f"KMS: {operation} refuses whom the key's policy denies it"):
            text = door.refused(operation, "locked out", door.post(operation, **people.by("locked-out")), "denied")
            assert text.endswith("with an explicit deny in a resource-based policy"), text
            equal(state(), before)
    door.walk(cases, "KMS", operations, state)


class CloudWatch(Door):
    service, status = "monitoring", 403

    def refuses_unauthorized(self, operation):
        self.actions = {operation: f"cloudwatch:{operation}"}
        super().refuses_unauthorized(operation)


class CloudWatchJson(CloudWatch):
    def message(self, operation):
        name, request = self.asked(operation)
        return "/", {"content-type": "application/x-amz-json-1.0",
                     "x-amz-target": f"GraniteServiceVersion20100801.{name}"}, json.dumps(request).encode()


class CloudWatchCbor(CloudWatch):
    """Without members: who may call is asked before what is missing is looked for."""

    def message(self, operation):
        return (f"/service/GraniteServiceVersion20100801/operation/{operation}",
                {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, b"\xa0")

    def code_and_text(self, answer):
        members = texts_of_cbor(answer.body)
        return members["__type"].split("#")[-1], members["message"]


def texts_of_cbor(body):
    """Of a map of texts without a length, as errors are."""
    assert body[0] == 0xbf and body[-1] == 0xff, body
    texts, at = [], 1
    while at < len(body) - 1:
        assert body[at] >> 5 == 3, body
        more = {24: 1, 25: 2}.get(body[at] & 31, 0)
        size = int.from_bytes(body[at + 1:at + 1 + more], "big") if more else body[at] & 31
        at += 1 + more
        texts.append(body[at:at + size].decode())
        at += size
    return dict(zip(texts[::2], texts[1::2], strict=True))


class CloudWatchQuery(CloudWatch):
    codes = {name: code.removesuffix("Exception") for name, code in Door.codes.items()}

    def message(self, operation):
        name, request = self.asked(operation)
        body = urllib.parse.urlencode({"Action": name, "Version": "2010-08-01", **request}).encode()
        return "/", {"content-type": FORM}, body

    def code_and_text(self, answer):
        return of_xml(answer)

    def refuses_unsigned(self, operation):
        """A form that is not signed for CloudWatch cannot be told to be for it: the front door of Kinesis refuses it."""
        answer = self.post(operation, sign=False)
        equal(answer.status, 403, repr(answer))
        assert b"<AccessDeniedException>" in answer.body, answer


def of_xml_element(answer, name):
    found = re.search(rf"<{name}>(.*?)</{name}>", answer.body.decode("utf-8", "replace"), re.DOTALL)
    return found.group(1) if found else None


def of_xml(answer):
    return of_xml_element(answer, "Code"), of_xml_element(answer, "Message") or ""


def cloudwatch(cases, wire, people):
    operations = registered("leases/cloudwatch/operations.cc", r'^ +\{"(\w+)", "cloudwatch:\w+"')
    now = int(time.time())
    metric = {"Namespace": "walked", "MetricName": "m"}
    requests = {
        "PutMetricData": {"Namespace": "walked", "MetricData": [{"MetricName": "n", "Value": 1}]},
        "ListMetrics": {"Namespace": "walked"},
        "GetMetricStatistics": {**metric, "StartTime": now - 600, "EndTime": now, "Period": 60, "Statistics": ["Sum"]},
        "GetMetricData": {"StartTime": now - 600, "EndTime": now, "MetricDataQueries": [
            {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]},
    }
    time_of = {"StartTime": "2026-11-25T00:00:00Z", "EndTime": "2026-11-25T01:00:00Z"}
    forms = {
        "PutMetricData": {"Namespace": "walked", "MetricData.member.1.MetricName": "n", "MetricData.member.1.Value": "1"},
        "ListMetrics": {"Namespace": "walked"},
        "GetMetricStatistics": {**metric, **time_of, "Period": "60", "Statistics.member.1": "Sum"},
        "GetMetricData": {**time_of, "MetricDataQueries.member.1.Id": "q",
                          "MetricDataQueries.member.1.MetricStat.Metric.Namespace": "walked",
                          "MetricDataQueries.member.1.MetricStat.Metric.MetricName": "m",
                          "MetricDataQueries.member.1.MetricStat.Period": "60",
                          "MetricDataQueries.member.1.MetricStat.Stat": "Sum"},
    }
    by_json = CloudWatchJson(wire, people, requests)
    by_json.ok("PutMetricData", {"Namespace": "walked", "MetricData": [{"MetricName": "m", "Value": 1}]})

    def state():
        return by_json.ok("ListMetrics", {"Namespace": "walked"})
    CloudWatchQuery(wire, people, forms).walk(cases, "CloudWatch, query", operations, state)
    CloudWatchCbor(wire, people, requests).walk(cases, "CloudWatch, CBOR", operations, state)
    by_json.walk(cases, "CloudWatch, JSON", operations, state)


class Sts(Door):
    service, status = "sts", 403
    codes = {"unsigned": "MissingAuthenticationToken", "unknown": "InvalidClientTokenId", "signature": "SignatureDoesNotMatch",
             "denied": "AccessDenied"}
    # As with AWS, whatever policies say.
    for_everybody = ("GetCallerIdentity", "GetSessionToken")
    shows_reason = False

    def message(self, operation):
        body = urllib.parse.urlencode({"Action": operation, "Version": "2011-06-15", **self.requests[operation]}).encode()
        return "/", {"content-type": FORM}, body

    def code_and_text(self, answer):
        assert b"<Credentials>" not in answer.body, answer
        return of_xml(answer)


def sts(cases, wire, people, admin):
    admin("role", "create", "walked", "--trust", "-", stdin=trust(ACCOUNT))
    admin("role", "create", "others", "--trust", "-", stdin=trust(arn("user", "nobody")))
    door = Sts(wire, people, {"AssumeRole": {"RoleArn": arn("role", "walked"), "RoleSessionName": "job"},
                              "GetSessionToken": {}, "GetCallerIdentity": {}})
    door.walk(cases, "STS", registered("sts/operations.cc", r'^ +Operation\{"(\w+)",'), lambda: None)
    door.requests["AssumeRole"] = {"RoleArn": arn("role", "others"), "RoleSessionName": "job"}
    with cases.case("STS: AssumeRole refuses whom the role does not trust, whatever he may"):
        door.refused("AssumeRole", "not trusted", door.post("AssumeRole", **people.by("free")), "denied")
    with cases.case("STS: who may not assume a role learns nothing of policies"):
        door.requests["AssumeRole"]["PolicyArns.member.1.arn"] = arn("policy", "is-there-one")
        door.refused("AssumeRole", "not trusted", door.post("AssumeRole", **people.by("free")), "denied")


class AdminDoor(Door):
    service, status = "millrace", 403

    def message(self, operation):
        return f"/admin/{operation}", {"content-type": "application/json"}, json.dumps(self.requests[operation]).encode()

    def code_and_text(self, answer):
        text = answer.json["error"]
        if NOT_AUTHORIZED.match(text):
            return "AccessDeniedException", text
        code, _, rest = text.partition(": ")
        return code, rest


# What is asked is IAM's: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
ADMIN_ACTIONS = {
    "AddUser": ("CreateUser", "user/new"), "RemoveUser": ("DeleteUser", "user/nobody"), "ListUsers": ("ListUsers", "*"),
    "CreateKey": ("CreateAccessKey", "user/nobody"), "ListKeys": ("ListAccessKeys", "user/nobody"),
    "EnableKey": ("UpdateAccessKey", "user/nobody"), "DisableKey": ("UpdateAccessKey", "user/nobody"),
    "DeleteKey": ("DeleteAccessKey", "user/nobody"),
    "PutPolicy": ("CreatePolicyVersion", "policy/walked"), "GetPolicy": ("GetPolicy", "policy/walked"),
    "ListPolicies": ("ListPolicies", "*"), "DeletePolicy": ("DeletePolicy", "policy/walked"),
    "AttachPolicy": ("AttachUserPolicy", "user/nobody"), "DetachPolicy": ("DetachUserPolicy", "user/nobody"),
    "PutInlinePolicy": ("PutUserPolicy", "user/nobody"), "DeleteInlinePolicy": ("DeleteUserPolicy", "user/nobody"),
    "CreateRole": ("CreateRole", "role/new"), "ChangeRole": ("UpdateRole", "role/walked"),
    "RemoveRole": ("DeleteRole", "role/walked"), "GetRole": ("GetRole", "role/walked"), "ListRoles": ("ListRoles", "*"),
}
OF_ROLES = {"AttachPolicy": "AttachRolePolicy", "DetachPolicy": "DetachRolePolicy", "PutInlinePolicy": "PutRolePolicy",
            "DeleteInlinePolicy": "DeleteRolePolicy"}


def admin_api(cases, wire, people, admin):
    text = document("Allow", "*")
    admin("policy", "put", "walked", "-", stdin=text)
    admin("policy", "put", "more", "-", stdin=text)
    admin("policy", "put-inline", "walked", "-", "--role", "walked", stdin=text)
    key = people.keys["nobody"]["AccessKeyId"]
    user, role, policy = {"User": "nobody"}, {"Role": "walked"}, {"Policy": "walked"}
    door = AdminDoor(wire, people, {
        "AddUser": {"User": "new"}, "RemoveUser": user, "ListUsers": {}, "CreateKey": user, "ListKeys": user,
        "EnableKey": {"AccessKeyId": key}, "DisableKey": {"AccessKeyId": key}, "DeleteKey": {"AccessKeyId": key},
        "PutPolicy": {**policy, "Document": document("Deny", "*")}, "GetPolicy": policy, "ListPolicies": {},
        "DeletePolicy": policy, "AttachPolicy": {**policy, **user}, "DetachPolicy": {**policy, **user},
        "PutInlinePolicy": {**policy, **user, "Document": text}, "DeleteInlinePolicy": {**policy, **user},
        "CreateRole": {"Role": "new", "Trust": trust(ACCOUNT)}, "ChangeRole": {**role, "SessionSecondsMax": 7_200},
        "RemoveRole": role, "GetRole": role, "ListRoles": {},
        "PutQuota": {"Owner": "user/nobody", "RequestsPerSecond": 1}, "RemoveQuota": {"Owner": "user/nobody"},
        "ListQuotas": {},
    })
    door.actions = {name: f"iam:{action}" for name, (action, _) in ADMIN_ACTIONS.items()}
    door.actions |= {"PutQuota": "millrace:PutQuota", "RemoveQuota": "millrace:DeleteQuota", "ListQuotas": "millrace:ListQuotas"}
    operations = registered("iam/admin_operations.cc", r'^ +AdminOperation\{"(\w+)",')

    def state():
        return [admin("user", "list"), admin("key", "list"), admin("policy", "list"), admin("role", "list"),
                admin("quota", "list"), admin("role", "get", "walked"), admin("policy", "get", "walked")]

    def resource(operation, **request):
        door.requests[operation] = request or door.requests[operation]
        answer = door.post(operation, **people.by("nobody"))
        _, action, on = NOT_AUTHORIZED.search(door.refused(operation, "nobody", answer, "denied")).groups()
        return action, on.removeprefix(f"arn:aws:iam::{ACCOUNT}:")
    with cases.case("admin API: what is asked is IAM's action, on what the request names"):
        for operation, (action, on) in ADMIN_ACTIONS.items():
            equal(resource(operation), (f"iam:{action}", on), operation)
        equal(resource("PutQuota"), ("millrace:PutQuota", "quota/user/nobody"))
    with cases.case("admin API: of a role, and of what is inside of users and roles, too"):
        for operation, action in OF_ROLES.items():
            kept = door.requests[operation]
            equal(resource(operation, **policy, **role, Document=text), (f"iam:{action}", "role/walked"), operation)
            door.requests[operation] = kept
        equal(resource("GetPolicy", **policy, **user), ("iam:GetUserPolicy", "user/nobody"))
        equal(resource("GetPolicy", **policy, **role), ("iam:GetRolePolicy", "role/walked"))
        door.requests["GetPolicy"] = policy
    with cases.case("admin API: what is no operation is told to nobody"):
        door.requests["Nothing"] = {}
        door.refuses_strangers("Nothing")
    door.walk(cases, "admin API", operations, state)


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "front-doors")) as server:
        server.start()
        admin = Admin(binary, server.endpoint)
        people = People(admin)
        wire = Wire(server.endpoint)
        dynamodb(cases, wire, people)
        kms(cases, wire, people)
        cloudwatch(cases, wire, people)
        sts(cases, wire, people, admin)
        admin_api(cases, wire, people, admin)
        with cases.case("front doors: the server ends in order"):
            equal(server.stop(), 0)
