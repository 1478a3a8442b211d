"""Requests that are no operation yet: content types, targets, broken bodies, missing or broken authorization, CORS.

These hold alike whether the server checks signatures or not: form comes before secrets.
"""

import re

from black_box.cases import equal
from black_box.wire import API, JSON_1_1

CBOR = "application/x-amz-cbor-1.1"
ORIGIN = "http://localhost:3000"  # without keys only pages of this machine are answered
REQUEST_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

LIST_STREAMS = f"{API}.ListStreams"
JSON = {"content-type": JSON_1_1}
LIST = {**JSON, "x-amz-target": LIST_STREAMS}
DEPRECATED = {"content-type": "application/json", "x-amz-target": LIST_STREAMS}

NO_SERVICE = (403, None, "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be "
                         "authorized</Message>\n</AccessDeniedException>\n")
UNKNOWN_XML = (404, None, "<UnknownOperationException/>\n")
UNKNOWN = (400, JSON_1_1, {"__type": "UnknownOperationException"})
NOT_SERIAL = (400, JSON_1_1, {"__type": "SerializationException"})
MISSING = (400, JSON_1_1, {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"})
BOTH = (400, JSON_1_1, {"__type": "InvalidSignatureException",
                        "message": "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP "
                                   "header."})


def deprecated(status, kind):
    return (status, "application/json", {"Output": {"__type": f"com.amazon.coral.service#{kind}"}, "Version": "1.0"})


def cbor(kind):
    return (400, CBOR, kind)


def incomplete(message):
    return (400, JSON_1_1, {"__type": "IncompleteSignatureException", "message": message})


def header_lacks(*parameters, date=True, header):
    text = "".join(f"Authorization header requires '{name}' parameter. " for name in parameters)
    if not date:
        text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    return incomplete(f"{text}Authorization={header}")


def query_lacks(*parameters):
    text = "".join(f"AWS query-string parameters must include '{name}'. " for name in parameters)
    return incomplete(f"{text}Re-examine the query-string parameters.")


ALL_QUERY = [f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date")]

# (what, {method, target, headers, body, sign}, (status, content type, body))
ROWS = [
    ("GET", {"method": "GET"}, NO_SERVICE),
    ("PUT", {"method": "PUT"}, NO_SERVICE),
    ("DELETE", {"method": "DELETE"}, NO_SERVICE),
    ("a body without a content type", {"body": b"{}"}, NO_SERVICE),
    ("a body of an unknown content type for a target",
     {"headers": {"content-type": "text/plain", "x-amz-target": LIST_STREAMS}, "body": b"{}"}, UNKNOWN_XML),
    ("nothing at all, unsigned", {"sign": False}, cbor("UnknownOperationException")),
    ("nothing at all, signed", {}, cbor("UnknownOperationException")),
    ("JSON 1.0 without a body", {"headers": {"content-type": "application/x-amz-json-1.0"}},
     cbor("UnknownOperationException")),
    ("a target that is none, without a body", {"headers": {"x-amz-target": "Whatever"}},
     cbor("UnknownOperationException")),
    ("a target without an operation, without a body", {"headers": {"x-amz-target": f"{API}."}},
     cbor("UnknownOperationException")),
    ("an operation cut short, without a body", {"headers": {"x-amz-target": f"{API}.ListStream"}},
     cbor("UnknownOperationException")),
    ("a known target without a content type or body", {"headers": {"x-amz-target": LIST_STREAMS}},
     cbor("SerializationException")),
    ("JSON without a target", {"headers": JSON}, UNKNOWN),
    ("JSON without a target, unsigned", {"headers": JSON, "sign": False}, UNKNOWN),
    ("JSON for an unknown operation", {"headers": {**JSON, "x-amz-target": f"{API}.Nothing"}, "body": b"{}"}, UNKNOWN),
    ("JSON for an unknown service", {"headers": {**JSON, "x-amz-target": "Nothing.ListStreams"}, "body": b"{}"},
     UNKNOWN),
    ("a known target without a body", {"headers": LIST}, NOT_SERIAL),
    ("a known target without a body, unsigned", {"headers": LIST, "sign": False}, NOT_SERIAL),
    ("a body that is no JSON, unsigned", {"headers": LIST, "body": b"hello", "sign": False}, NOT_SERIAL),
    ("a body that is JSON but no object", {"headers": LIST, "body": b"true"}, NOT_SERIAL),
    ("a body that is null", {"headers": LIST, "body": b"null"}, NOT_SERIAL),
    ("an object that does not end", {"headers": LIST, "body": b'{"Limit":1'}, NOT_SERIAL),
    ("application/json, no JSON", {"headers": DEPRECATED, "body": b"hello", "sign": False},
     deprecated(400, "SerializationException")),
    ("application/json with blanks and a parameter, no JSON",
     {"headers": {**DEPRECATED, "content-type": "     application/json     ;"}, "body": b"hello", "sign": False},
     deprecated(400, "SerializationException")),
    ("application/json, an object", {"headers": DEPRECATED, "body": b"{}", "sign": False},
     deprecated(404, "UnknownOperationException")),
    ("an Authorization that is none", {"headers": {**LIST, "authorization": "X"}, "body": b"{}", "sign": False},
     header_lacks("Credential", "Signature", "SignedHeaders", date=False, header="X")),
    ("an Authorization that is none, a query that is none",
     {"target": "/?X-Amz-Algorith", "headers": {**LIST, "authorization": "X"}, "body": b"{}", "sign": False},
     header_lacks("Credential", "Signature", "SignedHeaders", date=False, header="X")),
    ("an Authorization without SignedHeaders, parted by a blank",
     {"headers": {**LIST, "authorization": "AWS4- Signature=b Credential=a", "date": "a"}, "body": b"{}",
      "sign": False}, header_lacks("SignedHeaders", header="AWS4- Signature=b Credential=a")),
    ("an Authorization without SignedHeaders, parted by a comma",
     {"headers": {**LIST, "authorization": "AWS4- Signature=b,Credential=a", "date": "a"}, "body": b"{}",
      "sign": False}, header_lacks("SignedHeaders", header="AWS4- Signature=b,Credential=a")),
    ("an Authorization and a query", {"target": "/?X-Amz-Algorithm", "headers": {**LIST, "authorization": "X"},
                                      "body": b"{}", "sign": False}, BOTH),
    ("a query of an empty algorithm", {"target": "/?X-Amz-Algorithm", "headers": LIST, "body": b"{}", "sign": False},
     query_lacks(*ALL_QUERY)),
    ("a query without SignedHeaders",
     {"target": "/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d", "headers": LIST,
      "body": b"{}", "sign": False}, query_lacks("X-Amz-SignedHeaders")),
]
# Only where signatures are checked: without root keys an unsigned request passes.
UNSIGNED_ROWS = [
    ("no authorization", {"headers": LIST, "body": b"{}", "sign": False}, MISSING),
    ("no authorization, a content type with blanks and a parameter",
     {"headers": {**LIST, "content-type": "   application/x-amz-json-1.1   ;whatever"}, "body": b"{}", "sign": False},
     MISSING),
    ("a query without its algorithm",
     {"target": "/?X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d", "headers": LIST,
      "body": b"{}", "sign": False}, MISSING),
]
EXPOSED = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date"


def check(answer, expected):
    status, content_type, body = expected
    equal(answer.status, status, repr(answer))
    equal(answer.headers.get("content-type"), content_type, "content-type")
    if isinstance(body, dict):
        equal(answer.json, body)
    elif content_type == CBOR:  # a CBOR map of one pair; how long its head is, is the encoder's business
        assert b"f__type" in answer.body and body.encode() in answer.body, repr(answer)
    else:
        equal(answer.body.decode(), body)
    equal(answer.headers["content-length"], str(len(answer.body)), "content-length")
    assert REQUEST_ID.match(answer.headers.get("x-amzn-requestid", "")), f"x-amzn-requestid: {answer.headers}"
    assert answer.headers.get("x-amz-id-2"), f"x-amz-id-2: {answer.headers}"


def run(cases, wire, *, checks_signatures):
    for what, request, expected in ROWS + (UNSIGNED_ROWS if checks_signatures else []):
        with cases.case(f"{what}: {expected[0]}"):
            check(wire.exchange(**request), expected)

    for what, headers, expected in [
        ("bare", {}, {}),
        ("asked for headers", {"access-control-request-headers": "a, b, c"}, {"access-control-allow-headers": "a, b, c"}),
        ("asked for headers and a method",
         {"access-control-request-headers": "a, b, c", "access-control-request-method": "d"},
         {"access-control-allow-headers": "a, b, c", "access-control-allow-methods": "d"}),
    ]:
        with cases.case(f"CORS preflight, {what}"):
            answer = wire.exchange("OPTIONS", headers={"origin": ORIGIN, **headers}, sign=False)
            equal((answer.status, answer.body), (200, b""))
            assert answer.headers.get("access-control-allow-origin") in ("*", ORIGIN), answer.headers
            expected = {"access-control-max-age": "172800", "content-length": "0",
                        **expected}
            equal({name: answer.headers.get(name) for name in expected}, expected)
            equal([name for name in ("content-type", "x-amz-id-2") if name in answer.headers], [])
    with cases.case("CORS headers of an answer"):
        answer = wire.exchange(headers={**LIST, "origin": ORIGIN}, body=b"{}")
        equal(answer.status, 200)
        assert answer.headers.get("access-control-allow-origin") in ("*", ORIGIN), answer.headers
        equal(answer.headers.get("access-control-expose-headers"), EXPOSED)
