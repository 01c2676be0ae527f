"""Faults of clients: killed, slow, and in floods, against a server with small limits.

server.py MYNAH SPEECH

SPEECH is a recording at 16 kHz in 16 bits.
"""

import base64
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
import wave

from program import Program, fail

STREAMS = 4
IDLE_SECONDS = 3
# More than the server's own limit of connections.
FLOOD = 1100
# What connections and their buffers may take, in millions of bytes.
MOST_GROWTH_MB = 60
SENTENCE = "there is nothing in the world that i should like better than to see you happy"


class Client:
    """A WebSocket of Vosk's protocol."""

    def __init__(self, address, receive_buffer=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect((host, int(port)))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.read = self.socket.makefile("rb")
        self.status = int(self.read.readline().split()[1])
        while self.read.readline() not in (b"\r\n", b""):
            pass

    def send(self, code, payload):
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length) if length < 65536 \
            else b"\xff" + struct.pack(">Q", length)
        self.socket.sendall(bytes([0x80 | code]) + size + bytes(4) + payload)

    def text(self, message):
        self.send(1, json.dumps(message).encode())

    def receive(self):
        """The next message; None after the close."""
        head = self.read.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return None
        length = head[1] & 127
        if length > 125:
            form = ">H" if length == 126 else ">Q"
            length, = struct.unpack(form, self.read.read(struct.calcsize(form)))
        return json.loads(self.read.read(length))

    def recognize(self, samples):
        """Sends it all, and gives the words."""
        self.text({"config": {"sample_rate": 16000, "events": True}})
        for at in range(0, len(samples), 32000):
            self.send(2, samples[at:at + 32000])
        self.text({"eof": 1})
        texts = []
        while (message := self.receive()) is not None:
            if "error" in message:
                fail(f"an orderly client gets {message}")
            texts += [message["text"]] if message.get("text") else []
        return " ".join(texts)

    def abort(self):
        """Ends the connection as a process that is killed over a network does: by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.read.close()
        self.socket.close()


def admitted(address, patience=30):
    """A client that has a place, as soon as there is one."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            client = Client(address)
            if client.status == 101:
                return client
            client.socket.close()
        except (OSError, IndexError):
            pass
        time.sleep(0.1)
    fail(f"no place for a client within {patience} s")


def request(address, path):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        return connection.makefile("rb").read().decode()


def metric(address, name):
    return next(float(line.split()[-1]) for line in request(address, "/metrics").splitlines() if line.startswith(name))


def check_order(address, samples, fault):
    """An orderly client is served as if nothing had been."""
    words = admitted(address).recognize(samples)
    if words.lower().replace(".", "").count(SENTENCE) != 1:
        fail(f"after {fault}: {words!r}")


def killed_clients(server, address, samples):
    for _ in range(5 * STREAMS):
        client = admitted(address)
        client.text({"config": {"sample_rate": 16000, "events": True}})
        client.send(2, samples[:64000])
        client.abort()
    check_order(address, samples, "killed clients")
    server.wait_for("room for all", lambda: metric(address, 'mynah_streams{protocol="websocket"}') == 0)
    print(f"{5 * STREAMS} clients killed in mid-stream: their places are free, the next is served")


def slow_client(server, address, samples):
    """Asks for more than it reads."""
    before = server.resident_mb()
    client = Client(address, receive_buffer=4096)
    client.socket.settimeout(1)
    client.text({"config": {"sample_rate": 16000}})
    sent, deadline = 0, time.monotonic() + 40
    try:
        while time.monotonic() < deadline:
            try:
                client.send(2, bytes(320))
                sent += 320
            except TimeoutError:
                # A frame that is sent in part can't be completed; the client waits for its end.
                time.sleep(1)
    except OSError:
        pass
    else:
        fail("a client that never reads is not disconnected")
    growth = server.resident_mb() - before
    if growth > MOST_GROWTH_MB:
        fail(f"a slow client costs {growth:.0f} MB")
    check_order(address, samples, "a slow client")
    print(f"a client that never reads: disconnected after {sent / 32000:.0f} s of audio, {growth:+.0f} MB")


def flood_of_streams(address, samples):
    clients = [Client(address) for _ in range(100)]
    statuses = [client.status for client in clients]
    if statuses.count(101) != STREAMS or statuses.count(503) != 100 - STREAMS:
        fail(f"of 100 clients {statuses.count(101)} are admitted, {statuses.count(503)} refused")
    for client in clients:
        client.socket.close()
        client.read.close()
    check_order(address, samples, "a flood of streams")
    print(f"100 streams at once: {STREAMS} admitted, the others refused by 503")


def flood_of_connections(server, address, samples, words, what):
    """More connections than the server takes, each of which sends `words` and then nothing."""
    before = server.resident_mb()
    host, port = address.rsplit(":", 1)
    connections = []
    for _ in range(FLOOD):
        try:
            connection = socket.create_connection((host, int(port)), timeout=5)
            connection.sendall(words)
            connections.append(connection)
        except OSError:
            pass
    growth = server.resident_mb() - before
    if growth > MOST_GROWTH_MB:
        fail(f"{what}: {growth:.0f} MB")
    began = time.monotonic()
    check_order(address, samples, what)
    waited = time.monotonic() - began
    for connection in connections:
        connection.close()
    print(f"{FLOOD} {what}: {growth:+.0f} MB; an orderly client is served {waited:.1f} s later")


def main(mynah, speech):
    # The server keeps the usual limit of open files; its clients are many programs.
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with wave.open(speech) as recording:
        # One sentence and its pause.
        samples = recording.readframes(int(6.585 * 16000))
    server = Program("serve", [
        mynah, "serve", "--listen", "127.0.0.1:0", "--max-streams", str(STREAMS), "--max-idle", str(IDLE_SECONDS), "--max-queue", "4",
    ], files=min(usual, 1024))
    try:
        begin = "listening: http://"
        line = server.wait_for("the address", lambda: server.warnings(begin))[0]
        address = line[len(begin):].split(" ")[0]
        check_order(address, samples, "nothing")
        killed_clients(server, address, samples)
        flood_of_streams(address, samples)
        flood_of_connections(server, address, samples, b"GET /hea", "connections without a request")
        health = f"GET /health HTTP/1.1\r\nHost: {address}\r\n\r\n".encode()
        flood_of_connections(server, address, samples, health, "connections that stay after a request")
        slow_client(server, address, samples)
        server.send(signal.SIGTERM)
        server.end()
    finally:
        server.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
