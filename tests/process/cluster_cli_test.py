"""`concord cluster ...` against clusters of real processes: cluster_cli_test.py PROGRAM"""

import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, free_ports, wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


def run(endpoint, *arguments, **options):
    """(exit code, stdout, stderr)"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    done = subprocess.run([PROGRAM, "--endpoint", endpoint, *arguments], capture_output=True, text=True, env=clean, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def endpoint_of(node):
    return f"http://127.0.0.1:{node.port}"


class ClusterCommands(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-cluster-cli-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def done(self, node, *arguments):
        code, output, errors = run(endpoint_of(node), *arguments)
        self.assertEqual(code, 0, errors)
        return output

    def parts(self, node):
        """The lines of the plain status, by name."""
        return dict(line.split(" = ", 1) for line in self.done(node, "cluster", "status").splitlines() if " = " in line)

    def test_members_are_added_promoted_and_removed(self):
        with Cluster(PROGRAM, self.directory) as cluster:
            any_node = cluster.followers()[0]
            new = cluster.add("n4")
            self.assertEqual(self.done(any_node, "cluster", "add", "n4", new.peer), "ok\n")
            self.assertEqual(self.parts(any_node)["cluster.members.n4.role"], "learner")
            code, _, errors = run(endpoint_of(any_node), "cluster", "add", "n4", new.peer)
            self.assertEqual(code, 4, errors)
            self.assertIn("ALREADY_EXISTS", errors)
            # It has not been started: the promotion waits until the time is over.
            self.assertEqual(run(endpoint_of(any_node), "cluster", "promote", "n4", "--timeout", "300ms")[0], 6)
            new.start()
            cluster.wait_ready("n4")
            self.assertEqual(self.done(any_node, "cluster", "promote", "n4", "--timeout", "30"), "ok\n")
            wait_until(lambda: self.parts(any_node)["cluster.members.n4.role"] == "voter", "it votes")
            self.assertEqual(self.done(any_node, "cluster", "remove", "n4"), "ok\n")
            wait_until(lambda: not new.is_running(), "the removed node ends")
            for command in (("remove", "n4"), ("promote", "n4"), ("transfer-leader", "n4")):
                with self.subTest(command=command):
                    code, output, errors = run(endpoint_of(any_node), "cluster", *command)
                    self.assertEqual((code, output), (3, ""), errors)
                    self.assertIn('there is no member "n4"', errors)
            leader = cluster.wait_leader()
            other = next(node for node in cluster.running() if node is not leader)
            self.assertEqual(json.loads(self.done(other, "cluster", "remove", leader.name, "--output", "json"))["status"], "ok")

    def test_leadership_goes_to_who_is_named_or_to_another(self):
        with Cluster(PROGRAM, self.directory) as cluster:
            target = cluster.followers()[0]
            self.assertEqual(self.done(target, "cluster", "transfer-leader", target.name), "ok\n")
            wait_until(lambda: all(node.leader() == target.name for node in cluster), "all follow it")
            self.assertEqual(self.done(target, "cluster", "transfer-leader"), "ok\n")
            wait_until(lambda: cluster.wait_leader() is not target, "another leads")

    def test_a_snapshot_is_taken_where_it_is_asked_for(self):
        with Cluster(PROGRAM, self.directory) as cluster:
            self.done(cluster["n2"], "kv", "put", "k", "1")
            before = {node.name: int(self.parts(node)["storage.snapshot_index"]) for node in cluster}
            self.assertEqual(self.done(cluster["n2"], "cluster", "snapshot"), "ok\n")
            wait_until(lambda: int(self.parts(cluster["n2"])["storage.snapshot_index"]) > before["n2"], "it is there")
            self.assertEqual(int(self.parts(cluster["n1"])["storage.snapshot_index"]), before["n1"])

    def test_the_status_tells_of_every_member_how_it_is(self):
        with Cluster(PROGRAM, self.directory) as cluster:
            self.done(cluster["n1"], "kv", "put", "k", "1")
            leader = cluster.wait_leader()
            for node in cluster:
                wait_until(lambda: all(self.parts(node)[f"cluster.members.{name}.lag"] == "0" for name in cluster.nodes), "nobody lags")
                parts = self.parts(node)
                states = {name: parts[f"cluster.members.{name}.state"] for name in cluster.nodes}
                self.assertEqual(states, {name: "leader" if name == leader.name else "follower" for name in cluster.nodes})
            table = self.done(leader, "cluster", "status", "--output", "table").splitlines()
            heading = next(at for at, line in enumerate(table) if line.startswith("NAME") and "ROLE" in line)
            self.assertEqual(table[heading].split(), ["NAME", "ROLE", "STATE", "HEALTHY", "MATCH", "INDEX", "LAG", "CONTACT", "SNAPSHOT", "PEER", "API"])
            rows = {line.split()[0]: line.split() for line in table[heading + 1:]}
            self.assertEqual(rows[leader.name][1:4], ["voter", "leader", "true"])
            self.assertEqual(rows["n1"][-2:], [cluster["n1"].peer, endpoint_of(cluster["n1"])])

            for name in cluster.nodes:
                contact = self.parts(leader)[f"cluster.members.{name}.contact"]
                self.assertRegex(contact, "^-$" if name == leader.name else "^[0-9]+ ms ago$")
                self.assertEqual(self.parts(leader)[f"cluster.members.{name}.snapshot"], "-")

            dead = cluster.followers()[0]
            dead.kill()
            self.done(leader, "kv", "put", "k", "2")
            wait_until(lambda: self.parts(leader)[f"cluster.members.{dead.name}.state"] == "unreachable", "it is missed")
            parts = self.parts(leader)
            self.assertEqual(parts[f"cluster.members.{dead.name}.healthy"], "false")
            self.assertGreater(int(parts[f"cluster.members.{dead.name}.lag"]), 0)


class Watching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="concord-cluster-watch-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.cluster = cls.enterClassContext(Cluster(PROGRAM, cls.directory, size=1))
        cls.endpoint = endpoint_of(cls.cluster["n1"])

    def watch(self, *arguments, **options):
        return run(self.endpoint, "cluster", "status", "--watch", "--interval", "20ms", *arguments, **options)

    def test_a_pipe_gets_blocks_with_an_empty_line_between(self):
        code, output, errors = self.watch("--count", "3")
        self.assertEqual((code, errors), (0, ""))
        blocks = output.split("\n\n")
        self.assertEqual(len(blocks), 3)
        for block in blocks:
            self.assertIn("cluster.members.n1.state = leader", block)
            self.assertNotIn("\x1b", block)

    def test_json_is_a_line_each(self):
        lines = self.watch("--count", "2", "--output", "json")[1].splitlines()
        self.assertEqual([json.loads(line)["node"] for line in lines], ["n1", "n1"])

    def test_a_terminal_is_redrawn(self):
        ours, theirs = pty.openpty()
        try:
            done = subprocess.run([PROGRAM, "--endpoint", self.endpoint, "cluster", "status", "--watch", "--interval", "20ms", "--count", "2"],
                                  stdout=theirs, stderr=subprocess.PIPE, timeout=60)
            os.close(theirs)
            shown = b""
            try:
                while part := os.read(ours, 65536):
                    shown += part
            except OSError:
                pass  # the other end was closed
        finally:
            os.close(ours)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(shown.count(b"\x1b[H\x1b[2J"), 2)
        self.assertIn(b"MATCH INDEX", shown)

    def test_it_goes_on_while_nobody_answers_and_ends_with_how_it_was_last(self):
        [port] = free_ports(1)
        code, output, errors = run(f"http://127.0.0.1:{port}", "cluster", "status", "--watch", "--interval", "20ms", "--count", "2")
        self.assertEqual((code, output), (6, ""))
        self.assertEqual(errors.count("cannot reach"), 2)

    def test_it_ends_when_its_reader_has_gone(self):
        process = subprocess.Popen([PROGRAM, "--endpoint", self.endpoint, "cluster", "status", "--watch", "--interval", "20ms"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        self.assertTrue(process.stdout.readline())
        process.stdout.close()
        self.assertNotEqual(process.wait(timeout=30), 0)

    def test_wrong_usage_is_2(self):
        for wrong in (["--interval", "1"], ["--count", "1"], ["--watch", "--interval", "soon"], ["--watch", "--count", "0"]):
            with self.subTest(wrong=wrong):
                self.assertEqual(run(self.endpoint, "cluster", "status", *wrong)[0], 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
