"""Pages that users follow: their commands and programs are run in the order of the page, and print what it says.

In a page, ```sh is run by one shell after another that share their exports; ```sh server is started and goes on; ```LANGUAGE FILE is written
to FILE; a ```text directly behind ```sh is what that prints, where … stands for anything. The address 127.0.0.1:4566 becomes a free port's.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from black_box.cases import Skip

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.M | re.S)
ADDRESS = "127.0.0.1:4566"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Page:
    """A folder in which one page is followed."""

    def __init__(self, name, binary, folder, tools):
        self.text = (ROOT / "docs" / name).read_text()
        self.folder = pathlib.Path(folder)
        (self.folder / "bin").mkdir(parents=True)
        os.symlink(os.path.abspath(binary), self.folder / "bin" / "millrace")
        self.address = f"127.0.0.1:{free_port()}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MILLRACE_"))}
        self.environment = {**kept, "PATH": f"{self.folder / 'bin'}:{tools}:{kept['PATH']}",
                            "MILLRACE_LISTEN": self.address, "MILLRACE_TRANSITION_MS": "20"}
        self.servers = []

    def follow(self, cases):
        behind = None
        for match in BLOCK.finditer(self.text):
            language, name, body = match[1], match[2], match[3].replace(ADDRESS, self.address)
            before = BLOCK.sub("", self.text[:match.start()])
            title = next(line for line in reversed(before.splitlines()) if line.startswith("#"))
            if language == "text":
                continue
            if language == "sh":
                expected = re.match(r"\n+```text\n(.*?)^```$", self.text[match.end():], re.M | re.S)
                behind = expected[1] if expected else None
                with cases.case(f"{title.strip('# ')}: {body.strip().splitlines()[0][:60]}"):
                    self.serve(body) if name == "server" else self.run(body, behind)
            elif name:
                (self.folder / name).write_text(body)

    def run(self, script, expected):
        # What the shell exports is there for the next one.
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"{script}\nexport -p > .exports"], cwd=self.folder, text=True,
                              env=self.environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout[-500:]} {done.stderr[-2000:]}"
        for key, value in re.findall(r'^declare -x (\w+)="([^"]*)"$', (self.folder / ".exports").read_text(), re.M):
            self.environment[key] = value
        if expected is not None:
            pattern = re.escape(expected.strip()).replace("…", ".*")
            assert re.fullmatch(pattern, done.stdout.strip(), re.S), f"printed {done.stdout!r}, and the page has {expected!r}"

    def serve(self, script):
        server = subprocess.Popen(["bash", "-c", f"exec {script}"], cwd=self.folder, env=self.environment, text=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.servers.append(server)
        host, port = self.address.split(":")
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < until and server.poll() is None, "it does not serve"
                time.sleep(0.05)

    def close(self):
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def install(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Skip(f"{' '.join(command[:3])}: {done.stderr.strip()[-200:]}")


def tools_of(folder):
    """A folder of programs for PATH: python3 with boto3, and aws, of PyPI."""
    made = os.path.join(folder, "venv")
    install([sys.executable, "-m", "venv", made], folder)
    install([f"{made}/bin/pip", "install", "--quiet", "--retries", "1", "boto3", "awscli"], folder)
    return f"{made}/bin"


def run(cases, binary, scratch):
    scratch = os.path.join(scratch, "pages")
    os.makedirs(scratch)
    pages = []
    with cases.case("start.md: what its programs need is installed from PyPI and npm"):
        tools = tools_of(scratch)
        page = Page("start.md", binary, os.path.join(scratch, "start"), tools)
        install(["npm", "install", "--silent", "--no-audit", "--no-fund", "@aws-sdk/client-kinesis"], page.folder)
        pages.append(page)
    for page in pages:
        try:
            page.follow(cases)
        finally:
            page.close()
    shutil.rmtree(scratch, ignore_errors=True)
