"""One real Apache Kafka (KRaft, broker and controller in one process) on 127.0.0.1.

    with Kafka(directory) as k:
        k.brokers              "127.0.0.1:PORT", the same after every restart
        k.create_topic("t", 3, {"retention.ms": "-1"})
        k.kill(); k.start()    kill -9, then again on the same data

Needs java, mvn and kcat. The jars (about 44 MB) are copied once into the user's cache directory, from wherever this user's
Maven takes artefacts; after that no network is needed.
"""
import base64
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import uuid
from pathlib import Path

from ..process import Server, StartError, free_ports, tail, wait_until

HERE = Path(__file__).resolve().parent
NO_ERROR, TOPIC_EXISTS = 0, 36


def text(s):
    """A string as the Kafka protocol writes it."""
    data = s.encode()
    return struct.pack(">h", len(data)) + data


def jars():
    """The directory with the jars that pom.xml names; another pom.xml is another directory."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "porta"
    wanted = cache / ("kafka-" + hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()[:12])
    if wanted.is_dir():
        return wanted
    cache.mkdir(parents=True, exist_ok=True)
    # Copied beside and renamed when whole: two tests at once, or one that is stopped, leave no half directory.
    partial = Path(tempfile.mkdtemp(prefix="fetching-", dir=cache))
    try:
        fetch = ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={partial}"]
        r = subprocess.run(fetch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode != 0:
            raise StartError("Maven did not fetch the jars of Kafka\n" + r.stdout[-800:])
        try:
            partial.rename(wanted)
        except OSError:
            if not wanted.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return wanted


class Kafka(Server):
    def __init__(self, directory, seen_at=None, settings=None):
        """`seen_at`: a second listener, `behind`, tells its clients this port (a proxy's). `settings`: more of the broker's."""
        self.directory = Path(directory).resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        super().__init__(self.directory / "broker.log")
        self.data = self.directory / "data"
        self.settings = self.directory / "server.properties"
        self.port, self.controller_port, self.behind = free_ports(3)
        self.seen_at, self.more = seen_at, settings or {}
        self.brokers = f"127.0.0.1:{self.port}"

    def java(self, heap):
        return ["java", *heap, f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", f"-Dkafka.logs.dir={self.directory}",
                "-cp", f"{jars()}/*"]

    def format(self):
        """Writes the settings and formats the data directory: once in the life of a directory."""
        client, control = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.controller_port}"
        listeners = f"CLIENT://{client},CONTROL://{control}"
        behind, seen = (f",FAULTY://127.0.0.1:{self.behind}", f",FAULTY://127.0.0.1:{self.seen_at}") if self.seen_at else ("", "")
        settings = {
            "node.id": "1",
            "process.roles": "broker,controller",
            "listeners": listeners + behind,
            "advertised.listeners": listeners + seen,
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROL:PLAINTEXT,FAULTY:PLAINTEXT",
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROL",
            "controller.quorum.bootstrap.servers": control,
            "log.dirs": str(self.data),
            # A topic that nobody created must be an error, as in production.
            "auto.create.topics.enable": "false",
            # One broker can hold one replica only; few partitions of the inner topics start faster.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # Small machine: few threads, small buffers.
            "num.network.threads": "2",
            "num.io.threads": "2",
            "log.segment.bytes": str(64 << 20),
            "log.cleaner.dedupe.buffer.size": str(4 << 20),
            **self.more,
        }
        self.settings.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        # A leading '-' would read as an option.
        cluster = "P" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        tool = [*self.java(["-Xmx128m"]), "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", self.settings]
        r = subprocess.run(tool, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode != 0:
            raise StartError("Kafka's storage could not be formatted\n" + r.stdout[-800:])

    def answers(self):
        """True when a client sees a broker that takes part: an open port alone comes earlier."""
        r = subprocess.run(["kcat", "-L", "-J", "-b", self.brokers, "-m", "2"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            return r.returncode == 0 and len(json.loads(r.stdout)["brokers"]) == 1
        except ValueError:
            return False

    def start(self):
        if self.alive():
            return self
        if not self.settings.exists():
            self.format()
        heap = ["-Xms128m", "-Xmx512m", "-XX:MaxDirectMemorySize=256m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
        self.spawn([*self.java(heap), "kafka.Kafka", self.settings], cwd=self.directory)
        wait_until(self.answers, self.alive, 60, "the Kafka broker", self.log)
        return self

    def ask(self, key, version, body):
        """One request of the Kafka protocol, so that no second set of jars is needed; the answer after its correlation id."""
        request = struct.pack(">hhi", key, version, 1) + text("porta-tests") + body
        with socket.create_connection(("127.0.0.1", self.port), 30) as s:
            s.sendall(struct.pack(">i", len(request)) + request)
            answer = s.makefile("rb")
            return answer.read(struct.unpack(">i", answer.read(4))[0])[4:]

    def create_topic(self, name, partitions=1, config=None):
        """CreateTopics, version 2."""
        topic = text(name) + struct.pack(">ihi", partitions, 1, 0) + struct.pack(">i", len(config or {}))
        topic += b"".join(text(k) + text(v) for k, v in (config or {}).items())
        data = self.ask(19, 2, struct.pack(">i", 1) + topic + struct.pack(">ib", 30000, 0))
        # throttle time, count, then name and error code
        at = 8 + 2 + struct.unpack_from(">h", data, 8)[0]
        code = struct.unpack_from(">h", data, at)[0]
        if code not in (NO_ERROR, TOPIC_EXISTS):
            raise RuntimeError(f"topic {name}: Kafka's error code {code}\n{tail(self.log)}")

    def delete_topics(self, names):
        """DeleteTopics, version 1; those that are gone already do not matter."""
        self.ask(20, 1, struct.pack(">i", len(names)) + b"".join(map(text, names)) + struct.pack(">i", 30000))
