"""The servers that are measured: each in a directory of its own, on free ports of the loopback address, ended by its process.

A system knows how to start, and how to say what a process of it holds in memory; loads.py knows what is done to it.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(answers, process, what):
    end = time.monotonic() + 30
    while not answers():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{what} does not answer")
        time.sleep(0.05)


class System:
    """`with` starts it and ends it. `name` is what the results call it."""

    name = ""

    def __init__(self, program, work_dir):
        self.program = program
        self.directory = tempfile.TemporaryDirectory(prefix=f"{self.name}-", dir=os.path.abspath(work_dir))
        self.process = None
        self.port = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.directory.cleanup()

    def launch(self, *words, **options):
        # Files, not pipes that nobody empties: a server may have much to say.
        self.process = subprocess.Popen(words, cwd=self.directory.name, stdin=subprocess.DEVNULL, **options)

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024


class Concord(System):
    name = "concord"

    def __init__(self, program, work_dir, flags=()):
        super().__init__(program, work_dir)
        self.flags = flags

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        self.launch(self.program, "start", "--node-data-dir", os.path.join(self.directory.name, "data"), "--api-port", "0",
                    "--durability-mode", "disk", "--log-level", "warn", "--limits-max-connections", "12000", *self.flags,
                    stdout=subprocess.PIPE, text=True, env=environment)  # one line is all it prints
        line = self.process.stdout.readline()
        found = re.search(r"api=http://127\.0\.0\.1:(\d+)", line)
        if not found:
            raise RuntimeError(f"concord start said {line!r}")
        self.port = int(found.group(1))
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def status_of(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().status

    def answer_of(self, path, body=None):
        """Of a GET, or of a POST of `body` as JSON; another answer than success is an error."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path} was answered {answer.status}: {text[:300]!r}")
        return text


class Etcd(System):
    """One member, alone unless `initial` names others too. Its ports are the same in all its lives."""

    name = "etcd"

    def __init__(self, program, work_dir, member="default", flags=()):
        super().__init__(program, work_dir)
        self.member, self.flags = member, flags
        self.port, peer_port = free_port(), free_port()
        self.peer = f"http://127.0.0.1:{peer_port}"
        self.initial = f"{member}={self.peer}"
        self.endpoint = f"127.0.0.1:{self.port}"

    def begin(self):
        url = f"http://{self.endpoint}"
        self.launch(self.program, "--name", self.member, "--data-dir", os.path.join(self.directory.name, "data"), "--log-level", "error",
                    "--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", self.peer,
                    "--initial-advertise-peer-urls", self.peer, "--initial-cluster", self.initial, *self.flags,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        self.begin()
        self.wait_healthy()

    def wait_healthy(self):
        wait_until(self.is_healthy, self.process, "etcd")

    def is_healthy(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/health")
            return b'"true"' in connection.getresponse().read()
        except OSError:
            return False


class Redis(System):
    name = "redis"

    def start(self):
        self.port = free_port()
        # The name it is called by: redis-tools has the server's program under the name of a tool.
        self.launch("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory.name, "--save", "",
                    "--appendonly", "yes", "--appendfsync", "always", executable=self.program, stdout=subprocess.DEVNULL)
        wait_until(self.answers, self.process, "Redis")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
