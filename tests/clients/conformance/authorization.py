"""Signatures, where the server checks them. Messages as the service of the Kinesis API has answered its users."""

import datetime

from black_box import wire as wires
from black_box.cases import equal
from black_box.server import ACCESS_KEY, SECRET_KEY

LIST = {"content-type": wires.JSON_1_1, "x-amz-target": f"{wires.API}.ListStreams"}
MISMATCH = ("The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.")


def stamp(minutes):
    return wires.stamp_of(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes))


def refused(answer, kind, begins):
    equal(answer.status, 400, repr(answer))
    equal(answer.json["__type"], kind, repr(answer))
    assert answer.json["message"].startswith(begins), f"expected {begins!r}…: {answer!r}"


def tampered(wire, change):
    """Signs a request, changes it after that, sends it."""
    headers = wires.signed_headers("POST", "/", {"host": wire.host, **LIST}, b"{}")
    request = {"method": "POST", "target": "/", "headers": headers, "body": b"{}", "sign": False}
    change(request)
    return wire.exchange(**request)


def run(cases, wire):
    with cases.case("a signature by another secret is refused"):
        refused(wire.post("ListStreams", {}, secret=SECRET_KEY + "x"), "InvalidSignatureException", MISMATCH)
    with cases.case("an unknown access key is refused"):
        refused(wire.post("ListStreams", {}, access=ACCESS_KEY[:-1] + "9"), "UnrecognizedClientException",
                "The security token included in the request is invalid.")
    with cases.case("a signature 6 minutes old is refused, one 4 minutes old passes"):
        refused(wire.post("ListStreams", {}, stamp=stamp(-6)), "InvalidSignatureException", "Signature expired: ")
        equal(wire.post("ListStreams", {}, stamp=stamp(-4)).status, 200)
    with cases.case("a signature 6 minutes ahead is refused, one 4 minutes ahead passes"):
        refused(wire.post("ListStreams", {}, stamp=stamp(6)), "InvalidSignatureException", "Signature not yet current")
        equal(wire.post("ListStreams", {}, stamp=stamp(4)).status, 200)
    with cases.case("a scope of another region is refused"):
        refused(wire.post("ListStreams", {}, region="eu-north-1"), "InvalidSignatureException", "Credential should be "
                "scoped to a valid region")
    with cases.case("a scope of another service is refused"):
        refused(wire.post("ListStreams", {}, service="sqs"), "InvalidSignatureException", "Credential should be "
                "scoped to correct service")
    for what, change in [
        ("body", lambda request: request.update(body=b'{"Limit":1}')),
        ("target", lambda request: request.update(target="/?a=b")),
        ("signed header", lambda request: request["headers"].update({"x-amz-target": f"{wires.API}.DescribeLimits"})),
        ("signature", lambda request: request["headers"].update(
            authorization=request["headers"]["authorization"][:-1] + "Z")),
    ]:
        with cases.case(f"a {what} changed after signing is refused"):
            refused(tampered(wire, change), "InvalidSignatureException", MISMATCH)
    with cases.case("an x-amz header that was sent unsigned is refused"):
        answer = tampered(wire, lambda request: request["headers"].update({"x-amz-security-token": "t"}))
        equal(answer.status, 400, repr(answer))
        assert answer.json["__type"] in ("InvalidSignatureException", "UnrecognizedClientException"), repr(answer)
    with cases.case("a header with inner blanks and a query are signed in canonical form"):
        answer = wire.exchange(target="/?b=2&a=%20x&a=1", headers={**LIST, "x-amz-meta": "a   b  c"}, body=b"{}")
        equal(answer.status, 200, repr(answer))
    with cases.case("a presigned target passes, and not with another body, secret or time"):
        def presigned(body=b"{}", **signing):
            target = wires.presigned_target(wire.host, LIST, b"{}", **signing)
            return wire.exchange(target=target, headers=LIST, body=body, sign=False)
        equal(presigned().status, 200)
        refused(presigned(body=b'{"Limit":1}'), "InvalidSignatureException", MISMATCH)
        refused(presigned(secret="other"), "InvalidSignatureException", MISMATCH)
        equal(presigned(stamp=stamp(-20), expires=60).json["__type"], "InvalidSignatureException")
    with cases.case("health and readiness need no signature"):
        for target in ("/healthz", "/readyz"):
            equal(wire.exchange("GET", target, sign=False).status, 200, target)
