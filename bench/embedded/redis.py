"""Redis beside Concord: memory an item, restart, and the worst write while a snapshot is taken.

usage: redis.py RESULTS_JSON       adds rows BM_redis_* to what the benchmark wrote; says so and does nothing without Redis

The server listens on the loopback address only, keeps its files in a directory of its own, and is gone afterwards.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ITEMS = 1_000_000
VALUE = os.urandom(100)
CONTENT = 16 + len(VALUE)
ROUNDS = 3


def key(number):
    return b"key%013d" % number


def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")

    def reply(self):
        line = self.replies.readline()
        if line[:1] in (b"+", b":"):
            return line[1:-2]
        if line[:1] == b"$":
            return self.replies.read(int(line[1:-2]) + 2)[:-2]
        raise RuntimeError(f"Redis answered {line!r}")

    def call(self, *words):
        self.socket.sendall(encode(*words))
        return self.reply()

    def info(self, field):
        for line in self.call(b"INFO").splitlines():
            if line.startswith(field + b":"):
                return line.split(b":")[1]
        raise RuntimeError(f"Redis does not say {field!r}")

    def fill(self):
        batch = 1000
        for first in range(0, ITEMS, batch):
            self.socket.sendall(b"".join(encode(b"SET", key(number), VALUE) for number in range(first, first + batch)))
            for _ in range(batch):
                self.reply()


class Server:
    """Debian's package redis-tools has the server's program under the name of a tool; it goes by the name it is called."""

    def __init__(self, program, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(words, executable=program, stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def connect(self):
        """Waits until the server listens and has loaded what it saved."""
        end = time.monotonic() + 60
        while True:
            try:
                client = Client(self.port)
                client.call(b"PING")
                return client
            except (ConnectionError, RuntimeError):  # not yet listening; listening but still loading
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.002)


def worst_set_during_snapshot(client, other):
    """Microseconds. One client, one write after the other, from the start of BGSAVE to its end. Another one asks for it and does
    not wait, so that the fork meets the writer, as it would in life."""
    worst = 0.0
    count = 0
    other.socket.sendall(encode(b"BGSAVE"))
    saving = True
    while saving:
        for _ in range(1000):
            start = time.perf_counter()
            client.call(b"SET", key(count * 7919 % ITEMS), VALUE)
            worst = max(worst, time.perf_counter() - start)
            count += 1
        saving = client.info(b"rdb_bgsave_in_progress") == b"1"
    other.reply()
    return worst * 1e6


def worst_set_without(client):
    """The same without a snapshot: what sockets, this client and other processes add."""
    worst = 0.0
    for count in range(50_000):
        start = time.perf_counter()
        client.call(b"SET", key(count * 7919 % ITEMS), VALUE)
        worst = max(worst, time.perf_counter() - start)
    return worst * 1e6


def measure(program):
    with tempfile.TemporaryDirectory(prefix="bench-redis-", dir=".") as directory:
        with Server(program, directory) as server:
            client = server.connect()
            version = client.info(b"redis_version").decode()
            empty = int(client.info(b"used_memory"))
            client.fill()
            overhead = (int(client.info(b"used_memory")) - empty) / ITEMS - CONTENT
            worsts = []
            for _ in range(ROUNDS):
                without, worst = worst_set_without(client), worst_set_during_snapshot(client, server.connect())
                worsts.append({"max_us": worst, "without_us": without, "fork_us": int(client.info(b"latest_fork_usec"))})
            client.call(b"SAVE")
        loads = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            with Server(program, directory) as server:
                client = server.connect()
                loads.append((time.perf_counter() - start) * 1000)
                if int(client.call(b"DBSIZE")) != ITEMS:
                    raise RuntimeError("Redis has lost items")
        return [
            {"name": "BM_redis_overhead_per_item", "version": version, "counted_bytes": overhead},
            *({"name": "BM_redis_restart_1M", "version": version, "real_time": load, "time_unit": "ms"} for load in loads),
            *({"name": "BM_redis_worst_set_during_snapshot_1M", "version": version, **worst} for worst in worsts),
        ]


def main():
    path = sys.argv[1]
    program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    if program is None:
        print("Redis is not installed (package redis-tools): left out", file=sys.stderr)
        return
    with open(path, encoding="utf-8") as file:
        results = json.load(file)
    rows = measure(os.path.realpath(program))
    results["benchmarks"] = [row for row in results["benchmarks"] if not row["name"].startswith("BM_redis_")] + rows
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)


main()
