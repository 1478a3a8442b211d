"""Key policies by boto3: what CreateKey and PutKeyPolicy take, who may use a key then, and through Kinesis."""

import json
import uuid

import botocore.exceptions

from black_box.cases import equal, eventually
from clients.fan_out import registered
from clients.identity import ACCOUNT, Admin, arn, client
from clients.sdk_boto3 import active, created, iterator

ROOT = f"arn:aws:iam::{ACCOUNT}:root"

SOMEBODY_ELSE = "arn:aws:iam::999999999999:user/somebody"  # of another account, who cannot be asked for here


def statement(effect, principal, action, **more):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": "*", **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


BY_ACCOUNT = statement("Allow", ROOT, "kms:*")


def outcome(call, **request):
    """"allowed", or the code of the error; and its message."""
    try:
        call(**request)
        return "allowed", ""
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]


class User:
    """A user with one inline policy, which `may` replaces."""

    def __init__(self, admin, endpoint):
        self.name = f"u{uuid.uuid4().hex[:8]}"
        self.arn = arn("user", self.name)
        self._admin = admin
        admin("user", "add", self.name)
        key = admin("key", "create", self.name)
        self.kms, self.kinesis = client(endpoint, "kms", key), client(endpoint, "kinesis", key)

    def may(self, *statements):
        self._admin("policy", "put-inline", "own", "-", "--user", self.name, stdin=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements]}))


def documents(cases, kms):
    key = kms.create_key()["KeyMetadata"]
    with cases.case("a key without a policy has the default one, by which the account's policies decide"):
        equal(kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"], ["default"])
        shown = kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")
        [only] = json.loads(shown["Policy"])["Statement"]
        equal((only["Effect"], only["Principal"], only["Action"]), ("Allow", {"AWS": ROOT}, "kms:*"))
        equal(outcome(kms.get_key_policy, KeyId=key["KeyId"], PolicyName="other")[0], "NotFoundException")
    with cases.case("a policy comes back as it was given, by CreateKey and by PutKeyPolicy"):
        text = "{ \"Version\": \"2012-10-17\",\n\t\"Statement\": " + json.dumps([BY_ACCOUNT]) + " }"
        made = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
        equal(kms.get_key_policy(KeyId=made, PolicyName="default")["Policy"], text)
        other = document(BY_ACCOUNT, statement("Deny", "*", "kms:ScheduleKeyDeletion", Sid="é"))
        kms.put_key_policy(KeyId=made, PolicyName="default", Policy=other)
        equal(kms.get_key_policy(KeyId=made, PolicyName="default")["Policy"], other)
        equal(outcome(kms.put_key_policy, KeyId=made, PolicyName="mine", Policy=text)[0], "NotFoundException")
        equal(kms.get_key_policy(KeyId=made, PolicyName="default")["Policy"], other)
    with cases.case("what is no key policy is refused, by PutKeyPolicy and by CreateKey, and the old one stays"):
        whole = kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]
        for text, code in (("{", "MalformedPolicyDocumentException"), ("[]", "MalformedPolicyDocumentException"),
                           (document({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}),
                            "MalformedPolicyDocumentException"),
                           (document(BY_ACCOUNT, statement("Allow", "somebody", "kms:*")), "MalformedPolicyDocumentException"),
                           (document(BY_ACCOUNT, statement("Allow", "*", "Decrypt")), "MalformedPolicyDocumentException"),
                           (document({**BY_ACCOUNT, "Sid": "x" * 33_000}), "LimitExceededException"),
                           (document(BY_ACCOUNT).replace("kms:*", "kms:*\u0100"), "ValidationException")):
            for call, request in ((kms.put_key_policy, {"KeyId": key["KeyId"], "PolicyName": "default"}), (kms.create_key, {})):
                equal(outcome(call, Policy=text, **request)[0], code, text[:60])
        equal(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"], whole)
    with cases.case("a policy that would lock the account out is refused, unless that is asked for"):
        nobody = document(statement("Allow", SOMEBODY_ELSE, "kms:*"))
        for call, request in ((kms.put_key_policy, {"KeyId": key["KeyId"], "PolicyName": "default"}), (kms.create_key, {})):
            for text in (nobody, document(BY_ACCOUNT, statement("Deny", "*", "kms:PutKeyPolicy")),
                         document(statement("Allow", ROOT, "kms:Decrypt"))):
                equal(outcome(call, Policy=text, **request),
                      ("MalformedPolicyDocumentException",
                       "The new key policy will not allow you to update the key policy in the future."))
            call(Policy=nobody, BypassPolicyLockoutSafetyCheck=True, **request)
    with cases.case("the server's own key has the service's policy, which nobody changes"):
        shown = json.loads(kms.get_key_policy(KeyId=kms.describe_key(KeyId="alias/aws/kinesis")["KeyMetadata"]["KeyId"],
                                              PolicyName="default")["Policy"])
        equal(shown["Statement"][0]["Condition"]["StringEquals"]["kms:CallerAccount"], ACCOUNT)
        equal(outcome(kms.put_key_policy, KeyId="alias/aws/kinesis", PolicyName="default",
                      Policy=document(BY_ACCOUNT))[0], "AccessDeniedException")


def uses(kms, key, blob, alias):
    """Every operation that touches a key, under the action that a policy names it by."""
    by_id = {"KeyId": key}
    return {
        "kms:DescribeKey": lambda: kms.describe_key(**by_id),
        "kms:GetKeyPolicy": lambda: kms.get_key_policy(PolicyName="default", **by_id),
        "kms:ListKeyPolicies": lambda: kms.list_key_policies(**by_id),
        "kms:PutKeyPolicy": lambda: kms.put_key_policy(PolicyName="default", Policy="{", **by_id),
        "kms:UpdateKeyDescription": lambda: kms.update_key_description(Description="d", **by_id),
        "kms:EnableKey": lambda: kms.enable_key(**by_id),
        "kms:DisableKey": lambda: kms.disable_key(**by_id),
        "kms:EnableKeyRotation": lambda: kms.enable_key_rotation(**by_id),
        "kms:DisableKeyRotation": lambda: kms.disable_key_rotation(**by_id),
        "kms:GetKeyRotationStatus": lambda: kms.get_key_rotation_status(**by_id),
        "kms:TagResource": lambda: kms.tag_resource(Tags=[{"TagKey": "a", "TagValue": "b"}], **by_id),
        "kms:UntagResource": lambda: kms.untag_resource(TagKeys=["a"], **by_id),
        "kms:ListResourceTags": lambda: kms.list_resource_tags(**by_id),
        "kms:Encrypt": lambda: kms.encrypt(Plaintext=b"x", **by_id),
        "kms:Decrypt": lambda: kms.decrypt(CiphertextBlob=blob),
        "kms:ReEncryptFrom": lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key),
        "kms:ReEncryptTo": lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key),
        "kms:GenerateDataKey": lambda: kms.generate_data_key(KeySpec="AES_256", **by_id),
        "kms:GenerateDataKeyWithoutPlaintext":
            lambda: kms.generate_data_key_without_plaintext(KeySpec="AES_256", **by_id),
        "kms:CreateAlias": lambda: kms.create_alias(AliasName=f"{alias}-more", TargetKeyId=key),
        "kms:UpdateAlias": lambda: kms.update_alias(AliasName=alias, TargetKeyId=key),
        "kms:DeleteAlias": lambda: kms.delete_alias(AliasName=f"{alias}-gone"),
        "kms:ScheduleKeyDeletion": lambda: kms.schedule_key_deletion(**by_id),
        "kms:CancelKeyDeletion": lambda: kms.cancel_key_deletion(**by_id),
    }


def every_use(cases, kms, user):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    alias = f"alias/p-{uuid.uuid4().hex[:8]}"
    for name in (alias, f"{alias}-gone"):
        kms.create_alias(AliasName=name, TargetKeyId=key)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    theirs = uses(user.kms, key, blob, alias)
    user.may({"Action": "kms:*"})

    def put(*statements):
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(*statements), BypassPolicyLockoutSafetyCheck=True)

    with cases.case("no use of a key passes its policy where that names somebody else, whatever the caller's own allow"):
        put(statement("Allow", SOMEBODY_ELSE, "kms:*"))
        for action, use in theirs.items():
            code, message = outcome(use)
            equal(code, "AccessDeniedException", action)
            refused = "kms:ReEncryptFrom" if action == "kms:ReEncryptTo" else action
            assert message.endswith(f"because no resource-based policy allows the {refused} action"), message
    with cases.case("each use is denied by a deny of its own action, and by nothing else of the policy"):
        for action, use in theirs.items():
            put(BY_ACCOUNT, statement("Deny", user.arn, action))
            code, message = outcome(use)
            equal(code, "AccessDeniedException", action)
            assert f"perform: {action} on" in message and message.endswith("explicit deny in a resource-based policy"), message
    with cases.case("each use is allowed by the policy alone, without any of the caller's"):
        user.may({"Action": "iam:Nothing"}, {"Action": ["kms:*Alias"], "Resource": "arn:aws:kms:*:*:alias/*"})
        for action, use in theirs.items():
            put(statement("Allow", user.arn, ["kms:ReEncrypt*", action]))
            code, message = outcome(use)
            wanted = "MalformedPolicyDocumentException" if action == "kms:PutKeyPolicy" else "allowed"
            if action not in ("kms:DisableKey", "kms:ScheduleKeyDeletion"):
                equal(code, wanted, f"{action} {message}")
                continue
            equal(code, "allowed", message)
            if action == "kms:DisableKey":
                kms.enable_key(KeyId=key)
    with cases.case("an alias cannot be taken from a key, or taken away, by who may not change that key"):
        kms.enable_key(KeyId=key)
        own = kms.create_key()["KeyMetadata"]["KeyId"]
        user.may({"Action": "kms:*"})
        put(statement("Allow", user.arn, "kms:DescribeKey"))
        equal(outcome(user.kms.update_alias, AliasName=alias, TargetKeyId=own)[0], "AccessDeniedException")
        equal(outcome(user.kms.delete_alias, AliasName=alias)[0], "AccessDeniedException")
        equal(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"], key)
    with cases.case("a user gets a policy past the lockout check only if it lets that user change it"):
        mine = outcome(user.kms.create_key, Policy=document(statement("Allow", user.arn, "kms:*")))
        equal(mine[0], "allowed", mine[1])
        equal(outcome(user.kms.create_key, Policy=document(BY_ACCOUNT))[0], "allowed")
        equal(outcome(user.kms.create_key, Policy=document(statement("Allow", SOMEBODY_ELSE, "kms:*")))[0],
              "MalformedPolicyDocumentException")
        user.may({"Action": "kms:CreateKey"})  # the account may change it, this user may not
        equal(outcome(user.kms.create_key, Policy=document(BY_ACCOUNT))[0], "MalformedPolicyDocumentException")
        equal(outcome(user.kms.create_key, Tags=[{"TagKey": "a", "TagValue": "b"}])[0], "AccessDeniedException")


def conditions(cases, kms, user):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"Team": "web"})["CiphertextBlob"]
    user.may({"Action": "kms:*"})

    def policy(**conditions_of):
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(
            statement("Allow", user.arn, "kms:*", Condition=conditions_of)), BypassPolicyLockoutSafetyCheck=True)

    def encrypt(**context):
        return outcome(user.kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context)[0]

    refused = "AccessDeniedException"
    with cases.case("kms:EncryptionContext:KEY and kms:EncryptionContextKeys hold for each use"):
        policy(StringEquals={"kms:EncryptionContext:team": "web"})
        equal([encrypt(team="web"), encrypt(TEAM="web", more="1"), encrypt(team="hr"), encrypt(),
               encrypt(other="web")], ["allowed", "allowed", refused, refused, refused])
        equal(encrypt(team="hr", Team="web"), "ValidationException")
        equal(outcome(user.kms.decrypt, CiphertextBlob=blob, EncryptionContext={"Team": "web"})[0], "allowed")
        equal(outcome(user.kms.decrypt, CiphertextBlob=blob)[0], refused)
        generate = {"KeyId": key, "KeySpec": "AES_256"}
        equal(outcome(user.kms.generate_data_key, EncryptionContext={"team": "web"}, **generate)[0], "allowed")
        equal(outcome(user.kms.generate_data_key, **generate)[0], refused)
        again = {"CiphertextBlob": blob, "SourceEncryptionContext": {"Team": "web"}, "DestinationKeyId": key}
        equal(outcome(user.kms.re_encrypt, DestinationEncryptionContext={"team": "web"}, **again)[0], "allowed")
        equal(outcome(user.kms.re_encrypt, DestinationEncryptionContext={"team": "hr"}, **again)[0], refused)
        equal(outcome(user.kms.re_encrypt, **again)[0], refused)
        policy(**{"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["team", "stage"]}})
        equal([encrypt(team="x", stage="y"), encrypt(team="x", other="y"), encrypt(Team="x")], ["allowed", refused, refused])
    with cases.case("kms:ViaService keeps a key for Kinesis, kms:RequestAlias for a name, kms:CallerAccount for the account"):
        policy(StringLike={"kms:ViaService": "kinesis.*"})
        equal(encrypt(), refused)
        policy(StringEquals={"kms:CallerAccount": ACCOUNT, "kms:KeySpec": "SYMMETRIC_DEFAULT"})
        equal(encrypt(), "allowed")
        alias = f"alias/p-{uuid.uuid4().hex[:8]}"
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        policy(StringEquals={"kms:RequestAlias": alias})
        equal(encrypt(), refused)
        equal(outcome(user.kms.encrypt, KeyId=alias, Plaintext=b"x")[0], "allowed")


def through_kinesis(cases, kinesis, kms, user):
    key = kms.create_key()["KeyMetadata"]
    names = [created(kinesis, prefix="policed"), created(kinesis, prefix="policed")]
    reader = registered(kinesis, names[0], "reader")
    for name in names:
        kinesis.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=key["KeyId"])
        active(kinesis, name)
        kinesis.put_record(StreamName=name, PartitionKey="p", Data=b"x")
    user.may({"Action": ["kinesis:*", "kms:*"]})

    def put_policy(*statements):
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=document(BY_ACCOUNT, *statements))

    def tried(name):
        record = {"PartitionKey": "p", "Data": b"x"}
        return (outcome(user.kinesis.put_record, StreamName=name, **record)[0],
                outcome(user.kinesis.put_records, StreamName=name, Records=[record])[0],
                outcome(user.kinesis.get_records, ShardIterator=iterator(kinesis, name))[0])

    def subscribed():
        return outcome(user.kinesis.subscribe_to_shard, ConsumerARN=reader, ShardId="shardId-000000000000",
                       StartingPosition={"Type": "TRIM_HORIZON"})[0]

    denied, allowed = "KMSAccessDeniedException", "allowed"
    with cases.case("producers and readers are asked the key's policy too, from the next request on"):
        eventually(lambda: tried(names[0]) == (allowed, allowed, allowed), 10, "the user's policy")
        put_policy(statement("Deny", user.arn, "kms:Decrypt"))
        equal(tried(names[0]), (allowed, allowed, denied))
        equal(subscribed(), denied)
        put_policy(statement("Deny", user.arn, "kms:GenerateDataKey"))
        equal(tried(names[0]), (denied, denied, allowed))
        equal(subscribed(), allowed)
    with cases.case("… and may be bound to a stream by its ARN in the encryption context, or to Kinesis"):
        one = f"arn:aws:kinesis:{kinesis.meta.region_name}:{ACCOUNT}:stream/{names[0]}"
        put_policy(statement("Deny", user.arn, "kms:*",
                             Condition={"StringNotEquals": {"kms:EncryptionContext:aws:kinesis:arn": one}}))
        equal([tried(name) for name in names], [(allowed,) * 3, (denied,) * 3])
        put_policy(statement("Deny", user.arn, "kms:*", Condition={
            "StringNotEquals": {"kms:ViaService": f"kinesis.{kinesis.meta.region_name}.amazonaws.com"}}))
        equal([tried(name) for name in names], [(allowed,) * 3, (allowed,) * 3])
        equal(outcome(user.kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x")[0], "AccessDeniedException")
    with cases.case("a key's policy allows its use without any of the user's for the key"):
        user.may({"Action": "kinesis:*"})
        put_policy(statement("Allow", user.arn, ["kms:Decrypt", "kms:GenerateDataKey"]))
        eventually(lambda: tried(names[0]) == (allowed, allowed, allowed), 10, "the user's policy")
        put_policy()
        equal(tried(names[0]), (denied, denied, denied))


def run(cases, server, kinesis, kms):
    admin = Admin(server.binary, server.endpoint)
    user = User(admin, server.endpoint)
    documents(cases, kms)
    every_use(cases, kms, user)
    conditions(cases, kms, user)
    through_kinesis(cases, kinesis, kms, user)
    key = kms.create_key(Policy=document(BY_ACCOUNT, statement("Deny", user.arn, "kms:Encrypt")))["KeyMetadata"]["KeyId"]
    user.may({"Action": "kms:*"})
    with cases.case("a key's policy holds after a kill"):
        server.kill9()
        server.start()
        equal(outcome(client_again(server, user, admin).encrypt, KeyId=key, Plaintext=b"x")[0], "AccessDeniedException")


def client_again(server, user, admin):
    return client(server.endpoint, "kms", admin("key", "create", user.name))
