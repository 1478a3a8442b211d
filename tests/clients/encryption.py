"""Encryption at rest and the key service, by boto3: begin, rotate, end, restart, a disabled key, and what the disk shows."""

import datetime
import json
import os
import pathlib
import re
import uuid

import boto3
import botocore.exceptions
from botocore.config import Config

from black_box import wire as wires
from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from clients import key_policies
from clients.fan_out import Subscriber, registered
from clients.identity import Admin, client
from clients.sdk_boto3 import active, client_of, created, error_of, iterator, read, read_shard

MARK = b"plaintext-that-no-file-may-show"


def key_client(endpoint):
    return boto3.client("kms", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=ACCESS_KEY,
                        aws_secret_access_key=SECRET_KEY, verify=False,
                        config=Config(retries={"total_max_attempts": 1}, read_timeout=60))


def code_of(call, **request):
    return error_of(call, **request).response["Error"]["Code"]


def put(kinesis, name, count, what):
    """What was put: records that stand where they were put; and what the answers said of encryption."""
    data = [MARK + b" %s %d" % (what.encode(), i) for i in range(count)]
    batch = kinesis.put_records(StreamName=name, Records=[{"PartitionKey": "p", "Data": item} for item in data[1:]])
    equal(batch["FailedRecordCount"], 0)
    single = kinesis.put_record(StreamName=name, PartitionKey="p", Data=data[0])
    equal(batch.get("EncryptionType"), single.get("EncryptionType"))
    return data[1:] + data[:1], batch.get("EncryptionType")


def change(kinesis, call, name, key):
    call(StreamName=name, EncryptionType="KMS", KeyId=key)
    equal(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"], "UPDATING")
    active(kinesis, name)


def shown(kinesis, name):
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    whole = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    equal((whole["EncryptionType"], whole.get("KeyId")), (summary["EncryptionType"], summary.get("KeyId")))
    return summary["EncryptionType"], summary.get("KeyId")


def read_back(kinesis, name, expected):
    """expected: pairs of data and EncryptionType, in order."""
    records = read_shard(kinesis, name)
    equal([(record["Data"], record.get("EncryptionType")) for record in records], expected)


def files_with(folder, text):
    return [str(path) for path in pathlib.Path(folder).rglob("*") if path.is_file() and text in path.read_bytes()]


def streams(cases, server, kinesis, kms):
    name = created(kinesis, prefix="secret")
    expected = []
    with cases.case("encryption begins with alias/aws/kinesis, passes UPDATING, and shows in every answer"):
        equal(shown(kinesis, name), ("NONE", None))
        change(kinesis, kinesis.start_stream_encryption, name, "alias/aws/kinesis")
        equal(shown(kinesis, name), ("KMS", "alias/aws/kinesis"))
        data, kind = put(kinesis, name, 20, "first")
        equal(kind, "KMS")
        expected += [(item, "KMS") for item in data]
        read_back(kinesis, name, expected)
    with cases.case("no file shows what was put"):
        equal(files_with(server.data, MARK), [])
    key = kms.create_key(Description="for the tests")["KeyMetadata"]
    alias = f"alias/tests-{uuid.uuid4().hex[:8]}"
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    with cases.case("other keys, by id, ARN, alias and alias ARN: older records stay readable"):
        account = key["Arn"].split(":")[4]
        for named in (key["KeyId"], key["Arn"], alias, f"arn:aws:kms:{REGION}:{account}:{alias}"):
            change(kinesis, kinesis.start_stream_encryption, name, named)
            equal(shown(kinesis, name), ("KMS", named))
            data, kind = put(kinesis, name, 5, named)
            expected += [(item, "KMS") for item in data]
        read_back(kinesis, name, expected)
    with cases.case("the master key rotates, and old and new records are read"):
        kms.enable_key_rotation(KeyId=key["KeyId"])
        equal(kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"], True)
        if hasattr(kms, "rotate_key_on_demand"):
            kms.rotate_key_on_demand(KeyId=key["KeyId"])
        change(kinesis, kinesis.start_stream_encryption, name, alias)
        data, kind = put(kinesis, name, 5, "rotated")
        expected += [(item, "KMS") for item in data]
        read_back(kinesis, name, expected)
    with cases.case("encryption ends: new records are plain, old ones readable"):
        change(kinesis, kinesis.stop_stream_encryption, name, alias)
        equal(shown(kinesis, name), ("NONE", None))
        equal(files_with(server.data, MARK), [])
        data, kind = put(kinesis, name, 5, "plain")
        equal(kind, None)
        expected += [(item, None) for item in data]
        read_back(kinesis, name, expected)
    for how, end in (("a clean stop", server.stop), ("a kill", server.kill9)):
        with cases.case(f"all is read after {how}"):
            end()
            server.start()
            read_back(kinesis, name, expected)
    return name, key, alias, expected


def disabled(cases, server, kinesis, kms):
    name = created(kinesis, prefix="disabled")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    change(kinesis, kinesis.start_stream_encryption, name, key)
    kept, _ = put(kinesis, name, 5, "kept")
    at = iterator(kinesis, name)

    def refused(code):
        def both():
            try:
                kinesis.put_record(StreamName=name, PartitionKey="p", Data=MARK)
                return False
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != code:
                    raise
            return code_of(kinesis.get_records, ShardIterator=at) == code
        return both

    with cases.case("a disabled key refuses put and get with KMSDisabledException, soon"):
        kms.disable_key(KeyId=key)
        eventually(refused("KMSDisabledException"), 20, "KMSDisabledException")
        equal(code_of(kinesis.put_records, StreamName=name, Records=[{"PartitionKey": "p", "Data": b"x"}]),
              "KMSDisabledException")
        message = error_of(kinesis.put_record, StreamName=name, PartitionKey="p", Data=b"x").response["Error"]["Message"]
        assert message.endswith(f"key/{key} is disabled."), message
    with cases.case("the server starts with the key disabled, and other streams work"):
        server.kill9()
        server.start()
        eventually(refused("KMSDisabledException"), 20, "KMSDisabledException")
        other = created(kinesis, prefix="other")
        put(kinesis, other, 3, "other")
        equal(len(read_shard(kinesis, other)), 3)
    with cases.case("enabled again, everything that was acknowledged is read"):
        kms.enable_key(KeyId=key)
        eventually(lambda: [record["Data"] for record in read(kinesis, iterator(kinesis, name))][:5] == kept
                   if not is_refused(kinesis, name) else False, 20, "records")
        put(kinesis, name, 2, "again")
    with cases.case("a key that waits for its deletion: KMSInvalidStateException"):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        eventually(refused("KMSInvalidStateException"), 20, "KMSInvalidStateException")
        kms.cancel_key_deletion(KeyId=key)
        kms.enable_key(KeyId=key)
        eventually(lambda: not is_refused(kinesis, name), 20, "put")


def fan_out(cases, server, kinesis, kms):
    """Enhanced fan-out on an encrypted stream, and a key that is disabled while somebody is subscribed."""
    name = created(kinesis, prefix="pushed")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    change(kinesis, kinesis.start_stream_encryption, name, key)
    arn = registered(kinesis, name, "reader")
    with cases.case("records of an encrypted stream are pushed, older and new ones, and say that they are encrypted"):
        older, _ = put(kinesis, name, 5, "older")
        reader = Subscriber(server.endpoint, arn, 0, {"Type": "TRIM_HORIZON"})
        newer, _ = put(kinesis, name, 5, "newer")
        eventually(lambda: len(reader.data()) == 10, 10, "all records")
        equal(reader.data(), older + newer)
        equal({record.get("EncryptionType") for event in reader.events for record in event["Records"]}, {"KMS"})
        reader.close()
    slow = registered(kinesis, name, "slow")
    sent = [b"%d " % i + os.urandom(1_000_000) for i in range(48)]  # more than sockets and server hold of it
    for i in range(0, len(sent), 4):
        kinesis.put_records(StreamName=name, Records=[{"PartitionKey": "p", "Data": data} for data in sent[i:i + 4]])
    events = []
    with cases.case("a key disabled in the middle ends the subscription with KMSDisabledException in its stream"):
        at = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": reader.events[-1]["ContinuationSequenceNumber"]}
        answer = client_of(server.endpoint).subscribe_to_shard(ConsumerARN=slow, ShardId="shardId-000000000000",
                                                               StartingPosition=at)["EventStream"]
        stream = iter(answer)
        while not (events and events[-1]["Records"]):
            events.append(next(stream)["SubscribeToShardEvent"])
        kms.disable_key(KeyId=key)
        eventually(lambda: is_refused(kinesis, name), 20, "KMSDisabledException")
        try:
            for event in stream:
                events.append(event["SubscribeToShardEvent"])
            raise AssertionError("it ended without an error")
        except botocore.exceptions.EventStreamError as error:
            equal(error.response["Error"]["Code"], "KMSDisabledException")
            assert f"key/{key} is disabled." in error.response["Error"]["Message"], error
        assert sum(len(event["Records"]) for event in events) < len(sent)
    with cases.case("while it is disabled a new subscription gets no record"):
        other = registered(kinesis, name, "other")
        refused = client_of(server.endpoint).subscribe_to_shard(ConsumerARN=other, ShardId="shardId-000000000000",
                                                                StartingPosition={"Type": "TRIM_HORIZON"})["EventStream"]
        error = error_of(lambda: list(refused))
        equal(error.response["Error"]["Code"], "KMSDisabledException")
    with cases.case("enabled again, the next subscription goes on where the last one ended"):
        kms.enable_key(KeyId=key)
        eventually(lambda: not is_refused(kinesis, name), 20, "records")
        go_on = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": events[-1]["ContinuationSequenceNumber"]}
        resumed = eventually(lambda: Subscriber(server.endpoint, slow, 0, go_on), 10, "a subscription")
        before = [record["Data"] for event in events for record in event["Records"]]
        eventually(lambda: before + resumed.data() == sent, 30, "the rest")
        resumed.close()


def key_permissions(cases, server, kinesis, kms):
    """Who may use the stream and not its key: producers need kms:GenerateDataKey, consumers kms:Decrypt."""
    admin = Admin(server.binary, server.endpoint)
    user = f"u{uuid.uuid4().hex[:8]}"
    admin("user", "add", user)
    theirs = client(server.endpoint, "kinesis", admin("key", "create", user))
    name = created(kinesis, prefix="guarded")
    arn = registered(kinesis, name, "reader")
    key = kms.create_key()["KeyMetadata"]["Arn"]

    def allow(*actions, resource="*"):
        statements = [{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}]
        if actions:
            statements.append({"Effect": "Allow", "Action": list(actions), "Resource": resource})
        admin("policy", "put", user, "-", stdin=json.dumps({"Version": "2012-10-17", "Statement": statements}))

    def outcome(call, **request):
        try:
            call(**request)
            return "allowed"
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    def subscribe():
        return outcome(theirs.subscribe_to_shard, ConsumerARN=arn, ShardId="shardId-000000000000",
                       StartingPosition={"Type": "LATEST"})

    def puts():
        record = {"PartitionKey": "p", "Data": b"x"}
        return {outcome(theirs.put_record, StreamName=name, **record),
                outcome(theirs.put_records, StreamName=name, Records=[record])}

    allow()
    admin("policy", "attach", user, "--user", user)
    with cases.case("alias/aws/kinesis is for everybody who may use the stream"):
        eventually(lambda: puts() == {"allowed"}, 10, "the policy")
        change(kinesis, kinesis.start_stream_encryption, name, "alias/aws/kinesis")
        equal(puts(), {"allowed"})
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "allowed")
    change(kinesis, kinesis.start_stream_encryption, name, key)
    with cases.case("another key: KMSAccessDeniedException for who may not use it, which names action and key"):
        equal(puts(), {"KMSAccessDeniedException"})
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "KMSAccessDeniedException")
        equal(subscribe(), "KMSAccessDeniedException")
        error = error_of(theirs.put_record, StreamName=name, PartitionKey="p", Data=b"x").response["Error"]
        assert error["Message"].endswith(
            f":user/{user} is not authorized to perform: kms:GenerateDataKey on resource: {key} "
            "because no identity-based policy allows the kms:GenerateDataKey action"), error
        error = error_of(theirs.get_records, ShardIterator=iterator(kinesis, name)).response["Error"]
        assert f"kms:Decrypt on resource: {key}" in error["Message"], error
        put(kinesis, name, 2, "root may")
    with cases.case("a producer needs no kms:Decrypt, a consumer no kms:GenerateDataKey; of this key, no other"):
        allow("kms:GenerateDataKey", resource=key)
        eventually(lambda: puts() == {"allowed"}, 10, "the policy")
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "KMSAccessDeniedException")
        allow("kms:Decrypt", resource=key)
        eventually(lambda: puts() == {"KMSAccessDeniedException"}, 10, "the policy")
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "allowed")
        equal(subscribe(), "allowed")
        allow("kms:GenerateDataKey", "kms:Decrypt", resource=key[:-1] + "?x")
        eventually(lambda: puts() == {"KMSAccessDeniedException"}, 10, "the policy")
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "KMSAccessDeniedException")
    with cases.case("an alias that only looks like the server's own opens nothing"):
        alias = f"alias/{uuid.uuid4().hex[:8]}/alias/aws/kinesis"
        kms.create_alias(AliasName=alias, TargetKeyId=key)
        change(kinesis, kinesis.start_stream_encryption, name, alias)
        equal(puts(), {"KMSAccessDeniedException"})
    with cases.case("what was encrypted stays so: its readers need its key also when another one, or none, encrypts"):
        change(kinesis, kinesis.start_stream_encryption, name, "alias/aws/kinesis")
        equal(puts(), {"allowed"})
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "KMSAccessDeniedException")
        change(kinesis, kinesis.stop_stream_encryption, name, "alias/aws/kinesis")
        equal(puts(), {"allowed"})
        equal(outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)), "KMSAccessDeniedException")
        allow("kms:Decrypt", resource=key)
        eventually(lambda: outcome(theirs.get_records, ShardIterator=iterator(kinesis, name)) == "allowed", 10, "the policy")
    with cases.case("StartStreamEncryption needs kms:DescribeKey of the key that it names, by whatever name; of alias/aws/kinesis none"):
        mine, other = created(kinesis, prefix="begun"), kms.create_key()["KeyMetadata"]["Arn"]
        alias = f"alias/{uuid.uuid4().hex[:8]}"
        kms.create_alias(AliasName=alias, TargetKeyId=other)

        def begin(key_id):
            got = outcome(theirs.start_stream_encryption, StreamName=mine, EncryptionType="KMS", KeyId=key_id)
            active(kinesis, mine)
            return got

        names = [other, other.rsplit("/", 1)[1], alias, other.rsplit(":", 1)[0] + ":" + alias]
        for may, what in (([], "*"), (["kms:GenerateDataKey", "kms:Decrypt"], "*"), (["kms:DescribeKey"], key)):
            allow(*may, resource=what)
            equal([begin(key_id) for key_id in names], ["KMSAccessDeniedException"] * 4, may)
        equal(shown(kinesis, mine), ("NONE", None))
        message = error_of(theirs.start_stream_encryption, StreamName=mine, EncryptionType="KMS",
                           KeyId=alias).response["Error"]["Message"]
        assert f"is not authorized to perform: kms:DescribeKey on resource: {other} because" in message, message
        allow()
        equal(begin("alias/aws/kinesis"), "allowed")
        equal([begin("alias/nowhere"), begin(str(uuid.uuid4()))], ["KMSAccessDeniedException"] * 2)
        allow("kms:DescribeKey")
        equal([begin("alias/nowhere"), begin(alias)], ["KMSNotFoundException", "allowed"])
    with cases.case("what no policy of identities says is asked of nobody where the stream is not encrypted"):
        plain = created(kinesis, prefix="plain")
        equal(outcome(theirs.put_record, StreamName=plain, PartitionKey="p", Data=b"x"), "allowed")


def is_refused(kinesis, name):
    try:
        kinesis.get_records(ShardIterator=iterator(kinesis, name))
        return False
    except botocore.exceptions.ClientError:
        return True


def errors(cases, kinesis, kms):
    name = created(kinesis, prefix="errors")
    with cases.case("StartStreamEncryption's errors"):
        start = kinesis.start_stream_encryption
        nowhere = str(uuid.uuid4())
        for key in (nowhere, "alias/nowhere", f"arn:aws:kms:{REGION}:000000000000:key/{nowhere}", "no key"):
            equal(code_of(start, StreamName=name, EncryptionType="KMS", KeyId=key), "KMSNotFoundException", key)
        off = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.disable_key(KeyId=off)
        equal(code_of(start, StreamName=name, EncryptionType="KMS", KeyId=off), "KMSDisabledException")
        kms.schedule_key_deletion(KeyId=off)
        equal(code_of(start, StreamName=name, EncryptionType="KMS", KeyId=off), "KMSInvalidStateException")
        equal(code_of(start, StreamName=name, EncryptionType="NONE", KeyId=off), "InvalidArgumentException")
        equal(code_of(start, StreamName=name, EncryptionType="AES", KeyId=off), "ValidationException")
        equal(code_of(start, StreamName="nowhere", EncryptionType="KMS", KeyId=off), "ResourceNotFoundException")
        equal(shown(kinesis, name), ("NONE", None))


def key_service(cases, kms):
    context = {"department": "web", "purpose": "tests"}
    key = kms.create_key(Description="d", Tags=[{"TagKey": "team", "TagValue": "web"}])["KeyMetadata"]
    with cases.case("CreateKey, DescribeKey, ListKeys, tags"):
        equal((key["KeyState"], key["Enabled"], key["KeyManager"], key["KeySpec"], key["Description"]),
              ("Enabled", True, "CUSTOMER", "SYMMETRIC_DEFAULT", "d"))
        equal(kms.describe_key(KeyId=key["Arn"])["KeyMetadata"], key)
        pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
        assert key["KeyId"] in [entry["KeyId"] for page in pages for entry in page["Keys"]]
        kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "stage", "TagValue": "test"}])
        kms.untag_resource(KeyId=key["KeyId"], TagKeys=["team"])
        own = {"TagKey": "aws:x", "TagValue": ""}
        equal(code_of(kms.tag_resource, KeyId=key["KeyId"], Tags=[own]), "TagException")
        equal(code_of(kms.untag_resource, KeyId=key["KeyId"], TagKeys=["stage", "aws:x"]), "TagException")
        equal(code_of(kms.create_key, Tags=[own]), "TagException")
        equal(kms.list_resource_tags(KeyId=key["KeyId"])["Tags"], [{"TagKey": "stage", "TagValue": "test"}])
    with cases.case("alias/aws/kinesis is there, and nobody's to change"):
        aliases = {entry["AliasName"]: entry for entry in kms.list_aliases()["Aliases"]}
        own = kms.describe_key(KeyId="alias/aws/kinesis")["KeyMetadata"]
        equal(aliases["alias/aws/kinesis"]["TargetKeyId"], own["KeyId"])
        equal(own["KeyManager"], "AWS")
        equal(code_of(kms.disable_key, KeyId=own["KeyId"]), "AccessDeniedException")
        equal(code_of(kms.delete_alias, AliasName="alias/aws/kinesis"), "NotAuthorizedException")
    with cases.case("Encrypt and Decrypt, with the context authenticated"):
        sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"hello", EncryptionContext=context)
        equal(sealed["KeyId"], key["Arn"])
        opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
        equal((opened["Plaintext"], opened["KeyId"]), (b"hello", key["Arn"]))
        blob = bytearray(sealed["CiphertextBlob"])
        blob[-1] ^= 1
        for wrong in ({"CiphertextBlob": sealed["CiphertextBlob"]}, {"CiphertextBlob": b"no blob"},
                      {"CiphertextBlob": bytes(blob), "EncryptionContext": context},
                      {"CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": {**context, "more": "1"}}):
            equal(code_of(kms.decrypt, **wrong), "InvalidCiphertextException", wrong)
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        equal(code_of(kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context, KeyId=other),
              "IncorrectKeyException")
        again = kms.re_encrypt(CiphertextBlob=sealed["CiphertextBlob"], SourceEncryptionContext=context,
                               DestinationKeyId=other)
        equal(kms.decrypt(CiphertextBlob=again["CiphertextBlob"])["Plaintext"], b"hello")
    with cases.case("GenerateDataKey, with and without its plaintext"):
        made = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
        equal(len(made["Plaintext"]), 32)
        equal(kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"], made["Plaintext"])
        bare = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], NumberOfBytes=24)
        assert "Plaintext" not in bare
        equal(len(kms.decrypt(CiphertextBlob=bare["CiphertextBlob"])["Plaintext"]), 24)
        equal(code_of(kms.generate_data_key, KeyId=key["KeyId"]), "ValidationException")
        equal(len(kms.generate_random(NumberOfBytes=16)["Plaintext"]), 16)
    with cases.case("aliases: made once, moved, used, taken away"):
        alias = f"alias/moved-{uuid.uuid4().hex[:8]}"
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
        equal(code_of(kms.create_alias, AliasName=alias, TargetKeyId=key["KeyId"]), "AlreadyExistsException")
        target = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.update_alias(AliasName=alias, TargetKeyId=target)
        equal(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"], target)
        equal([entry["AliasName"] for entry in kms.list_aliases(KeyId=target)["Aliases"]], [alias])
        kms.delete_alias(AliasName=alias)
        equal(code_of(kms.describe_key, KeyId=alias), "NotFoundException")
        equal(code_of(kms.create_alias, AliasName="bare", TargetKeyId=target), "ValidationException")
    with cases.case("disabled, pending deletion, and back"):
        kms.disable_key(KeyId=key["KeyId"])
        error = error_of(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x").response["Error"]
        equal((error["Code"], error["Message"]), ("DisabledException", f"{key['Arn']} is disabled."))
        answer = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        equal((answer["KeyState"], answer["PendingWindowInDays"]), ("PendingDeletion", 7))
        error = error_of(kms.enable_key, KeyId=key["KeyId"]).response["Error"]
        equal((error["Code"], error["Message"]), ("KMSInvalidStateException", f"{key['Arn']} is pending deletion."))
        kms.cancel_key_deletion(KeyId=key["KeyId"])
        equal(kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"], "Disabled")
        kms.enable_key(KeyId=key["KeyId"])
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with cases.case("what is not there is told in the service's words"):
        nowhere = str(uuid.uuid4())
        for named, text in ((nowhere, f"Key 'arn:aws:kms:{REGION}:{key['AWSAccountId']}:key/{nowhere}' does not exist"),
                            ("fake-key-id", "Invalid keyId 'fake-key-id'")):
            error = error_of(kms.describe_key, KeyId=named).response["Error"]
            equal((error["Code"], error["Message"]), ("NotFoundException", text))


def refusals(cases, server):
    """Every operation of the key service, as its own list names them."""
    listed = pathlib.Path(__file__).parents[2] / "src/kms/operations.def"
    names = re.findall(r"^OPERATION\((\w+)\)", listed.read_text(), re.M)
    wire = wires.Wire(server.endpoint)

    def answer(name, body=b"{}", **how):
        return wire.exchange(headers={"content-type": wires.JSON_1_1, "x-amz-target": f"TrentService.{name}"}, body=body,
                             **how)

    with cases.case("no operation of the key service runs unsigned, wrongly signed, expired, or signed for another"):
        assert len(names) > 20, names
        old = wires.stamp_of(datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=6))
        for name in names:
            for kind, how in (("MissingAuthenticationTokenException", {"sign": False}),
                              ("InvalidSignatureException", {"service": "kms", "secret": "another secret"}),
                              ("InvalidSignatureException", {"service": "kms", "stamp": old}),
                              ("UnrecognizedClientException", {"service": "kms", "access": "AKIDNOBODY"}),
                              ("InvalidSignatureException", {"service": "kinesis"})):
                got = answer(name, **how)
                equal((got.status, got.json["__type"]), (400, kind), f"{name} {how}")
    with cases.case("bodies that are no requests of the key service are refused, and it goes on"):
        for body, kind in ((b"", "SerializationException"), (b"[]", None), (b"nonsense", "SerializationException"),
                           (b'{"KeyId":1}', "SerializationException"), (b"{}", "ValidationException"),
                           (b'{"KeyId":"' + b"x" * 3000 + b'"}', "ValidationException")):
            got = answer("DescribeKey", body, service="kms")
            equal(got.status, 400, repr(got))
            assert kind is None or got.json["__type"] == kind, (body[:20], got)
        equal(answer("NoSuchOperation", service="kms").json["__type"], "UnknownOperationException")
        equal(answer("ListKeys", service="kms").status, 200)


def in_another_service(cases, server, keys):
    """`server` keeps its streams' keys with `keys`, another server, as if that were AWS's."""
    kinesis, kms = client_of(server.endpoint, attempts=1), key_client(keys.endpoint)
    key = kms.create_key()["KeyMetadata"]
    name = created(kinesis, prefix="remote")
    expected = []
    with cases.case("a stream's key in another key service, asked by signed requests"):
        change(kinesis, kinesis.start_stream_encryption, name, key["Arn"])
        data, _ = put(kinesis, name, 10, "remote")
        expected = [(item, "KMS") for item in data]
        read_back(kinesis, name, expected)
        equal(files_with(server.data, MARK), [])
    with cases.case("its errors come through: no such key, a disabled key"):
        equal(code_of(kinesis.start_stream_encryption, StreamName=name, EncryptionType="KMS", KeyId="alias/nowhere"),
              "KMSNotFoundException")
        kms.disable_key(KeyId=key["KeyId"])
        eventually(lambda: is_refused(kinesis, name), 20, "KMSDisabledException")
        equal(code_of(kinesis.put_record, StreamName=name, PartitionKey="p", Data=b"x"), "KMSDisabledException")
        kms.enable_key(KeyId=key["KeyId"])
        eventually(lambda: not is_refused(kinesis, name), 20, "records")
    with cases.case("while it is away the server starts, other streams work, and nothing is lost"):
        keys.stop()
        server.kill9()
        server.start()
        other = created(kinesis, prefix="other")
        put(kinesis, other, 3, "other")
        error = error_of(kinesis.get_records, ShardIterator=iterator(kinesis, name))
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 503)
        keys.start()
        eventually(lambda: not is_refused(kinesis, name), 20, "records")
        read_back(kinesis, name, expected)


def run(cases, server):
    kinesis = client_of(server.endpoint, attempts=1)
    kms = key_client(server.endpoint)
    key_service(cases, kms)
    refusals(cases, server)
    errors(cases, kinesis, kms)
    name, _, _, expected = streams(cases, server, kinesis, kms)
    disabled(cases, server, kinesis, kms)
    fan_out(cases, server, kinesis, kms)
    key_permissions(cases, server, kinesis, kms)
    key_policies.run(cases, server, kinesis, kms)
    with cases.case("keys survive a restart; the keyring is the owner's alone"):
        server.stop()
        equal(os.stat(os.path.join(server.data, "keyring")).st_mode & 0o777, 0o600)
        server.start()
        read_back(kinesis, name, expected)
