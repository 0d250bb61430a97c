"""Backups of a cluster of real processes: made on any node, restored on all, also when the leader goes in the middle; and the command line.

    backup_test.py PROGRAM [unittest arguments]
"""

import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from cluster import Cluster, wait_until

PROGRAM = None


def data_of(node):
    """Everything a node holds, with revisions."""
    held, cursor = {}, ""
    while True:
        status, answer = node.call("GET", f"/api/v1/kv?limit=1000&consistency=strong{cursor}", timeout=30)
        assert status == 200, answer
        held.update({each["key"]: each["value"] for each in answer["data"]})
        if answer["next_cursor"] is None:
            return held
        cursor = f"&cursor={answer['next_cursor']}"


def fill(node, count, value, prefix="k"):
    for first in range(0, count, 500):
        operations = [{"key": f"{prefix}{at:06}", "value": value} for at in range(first, min(first + 500, count))]
        status, answer = node.call("POST", "/api/v1/kv/bulk", {"operations": operations}, timeout=30)
        assert status == 200, answer


class BackupTest(unittest.TestCase):
    def cluster(self, directory):
        return Cluster(PROGRAM, directory, 3, flags=["--backup-dir", os.path.join(directory, "backups")])

    def command(self, node, *arguments, expect=0, typed="", directory=None):
        done = subprocess.run([PROGRAM, "--endpoint", f"http://127.0.0.1:{node.port}", *arguments], input=typed, text=True,
                              capture_output=True, timeout=120, check=False, cwd=directory,
                              env={k: v for k, v in os.environ.items() if not k.startswith("CONCORD_")})
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def test_a_restore_reaches_all_nodes_at_one_revision(self):
        with tempfile.TemporaryDirectory() as directory, self.cluster(directory) as cluster:
            follower = cluster.followers()[0]
            fill(follower, 2000, "before")
            status, made = follower.call("POST", "/api/v1/backups")
            self.assertEqual(status, 201, made)
            made = made["data"]
            self.assertEqual(made["entry_count"], 2000)
            with open(made["path"], "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), made["sha256"])
            self.assertEqual(os.stat(made["path"]).st_mode & 0o777, 0o600)
            fill(follower, 100, "after")
            fill(follower, 100, "new", prefix="n")
            before = follower.status()["storage"]["revision"]

            told = []
            def watch(node):
                connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
                connection.request("GET", f"/api/v1/events?after_revision={before}&event_types=delete&key_pattern=%5Enothing")
                response = connection.getresponse()
                for line in response:
                    if line.startswith(b"data:"):
                        told.append((node.name, json.loads(line[5:])))
                        return
            watchers = [threading.Thread(target=watch, args=(node,)) for node in cluster]
            for watcher in watchers:
                watcher.start()
            status, answer = follower.call("POST", f"/api/v1/backups/{made['name']}/restore", {"confirm": True}, timeout=60)
            self.assertEqual(status, 200, answer)
            self.assertEqual(answer["revision"], before + 1)
            for watcher in watchers:
                watcher.join(30)
            self.assertEqual(sorted(name for name, _ in told), sorted(node.name for node in cluster))
            for _, event in told:
                self.assertEqual((event["type"], event["revision"]), ("restored", before + 1))
            for node in cluster:
                held = data_of(node)
                self.assertEqual(len(held), 2000)
                self.assertEqual(set(held.values()), {"before"})
            status, put = follower.put("more", 1)
            self.assertEqual(put["revision"], before + 2)

    def test_the_leader_goes_in_the_middle_of_a_restore(self):
        with tempfile.TemporaryDirectory() as directory, self.cluster(directory) as cluster:
            leader = cluster.wait_leader()
            asked = cluster.followers()[0]
            value = os.urandom(6000).hex()
            fill(asked, 4000, value)
            status, made = asked.call("POST", "/api/v1/backups", timeout=60)
            self.assertEqual(status, 201, made)
            fill(asked, 4000, "after")
            outcome = []
            restore = threading.Thread(target=lambda: outcome.append(asked.call(
                "POST", f"/api/v1/backups/{made['data']['name']}/restore", {"confirm": True}, timeout=120)))
            restore.start()
            time.sleep(0.15)
            leader.kill()
            restore.join(120)
            self.assertEqual(outcome[0][0], 200, outcome)
            self.assertEqual(outcome[0][1]["data"]["entry_count"], 4000)
            leader.start()
            wait_until(leader.is_ready, "the old leader is back")
            for node in cluster:
                held = data_of(node)
                self.assertEqual(len(held), 4000)
                self.assertEqual(set(held.values()), {value})
                self.assertEqual(node.status()["storage"]["revision"], outcome[0][1]["revision"])

    def test_who_restores_goes_in_the_middle_and_the_old_data_stay(self):
        with tempfile.TemporaryDirectory() as directory, self.cluster(directory) as cluster:
            asked = cluster.followers()[0]
            others = [node for node in cluster if node is not asked]
            fill(asked, 4000, os.urandom(6000).hex())
            status, made = asked.call("POST", "/api/v1/backups", timeout=60)
            self.assertEqual(status, 201, made)
            fill(asked, 4000, "after")
            revision = others[0].status()["storage"]["revision"]
            restore = threading.Thread(target=lambda: asked.call(
                "POST", f"/api/v1/backups/{made['data']['name']}/restore", {"confirm": True}, timeout=60))
            restore.start()
            time.sleep(0.1)
            asked.kill()
            restore.join(60)
            status, put = others[0].put("k000000", "written")
            self.assertEqual(status, 200, put)
            held = data_of(others[0])
            if put["revision"] == revision + 1:  # it was not committed: nothing of it is there
                self.assertEqual(set(held.values()), {"after", "written"})
            else:
                self.assertEqual(put["revision"], revision + 2)
                self.assertEqual(len(set(held.values())), 2)
                self.assertNotIn("after", held.values())

    def test_the_command_line(self):
        with tempfile.TemporaryDirectory() as directory, Cluster(
                PROGRAM, directory, 1, flags=["--backup-dir", os.path.join(directory, "backups")]) as cluster:
            node = cluster["n1"]
            fill(node, 10, "before")
            away = os.path.join(directory, "away")
            path = self.command(node, "backup", "create", "--path", away).strip()
            self.assertEqual(os.path.dirname(path), away)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            name = os.path.basename(path)
            self.assertIn(name, self.command(node, "backup", "list"))
            self.assertIn("✓ Backup is valid", self.command(node, "--output", "table", "backup", "verify", path))
            fill(node, 20, "after")
            self.command(node, "backup", "restore", path, typed="no\n", expect=1)
            self.assertEqual(len(data_of(node)), 20)
            self.command(node, "backup", "restore", path, typed="yes\n")
            self.assertEqual(set(data_of(node).values()), {"before"})
            os.remove(os.path.join(directory, "backups", name))
            fill(node, 20, "after")
            self.assertIn("✓ Backup restored successfully!",
                          self.command(node, "--output", "table", "backup", "restore", path, "--force"))
            self.assertEqual(len(data_of(node)), 10)
            self.command(node, "backup", "restore", "no.backup", "--force", expect=3)
            with open(path, "r+b") as file:
                file.truncate(os.path.getsize(path) - 1)
            self.command(node, "backup", "verify", path, expect=1)
            self.command(node, "backup", "restore", path, "--force", expect=1)
            self.assertEqual(len(data_of(node)), 10)
            self.assertEqual(self.command(node, "backup", "cleanup", "--keep-count", "0").strip(), "1")
            node.stop()
            self.command(node, "backup", "create", expect=6)
            self.assertIn("invalid", self.command(node, "backup", "verify", path, expect=1))
            self.assertIn(name, self.command(node, "backup", "list", "--path", away))  # its beginning is there; `verify` reads all
            self.command(node, "backup", "verify", os.path.join(away, "no.backup"), expect=3)

    def test_a_new_cluster_begins_with_a_backup(self):
        with tempfile.TemporaryDirectory() as directory:
            with Cluster(PROGRAM, os.path.join(directory), 1, flags=["--backup-dir", os.path.join(directory, "b")]) as old:
                fill(old["n1"], 50, "kept")
                path = self.command(old["n1"], "backup", "create").strip()
            fresh = os.path.join(directory, "fresh")
            os.mkdir(fresh)
            with Cluster(PROGRAM, fresh, 1, flags=["--backup-dir", os.path.join(fresh, "b")]) as new:
                self.command(new["n1"], "backup", "restore", path, "--force")
                self.assertEqual(len(data_of(new["n1"])), 50)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
