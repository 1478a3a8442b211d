"""Raw connections to a server, and the judgement of what it answers: AWS's error shape, or a closed connection."""

import json
import re
import socket
import time

from black_box.wire import Answer

ERROR_TYPE = re.compile(r"^[A-Z][A-Za-z]+(Exception|Failure|Error)$")
XML_ERROR = re.compile(r"^<(\w+)(/>|>\s*<Message>[^<]*</Message>\s*</\1>)\s*$")


class Target:
    """The server under attack."""

    def __init__(self, server, stream):
        self.server = server
        self.stream = stream
        self.port = server.port
        self.host = f"127.0.0.1:{server.port}"

    def dial(self, timeout=10.0, receive_bytes=None):
        sock = socket.socket()
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def exchange(self, data, *, finish=False, quiet=1.0, timeout=20.0):
        """Sends `data` and reads until the server closes or says nothing for `quiet` seconds.

        Returns (bytes, closed). A connection that the server resets while we send counts as closed.
        """
        received = bytearray()
        with self.dial(timeout) as sock:
            try:
                sock.sendall(data)
                if finish:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused half-way: what it said before may still be there
            deadline = time.monotonic() + timeout
            sock.settimeout(quiet)
            while time.monotonic() < deadline:
                try:
                    piece = sock.recv(1 << 20)
                except socket.timeout:
                    return bytes(received), False
                except OSError:
                    return bytes(received), True
                if not piece:
                    return bytes(received), True
                received += piece
        raise AssertionError(f"it still answers after {timeout:.0f} s: {bytes(received[:200])!r}…")

    def resident_bytes(self):
        with open(f"/proc/{self.server.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    def open_files(self):
        import os
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))


def answers_in(raw):
    """The whole HTTP/1.1 responses in `raw`; one that is cut short, or is none, is an AssertionError."""
    answers = []
    while raw:
        head, blank, rest = raw.partition(b"\r\n\r\n")
        assert blank, f"no whole response: {raw[:300]!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        match = re.match(r"^HTTP/1\.[01] (\d{3})( |$)", first)
        assert match, f"no status line: {first!r}"
        status = int(match[1])
        if status == 100:
            raw = rest
            continue
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body, rest = _chunked(rest)
        else:
            length = int(headers.get("content-length", "0"))
            assert len(rest) >= length, f"body cut short: {head!r}"
            body, rest = rest[:length], rest[length:]
        answers.append(Answer(status, headers, body))
        raw = rest
    return answers


def _chunked(raw):
    body = b""
    while True:
        size, line_end, raw = raw.partition(b"\r\n")
        assert line_end, "chunk cut short"
        count = int(size.split(b";")[0], 16)
        body += raw[:count]
        assert raw[count:count + 2] == b"\r\n", "chunk cut short"
        raw = raw[count + 2:]
        if count == 0:
            return body, raw


def judge(answer):
    """That an error has a shape of AWS's; a 5xx is right only when it says that the server is busy."""
    assert 400 <= answer.status < 500 or answer.status == 503, f"not an error of the client's: {answer!r}"
    kind = answer.headers.get("content-type", "").split(";")[0].strip()
    if kind == "application/x-amz-json-1.1":
        error = json.loads(answer.body)
        assert ERROR_TYPE.match(error["__type"]), repr(answer)
        assert set(error) <= {"__type", "message", "Message"}, repr(answer)
        assert all(isinstance(text, str) for text in error.values()), repr(answer)
    elif kind == "application/json":
        assert error_type_of_old_json(answer), repr(answer)
    elif kind == "application/x-amz-cbor-1.1":
        assert answer.body[:1] in (b"\xa1", b"\xa2", b"\xbf") and b"f__type" in answer.body, repr(answer)
    else:
        assert kind == "" and XML_ERROR.match(answer.body.decode()), repr(answer)
    return answer


def error_type_of_old_json(answer):
    body = json.loads(answer.body)
    if "error" in body:  # our own pages (/healthz and so on) to a method that they do not know
        return isinstance(body["error"], str)
    return body["Output"]["__type"].startswith("com.amazon.coral.service#")


def judge_raw(raw, closed, *, must_close=False):
    """That all of `raw` are errors of AWS's shape; returns them. Nothing at all is right when it closed."""
    answers = answers_in(raw)
    assert answers or closed, "neither an answer nor a closed connection"
    assert closed or not must_close, f"the connection stays open after {answers!r}"
    return [judge(answer) for answer in answers]
