"""HTTP/1.1 that is none: wrong lines, lengths and chunks, request smuggling, floods."""

import os
import socket
import struct
import time

from black_box.cases import equal
from black_box.wire import API, JSON_1_1, signed_headers

from .attacker import answers_in, judge, judge_raw

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"

# Each is refused: an error, or closed without one.
BROKEN = {
    "no request line": b"GARBAGE\r\n\r\n", "a method alone": b"GET\r\n\r\n", "no version": b"GET /\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\nHost: h\r\n\r\n", "another protocol": b"GET / FTP/1.1\r\nHost: h\r\n\r\n",
    "a header without a colon": POST + b"what\r\n\r\n", "a blank before the colon": POST + b"Content-Length : 2\r\n\r\n{}",
    "an empty header name": POST + b": x\r\n\r\n", "NUL in a header": POST + b"X-A: a\x00b\r\n\r\n",
    "NUL in a header name": POST + b"X\x00A: b\r\n\r\n", "a control character in a name": POST + b"X\x01A: b\r\n\r\n",
    "a bare CR": POST + b"X-A: a\rb\r\n\r\n", "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}", "a length in hex": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length of two numbers": POST + b"Content-Length: 2, 3\r\n\r\n{}x", "an empty length": POST + b"Content-Length: \r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a length of 2^63": POST + b"Content-Length: 9223372036854775808\r\n\r\n",
    "a body of a terabyte": POST + b"Content-Length: 1099511627776\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks that are no number": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a chunk of 2^64": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}",
    "a chunk of 2^64 - 1": POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    "a chunk longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a header of 100 KB": POST + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "20,000 headers": POST + b"".join(b"X-%d: a\r\n" % i for i in range(20_000)) + b"\r\n",
    "a target of 100 KB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "a method of 100 KB": b"M" * 100_000 + b" / HTTP/1.1\r\nHost: h\r\n\r\n",
    "trailers without end": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 50_000,
    "a chunk extension without end": POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 200_000,
    "TLS": bytes.fromhex("16030100b5010000b10303") + b"\x00" * 170, "the HTTP/2 preface, cut": b"PRI * HTTP/2.0\r\n\r\nSX",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n", "SMTP": b"EHLO h\r\nMAIL FROM:<a@b>\r\n", "Redis": b"*1\r\n$4\r\nPING\r\n",
    "Kafka": b"\x00\x00\x00\x14\x00\x12\x00\x03\x00\x00\x00\x01\x00\x04test\x00\x00\x00\x00",
}
# Each is a request, if an odd one: an error in shape.
ODD = {
    "GET": b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE": b"DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n",
    "a made-up method": b"FROB / HTTP/1.1\r\nHost: h\r\n\r\n", "TRACE": b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n",
    "no body": POST + b"Content-Length: 0\r\n\r\n", "an absolute target": b"POST http://x:1/y HTTP/1.1\r\nHost: h\r\n"
    b"Content-Length: 2\r\n\r\n{}", "HTTP/1.0": b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
    "an upgrade to HTTP/2": POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    b"Content-Length: 2\r\n\r\n{}", "percent escapes": b"POST /%00%ff%2e%2e?%zz=%4 HTTP/1.1\r\nHost: h\r\n"
    b"Content-Length: 2\r\n\r\n{}", "bytes beyond ASCII": b"POST /\xff\xfe HTTP/1.1\r\nHost: \xff\r\nX-A: \xc3\x28\r\n"
    b"Content-Length: 2\r\n\r\n{}", "an expectation": POST + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}",
    "a page of ours, asked to change": b"POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}",
}


def raw_request(target, operation, body, **more):
    """A rightly signed request as bytes."""
    headers = {"host": target.host, "content-type": JSON_1_1, "x-amz-target": f"{API}.{operation}"}
    headers = signed_headers("POST", "/", headers, body, **more)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def run(cases, target):
    for name, raw in BROKEN.items():
        with cases.case(f"{name} is refused"):
            judge_raw(*target.exchange(raw, finish=True))
    for name, raw in ODD.items():
        with cases.case(f"{name} is answered in shape"):
            received, closed = target.exchange(raw, finish=True)
            answers = answers_in(received)
            assert answers or closed, "neither an answer nor a closed connection"
            for answer in answers:
                judge(answer)
    with cases.case("a request within a request's body is never taken for a second one"):
        smuggled = [POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(HEALTH)) + HEALTH,
                    POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HEALTH,
                    POST + b"Transfer-Encoding: chunked, identity\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HEALTH,
                    POST + b"Transfer-Encoding:\x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HEALTH,
                    POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n" + HEALTH,
                    POST + b"Content-Length: 5\r\n Content-Length: 0\r\n\r\n" + HEALTH]
        for raw in smuggled:
            received, closed = target.exchange(raw, finish=True)
            statuses = [answer.status for answer in answers_in(received)]
            assert 200 not in statuses, (raw, statuses)
    with cases.case("a body that is too large is refused before it is sent"):
        received, _ = target.exchange(POST + b"Content-Type: " + JSON_1_1.encode() + b"\r\nContent-Length: 1000000000\r\n\r\n")
        equal([judge(answer).status for answer in answers_in(received)], [413])
    with cases.case("requests cut at every byte are closed, and leave nothing behind"):
        whole = raw_request(target, "ListStreams", b"{}")
        for cut in range(1, len(whole), 7):
            received, closed = target.exchange(whole[:cut], finish=True)
            assert closed, cut
            judge_raw(received, closed)
    with cases.case("1,000 requests in one go are answered in order"):
        received, _ = target.exchange(HEALTH * 1_000 + raw_request(target, "ListStreams", b"{}"), quiet=3)
        statuses = [answer.status for answer in answers_in(received)]
        equal(len(statuses), 1_001)
        equal(set(statuses), {200})
    with cases.case("300 connections that are reset in the middle of a request"):
        whole = raw_request(target, "ListStreams", b"{}")
        for i in range(300):
            sock = target.dial()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(whole[:i * len(whole) // 300] if i % 2 else whole)
            sock.close()
    with cases.case("100 bodies of 9 MB, sent to the last byte but one, stay within the memory that they may take"):
        size = 9_000_000
        head = raw_request(target, "PutRecords", b"{}").partition(b"\r\n\r\n")[0].replace(
            b"content-length: 2", b"content-length: %d" % size)
        socks = []
        try:
            for _ in range(100):
                sock = target.dial(timeout=2.0)
                socks.append(sock)
                try:
                    sock.sendall(head + b"\r\n\r\n" + b" " * (size - 1))
                except OSError:
                    pass  # refused, or not read any further
            time.sleep(0.5)
            _refused_or_waiting(socks)
        finally:
            for sock in socks:
                sock.close()
    with cases.case("random bytes are refused"):
        for _ in range(150):
            judge_raw(*target.exchange(os.urandom(500), finish=True))


def _refused_or_waiting(socks):
    for sock in socks:
        sock.settimeout(0.01)
        try:
            received = sock.recv(65_536)
        except socket.timeout:
            continue
        except OSError:
            continue
        if received:
            judge_raw(received, True)
