"""The event stream of real processes: events_test.py PROGRAM. Every change once, in order, whoever is killed meanwhile."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, wait_until  # noqa: E402
from server import Server, call  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


class Refused(Exception):
    def __init__(self, status, answer):
        super().__init__(f"{status}: {answer}")
        self.status, self.answer = status, answer


class Stream:
    """One open stream of server-sent events."""

    def __init__(self, host, port, query="", last_event_id=None, timeout=20):
        self.connection = http.client.HTTPConnection(host, port, timeout=timeout)
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        self.connection.request("GET", "/api/v1/events" + query, headers=headers)
        self.answer = self.connection.getresponse()
        if self.answer.status != 200:
            raise Refused(self.answer.status, self.answer.read())

    def close(self):
        self.connection.close()

    def events(self):
        """Until the stream ends or breaks."""
        event = {}
        while True:
            line = self.answer.readline()
            if not line:
                return
            line = line.decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
                continue
            if not event:
                continue
            if event.get("event") == "end":
                return
            yield int(event["id"]), json.loads(event["data"])
            event = {}


class Reader(threading.Thread):
    """Follows all events, on one member after the other, and goes on behind the last one it saw whenever a stream breaks."""

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes, self.seen, self.streams, self.gone = list(nodes), [], 0, []
        self.stopping = threading.Event()
        self.start()

    def run(self):
        at = 0
        while not self.stopping.is_set():
            node = self.nodes[at % len(self.nodes)]
            at += 1
            try:
                stream = Stream(node.host, node.port, last_event_id=self.seen[-1][0] if self.seen else 0, timeout=2)
                self.streams += 1
                for revision, data in stream.events():
                    self.seen.append((revision, data))
                    if self.stopping.is_set():
                        break
                stream.close()
            except Refused as refused:
                if refused.status == 410:
                    self.gone.append(str(refused))
                    return
                time.sleep(0.05)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.05)

    def wait_for(self, revision):
        wait_until(lambda: self.gone or (self.seen and self.seen[-1][0] >= revision), f"revision {revision}", 60)

    def stop(self):
        self.stopping.set()
        self.join(timeout=20)


class EventsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-events-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    @staticmethod
    def put(nodes, key, value):
        """Acknowledged by some member; writes are repeated, so a key may come more than once."""
        for attempt in range(200):
            status, answer = nodes[attempt % len(nodes)].put(key, value, timeout=8)
            if status == 200:
                return answer["revision"]
            time.sleep(0.05)
        raise AssertionError(f"{key} was never acknowledged")

    def test_members_are_killed_and_every_revision_comes_once_and_in_order(self):
        flags = ["--snapshot-every-entries", "150"]
        with Cluster(PROGRAM, self.directory, 3, flags) as cluster:
            nodes = list(cluster)
            reader = Reader(nodes)
            acknowledged = {}
            for round_ in range(6):
                for number in range(60):
                    key = f"key-{round_}-{number}"
                    acknowledged[key] = self.put(nodes, key, number)
                victim = nodes[round_ % 3]
                victim.kill()
                for number in range(20):
                    key = f"while-{round_}-{number}"
                    acknowledged[key] = self.put(nodes, key, number)
                victim.start()
                wait_until(victim.is_ready, f"{victim.name} is back")
            last = max(acknowledged.values())
            reader.wait_for(last)
            reader.stop()
            self.assertEqual(reader.gone, [])
            self.assertGreater(reader.streams, 3, "it was never cut off")
            revisions = [revision for revision, _ in reader.seen if revision <= last]
            self.assertEqual(revisions, list(range(1, last + 1)), "one event for each revision, in order, none twice")
            told = {data["revision"]: data["key"] for _, data in reader.seen}
            for key, revision in acknowledged.items():
                self.assertEqual(told[revision], key)

    def test_all_members_tell_the_same_past_also_after_snapshots_and_restarts(self):
        with Cluster(PROGRAM, self.directory, 3) as cluster:
            nodes = list(cluster)
            for round_ in range(3):
                for number in range(40):
                    last = self.put(nodes, f"key-{number}", round_)
                for node in nodes:
                    wait_until(lambda node=node: node.status()["storage"]["revision"] >= last, "it has caught up")
                    before = node.status()["storage"]["snapshot_index"]
                    self.assertEqual(node.call("POST", "/api/v1/cluster/snapshot", {})[0], 200)
                    wait_until(lambda node=node, before=before: node.status()["storage"]["snapshot_index"] != before, "a snapshot")
            for node in nodes:
                node.stop() if round_ % 2 else node.kill()
            for node in nodes:
                node.start()
            cluster.wait_ready()
            for after in (0, 1, 39, last - 1):
                pasts = []
                for node in nodes:
                    stream = Stream(node.host, node.port, f"?after_revision={after}")
                    past = []
                    for _, data in stream.events():
                        past.append({**data, "node": ""})
                        if data["revision"] == last:
                            break
                    stream.close()
                    pasts.append(past)
                self.assertEqual([event["revision"] for event in pasts[0]], list(range(after + 1, last + 1)))
                self.assertEqual(pasts[0], pasts[1])
                self.assertEqual(pasts[0], pasts[2])

    def test_watch_prints_events_and_goes_on_when_its_node_is_killed(self):
        with Cluster(PROGRAM, self.directory, 3) as cluster:
            nodes = list(cluster)
            endpoints = [flag for node in nodes for flag in ("--endpoint", f"http://{node.host}:{node.port}")]
            watch = subprocess.Popen([PROGRAM, "watch", *endpoints, "--after-revision", "0", "--output", "json", "--limit", "40"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                for number in range(20):
                    self.put(nodes, f"key-{number}", number)
                nodes[0].kill()
                for number in range(20, 60):
                    self.put(nodes, f"key-{number}", number)
                out, problems = watch.communicate(timeout=60)
            finally:
                watch.kill()
            self.assertEqual(watch.returncode, 0, problems)
            self.assertEqual([json.loads(line)["revision"] for line in out.splitlines()], list(range(1, 41)))


class WatchTest(unittest.TestCase):
    """The command line's watch, on one node."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-watch-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        server = Server(PROGRAM, os.path.join(self.directory, "data"), "--event-stream-history", "50")
        self.server = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)

    def run_program(self, *arguments, timeout=30):
        environment = {**os.environ, "CONCORD_ENDPOINT": self.server.endpoint}
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment, timeout=timeout)

    def put(self, key, value):
        self.assertEqual(self.run_program("kv", "put", key, value).returncode, 0)

    def test_lines_json_and_filters(self):
        self.put("user/1", '{"name":"Ada"}')
        self.put("order/1", "7")
        self.assertEqual(self.run_program("kv", "delete", "user/1").returncode, 0)
        done = self.run_program("watch", "--after-revision", "0", "--limit", "3", "--output", "plain")
        self.assertEqual(done.stdout, '1\tput\tuser/1\t{"name":"Ada"}\n2\tput\torder/1\t7\n3\tdelete\tuser/1\n', done.stderr)
        done = self.run_program("watch", "--after-revision", "0", "--limit", "1", "--pattern", "^order/", "--output", "json")
        self.assertEqual(json.loads(done.stdout)["key"], "order/1")
        done = self.run_program("watch", "--after-revision", "0", "--limit", "1", "--types", "delete", "--previous", "--output", "json")
        self.assertEqual(json.loads(done.stdout)["previous"], {"name": "Ada"})

    def test_a_command_gets_each_event(self):
        self.put("a", "1")
        self.put("b", '"two"')
        script = 'echo "$CONCORD_WATCH_REVISION $CONCORD_WATCH_TYPE $CONCORD_WATCH_KEY $CONCORD_WATCH_VALUE"; cat'
        done = self.run_program("watch", "--after-revision", "0", "--limit", "2", "--", "sh", "-c", script)
        lines = done.stdout.splitlines()
        self.assertEqual([lines[0], lines[2]], ["1 put a 1", '2 put b "two"'], done.stderr)
        self.assertEqual(json.loads(lines[3])["value"], "two")
        failing = self.run_program("watch", "--after-revision", "0", "--limit", "1", "--", "sh", "-c", "exit 3")
        self.assertEqual(failing.returncode, 0)
        self.assertIn("ended with 3", failing.stderr)
        self.assertEqual(self.run_program("watch", "--after-revision", "0", "--", "/no/such/command").returncode, 1)

    def test_refusals_have_their_exit_codes(self):
        connection = self.server.connection()
        self.addCleanup(connection.close)
        for number in range(60):
            status, _, _ = call(connection, "PUT", f"/api/v1/kv/k{number}", {"value": number})
            self.assertEqual(status, 200)
        gone = self.run_program("watch", "--after-revision", "3")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("no longer kept", gone.stderr)
        self.assertEqual(self.run_program("watch", "--after-revision", "1000").returncode, 1)
        self.assertEqual(self.run_program("watch", "--pattern", "(").returncode, 1)
        self.assertEqual(self.run_program("watch", "--types", "birthday").returncode, 2)
        nobody = self.run_program("watch", "--endpoint", "http://127.0.0.1:1")
        self.assertEqual(nobody.returncode, 6)

    def test_a_server_that_stops_tells_its_clients(self):
        stream = Stream("127.0.0.1", self.server.port)
        self.server.process.send_signal(signal.SIGTERM)
        self.assertIn(b"CLUSTER_UNAVAILABLE", stream.answer.read())
        self.assertEqual(self.server.process.wait(timeout=10), 0)


if __name__ == "__main__":
    unittest.main()
