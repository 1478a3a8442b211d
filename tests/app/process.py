"""A real server process on a free port of the loopback, and what it printed."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("MILLRACE_BINARY", ROOT / "build/release/millrace"))


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings of a server, and `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    return {**kept, **(extra or {})}


def run(*arguments: str, env: dict[str, str] | None = None, cwd: str | None = None) -> subprocess.CompletedProcess:
    """A command that ends by itself."""
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, env=environment(env), cwd=cwd,
                          timeout=60, check=False)


class SlowDisk:
    """`with SlowDisk() as disk`: a server with disk.env makes records durable disk.slow_down(MS) later each."""

    def __enter__(self) -> "SlowDisk":
        self.folder = tempfile.mkdtemp(prefix="millrace-slow-")
        library = f"{self.folder}/slow_sync.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library,
                        str(pathlib.Path(__file__).with_name("slow_sync.c"))], check=True)
        self.delay = pathlib.Path(self.folder, "delay")
        self.slow_down(0)
        self.env = {"LD_PRELOAD": library, "SLOW_SYNC": str(self.delay)}
        return self

    def slow_down(self, ms: int) -> None:
        """Written in place: servers have the file mapped."""
        with open(self.delay, "r+b" if self.delay.exists() else "wb") as file:
            file.write(struct.pack("=i", ms))

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """`with Server(...) as server`: serves at server.address; killed at the end if it still runs."""

    def __init__(self, *flags: str, env: dict[str, str] | None = None, data: str | None = None,
                 listen: str = "127.0.0.1:0", launcher: list[str] | None = None):
        self.own_data = None if data else tempfile.mkdtemp(prefix="millrace-app-")
        self.data = data or self.own_data
        self.flags = ["--listen", listen, "--data", self.data, "--loops", "1", *flags]
        self.env = environment(env)
        self.launcher = launcher or []  # put before the command line
        self.stderr_lines: list[str] = []

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen([*self.launcher, BINARY, "serve", *self.flags], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=self.env)
        self.reader = threading.Thread(target=self._read_stderr, daemon=True)
        self.reader.start()
        try:
            self.address = self.wait_for_line("serving")["address"]
        except TimeoutError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        if self.own_data:
            shutil.rmtree(self.own_data, ignore_errors=True)

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            self.stderr_lines.append(line)

    def wait_for_line(self, message: str, seconds: float = 30) -> dict:
        """The first log line with that msg."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ended = self.process.poll() is not None
            for line in list(self.stderr_lines):
                if json.loads(line)["msg"] == message:
                    return json.loads(line)
            if ended:
                self.reader.join()
                break
            time.sleep(0.02)
        raise TimeoutError(f"no log line {message!r} in: {self.stderr_lines}")

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal and gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)
