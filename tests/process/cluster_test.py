"""Clusters of real processes: cluster_test.py PROGRAM. What three nodes promise together, through kills, joins and partings."""

import os
import shutil
import signal
import socketserver
import struct
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, Node, wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


class Writer(threading.Thread):
    """Writes keys of its own one after the other through whatever node answers; remembers what was acknowledged."""

    def __init__(self, nodes, name):
        super().__init__(daemon=True)
        self.nodes, self.prefix = list(nodes), name
        self.acknowledged, self.unknown, self.refused = [], [], []
        self.stopping = threading.Event()
        self.start()

    def run(self):
        number, at = 0, 0
        while not self.stopping.is_set():
            key = f"{self.prefix}-{number}"
            status, answer = self.nodes[at].put(key, number, timeout=8)
            if status == 200:
                self.acknowledged.append(key)
            elif status in (503, 429, 507):
                self.refused.append(key)
            else:
                self.unknown.append((key, status, answer))
            if status != 200:
                at = (at + 1) % len(self.nodes)
                time.sleep(0.05)
            number += 1

    def stop(self):
        self.stopping.set()
        self.join(timeout=20)
        return self


class ClusterTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-cluster-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def cluster(self, size=3, flags=()):
        return Cluster(PROGRAM, self.directory, size, flags)

    def check_all_there(self, cluster, writer):
        self.assertGreater(len(writer.acknowledged), 0)
        for node in cluster.running():
            for first in range(0, len(writer.acknowledged), 500):
                keys = writer.acknowledged[first:first + 500]
                status, answer = node.call("POST", "/api/v1/kv/bulk/get?consistency=strong", {"keys": keys})
                self.assertEqual(status, 200, answer)
                missing = [key for key in keys if answer["data"].get(key, {}).get("status") != "ok"]
                self.assertEqual(missing, [], f"acknowledged and not there on {node.name}")

    def test_every_node_takes_writes_and_reads_of_every_consistency(self):
        with self.cluster() as cluster:
            for node in cluster:
                status, answer = node.put(f"by-{node.name}", node.name)
                self.assertEqual(status, 200, answer)
            for reader in cluster:
                for writer in cluster:
                    for consistency in ("strong", "leader"):
                        self.assertEqual(reader.get(f"by-{writer.name}", consistency), writer.name)
            cluster.wait_same()
            for reader in cluster:
                self.assertEqual(reader.get("by-n1", "eventual"), "n1")

    def test_a_strong_read_sees_every_write_acknowledged_before_it(self):
        with self.cluster() as cluster:
            nodes = list(cluster)
            for number in range(150):
                status, answer = nodes[number % 3].put("counter", number)
                self.assertEqual(status, 200, answer)
                self.assertEqual(nodes[(number + 1) % 3].get("counter", "strong"), number)

    def test_conditions_hold_across_nodes_and_revisions_agree(self):
        with self.cluster() as cluster:
            self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
            swapped = [node.call("PUT", "/api/v1/kv/k", {"value": 2, "expected": 1})[0] for node in cluster]
            self.assertEqual(sorted(swapped), [200, 409, 409])
            revisions = {node.call("GET", "/api/v1/kv/k?meta=true&consistency=strong")[1]["data"]["revision"] for node in cluster}
            self.assertEqual(revisions, {2})

    def test_nothing_acknowledged_is_lost_when_leaders_are_killed(self):
        with self.cluster() as cluster:
            writers = [Writer(cluster, f"w{number}") for number in range(4)]
            for _ in range(4):
                time.sleep(0.7)
                leader = cluster.wait_leader()
                leader.kill()
                wait_until(lambda: any(n.leader() not in (None, leader.name) for n in cluster.running()), "another leader")
                time.sleep(0.3)
                leader.start()
                cluster.wait_ready()
            for writer in writers:
                writer.stop()
            cluster.wait_same()
            for writer in writers:
                self.check_all_there(cluster, writer)

    def test_a_write_is_made_once_whatever_became_of_its_leader(self):
        with self.cluster() as cluster:
            done = []
            stopping = threading.Event()

            def count(node):
                while not stopping.is_set():
                    if not node.is_running():
                        time.sleep(0.02)
                        continue
                    status, answer = node.call("POST", "/api/v1/txn", {"guards": [], "then": [{"op": "put", "key": "x", "value": 1}]}, timeout=8)
                    done.append((status, answer))

            threads = [threading.Thread(target=count, args=(node,), daemon=True) for node in cluster]
            for thread in threads:
                thread.start()
            for _ in range(3):
                time.sleep(0.6)
                leader = cluster.wait_leader()
                leader.kill()
                time.sleep(1.2)
                leader.start()
                cluster.wait_ready()
            stopping.set()
            for thread in threads:
                thread.join(timeout=20)
            acknowledged = [answer["revision"] for status, answer in done if status == 200]
            unknown = [answer for status, answer in done if status in (0, 504)]
            self.assertEqual(len(acknowledged), len(set(acknowledged)), "a revision was given twice")
            cluster.wait_same()
            revision = cluster["n1"].status()["storage"]["revision"]
            self.assertGreaterEqual(revision, len(acknowledged))
            self.assertLessEqual(revision, len(acknowledged) + len(unknown), "more happened than was asked for")

    def test_a_stop_hands_leadership_over_and_nobody_notices(self):
        with self.cluster() as cluster:
            for _ in range(2):
                leader = cluster.wait_leader()
                others = [node for node in cluster if node is not leader]
                writer = Writer(others, f"w-{leader.name}")
                time.sleep(0.3)
                self.assertEqual(leader.stop(), 0)
                time.sleep(0.3)
                writer.stop()
                self.assertEqual((writer.unknown, writer.refused), ([], []))
                self.check_all_there(cluster, writer)
                leader.start()
                cluster.wait_ready()

    def test_a_minority_refuses_writes_and_strong_reads_and_serves_what_it_has(self):
        with self.cluster() as cluster:
            self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
            cluster.wait_same()
            leader = cluster.wait_leader()
            rest = cluster.followers()[0]
            for node in cluster:
                if node is not rest:
                    node.kill()
            wait_until(lambda: rest.leader() is None, "the leader is gone")
            status, answer = rest.put("k", 2)
            self.assertEqual((status, answer["error"]["code"]), (503, "CLUSTER_UNAVAILABLE"), answer)
            status, answer = rest.call("GET", "/api/v1/kv/k?consistency=strong")
            self.assertEqual((status, answer["error"]["code"]), (503, "CLUSTER_UNAVAILABLE"), answer)
            self.assertEqual(rest.get("k", "eventual"), 1)
            self.assertEqual(rest.call("GET", "/readyz")[0], 503)
            self.assertEqual(rest.call("GET", "/livez")[0], 200)
            self.assertIsNotNone(rest.status())
            leader.start()
            cluster.wait_ready(leader.name, rest.name)
            self.assertEqual(rest.get("k"), 1, "what was refused did not happen")
            self.assertEqual(rest.put("k", 3)[0], 200)

    def test_all_nodes_killed_at_once_come_back_with_everything(self):
        with self.cluster() as cluster:
            writer = Writer(cluster, "w")
            time.sleep(0.7)
            for node in cluster:
                node.kill()
            writer.stop()
            for node in cluster:
                node.start()
            cluster.wait_ready()
            self.check_all_there(cluster, writer)

    def test_a_follower_far_behind_gets_a_snapshot(self):
        with self.cluster(flags=["--snapshot-every-entries", "50", "--snapshot-every-bytes", "20000"]) as cluster:
            behind = cluster.followers()[0]
            behind.kill()
            others = [node for node in cluster if node is not behind]
            for number in range(60):
                items = [{"key": f"{number}-{i}", "value": "x" * 200} for i in range(200)]
                status, answer = others[0].call("POST", "/api/v1/kv/bulk", {"operations": items})
                self.assertEqual(status, 200, answer)
            behind.start()
            cluster.wait_ready()
            cluster.wait_same()
            self.assertEqual(behind.status()["storage"]["size"], 60 * 200)
            self.assertEqual(behind.get("59-199", "eventual"), "x" * 200)
            behind.kill()
            behind.start()
            cluster.wait_ready()
            self.assertEqual(behind.status()["storage"]["size"], 60 * 200)

    def test_a_node_joins_by_itself_and_votes_and_is_removed(self):
        with self.cluster() as cluster:
            self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
            new = cluster.add("n4").start()
            cluster.wait_ready("n4")
            self.assertEqual(new.get("k"), 1)
            wait_until(lambda: cluster["n1"].members().get("n4", {}).get("role") == "voter", "n4 votes")
            self.assertEqual(new.put("k", 2)[0], 200)
            status, answer = cluster["n2"].call("DELETE", "/api/v1/cluster/members/n4")
            self.assertEqual(status, 200, answer)
            self.assertNotIn("n4", cluster["n2"].members())
            self.assertEqual(wait_until(lambda: not new.is_running() and [new.process.returncode], "n4 ends"), [0])
            self.assertIn("removed", new.log())
            self.assertEqual(cluster["n2"].get("k"), 2)

    def test_a_member_is_added_first_and_started_then(self):
        with self.cluster() as cluster:
            new = cluster.add("n4")
            status, answer = cluster["n1"].call("POST", "/api/v1/cluster/members", {"name": "n4", "peer": new.peer})
            self.assertEqual(status, 200, answer)
            self.assertEqual(cluster["n1"].members()["n4"]["role"], "learner")
            status, answer = cluster["n3"].call("POST", "/api/v1/cluster/members", {"name": "n4", "peer": new.peer})
            self.assertEqual((status, answer["error"]["code"]), (409, "ALREADY_EXISTS"))
            new.start()
            cluster.wait_ready("n4")
            wait_until(lambda: cluster["n1"].members()["n4"]["role"] == "voter", "n4 votes")

    def test_the_leader_itself_is_removed(self):
        with self.cluster() as cluster:
            leader = cluster.wait_leader()
            others = [node for node in cluster if node is not leader]
            status, answer = leader.call("DELETE", f"/api/v1/cluster/members/{leader.name}")
            self.assertEqual(status, 200, answer)
            wait_until(lambda: not leader.is_running(), "the removed leader ends")
            self.assertEqual(leader.process.returncode, 0)
            self.assertEqual(others[0].put("k", 1)[0], 200)
            self.assertEqual(set(others[1].members()), {node.name for node in others})

    def test_a_removal_that_would_lose_the_quorum_is_refused(self):
        with self.cluster() as cluster:
            dead, alive = cluster.followers()
            dead.kill()
            wait_until(lambda: not cluster.wait_leader().members()[dead.name]["healthy"], "the leader misses it")
            time.sleep(1.2)
            status, answer = alive.call("DELETE", f"/api/v1/cluster/members/{alive.name}")
            self.assertEqual((status, answer["error"]["code"]), (409, "CONDITION_FAILED"), answer)
            status, answer = alive.call("DELETE", f"/api/v1/cluster/members/{dead.name}")
            self.assertEqual(status, 200, answer)

    def test_a_wiped_directory_is_refused_until_the_member_was_removed(self):
        with self.cluster() as cluster:
            self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
            wiped = cluster.followers()[0]
            other = next(node for node in cluster if node is not wiped)
            wiped.kill()
            shutil.rmtree(wiped.data_dir)
            wiped.start()
            wait_until(lambda: "remove the member and add it again" in wiped.log(), "it says what to do")
            self.assertFalse(wiped.is_ready())
            self.assertEqual(other.call("DELETE", f"/api/v1/cluster/members/{wiped.name}")[0], 200)
            cluster.wait_ready(wiped.name)
            self.assertEqual(wiped.get("k"), 1)

    def test_leadership_goes_to_who_is_named(self):
        with self.cluster() as cluster:
            target, other = cluster.followers()
            status, answer = other.call("POST", "/api/v1/cluster/leader", {"name": target.name})
            self.assertEqual(status, 200, answer)
            wait_until(lambda: other.leader() == target.name, "the named node leads")
            self.assertEqual(other.call("POST", "/api/v1/cluster/leader", {"name": "nobody"})[0], 404)

    def test_a_member_that_was_away_follows_a_leader_that_it_has_never_heard_of(self):
        with self.cluster() as cluster:
            away, other = cluster.followers()
            away.kill()
            cluster.add("n4").start()
            cluster.wait_ready("n4")
            wait_until(lambda: other.members().get("n4", {}).get("role") == "voter", "n4 votes")
            status, answer = other.call("POST", "/api/v1/cluster/leader", {"name": "n4"})
            self.assertEqual(status, 200, answer)
            wait_until(lambda: other.leader() == "n4", "n4 leads")
            self.assertEqual(other.put("k", 1)[0], 200)
            away.start()
            cluster.wait_ready(away.name)
            self.assertEqual(away.get("k"), 1)
            self.assertEqual(away.leader(), "n4", "what it has applied tells it the leader's name")

    def test_a_node_with_another_cookie_never_becomes_ready_and_says_why(self):
        with self.cluster() as cluster:
            stranger = cluster.add("n4")
            stranger.cookie = "another secret"
            stranger.start()
            wait_until(lambda: "cookie" in stranger.log(), "it says why")
            self.assertFalse(stranger.is_ready())
            self.assertEqual(cluster["n1"].put("k", 1)[0], 200)
            self.assertNotIn("n4", cluster["n1"].members())

    def test_who_listens_where_a_member_was_removes_nobody(self):
        """A refusal that knows no cookie, "you were removed", at the address of a member that has gone."""
        text = b"you were removed"
        words = bytes([9, 1, len(text)]) + text  # not admitted, not found
        refusal = b"CNCP" + struct.pack("<I", len(words)) + b"\x05" + words
        refused = threading.Semaphore(0)

        class Stranger(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.recv(4096)
                self.request.sendall(refusal)
                refused.release()

        class Strangers(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with self.cluster() as cluster:
            gone = cluster.followers()[0]
            gone.kill()
            with Strangers(("127.0.0.1", gone.peer_port), Stranger) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                for _ in range(4):
                    self.assertTrue(refused.acquire(timeout=30))
                server.shutdown()
            for node in cluster.running():
                self.assertEqual(node.put("k", 1)[0], 200, node.log())
            self.assertEqual(len(cluster.running()), 2)
            gone.start()
            cluster.wait_ready()

    def test_a_node_of_another_cluster_name_is_refused(self):
        with self.cluster() as cluster:
            stranger = cluster.add("n4", "--cluster-name", "other").start()
            wait_until(lambda: '"concord"' in stranger.log() or '"other"' in stranger.log(), "it says why")
            self.assertFalse(stranger.is_ready())

    def test_a_paused_leader_is_replaced_and_follows_when_it_goes_on(self):
        with self.cluster() as cluster:
            leader = cluster.wait_leader()
            others = [node for node in cluster if node is not leader]
            leader.signal(signal.SIGSTOP)
            try:
                wait_until(lambda: others[0].put("k", 1)[0] == 200, "the others have a leader")
            finally:
                leader.signal(signal.SIGCONT)
            self.assertEqual(leader.get("k", "strong"), 1)
            cluster.wait_leader()

    def test_a_key_expires_on_every_node_after_a_change_of_leaders(self):
        with self.cluster() as cluster:
            self.assertEqual(cluster["n1"].call("PUT", "/api/v1/kv/k", {"value": 1, "ttl": 2})[0], 200)
            cluster.wait_leader().kill()
            survivor = cluster.running()[0]
            self.assertEqual(survivor.get("k"), 1)
            wait_until(lambda: survivor.get("k") is None, "it expires", seconds=10)
            for node in cluster.running():
                self.assertIsNone(node.get("k"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
