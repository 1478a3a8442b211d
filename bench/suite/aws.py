"""One signed call, by the standard library alone: for the few that are not load."""
import datetime
import hashlib
import hmac
import http.client
import json

from suite.environment import ACCESS_KEY, REGION, SECRET_KEY


def call(port: int, operation: str, request: dict, timeout: float = 30, target: str = "Kinesis_20131202",
         service: str = "kinesis") -> dict:
    body = json.dumps(request)
    host = f"127.0.0.1:{port}"
    time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/x-amz-json-1.1", "host": host, "x-amz-date": time,
               "x-amz-target": f"{target}.{operation}"}
    names = ";".join(headers)
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{value}" for name, value in headers.items()), "", names,
                           hashlib.sha256(body.encode()).hexdigest()])
    scope = f"{time[:8]}/{REGION}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, "
                                f"Signature={signature}")
    connection = http.client.HTTPConnection(host, timeout=timeout)
    try:
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"{operation}: {response.status} {text[:300]!r}")
    return json.loads(text) if text else {}
