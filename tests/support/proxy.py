"""A TCP proxy that does to a connection what networks do, between the roles and a server.

    with Proxy(server.port) as proxy:
        proxy.port             what the roles connect to
        proxy.cut()            ends every connection with a reset; new ones work
        proxy.away()           the same, and none comes about until heal()
        proxy.delay(0.05)      each piece of data comes this much later, in both directions
        proxy.stall("up")      what the roles send ("down": what they are sent) stays here until heal()
        proxy.silence()        the connections of now never bring anything again, and never end; new ones work
        proxy.swallow(test)    the answer to the next request that test finds is thrown away, and the connection cut
        proxy.heal()           all of it is over, and what was held back goes on

Order is kept: TCP has no other. `swallowed` counts the answers that were thrown away.
"""
import re
import socket
import struct
import threading
import time

PIECE = 1 << 16
LINGER_NONE = struct.pack("ii", 1, 0)


class Connection:
    """Two threads, one for each direction."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.answer_is_lost = self.silent = False
        self.test = None
        for way, source, target in (("up", client, server), ("down", server, client)):
            threading.Thread(target=self.pump, args=(way, source, target), daemon=True).start()

    def pump(self, way, source, target):
        try:
            while data := source.recv(PIECE):
                self.proxy.hold_back(way)
                if self.silent:
                    continue
                if way == "up":
                    self.look_at(data)
                elif self.answer_is_lost:
                    self.proxy.swallowed += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        self.close()

    def look_at(self, data):
        """Notes whether this request's answer is to be lost: before it is sent, so that the answer cannot be faster."""
        self.test = self.test or (self.proxy.make_test() if self.proxy.make_test else None)
        if self.test and self.test(data) and self.proxy.take_swallow():
            self.answer_is_lost = True

    def close(self):
        """A reset, as when a machine or a firewall loses the connection: nothing more is delivered."""
        self.proxy.forget(self)
        for s in (self.client, self.server):
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def kafka_produce():
    """A test for swallow(): true when a Produce request begins in this piece (length, then API key 0; Kafka protocol guide)."""
    def test(data):
        return len(data) >= 8 and data[4:6] == b"\0\0" and struct.unpack_from(">h", data, 6)[0] <= 20
    return test


def postgres_commit():
    """A test for swallow(): true when the statement that was parsed as COMMIT on this connection is bound."""
    names = set()

    def test(data):
        names.update(re.findall(rb"P....([^\0]+)\0COMMIT\0", data, re.DOTALL))
        return any(re.search(rb"B....\0" + re.escape(name) + rb"\0", data, re.DOTALL) for name in names)
    return test


class Proxy:
    def __init__(self, target_port, port=0, make_test=None):
        self.target_port = target_port
        self.make_test = make_test
        self.swallowed = 0
        self.changed = threading.Condition()
        self.connections = set()
        self.refusing, self.stalled, self.late, self.to_swallow = False, set(), 0.0, 0
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.heal()
        self.cut()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port), 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                self.connections.add(Connection(self, client, server))

    def forget(self, connection):
        with self.changed:
            self.connections.discard(connection)

    def hold_back(self, way):
        if self.late:
            time.sleep(self.late)
        with self.changed:
            self.changed.wait_for(lambda: way not in self.stalled)

    def take_swallow(self):
        with self.changed:
            taken = self.to_swallow > 0
            self.to_swallow -= taken
            return taken

    def cut(self):
        with self.changed:
            now = list(self.connections)
        for c in now:
            c.close()

    def silence(self):
        """What a firewall does that forgot a connection: neither end is told."""
        with self.changed:
            for c in self.connections:
                c.silent = True

    def away(self):
        self.refusing = True
        self.cut()

    def delay(self, seconds):
        self.late = seconds

    def stall(self, way):
        with self.changed:
            self.stalled.add(way)

    def swallow(self, count=1):
        with self.changed:
            self.to_swallow = count

    def heal(self):
        self.refusing, self.late = False, 0.0
        with self.changed:
            self.to_swallow = 0
            self.stalled.clear()
            self.changed.notify_all()
