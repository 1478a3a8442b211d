"""The peers of benchmark (a): how each is installed, started, and loaded by its own best client.

A peer is prepared once, and then measured on a fresh folder each time. `durable` says, honestly, whether an
acknowledged record is on the disk.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from suite.environment import BUILD, PEERS, ROOT, Failure, Millrace, Program, free_port, fresh_folder, load, tool

CONNECTIONS, BATCH, RECORD_BYTES = 8, 500, 150
KAFKA_HEAP = "-Xmx1g"
NATS_WITH_SYNC = "github.com/nats-io/nats-server/v2@v2.12.2"  # Debian's 2.9 has no sync_interval


def install(what: str, command: list, cwd: pathlib.Path | None = None, env: dict | None = None) -> None:
    """Runs a package manager's ordinary client; its last words become the reason to skip the peer."""
    if shutil.which(command[0]) is None:
        raise Failure(f"{what}: there is no {command[0]} here")
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=600,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Failure(f"{what} cannot be installed: {last}")


class Peer:
    name = ""
    durable = ""

    def prepare(self) -> None:
        """Installs what is missing. Raises Failure with the reason when the peer cannot be had."""

    def measure(self, seconds: float) -> dict:
        """records_per_s and server_cpu_seconds on a fresh folder."""
        raise NotImplementedError


class MillracePeer(Peer):
    name = "Millrace"
    durable = "yes: fdatasync before the answer"

    def measure(self, seconds: float) -> dict:
        return measure_kinesis(Millrace(fresh_folder("millrace")), seconds)


def measure_kinesis(server, seconds: float, shards: int = 8, **extra) -> dict:
    """The replayed, signed PutRecords against any server that speaks Kinesis and has a port."""
    try:
        load(server.port, "--create", shards, "--put", "none")
        before = server.cpu_seconds()
        result = load(server.port, "--put", "replay", "--connections", CONNECTIONS, "--batch", BATCH, "--record-bytes",
                      RECORD_BYTES, "--seconds", seconds)
        cpu = server.cpu_seconds() - before
    finally:
        server.stop()
    put = result.get("put", {"records_per_s": 0, "latency": {}})
    return {"records_per_s": put["records_per_s"], "server_cpu_seconds": cpu, "latency": put["latency"],
            "errors": result["errors"], **extra}


class NpmPeer(Peer):
    package = ""

    def prepare(self) -> None:
        folder = PEERS / "npm"
        if (folder / "node_modules" / self.package).exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "bench" / "peers" / "npm" / name, folder / name)
        install(self.package, ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder)


class Kinesalite(NpmPeer):
    name = "kinesalite"
    durable = "no: LevelDB in memory, as shipped"
    package = "kinesalite"

    def measure(self, seconds: float) -> dict:
        port = free_port()
        server = Program(["node", PEERS / "npm" / "node_modules" / "kinesalite" / "cli.js", "--port", port,
                          "--createStreamMs", 50, "--shardLimit", 100], BUILD / "kinesalite.log")
        server.port = port
        server.wait_for_port(port)
        return measure_kinesis(server, seconds)


class KinesisMock(NpmPeer):
    name = "kinesis-local (kinesis-mock)"
    durable = "no: in memory, as shipped"
    package = "kinesis-local"

    def measure(self, seconds: float) -> dict:
        port = free_port()
        folder = PEERS / "npm" / "node_modules" / "kinesis-local"
        server = Program(["node", folder / "main.js"], BUILD / "kinesis-local.log", cwd=folder,
                         env={"KINESIS_MOCK_PLAIN_PORT": str(port), "KINESIS_MOCK_TLS_PORT": str(free_port()),
                              "LOG_LEVEL": "ERROR", "SHARD_LIMIT": "100", "CREATE_STREAM_DURATION": "50ms"})
        server.port = port
        server.wait_for_port(port)
        return measure_kinesis(server, seconds)


class Redis(Peer):
    name = "Redis 7 Streams, appendfsync always"
    durable = "yes: fdatasync before the answer"

    def prepare(self) -> None:
        if shutil.which("redis-server") is None:
            install("redis-server", ["apt-get", "-y", "-q", "install", "redis-server"])

    def measure(self, seconds: float) -> dict:
        port = free_port()
        server = Program(["redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", fresh_folder("redis"),
                          "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                          "--auto-aof-rewrite-percentage", "0"], BUILD / "redis.log")
        try:
            server.wait_for_port(port)
            result = tool("redis", port, CONNECTIONS, BATCH, RECORD_BYTES, seconds)
            return {"records_per_s": result["records_per_s"], "server_cpu_seconds": server.cpu_seconds(), **result}
        finally:
            server.stop()


class Nats(Peer):
    def __init__(self, sync: bool):
        self._sync = sync
        self._server = "nats-server"
        self.name = "NATS JetStream, " + ("sync_interval always (2.12)" if sync else "as shipped (Debian)")
        self.durable = "yes: fsync of each record" if sync else "no: fsync every 2 minutes"

    def prepare(self) -> None:
        source = ROOT / "bench" / "peers" / "nats"
        install("nats.go", ["go", "build", "-o", PEERS / "nats-load", "."], cwd=source)
        if self._sync:
            self._server = str(PEERS / "go" / "nats-server")
            if not pathlib.Path(self._server).exists():
                install("nats-server 2.12", ["go", "install", NATS_WITH_SYNC], env={"GOBIN": str(PEERS / "go")})
        elif shutil.which("nats-server") is None:
            install("nats-server", ["apt-get", "-y", "-q", "install", "nats-server"])

    def measure(self, seconds: float) -> dict:
        port = free_port()
        config = BUILD / "nats.conf"
        sync = "sync_interval: always" if self._sync else ""
        config.write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{fresh_folder("nats")}"\n {sync} }}\n')
        server = Program([self._server, "-c", config], BUILD / "nats.log")
        try:
            server.wait_for_port(port)
            time.sleep(0.5)  # JetStream is up shortly after the port
            done = subprocess.run([PEERS / "nats-load", "-url", f"nats://127.0.0.1:{port}", "-connections",
                                   str(CONNECTIONS), "-window", str(BATCH), "-record-bytes", str(RECORD_BYTES),
                                   "-seconds", str(seconds)], capture_output=True, text=True, timeout=180, check=False)
            if done.returncode != 0:
                raise Failure(f"nats-load: {done.stderr.strip()[-300:]}")
            return {"server_cpu_seconds": server.cpu_seconds(), **json.loads(done.stdout)}
        finally:
            server.stop()


class Kafka(Peer):
    def __init__(self, flush: bool):
        self._flush = flush
        self.name = "Kafka 4, " + ("log.flush.interval.messages=1" if flush else "as shipped")
        self.durable = "yes: fsync of each batch" if flush else "no: left to the page cache"
        self._jars = PEERS / "kafka-jars"

    def prepare(self) -> None:
        if not self._jars.exists():
            pom = PEERS / "kafka" / "pom.xml"
            pom.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "bench" / "peers" / "kafka" / "pom.xml", pom)
            install("Kafka", ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
                              f"-DoutputDirectory={self._jars}"])
        if shutil.which("java") is None:
            raise Failure("Kafka: there is no java here")

    def _java(self, main: str, *arguments) -> list[str]:
        return ["java", KAFKA_HEAP, "-cp", f"{self._jars}/*", main, *map(str, arguments)]

    def _perf(self, port: int, records: int) -> float:
        done = subprocess.run(
            self._java("org.apache.kafka.tools.ProducerPerformance", "--topic", "bench", "--num-records", records,
                       "--record-size", RECORD_BYTES, "--throughput", -1, "--producer-props",
                       f"bootstrap.servers=127.0.0.1:{port}", "acks=all", "batch.size=131072", "linger.ms=5"),
            capture_output=True, text=True, timeout=300, check=False)
        rates = re.findall(r"records sent, ([\d.]+) records/sec", done.stdout)
        if done.returncode != 0 or not rates:
            raise Failure(f"kafka-producer-perf-test: {(done.stderr or done.stdout).strip()[-300:]}")
        return float(rates[-1])

    def measure(self, seconds: float) -> dict:
        port, controller = free_port(), free_port()
        config = BUILD / "kafka.properties"
        config.write_text("\n".join([
            "process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}", "controller.listener.names=CONTROLLER",
            f"log.dirs={fresh_folder('kafka')}", f"num.partitions={CONNECTIONS}",
            "offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1", *(["log.flush.interval.messages=1"] if self._flush else [])]) + "\n")
        install("Kafka's folder", self._java("kafka.tools.StorageTool", "format", "-t", "bWlsbHJhY2UtYmVuY2gtaQ",
                                             "-c", config))
        server = Program(self._java("kafka.Kafka", config), BUILD / "kafka.log")
        try:
            server.wait_for_port(port)
            install("Kafka's topic", self._java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server",
                                                f"127.0.0.1:{port}", "--create", "--topic", "bench", "--partitions",
                                                CONNECTIONS))
            warm = self._perf(port, 20_000 if self._flush else 300_000)
            before = server.cpu_seconds()
            # Its client measures a number of records, not a time, from its own start on.
            rate = self._perf(port, max(20_000, int(warm * seconds)))
            return {"records_per_s": rate, "server_cpu_seconds": server.cpu_seconds() - before}
        finally:
            server.stop()


def all_peers() -> list[Peer]:
    return [Kinesalite(), KinesisMock(), Redis(), Nats(sync=False), Nats(sync=True), Kafka(flush=False),
            Kafka(flush=True)]
