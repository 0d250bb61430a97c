"""Nodes that find each other by gossip at given addresses: discovery_test.py PROGRAM. How they become one cluster, and what keeps them."""

import os
import random
import shutil
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, Node, free_ports, wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None
SEED = int(os.environ.get("CONCORD_SEED", random.SystemRandom().randrange(1 << 32)))
SETTLE_MS = 600


class DiscoveryTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.directory = tempfile.mkdtemp(prefix="concord-discovery-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def nodes(self):
        """An empty cluster, to which nodes are added."""
        return Cluster(PROGRAM, self.directory, 0)

    def add(self, nodes, name, known=(), expected=3, cookie="a secret", flags=()):
        """A node that tells those in `known` where it is; not started. Its gossip has the number of its peer port."""
        node = Node(PROGRAM, self.directory, name, cookie=cookie, flags=[
            "--cluster-discovery", "gossip", "--cluster-gossip-group", "", "--cluster-settle-ms", str(SETTLE_MS),
            "--cluster-expected-size", str(expected), "--cluster-gossip-addresses", ",".join(other.peer for other in known), *flags])
        nodes.nodes[name] = node
        return node

    def three(self, nodes, **options):
        first = self.add(nodes, "n1", flags=["--cluster-gossip-addresses", "127.0.0.1:1"], **options)
        return [first, self.add(nodes, "n2", [first], **options), self.add(nodes, "n3", [first], **options)]

    def wait_voters(self, nodes, names):
        def all_vote():
            return all({name for name, member in node.members().items() if member["role"] == "voter"} == set(names)
                       for node in nodes.running())

        wait_until(all_vote, f"{names} vote everywhere")
        self.assertEqual(len({node.status()["cluster"]["id"] for node in nodes.running()}), 1, "one cluster")

    def test_three_nodes_form_a_cluster_and_a_fourth_joins_and_votes(self):
        with self.nodes() as nodes:
            for node in self.three(nodes):
                node.start()
            nodes.wait_ready()
            self.wait_voters(nodes, ["n1", "n2", "n3"])
            self.assertEqual(nodes["n2"].put("k", 1)[0], 200)
            self.add(nodes, "n4", [nodes["n3"]]).start()
            nodes.wait_ready("n4")
            self.wait_voters(nodes, ["n1", "n2", "n3", "n4"])
            self.assertEqual(nodes["n4"].get("k"), 1)
            self.assertFalse(any(os.path.exists(os.path.join(node.data_dir, "promise")) for node in nodes))

    def test_a_restart_needs_no_discovery(self):
        with self.nodes() as nodes:
            for node in self.three(nodes):
                node.start()
            nodes.wait_ready()
            self.assertEqual(nodes["n1"].put("k", 1)[0], 200)
            identity = nodes["n1"].status()["cluster"]["id"]
            for node in nodes:
                node.kill()
            for node in nodes:  # nobody tells anybody anything, and more are expected
                node.start("--cluster-gossip-addresses", "127.0.0.1:1", "--cluster-expected-size", "7")
            nodes.wait_ready()
            self.assertEqual(nodes["n3"].get("k"), 1)
            self.assertEqual({node.status()["cluster"]["id"] for node in nodes}, {identity})

    def test_members_that_all_moved_meet_again(self):
        with self.nodes() as nodes:
            for node in self.three(nodes):
                node.start()
            nodes.wait_ready()
            self.assertEqual(nodes["n1"].put("k", 1)[0], 200)
            for node in nodes:
                node.kill()
            for node, port in zip(nodes, free_ports(3), strict=True):
                node.peer_port, node.peer = port, f"127.0.0.1:{port}"
            for node in nodes:
                node.start("--cluster-gossip-addresses", nodes["n1"].peer)
            nodes.wait_ready()
            self.assertEqual(nodes["n3"].get("k"), 1)
            wait_until(lambda: {name: member["peer"] for name, member in nodes["n2"].members().items()} ==
                       {node.name: node.peer for node in nodes}, "the members know where they are")

    def test_too_few_say_whom_they_wait_for(self):
        with self.nodes() as nodes:
            first, second, third = self.three(nodes)
            first.start()
            second.start()

            def says(node, text):
                status, answer = node.call("GET", "/readyz")
                self.assertNotEqual(status, 200, "two of three are no cluster")
                return text in str(answer)

            for node in (first, second):
                wait_until(lambda: says(node, '2 of 3 expected nodes are there: "n1" and "n2"'), f"{node.name} says what is missing")
                self.assertIn("2 of 3 expected nodes are there", node.log())
                self.assertEqual(node.put("k", 1)[0], 503)
            time.sleep(3 * SETTLE_MS / 1000)
            self.assertEqual(first.call("GET", "/readyz")[0], 503)
            third.start()
            nodes.wait_ready()
            self.wait_voters(nodes, ["n1", "n2", "n3"])

    def test_a_node_with_another_cookie_is_not_heard(self):
        with self.nodes() as nodes:
            first, second, third = self.three(nodes)
            first.start()
            second.start()
            spy = self.add(nodes, "n0", [first, second], cookie="a guess").start()
            wait_until(lambda: "wrong cookie" in first.log(), "it is logged")
            third.start()
            nodes.wait_ready("n1", "n2", "n3")
            self.assertEqual(set(first.members()), {"n1", "n2", "n3"})
            self.assertFalse(spy.is_ready())
            self.assertEqual(first.log().count("was dropped: wrong cookie"), 1, "once a minute")

    def test_different_expectations_are_said_and_form_nothing(self):
        with self.nodes() as nodes:
            first = self.add(nodes, "n1", flags=["--cluster-gossip-addresses", "127.0.0.1:1"], expected=2).start()
            second = self.add(nodes, "n2", [first], expected=3).start()
            wait_until(lambda: "expects a cluster of 3, this node one of 2" in first.log(), "n1 says it")
            wait_until(lambda: "expects a cluster of 2, this node one of 3" in second.log(), "n2 says it")
            self.assertFalse(first.is_ready() or second.is_ready())
            second.kill()
            second.start("--cluster-expected-size", "2")
            nodes.wait_ready()
            self.wait_voters(nodes, ["n1", "n2"])

    def test_two_nodes_of_one_name_are_told_so(self):
        with self.nodes() as nodes:
            first = self.add(nodes, "n1", flags=["--cluster-gossip-addresses", "127.0.0.1:1"], expected=2).start()
            self.add(nodes, "n2", [first], expected=2, flags=["--node-name", "n1"]).start()
            wait_until(lambda: 'there are two nodes "n1"' in first.log(), "n1 says it")
            self.assertFalse(first.is_ready())

    def test_of_nodes_that_expect_one_the_first_forms_the_cluster_and_the_others_join_it(self):
        with self.nodes() as nodes:
            for node in self.three(nodes, expected=1):
                node.start()
            nodes.wait_ready()
            self.wait_voters(nodes, ["n1", "n2", "n3"])

    def test_a_node_alone_forms_a_cluster_when_one_is_expected_and_stays_in_it(self):
        with self.nodes() as nodes:
            alone = self.add(nodes, "n1", flags=["--cluster-gossip-addresses", "127.0.0.1:1"], expected=1).start()
            nodes.wait_ready()
            self.assertEqual(alone.put("k", 1)[0], 200)
            alone.kill()
            alone.start()
            nodes.wait_ready()
            other = self.add(nodes, "n0", [alone], expected=1).start()  # would be the first by name
            nodes.wait_ready()
            self.wait_voters(nodes, ["n0", "n1"])
            self.assertEqual(other.get("k"), 1)

    def test_nodes_that_are_killed_while_they_form_become_one_cluster(self):
        with self.nodes() as nodes:
            three = self.three(nodes)
            for node in three:
                node.start()
            end = time.monotonic() + 8
            while time.monotonic() < end:
                time.sleep(self.random.random() * 0.8)
                victim = self.random.choice(three)
                victim.kill()
                time.sleep(self.random.random() * 0.4)
                victim.start()
            nodes.wait_ready()
            self.wait_voters(nodes, ["n1", "n2", "n3"])
            self.assertEqual(nodes["n1"].put("k", 1)[0], 200)

    def test_a_wiped_founder_does_not_come_back_as_the_one_it_was(self):
        with self.nodes() as nodes:
            for node in self.three(nodes):
                node.start()
            nodes.wait_ready()
            wiped = nodes["n3"]
            wiped.kill()
            shutil.rmtree(wiped.data_dir)
            wiped.start()
            wait_until(lambda: "remove the member and add it again" in wiped.log(), "it is refused")
            self.assertFalse(wiped.is_ready())
            self.assertEqual(nodes["n1"].call("DELETE", "/api/v1/cluster/members/n3")[0], 200)
            nodes.wait_ready()
            self.wait_voters(nodes, ["n1", "n2", "n3"])

    def test_what_makes_no_sense_stops_the_start(self):
        with self.nodes() as nodes:
            for name, flags, why in [
                    ("a", ["--cluster-cookie", ""], "needs a cookie"),
                    ("b", ["--cluster-initial", "b=127.0.0.1:9100"], "two ways to form a cluster"),
                    ("c", ["--cluster-discovery", "dns"], "cluster.dns_name"),
                    ("d", ["--cluster-discovery", "static"], "set cluster.discovery"),
                    ("e", ["--cluster-gossip-group", "10.0.0.1:9"], "no IPv4 multicast group"),
                    ("f", ["--cluster-gossip-addresses", ""], "needs a group or addresses")]:
                node = self.add(nodes, name, flags=["--cluster-gossip-addresses", "127.0.0.1:1"]).start(*flags)
                self.assertEqual(node.process.wait(timeout=20), 1, name)
                self.assertIn(why, node.log())


if __name__ == "__main__":
    print(f"seed {SEED}    (again: CONCORD_SEED={SEED})", flush=True)
    unittest.main(verbosity=2)
