"""What happens to the data folder, and to what the process may do, under a running server."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from process import BINARY, ROOT, Server, environment, run

sys.path.insert(0, str(ROOT / "tests"))
from black_box.wire import Wire, b64
from crash.changes import change_each, make_table, refused

STREAM = "s"
SMALL = ["--journal-file-bytes", "1MiB", "--settle-at-bytes", "1MiB", "--transition-ms", "20"]


def eventually(what, seconds: float = 30) -> object:
    """The first true answer of `what`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := what():
            return answer
        time.sleep(0.02)
    raise TimeoutError(what)


def with_limit(which: int, value: int):
    """For Popen's preexec_fn: sets both limits of a new process."""
    return lambda: resource.setrlimit(which, (value, value))


class Producer:
    """Puts numbered records, one at a time, until it is stopped; keeps what was acknowledged."""

    def __init__(self, server: Server):
        self.wire = Wire(f"http://{server.address}", timeout=20)
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.sent = 0
        self.stopped = False
        self.thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Producer":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped = True
        self.thread.join()
        self.wire.close()

    def _work(self) -> None:
        while not self.stopped:
            text = f"record {self.sent} " + "x" * 200
            self.sent += 1
            try:
                answer = self.wire.post("PutRecord", {"StreamName": STREAM, "PartitionKey": "k", "Data": b64(text)})
            except OSError as error:
                self.refused.append(str(error))
                time.sleep(0.05)
                continue
            if answer.status == 200:
                self.acknowledged.append(text)
            else:
                self.refused.append(repr(answer))
                time.sleep(0.02)


def make_stream(server: Server) -> Wire:
    """A client of a server that has the stream and the table now."""
    wire = Wire(f"http://{server.address}", timeout=20)
    wire.call("CreateStream", StreamName=STREAM, ShardCount=1)
    wire.wait_active(STREAM)
    make_table(wire)
    return wire


def read_all(server: Server) -> list[str]:
    wire = Wire(f"http://{server.address}", timeout=20)
    return [data.decode() for _, _, data in wire.read_shard(STREAM, "shardId-000000000000")]


def not_ready(server: Server) -> list[str]:
    code, _, body = server.get("/readyz")
    return [reason["condition"] for reason in json.loads(body).get("reasons", [])] if code == 503 else []


class Lock(unittest.TestCase):
    def test_a_second_server_is_refused_without_lock_and_by_any_path(self):
        with tempfile.TemporaryDirectory() as folder:
            data, link = f"{folder}/data", f"{folder}/link"
            os.symlink(data, link)
            with Server(data=data) as server:
                os.remove(f"{data}/LOCK")
                for path in (data, link, f"{folder}/./data/"):
                    done = run("serve", "--listen", "127.0.0.1:0", "--data", path, "--loops", "1")
                    self.assertEqual(done.returncode, 1, done)
                    self.assertIn("is in use", done.stderr)
                self.assertEqual(server.get("/healthz")[0], 200)
            with Server(data=data) as server:
                self.assertEqual(server.stop(), 0)

    def test_a_bind_mount_is_the_same_folder(self):
        if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode != 0:
            self.skipTest("no mount namespaces here")
        with tempfile.TemporaryDirectory() as folder:
            data, second = f"{folder}/data", f"{folder}/second"
            os.makedirs(second)
            with Server(data=data):
                os.remove(f"{data}/LOCK")
                done = subprocess.run(
                    ["unshare", "-rm", "sh", "-c", f"mount --bind {data} {second} && exec {BINARY} serve "
                     f"--listen 127.0.0.1:0 --data {second} --loops 1"],
                    capture_output=True, text=True, env=environment(), timeout=60, check=False)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn("is in use", done.stderr)


class Gone(unittest.TestCase):
    """The data folder goes under load: what is acknowledged stays readable by a later server, or by this one."""

    def test_renamed_away_puts_are_refused_and_go_on_when_it_is_back(self):
        with tempfile.TemporaryDirectory() as folder:
            data, away = f"{folder}/data", f"{folder}/away"
            with Server(*SMALL, data=data) as server:
                wire = make_stream(server)
                with Producer(server) as producer:
                    eventually(lambda: len(producer.acknowledged) > 20)
                    os.rename(data, away)
                    eventually(lambda: producer.refused)
                    in_doubt = len(producer.acknowledged)
                    line = server.wait_for_line("the data folder is not where the server opened it, or takes no "
                                                "writes: puts and changes are refused")
                    self.assertEqual((line["level"], line["condition"]), ("error", "data_folder"))
                    self.assertIn(data, line["error"])
                    self.assertEqual(not_ready(server), ["data_folder"])
                    self.assertNotIn(folder, server.get("/readyz")[2])
                    self.assertIn('millrace_condition{condition="data_folder"} 1', server.get("/metrics")[2])
                    time.sleep(0.5)
                    self.assertEqual(len(producer.acknowledged), in_doubt, "nothing is acknowledged meanwhile")
                    answers = change_each(wire, STREAM, identities=False)
                    self.assertEqual(set(refused(answers)), set(answers), answers)
                    self.assertEqual(server.get("/healthz")[0], 200)
                    os.rename(away, data)
                    eventually(lambda: len(producer.acknowledged) > in_doubt + 20)
                    eventually(lambda: server.get("/readyz")[0] == 200)
                    eventually(lambda: not refused(change_each(wire, STREAM, identities=False)))
                self.assertIn('millrace_condition{condition="data_folder"} 0', server.get("/metrics")[2])
                self.assertEqual(missing(producer, read_all(server)), [])
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
            with Server(*SMALL, data=data) as server:
                self.assertEqual(missing(producer, read_all(server)), [])

    def test_removed_nothing_more_is_acknowledged(self):
        for path in ("", "log", "log/journal/000"):
            with self.subTest(path), tempfile.TemporaryDirectory() as folder:
                data = f"{folder}/data"
                with Server(*SMALL, data=data) as server:
                    make_stream(server)
                    with Producer(server) as producer:
                        eventually(lambda: len(producer.acknowledged) > 20)
                        while os.path.exists(f"{data}/{path}"):  # the server makes files meanwhile
                            shutil.rmtree(f"{data}/{path}", ignore_errors=True)
                        refused = len(producer.refused)
                        eventually(lambda: len(producer.refused) > refused)
                        before = len(producer.acknowledged)
                        eventually(lambda: not_ready(server) == ["data_folder"])
                        time.sleep(0.5)
                        self.assertEqual(len(producer.acknowledged), before)
                    self.assertEqual(missing(producer, read_all(server)), [], "reads go on")

    def test_replaced_by_another_folder_nothing_is_acknowledged_and_nothing_is_written_there(self):
        with tempfile.TemporaryDirectory() as folder:
            data = f"{folder}/data"
            with Server(*SMALL, data=data) as server:
                make_stream(server)
                with Producer(server) as producer:
                    eventually(lambda: len(producer.acknowledged) > 20)
                    os.rename(data, f"{folder}/away")
                    os.mkdir(data)
                    eventually(lambda: producer.refused)
                    before = len(producer.acknowledged)
                    eventually(lambda: not_ready(server) == ["data_folder"])
                    self.assertEqual(len(producer.acknowledged), before)
                self.assertEqual(os.listdir(data), [])

    def test_a_journal_file_removed_loses_nothing_that_is_acknowledged(self):
        with tempfile.TemporaryDirectory() as folder:
            data = f"{folder}/data"
            with Server(*SMALL, "--settle-after-ms", "200", data=data) as server:
                make_stream(server)
                with Producer(server) as producer:
                    eventually(lambda: len(producer.acknowledged) > 20)
                    for path in pathlib.Path(data, "log/journal/000").iterdir():
                        path.unlink()
                    eventually(lambda: producer.refused)
                    before = len(producer.acknowledged)
                    eventually(lambda: len(producer.acknowledged) > before + 20)
                self.assertEqual(missing(producer, read_all(server)), [])
                self.assertEqual(server.stop(), 0)


def missing(producer: Producer, read: list[str]) -> list[str]:
    """What was acknowledged and is not there, in order."""
    there = set(read)
    return [text for text in producer.acknowledged if text not in there]


class Signals(unittest.TestCase):
    def test_none_that_a_stranger_to_the_server_may_send_ends_it(self):
        numbers = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM,
                   signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGHUP, signal.SIGCHLD, signal.SIGURG,
                   signal.SIGWINCH, signal.SIGCONT, signal.SIGRTMIN, signal.SIGRTMIN + 5, signal.SIGRTMAX, 16]
        with Server() as server:
            for number in numbers:
                server.process.send_signal(number)
                self.assertEqual(server.get("/healthz")[0], 200, number)
            self.assertEqual(server.stop(), 0)


class FileSize(unittest.TestCase):
    """EFBIG is an error like a full disk, and over when the limit is."""

    def test_a_limit_under_load_refuses_puts_and_they_go_on_when_it_is_lifted(self):
        with Server(*SMALL) as server:
            wire = make_stream(server)
            with Producer(server) as producer:
                eventually(lambda: len(producer.acknowledged) > 20)
                pid = server.process.pid
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
                eventually(lambda: producer.refused)
                answers = change_each(wire, STREAM, identities=False)
                self.assertEqual(set(refused(answers)), set(answers), answers)
                self.assertEqual(server.get("/healthz")[0], 200)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
                before = len(producer.acknowledged)
                eventually(lambda: len(producer.acknowledged) > before + 20)
                eventually(lambda: not refused(change_each(wire, STREAM, identities=False)))
            self.assertEqual(missing(producer, read_all(server)), [])
            self.assertEqual(server.stop(), 0)

    def test_a_limit_below_a_journal_file_refuses_the_start_and_says_so(self):
        with tempfile.TemporaryDirectory() as data:
            done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--loops", "1"],
                                  capture_output=True, text=True, env=environment(), timeout=60, check=False,
                                  preexec_fn=with_limit(resource.RLIMIT_FSIZE, 1 << 20))
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("File too large", done.stderr)


class OpenFiles(unittest.TestCase):
    def test_with_too_few_the_start_is_refused_in_one_line_that_says_how_many_it_needs(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", f"{folder}/data", "--loops", "1"],
                                  capture_output=True, text=True, env=environment(), timeout=60, check=False,
                                  preexec_fn=with_limit(resource.RLIMIT_NOFILE, 40))
            self.assertEqual(done.returncode, 1, done)
            error = json.loads(done.stderr.splitlines()[-1])["error"]
            self.assertRegex(error, r"may have 40 files open and needs \d+ for 1 event loop.*ulimit -n")
            self.assertFalse(os.path.exists(f"{folder}/data"), "nothing was made")
            needed = int(error.split(" needs ")[1].split()[0])
            # As few as that are enough, for many segments and files of the journal too.
            with Server(*SMALL, data=f"{folder}/data",
                        launcher=["prlimit", f"--nofile={needed}"]) as server:
                wire = make_stream(server)
                texts = [f"record {i} " + "x" * 50_000 for i in range(400)]
                for text in texts:
                    wire.call("PutRecord", StreamName=STREAM, PartitionKey="k", Data=b64(text))
                self.assertEqual(refused(change_each(wire, STREAM, identities=False)), {})
                self.assertEqual(read_all(server), texts)

    def test_while_descriptors_are_used_up_every_put_is_answered_and_then_all_goes_on(self):
        with Server(*SMALL) as server:
            wire = make_stream(server)
            pid = server.process.pid
            limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            with Producer(server) as producer:
                eventually(lambda: len(producer.acknowledged) > 20)
                self.assertEqual(refused(change_each(wire, STREAM, identities=False)), {})
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, limits[1]))
                answers = []
                for i in range(120):  # more than what its open journal files hold
                    answers.append(wire.post("PutRecord", {"StreamName": STREAM, "PartitionKey": "k",
                                                           "Data": b64(f"large {i} " + "x" * 100_000)}).status)
                self.assertEqual(set(answers) - {200, 500}, set(), "each is answered")
                for answer in change_each(wire, STREAM, identities=False).values():
                    self.assertIn(answer.status, (200, 500, 503), answer)
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
                eventually(lambda: not refused(change_each(wire, STREAM, identities=False)))
                before = len(producer.acknowledged)
                eventually(lambda: len(producer.acknowledged) > before + 20)
            self.assertEqual(missing(producer, read_all(server)), [])
            self.assertEqual(server.get("/readyz")[0], 200)
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
