"""Breaks a cluster, by a seed, and mends it again: one fault after the other, at times on a bad network as well."""

import collections
import contextlib
import os
import shutil
import signal
import time

from cluster import wait_until

MEBIBYTE = 1 << 20
DISK_BYTES = 260 * MEBIBYTE
READY_SECONDS = 60
FILL_SECONDS = 15


def number_of(node):
    return int(node.name[1:])


class Nemesis:
    def __init__(self, cluster, net, random, small_disk):
        """`small_disk`: where the disk of n1 is mounted, alone on it."""
        self.cluster, self.net, self.random, self.small_disk = cluster, net, random, small_disk
        self.nodes = list(cluster)
        self.done = collections.Counter()
        self.deck = []

    def faults(self):
        kinds = [self.kill_the_leader, self.kill_a_follower, self.kill_a_majority, self.kill_all, self.end_one_in_good_order,
                 self.pause_the_leader, self.pause_a_follower, self.pause_a_majority,
                 self.cut_off_the_leader, self.cut_off_a_follower, self.part_in_two, self.deafen_the_leader, self.mute_the_leader,
                 self.flapping_link, self.slow_and_mixed_up, self.lossy, self.hand_over, self.replace_a_member, self.fill_a_disk,
                 self.kill_and_cut]
        return kinds + ([self.ring, self.bridge] if len(self.nodes) >= 5 else [])

    def work(self, seconds):
        """Each kind of fault in turn, in an order of its own; ends with a whole cluster."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.deck:
                self.deck = self.random.sample(self.faults(), len(self.faults()))
            fault = self.deck.pop()
            self.done[fault.__name__] += 1
            if self.random.random() < 0.25:
                self.done["on a bad network"] += 1
                self.spoil_all(delay_ms=self.random.choice([2, 10, 30]), jitter_ms=2, loss=self.random.choice([0, 0, 0.02]))
            fault()
            self.net.heal()
            # The next may come before the cluster has recovered from this one.
            if self.random.random() < 0.7:
                self.wait_ready()
                time.sleep(self.random.uniform(0.1, 0.8))
        self.net.heal()
        self.wait_ready()

    def wait_ready(self):
        for node in self.nodes:
            wait_until(node.is_ready, f"{node.name} is ready", READY_SECONDS)

    def hold(self, most=1.8):
        time.sleep(self.random.uniform(0.2, most))

    # -----------------------------------------------------------------------------------------------------------------

    def leader(self):
        """The one that most nodes name; any, when there is none."""
        named = collections.Counter()
        for node in self.nodes:
            status, answer = node.call("GET", "/api/v1/status", timeout=1) if node.is_running() else (0, None)
            if status == 200 and answer["data"]["cluster"]["leader"]:
                named[answer["data"]["cluster"]["leader"]] += 1
        return self.cluster[named.most_common(1)[0][0]] if named else self.random.choice(self.nodes)

    def leader_and_others(self):
        leader = self.leader()
        return leader, [node for node in self.nodes if node is not leader]

    def majority(self):
        return self.random.sample(self.nodes, len(self.nodes) // 2 + 1)

    def numbers(self, nodes):
        return [number_of(node) for node in nodes]

    def spoil_all(self, **how):
        self.net.spoil(self.numbers(self.nodes), self.numbers(self.nodes), **how)

    def kill(self, nodes):
        for node in nodes:
            node.kill()
        self.hold(1.2)
        for node in self.random.sample(nodes, len(nodes)):
            node.start()

    def pause(self, nodes):
        for node in nodes:
            node.signal(signal.SIGSTOP)
        try:
            self.hold(2.5)
        finally:
            for node in nodes:
                node.signal(signal.SIGCONT)

    def cut(self, some):
        self.net.cut(self.numbers(some), self.numbers(node for node in self.nodes if node not in some))
        self.hold(2.5)

    # -----------------------------------------------------------------------------------------------------------------

    def kill_the_leader(self):
        self.kill([self.leader()])

    def kill_a_follower(self):
        self.kill([self.random.choice(self.leader_and_others()[1])])

    def kill_a_majority(self):
        self.kill(self.majority())

    def kill_all(self):
        self.kill(self.nodes)

    def end_one_in_good_order(self):
        node = self.random.choice(self.nodes)
        code = node.stop()
        assert code == 0, f"{node.name} ended with {code}"
        self.hold(0.6)
        node.start()

    def pause_the_leader(self):
        self.pause([self.leader()])

    def pause_a_follower(self):
        self.pause([self.random.choice(self.leader_and_others()[1])])

    def pause_a_majority(self):
        self.pause(self.majority())

    def cut_off_the_leader(self):
        self.cut([self.leader()])

    def cut_off_a_follower(self):
        self.cut([self.random.choice(self.leader_and_others()[1])])

    def part_in_two(self):
        self.cut(self.majority())

    def deafen_the_leader(self):
        leader, others = self.leader_and_others()
        self.net.spoil(self.numbers(others), [number_of(leader)], cut=True)
        self.hold(2.5)

    def mute_the_leader(self):
        leader, others = self.leader_and_others()
        self.net.spoil([number_of(leader)], self.numbers(others), cut=True)
        self.hold(2.5)

    def flapping_link(self):
        leader, others = self.leader_and_others()
        other = self.random.choice(others)
        for _ in range(4):
            self.net.cut([number_of(leader)], [number_of(other)])
            time.sleep(0.3)
            self.net.heal()
            time.sleep(0.15)

    def ring(self):
        """Each sees only its two neighbours."""
        ring = self.numbers(self.random.sample(self.nodes, len(self.nodes)))
        for at, host in enumerate(ring):
            for step in range(2, len(ring) - 1):
                self.net.spoil([host], [ring[(at + step) % len(ring)]], cut=True)
        self.hold(2.5)

    def bridge(self):
        """Two halves that see each other only through one node."""
        nodes = self.numbers(self.random.sample(self.nodes, len(self.nodes)))
        middle = len(nodes) // 2
        self.net.cut(nodes[:middle], nodes[middle + 1:])
        self.hold(2.5)

    def slow_and_mixed_up(self):
        self.spoil_all(delay_ms=40, jitter_ms=30)
        self.hold(2.5)

    def lossy(self):
        self.spoil_all(loss=0.1)
        self.hold(2.5)

    def hand_over(self):
        leader, others = self.leader_and_others()
        for other in self.random.sample(others, min(2, len(others))):
            leader.call("POST", "/api/v1/cluster/leader", {"name": other.name}, timeout=3)
            self.hold(0.3)

    def kill_and_cut(self):
        """A node dies while another is cut off: three nodes have no quorum then."""
        victim, other = self.random.sample(self.nodes, 2)
        self.net.cut([number_of(other)], self.numbers(node for node in self.nodes if node is not other))
        self.kill([victim])

    def replace_a_member(self):
        """A follower is removed from the cluster and comes back with an empty directory."""
        self.net.heal()
        self.wait_ready()
        leader, others = self.leader_and_others()
        victim = self.random.choice([node for node in others if node is not self.nodes[0]] or others)
        rest = [node for node in self.nodes if node is not victim]

        def is_removed():
            asked = self.random.choice(rest)
            asked.call("DELETE", f"/api/v1/cluster/members/{victim.name}?timeout_ms=4000", timeout=6)
            members = asked.members()
            return members and victim.name not in members

        wait_until(is_removed, f"{victim.name} is removed", READY_SECONDS)
        time.sleep(self.random.uniform(0, 0.5))
        victim.kill()
        shutil.rmtree(victim.data_dir)
        if "--cluster-join" not in victim.flags:
            at = victim.flags.index("--cluster-initial")
            victim.flags[at:at + 2] = ["--cluster-join", ",".join(node.peer for node in rest)]
        victim.start()
        wait_until(victim.is_ready, f"{victim.name} has joined again", READY_SECONDS)

    def fill_a_disk(self):
        """That of n1, until it takes no more writes."""
        node = self.nodes[0]
        writer = self.leader()
        writer = writer if writer is not node else self.random.choice(self.nodes[1:])
        ballast = os.path.join(self.small_disk, "ballast")
        free = os.statvfs(self.small_disk)
        try:
            with open(ballast, "wb") as file, contextlib.suppress(OSError):  # the node takes space meanwhile
                os.posix_fallocate(file.fileno(), 0, max(1, (free.f_bavail - 64) * free.f_frsize))
            value = self.random.randbytes(MEBIBYTE * 3 // 2).hex()
            end = time.monotonic() + FILL_SECONDS
            while time.monotonic() < end:
                writer.call("PUT", "/api/v1/kv/large?timeout_ms=3000", {"value": value, "compress": False}, timeout=4)
                status, answer = node.call("GET", "/api/v1/status", timeout=2)
                if status == 200 and not answer["data"]["storage"]["writable"]:
                    self.done["fill_a_disk: full"] += 1
                    self.hold()
                    return
        finally:
            os.remove(ballast)
