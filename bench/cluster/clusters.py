"""The clusters that are measured: members on free ports of the loopback address, in directories of their own, ended with all their
processes.

Both kinds are used alike: `nodes`, `endpoint` (all of them, for a load), `at_leader`, `wait_ready`, `wait_leader`, and `write`, the
request that stores a small value, for the writer. A node has `port` and `process`, and can be sent a `signal`, killed, stopped and
started again.
"""

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import types

import cluster as processes  # tests/process/cluster.py
from systems import Etcd

VALUE = "x" * 100


class ConcordCluster(processes.Cluster):
    name = "concord"
    write = ("PUT", "/api/v1/kv/written", json.dumps({"value": VALUE}))

    def __init__(self, program, work_dir, size):
        self.place = tempfile.TemporaryDirectory(prefix="concord-", dir=os.path.abspath(work_dir))
        super().__init__(program, self.place.name, size, ["--log-level", "warn", "--durability-mode", "disk", "--limits-max-connections", "12000"])
        self.endpoint = ",".join(self.endpoint_of(node) for node in self)

    def __exit__(self, *problem):
        with contextlib.redirect_stdout(sys.stderr):  # the logs, after a failure
            super().__exit__(*(problem or (None,)))
        self.place.cleanup()

    @staticmethod
    def endpoint_of(node):
        return f"http://127.0.0.1:{node.port}"

    def at_leader(self):
        return types.SimpleNamespace(endpoint=self.endpoint_of(self.wait_leader()))


class SecretCluster(ConcordCluster):
    """With TLS between the members, by certificates that the program makes."""

    def __init__(self, program, work_dir, size):
        super().__init__(program, work_dir, size)
        made = os.path.join(self.place.name, "tls")
        subprocess.run([program, "cert", "generate", "--out", made, "--host", "127.0.0.1"], check=True, stdout=subprocess.DEVNULL)
        for node in self:
            node.flags += ["--cluster-tls-cert", f"{made}/node.crt", "--cluster-tls-key", f"{made}/node.key", "--cluster-tls-ca", f"{made}/ca.crt"]


class EtcdMember(Etcd):
    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def status(self):
        """Of the JSON gateway; None when it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", "/v3/maintenance/status", "{}")
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()


class EtcdCluster:
    name = "etcd"
    write = ("POST", "/v3/kv/put", json.dumps({"key": base64.b64encode(b"written").decode(), "value": base64.b64encode(VALUE.encode()).decode()}))

    def __init__(self, program, work_dir, size, flags=()):
        self.nodes = {f"n{number + 1}": EtcdMember(program, work_dir, f"n{number + 1}", flags) for number in range(size)}
        initial = ",".join(node.initial for node in self)
        for node in self:
            node.initial = initial
        self.endpoint = ",".join(node.endpoint for node in self)

    def __iter__(self):
        return iter(list(self.nodes.values()))

    def __enter__(self):
        try:
            for node in self:
                node.begin()
            self.wait_ready()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for node in self:
            node.__exit__()

    def wait_ready(self):
        for node in self:
            node.wait_healthy()

    def wait_leader(self):
        """The node that all follow."""

        def agreed():
            states = [node.status() for node in self]
            if any(not state or state.get("leader", "0") == "0" for state in states) or len({state["leader"] for state in states}) > 1:
                return None
            return next((node for node, state in zip(self, states) if state["header"]["member_id"] == state["leader"]), None)

        return processes.wait_until(agreed, "all members follow one leader")

    def at_leader(self):
        return types.SimpleNamespace(endpoint=self.wait_leader().endpoint)
