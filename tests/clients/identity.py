"""Users, keys, policies and roles by `millrace admin`, and what boto3 may do with them: over restarts and kill -9 too."""

import json
import os
import subprocess

import boto3
import botocore.exceptions
from botocore.config import Config

from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY, Server

ACCOUNT = "000000000000"


def arn(kind, name):
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def stream_arn(name):
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def document(effect, action, resource="*", **more):
    return json.dumps({"Version": "2012-10-17",
                       "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]})


def trust(principal, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": principal},
                                                              "Action": "sts:AssumeRole", **more}})


class Admin:
    """`millrace admin` against one server."""

    def __init__(self, binary, endpoint, access=ACCESS_KEY, secret=SECRET_KEY):
        self.binary = binary
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("MILLRACE_", "AWS_"))}
        self.environment |= {"MILLRACE_ENDPOINT": endpoint, "AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}

    def run(self, *arguments, stdin=""):
        return subprocess.run([self.binary, "admin", *arguments], input=stdin, capture_output=True, text=True,
                              env=self.environment, timeout=60, check=False)

    def __call__(self, *arguments, stdin=""):
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def refused(self, *arguments, says, code=1, stdin=""):
        done = self.run(*arguments, stdin=stdin)
        equal((done.returncode, done.stdout, done.stderr.count("\n")), (code, "", 1), done.stderr)
        assert says in done.stderr, f"{says!r} not in {done.stderr!r}"


def client(endpoint, service, keys):
    """keys: an answer of `key create`, or the Credentials of STS."""
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id=keys["AccessKeyId"],
                        aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys.get("SessionToken"),
                        config=Config(retries={"total_max_attempts": 1}, read_timeout=60))


def error_of(call, **request):
    try:
        call(**request)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it was allowed")


def denied(call, **request):
    code, message = error_of(call, **request)
    equal(code, "AccessDeniedException", message)
    return message


def commands(cases, admin):
    with cases.case("admin: users and keys are made, listed, switched and removed"):
        admin("user", "add", "temp")
        key = admin("key", "create", "temp")
        equal([row["Status"] for row in admin("key", "list", "temp")["Keys"]], ["Active"])
        admin("key", "disable", key["AccessKeyId"])
        equal([row["Status"] for row in admin("key", "list", "temp")["Keys"]], ["Inactive"])
        admin("key", "enable", key["AccessKeyId"])
        assert "SecretAccessKey" not in json.dumps(admin("key", "list"))
        admin("key", "delete", key["AccessKeyId"])
        admin("user", "remove", "temp")
        assert "temp" not in [row["User"] for row in admin("user", "list")["Users"]]
    with cases.case("admin: what does not fit is refused with one clear line"):
        admin("user", "add", "temp")
        admin.refused("user", "add", "temp", says="user temp exists already")
        admin.refused("user", "add", "a b", says='user name "a b" must be 1 to 64 letters')
        admin.refused("user", "remove", "nobody", says="there is no user nobody")
        admin.refused("policy", "put", "p", "-", stdin="{", says="Syntax errors in policy, at byte")
        admin.refused("policy", "put", "p", "-", stdin=document("Allow", "PutRecord"), says="must be prefaced by a vendor")
        admin.refused("policy", "put", "p", "/nowhere/p.json", says="/nowhere/p.json cannot be opened", code=2)
        admin.refused("policy", "attach", "nothing", "--user", "temp", says="there is no policy nothing")
        admin.refused("role", "create", "r", "--trust", "-", stdin=document("Allow", "*"), says="Principal")
        admin.refused("user", says="admin --help", code=2)
        admin.refused("user", "add", says="NAME", code=2)
        admin("policy", "put", "held", "-", stdin=document("Allow", "kinesis:*"))
        admin("policy", "attach", "held", "--user", "temp")
        admin.refused("policy", "delete", "held", says="attached to user temp")
        admin("policy", "detach", "held", "--user", "temp")
        admin("policy", "delete", "held")
        admin("user", "remove", "temp")
    with cases.case("admin: a policy comes back as it was given, also inline"):
        text = document("Allow", "kinesis:*", stream_arn("x*"))
        admin("policy", "put", "text", "-", stdin=text)
        equal(admin.run("policy", "get", "text").stdout, text + "\n")
        admin("user", "add", "temp")
        admin("policy", "put-inline", "own", "-", "--user", "temp", stdin=text)
        equal(admin.run("policy", "get", "own", "--user", "temp").stdout, text + "\n")
        admin("policy", "delete-inline", "own", "--user", "temp")
        admin("user", "remove", "temp")
    with cases.case("admin: help of each command succeeds"):
        for words in ([], ["user"], ["key", "create"], ["policy", "attach"], ["role", "create"]):
            done = admin.run(*words, "--help")
            equal((done.returncode, done.stderr), (0, ""))
            assert "Usage" in done.stdout, done.stdout
    with cases.case("admin: others than root need the iam action"):
        admin("user", "add", "helper")
        key = admin("key", "create", "helper")
        other = Admin(admin.binary, admin.environment["MILLRACE_ENDPOINT"], key["AccessKeyId"], key["SecretAccessKey"])
        other.refused("user", "add", "evil", says="is not authorized to perform: iam:CreateUser on resource: "
                      + arn("user", "evil"))
        other.refused("policy", "put-inline", "all", "-", "--user", "helper", stdin=document("Allow", "*"),
                      says="iam:PutUserPolicy")
        admin("policy", "put-inline", "adds", "-", "--user", "helper", stdin=document("Allow", "iam:CreateUser"))
        other("user", "add", "fine")
        other.refused("user", "remove", "fine", says="iam:DeleteUser")
        wrong = Admin(admin.binary, admin.environment["MILLRACE_ENDPOINT"], key["AccessKeyId"], "x" * 40)
        wrong.refused("user", "list", says="InvalidSignatureException")
        admin("user", "remove", "fine")
        admin("user", "remove", "helper")


def policies(cases, server, admin):
    root = client(server.endpoint, "kinesis", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
    root.create_stream(StreamName="clicks", ShardCount=1)
    root.get_waiter("stream_exists").wait(StreamName="clicks", WaiterConfig={"Delay": 1})
    admin("user", "add", "producer")
    keys = admin("key", "create", "producer")
    kinesis = client(server.endpoint, "kinesis", keys)
    put = {"StreamName": "clicks", "PartitionKey": "k", "Data": b"x"}
    with cases.case("boto3: a new user may do nothing, in AWS's words"):
        equal(denied(kinesis.put_record, **put),
              f"User: {arn('user', 'producer')} is not authorized to perform: kinesis:PutRecord on resource: "
              f"{stream_arn('clicks')} because no identity-based policy allows the kinesis:PutRecord action")
        assert "on resource: * because" in denied(kinesis.list_streams)
    with cases.case("boto3: a policy that is attached holds from the next request on, and no longer once detached"):
        admin("policy", "put", "put", "-", stdin=document("Allow", "kinesis:Put*", stream_arn("clicks")))
        admin("policy", "attach", "put", "--user", "producer")
        kinesis.put_record(**put)
        kinesis.put_records(StreamName="clicks", Records=[{"PartitionKey": "k", "Data": b"x"}])
        denied(kinesis.describe_stream_summary, StreamName="clicks")
        denied(kinesis.put_record, **{**put, "StreamName": "other"})
        admin("policy", "put", "put", "-", stdin=document("Allow", "kinesis:Get*", stream_arn("clicks")))
        denied(kinesis.put_record, **put)
        admin("policy", "put", "put", "-", stdin=document("Allow", "kinesis:Put*", stream_arn("clicks")))
        kinesis.put_record(**put)
        admin("policy", "put-inline", "no", "-", "--user", "producer", stdin=document("Deny", "kinesis:PutRecord"))
        assert denied(kinesis.put_record, **put).endswith("with an explicit deny in an identity-based policy")
        admin("policy", "delete-inline", "no", "--user", "producer")
        kinesis.put_record(**put)
    with cases.case("boto3: a disabled key is refused, an enabled one passes again"):
        admin("key", "disable", keys["AccessKeyId"])
        equal(error_of(kinesis.put_record, **put)[0], "UnrecognizedClientException")
        admin("key", "enable", keys["AccessKeyId"])
        kinesis.put_record(**put)
    with cases.case("boto3: an iterator of somebody else's does not open a stream"):
        iterator = root.get_shard_iterator(StreamName="clicks", ShardId="shardId-000000000000",
                                           ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        assert stream_arn("clicks") in denied(kinesis.get_records, ShardIterator=iterator)
    return keys


def sessions(cases, server, admin, keys):
    sts = client(server.endpoint, "sts", keys)
    put = {"StreamName": "clicks", "PartitionKey": "k", "Data": b"x"}
    with cases.case("boto3, STS: GetCallerIdentity of root, a user and a session"):
        equal(sts.get_caller_identity()["Arn"], arn("user", "producer"))
        root = client(server.endpoint, "sts", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
        equal(root.get_caller_identity()["Arn"], f"arn:aws:iam::{ACCOUNT}:root")
        session = client(server.endpoint, "sts", sts.get_session_token()["Credentials"])
        equal(session.get_caller_identity()["Arn"], arn("user", "producer"))
        client(server.endpoint, "kinesis", sts.get_session_token(DurationSeconds=900)["Credentials"]).put_record(**put)
    with cases.case("boto3, STS: AssumeRole by a trust policy, limited by a session's own"):
        admin("role", "create", "reader", "--trust", "-", stdin=trust(arn("user", "producer")))
        admin("policy", "put-inline", "all", "-", "--role", "reader", stdin=document("Allow", "kinesis:*"))
        answer = sts.assume_role(RoleArn=arn("role", "reader"), RoleSessionName="job")
        equal(answer["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/job")
        kinesis = client(server.endpoint, "kinesis", answer["Credentials"])
        kinesis.list_streams()
        kinesis.put_record(**put)
        limited = sts.assume_role(RoleArn=arn("role", "reader"), RoleSessionName="job",
                                  Policy=document("Allow", "kinesis:ListStreams"))
        limited = client(server.endpoint, "kinesis", limited["Credentials"])
        limited.list_streams()
        assert denied(limited.put_record, **put).endswith(
            "because no session policy allows the kinesis:PutRecord action")
        forged = dict(answer["Credentials"])
        forged["SessionToken"] = forged["SessionToken"][:-5] + "AAAA="
        equal(error_of(client(server.endpoint, "kinesis", forged).list_streams)[0], "UnrecognizedClientException")
        other = sts.assume_role(RoleArn=arn("role", "reader"), RoleSessionName="two")["Credentials"]
        equal(error_of(client(server.endpoint, "kinesis", {**other, "SessionToken": answer["Credentials"]["SessionToken"]})
                       .list_streams)[0], "UnrecognizedClientException")
    with cases.case("boto3, STS: what a trust policy or the limits do not allow is refused"):
        admin("role", "create", "guarded", "--trust", "-", stdin=trust(
            arn("user", "producer"), Condition={"StringEquals": {"sts:ExternalId": "secret-handshake"}}))
        refused = {"RoleArn": arn("role", "guarded"), "RoleSessionName": "job"}
        code, message = error_of(sts.assume_role, **refused)
        equal((code, message), ("AccessDenied", f"User: {arn('user', 'producer')} is not authorized to perform: "
                                                f"sts:AssumeRole on resource: {arn('role', 'guarded')}"))
        sts.assume_role(**refused, ExternalId="secret-handshake")
        equal(error_of(sts.assume_role, RoleArn=arn("role", "none"), RoleSessionName="job")[0], "AccessDenied")
        equal(error_of(sts.assume_role, RoleArn=arn("role", "reader"), RoleSessionName="job", DurationSeconds=7200)[0],
              "ValidationError")
        equal(error_of(sts.assume_role, RoleArn=arn("role", "reader"), RoleSessionName="job", Policy="{")[0],
              "MalformedPolicyDocument")
        wrong = client(server.endpoint, "sts", {**keys, "SecretAccessKey": "x" * 40})
        equal(error_of(wrong.get_caller_identity)[0], "SignatureDoesNotMatch")
        unknown = client(server.endpoint, "sts", {**keys, "AccessKeyId": "AKIANOBODY"})
        equal(error_of(unknown.get_caller_identity)[0], "InvalidClientTokenId")
    with cases.case("boto3, STS: an account as principal leaves it to the caller's policies"):
        admin("role", "create", "shared", "--trust", "-", stdin=trust(ACCOUNT))
        equal(error_of(sts.assume_role, RoleArn=arn("role", "shared"), RoleSessionName="job")[0], "AccessDenied")
        admin("policy", "put-inline", "assume", "-", "--user", "producer",
              stdin=document("Allow", "sts:AssumeRole", arn("role", "shared")))
        sts.assume_role(RoleArn=arn("role", "shared"), RoleSessionName="job")
    with cases.case("boto3, STS: removing a role ends its sessions"):
        kinesis = client(server.endpoint, "kinesis",
                         sts.assume_role(RoleArn=arn("role", "reader"), RoleSessionName="job")["Credentials"])
        kinesis.list_streams()
        admin("role", "remove", "reader")
        equal(error_of(kinesis.list_streams)[0], "UnrecognizedClientException")


def durability(cases, server, admin, keys):
    with cases.case("kill -9 right after an acknowledged change loses none"):
        names = []
        for round_ in range(3):
            for i in range(4):
                names.append(f"user-{round_}-{i}")
                admin("user", "add", names[-1])
            server.kill9()
            server.start()
            assert set(names) <= {row["User"] for row in admin("user", "list")["Users"]}
        client(server.endpoint, "kinesis", keys).put_record(StreamName="clicks", PartitionKey="k", Data=b"x")
        admin("key", "delete", keys["AccessKeyId"])
        server.kill9()
        server.start()
        equal(error_of(client(server.endpoint, "kinesis", keys).list_streams)[0], "UnrecognizedClientException")
    with cases.case("no secret rests in clear, and no file is for others"):
        admin("user", "add", "hidden")
        secret = admin("key", "create", "hidden")["SecretAccessKey"].encode()
        for folder, _, files in os.walk(server.data):
            for name in files:
                path = os.path.join(folder, name)
                equal(os.stat(path).st_mode & 0o077, 0, path)
                with open(path, "rb") as file:
                    assert secret not in file.read(), path
    with cases.case("the audit log has each decision, and puts summed up"):
        def lines():
            return [json.loads(row) for row in server.log().splitlines() if '"msg":"audit"' in row]
        assert any(line["action"] == "iam:CreateUser" and line["decision"] == "allow" and line["reason"] == "root"
                   for line in lines())
        assert any(line["action"] == "kinesis:PutRecord" and line["decision"] == "deny" for line in lines())
        kinesis = client(server.endpoint, "kinesis", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
        before = len(lines())
        for _ in range(50):
            kinesis.put_record(StreamName="clicks", PartitionKey="k", Data=b"x")
        assert len(lines()) - before <= 2, lines()[before:]
        equal(server.stop(), 0)
        eventually(lambda: sum(line["count"] for line in lines()[before:] if line["action"] == "kinesis:PutRecord") >= 50,
                   5, "the rest of the puts, written at the stop")


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "identity")) as server:
        server.start()
        admin = Admin(binary, server.endpoint)
        commands(cases, admin)
        keys = policies(cases, server, admin)
        sessions(cases, server, admin, keys)
        durability(cases, server, admin, keys)
    with cases.case("admin: a server that checks no signatures has no users, and says so"):
        with Server(binary, os.path.join(scratch, "unchecked"), signed=False) as server:
            server.start()
            Admin(binary, server.endpoint).refused("user", "list", says="this server checks no signatures")
            Admin(binary, "http://127.0.0.1:1").refused("user", "list", says="http://127.0.0.1:1")
