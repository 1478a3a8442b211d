"""Forged, altered and replayed signatures: none passes."""

import datetime
import random
import string

from black_box import wire as wires
from black_box.cases import equal
from black_box.wire import API, JSON_1_1, Wire, stamp_of

from .attacker import judge

LIST = {"content-type": JSON_1_1, "x-amz-target": f"{API}.ListStreams"}
REFUSALS = {"InvalidSignatureException", "IncompleteSignatureException", "UnrecognizedClientException",
            "MissingAuthenticationTokenException"}


def run(cases, target):
    wire = Wire(target.server.endpoint)

    def send(headers, body=b"{}", path="/"):
        return wire.exchange(target=path, headers=headers, body=body, sign=False)

    def refused(answer, *about):
        judge(answer)
        assert answer.json["__type"] in REFUSALS, (answer, *about)

    def signed(**signing):
        return wires.signed_headers("POST", "/", {"host": wire.host, **LIST}, b"{}", **signing)

    with cases.case("what is rightly signed passes, or the rest would show nothing"):
        equal(send(signed()).status, 200)
    with cases.case("no signature, and 300 forged ones, are refused"):
        refused(send({"host": wire.host, **LIST}))
        dice = random.Random(3)
        for _ in range(300):
            headers = signed()
            digits = "".join(dice.choices("0123456789abcdef", k=64))
            headers["authorization"] = headers["authorization"][:-64] + digits
            refused(send(headers), digits)
    with cases.case("a valid Authorization with any one character changed is refused"):
        dice = random.Random(4)
        right = signed()
        for position in range(len(right["authorization"])):
            text = right["authorization"]
            other = dice.choice([c for c in string.ascii_lowercase + string.digits if c != text[position].lower()])
            headers = {**right, "authorization": text[:position] + other + text[position + 1:]}
            refused(send(headers), position, other)
        equal(send(right).status, 200)
    with cases.case("a captured request passes with nothing of it changed"):
        right = signed()
        for headers, body, path in [
            ({**right, "x-amz-target": f"{API}.DeleteStream"}, b"{}", "/"),
            (right, b'{"Limit":1}', "/"), (right, b"{} ", "/"), (right, b"{}", "/x"), (right, b"{}", "/?a"),
            ({**right, "host": "evil.example"}, b"{}", "/"),
            ({**right, "content-type": JSON_1_1 + ";x"}, b"{}", "/"),
            ({**right, "x-amz-date": stamp_of(now(1))}, b"{}", "/"),
            ({**right, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"{}", "/"),
            ({**right, "x-amz-added": "1"}, b"{}", "/"),
        ]:
            refused(send(headers, body, path), headers, body, path)
    with cases.case("a captured request is refused once it is 5 minutes old, and from the future"):
        for minutes in (-6, -60, -24 * 60, 6, 24 * 60):
            refused(send(signed(stamp=stamp_of(now(minutes)))), minutes)
    with cases.case("a pre-signed target is refused past its time, and with more time put in"):
        old = stamp_of(now(-20))
        target_text = wires.presigned_target(wire.host, LIST, b"{}", expires=60, stamp=old)
        refused(send({"host": wire.host, **LIST}, path=target_text))
        refused(send({"host": wire.host, **LIST}, path=target_text.replace("Expires=60", "Expires=604800")))
    with cases.case("an Authorization of 60 KB, or of 30,000 signed headers, is refused"):
        for text in ("AWS4-HMAC-SHA256 " + "a=b," * 15_000, "AWS4-HMAC-SHA256 " + "a" * 60_000,
                     signed()["authorization"].replace("SignedHeaders=", "SignedHeaders=" + "a;" * 25_000)):
            judge(send({**signed(), "authorization": text}))
    wire.close()


def now(minutes):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
