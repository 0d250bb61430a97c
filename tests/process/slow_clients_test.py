"""Clients that are slow, silent or greedy cost the memory of their connection, and only until their time is over; meanwhile others
are answered as ever. Counted, never timed.

usage: slow_clients_test.py PROGRAM WORK_DIR measured|unmeasured      (of memory: sanitizers need more)
"""

import os
import resource
import shutil
import socket
import sys
import time
import unittest

from server import Server, call

PROGRAM, WORK_DIR, MEMORY = sys.argv[1:4]

KIB, MIB = 1 << 10, 1 << 20
LARGE = "v" * 1_000_000
MEDIUM = "w" * 10_000

SILENT, HALF, DRIPPING, DEAF, PIPELINING = 100, 2000, 200, 200, 50
SLOW = SILENT + HALF + DRIPPING + DEAF + PIPELINING

# What each may cost: buffers and a request; for who does not read, the answer that is being sent; for who asks for more
# without reading, the answers that are made before the server waits (256 KiB), and those before that are being sent.
CONNECTION_BYTES = 16 * KIB
BOUND_BYTES = SLOW * CONNECTION_BYTES + DEAF * len(LARGE) + PIPELINING * 2 * (256 * KIB + len(MEDIUM)) + 32 * MIB


def resident_bytes(process):
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def sockets(process):
    folder = f"/proc/{process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, name)).startswith("socket:")
        except FileNotFoundError:
            pass  # closed since
    return count


def request(method, target, length=None):
    return (f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n" + (f"Content-Length: {length}\r\n" if length else "") + "\r\n").encode()


class SlowClients(unittest.TestCase):
    def setUp(self):
        self.data_dir = os.path.join(WORK_DIR, self.id().rsplit(".", 1)[-1])
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def start(self, *flags):
        """With the few files that a shell usually allows: the server asks for more itself."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        server = Server(PROGRAM, self.data_dir, "--durability-mode", "memory", *flags)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.ordinary = server.connection()
        for key, value in (("large", LARGE), ("medium", MEDIUM)):
            self.assertEqual(call(self.ordinary, "PUT", "/api/v1/kv/" + key, {"value": value})[0], 200)
        self.ordinary.close()  # the next request opens it again
        return server

    def connect(self, server, sent, is_deaf=False):
        client = socket.socket()
        self.clients.append(client)
        if is_deaf:  # the kernels' buffers follow the size of packets: with those of loopback they would take a large answer whole
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        client.connect(("127.0.0.1", server.port))
        client.sendall(sent)
        return client

    def pipeline(self, server):
        client = self.connect(server, b"", is_deaf=True)
        client.setblocking(False)
        try:
            for _ in range(2000):
                client.sendall(request("GET", "/api/v1/kv/medium"))
        except BlockingIOError:
            pass
        return client

    def expect_memory_below(self, server, bound, when):
        used = resident_bytes(server.process)
        print(f"{when}: {used // MIB} MiB resident, at most {bound // MIB}", file=sys.stderr)
        if MEMORY == "measured":
            self.assertLess(used, bound, when)

    def serve_ordinary(self, first, dripping):
        """A fixed number of requests, each with the one right answer, while the slow ones go on being slow."""
        for i in range(first, first + 100):
            self.assertEqual(call(self.ordinary, "PUT", "/api/v1/kv/ordinary", {"value": i})[0], 200)
            self.assertEqual(call(self.ordinary, "GET", "/api/v1/kv/ordinary")[2]["data"], {"value": i})
        self.assertEqual(call(self.ordinary, "GET", "/api/v1/kv/large")[2]["data"], {"value": LARGE})
        for client in dripping:
            client.send(b" ")

    def received(self, client):
        """All that came, to the end of the connection."""
        client.setblocking(True)
        client.settimeout(30)
        parts = []
        try:
            while part := client.recv(1 << 16):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def wait_for_sockets(self, server, count, why):
        until = time.monotonic() + 60
        while sockets(server.process) != count and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(sockets(server.process), count, why)

    def test_slow_clients_leave_others_unharmed_and_are_cut_off(self):
        with self.start("--limits-request-timeout-ms", "10000", "--limits-idle-timeout-ms", "10000") as server:
            self.serve_ordinary(-100, [])
            before, memory = sockets(server.process), resident_bytes(server.process)
            silent = [self.connect(server, b"") for _ in range(SILENT)]
            half = [self.connect(server, b"GET /api/v1/kv/large HTTP/1.1\r\nHost: local") for _ in range(HALF)]
            dripping = [self.connect(server, request("PUT", "/api/v1/kv/drip", 1000) + b'{"value":') for _ in range(DRIPPING)]
            deaf = [self.connect(server, request("GET", "/api/v1/kv/large"), is_deaf=True) for _ in range(DEAF)]
            pipelining = [self.pipeline(server) for _ in range(PIPELINING)]
            self.serve_ordinary(0, dripping)
            self.wait_for_sockets(server, before + SLOW, "all of them are there at once")
            self.expect_memory_below(server, memory + BOUND_BYTES, "with all of them")
            for first in range(100, 400, 100):
                self.serve_ordinary(first, dripping)
            self.expect_memory_below(server, memory + BOUND_BYTES, "after the ordinary requests")

            self.ordinary.close()
            self.wait_for_sockets(server, before - 1, "the server's limits close them all")
            for client in silent:
                self.assertEqual(self.received(client), b"")
            for client in half + dripping:
                self.assertTrue(self.received(client).startswith(b"HTTP/1.1 408 "))
            for client in deaf:
                self.assertLess(len(self.received(client)), len(LARGE))
            for client in pipelining:
                self.assertLess(self.received(client).count(b"HTTP/1.1 200 "), 2000)
            for _ in range(DEAF):  # the allocator may keep what is free, but it must be free
                self.connect(server, request("GET", "/api/v1/kv/large"), is_deaf=True)
            self.serve_ordinary(400, [])
            self.expect_memory_below(server, memory + BOUND_BYTES, "with those again that do not read")
            self.ordinary.close()
            self.assertEqual(server.stop(), 0)

    def test_a_connection_that_waits_keeps_nothing_large(self):
        count = 200
        with self.start() as server:
            memory = resident_bytes(server.process)
            for _ in range(count):
                connection = server.connection()
                self.assertEqual(call(connection, "PUT", "/api/v1/kv/large", {"value": LARGE})[0], 200)
                self.assertEqual(call(connection, "GET", "/api/v1/kv/large")[2]["data"], {"value": LARGE})
                self.clients.append(connection)
            self.expect_memory_below(server, memory + count * CONNECTION_BYTES * 6 + 64 * MIB, "after large requests and answers")
            self.assertEqual(server.stop(), 0)


unittest.main(argv=sys.argv[:1])
