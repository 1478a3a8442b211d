"""HTTP/2 by hand: frames that break the protocol, and floods of frames that do not."""

import os
import random
import socket
import struct
import time

from black_box.wire import API, JSON_1_1, signed_headers

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", key, value) for key, value in pairs))


def hpack(headers):
    """Literals without Huffman and without the table; texts of 127 bytes or more take a longer length."""
    def text(value):
        value = value if isinstance(value, bytes) else value.encode()
        size = len(value)
        if size < 127:
            return bytes([size]) + value
        size -= 127
        out = b"\x7f"
        while size >= 128:
            out += bytes([size % 128 + 128])
            size //= 128
        return out + bytes([size]) + value

    return b"".join(b"\x00" + text(name) + text(value) for name, value in headers)


def request_headers(target, body=b"{}", operation="ListStreams", signed=True, **more):
    headers = {"host": target.host, "content-type": JSON_1_1, "x-amz-target": f"{API}.{operation}", **more}
    if signed:
        headers = signed_headers("POST", "/", headers, body)
    del headers["host"]
    return [(":method", "POST"), (":scheme", "http"), (":authority", target.host), (":path", "/"), *headers.items()]


def request(target, stream, body=b"{}", **more):
    return (frame(HEADERS, END_HEADERS, stream, hpack(request_headers(target, body, **more)))
            + frame(DATA, END_STREAM, stream, body))


class Reply:
    """What the server sent: its frames, and whether it closed."""

    def __init__(self, raw, closed):
        self.closed = closed
        self.frames = []
        while len(raw) >= 9:
            size = int.from_bytes(raw[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", raw[3:9])
            self.frames.append((kind, flags, stream & 0x7FFFFFFF, raw[9:9 + size]))
            raw = raw[9 + size:]

    def has(self, kind):
        return any(each[0] == kind for each in self.frames)

    def body(self, stream):
        return b"".join(payload for kind, _, number, payload in self.frames if kind == DATA and number == stream)


def talk(target, *frames, start=None, quiet=1.0, timeout=20.0):
    data = (PREFACE + settings() if start is None else start) + b"".join(frames)
    return Reply(*target.exchange(data, quiet=quiet, timeout=timeout))


def broken(target):
    """Name -> frames that end the connection or the stream."""
    good = request_headers(target)
    bomb = hpack([(":method", "POST"), (":scheme", "http"), (":path", "/")]) + b"\x40\x01a\x7f\x81\x1e" + b"v" * 4_000
    return {
        "a frame longer than allowed": frame(DATA, 0, 1, b"x" * 20_000),
        "a frame that says 16 MB": b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + b"x" * 100,
        "DATA on stream 0": frame(DATA, 0, 0, b"x"), "DATA on an idle stream": frame(DATA, END_STREAM, 5, b"x"),
        "HEADERS on stream 0": frame(HEADERS, 5, 0, hpack(good)), "HEADERS on an even stream": frame(HEADERS, 5, 2, hpack(good)),
        "CONTINUATION of nothing": frame(CONTINUATION, END_HEADERS, 1, b""),
        "HEADERS interrupted": frame(HEADERS, 0, 1, hpack(good)) + frame(PING, 0, 0, b"12345678"),
        "an index beyond the table": frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\x0f"), "index 0": frame(HEADERS, 5, 1, b"\x80"),
        "HPACK cut": frame(HEADERS, 5, 1, hpack(good)[:-3]), "Huffman that is none": frame(HEADERS, 5, 1, b"\x00\x84\xff\xff\xff\xff\x00"),
        "a table larger than allowed": frame(HEADERS, 5, 1, b"\x3f\xff\xff\xff\x7f" + hpack(good)),
        "an HPACK bomb": frame(HEADERS, 4, 1, bomb + b"\xbe" * 12_000),
        "a window of 2^31": frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2,
        "a window update of 0": frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)),
        "an initial window of 2^31": settings((4, 0x80000000)), "a frame size of 1": settings((5, 1)),
        "settings of 5 bytes": frame(SETTINGS, 0, 0, b"12345"), "settings on a stream": frame(SETTINGS, 0, 1, b""),
        "an acknowledgement with content": frame(SETTINGS, ACK, 0, b"123456"), "a ping of 7 bytes": frame(PING, 0, 0, b"1234567"),
        "a push promise": frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + hpack(good)),
        "a reset of an idle stream": frame(RST_STREAM, 0, 7, struct.pack(">I", 8)),
        "a reset of 3 bytes": frame(RST_STREAM, 0, 1, b"123"), "padding longer than the frame": frame(DATA, 8, 1, b"\xff" + b"x"),
        "priority on itself": frame(HEADERS, 0x25, 1, struct.pack(">IB", 1, 16) + hpack(good)),
        "capitals in a name": frame(HEADERS, 5, 1, hpack([*good, ("X-Upper", "1")])),
        "a pseudo-header behind": frame(HEADERS, 5, 1, hpack([*good[1:], good[0]])),
        "a pseudo-header twice": frame(HEADERS, 5, 1, hpack([good[0], *good])),
        "an unknown pseudo-header": frame(HEADERS, 5, 1, hpack([(":frob", "1"), *good])),
        "no method": frame(HEADERS, 5, 1, hpack(good[1:])), "a status": frame(HEADERS, 5, 1, hpack([(":status", "200"), *good])),
        "connection headers": frame(HEADERS, 5, 1, hpack([*good, ("connection", "keep-alive")])),
        "transfer-encoding": frame(HEADERS, 5, 1, hpack([*good, ("transfer-encoding", "chunked")])),
        "line ends in a value": frame(HEADERS, 5, 1, hpack([*good, ("x-a", "1\r\nx-b: 2")])),
        "a content-length that lies": frame(HEADERS, 4, 1, hpack([*good, ("content-length", "5")])) + frame(DATA, 1, 1, b"{}"),
        "300 KB of headers": frame(HEADERS, 0, 1, hpack(good)) + frame(CONTINUATION, 0, 1, hpack([("x-a", "a" * 15_000)])) * 20
        + frame(CONTINUATION, END_HEADERS, 1, b""),
    }


def ends(reply):
    assert reply.closed or reply.has(GOAWAY) or reply.has(RST_STREAM) or any(
        b"__type" in reply.body(number) for number in {each[2] for each in reply.frames}), reply.frames


def run(cases, target):
    with cases.case("HTTP/2 that is right is answered, or the rest would show nothing"):
        reply = talk(target, request(target, 1), request(target, 3, signed=False))
        assert b"StreamNames" in reply.body(1), reply.frames
        assert b"MissingAuthenticationTokenException" in reply.body(3), reply.frames
    for name, frames in broken(target).items():
        with cases.case(f"HTTP/2: {name} ends the stream or the connection"):
            ends(talk(target, frames))
    for name, start in {"the preface misspelt": PREFACE[:-4] + b"XX\r\n" + settings(), "no settings": PREFACE + request(target, 1),
                        "noise for settings": PREFACE + os.urandom(200)}.items():
        with cases.case(f"HTTP/2: {name} ends the connection"):
            reply = talk(target, start=start)
            assert reply.closed or reply.has(GOAWAY), reply.frames
    with cases.case("HTTP/2: a request on a stream below one that was opened is not served"):
        reply = talk(target, request(target, 5) + request(target, 3))
        assert b"StreamNames" in reply.body(5) and not reply.body(3), reply.frames
    floods(cases, target)
    with cases.case("HTTP/2: 200 connections of random frames"):
        dice = random.Random(5)
        for _ in range(200):
            frames = b"".join(frame(dice.randrange(12), dice.randrange(256), dice.choice([0, 1, 1, 2, 3, 2**31 - 1]),
                                    dice.randbytes(dice.choice([0, 4, 5, 6, 8, 40]))) for _ in range(20))
            talk(target, frames, quiet=0.05)
    with cases.case("HTTP/2: 200 requests with one byte flipped"):
        dice = random.Random(6)
        for _ in range(200):
            raw = bytearray(request(target, 1))
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
            talk(target, bytes(raw), quiet=0.05)


def flood(target, frames, seconds=10.0):
    """Sends `frames` again and again without reading; True once the server has put an end to it."""
    with target.dial(timeout=2.0) as sock:
        sock.sendall(PREFACE + settings())
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                sock.sendall(frames() if callable(frames) else frames)
        except socket.timeout:
            return True  # it does not read any more
        except OSError:
            return True
    return False


def floods(cases, target):
    numbers = iter(range(1, 2**31, 2))

    def rapid_resets():
        return b"".join(frame(HEADERS, 5, number, head) + frame(RST_STREAM, 0, number, struct.pack(">I", 8))
                        for number in (next(numbers) for _ in range(500)))

    head = hpack(request_headers(target))
    for name, frames in {
        "settings": settings((3, 100)) * 2_000, "pings": frame(PING, 0, 0, b"12345678") * 2_000,
        "empty data": frame(HEADERS, 4, 1, head) + frame(DATA, 0, 1, b"") * 10_000,
        "resets of streams just opened": rapid_resets,
        "continuations": frame(HEADERS, 0, 1, head) + frame(CONTINUATION, 0, 1, b"") * 10_000,
    }.items():
        with cases.case(f"HTTP/2: a flood of {name} is put an end to"):
            assert flood(target, frames), "it goes on"
    for name, frames in {"priorities": frame(PRIORITY, 0, 3, struct.pack(">IB", 0, 1)) * 2_000,
                         "window updates": frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 2_000,
                         "unknown frames": frame(0xEE, 0, 0, b"x" * 100) * 2_000}.items():
        with cases.case(f"HTTP/2: two seconds of {name} harm nobody"):
            flood(target, frames, seconds=2.0)
    with cases.case("HTTP/2: 1,000 streams opened and never ended get no further than the limit"):
        frames = b"".join(frame(HEADERS, END_HEADERS, 2 * i + 1, head) for i in range(1_000))
        reply = talk(target, frames)
        assert reply.closed or reply.has(RST_STREAM) or reply.has(GOAWAY), len(reply.frames)
    with cases.case("HTTP/2: 200 requests whose answers may not be sent hold no more than they may"):
        reply = talk(target, b"".join(request(target, 2 * i + 1) for i in range(200)),
                     start=PREFACE + settings((4, 0)), quiet=1.0)
        assert not any(kind == DATA and payload for kind, _, _, payload in reply.frames), "data beyond the window"
