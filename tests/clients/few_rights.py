"""What a few rights must not reach: others' keys, several of IAM's actions in one command, unknown condition keys, session tags, and a
subscription whose user is gone."""

import json
import os

import botocore.exceptions

from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, SECRET_KEY, Server
from clients import item_permissions
from clients.identity import ACCOUNT, Admin, arn, client, denied, document, error_of, stream_arn, trust


def own_keys(cases, admin):
    """The pattern of AWS's documents, "manage your own keys", and what it must not reach."""
    def user(name, statement):
        admin("user", "add", name)
        key = admin("key", "create", name)
        if statement:
            admin("policy", "put-inline", "own", "-", "--user", name, stdin=json.dumps(
                {"Version": "2012-10-17", "Statement": statement}))
        return key, Admin(admin.binary, admin.environment["MILLRACE_ENDPOINT"], key["AccessKeyId"], key["SecretAccessKey"])
    own = [{"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}]
    all_but_boss = [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "*", "Resource": arn("user", "boss")}]
    boss, _ = user("boss", [])
    mine, me = user("me", own)
    _, helper = user("helper", all_but_boss)
    with cases.case("admin: who may manage own keys may, and nobody else's"):
        second = me("key", "create", "me")["AccessKeyId"]
        for command in ("disable", "enable", "delete"):
            me("key", command, second)
            me.refused("key", command, boss["AccessKeyId"], says=f"on resource: {arn('user', 'boss')}")
            me.refused("key", command, "AKIANOBODYSKEY", says=f"on resource: {arn('user', '*')}")
        equal([row["AccessKeyId"] for row in me("key", "list")["Keys"]], [mine["AccessKeyId"]])
        me.refused("key", "list", "boss", says=f"iam:ListAccessKeys on resource: {arn('user', 'boss')}")
    with cases.case("admin: a deny on a user holds for that user's keys, whichever command names them"):
        for command in ("disable", "enable", "delete"):
            helper.refused("key", command, boss["AccessKeyId"], says=f"on resource: {arn('user', 'boss')}")
        listed = {row["User"] for row in helper("key", "list")["Keys"]}
        assert "boss" not in listed and "me" in listed, listed
        shown = {row["User"]: row for row in helper("user", "list")["Users"]}
        assert "Keys" in shown["me"] and set(shown["boss"]) == {"User", "Id"}, shown
        helper.refused("user", "remove", "boss", says="iam:DeleteUser")
    with cases.case("admin: what a command does of several of IAM's actions, a deny of each one forbids"):
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        for action, words in (("iam:CreatePolicy", ("policy", "put", "fresh", "-")),
                              ("iam:UpdateRole", ("role", "change", "shaped", "--session-seconds", "7200")),
                              ("iam:DeleteAccessKey", ("user", "remove", "me"))):
            admin.run("role", "create", "shaped", "--trust", "-", stdin=trust(ACCOUNT))
            admin("policy", "put-inline", "own", "-", "--user", "helper", stdin=json.dumps({
                "Version": "2012-10-17", "Statement": [allow, {**allow, "Effect": "Deny", "Action": action}]}))
            helper.refused(*words, stdin=document("Allow", "*"), says=f"not authorized to perform: {action} on resource: ")
    with cases.case("admin: a deny by iam:PolicyARN holds for that policy"):
        for name in ("mighty", "meek"):
            admin("policy", "put", name, "-", stdin=document("Allow", "kinesis:ListStreams"))
        admin("policy", "put-inline", "own", "-", "--user", "helper", stdin=json.dumps({"Version": "2012-10-17", "Statement": [
            allow, {**allow, "Effect": "Deny", "Condition": {"ArnEquals": {"iam:PolicyARN": arn("policy", "mighty")}}}]}))
        for command in ("attach", "detach"):
            helper("policy", command, "meek", "--user", "me")
            helper.refused("policy", command, "mighty", "--user", "me", says="explicit deny")
    for name in ("boss", "me", "helper"):
        admin("user", "remove", name)
    for name in ("mighty", "meek"):
        admin("policy", "delete", name)
    admin("role", "remove", "shaped")


def unknown_keys(cases, server, admin, binary, scratch):
    strange = document("Allow", "*", Condition={"StringEqualsIfExists": {"foo:bar": "x"}})
    says = "Policy has condition keys that this server does not know: foo:bar"
    admin("user", "add", "strange")
    key = admin("key", "create", "strange")
    admin("role", "create", "strange", "--trust", "-", stdin=trust(ACCOUNT))
    with cases.case("a policy with a condition key that nobody knows is refused wherever it is put, by that key's name"):
        admin.refused("policy", "put", "strange", "-", stdin=strange, says=says)
        admin.refused("policy", "put-inline", "own", "-", "--user", "strange", stdin=strange, says=says)
        admin.refused("policy", "put-inline", "own", "-", "--role", "strange", stdin=strange, says=says)
        condition = {"Bool": {"foo:bar": "true"}}
        admin.refused("role", "create", "other", "--trust", "-", stdin=trust(ACCOUNT, Condition=condition), says=says)
        admin.refused("role", "change", "strange", "--trust", "-", stdin=trust(ACCOUNT, Condition=condition), says=says)
        root = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
        code, message = error_of(client(server.endpoint, "sts", root).assume_role, RoleArn=arn("role", "strange"),
                                 RoleSessionName="job", Policy=strange)
        equal((code, message), ("MalformedPolicyDocument", says))
        kms = client(server.endpoint, "kms", root)
        of_key = json.loads(strange)
        of_key["Statement"][0]["Principal"] = "*"
        code, message = error_of(kms.create_key, Policy=json.dumps(of_key), BypassPolicyLockoutSafetyCheck=True)
        equal((code, message), ("MalformedPolicyDocumentException", says))
        code, message = error_of(kms.put_key_policy, KeyId=kms.create_key()["KeyMetadata"]["KeyId"],
                                 PolicyName="default", Policy=json.dumps(of_key), BypassPolicyLockoutSafetyCheck=True)
        equal((code, message), ("MalformedPolicyDocumentException", says))
    with cases.case("with --unknown-condition-keys take it is taken, does not allow, and its deny denies; the start warns of it"):
        folder = os.path.join(scratch, "unknown-keys")
        with Server(binary, folder, flags=["--unknown-condition-keys", "take"]) as taking:
            taking.start()
            other = Admin(binary, taking.endpoint)
            other("user", "add", "strange")
            key = other("key", "create", "strange")
            other("policy", "put-inline", "own", "-", "--user", "strange", stdin=strange)
            denied(client(taking.endpoint, "kinesis", key).list_streams)
            equal(taking.stop(), 0)
        with Server(binary, folder) as refusing:
            refusing.start()
            other = Admin(binary, refusing.endpoint)
            denied(client(refusing.endpoint, "kinesis", key).list_streams)
            other("policy", "put-inline", "all", "-", "--user", "strange", stdin=document("Allow", "*"))
            client(refusing.endpoint, "kinesis", key).list_streams()
            warned = [json.loads(row) for row in refusing.log().splitlines() if "does not know" in row]
            equal([(row["level"], row["policy"], row["keys"]) for row in warned], [("warn", "user/strange: own", "foo:bar")])
            equal(refusing.stop(), 0)
    admin("user", "remove", "strange")
    admin("role", "remove", "strange")


def session_tags(cases, server, admin):
    admin("user", "add", "tagger")
    keys = admin("key", "create", "tagger")
    sts = client(server.endpoint, "sts", keys)
    both = ["sts:AssumeRole", "sts:TagSession"]
    for role in ("tagged", "next", "untagged"):
        admin("role", "create", role, "--trust", "-", stdin=trust(ACCOUNT, Action=both[:1] if role == "untagged" else both))
    by_tag = document("Allow", "kinesis:ListStreams", Condition={"StringEquals": {"aws:PrincipalTag/team": "web"}})
    for role in ("tagged", "next"):
        admin("policy", "put-inline", "by-tag", "-", "--role", role, stdin=by_tag)
    admin("policy", "put-inline", "assume", "-", "--role", "tagged", stdin=document("Allow", "sts:AssumeRole"))
    wanted = {"RoleArn": arn("role", "tagged"), "RoleSessionName": "job"}
    web = {"Tags": [{"Key": "team", "Value": "web"}]}
    with cases.case("boto3, STS: to pass tags asks for sts:TagSession, with conditions on the tags"):
        admin("policy", "put-inline", "own", "-", "--user", "tagger", stdin=document("Allow", "sts:AssumeRole"))
        sts.assume_role(**wanted)
        code, message = error_of(sts.assume_role, **wanted, **web)
        equal((code, message), ("AccessDenied", f"User: {arn('user', 'tagger')} is not authorized to perform: sts:TagSession "
                                                f"on resource: {arn('role', 'tagged')}"))
        admin("policy", "put-inline", "own", "-", "--user", "tagger", stdin=document(
            "Allow", both,
            Condition={"StringEqualsIfExists": {"aws:RequestTag/team": "web"}}))
        equal(error_of(sts.assume_role, **wanted, Tags=[{"Key": "team", "Value": "db"}])[0], "AccessDenied")
        equal(error_of(sts.assume_role, RoleArn=arn("role", "untagged"), RoleSessionName="job", **web)[0], "AccessDenied")
        equal(error_of(sts.assume_role, **wanted, Tags=[*web["Tags"], {"Key": "Team", "Value": "db"}])[0],
              "InvalidParameterValue")
    with cases.case("boto3, STS: a session has its tags, and passes on those that are transitive, which asks for sts:TagSession too"):
        denied(client(server.endpoint, "kinesis", sts.assume_role(**wanted)["Credentials"]).list_streams)
        client(server.endpoint, "kinesis", sts.assume_role(**wanted, **web)["Credentials"]).list_streams()
        passing = client(server.endpoint, "sts", sts.assume_role(**wanted, **web, TransitiveTagKeys=["team"])["Credentials"])
        chained = {"RoleArn": arn("role", "next"), "RoleSessionName": "job"}
        assert "sts:TagSession" in error_of(passing.assume_role, **chained)[1]
        admin("policy", "put-inline", "assume", "-", "--role", "tagged", stdin=document("Allow", "sts:*"))
        equal(error_of(passing.assume_role, **chained, Tags=[{"Key": "TEAM", "Value": "db"}])[0], "InvalidParameterValue")
        client(server.endpoint, "kinesis", passing.assume_role(**chained)["Credentials"]).list_streams()
    for role in ("tagged", "next", "untagged"):
        admin("role", "remove", role)
    admin("user", "remove", "tagger")


def subscriptions(cases, server, admin):
    root = client(server.endpoint, "kinesis", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
    root.create_stream(StreamName="clicks", ShardCount=1)
    root.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 1})
    consumer = root.register_stream_consumer(StreamARN=stream_arn("clicks"), ConsumerName="leaver")["Consumer"]["ConsumerARN"]
    eventually(lambda: root.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE",
               30, "the consumer")
    admin("user", "add", "leaver")
    admin("policy", "put-inline", "own", "-", "--user", "leaver", stdin=document("Allow", "kinesis:SubscribeToShard"))
    keys = admin("key", "create", "leaver")
    with cases.case("boto3: a subscription ends with AccessDeniedException when its key is deleted"):
        stream = client(server.endpoint, "kinesis", keys).subscribe_to_shard(
            ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition={"Type": "LATEST"})["EventStream"]
        events = iter(stream)
        next(events)
        admin("key", "delete", keys["AccessKeyId"])
        try:
            for _ in events:
                pass
            raise AssertionError("it ended without an error")
        except botocore.exceptions.EventStreamError as error:
            equal(error.response["Error"]["Code"], "AccessDeniedException")
    admin("user", "remove", "leaver")


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "few-rights")) as server:
        server.start()
        admin = Admin(binary, server.endpoint)
        own_keys(cases, admin)
        unknown_keys(cases, server, admin, binary, scratch)
        session_tags(cases, server, admin)
        subscriptions(cases, server, admin)
        item_permissions.run(cases, server, admin)
        with cases.case("few rights: the server ends in order, and the audit log has the decisions on tables' items"):
            root = client(server.endpoint, "dynamodb", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
            for _ in range(20):
                root.describe_table(TableName="items")
            equal(server.stop(), 0)
            lines = [json.loads(row) for row in server.log().splitlines() if '"msg":"audit"' in row]
            assert sum(line["count"] for line in lines if line["action"] == "dynamodb:DescribeTable") >= 20
            assert any(line["action"] == "dynamodb:GetItem" and line["decision"] == "deny" for line in lines)
