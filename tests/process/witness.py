"""Clients that work on a cluster while a test breaks it, and know afterwards what must hold.

Writers write keys of their own, each key once. One writer counts a register up; a reader at every node reads it `strong`. What they saw:
  - a write that was acknowledged is on every node; one that was refused ("nothing was done") is on none;
  - a write that began after another was acknowledged has a higher revision;
  - a strong read returns nothing older than what was acknowledged, or read strong anywhere, before it began;
  - no node's revision goes back while its process lives.
"""

import itertools
import threading
import time

from cluster import wait_until

REGISTER = "register"
CALL_TIMEOUT_MS = 1500
REFUSED = (503, 429, 507)
PAUSE_SECONDS = 0.004


class Witness:
    """`with`: the clients work inside it. Afterwards `check`."""

    def __init__(self, cluster, writers=2):
        self.cluster, self.nodes = cluster, list(cluster)
        self.stopping = threading.Event()
        self.guard = threading.Lock()
        self.problems = []
        self.acknowledged, self.refused, self.unknown = {}, {}, {}  # key: value
        self.times = []  # (began, ended, revision) of acknowledged writes
        self.register_floor = 0
        self.reads = dict.fromkeys([node.name for node in self.nodes], 0)
        self.threads = [threading.Thread(target=self.guarded, args=work, daemon=True)
                        for work in [(self.write, number) for number in range(writers)] + [(self.count_up,)]
                        + [(self.read, node) for node in self.nodes] + [(self.watch_revisions,)]]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a client does not end"

    def guarded(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as problem:
            self.report(f"{work.__name__}{arguments}: {problem!r}")

    def report(self, problem):
        with self.guard:
            self.problems.append(problem)

    def put(self, node, key, value, **more):
        """(status, answer) of one attempt, remembered under its key unless that is the register's."""
        began = time.monotonic()
        status, answer = node.call("PUT", f"/api/v1/kv/{key}?timeout_ms={CALL_TIMEOUT_MS}", {"value": value, **more}, timeout=10)
        ended = time.monotonic()
        with self.guard:
            if status == 200:
                self.times.append((began, ended, answer["revision"]))
            if key != REGISTER:
                outcome = self.acknowledged if status == 200 else self.refused if status in REFUSED else self.unknown
                outcome[key] = value
        return status, answer

    def write(self, number):
        nodes = itertools.cycle(self.nodes[number % len(self.nodes):] + self.nodes[:number % len(self.nodes)])
        node = next(nodes)
        for count in itertools.count():
            if self.stopping.is_set():
                return
            status, _ = self.put(node, f"w{number}-{count}", count)
            if status != 200:
                node = next(nodes)
                time.sleep(0.02)
            time.sleep(PAUSE_SECONDS)

    def count_up(self):
        """Only upwards: an attempt whose outcome is unknown may come late, and finds its condition false then."""
        assert wait_until(lambda: self.stopping.is_set() or self.put(self.nodes[0], REGISTER, 0)[0] == 200, "the register is made")
        nodes = itertools.cycle(self.nodes)
        for count in itertools.count(1):
            if self.stopping.is_set():
                return
            status, answer = self.put(next(nodes), REGISTER, count, condition={"$value": {"$lt": count}})
            if status == 200:
                self.raise_floor(count)
            elif status in (404, 409):
                self.report(f"the register is not below {count}: {answer}")
            time.sleep(PAUSE_SECONDS)

    def raise_floor(self, value):
        with self.guard:
            self.register_floor = max(self.register_floor, value)

    def read(self, node):
        while not self.stopping.is_set():
            floor = self.register_floor
            status, answer = node.call("GET", f"/api/v1/kv/{REGISTER}?consistency=strong&timeout_ms={CALL_TIMEOUT_MS}", timeout=10)
            if status == 200:
                value = answer["data"]["value"]
                self.reads[node.name] += 1
                if value < floor:
                    self.report(f"a stale strong read at {node.name}: {value}, and {floor} was there before")
                self.raise_floor(value)
            elif status == 404 and floor > 0:
                self.report(f"a stale strong read at {node.name}: nothing, and {floor} was there before")
            elif status not in (0, 404, 503, 504):
                self.report(f"a strong read at {node.name}: {status} {answer}")
            time.sleep(PAUSE_SECONDS)

    def watch_revisions(self):
        seen = {}
        while not self.stopping.is_set():
            for node in self.nodes:
                process = node.process
                status = node.status()
                if status is None or node.process is not process:
                    continue
                key, revision = (node.name, process.pid), status["storage"]["revision"]
                if revision < seen.get(key, 0):
                    self.report(f"the revision of {node.name} went back from {seen[key]} to {revision}")
                seen[key] = revision
            self.stopping.wait(0.05)

    # -----------------------------------------------------------------------------------------------------------------

    def wait_progress(self, count=20, readers=None):
        """So many more writes are acknowledged, and these nodes read strong; all, if none are named."""
        with self.guard:
            writes, reads = len(self.acknowledged), {node.name: self.reads[node.name] for node in readers or self.nodes}
        wait_until(lambda: len(self.acknowledged) >= writes + count, f"{count} more writes are acknowledged")
        wait_until(lambda: all(self.reads[name] > reads[name] for name in reads), "strong reads at every node")

    def check(self):
        """Once the faults are over and the clients have ended."""
        for node in self.nodes:
            assert node.is_running(), f"{node.name} has ended with {node.process.returncode}"
        self.cluster.wait_ready()
        keys = itertools.count()
        for node in self.nodes:
            wait_until(lambda: self.put(node, f"afterwards-{next(keys)}", 1)[0] == 200, f"{node.name} takes writes again")
        self.cluster.wait_same()
        self.check_revisions()
        for node in self.nodes:
            self.check_contents(node)
        assert not self.problems, "\n".join(self.problems[:10])
        print(f"    {len(self.acknowledged)} writes acknowledged, {len(self.refused)} refused, {len(self.unknown)} unknown; "
              f"register {self.register_floor}; strong reads {self.reads}", flush=True)

    def check_revisions(self):
        revisions = [revision for _, _, revision in self.times]
        assert len(revisions) == len(set(revisions)), "a revision was given twice"
        ends = sorted(self.times, key=lambda write: write[1])
        highest, at = 0, 0
        for began, _, revision in sorted(self.times):
            while at < len(ends) and ends[at][1] < began:
                highest = max(highest, ends[at][2])
                at += 1
            assert revision > highest, f"revision {revision} was given after {highest}"

    def check_contents(self, node):
        held = {}
        keys = [*self.acknowledged, *self.refused, *self.unknown]
        for first in range(0, len(keys), 500):
            status, answer = node.call("POST", "/api/v1/kv/bulk/get?consistency=eventual", {"keys": keys[first:first + 500]})
            assert status == 200, (node.name, status, answer)
            held.update((key, one["value"]) for key, one in answer["data"].items() if one["status"] == "ok")
        lost = [key for key, value in self.acknowledged.items() if held.get(key) != value]
        assert not lost, f"acknowledged and not there on {node.name}: {lost[:10]} ({len(lost)})"
        done = [key for key in self.refused if key in held]
        assert not done, f"refused and there on {node.name}: {done[:10]} ({len(done)})"
