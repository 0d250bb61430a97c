"""A cluster whose nodes are replaced one by one by another version, under load: rolling_upgrade_test.py OLD_PROGRAM NEW_PROGRAM

`./dev upgrade` runs it with the last release and this tree. With one program as both, it is a rolling restart."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, wait_until  # noqa: E402
from witness import Witness  # noqa: E402

OLD, NEW = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]
MOST_KEYS = 40  # of those that only these tests write


class RollingUpgradeTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="concord-upgrade-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        # A log that is soon replaced by snapshots, so that both versions write and read these.
        self.cluster = Cluster(OLD, directory, flags=["--snapshot-every-entries", "100"])

    def run_on(self, node, program):
        """Stopped in good order, and started as the other program with the same data."""
        self.assertEqual(node.stop(), 0, node.log())
        node.program = program
        node.start()
        self.cluster.wait_ready(node.name)
        self.assertEqual(os.readlink(f"/proc/{node.process.pid}/exe"), os.path.realpath(program))

    def lead(self, name):
        status, answer = self.cluster[name].call("POST", "/api/v1/cluster/leader", {"name": name})
        self.assertEqual(status, 200, answer)
        wait_until(lambda: self.cluster.wait_leader().name == name, f"{name} leads")

    def check_every_node(self):
        """A write through each is read strong at each other."""
        for writer in self.cluster.running():
            status, answer = writer.put("passed-on", writer.name)
            self.assertEqual(status, 200, answer)
            for reader in self.cluster.running():
                self.assertEqual(reader.get("passed-on"), writer.name)
        status, answer = self.cluster["n1"].call("POST", "/api/v1/txn", {
            "guards": [{"key": "passed-on", "exists": True}], "then": [{"op": "put", "key": f"t{n}", "value": {"n": n}, "ttl": 3600} for n in range(MOST_KEYS)]})
        self.assertEqual((status, answer["data"]["succeeded"]), (200, True), answer)

    def check_join(self, name, program):
        """A new member gets all there is from a snapshot, votes, and is removed again."""
        node = self.cluster.add(name)
        node.program = program
        node.start()
        self.cluster.wait_ready(name)
        wait_until(lambda: self.cluster["n1"].members().get(name, {}).get("role") == "voter", f"{name} votes")
        self.assertEqual(node.put("from", name)[0], 200)
        self.assertEqual(self.cluster["n1"].get("from"), name)
        status, answer = self.cluster["n1"].call("DELETE", f"/api/v1/cluster/members/{name}")
        self.assertEqual(status, 200, answer)
        self.assertEqual(wait_until(lambda: not node.is_running() and [node.process.returncode], f"{name} ends"), [0], node.log())
        del self.cluster.nodes[name]

    def test_nothing_is_lost_while_nodes_change_their_version_and_one_goes_back(self):
        for program in (OLD, NEW):
            print(f"    {program}: {subprocess.run([program, 'version'], capture_output=True, text=True, check=True).stdout.strip()}", flush=True)
        with self.cluster as cluster:
            with Witness(cluster) as witness:
                witness.wait_progress()
                first, second = (node.name for node in cluster.followers())
                third = cluster.wait_leader().name
                self.run_on(cluster[first], NEW)
                witness.wait_progress()
                self.check_every_node()
                # An old one leads a new one, and a new one that joins; then the other way round.
                self.lead(third)
                self.check_join("n4", NEW)
                witness.wait_progress()
                self.lead(first)
                self.check_join("n5", OLD)
                witness.wait_progress()
                self.check_every_node()
                # As long as not all have the new version one may go back.
                self.run_on(cluster[first], OLD)
                witness.wait_progress()
                for name in (first, second, third):
                    self.run_on(cluster[name], NEW)
                    witness.wait_progress()
                    self.check_every_node()
            witness.check()

    def test_what_the_old_version_wrote_alone_the_new_one_reads_and_back(self):
        with self.cluster as cluster:
            for number in range(300):
                status, answer = cluster["n1"].put(f"k{number % 150}", {"n": number, "text": "x" * 2000})
                self.assertEqual(status, 200, answer)
            cluster.wait_same()
            before = cluster["n1"].status()["storage"]
            for program in (NEW, OLD, NEW):
                for node in cluster:
                    self.assertEqual(node.stop(), 0)
                    node.program = program
                for node in cluster:
                    node.start()
                cluster.wait_ready()
                cluster.wait_same()
                for node in cluster:
                    after = node.status()["storage"]
                    self.assertEqual((after["revision"], after["size"]), (before["revision"], before["size"]))
                    self.assertEqual(node.get("k149")["n"], 299)


if __name__ == "__main__":
    unittest.main(verbosity=2)
