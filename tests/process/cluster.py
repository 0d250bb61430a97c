"""Clusters of `concord start` processes, for tests: nodes are started, killed and started again by the test. On the loopback address, or
each on a host of a network made for the test (network.py)."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import time

from server import call


GIVEN_PORTS = set()


def free_ports(count):
    """Ports nobody uses now, none of them given before. They lie below those that the system takes for connections, one of which might else
    be made before a node listens."""
    ports = []
    with contextlib.ExitStack() as held:
        while len(ports) < count:
            port = random.randrange(16_000, 32_000)
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in GIVEN_PORTS:
                GIVEN_PORTS.add(port)
                ports.append(port)
    return ports


def wait_until(holds, what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Node:
    """One member. Its directory and ports are the same in all its lives; `flags` may change between them.
    `inside`: what stands before its command, so that it runs on the host whose address `host` is."""

    def __init__(self, program, directory, name, cookie="a secret", flags=(), host="127.0.0.1", inside=()):
        self.program, self.name, self.cookie, self.flags = program, name, cookie, list(flags)
        self.data_dir = os.path.join(directory, name)
        self.log_path = os.path.join(directory, f"{name}.log")
        self.host, self.inside = host, list(inside)
        self.port, self.peer_port = (4000, 9100) if inside else free_ports(2)
        self.peer = f"{host}:{self.peer_port}"
        self.process = None

    def start(self, *flags):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        command = [*self.inside, self.program, "start", "--node-name", self.name, "--node-data-dir", self.data_dir,
                   "--api-host", self.host, "--api-port", str(self.port), "--cluster-cookie", self.cookie,
                   "--cluster-peer-host", self.host, "--cluster-peer-port", str(self.peer_port), *self.flags, *flags]
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def call(self, method, path, body=None, timeout=10):
        """(status, body), or (0, why) when there was no answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            status, _, answer = call(connection, method, path, body)
            return status, answer
        except (OSError, http.client.HTTPException) as problem:
            return 0, repr(problem)
        finally:
            connection.close()

    def put(self, key, value, **options):
        return self.call("PUT", f"/api/v1/kv/{key}", {"value": value}, **options)

    def get(self, key, consistency="strong", **options):
        """The value; None when there is no such key."""
        status, answer = self.call("GET", f"/api/v1/kv/{key}?consistency={consistency}", **options)
        if status == 404:
            return None
        assert status == 200, (self.name, status, answer)
        return answer["data"]["value"]

    def status(self):
        code, answer = self.call("GET", "/api/v1/status")
        return answer["data"] if code == 200 else None

    def members(self):
        """By name."""
        code, answer = self.call("GET", "/api/v1/cluster/members")
        return {member["name"]: member for member in answer["data"]["members"]} if code == 200 else {}

    def is_ready(self):
        return self.is_running() and self.call("GET", "/readyz")[0] == 200

    def leader(self):
        """The name of the leader as this node sees it."""
        status = self.status() if self.is_running() else None
        return status and status["cluster"]["leader"]


class Cluster:
    """`with` starts it, waits until all are ready, and ends every process of it. After a failure the logs are shown."""

    def __init__(self, program, directory, size=3, flags=(), network=None):
        self.program, self.directory = program, directory
        self.nodes = {}
        for number in range(1, size + 1):
            place = {"host": network.host(number), "inside": network.inside(number)} if network else {}
            self.nodes[f"n{number}"] = Node(program, directory, f"n{number}", flags=flags, **place)
        initial = ",".join(f"{node.name}={node.peer}" for node in self.nodes.values())
        for node in self.nodes.values():
            node.flags += ["--cluster-initial", initial]

    def __enter__(self):
        try:
            return self.start()
        except BaseException as problem:
            self.__exit__(type(problem))
            raise

    def __exit__(self, kind, *_):
        for node in self.nodes.values():
            if node.is_running():
                node.process.kill()
                node.process.wait()
        if kind is not None:
            for node in self.nodes.values():
                print(f"--- log of {node.name}\n{node.log()[-6000:]}" if os.path.exists(node.log_path) else f"--- {node.name} never ran")

    def __getitem__(self, name):
        return self.nodes[name]

    def __iter__(self):
        return iter(list(self.nodes.values()))

    def start(self):
        for node in self:
            node.start()
        self.wait_ready()
        return self

    def running(self):
        return [node for node in self if node.is_running()]

    def wait_ready(self, *names):
        for name in names or self.nodes:
            wait_until(self.nodes[name].is_ready, f"{name} is ready")

    def wait_leader(self):
        """The node that all running ones follow."""

        def agreed():
            leaders = {node.leader() for node in self.running()}
            name = leaders.pop() if len(leaders) == 1 else None
            return name and self.nodes[name].is_running() and self.nodes[name]

        return wait_until(agreed, "all running nodes follow one leader")

    def followers(self):
        leader = self.wait_leader()
        return [node for node in self.running() if node is not leader]

    def add(self, name, *flags):
        """A node that joins by the addresses of the others; not started."""
        node = Node(self.program, self.directory, name, flags=[*flags, "--cluster-join", ",".join(n.peer for n in self)])
        self.nodes[name] = node
        return node

    def wait_same(self):
        """All running nodes have applied the same and hold the same."""

        def same():
            states = [node.status() for node in self.running()]
            return None not in states and len({(s["cluster"]["applied_index"], s["storage"]["revision"], s["storage"]["size"]) for s in states}) == 1

        wait_until(same, "all nodes have applied the same")
