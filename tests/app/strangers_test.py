"""What a server answers to web pages, to strangers' large bodies and to more connections than it can have, and what it
tells them of its own faults."""
import http.client
import json
import pathlib
import re
import shutil
import socket
import time
import unittest

from process import Server, run

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDEXAMPLE", "MILLRACE_ROOT_SECRET_KEY": "a-secret-of-the-tests"}
LIST_STREAMS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.ListStreams"}
LIST_TABLES = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
LIST_KEYS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys"}
LIST_METRICS = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics"}
CALLER = {"Content-Type": "application/x-www-form-urlencoded"}
CALLER_FORM = b"Action=GetCallerIdentity&Version=2011-06-15"
ADMIN = {"Content-Type": "application/json"}
SERVICES = (("Kinesis", "/", LIST_STREAMS, b"{}"), ("DynamoDB", "/", LIST_TABLES, b"{}"), ("KMS", "/", LIST_KEYS, b"{}"),
            ("CloudWatch", "/", LIST_METRICS, b"{}"), ("STS", "/", CALLER, CALLER_FORM),
            ("admin", "/admin/ListQuotas", ADMIN, b"{}"))


def ask(server: Server, method: str = "POST", path: str = "/", headers: dict[str, str] | None = None, body: bytes = b"",
        host: str | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers with names in lower case, and body."""
    connection = http.client.HTTPConnection(server.address, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": host or server.address, **(headers or {}), "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def exchange(server: Server, data: bytes) -> str:
    """What comes back until the server closes."""
    host, port = server.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(data)
        received = b""
        while piece := sock.recv(65536):
            received += piece
    return received.decode()


class WithoutSignatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--allow-origin", "https://app.example.com, http://millrace.test:4566")
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def test_a_foreign_page_is_refused_by_every_service(self):
        for origin in ("https://evil.example", "http://127.0.0.1.evil.example", "http://localhost.evil.example", "null",
                       "https://app.example.com.evil.example", "https://app.example.com:444", "file://"):
            for name, path, headers, body in SERVICES:
                with self.subTest(f"{origin} at {name}"):
                    code, _, text = ask(self.server, path=path, headers={**headers, "Origin": origin}, body=body)
                    self.assertEqual(code, 403)
                    self.assertIn("--allow-origin", text)
        code, _, _ = ask(self.server, "GET", "/metrics", {"Origin": "https://evil.example"})
        self.assertEqual(code, 403)

    def test_a_foreign_host_is_refused_as_after_dns_rebinding(self):
        for host in ("evil.example", "evil.example:4566", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.5",
                     "[2001:db8::1]:4566", "host.docker.internal.evil.example"):
            with self.subTest(host):
                code, _, text = ask(self.server, headers=LIST_STREAMS, body=b"{}", host=host)
                self.assertEqual(code, 403)
                self.assertIn("Host", text)
                self.assertEqual(ask(self.server, "GET", "/metrics", host=host)[0], 403)

    def test_of_several_hosts_and_origins_none_may_be_foreign(self):
        ask_for = "X-Amz-Target: Kinesis_20131202.ListStreams\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}"
        for what, head, status in (
                ("a second origin", "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n", 403),
                ("a foreign target", "POST http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n", 403),
                ("both foreign", "POST http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n", 403),
                ("what is no port", "POST / HTTP/1.1\r\nHost: 127.0.0.1:1:evil.example\r\n", 403),
                ("behind brackets", "POST / HTTP/1.1\r\nHost: [::1]evil.example\r\n", 403),
                ("the same target", "POST http://localhost/ HTTP/1.1\r\nHost: LOCALHOST\r\nOrigin: http://localhost\r\nConnection: close\r\n", 200)):
            with self.subTest(what):
                answer = exchange(self.server, (head + ask_for).encode())
                self.assertTrue(answer.startswith(f"HTTP/1.1 {status} "), answer[:300])

    def test_names_of_this_machine_and_allowed_ones_are_served(self):
        for host in ("localhost", "LOCALHOST:4566", "kinesis.localhost:4566", "127.0.0.1", "127.9.8.7:1", "[::1]:4566", "[::1]",
                     "host.docker.internal:4566", "host.containers.internal", "millrace.test", "app.example.com:8443"):
            with self.subTest(host):
                code, _, text = ask(self.server, headers=LIST_STREAMS, body=b"{}", host=host)
                self.assertEqual(code, 200, text)

    def test_allowed_pages_are_served_and_may_read_every_answer(self):
        for origin in ("https://app.example.com", "http://localhost:3000", "https://[::1]:1", "http://x.localhost"):
            for name, path, headers, body in SERVICES:
                with self.subTest(f"{origin} at {name}"):
                    code, got, text = ask(self.server, path=path, headers={**headers, "Origin": origin}, body=body)
                    self.assertEqual(code, 200, text)
                    self.assertEqual(got["access-control-allow-origin"], origin)
                    self.assertIn("x-amzn-RequestId", got["access-control-expose-headers"])
                    self.assertEqual(got["vary"], "Origin")

    def test_a_request_of_no_page_gets_no_headers_for_pages(self):
        _, headers, _ = ask(self.server, headers=LIST_STREAMS, body=b"{}")
        self.assertFalse([name for name in headers if name.startswith("access-control")])

    def test_errors_of_the_http_layer_can_be_read_by_allowed_pages(self):
        origin = "Origin: http://localhost:3000\r\n"
        for what, data, status in (
                ("413", f"POST / HTTP/1.1\r\nHost: localhost\r\n{origin}Content-Length: 999999999\r\n\r\n", 413),
                ("400", f"POST / HTTP/1.1\r\nHost: localhost\r\n{origin}Content-Length: x\r\n\r\n", 400),
                ("417", f"POST / HTTP/1.1\r\nHost: localhost\r\n{origin}Expect: more\r\nContent-Length: 1\r\n\r\n", 417),
                ("431", f"POST / HTTP/1.1\r\nHost: localhost\r\n{origin}X-Long: {'x' * 70_000}\r\n\r\n", 431)):
            with self.subTest(what):
                head = exchange(self.server, data.encode())
                self.assertTrue(head.startswith(f"HTTP/1.1 {status} "), head[:200])
                self.assertIn("Access-Control-Allow-Origin: http://localhost:3000\r\n", head)

    def test_preflights_are_answered_for_every_service_and_only_for_allowed_origins(self):
        wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-amz-target"}
        for path in ("/", "/admin/PutQuota", "/service/GraniteServiceVersion20100801/operation/ListMetrics"):
            code, headers, _ = ask(self.server, "OPTIONS", path, {**wanted, "Origin": "http://localhost:3000"})
            self.assertEqual((code, headers["access-control-allow-origin"]), (200, "http://localhost:3000"))
            self.assertEqual(headers["access-control-allow-methods"], "POST")
            self.assertEqual(headers["access-control-allow-headers"], "content-type,x-amz-target")
            code, headers, _ = ask(self.server, "OPTIONS", path, {**wanted, "Origin": "https://evil.example"})
            self.assertEqual(code, 403)
            self.assertNotIn("access-control-allow-origin", headers)

    def test_admin_takes_nothing_that_a_form_can_send(self):
        body = json.dumps({"Owner": "user/u", "RecordsInPerSecond": 1}).encode()
        for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
                     {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "text/plain; application/json"}):
            with self.subTest(str(kind)):
                code, _, text = ask(self.server, path="/admin/PutQuota", headers=kind, body=body)
                self.assertEqual(code, 415, text)
        self.assertEqual(ask(self.server, path="/admin/ListQuotas", headers=ADMIN, body=b"{}")[0], 200)


class WithSignatures(unittest.TestCase):
    def test_pages_get_what_allow_origin_says_and_any_host_is_served(self):
        with Server("--allow-origin", "https://app.example.com", env=KEYS) as server:
            code, headers, _ = ask(server, headers={**LIST_STREAMS, "Origin": "https://app.example.com"}, body=b"{}",
                                   host="millrace.example.com")
            self.assertEqual((code, headers["access-control-allow-origin"]), (400, "https://app.example.com"))
            code, headers, text = ask(server, headers={**LIST_STREAMS, "Origin": "https://other.example"}, body=b"{}")
            self.assertEqual((code, json.loads(text)["__type"]), (400, "MissingAuthenticationTokenException"))
            self.assertNotIn("access-control-allow-origin", headers)

    def test_all_origins_can_be_allowed_only_where_signatures_are_checked(self):
        with Server("--allow-origin", "*", env=KEYS) as server:
            _, headers, _ = ask(server, headers={**LIST_STREAMS, "Origin": "https://any.example"}, body=b"{}")
            self.assertEqual(headers["access-control-allow-origin"], "https://any.example")
        refused = run("serve", "--listen", "127.0.0.1:0", "--allow-origin", "*")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--allow-origin", refused.stderr)

    def test_what_is_no_origin_is_refused_at_the_start(self):
        for value in ("app.example.com", "https://", "https://a.example/path", "https://*.example.com", "https://a,,https://b"):
            with self.subTest(value):
                self.assertEqual(run("serve", "--allow-origin", value).returncode, 2)

    def test_a_large_body_that_nobody_known_has_signed_is_refused_by_its_head(self):
        """The answer comes although the body never does, and in the service's own shape."""
        with Server(env=KEYS) as server:
            signed = ("X-Amz-Date: {0}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDUNKNOWN/{1}/us-east-1/kinesis/aws4_request,"
                      " SignedHeaders=host;x-amz-date;x-amz-target, Signature={2}\r\n").format(
                          time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), time.strftime("%Y%m%d", time.gmtime()), "0" * 64)
            for what, more, framing, expected in (
                    ("unsigned", "", "Content-Length: 14500000\r\n", "MissingAuthenticationTokenException"),
                    ("unsigned, chunked", "", "Transfer-Encoding: chunked\r\n", "MissingAuthenticationTokenException"),
                    ("unsigned, asking first", "", "Expect: 100-continue\r\nContent-Length: 14500000\r\n",
                     "MissingAuthenticationTokenException"),
                    ("an unknown key", signed, "Content-Length: 14500000\r\n", "UnrecognizedClientException")):
                for name, _, headers, _ in SERVICES[:3]:
                    with self.subTest(f"{what} at {name}"):
                        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
                        answer = exchange(server, f"POST / HTTP/1.1\r\nHost: here\r\n{lines}{more}{framing}\r\n".encode())
                        self.assertRegex(answer, r"^HTTP/1\.1 40[03] ")
                        if "unknown" not in what or name == "Kinesis":
                            self.assertIn(expected, answer)

    def test_a_client_that_sends_all_of_a_large_body_first_can_read_the_answer(self):
        with Server(env=KEYS) as server:
            code, _, text = ask(server, headers=LIST_STREAMS, body=b"{" + b" " * 14_500_000 + b"}")
            self.assertEqual((code, json.loads(text)["__type"]), (400, "MissingAuthenticationTokenException"))

    def test_metrics_name_no_owner_of_a_quota_unless_told_to(self):
        for flags, named in (((), False), (("--metrics-owners", "yes"), True)):
            with Server(*flags) as server:
                body = json.dumps({"Owner": "stream/secret-stream", "RecordsInPerSecond": 5}).encode()
                put = ask(server, path="/admin/PutQuota", headers=ADMIN, body=body)
                self.assertEqual(put[0], 200, put)
                page = server.get("/metrics")[2]
                self.assertIn("millrace_quota_exceeded_total{", page)
                self.assertEqual("secret-stream" in page, named)


class Descriptors(unittest.TestCase):
    LIMIT = 300

    def test_idle_connections_leave_room_for_control_changes_and_health(self):
        with Server(launcher=["prlimit", f"--nofile={self.LIMIT}:{self.LIMIT}"]) as server:
            line = server.wait_for_line("serving")
            self.assertLessEqual(line["connections_max"], self.LIMIT // 2)
            self.assertEqual(server.wait_for_line("fewer connections than --connections-max: the limit of open files is too "
                                                  "low")["connections_max"], line["connections_max"])
            host, port = server.address.rsplit(":", 1)
            idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(2 * self.LIMIT)]
            try:
                for number in range(5):
                    name = f"made-beside-idle-{number}"
                    code, _, text = ask(server, headers={**LIST_STREAMS, "X-Amz-Target": "Kinesis_20131202.CreateStream"},
                                        body=json.dumps({"StreamName": name, "ShardCount": 1}).encode())
                    self.assertEqual(code, 200, text)
                    self.assertEqual(server.get("/healthz")[0], 200)
                page = server.get("/metrics")[2]
                self.assertGreater(int(re.search(r"^millrace_connections_evicted_total (\d+)", page, re.M)[1]), self.LIMIT)
            finally:
                for sock in idle:
                    sock.close()


class Faults(unittest.TestCase):
    def test_a_client_learns_an_id_and_the_log_has_the_reason_under_it(self):
        with Server() as server:
            shutil.rmtree(f"{server.data}/control")
            pathlib.Path(server.data, "control").write_text("not a folder")
            code, _, text = ask(server, headers={**LIST_STREAMS, "X-Amz-Target": "Kinesis_20131202.CreateStream"},
                                body=b'{"StreamName":"s","ShardCount":1}')
            self.assertGreaterEqual(code, 500)
            self.assertNotIn(server.data, text)
            self.assertNotIn("irectory", text)
            said = re.search(r"under the id ([0-9a-f]{16})", text)
            self.assertTrue(said, text)
            line = server.wait_for_line("a request failed")
            self.assertEqual(line["id"], said[1])
            self.assertIn("irectory", line["error"])


if __name__ == "__main__":
    unittest.main()
