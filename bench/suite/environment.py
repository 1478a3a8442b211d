"""Where things are, what machine this is, and how programs are run and watched."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MILLRACE_BENCH_BUILD", ROOT / "build" / "bench"))
SERVER = pathlib.Path(os.environ.get("MILLRACE_SERVER", ROOT / "build" / "release" / "millrace"))
PEERS = ROOT / "build" / "peers"
DATA = BUILD / "data"

ACCESS_KEY, SECRET_KEY, REGION = "AKIAMILLRACEBENCH", "not/a/secret/of/anybody", "us-east-1"


class Failure(Exception):
    """Something that a benchmark needs did not work; the text says what."""


def say(text: str) -> None:
    print(text, flush=True)


def free_port() -> int:
    for port in random.sample(range(26_000, 27_000), 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Failure("no free port from 26000 to 26999")


def machine() -> dict:
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory_kb = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal")))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    file_system = subprocess.run(["stat", "-f", "-c", "%T", str(BUILD)], capture_output=True, text=True, check=False)
    return {"cores": os.cpu_count(), "processor": model, "memory_gb": round(memory_kb / 1e6, 1),
            "kernel": os.uname().release, "file_system": file_system.stdout.strip(), "commit": commit.stdout.strip(),
            "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def folder_bytes(folder: pathlib.Path) -> int:
    """What the files take on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512 if path.is_file() else 0
    return total


def fresh_folder(name: str) -> pathlib.Path:
    folder = DATA / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def drop_page_cache() -> bool:
    """True when the kernel let us forget every clean cached page."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


class Program:
    """A server in the background. Only what was started here is ever stopped here."""

    def __init__(self, command: list, log: pathlib.Path, env: dict | None = None, cwd: pathlib.Path | None = None):
        self._log_path = log
        with open(log, "ab") as out:
            self._process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out,
                                             stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, cwd=cwd)
        self.pid = self._process.pid

    def wait_for_port(self, port: int, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise Failure(f"{self._process.args[0]} ended with {self._process.returncode}: {self.last_lines()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise Failure(f"{self._process.args[0]} does not listen on {port}: {self.last_lines()}")

    def last_lines(self) -> str:
        return " | ".join(self._log_path.read_text(errors="replace").splitlines()[-3:])

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int:
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise Failure(f"process {self.pid} has no VmRSS")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def tool(name: str, *arguments, timeout: float = 600, fail_on: tuple = (1, 2)) -> dict:
    """The last JSON line that build/bench/bench/bench_NAME prints."""
    command = [str(BUILD / "bench" / f"bench_{name}"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode in fail_on or done.returncode < 0 or not done.stdout.strip():
        raise Failure(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def load(port: int, *arguments, timeout: float = 600) -> dict:
    """The signed load generator against 127.0.0.1:port."""
    return tool("load", "--endpoint", f"127.0.0.1:{port}", "--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY,
                "--region", REGION, *arguments, timeout=timeout)


class Millrace(Program):
    """The server, verifying every signature, on a fresh folder or on one that it left behind."""

    def __init__(self, folder: pathlib.Path, arguments: tuple = (), wait: bool = True):
        if not SERVER.exists():
            raise Failure(f"{SERVER} is not built: make build")
        self.port = free_port()
        self.folder = folder
        super().__init__([SERVER, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", folder, *arguments],
                         folder.with_suffix(".log"),
                         {"MILLRACE_ROOT_ACCESS_KEY": ACCESS_KEY, "MILLRACE_ROOT_SECRET_KEY": SECRET_KEY})
        if wait:
            self.wait_for_port(self.port)
