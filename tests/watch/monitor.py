"""A real Prometheus that scrapes real servers, with the rules of deploy/prometheus on a test's time scale."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yml"
CONFIG = ROOT / "deploy/prometheus/prometheus.yml"
TOKEN = "a-token-of-the-tests-of-watching"

# What would take too long in a test, and what stands for it there. Everything else is as it is shipped.
FASTER = (
    (r"(?m)^( +for:) .*$", r"\1 1s"),
    (re.escape("millrace_reader_lag_seconds > 900"), "millrace_reader_lag_seconds > 3"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def faster_rules() -> str:
    rules = RULES.read_text()
    for pattern, stand_in in FASTER:
        rules, n = re.subn(pattern, stand_in, rules)
        assert n > 0, f"no rule has {pattern}"
    return rules


class Prometheus:
    """`with Prometheus() as prometheus`: scrapes what watch() names, once a second."""

    def __enter__(self) -> "Prometheus":
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-prometheus-"))
        (self.folder / "alerts.yml").write_text(faster_rules())
        (self.folder / "token").write_text(TOKEN)
        self.targets = self.folder / "targets.json"
        self.targets.write_text("[]")
        config = CONFIG.read_text()
        # The commented lines are part of what is tested: they are what --metrics-auth needs.
        for shipped, here in (("interval: 15s", "interval: 1s"),
                              ('    static_configs:\n      - targets: ["127.0.0.1:4566"]\n',
                               f"    file_sd_configs:\n      - files: [{self.targets}]\n        refresh_interval: 1s\n"),
                              ("    # authorization:\n    #   credentials_file: /etc/prometheus/millrace-token",
                               f"    authorization:\n      credentials_file: {self.folder}/token")):
            assert shipped in config, shipped
            config = config.replace(shipped, here)
        (self.folder / "prometheus.yml").write_text(config)
        self.port = free_port()
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)
        self.until(lambda: self.get("/-/ready") is not None, "Prometheus is ready", 30)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def watch(self, *addresses: str) -> None:
        """From now on these are scraped, beside those of before."""
        known = json.loads(self.targets.read_text())
        fresh = self.folder / "targets.new"
        fresh.write_text(json.dumps(known + [{"targets": list(addresses)}]))
        fresh.rename(self.targets)

    def get(self, path: str) -> bytes | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.read()
        except OSError:
            return None

    def query(self, expression: str) -> list[dict]:
        """The instant vector now. Raises where the expression is none."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?query={urllib.parse.quote(expression)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def firing(self, alert: str, instance: str) -> list[dict]:
        return self.query(f'ALERTS{{alertname="{alert}", instance="{instance}", alertstate="firing"}}')

    def until(self, condition, what: str, seconds: float = 60):
        """What `condition` returns once that is true."""
        end = time.monotonic() + seconds
        while not (result := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        return result
