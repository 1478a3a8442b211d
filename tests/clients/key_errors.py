"""A key service of the tests that answers as it is told: each of its errors, as Kinesis' clients see them."""

import base64
import http.server
import json
import os
import re
import threading
import uuid

import botocore.exceptions

from black_box.cases import equal, eventually
from black_box.server import REGION
from clients.fan_out import registered
from clients.identity import Admin, client
from clients.sdk_boto3 import active, client_of, created, iterator, read_shard

ACCOUNT = "123456789012"


class FakeKms:
    """Speaks as much of KMS as a server asks of it: GenerateDataKey and Decrypt, by JSON 1.1 and SigV4."""

    def __init__(self):
        self.answer = None  # (status, bytes) for every request, in the place of what was asked
        self.asked = []  # (operation, request)
        self.unsigned = 0
        self.key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{uuid.uuid4()}"
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                scope = re.match(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/kms/aws4_request",
                                 self.headers.get("authorization", ""))
                fake.unsigned += scope is None or scope[1] != REGION
                operation = self.headers["x-amz-target"].removeprefix("TrentService.")
                request = json.loads(body)
                fake.asked.append((operation, request))
                status, answer = fake.answer or fake.done(operation, request)
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # too long an answer: the server hangs up
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def done(self, operation, request):
        """Blobs are the key itself and its context: this one keeps no secrets."""
        context = json.dumps(request["EncryptionContext"], sort_keys=True)
        if operation == "GenerateDataKey":
            plain = os.urandom(32)
            blob = plain + context.encode()
        else:
            blob = base64.b64decode(request["CiphertextBlob"])
            plain = blob[:32]
            assert blob[32:].decode() == context, (blob, context)
        return 200, json.dumps({"KeyId": self.key, "Plaintext": base64.b64encode(plain).decode(),
                                "CiphertextBlob": base64.b64encode(blob).decode()}).encode()

    def fail(self, kind, message="so it was told", status=400, name="__type"):
        self.answer = (status, json.dumps({name: kind, "message": message}).encode())

    def close(self):
        self._server.shutdown()
        self._server.server_close()


# What KMS says, and what Kinesis makes of it, with its HTTP status.
ERRORS = [
    ("ThrottlingException", 400, "KMSThrottlingException", 400),
    ("com.amazonaws.kms#ThrottlingException", 400, "KMSThrottlingException", 400),
    ("LimitExceededException", 400, "KMSThrottlingException", 400),
    ("OptInRequired", 403, "KMSOptInRequired", 400),
    ("SubscriptionRequiredException", 400, "KMSOptInRequired", 400),
    ("NotFoundException", 400, "KMSNotFoundException", 400),
    ("DisabledException", 400, "KMSDisabledException", 400),
    ("KMSInvalidStateException", 400, "KMSInvalidStateException", 400),
    ("AccessDeniedException", 400, "KMSAccessDeniedException", 400),
    ("UnrecognizedClientException", 400, "KMSAccessDeniedException", 400),
    ("ExpiredTokenException", 400, "KMSAccessDeniedException", 400),
    ("KMSInternalException", 500, "503", 503),
    ("DependencyTimeoutException", 503, "503", 503),
]


def refusal(call, **request):
    """Code, status and message of the error that it ends with; None: none."""
    try:
        call(**request)
    except botocore.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"]["Code"]
        return ("503" if status == 503 else code), status, error.response["Error"]["Message"]
    return None


def run(cases, server, kms):
    """`server` has its keys with `kms`, and holds an answer of it for a moment only."""
    kinesis = client_of(server.endpoint, attempts=1)
    name = created(kinesis, prefix="remote")
    arn = registered(kinesis, name, "reader")
    record = {"PartitionKey": "p", "Data": b"x"}
    start = {"StreamName": name, "EncryptionType": "KMS", "KeyId": "alias/clicks"}

    def uses():
        return {"StartStreamEncryption": refusal(kinesis.start_stream_encryption, **start),
                "PutRecord": refusal(kinesis.put_record, StreamName=name, **record),
                "PutRecords": refusal(kinesis.put_records, StreamName=name, Records=[record]),
                "GetRecords": refusal(kinesis.get_records, ShardIterator=iterator(kinesis, name))}

    with cases.case("another key service is asked in its own protocol, signed, with the stream's ARN as context"):
        kinesis.start_stream_encryption(**start)
        active(kinesis, name)
        kinesis.put_record(StreamName=name, **record)
        equal([item["Data"] for item in read_shard(kinesis, name)], [b"x"])
        equal((kms.unsigned, kms.asked[0][1]["KeyId"]), (0, "alias/clicks"))
        for _, request in kms.asked:
            assert request["EncryptionContext"]["aws:kinesis:arn"].endswith(f":stream/{name}"), request
    for kind, status, code, answered in ERRORS:
        with cases.case(f"{kind} of the key service is {code} of every operation that needs the key"):
            kms.fail(kind, status=status)
            eventually(lambda code=code: {use[0] if use else None for use in uses().values()} == {code}, 20, code)
            for operation, (_, got, message) in uses().items():
                equal(got, answered, operation)
                assert answered == 503 or message == "so it was told", (operation, message)
    with cases.case("… and of a subscription, in its stream or in its place"):
        kms.fail("ThrottlingException")
        eventually(lambda: uses()["GetRecords"][0] == "KMSThrottlingException", 20, "KMSThrottlingException")
        try:
            stream = client_of(server.endpoint).subscribe_to_shard(
                ConsumerARN=arn, ShardId="shardId-000000000000", StartingPosition={"Type": "TRIM_HORIZON"})["EventStream"]
            list(stream)
            raise AssertionError("it ended without an error")
        except botocore.exceptions.ClientError as error:  # of which an EventStreamError is one
            equal(error.response["Error"]["Code"], "KMSThrottlingException")
    with cases.case("what is no answer of a key service is an error, and takes nothing down"):
        for status, body in ((200, b"{}"), (200, b"nonsense"), (400, b""), (400, b"[1]"), (200, b"x" * 200_000),
                             (200, json.dumps({"KeyId": kms.key, "Plaintext": "AAAA", "CiphertextBlob": "AAAA"}).encode()),
                             (400, json.dumps({"__type": 7, "message": []}).encode())):
            kms.answer = (status, body)
            eventually(lambda: all(use and use[1] >= 500 for use in uses().values()), 20, f"an error of {body[:20]}")
    with cases.case("when it answers again, all is read"):
        kms.answer = None
        eventually(lambda: not any(refusal(kinesis.get_records, ShardIterator=iterator(kinesis, name)) or ()), 20, "records")
        equal(read_shard(kinesis, name)[0]["Data"], b"x")
    naming(cases, server, kms, kinesis)


def naming(cases, server, kms, kinesis):
    """StartStreamEncryption by a user: the key that an alias stands for is known once the service told it."""
    admin = Admin(server.binary, server.endpoint)
    user = f"u{uuid.uuid4().hex[:8]}"
    admin("user", "add", user)
    theirs = client(server.endpoint, "kinesis", admin("key", "create", user))
    name = created(kinesis, prefix="named")

    def tried(key_id, *statements):
        admin("policy", "put-inline", "own", "-", "--user", user, stdin=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}, *statements]}))
        got = refusal(theirs.start_stream_encryption, StreamName=name, EncryptionType="KMS", KeyId=key_id)
        if got is None:
            active(kinesis, name)
            kinesis.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=key_id)
            active(kinesis, name)
        return got and got[0]

    with cases.case("who names a key of another service needs kms:DescribeKey on what the service says it is"):
        look = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": kms.key}
        other = {**look, "Resource": kms.key[:-1] + "?x"}
        equal([tried("alias/clicks"), tried("alias/clicks", other), tried("alias/clicks", look), tried(kms.key, look),
               tried("alias/clicks", {**look, "Action": "kms:Decrypt"}), tried("alias/aws/kinesis")],
              ["KMSAccessDeniedException", "KMSAccessDeniedException", None, None, "KMSAccessDeniedException", None])
        equal(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["EncryptionType"], "NONE")
