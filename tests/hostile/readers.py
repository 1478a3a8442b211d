"""Many clients that ask for much and take nothing: others are served meanwhile, and memory stays bounded."""

import time

from black_box.wire import Wire

from .http1 import raw_request
from .http2 import PREFACE, request, settings

CONNECTIONS = 40
PIPELINED = 8
SECONDS = 10
TRIES = 3  # as an SDK would: a 503 says "retry"


def run(cases, target, iterator):
    body = b'{"ShardIterator":"' + iterator.encode() + b'"}'
    with cases.case(f"{CONNECTIONS} connections that ask for 4 MB {PIPELINED} times over and read nothing"):
        socks = [target.dial(receive_bytes=4_096) for _ in range(CONNECTIONS)]
        for sock in socks:
            sock.sendall(raw_request(target, "GetRecords", body) * PIPELINED)
        _others_are_served(target)
        _close(socks)
    with cases.case("200 HTTP/2 streams that ask for 4 MB each with a window of 0"):
        socks = [target.dial(timeout=5.0)]
        socks[0].sendall(PREFACE + settings((4, 0)))
        try:
            for i in range(200):
                socks[0].sendall(request(target, 2 * i + 1, body, operation="GetRecords"))
        except OSError:
            pass  # it puts an end to it, or reads no more
        _others_are_served(target)
        _close(socks)


def _others_are_served(target):
    wire = Wire(target.server.endpoint, timeout=10)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for _ in range(TRIES):
            answer = wire.post("ListStreams", {})
            if answer.status == 200:
                break
            time.sleep(0.1)
        assert answer.status == 200, f"not served: {answer!r}"
        time.sleep(0.05)
    wire.close()


def _close(socks):
    for sock in socks:
        sock.close()
