"""Nodes that find each other by multicast and by DNS, each a host of a network of its own: discovery_network_test.py PROGRAM [TEST...].
Ends with 77 where there can be no such network."""

import os
import random
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import network  # noqa: E402
from cluster import Cluster, Node, wait_until  # noqa: E402

SKIPPED = 77
SEED = int(os.environ.get("CONCORD_SEED", random.SystemRandom().randrange(1 << 32)))
PROGRAM = None
NAME = "db.test"


class NameServer(threading.Thread):
    """Answers for one name, over UDP, what it is told to."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.addresses = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.start()

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            self.socket.sendto(self.answer(query), client)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack_from(">H", query, at + 1)[0]
        question = query[12:at + 5]
        known = ".".join(labels) == NAME
        found = list(self.addresses) if known and kind == 1 else []
        head = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(found), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address) for address in found)
        return head + question + records

    def close(self):
        self.socket.close()


class DiscoveryNetworkTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.directory = tempfile.mkdtemp(prefix="concord-discovery-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def nodes(self, size, expected, *flags, resolver=None):
        """On a network of their own; none is started."""
        self.net = self.enterContext(network.Network(size, self.random.randrange(1 << 32)))
        nodes = Cluster(PROGRAM, self.directory, 0)
        for number in range(1, size + 1):
            inside = self.net.inside(number)
            if resolver:  # `ip netns exec` gives each process mounts of its own
                inside += ["sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', resolver]
            nodes.nodes[f"n{number}"] = Node(PROGRAM, self.directory, f"n{number}", host=self.net.host(number), inside=inside, flags=[
                "--cluster-expected-size", str(expected), "--cluster-settle-ms", "1500", *flags])
        self.addCleanup(self.end, nodes)
        return nodes

    def end(self, nodes):
        """After a failure: what the nodes said."""
        result = self._outcome.result
        has_failed = any(test is self for test, _ in result.failures + result.errors)
        nodes.__exit__(AssertionError if has_failed else None)

    def start(self, nodes, *numbers):
        for number in numbers:
            nodes[f"n{number}"].start()

    def check_one_cluster(self, nodes, size):
        names = {f"n{number}" for number in range(1, size + 1)}

        def all_vote():
            return all({name for name, member in node.members().items() if member["role"] == "voter"} == names for node in nodes.running())

        wait_until(all_vote, "all vote everywhere", seconds=60)
        self.assertEqual(len({node.status()["cluster"]["id"] for node in nodes.running()}), 1)

    def test_by_multicast(self):
        nodes = self.nodes(4, 3, "--cluster-discovery", "gossip")
        self.start(nodes, 1, 2, 3)
        nodes.wait_ready("n1", "n2", "n3")
        self.start(nodes, 4)
        nodes.wait_ready("n4")
        self.check_one_cluster(nodes, 4)

    def test_by_a_name_that_all_have_and_that_changes(self):
        resolver = os.path.join(self.directory, "resolv.conf")
        with open(resolver, "w", encoding="utf-8") as file:
            file.write(f"nameserver {network.SUBNET}.{network.TEST_HOST}\noptions timeout:1 attempts:1\n")
        nodes = self.nodes(4, 3, "--cluster-discovery", "dns", "--cluster-dns-name", NAME, resolver=resolver)
        server = NameServer(f"{network.SUBNET}.{network.TEST_HOST}")
        self.addCleanup(server.close)
        server.addresses = [self.net.host(1), self.net.host(2)]
        self.start(nodes, 1, 2)
        wait_until(lambda: "2 of 3 expected nodes are there" in nodes["n1"].log(), "n1 finds n2")
        self.start(nodes, 3)
        server.addresses.append(self.net.host(3))
        nodes.wait_ready("n1", "n2", "n3")
        server.addresses.append(self.net.host(4))
        self.start(nodes, 4)
        nodes.wait_ready("n4")
        self.check_one_cluster(nodes, 4)
        self.assertNotIn("connection of the node to itself", "".join(node.log() for node in nodes))

    def test_a_name_that_nobody_knows_is_said_and_does_not_hold_up_the_end(self):
        resolver = os.path.join(self.directory, "resolv.conf")
        with open(resolver, "w", encoding="utf-8") as file:
            file.write(f"nameserver {network.SUBNET}.99\n")  # nobody is there
        nodes = self.nodes(1, 3, "--cluster-discovery", "dns", "--cluster-dns-name", NAME, resolver=resolver)
        self.start(nodes, 1)
        wait_until(lambda: "1 of 3 expected nodes are there" in nodes["n1"].log(), "it says what is missing")
        self.assertEqual(nodes["n1"].stop(), 0)

    def test_a_parted_network_of_the_expected_nodes_forms_nothing_until_it_is_whole(self):
        nodes = self.nodes(3, 3, "--cluster-discovery", "gossip")
        self.net.cut([1, 2], [3])
        self.start(nodes, 1, 2, 3)
        wait_until(lambda: "2 of 3 expected nodes are there" in nodes["n1"].log(), "two see each other")
        time.sleep(3)
        self.assertFalse(any(node.is_ready() for node in nodes))
        self.net.heal()
        nodes.wait_ready()
        self.check_one_cluster(nodes, 3)

    def test_a_network_that_is_parted_again_and_again_makes_one_cluster(self):
        nodes = self.nodes(5, 3, "--cluster-discovery", "gossip")
        self.start(nodes, 1, 2, 3, 4, 5)
        end = time.monotonic() + 12
        while time.monotonic() < end:
            self.net.heal()
            time.sleep(self.random.random() * 1.5)
            sides = {number: self.random.random() < 0.5 for number in range(1, 6)}
            self.net.cut([n for n in sides if sides[n]], [n for n in sides if not sides[n]])
            time.sleep(self.random.random() * 1.5)
        self.net.heal()
        for name in nodes.nodes:
            wait_until(nodes[name].is_ready, f"{name} is ready", seconds=60)
        self.check_one_cluster(nodes, 5)

    def test_two_clusters_that_formed_apart_say_so_and_have_no_member_in_common(self):
        nodes = self.nodes(5, 2, "--cluster-discovery", "gossip")
        self.net.cut([1, 2], [3, 4, 5])
        self.start(nodes, 1, 2, 3, 4)
        nodes.wait_ready("n1", "n2", "n3", "n4")
        self.net.heal()
        for name in ("n1", "n2", "n3", "n4"):
            wait_until(lambda: "there is another cluster" in nodes[name].log(), f"{name} says it")
        self.start(nodes, 5)
        # It joins the one that it sees first, or none when it sees both at once.
        wait_until(lambda: "there is another cluster" in nodes["n5"].log() or "there are two clusters" in nodes["n5"].log(), "n5 says it")
        left, right = set(nodes["n1"].members()), set(nodes["n3"].members())
        self.assertFalse(left & right)
        self.assertTrue({"n1", "n2"} <= left and {"n3", "n4"} <= right)


if __name__ == "__main__":
    if why := network.missing():
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
    network.enter()
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    print(f"seed {SEED}    (again: CONCORD_SEED={SEED})", flush=True)
    unittest.main(verbosity=2)
