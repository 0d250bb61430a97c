"""What is done to the servers. Each load returns a dictionary: per_second, p50_us, p99_us and whatever else it found out.

HTTP reads and writes of both systems' keys come from `concord bench`, fixed paths from wrk, Redis' from redis-benchmark (no
pipelining), etcd's over gRPC from etcd_load.
"""

import csv
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import time

KEYS = 10_000
VALUE_BYTES = 100
HERE = os.path.dirname(os.path.abspath(__file__))


def output_of(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def find_tools(directory):
    """Paths by name, None for what is not installed. Debian's redis-tools has the server under the name of a tool."""
    directory = os.path.abspath(directory)  # the systems run in directories of their own
    redis = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    return {
        "concord": shutil.which("concord", path=os.path.join(directory, "bin")),
        "etcd": shutil.which("server", path=os.path.join(directory, "etcd")),
        "etcd_load": shutil.which("etcd_load", path=os.path.join(directory, "etcd")),
        "redis": redis and os.path.realpath(redis),
        "redis-benchmark": shutil.which("redis-benchmark"),
        "wrk": shutil.which("wrk"),
    }


class Loads:
    def __init__(self, tools, seconds):
        self.tools = tools
        self.seconds = seconds

    def report(self, server, mix, connections=64, bulk=1, consistency="leader", rate=None):
        """All that `concord bench` says. With a rate the load is open: requests are due by the clock."""
        return json.loads(output_of(
            self.tools["concord"], "--endpoint", server.endpoint, "--output", "json", "--consistency", consistency, "bench", "--mix", mix, "--connections", connections,
            "--threads", 1, "--bulk", bulk, "--keys", KEYS, "--value-size", VALUE_BYTES, "--duration", self.seconds, "--warmup", 1,
            *(["--rate", rate] if rate else [])))

    def concord(self, server, mix, **options):
        report = self.report(server, mix, **options)
        latency = report["latency_ns"]["all"]
        return {"per_second": report["items_per_second"], "p50_us": latency["p50"] / 1000, "p99_us": latency["p99"] / 1000, "errors": report["errors"]}

    def fill(self, server, keys):
        """So many keys more, which stay."""
        output_of(self.tools["concord"], "--endpoint", server.endpoint, "--timeout", "30s", "bench", "--mix", "1:0", "--keys", keys, "--value-size", VALUE_BYTES,
                  "--duration", "100ms", "--warmup", 0, "--connections", 1, "--keep")

    def wrk(self, server, path, connections=64):
        """None when the server has no such route yet."""
        if server.status_of(path) != 200:
            return None
        text = output_of(self.tools["wrk"], "-t", 1, "-c", connections, "-d", f"{self.seconds}s", "-s", os.path.join(HERE, "wrk.lua"), server.endpoint + path)
        return json.loads(re.search(r"^json (\{.*\})$", text, re.MULTILINE).group(1))

    def etcd(self, server, reads, writes, connections=64, serializable=False):
        report = json.loads(output_of(
            self.tools["etcd_load"], "--endpoint", server.endpoint, "--connections", connections, "--duration", self.seconds,
            "--reads", reads, "--writes", writes, "--keys", KEYS, "--value-size", VALUE_BYTES, *(["--serializable"] if serializable else [])))
        return {"per_second": report["per_second"], "p50_us": report["p50_ns"] / 1000, "p99_us": report["p99_ns"] / 1000, "errors": report["errors"]}

    def redis(self, server, test, connections=64):
        """redis-benchmark takes a number of requests, no time: a short run says how many last long enough."""
        # Every key exists, so that no read misses.
        rate = self._redis(server, "set", 64, 5 * KEYS)["per_second"]
        if (test, connections) != ("set", 64):
            rate = self._redis(server, test, connections, 2000)["per_second"]
        return self._redis(server, test, connections, max(2000, int(rate * self.seconds)))

    def _redis(self, server, test, connections, requests):
        text = output_of(self.tools["redis-benchmark"], "-h", "127.0.0.1", "-p", server.port, "-t", test, "-c", connections, "-n", requests,
                         "-d", VALUE_BYTES, "-r", KEYS, "--csv")
        row = next(csv.DictReader(text.splitlines()))
        return {"per_second": float(row["rps"]), "p50_us": float(row["p50_latency_ms"]) * 1000, "p99_us": float(row["p99_latency_ms"]) * 1000}

    def events(self, server):
        """How quickly one client gets the events of the last puts, as server-sent events. They are there already: what is measured is
        the way out, and this reader, which only counts them."""
        self.concord(server, "0:1")
        stats = json.loads(server.answer_of("/api/v1/events/stats"))["data"]
        newest = json.loads(server.answer_of("/api/v1/status"))["data"]["storage"]["revision"]
        oldest = stats["oldest_revision"]
        wanted = newest - oldest + 1
        found, rest = 0, b""
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as stream:
            began = time.monotonic()
            stream.sendall(b"GET /api/v1/events?max_demand=10000&after_revision=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % (oldest - 1))
            while found < wanted:
                piece = stream.recv(1 << 20)
                if not piece:
                    raise RuntimeError("the stream ended")
                piece = rest + piece
                found += piece.count(b"\ndata: ")
                rest = piece[-6:]  # one less than what is looked for
            seconds = time.monotonic() - began
        return {"per_second": found / seconds, "events": found}

    def idle(self, server, count):
        """Reads by 64 connections without and with `count` idle ones, and what those take in memory. Fewer when this process may
        not open as many."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        count = min(count, hard - 200)
        without = self.concord(server, "1:0")
        before = server.resident_bytes()
        held = []
        try:
            for _ in range(count):
                held.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            # Each has been served once, as the connection of a client that waits has.
            for connection in held:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for connection in held:
                if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError("an idle connection was not served")
            resident = server.resident_bytes()
            with_idle = self.concord(server, "1:0")
        finally:
            for connection in held:
                connection.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return {"connections": count, "resident_bytes": resident, "added_bytes": resident - before, "p99_us": with_idle["p99_us"],
                "p99_without_us": without["p99_us"], "per_second": with_idle["per_second"], "per_second_without": without["per_second"]}
