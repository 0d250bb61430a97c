"""After the loss of a quorum: recover_test.py PROGRAM. `concord cluster recover` makes a node that is left a cluster of its own."""

import contextlib
import filecmp
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, Node, wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None
SEED = int(os.environ.get("CONCORD_SEED", random.randrange(1 << 32)))
REVISION_GAP = 10**12


def command_of(*arguments):
    return [PROGRAM, "cluster", "recover", *arguments]


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}


def run(*arguments, **options):
    """(exit code, stdout, stderr)"""
    done = subprocess.run(command_of(*arguments), capture_output=True, text=True, env=clean_environment(), timeout=60,
                          stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout, done.stderr


def same_trees(one, other):
    """The names that differ; the text of a lock is nobody's data."""
    compared = filecmp.dircmp(one, other, ignore=["LOCK"])
    different = compared.left_only + compared.right_only
    different += [name for name in compared.common_files if not filecmp.cmp(os.path.join(one, name), os.path.join(other, name), shallow=False)]
    for name in compared.common_dirs:
        different += same_trees(os.path.join(one, name), os.path.join(other, name))
    return different


class RecoverTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-recover-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def cluster(self, size=3):
        return Cluster(PROGRAM, self.directory, size)

    def inspect(self, *paths):
        arguments = [word for path in paths for word in ("--data-dir", path)]
        code, output, errors = run(*arguments, "--inspect", "--output", "json")
        self.assertEqual(code, 0, errors)
        return json.loads(output)

    def recover(self, path):
        code, output, errors = run("--data-dir", path, "--force", "--output", "json")
        self.assertEqual(code, 0, errors)
        return json.loads(output)["recovered"]

    def lose_quorum(self, cluster, *kept):
        """Ends all nodes; the directories of those that are not kept are gone for good."""
        for node in cluster:
            node.kill()
        for node in cluster:
            if node.name not in kept:
                shutil.rmtree(node.data_dir, ignore_errors=True)

    def fill(self, cluster, count=50):
        for number in range(count):
            status, answer = cluster["n1"].put(f"k{number}", number)
            self.assertEqual(status, 200, answer)
        cluster.wait_same()

    def join(self, cluster, name, *others):
        node = cluster[name]
        node.flags = ["--cluster-join", ",".join(other.peer for other in others)]
        node.start()
        cluster.wait_ready(name)
        wait_until(lambda: others[0].members().get(name, {}).get("role") == "voter", f"{name} votes")

    def check_all(self, node, count=50):
        status, answer = node.call("POST", "/api/v1/kv/bulk/get?consistency=strong", {"keys": [f"k{number}" for number in range(count)]})
        self.assertEqual(status, 200, answer)
        self.assertEqual([answer["data"][f"k{number}"].get("value") for number in range(count)], list(range(count)))

    def test_the_last_node_goes_on_with_all_it_has_and_others_join_it(self):
        with self.cluster() as cluster:
            self.fill(cluster)
            before = cluster["n1"].status()
            self.lose_quorum(cluster, "n1")
            survivor = cluster["n1"]
            [found] = self.inspect(survivor.data_dir)["directories"]
            self.assertEqual((found["node"], found["cluster_id"]), ("n1", before["cluster"]["id"]))
            self.assertEqual(found["revision"], before["storage"]["revision"])
            self.assertGreaterEqual(found["last_index"], before["cluster"]["applied_index"])
            self.assertEqual({member["name"]: member["role"] for member in found["members"]}, dict.fromkeys(("n1", "n2", "n3"), "voter"))
            recovered = self.recover(survivor.data_dir)
            [after] = self.inspect(survivor.data_dir)["directories"]
            self.assertEqual(after["digest"], found["digest"])
            self.assertEqual([member["name"] for member in after["members"]], ["n1"])
            self.assertGreater(after["term"], found["term"])

            survivor.start()  # with the configuration that it had
            cluster.wait_ready("n1")
            status = survivor.status()
            self.assertEqual(status["cluster"]["id"], recovered["cluster_id"])
            self.assertNotEqual(status["cluster"]["id"], before["cluster"]["id"])
            self.assertGreater(status["cluster"]["term"], before["cluster"]["term"])
            self.assertEqual(set(survivor.members()), {"n1"})
            self.check_all(survivor)
            code, answer = survivor.put("after", "the loss")
            self.assertEqual(code, 200, answer)
            self.assertEqual(answer["revision"], recovered["revision"] + 1)
            self.assertEqual(recovered["revision"], found["revision"] + REVISION_GAP)

            for name in ("n2", "n3"):
                self.join(cluster, name, survivor)
            self.check_all(cluster["n3"])
            survivor.kill()
            wait_until(lambda: cluster["n2"].put("by", "the others", timeout=3)[0] == 200, "they are a quorum")
            survivor.start()
            cluster.wait_ready()
            cluster.wait_same()

    def test_who_comes_back_with_what_it_had_is_refused_and_told_why(self):
        with self.cluster() as cluster:
            self.fill(cluster)
            self.lose_quorum(cluster, "n1", "n2")
            self.recover(cluster["n1"].data_dir)
            cluster["n1"].start()
            cluster.wait_ready("n1")
            old = cluster["n2"]
            old.start()
            for node in (old, cluster["n1"]):
                wait_until(lambda node=node: "one of the two was recovered or formed anew" in node.log(), f"{node.name} says why")
            self.assertFalse(old.is_ready())
            self.assertEqual(old.get("k7", "eventual"), 7, "what it has can be read")
            self.assertEqual(old.put("k7", 8)[0], 503)
            self.assertEqual(set(cluster["n1"].members()), {"n1"})
            self.assertEqual(cluster["n1"].put("k7", 9)[0], 200)
            old.kill()
            shutil.rmtree(old.data_dir)
            self.join(cluster, "n2", cluster["n1"])
            self.assertEqual(old.get("k7"), 9)

    def test_two_survivors_that_both_went_on_never_mix(self):
        with self.cluster() as cluster:
            self.fill(cluster)
            self.lose_quorum(cluster, "n1", "n2")
            ids = {self.recover(cluster[name].data_dir)["cluster_id"] for name in ("n1", "n2")}
            self.assertEqual(len(ids), 2)
            for name in ("n1", "n2"):
                cluster[name].start()
                cluster.wait_ready(name)
            for name in ("n1", "n2"):
                self.assertEqual(cluster[name].put("mine", name)[0], 200)
                self.assertEqual(set(cluster[name].members()), {name})
            self.assertEqual(cluster["n1"].get("mine"), "n1")

    def test_a_recovered_cluster_can_be_recovered_again(self):
        with self.cluster() as cluster:
            self.fill(cluster)
            for times in (1, 2):
                self.lose_quorum(cluster, "n1")
                recovered = self.recover(cluster["n1"].data_dir)
                [after] = self.inspect(cluster["n1"].data_dir)["directories"]
                self.assertEqual((after["recoveries"], after["cluster_id"]), (times, recovered["cluster_id"]))
                cluster["n1"].start()
                cluster.wait_ready("n1")
                self.assertEqual(cluster["n1"].put(f"round-{times}", times)[0], 200)
                self.join(cluster, "n2", cluster["n1"])
            self.check_all(cluster["n2"])
            self.assertEqual([cluster["n2"].get(f"round-{times}") for times in (1, 2)], [1, 2])
            self.assertGreater(cluster["n1"].status()["storage"]["revision"], 2 * REVISION_GAP)

    def test_of_several_the_one_with_most_is_named(self):
        with self.cluster(size=5) as cluster:
            self.fill(cluster, 10)
            behind = cluster["n2"]
            behind.kill()
            for number in range(20):
                self.assertEqual(cluster["n1"].put(f"later-{number}", number)[0], 200)
            self.lose_quorum(cluster, "n1", "n2", "n3")
            paths = [cluster[name].data_dir for name in ("n2", "n1")]
            told = self.inspect(*paths)
            self.assertEqual(told["recommended"], paths[1])
            self.assertGreater(told["directories"][1]["last_index"], told["directories"][0]["last_index"])
            code, output, errors = run("--data-dir", paths[0], "--data-dir", paths[1], "--force")
            self.assertEqual(code, 0, errors)
            self.assertIn(f"The newest log is in {paths[1]}: recover that one", output)
            self.assertNotIn("recovered cluster_id", output)
            told = self.inspect(*paths, cluster["n3"].data_dir)
            self.assertIn("3 of 5 voters, a quorum", told["verdict"])
            self.recover(paths[1])
            code, output, errors = run("--data-dir", paths[0], "--data-dir", paths[1], "--output", "json")
            self.assertEqual(code, 1, "they have no cluster in common any more")
            self.assertIn("can't be compared", json.loads(output)["verdict"])


class OneDirectoryTest(unittest.TestCase):
    """What is done to the directory of one node of three; each test gets a copy."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="concord-recover-one-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        with Cluster(PROGRAM, cls.directory, flags=["--snapshot-every-entries", "20"]) as cluster:
            for number in range(100):
                assert cluster["n1"].put(f"k{number}", number)[0] == 200
            cluster.wait_same()
            wait_until(lambda: cluster["n1"].status()["storage"]["snapshot_index"] > 20, "a snapshot is there")
            for node in cluster:
                node.kill()
            cls.original = cluster["n1"].data_dir

    def setUp(self):
        self.path = os.path.join(self.directory, "copy")
        shutil.rmtree(self.path, ignore_errors=True)
        self.copy()

    def copy(self):
        # With holes where the log is not written yet.
        subprocess.run(["cp", "-a", "--sparse=always", self.original, self.path], check=True)

    def expect_refused(self, why, *arguments, code=1):
        got, output, errors = run("--data-dir", self.path, *arguments)
        self.assertEqual(got, code, output + errors)
        self.assertIn(why, errors)
        return output

    def test_to_inspect_changes_nothing(self):
        code, output, errors = run("--data-dir", self.path + "/", "--inspect")
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(same_trees(self.original, self.path), [])
        lines = output.splitlines()
        for line in (f"directory = {self.path}", "node = n1", "keys = 100", "revision = 100", "members.n3.role = voter"):
            self.assertIn(line, lines)
        self.assertIn("Lost is what the others agreed to without this node", output)
        self.assertIn("n2 and n3 can't come back with the data they had", output)
        self.assertIn(f"goes on at {100 + REVISION_GAP}", output)

    def test_without_a_yes_nothing_happens(self):
        self.expect_refused("nothing was changed: this must be confirmed on a terminal, or with --force")
        self.assertEqual(same_trees(self.original, self.path), [])
        for typed, code in (("no", 1), ("n2", 1), ("", 1), ("n1", 0)):
            with self.subTest(typed=typed):
                ours, theirs = pty.openpty()
                process = subprocess.Popen(command_of("--data-dir", self.path), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           env=clean_environment(), text=True)
                os.close(theirs)
                os.write(ours, typed.encode() + b"\n")
                output, errors = process.communicate(timeout=60)
                os.close(ours)
                self.assertEqual(process.returncode, code, errors)
                self.assertIn("type its name, n1, or yes: ", errors)
                self.assertEqual("recovered cluster_id=" in output, code == 0)
                if code:
                    self.assertIn("nothing was changed: it was not confirmed", errors)
                    self.assertEqual(same_trees(self.original, self.path), [])

    def test_what_was_there_before_stays_beside_the_new(self):
        self.assertEqual(run("--data-dir", self.path, "--force")[0], 0)
        self.assertEqual(sorted(same_trees(self.original, self.path)), ["identity", "identity.before.1", "log.1", "snapshots.1"])
        self.assertTrue(filecmp.cmp(os.path.join(self.original, "identity"), os.path.join(self.path, "identity.before.1"), shallow=False))

    def test_a_second_time_there_is_nothing_to_recover(self):
        self.assertEqual(run("--data-dir", self.path, "--force")[0], 0)
        kept = os.path.join(self.directory, "kept")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.path, kept)
        code, output, _ = run("--data-dir", self.path, "--force")
        self.assertEqual(code, 0)
        self.assertIn("there is nothing to recover", output)
        self.assertEqual(same_trees(kept, self.path), [])

    def test_a_directory_in_use_is_refused(self):
        node = Node(PROGRAM, self.directory, "copy").start()
        try:
            wait_until(lambda: node.status() is not None, "it answers")
            self.expect_refused("already open by process", "--force")
            self.expect_refused("already open by process", "--inspect")
        finally:
            node.kill()
        self.assertNotIn("log.1", os.listdir(self.path))

    def test_damage_is_refused_with_its_place(self):
        [segment] = [name for name in os.listdir(os.path.join(self.path, "log")) if name.endswith(".log")][:1]
        path = os.path.join(self.path, "log", segment)
        with open(path, "r+b") as file:
            file.seek(200)
            byte = file.read(1)
            file.seek(200)
            file.write(bytes([byte[0] ^ 1]))
        kept = os.path.join(self.directory, "damaged")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.path, kept)
        self.expect_refused(f"nothing was changed: {path}: damaged at offset", "--force")
        self.assertEqual(same_trees(kept, self.path), [])

    def test_what_is_no_directory_of_a_node_is_refused(self):
        for path in (os.path.join(self.directory, "none"), os.path.join(self.path, "log")):
            code, _, errors = run("--data-dir", path, "--force")
            self.assertEqual(code, 1)
            self.assertIn("not the data directory of a Concord node", errors)
        self.assertEqual(same_trees(self.original, self.path), [])

    def test_wrong_usage_is_2(self):
        self.assertEqual(run()[0], 2)
        self.assertEqual(run("--data-dir")[0], 2)

    def inspect(self):
        code, output, errors = run("--data-dir", self.path, "--inspect", "--output", "json")
        self.assertEqual(code, 0, errors)
        return json.loads(output)["directories"][0]

    def test_killed_at_any_time_it_leaves_the_old_node_or_the_new_cluster(self):
        print(f"CONCORD_SEED={SEED}", flush=True)
        draw = random.Random(SEED)
        before = self.inspect()
        began = time.monotonic()
        self.assertEqual(run("--data-dir", self.path, "--force")[0], 0)
        longest = time.monotonic() - began
        seen = {"old": 0, "new": 0}
        for _ in range(25):
            shutil.rmtree(self.path)
            self.copy()
            process = subprocess.Popen(command_of("--data-dir", self.path, "--force"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env=clean_environment())
            time.sleep(draw.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
            process.wait()
            found = self.inspect()
            self.assertEqual(found["digest"], before["digest"])
            if found["cluster_id"] == before["cluster_id"]:
                self.assertEqual(found, before)
                seen["old"] += 1
                self.assertEqual(run("--data-dir", self.path, "--force")[0], 0)
                found = self.inspect()
            else:
                seen["new"] += 1
            self.assertEqual((found["recoveries"], found["revision"]), (1, before["revision"] + REVISION_GAP))
            self.assertEqual([member["name"] for member in found["members"]], ["n1"])
        print(f"    {seen['old']} times the old node was left, {seen['new']} times the new cluster", flush=True)
        node = Node(PROGRAM, self.directory, "copy", flags=["--node-name", "n1"]).start()
        with contextlib.ExitStack() as ended:
            ended.callback(node.kill)
            wait_until(node.is_ready, "it serves")
            self.assertEqual([node.get(f"k{number}") for number in (0, 50, 99)], [0, 50, 99])


if __name__ == "__main__":
    unittest.main(verbosity=2)
