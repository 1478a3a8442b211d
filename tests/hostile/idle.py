"""5,000 connections that do nothing much."""

import resource
import time

from black_box.cases import Skip, equal
from black_box.wire import Wire

from .http1 import HEALTH

COUNT = 5_000


def run(cases, target):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with cases.case("5,000 idle connections cost less than 16 KiB each, and others are served beside them"):
        if most < COUNT + 200:
            raise Skip(f"this user may open {most} files only")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(COUNT + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), most))
        before = target.resident_bytes()
        socks = []
        try:
            for i in range(COUNT):
                sock = target.dial()
                socks.append(sock)
                if i % 2:
                    sock.sendall(HEALTH)  # half of them were used once
            for sock in socks[1::2]:
                assert sock.recv(4_096).startswith(b"HTTP/1.1 200"), "a connection among many is not served"
            wire = Wire(target.server.endpoint)
            for _ in range(50):
                equal(wire.post("ListStreams", {}).status, 200)
            each = (target.resident_bytes() - before) / COUNT
            assert each < 16 * 1024, f"{each:.0f} bytes each"
            time.sleep(1.0)
            sock = socks[0]
            sock.sendall(HEALTH)
            assert sock.recv(4_096).startswith(b"HTTP/1.1 200"), "an idle connection was lost"
        finally:
            for sock in socks:
                sock.close()
