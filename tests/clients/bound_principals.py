"""A policy that names a user or a role means the one of the time when it was put, not who is made later under that name."""

import json
import os

from black_box.cases import equal
from black_box.server import ACCESS_KEY, SECRET_KEY, Server
from black_box.wire import ApiError, Wire
from clients.identity import ACCOUNT, Admin, arn, client, document, error_of, stream_arn, trust

ROOT = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}


def by(principal, effect="Allow", element="Principal", **statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, element: {"AWS": principal}, **statement}]})


class Resources:
    """A role, a key and a stream, whose policies name one principal."""

    def __init__(self, server, admin):
        self.endpoint, self.admin = server.endpoint, admin
        self.kinesis, self.kms = Wire(server.endpoint), client(server.endpoint, "kms", ROOT)  # Debian's boto3 has no stream policies
        self.kinesis.call("CreateStream", StreamName="clicks", ShardCount=1)
        self.kinesis.wait_active("clicks")
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        admin("role", "create", "power", "--trust", "-", stdin=trust(ACCOUNT))

    def name(self, principal):
        self.admin("role", "change", "power", "--trust", "-", stdin=by(principal, Action="sts:AssumeRole"))
        self.kms.put_key_policy(KeyId=self.key, PolicyName="default", BypassPolicyLockoutSafetyCheck=True,
                                Policy=by(principal, Action="kms:Encrypt", Resource="*"))
        self.kinesis.call("PutResourcePolicy", ResourceARN=stream_arn("clicks"), Policy=by(
            principal, Action="kinesis:DescribeStreamSummary", Resource=stream_arn("clicks")))

    def uses(self, keys):
        return (lambda: client(self.endpoint, "sts", keys).assume_role(RoleArn=arn("role", "power"), RoleSessionName="job"),
                lambda: client(self.endpoint, "kms", keys).encrypt(KeyId=self.key, Plaintext=b"x"),
                lambda: client(self.endpoint, "kinesis", keys).describe_stream_summary(StreamName="clicks"))

    def allowed(self, keys):
        for use in self.uses(keys):
            use()

    def refused(self, keys):
        for use in self.uses(keys):
            assert "AccessDenied" in error_of(use)[0]


def users(cases, resources, admin):
    def make():
        admin("user", "add", "gone")
        return admin("key", "create", "gone")

    with cases.case("a user who is removed and made again is not whom policies of roles, keys and streams name"):
        first = make()
        resources.name(arn("user", "gone"))
        resources.allowed(first)
        admin("user", "remove", "gone")
        resources.refused(make())
    with cases.case("what was put is shown as it was put"):
        text = by(arn("user", "gone"), Action="kinesis:DescribeStreamSummary", Resource=stream_arn("clicks"))
        equal(resources.kinesis.call("GetResourcePolicy", ResourceARN=stream_arn("clicks"))["Policy"], text)
        equal(resources.kms.get_key_policy(KeyId=resources.key, PolicyName="default")["Policy"],
              by(arn("user", "gone"), Action="kms:Encrypt", Resource="*"))
        equal(json.loads(admin("role", "get", "power")["Trust"]), json.loads(by(arn("user", "gone"), Action="sts:AssumeRole")))
    with cases.case("what changes beside the trust policy leaves it with whom it named"):
        admin("role", "change", "power", "--session-seconds", "7200")
        again = admin("key", "create", "gone")
        assert "AccessDenied" in error_of(resources.uses(again)[0])[0]
    with cases.case("put once more, the policies mean who has the name now"):
        resources.name(arn("user", "gone"))
        resources.allowed(again)
    with cases.case("NotPrincipal spares only whom it named when it was put"):
        admin("policy", "put-inline", "own", "-", "--user", "gone", stdin=document("Allow", "kinesis:*"))
        resources.kinesis.call("PutResourcePolicy", ResourceARN=stream_arn("clicks"), Policy=by(
            [arn("user", "gone"), f"arn:aws:iam::{ACCOUNT}:root"], "Deny", "NotPrincipal",
            Action="kinesis:DescribeStreamSummary", Resource=stream_arn("clicks")))
        resources.uses(again)[2]()
        admin("user", "remove", "gone")
        third = make()
        admin("policy", "put-inline", "own", "-", "--user", "gone", stdin=document("Allow", "kinesis:*"))
        assert "explicit deny in a resource-based policy" in error_of(resources.uses(third)[2])[1]
        admin("user", "remove", "gone")


def roles(cases, resources, admin):
    def make():
        admin("role", "create", "worker", "--trust", "-", stdin=trust(ACCOUNT))
        admin("policy", "put-inline", "own", "-", "--role", "worker", stdin=document("Allow", "sts:AssumeRole"))
        return client(resources.endpoint, "sts", ROOT).assume_role(RoleArn=arn("role", "worker"), RoleSessionName="job")["Credentials"]

    for what, principal in (("role", arn("role", "worker")), ("session", f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/job")):
        with cases.case(f"a {what} of a role that is removed and made again is not whom policies name"):
            first = make()
            resources.name(principal)
            resources.allowed(first)
            admin("role", "remove", "worker")
            resources.refused(make())
            admin("role", "remove", "worker")


def nobody(cases, resources, admin):
    with cases.case("a policy that names nobody of this account is refused in each service's words"):
        for principal in (arn("user", "nobody"), arn("role", "nobody"), f"arn:aws:sts::{ACCOUNT}:assumed-role/nobody/job",
                          arn("group", "all")):
            admin.refused("role", "change", "power", "--trust", "-", stdin=by(principal, Action="sts:AssumeRole"),
                          says=f'Invalid principal in policy: "AWS":"{principal}"')
            admin.refused("role", "create", "other", "--trust", "-", stdin=by(principal, Action="sts:AssumeRole"),
                          says="Invalid principal in policy")
            equal(error_of(resources.kms.put_key_policy, KeyId=resources.key, PolicyName="default",
                           BypassPolicyLockoutSafetyCheck=True, Policy=by(principal, Action="kms:*", Resource="*")),
                  ("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."))
            try:
                resources.kinesis.call("PutResourcePolicy", ResourceARN=stream_arn("clicks"), Policy=by(
                    principal, Action="kinesis:PutRecord", Resource=stream_arn("clicks")))
                raise AssertionError("it was taken")
            except ApiError as refused:
                assert "InvalidArgumentException" in str(refused) and "Invalid principal in policy" in str(refused), refused
    with cases.case("nobody binds a policy to an id of their own choice"):
        forged = by(arn("user", "nobody"), Action="sts:AssumeRole") + f"\x1e{arn('user', 'nobody')} AIDAFORGED\n"
        admin.refused("role", "change", "power", "--trust", "-", stdin=forged, says="Syntax errors in policy")


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "bound-principals")) as server:
        server.start()
        admin = Admin(binary, server.endpoint)
        resources = Resources(server, admin)
        users(cases, resources, admin)
        roles(cases, resources, admin)
        nobody(cases, resources, admin)
        with cases.case("bound principals: they are the same after a restart"):
            admin("user", "add", "gone")
            keys = admin("key", "create", "gone")
            resources.name(arn("user", "gone"))
            equal(server.stop(), 0)
            server.start()
            resources.endpoint = server.endpoint
            resources.kinesis.close()
            resources.allowed(keys)
            again = Admin(binary, server.endpoint)
            again("user", "remove", "gone")
            again("user", "add", "gone")
            resources.refused(again("key", "create", "gone"))
            equal(server.stop(), 0)
