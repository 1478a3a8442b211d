"""A raw HTTP/1.1 client of the Kinesis API with its own SigV4: sends what no SDK would, and fast."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import ssl
import urllib.parse

from . import server

JSON_1_1 = "application/x-amz-json-1.1"
API = "Kinesis_20131202"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _signature(secret, scope, stamp, canonical):
    date, region, service, last = scope.split("/")
    key = _hmac(_hmac(_hmac(_hmac(("AWS4" + secret).encode(), date), region), service), last)
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def stamp_of(moment=None):
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def signed_headers(method, target, headers, body, *, access=server.ACCESS_KEY, secret=server.SECRET_KEY,
                   region=server.REGION, service="kinesis", stamp=None):
    """`headers` (lower-case names, with host) and what signs them."""
    stamp = stamp or stamp_of()
    signed = dict(headers)
    signed["x-amz-date"] = stamp
    names = sorted(signed)
    path, _, query = target.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical_query = "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}"
                               for k, v in pairs)
    canonical = "\n".join([method, path, canonical_query, *(f"{n}:{' '.join(signed[n].split())}" for n in names),
                           "", ";".join(names), hashlib.sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signed["authorization"] = (f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={';'.join(names)}, "
                               f"Signature={_signature(secret, scope, stamp, canonical)}")
    return signed


def presigned_target(host, headers, body, *, access=server.ACCESS_KEY, secret=server.SECRET_KEY,
                     region=server.REGION, expires=300, stamp=None):
    """A target "/?X-Amz-…" that signs host and `headers` for a POST of `body`."""
    stamp = stamp or stamp_of()
    scope = f"{stamp[:8]}/{region}/kinesis/aws4_request"
    signed = {**headers, "host": host}
    names = sorted(signed)
    query = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{access}/{scope}", "X-Amz-Date": stamp,
             "X-Amz-Expires": str(expires), "X-Amz-SignedHeaders": ";".join(names)}
    text = "&".join(f"{k}={urllib.parse.quote(v, safe='-_.~')}" for k, v in sorted(query.items()))
    canonical = "\n".join(["POST", "/", text, *(f"{n}:{signed[n]}" for n in names), "", ";".join(names),
                           hashlib.sha256(body).hexdigest()])
    return f"/?{text}&X-Amz-Signature={_signature(secret, scope, stamp, canonical)}"


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class ApiError(Exception):
    def __init__(self, answer):
        super().__init__(repr(answer))
        self.answer = answer


class Wire:
    """One keep-alive connection, made anew when it broke. One thread."""

    def __init__(self, endpoint, timeout=60.0):
        self._url = urllib.parse.urlsplit(endpoint)
        self._timeout = timeout
        self._connection = None
        self.host = self._url.netloc

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def exchange(self, method="POST", target="/", headers=None, body=b"", sign=True, **signing):
        """Sends exactly `headers` (a dict, names in lower case), host and content-length; signed unless told."""
        headers = {"host": self.host, **(headers or {})}
        if sign:
            headers = signed_headers(method, target, headers, body, **signing)
        if self._connection is None:
            make = http.client.HTTPConnection
            extra = {}
            if self._url.scheme == "https":
                make, extra = http.client.HTTPSConnection, {"context": ssl._create_unverified_context()}
            self._connection = make(self._url.hostname, self._url.port, timeout=self._timeout, **extra)
        try:
            self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                self._connection.putheader(name, value.encode() if isinstance(value, str) else value)
            if body or method in ("POST", "PUT"):
                self._connection.putheader("content-length", str(len(body)))
            self._connection.endheaders(body or None)
            response = self._connection.getresponse()
            answer = Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())
            if response.will_close:
                self.close()
            return answer
        except Exception:
            self.close()
            raise

    def post(self, operation, body, **signing):
        """One operation with the body as given: bytes, or anything for json.dumps."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"content-type": JSON_1_1, "x-amz-target": f"{API}.{operation}"}
        return self.exchange(headers=headers, body=body, **signing)

    def call(self, operation, **request):
        """The answer's JSON (None when empty); ApiError unless it is 200."""
        answer = self.post(operation, request)
        if answer.status != 200:
            raise ApiError(answer)
        return answer.json

    def shards(self, stream):
        shards, request = [], {"StreamName": stream}
        while True:
            page = self.call("ListShards", **request)
            shards += page["Shards"]
            if "NextToken" not in page:
                return shards
            request = {"NextToken": page["NextToken"]}

    def wait_active(self, stream, seconds=30.0):
        from .cases import eventually

        def active():
            summary = self.call("DescribeStreamSummary", StreamName=stream)["StreamDescriptionSummary"]
            return summary["StreamStatus"] == "ACTIVE"

        eventually(active, seconds, f"stream {stream} ACTIVE")

    def read_shard(self, stream, shard_id, limit=10_000):
        """Yields (sequence number, partition key, data) from TRIM_HORIZON to the tip. ApiError as it comes."""
        iterator = self.call("GetShardIterator", StreamName=stream, ShardId=shard_id,
                             ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            page = self.call("GetRecords", ShardIterator=iterator, Limit=limit)
            for record in page["Records"]:
                yield int(record["SequenceNumber"]), record["PartitionKey"], base64.b64decode(record["Data"])
            iterator = page.get("NextShardIterator")
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                return


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()
