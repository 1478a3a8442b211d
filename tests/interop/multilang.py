"""The KCL for other languages: a daemon on KCL for Java, which starts a consumer in that language for each shard and talks
to it over pipes. Its jars are those that the package itself names; Maven fetches them."""

import os
import shutil
import signal
import subprocess
import uuid

import kcl
from black_box.cases import eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from black_box.wire import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
COORDINATES = "<groupId>millrace</groupId><artifactId>daemon</artifactId><version>1</version><packaging>pom</packaging>"


class Language:
    """What starts a consumer, where its daemon's jars are, and how the consumer is to retrieve records."""

    def __init__(self, name, consumer, jars, retrieval, search_path=None):
        self.name = name
        self.consumer = consumer
        self.jars = jars
        self.retrieval = retrieval
        self.search_path = search_path


def _jars(target, package, installed):
    """The folder of the jars that a package's pom.xml names, which has all it needs but coordinates of its own."""
    with open(os.path.join(package, "pom.xml"), encoding="utf-8") as pom:
        named = pom.read()
    with open(os.path.join(target, "pom.xml"), "w", encoding="utf-8") as pom:
        pom.write(named.replace("</modelVersion>", "</modelVersion>" + COORDINATES, 1))
    installed(["mvn", "-q", "-B", COPY, "-DexcludeTransitive=true", "-DoutputDirectory=jars"], cwd=target)
    return os.path.join(target, "jars")


def python(target, version, interpreter, installed):
    """The package as PyPI has it: installing it would fetch the jars by other means."""
    package = os.path.join(target, f"amazon_kclpy-{version}")
    os.makedirs(target, exist_ok=True)
    installed([interpreter, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", target,
               f"amazon_kclpy=={version}"])
    shutil.unpack_archive(package + ".tar.gz", target)
    consumer = f"{interpreter} {os.path.join(HERE, 'multilang', 'consumer.py')}"
    return Language("Python", consumer, _jars(target, package, installed), "FANOUT", package)


def node(target, version, installed):
    os.makedirs(target, exist_ok=True)
    installed(["npm", "install", "--silent", "--no-save", "--prefix", target, f"aws-kcl@{version}"])
    consumer = os.path.join(target, "consumer.js")  # beside node_modules
    shutil.copy(os.path.join(HERE, "multilang", "consumer.js"), consumer)
    jars = _jars(target, os.path.join(target, "node_modules", "aws-kcl"), installed)
    return Language("Node.js", f"node {consumer}", jars, "POLLING")


class Daemon:
    """The daemon and its consumers; `told` reads what they told, as kcl.Worker's does."""

    def __init__(self, language, endpoint, stream, application, scratch):
        folder = os.path.join(scratch, f"{application}-{uuid.uuid4().hex[:4]}")
        os.makedirs(folder)
        self._told = os.path.join(folder, "told")
        with open(self._told, "w", encoding="utf-8"):
            pass
        settings = os.path.join(folder, "daemon.properties")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("\n".join([
                f"executableName = {language.consumer}", f"streamName = {stream}", f"applicationName = {application}",
                f"regionName = {REGION}", "AwsCredentialsProvider = DefaultCredentialsProvider",
                "initialPositionInStream = TRIM_HORIZON", f"retrievalMode = {language.retrieval}",
                f"failoverTimeMillis = {kcl.FAILOVER_MS}", "shardSyncIntervalMillis = 5000",
                "idleTimeBetweenReadsInMillis = 250", "parentShardPollIntervalMillis = 1000",
                "shutdownGraceMillis = 20000", ""]))
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                       "AWS_REGION": REGION, "AWS_ENDPOINT_URL": endpoint, "CONSUMER_TOLD": self._told}
        if language.search_path:
            environment["PYTHONPATH"] = language.search_path
        with open(os.path.join(folder, "log"), "wb") as log:
            # A session of its own, so that its consumers end with it.
            self._process = subprocess.Popen(
                ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", os.path.join(language.jars, "*"),
                 "software.amazon.kinesis.multilang.MultiLangDaemon", "--properties-file", settings],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True)

    def told(self, *what):
        with open(self._told, encoding="utf-8") as told:
            lines = [line.split() for line in told.read().split("\n")[:-1]]
        return [words for words in lines if words[0] in what]

    def stop(self):
        """As an operator would: it asks its consumers to end, and gives up its leases and, in KCL 3, the leader's lock, for
        which the next one would else wait two minutes."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()


def seen(daemons):
    """By key, the numbers in the order in which they came, of all daemons."""
    numbers = {}
    for daemon in daemons:
        for _, _, key, number in daemon.told("R"):
            numbers.setdefault(key, []).append(int(number))
    return numbers


def first_times(numbers):
    return list(dict.fromkeys(numbers))


def all_seen(daemons, put):
    numbers = seen(daemons)
    return all(set(numbers.get(key, [])) >= set(range(count)) for key, count in put.items())


def flow(cases, endpoint, language, scratch):
    wire = Wire(endpoint)
    stream, application = (f"{what}-{uuid.uuid4().hex[:8]}" for what in ("multilang", "daemon"))
    wire.call("CreateStream", StreamName=stream, ShardCount=2)
    wire.wait_active(stream)
    producer = kcl.Producer(endpoint, stream)
    daemons = [Daemon(language, endpoint, stream, application, scratch)]
    started = lambda daemon: {words[1] for words in daemon.told("START")}
    try:
        with cases.case(f"{language.name}: a daemon starts a consumer for each shard"):
            eventually(lambda: len(started(daemons[0])) == 2, 180, "two consumers")
        wire.close()  # it has idled for longer than the server keeps a connection
        producer.start()
        with cases.case(f"{language.name}: a shard is split under way, read to its end, and then its children"):
            eventually(lambda: daemons[0].told("R"), 30, "a record")
            parent = wire.shards(stream)[0]
            kcl.split(wire, stream, parent)
            eventually(lambda: len(started(daemons[0])) == 4, 60, "the children's consumers")
            order = [words for words in daemons[0].told("START", "END")]
            assert order.index(["END", parent["ShardId"]]) < order.index(["START", "shardId-000000000002"]), order
        with cases.case(f"{language.name}: stopped and started again, it goes on from its checkpoints"):
            before = dict(producer.put)
            eventually(lambda: all_seen(daemons, before), 60, "what was put before")
            daemons[0].stop()
            daemons.append(Daemon(language, endpoint, stream, application, scratch))
            eventually(lambda: len(started(daemons[1])) == 3, 120, "the consumers of the three open shards")
            eventually(lambda: daemons[1].told("R"), 60, "a record")
            producer.finish()
            eventually(lambda: all_seen(daemons, producer.put), 60, "all records")
            again = [words for words in daemons[1].told("R") if words[3] == "0"]
            assert not again, f"it began anew: {again[:3]}"
            twice = sum(map(len, seen(daemons).values())) - sum(producer.put.values())
            print(f"    {sum(producer.put.values())} records of {len(producer.put)} keys, {twice} twice", flush=True)
        with cases.case(f"{language.name}: in order per key, and no checkpoint failed"):
            disorder = {key: numbers for key, numbers in seen(daemons).items()
                        if first_times(numbers) != list(range(producer.put[key]))}
            assert producer.put and not disorder, next(iter(disorder.items()))
            failures = [words for daemon in daemons for words in daemon.told("FAILED")]
            assert not failures, failures[:3]
    finally:
        producer.stop()
        for daemon in daemons:
            daemon.kill()
