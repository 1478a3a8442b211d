"""A server process of one test: started on a free port and a folder, stopped, killed, started again."""

import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ACCESS_KEY = "AKIDMILLRACETESTS001"
SECRET_KEY = "an example secret of the tests, 0123456789"
REGION = "us-east-1"


def free_port():
    """A port that nobody listens on, out of MILLRACE_TEST_PORTS ("27000-27999") where that is set."""
    spread = os.environ.get("MILLRACE_TEST_PORTS")
    candidates = [0]
    if spread:
        first, last = (int(part) for part in spread.split("-"))
        candidates = random.sample(range(first, last + 1), min(100, last - first + 1))
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise RuntimeError(f"no free port in {spread}")


class Server:
    """`millrace serve`. Its log goes to a file beside the data folder; `log()` reads it."""

    def __init__(self, binary, data, *, signed=True, flags=(), environment=None, tls=None, launcher=()):
        self.binary = os.path.abspath(binary)
        self.data = str(data)
        self.port = free_port()
        self.signed = signed
        self.tls = tls  # (certificate path, key path)
        self.log_path = self.data.rstrip("/") + ".log"
        self.flags = list(flags)  # for the next start
        self._launcher = list(launcher)  # put before the command line, e.g. ["prlimit", ...]
        self._environment = dict(environment or {})
        self._process = None

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    def spawn(self):
        """Starts the process and returns at once."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MILLRACE_")}
        if self.signed:
            environment["MILLRACE_ROOT_ACCESS_KEY"] = ACCESS_KEY
            environment["MILLRACE_ROOT_SECRET_KEY"] = SECRET_KEY
        environment.update(self._environment)
        command = [*self._launcher, self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data]
        if self.tls:
            command += ["--tls-cert", self.tls[0], "--tls-key", self.tls[1]]
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(command + self.flags, env=environment, stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log)
        return self

    def start(self, seconds=60.0):
        """Starts it and returns when it serves; throws when it ends or does not serve in time."""
        self.spawn()
        if not self.wait_healthy(seconds):
            code = self._process.poll()
            self.kill9()
            raise RuntimeError(f"server not serving after {seconds:.0f} s (exit code {code}); its log ends:\n"
                               + self.log()[-3000:])
        return self

    def wait_healthy(self, seconds):
        """True once GET /healthz answers 200; False when the process has ended or the time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if self.healthy():
                return True
            time.sleep(0.01)
        return False

    def healthy(self):
        try:
            # Clear text on the TLS port too: the server tells them apart.
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def exit_code(self):
        """None while it runs."""
        return None if self._process is None else self._process.poll()

    def wait_exit(self, seconds):
        """The exit code, or None when it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill9(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self, seconds=30.0):
        """SIGTERM; returns the exit code. Throws, having killed it, when it does not end in time."""
        if self._process is None or self._process.poll() is not None:
            return self.exit_code()
        self._process.send_signal(signal.SIGTERM)
        code = self.wait_exit(seconds)
        if code is None:
            self.kill9()
            raise RuntimeError(f"server did not end within {seconds:.0f} s of SIGTERM")
        return code

    def log(self):
        try:
            with open(self.log_path, errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill9()


def scratch_folder(name):
    """A new folder for a test's files; its owner removes it. Below MILLRACE_TEST_DIR where that is set."""
    return tempfile.mkdtemp(prefix=f"millrace-{name}-", dir=os.environ.get("MILLRACE_TEST_DIR"))
