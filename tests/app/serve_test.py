"""A server's life: start, health, metrics, log lines, drain, and what it leaves in its folder."""
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import time
import unittest

from process import BINARY, ROOT, Server, environment, run

KEYS = {"MILLRACE_ROOT_ACCESS_KEY": "AKIDEXAMPLE", "MILLRACE_ROOT_SECRET_KEY": "a-secret-of-the-tests"}


def section_of_operations(title: str) -> str:
    page = (ROOT / "docs/operations.md").read_text()
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.M | re.S)[1]


class Paths(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--node-name", "n-1", "--zone", "z-1")
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def test_health_and_readiness(self):
        for path, status in (("/healthz", "ok"), ("/readyz", "ready"), ("/healthz?probe=1", "ok")):
            with self.subTest(path):
                code, headers, body = self.server.get(path)
                self.assertEqual((code, json.loads(body)), (200, {"status": status}))
                self.assertEqual(headers["Content-Type"], "application/json")

    def test_other_methods_are_refused_there(self):
        code, headers, _ = self.server.get("/healthz", method="DELETE")
        self.assertEqual((code, headers["Allow"]), (405, "GET, HEAD"))

    def test_head_has_no_body(self):
        code, _, body = self.server.get("/healthz", method="HEAD")
        self.assertEqual((code, body), (200, ""))

    def test_the_console_is_not_there_yet_and_says_so(self):
        code, headers, body = self.server.get("/console/")
        self.assertEqual((code, headers["Content-Type"]), (404, "application/json"))
        self.assertIn("console", json.loads(body)["error"])

    def test_metrics_are_exactly_those_of_the_operations_page(self):
        code, headers, body = self.server.get("/metrics")
        self.assertEqual(code, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        names = set(re.findall(r"^# TYPE (\w+) \w+$", body, re.M))
        page = set(re.findall(r"^\| `(\w+)(?:\{[^}]*\})?` \|", section_of_operations("Metrics"), re.M))
        self.assertEqual(names, page)
        self.assertIn('node="n-1"', body)
        self.assertIn('zone="z-1"', body)

    def test_parts_of_memory_are_exactly_those_of_the_operations_page(self):
        page = {part: int(share) for part, share in
                re.findall(r"^\| `(\w+)` \| (\d+) \|", section_of_operations("Memory"), re.M)}
        self.assertLessEqual(sum(page.values()), 64)
        body = self.server.get("/metrics")[2]
        bounds = re.findall(r'^millrace_memory_bytes_max\{part="(\w+)"\} (\S+)$', body, re.M)
        self.assertEqual({part: float(bound) for part, bound in bounds},
                         {part: share * (1 << 30) / 64 for part, share in page.items()})
        held = dict(re.findall(r'^millrace_memory_bytes\{part="(\w+)"\} (\S+)$', body, re.M))
        self.assertEqual(held.keys(), page.keys())
        self.assertGreater(float(held["keys"]), 0)

    def test_metrics_count_requests(self):
        def requests() -> int:
            return int(re.search(r"^millrace_http_requests_total (\d+)", self.server.get("/metrics")[2], re.M)[1])
        before = requests()
        for _ in range(5):
            self.server.get("/healthz")
        self.assertGreaterEqual(requests(), before + 6)


class LogLines(unittest.TestCase):
    def test_every_line_is_one_json_object_with_time_level_and_message(self):
        with Server("--node-name", "n-1", env={"MILLRACE_NO_SUCH": "x"}) as server:
            self.assertEqual(server.stop(), 0)
            server.reader.join()
            lines = [json.loads(line) for line in server.stderr_lines]
        self.assertGreaterEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("debug", "info", "warn", "error"))
            self.assertTrue(line["msg"])
        self.assertTrue(any(line["level"] == "warn" and "MILLRACE_NO_SUCH" in line["msg"] for line in lines))

    def test_text_is_escaped(self):
        with tempfile.TemporaryDirectory(prefix='millrace "quoted" \\ and\nnew ') as data, Server(data=data) as server:
            self.assertEqual(server.wait_for_line("serving")["data"], data)

    def test_a_level_drops_what_is_below_it(self):
        data = tempfile.mkdtemp(prefix="millrace-app-")
        with subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--loops", "1",
                               "--log-level", "error"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment(), text=True) as process:
            self.assertTrue(any("http://127.0.0.1:" in process.stdout.readline() for _ in range(2)))
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=30), 0)
            self.assertEqual(process.stderr.read(), "")


class Start(unittest.TestCase):
    def test_health_asks_whether_it_is_ready(self):
        with Server() as server:
            done = run("health", "--endpoint", f"http://{server.address}")
            self.assertEqual((done.returncode, json.loads(done.stdout)["status"]), (0, "ready"), done)
        done = run("health", "--endpoint", f"http://{server.address}")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done)

    def test_it_prints_endpoint_and_a_line_to_try(self):
        with Server() as server:
            self.assertEqual(server.stop(), 0)
            text = server.process.stdout.read()
        self.assertIn(f"http://{server.address}\n", text)
        self.assertIn(f"--endpoint-url http://{server.address} kinesis create-stream", text)

    def test_flag_wins_over_environment_over_config_file(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder, "millrace.toml")
            config.write_text('region = "of-file"\nzone = "of-file"\nnode-name = "of-file"\nloops = 1\n')
            with Server("--config", str(config), "--region", "of-flag",
                        env={"MILLRACE_REGION": "of-environment", "MILLRACE_ZONE": "of-environment"}) as server:
                line = server.wait_for_line("serving")
            self.assertEqual((line["region"], line["zone"], line["node"]), ("of-flag", "of-environment", "of-file"))
            with Server(env={"MILLRACE_CONFIG": str(config)}) as server:
                self.assertEqual(server.wait_for_line("serving")["region"], "of-file")

    def test_with_keys_it_listens_anywhere(self):
        with Server(listen="0.0.0.0:0", env=KEYS) as server:
            port = server.address.rpartition(":")[2]
            server.address = f"127.0.0.1:{port}"
            self.assertEqual(server.get("/healthz")[0], 200)

    def test_a_port_that_is_taken_ends_the_start_with_an_error_line(self):
        with socket.socket() as taken, tempfile.TemporaryDirectory() as data:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = run("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--data", data, "--loops", "1")
        self.assertEqual(done.returncode, 1)
        last = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual(last["level"], "error")

    def test_a_data_folder_in_use_ends_the_start_with_an_error_line(self):
        with Server() as server:
            done = run("serve", "--listen", "127.0.0.1:0", "--data", server.data, "--loops", "1")
            self.assertEqual(done.returncode, 1)
            last = json.loads(done.stderr.splitlines()[-1])
            self.assertEqual(last["level"], "error")
            self.assertIn(server.data, json.dumps(last))
            self.assertEqual(server.get("/healthz")[0], 200)

    def test_a_certificate_that_cannot_be_used_is_bad_usage(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "none.pem")
            path.write_text("no certificate")
            done = run("serve", "--listen", "127.0.0.1:0", "--data", f"{folder}/data", "--tls-cert", str(path),
                       "--tls-key", str(path), "--loops", "1")
        self.assertEqual(done.returncode, 2, done)


class Folder(unittest.TestCase):
    def test_only_the_owner_may_read_what_it_writes(self):
        with Server() as server:
            self.assertEqual(server.stop(), 0)
            files = [path for path in pathlib.Path(server.data).rglob("*") if path.is_file()]
            self.assertTrue(any(path.parent.name == "keys" for path in files), files)
            for path in files:
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)

    def test_its_keys_outlive_a_restart_and_differ_between_servers(self):
        def keys(data: str) -> dict[str, bytes]:
            return {path.name: path.read_bytes() for path in pathlib.Path(data, "keys").iterdir()}
        with tempfile.TemporaryDirectory() as data:
            with Server(data=data) as server:
                first = keys(data)
                server.stop()
            with Server(data=data):
                self.assertEqual(keys(data), first)
        with Server() as other:
            self.assertNotEqual(keys(other.data), first)

    def test_a_key_file_cut_short_is_named_and_not_replaced(self):
        with tempfile.TemporaryDirectory() as data:
            with Server(data=data) as server:
                server.stop()
            path = next(pathlib.Path(data, "keys").iterdir())
            os.truncate(path, 7)
            done = run("serve", "--listen", "127.0.0.1:0", "--data", data, "--loops", "1")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"keys/{path.name}", done.stderr)
            self.assertEqual(path.stat().st_size, 7)


class Stop(unittest.TestCase):
    def test_either_signal_drains_and_exits_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Server() as server:
                self.assertEqual(server.get("/healthz")[0], 200)
                self.assertEqual(server.stop(number), 0)
                server.reader.join()
                self.assertEqual(json.loads(server.stderr_lines[-1])["msg"], "stopped")

    def test_an_idle_connection_does_not_hold_it_up(self):
        with Server() as server:
            host, port = server.address.split(":")
            with socket.create_connection((host, int(port))):
                begin = time.monotonic()
                self.assertEqual(server.stop(), 0)
                self.assertLess(time.monotonic() - begin, 8)

    def test_a_second_signal_ends_it_at_once(self):
        with Server() as server:
            host, port = server.address.split(":")
            with socket.create_connection((host, int(port))) as unfinished:
                unfinished.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf")
                time.sleep(0.3)
                server.process.send_signal(signal.SIGTERM)
                server.wait_for_line("draining")
                self.assertEqual(server.stop(), -signal.SIGTERM)

    def test_a_reload_signal_does_not_end_it(self):
        with Server() as server:
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_line("SIGHUP: nothing to load again")
            self.assertEqual(server.get("/healthz")[0], 200)


def certificate_for(name: str, folder: str) -> None:
    """folder/cert.pem and folder/key.pem, made anew."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                   check=True, capture_output=True)


class Reload(unittest.TestCase):
    def test_a_certificate_is_loaded_again_and_a_bad_one_leaves_the_old(self):
        def name_shown(connection: ssl.SSLSocket) -> bytes:
            return re.search(rb"first|second", connection.getpeercert(binary_form=True))[0]

        def connect(server: Server) -> ssl.SSLSocket:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            host, port = server.address.split(":")
            return context.wrap_socket(socket.create_connection((host, int(port)), timeout=10))

        with tempfile.TemporaryDirectory() as folder:
            certificate_for("first", folder)
            with Server("--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem") as server:
                with connect(server) as old:
                    self.assertEqual(name_shown(old), b"first")
                    certificate_for("second", folder)
                    server.process.send_signal(signal.SIGHUP)
                    server.wait_for_line("SIGHUP: certificate and key loaded again")
                    with connect(server) as new:
                        self.assertEqual(name_shown(new), b"second")
                    old.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertIn(b"200 OK", old.recv(1000))
                pathlib.Path(folder, "cert.pem").write_text("no certificate")
                server.process.send_signal(signal.SIGHUP)
                server.wait_for_line("SIGHUP: certificate and key stay as they were")
                with connect(server) as still:
                    self.assertEqual(name_shown(still), b"second")


class Keyring(unittest.TestCase):
    def test_is_made_once_for_its_owner_alone_where_it_is_wanted_and_is_missed(self):
        with tempfile.TemporaryDirectory() as folder:
            data, keyring = f"{folder}/data", pathlib.Path(folder, "keyring-elsewhere")
            with Server("--keyring", str(keyring), data=data) as server:
                self.assertEqual(server.stop(), 0)
            self.assertEqual(stat.S_IMODE(keyring.stat().st_mode), 0o600)
            self.assertFalse(pathlib.Path(data, "keyring").exists())
            kept = keyring.read_bytes()
            with Server("--keyring", str(keyring), data=data) as server:
                self.assertEqual(server.stop(), 0)
            self.assertEqual(keyring.read_bytes(), kept)
            keyring.chmod(0o640)
            self.refused(data, keyring, "may be read by others")
            keyring.unlink()
            self.refused(data, keyring, "is missing")
            self.assertFalse(keyring.exists())

    def refused(self, data: str, keyring: pathlib.Path, why: str) -> None:
        done = run("serve", "--listen", "127.0.0.1:0", "--data", data, "--loops", "1", "--keyring", str(keyring))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(why, done.stderr)
        self.assertIn(str(keyring), done.stderr)


class LogTools(unittest.TestCase):
    def test_verify_and_dump_of_a_clean_folder_succeed(self):
        with Server() as server:
            self.assertEqual(server.stop(), 0)
            for what in ("verify", "dump"):
                done = run("log", what, server.data)
                self.assertEqual(done.returncode, 0, done)

    def test_a_folder_that_is_not_there_is_named(self):
        done = run("log", "verify", "/nowhere/data")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/data", done.stderr)


if __name__ == "__main__":
    unittest.main()
