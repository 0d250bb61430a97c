"""Clusters whose network, processes and disks fail: cluster_faults_test.py PROGRAM [TEST...]. Each node is a host of its own network
(network.py), clients work on the cluster all the time and know what must hold (witness.py). Ends with 77 where there can be no such network."""

import json
import os
import random
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import network  # noqa: E402
from cluster import Cluster, wait_until  # noqa: E402
from witness import Witness  # noqa: E402

SKIPPED = 77
SEED = int(os.environ.get("CONCORD_SEED", random.SystemRandom().randrange(1 << 32)))
PROGRAM = None
ELECTION_TIMEOUT_SECONDS = 0.5
MEBIBYTE = 1 << 20


def number_of(node):
    return int(node.name[1:])


def numbers_of(nodes):
    return [number_of(node) for node in nodes]


class FaultsTest(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.directory = tempfile.mkdtemp(prefix="concord-faults-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def network(self, size):
        return self.enterContext(network.Network(size, self.random.randrange(1 << 32)))

    def cluster(self, size=3, flags=(), prepare=None):
        """Started, on a network of its own; `prepare` sees it before."""
        self.net = self.network(size)
        cluster = Cluster(PROGRAM, self.directory, size, flags, network=self.net)
        if prepare:
            prepare(cluster)
        self.enterContext(cluster)
        self.addCleanup(self.show_logs, cluster)
        return cluster

    def show_logs(self, cluster):
        """After a failure: what the nodes said, and say of themselves now."""
        result = self._outcome.result
        if all(test is not self for test, _ in result.failures + result.errors):
            return
        for node in cluster:
            print(f"--- {node.name}: {node.is_running() and node.status()}\n{node.log()[-6000:]}", flush=True)

    def without(self, cluster, *nodes):
        return [node for node in cluster if node not in nodes]

    def wait_other_leader(self, nodes, old):
        """The leader all these nodes follow, and not that one."""

        def found():
            leaders = {node.leader() for node in nodes}
            name = leaders.pop() if len(leaders) == 1 else None
            return name not in (None, old.name) and name

        name = wait_until(found, f"a leader other than {old.name}")
        return next(node for node in nodes if node.name == name)

    def refuses(self, node, consistency):
        status, answer = node.call("GET", f"/api/v1/kv/k?consistency={consistency}&timeout_ms=4000")
        return (status, answer["error"]["code"]) == (503, "CLUSTER_UNAVAILABLE") if status == 503 else False

    # -----------------------------------------------------------------------------------------------------------------
    # The network.

    def test_a_leader_that_is_cut_off_refuses_and_the_others_go_on(self):
        cluster = self.cluster()
        self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
        cluster.wait_same()
        with Witness(cluster) as witness:
            witness.wait_progress()
            old = cluster.wait_leader()
            others = self.without(cluster, old)
            self.net.cut([number_of(old)], numbers_of(others))
            self.wait_other_leader(others, old)
            wait_until(lambda: others[0].put("k", 2)[0] == 200, "the majority takes writes")
            self.assertEqual(others[1].get("k", "strong"), 2)
            wait_until(lambda: self.refuses(old, "leader"), "the old leader refuses leader reads")
            self.assertTrue(self.refuses(old, "strong"))
            status, answer = old.put("k", 3)
            self.assertEqual((status, answer["error"]["code"]), (503, "CLUSTER_UNAVAILABLE"), answer)
            self.assertEqual(old.get("k", "eventual"), 1, "what it has")
            self.assertEqual(old.call("GET", "/readyz")[0], 503)
            self.assertIsNone(old.leader())
            self.net.heal()
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()
        for node in cluster:
            self.assertEqual(node.get("k", "strong"), 2)

    def one_way(self, direction):
        cluster = self.cluster()
        with Witness(cluster) as witness:
            witness.wait_progress()
            old = cluster.wait_leader()
            others = self.without(cluster, old)
            between = [[number_of(old)], numbers_of(others)]
            self.net.spoil(*(between if direction == "out" else reversed(between)), cut=True)
            self.wait_other_leader(others, old)
            wait_until(lambda: others[0].put("k", 1)[0] == 200, "the majority takes writes")
            wait_until(lambda: self.refuses(old, "leader"), "the old leader refuses leader reads")
            self.net.heal()
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    def test_a_leader_that_only_sends_is_replaced(self):
        self.one_way("in")

    def test_a_leader_that_only_receives_is_replaced(self):
        self.one_way("out")

    def test_five_nodes_of_which_each_sees_only_its_neighbours_come_to_one_mind_again(self):
        cluster = self.cluster(size=5)
        with Witness(cluster) as witness:
            witness.wait_progress()
            ring = [1, 2, 3, 4, 5]
            for at, host in enumerate(ring):
                self.net.cut([host], [ring[(at + 2) % 5]])
            # A leader with its two neighbours is a majority: writes go on at what sees the leader.
            before = len(witness.acknowledged)
            wait_until(lambda: len(witness.acknowledged) > before + 20, "writes are acknowledged in a ring")
            time.sleep(4 * ELECTION_TIMEOUT_SECONDS)
            before = len(witness.acknowledged)
            wait_until(lambda: len(witness.acknowledged) > before + 20, "writes are still acknowledged in a ring")
            self.net.heal()
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    def test_a_bridge_between_two_halves_keeps_the_cluster_going(self):
        """n1 n2 | n3 | n4 n5: only n3 sees both sides, and can lead them all, or one side with it is the majority."""
        cluster = self.cluster(size=5)
        with Witness(cluster) as witness:
            witness.wait_progress()
            self.net.cut([1, 2], [4, 5])
            time.sleep(4 * ELECTION_TIMEOUT_SECONDS)
            before = len(witness.acknowledged)
            wait_until(lambda: len(witness.acknowledged) > before + 20, "writes are acknowledged")
            self.net.heal()
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    def test_a_slow_lossy_network_that_mixes_up_packets(self):
        cluster = self.cluster()
        with Witness(cluster) as witness:
            witness.wait_progress()
            everybody = numbers_of(cluster)
            self.net.spoil(everybody, everybody, delay_ms=50, jitter_ms=30, loss=0.05)
            witness.wait_progress(30)
            time.sleep(3)
            witness.wait_progress(10)
            self.net.heal()
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    def test_a_flapping_link(self):
        cluster = self.cluster()
        with Witness(cluster) as witness:
            witness.wait_progress()
            for _ in range(10):
                leader = cluster.wait_leader()
                others = self.without(cluster, leader)
                self.net.cut([number_of(leader)], numbers_of(others[:1]))
                time.sleep(0.3)
                self.net.heal()
                time.sleep(0.2)
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    # -----------------------------------------------------------------------------------------------------------------
    # Processes.

    def test_leader_and_follower_stop_for_three_seconds(self):
        cluster = self.cluster()
        with Witness(cluster) as witness:
            witness.wait_progress()
            leader = cluster.wait_leader()
            for stopped in (self.without(cluster, leader)[0], leader):
                stopped.signal(signal.SIGSTOP)
                try:
                    time.sleep(3)
                finally:
                    stopped.signal(signal.SIGCONT)
                cluster.wait_ready()
                witness.wait_progress()
        witness.check()

    def test_nodes_are_killed_one_after_the_other(self):
        cluster = self.cluster()
        with Witness(cluster) as witness:
            witness.wait_progress()
            for number in range(6):
                victim = cluster.wait_leader() if number % 2 == 0 else self.random.choice(list(cluster))
                victim.kill()
                time.sleep(self.random.uniform(0, 0.6))
                victim.start()
                # The next dies before this one is ready, at times.
                cluster.wait_ready(*([] if number % 3 == 2 else [node.name for node in self.without(cluster, victim)]))
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    # -----------------------------------------------------------------------------------------------------------------
    # Disks.

    def small_disk(self, node):
        """Gives the node a disk that has room for one segment of the log; returns the file whose removal makes room for another."""
        place = os.path.join(self.directory, f"disk-{node.name}")
        os.mkdir(place)
        network.run("mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", place)
        self.addCleanup(network.run, "umount", "--lazy", place)
        ballast = os.path.join(place, "ballast")
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 75 * MEBIBYTE)
        node.data_dir = os.path.join(place, "data")
        return ballast

    def fill(self, node, is_full, size=3 * MEBIBYTE):
        """Writes values of this size until it is."""
        value = self.random.randbytes(size // 2).hex()
        for _ in range(100):
            answer = node.call("PUT", "/api/v1/kv/large?timeout_ms=4000", {"value": value, "compress": False}, timeout=10)
            if is_full(*answer):
                return
        self.fail(f"the disk did not fill: {answer}")

    @staticmethod
    def is_full(node):
        return not node.status()["storage"]["writable"]

    def full_disk(self, leader):
        """The disk of n1 fills while that node leads."""
        ballasts = []
        cluster = self.cluster(prepare=lambda made: ballasts.append(self.small_disk(made["n1"])))
        full = cluster["n1"]
        self.assertEqual(cluster["n3"].call("POST", "/api/v1/cluster/leader", {"name": leader})[0], 200)
        wait_until(lambda: cluster.wait_leader().name == leader, f"{leader} leads")
        others = self.without(cluster, full)
        self.assertEqual(cluster["n3"].put("k", 1)[0], 200)
        cluster.wait_same()
        with Witness(cluster) as witness:
            witness.wait_progress()
            self.fill(others[0], lambda *_: self.is_full(full))
            self.wait_other_leader(others, full)
            witness.wait_progress(readers=others)
            if leader != full.name:
                wait_until(lambda: self.refuses(full, "strong"), "it has fallen behind, and says so")
            self.assertTrue(self.is_full(full))
            self.assertEqual(full.call("GET", "/readyz")[0], 503)
            self.assertEqual(full.call("GET", "/livez")[0], 200)
            self.assertEqual(full.get("k", "eventual"), 1)
            status, answer = full.put("by-full", 1)
            self.assertEqual(status, 200, ("it passes writes on", answer))
            self.assertEqual(others[0].get("by-full", "strong"), 1)
            status, answer = full.call("PUT", "/api/v1/kv/by-full", {"value": 2, "expected": 5})
            self.assertEqual((status, answer["error"]["code"]), (409, "CONDITION_FAILED"), "with what became of them")
            status, answer = full.call("POST", "/api/v1/tokens", {"permissions": ["read"], "description": "by the full one"})
            self.assertEqual((status, answer["data"]["description"]), (201, "by the full one"))
            self.assertTrue(full.is_running())
            os.remove(ballasts[0])
            wait_until(lambda: not self.is_full(full), "writable again", seconds=10)
            cluster.wait_ready()
            witness.wait_progress()
        witness.check()

    def test_a_follower_with_a_full_disk_serves_and_recovers(self):
        self.full_disk(leader="n2")

    def test_a_leader_with_a_full_disk_hands_over_and_recovers(self):
        self.full_disk(leader="n1")

    def test_full_disks_everywhere_end_no_node(self):
        ballasts = []
        cluster = self.cluster(prepare=lambda made: ballasts.extend(self.small_disk(node) for node in made))
        self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
        for size in (3 * MEBIBYTE, 500_000, 50_000, 5000, 500):
            self.fill(cluster["n1"], lambda status, answer: status == 507, size)
        for _ in range(2):
            leader = cluster.wait_leader()
            leader.kill()
            wait_until(lambda: all(node.call("GET", "/livez")[0] == 200 for node in cluster.running()), "the others live")
            time.sleep(3 * ELECTION_TIMEOUT_SECONDS)
            leader.start()
            wait_until(lambda: leader.status() is not None, "it starts with a full disk")
        for node in cluster:
            self.assertTrue(node.is_running(), node.name)
            self.assertEqual(node.get("k", "eventual"), 1)
        for ballast in ballasts:
            os.remove(ballast)
        cluster.wait_ready()
        with Witness(cluster) as witness:
            witness.wait_progress()
        witness.check()

    # -----------------------------------------------------------------------------------------------------------------
    # Strangers.

    def test_strangers_at_the_peer_port_change_nothing(self):
        cluster = self.cluster(flags=["--cluster-election-timeout-ms", "5000"])  # no election because this machine is slow
        handshake = self.record_handshake(cluster)
        leader = cluster.wait_leader().name
        term = cluster["n1"].status()["cluster"]["term"]
        half_open = []
        with Witness(cluster) as witness:
            witness.wait_progress()
            for _ in range(40):
                for node in cluster:
                    for attack in self.attacks(handshake):
                        with socket.create_connection((node.host, node.peer_port), timeout=5) as link:
                            try:
                                link.sendall(attack)
                            except OSError:
                                pass  # closed already
                    half_open.append(socket.create_connection((node.host, node.peer_port), timeout=5))
            witness.wait_progress()
            for node in cluster:
                self.check_replay(node, handshake)
            for link in half_open:
                link.close()
            witness.wait_progress()
            for node in cluster:
                self.assertEqual(set(node.members()), {"n1", "n2", "n3"})
                self.assertEqual(node.leader(), leader)
                self.assertEqual(node.status()["cluster"]["term"], term, "nobody had to elect anew")
        witness.check()

    def record_handshake(self, cluster):
        """The bytes a member sent to another when it connected, handshake and first frames."""
        dialler = cluster.followers()[0]
        target = next(node for node in cluster if node is not dialler)
        self.net.tell(record=True)
        dialler.kill()
        dialler.start()
        cluster.wait_ready()
        streams = {}
        for frame in self.net.recorded():
            found = tcp_segment(frame)
            if not found or (found["from"], found["to"], found["port"]) != (dialler.host, target.host, target.peer_port):
                continue
            if found["is_first"]:
                streams[found["from_port"]] = (found["sequence"] + 1, {})
            elif found["from_port"] in streams:
                begin, bytes_at = streams[found["from_port"]]
                for offset, byte in enumerate(found["payload"]):
                    bytes_at.setdefault((found["sequence"] + offset - begin) % (1 << 32), byte)
        sent = [bytes(bytes_at[at] for at in range(len(bytes_at))) for _, bytes_at in streams.values()
                if bytes_at and max(bytes_at) == len(bytes_at) - 1]
        handshake = max(sent, key=len)
        self.assertTrue(handshake.startswith(b"CNCP"), handshake[:16])
        return handshake

    def attacks(self, handshake):
        """What strangers say; a new mixture each time."""
        packet = b"CNCP" + struct.pack("<IB", self.random.choice([0, 1, 4096, 4097, 0x7FFFFFFF, 0xFFFFFFFF]), self.random.randrange(256))
        cut = self.random.randrange(len(handshake))
        return [
            b"",
            self.random.randbytes(self.random.randrange(1, 5000)),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            packet,
            packet + self.random.randbytes(5000),
            handshake,
            handshake[:cut],
            handshake[:cut] + self.random.randbytes(40),
        ]

    def check_replay(self, node, handshake):
        """What a member once said proves nothing: the connection ends without a welcome."""
        with socket.create_connection((node.host, node.peer_port), timeout=10) as link:
            try:
                link.sendall(handshake)
                answer = b""
                while more := link.recv(65536):
                    answer += more
            except ConnectionResetError:
                pass
        kinds = []
        while answer:
            size, kind = struct.unpack_from("<IB", answer, 4)
            kinds.append(kind)
            answer = answer[9 + size:]
        self.assertNotIn(4, kinds, "a recorded handshake was welcomed")


def tcp_segment(frame):
    """Of an Ethernet frame with TCP over IPv4; else nothing."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    ip_end = 14 + 4 * (frame[14] & 15)
    total = struct.unpack_from(">H", frame, 16)[0]
    from_port, port, sequence = struct.unpack_from(">HHI", frame, ip_end)
    tcp_end = ip_end + 4 * (frame[ip_end + 12] >> 4)
    return {"from": socket.inet_ntoa(frame[26:30]), "to": socket.inet_ntoa(frame[30:34]), "from_port": from_port, "port": port,
            "sequence": sequence, "is_first": frame[ip_end + 13] & 2 != 0, "payload": frame[tcp_end:14 + total]}


if __name__ == "__main__":
    if why := network.missing():
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
    network.enter()
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    print(f"seed {SEED}    (again: CONCORD_SEED={SEED})", flush=True)
    unittest.main(verbosity=2)
