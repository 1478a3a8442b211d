"""Clients that dawdle: they are opened at the start, live through everything else, and must be gone at its end."""

import socket
import threading
import time

from black_box.wire import Wire, b64

from .http1 import raw_request

HEAD_S = 10    # from a request's first byte to the end of its head
BODY_S = 60    # and from there to the end of its body
WRITE_S = 60   # without a byte of the answer taken
SLACK_S = 20
EACH = 20
READERS = 4  # few: many at once are an attack of their own, in readers.py
READER = "a reader that does not read"


class Dawdlers:
    """Holds the connections, drips bytes into some of them once a second, and notes when each was closed."""

    def __init__(self, target, large_iterator):
        self._target = target
        whole = raw_request(target, "PutRecord", b'{"StreamName":"' + b"s" * 2_000 + b'"}')
        head, _, _ = whole.partition(b"\r\n\r\n")
        reads = raw_request(target, "GetRecords", b'{"ShardIterator":"' + large_iterator.encode() + b'"}')
        self.kinds = {  # name: (what is sent at once, what is dripped, seconds that it may last)
            "half a head": (head[:60], b"", HEAD_S),
            "a head a byte a second": (b"", head, HEAD_S),
            "half a body": (whole[:-1_000], b"", BODY_S),
            "a body a byte a second": (head + b"\r\n\r\n", whole[len(head) + 4:], BODY_S),
            "half the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n", b"", HEAD_S),
        }
        self._began = time.monotonic()
        self._open = {}
        self._lasted = {name: [] for name in self.kinds}
        for name, (at_once, drip, _) in self.kinds.items():
            for _ in range(EACH):
                sock = target.dial()
                if at_once:
                    sock.sendall(at_once)
                self._open[sock] = (name, iter(drip))
        self._readers = [target.dial(receive_bytes=4_096) for _ in range(READERS)]
        for sock in self._readers:
            sock.sendall(reads)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def _live(self):
        while self._open and not self._stop.wait(1.0):
            for sock, (name, drip) in list(self._open.items()):
                if self._is_closed(sock, next(drip, None)):
                    self._lasted[name].append(time.monotonic() - self._began)
                    del self._open[sock]
                    sock.close()

    @staticmethod
    def _is_closed(sock, byte):
        try:
            if byte is not None:
                sock.sendall(bytes([byte]))
            sock.setblocking(False)
            while True:
                if not sock.recv(65_536):
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            if sock.fileno() >= 0:
                sock.settimeout(2.0)

    def judge(self, cases):
        for name, (_, _, seconds) in self.kinds.items():
            with cases.case(f"{name}: {EACH} connections are closed within {seconds + SLACK_S} s"):
                deadline = self._began + seconds + SLACK_S
                while len(self._lasted[name]) < EACH and time.monotonic() < deadline:
                    time.sleep(0.5)
                assert len(self._lasted[name]) == EACH, f"{EACH - len(self._lasted[name])} are still open"
                late = max(self._lasted[name])
                assert late <= seconds + SLACK_S, f"closed after {late:.0f} s only"
        with cases.case(f"{READER}: {READERS} connections are closed within {WRITE_S + SLACK_S} s"):
            time.sleep(max(0, self._began + WRITE_S + SLACK_S - time.monotonic()))
            for sock in self._readers:
                received = _rest(sock)
                assert received < ANSWER_BYTES, "the whole answer was still there to be read"
        self._stop.set()
        self._thread.join()
        for sock in [*self._open, *self._readers]:
            sock.close()


def _rest(sock):
    """Bytes until the end of the connection, which must be near: what the kernels hold of it comes first."""
    received = 0
    sock.settimeout(5.0)
    try:
        while piece := sock.recv(1 << 20):
            received += len(piece)
    except socket.timeout:
        raise AssertionError(f"still open, {received} bytes on") from None
    except OSError:
        pass  # reset
    return received


ANSWER_BYTES = 4 * 10 * 100_000 * 4 // 3


def large_iterator(target):
    """Puts 4 MB into the stream; an iterator that reads them at once."""
    wire = Wire(target.server.endpoint)
    record = {"Data": b64(b"d" * 100_000), "PartitionKey": "large"}
    for _ in range(4):
        wire.call("PutRecords", StreamName=target.stream, Records=[record] * 10)
    shard = wire.shards(target.stream)[0]["ShardId"]
    return wire.call("GetShardIterator", StreamName=target.stream, ShardId=shard,
                     ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
