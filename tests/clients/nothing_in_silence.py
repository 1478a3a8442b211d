"""What a request says is done or refused, never passed over: a parameter that is not read might have been there to restrict something."""

import http.client
import json
import os
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from black_box.cases import equal
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY, Server
from clients.identity import ACCOUNT, Admin, arn, client, document, error_of, stream_arn, trust

ROOT = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}


def post(endpoint, service, keys, path, body, content_type):
    """A signed request that no SDK would send."""
    request = botocore.awsrequest.AWSRequest("POST", endpoint + path, data=body, headers={"Content-Type": content_type})
    credentials = botocore.credentials.Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))
    botocore.auth.SigV4Auth(credentials, service, REGION).add_auth(request)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=30)
    try:
        connection.request("POST", path, body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def parameters_of_sts(cases, server, admin):
    admin("role", "create", "worker", "--trust", "-", stdin=trust(ACCOUNT))
    admin("policy", "put", "meek", "-", stdin=document("Allow", "kinesis:ListStreams"))
    wanted = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": arn("role", "worker"), "RoleSessionName": "job"}

    def ask(*more):
        form = urllib.parse.urlencode([*wanted.items(), *more])
        return post(server.endpoint, "sts", ROOT, "/", form, "application/x-www-form-urlencoded")

    policy = arn("policy", "meek")
    with cases.case("STS: a parameter that would restrict a session and is not understood is refused by its name"):
        for name, value in (("PolicyArns.member.0.arn", policy), ("PolicyArns.member.2.arn", policy),
                            ("PolicyArns.member.01.arn", policy), ("PolicyArns.member.1.Arn", policy),
                            ("PolicyArns.1.arn", policy), ("PolicyArns", policy), ("policy", document("Allow", "*")),
                            ("SourceIdentity", "root"), ("SerialNumber", "GAHT12345678"), ("TokenCode", "123456"),
                            ("ProvidedContexts.member.1.ProviderArn", policy)):
            status, body = ask((name, value))
            assert status == 400 and "<Code>ValidationError</Code>" in body and name in body, (name, status, body)
        status, body = ask(("PolicyArns.member.1.arn", policy), ("PolicyArns.member.3.arn", policy))
        assert status == 400 and "no gaps" in body, body
        status, body = ask(("DurationSeconds", "900"), ("DurationSeconds", "3600"))
        assert status == 400 and "DurationSeconds is given twice" in body, body
        status, body = ask(*[(f"X-Amz-{i}", "x") for i in range(300)], ("PolicyArns.member.1.arn", policy))
        assert status == 400 and "more than 200 parameters" in body, body
        equal(ask(*[(f"PolicyArns.member.{i}.arn", policy) for i in range(1, 11)])[0], 200)
    with cases.case("STS: session tags have the characters that tags have"):
        sts = client(server.endpoint, "sts", ROOT)
        for key, value in (("team", "*"), ("team", "a?"), ("team", "<x>"), ("team", "a\0b"), ("team", "a\nb"),
                           ("team", "\U0001f600"), ("${x}", "v"), ("*", "v")):
            code, message = error_of(sts.assume_role, RoleArn=arn("role", "worker"), RoleSessionName="job",
                                     Tags=[{"Key": key, "Value": value}])
            equal(code, "ValidationError", message)
            assert "regular expression pattern" in message, message
        sts.assume_role(RoleArn=arn("role", "worker"), RoleSessionName="job",
                        Tags=[{"Key": "Équipe 1_.:/=+-@", "Value": ""}, {"Key": "b", "Value": "日本語"}])
    admin("role", "remove", "worker")
    admin("policy", "delete", "meek")


def admin_door(cases, server, admin):
    def ask(operation, body, keys):
        return post(server.endpoint, "millrace", keys, f"/admin/{operation}", json.dumps(body), "application/json")

    admin("user", "add", "Anna")
    with cases.case("admin: a member that an operation does not know is refused by its name, and nothing is done"):
        for operation, body in (("AddUser", {"User": "Bert", "PermissionsBoundary": arn("policy", "x")}),
                                ("CreateKey", {"User": "Anna", "ExpiresMs": 5}),
                                ("RemoveUser", {"User": "Anna", "If": "unused"})):
            status, answer = ask(operation, body, ROOT)
            equal((status, "is no member of this request" in answer), (400, True), answer)
        equal([(user["User"], user["Keys"]) for user in admin("user", "list")["Users"]], [("Anna", 0)])
    with cases.case("admin: names that differ in case alone are the same"):
        for kind, words, stdin in (("user", ("user", "add", "ANNA"), ""),
                                   ("policy", ("policy", "put", "meek", "-"), document("Allow", "*")),
                                   ("role", ("role", "create", "WORKER", "--trust", "-"), trust(ACCOUNT))):
            if kind == "policy":
                admin("policy", "put", "Meek", "-", stdin=stdin)
            if kind == "role":
                admin("role", "create", "worker", "--trust", "-", stdin=stdin)
            admin.refused(*words, stdin=stdin, says="names that differ in case alone are the same")
        admin("policy", "put", "Meek", "-", stdin=document("Allow", "*"))  # its own name replaces it
    with cases.case("admin: credentials of GetSessionToken make no lasting ones"):
        key = admin("key", "create", "Anna")
        admin("policy", "put-inline", "own", "-", "--user", "Anna", stdin=document("Allow", "*"))
        for keys in (key, ROOT):
            session = client(server.endpoint, "sts", keys).get_session_token()["Credentials"]
            client(server.endpoint, "kinesis", session).list_streams()
            for operation, body in (("CreateKey", {"User": "Anna"}), ("AddUser", {"User": "C"}), ("ListPolicies", {})):
                status, answer = ask(operation, body, session)
                equal((status, "GetSessionToken" in answer), (403, True), answer)
        equal(ask("ListUsers", {}, key)[0], 200)
        assumed = client(server.endpoint, "sts", key).assume_role(RoleArn=arn("role", "worker"), RoleSessionName="job")
        admin("policy", "put-inline", "all", "-", "--role", "worker", stdin=document("Allow", "*"))
        equal(ask("ListUsers", {}, assumed["Credentials"])[0], 200)
    with cases.case("a policy whose action names none is refused"):
        for action in ("kinesis:ListStreams ", " kinesis:*", "kinesis:List Streams", "kinesis:a:b", "kinesis:\u200bPut*"):
            admin.refused("policy", "put", "odd", "-", stdin=document("Deny", action), says="is no action")
    with cases.case("who may not ask about consumers does not learn which there are, nor since when"):
        root = client(server.endpoint, "kinesis", ROOT)
        root.create_stream(StreamName="secret", ShardCount=1)
        root.get_waiter("stream_exists").wait(StreamName="secret", WaiterConfig={"Delay": 1})
        root.register_stream_consumer(StreamARN=stream_arn("secret"), ConsumerName="there")
        admin("policy", "delete-inline", "own", "--user", "Anna")
        anna = client(server.endpoint, "kinesis", key)
        for call in (anna.describe_stream_consumer, anna.deregister_stream_consumer):
            told = [error_of(call, StreamARN=stream_arn("secret"), ConsumerName=name)[1].replace(name, "NAME")
                    for name in ("there", "nope")]
            equal(told[0], told[1])
        admin("policy", "put-inline", "own", "-", "--user", "Anna",
              stdin=document("Allow", "kinesis:*", stream_arn("secret") + "/consumer/*:*"))
        equal(error_of(anna.describe_stream_consumer, StreamARN=stream_arn("secret"), ConsumerName="nope")[0],
              "ResourceNotFoundException")


def run(cases, binary, scratch):
    binary = os.path.abspath(binary)
    with Server(binary, os.path.join(scratch, "nothing-in-silence")) as server:
        server.start()
        admin = Admin(binary, server.endpoint)
        parameters_of_sts(cases, server, admin)
        admin_door(cases, server, admin)
        with cases.case("nothing in silence: the server ends in order"):
            equal(server.stop(), 0)
