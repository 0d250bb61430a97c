"""Every alert of deploy/prometheus-alerts.yml fires for a real Prometheus when what it is for really happens to a real cluster, and no other
does: alerts_test.py PROGRAM EXAMPLE_METRICS [TEST...]. How minutes pass so quickly is told by prometheus.py.

Nodes are killed, stopped and restarted, disks fill, are slow (strace holds up fdatasync) or fail (strace has it return EIO), the network
delays. Small disks and networks need root, strace the right to trace: a test that can't have what it needs is skipped and says why."""

import contextlib
import http.client
import os
import pathlib
import random
import re
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

import network  # noqa: E402
import prometheus  # noqa: E402
from cluster import Cluster, free_ports, wait_until  # noqa: E402
from server import call  # noqa: E402

SKIPPED = 77
SEED = int(os.environ.get("CONCORD_SEED", random.SystemRandom().randrange(1 << 32)))
PROGRAM = EXAMPLE = None
MEBIBYTE = 1 << 20
PRIVILEGED = network.missing() is None
LONGEST_WAIT_SECONDS = 10 * 60 / prometheus.TIMES_FASTER  # the longest `for:` of the alerts

needs_root = unittest.skipUnless(PRIVILEGED, network.missing())


def tracing_missing():
    """Why strace can't attach to a process here; nothing when it can."""
    if shutil.which("strace") is None:
        return "needs strace (Debian: strace)"
    scope = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
    if os.geteuid() != 0 and scope.exists() and scope.read_text(encoding="utf-8").strip() != "0":
        return "needs root, to trace other processes (kernel.yama.ptrace_scope)"
    return None


needs_tracing = unittest.skipIf(tracing_missing(), tracing_missing())


def fires(*alerts, also=()):
    """The alerts that this test makes fire, each of which it waits for; `also`: that are true as well, and fire when this machine is slow."""

    def mark(test):
        test.fires, test.may_fire = set(alerts), {*alerts, *also}
        return test

    return mark


@contextlib.contextmanager
def with_syncs(process, what):
    """What becomes of each fdatasync of the process meanwhile, as strace names it: delay_enter=150000, error=EIO."""
    strace = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(process.pid), "-e", "trace=fdatasync",
                               "-e", f"inject=fdatasync:{what}"])
    try:
        yield
        assert strace.poll() in (None, 0), "strace could not attach"
    finally:
        strace.terminate()
        strace.wait()


class Load:
    """`with`: each of these calls, in a thread of its own, again and again."""

    def __init__(self, *calls, pause_seconds=0.02):
        self.pause_seconds = pause_seconds
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.repeat, args=(call,), daemon=True) for call in calls]

    def repeat(self, call):
        while not self.stopping.wait(self.pause_seconds):
            call()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a call does not end"


class Watched(unittest.TestCase):
    """A cluster in a directory of the test's own, and a Prometheus that sees it."""

    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.directory = tempfile.mkdtemp(prefix="concord-alerts-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        if PRIVILEGED:
            self.mount(self.directory, "20g")  # how full and how slow this machine's disk is does not matter then

    def mount(self, place, size):
        network.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
        self.addCleanup(network.run, "umount", "--lazy", place)

    def cluster(self, size=3, flags=(), net=None, prepare=None):
        cluster = Cluster(PROGRAM, self.directory, size, flags, network=net)
        if prepare:
            prepare(cluster)
        return self.enterContext(cluster)

    def watch(self, *targets):
        """From here on; at the end nothing may have fired but what the test is about."""
        self.prometheus = self.enterContext(prometheus.Prometheus(self.directory, *targets))
        self.prometheus.wait_scraped()
        self.addCleanup(self.check_nothing_else_fired)

    def watch_cluster(self, cluster):
        self.watch(*(self.instance(node) for node in cluster))

    @staticmethod
    def instance(node):
        return f"{node.host}:{node.port}"

    def check_nothing_else_fired(self):
        test = getattr(self, self._testMethodName)
        self.assertLessEqual(self.prometheus.ever_fired() - self.disk_of_this_machine(), test.may_fire)

    def disk_of_this_machine(self):
        """Whether the data are on a disk that is nearly full, or slow while others use it, is not in a test's hands without root."""
        return set() if PRIVILEGED else {"ConcordDiskFillsUp", "ConcordSlowDisk"}

    def wait_fires(self, alert, **labels):
        self.prometheus.wait_until(lambda: any(name == alert and labels.items() <= found.items() for name, found in self.prometheus.firing()),
                                   f"{alert} fires with {labels}", seconds=90)

    def wait_ends(self, *alerts):
        for alert in alerts:
            self.prometheus.wait_until(lambda alert=alert: all(name != alert for name, _ in self.prometheus.firing()), f"{alert} ends")


class Members(Watched):
    def use(self, node):
        """Everything that a healthy cluster is asked for: also what is not there, and conditions that don't hold."""
        for number in range(10):
            node.put(f"k{number}", number)
            for consistency in ("eventual", "leader", "strong"):
                node.call("GET", f"/api/v1/kv/k{number}?consistency={consistency}")
        node.call("GET", "/api/v1/kv/missing")
        node.call("PUT", "/api/v1/kv/k1", {"value": 1, "expected": "another"})
        node.call("DELETE", "/api/v1/kv/k2")

    @fires()
    def test_a_healthy_cluster_is_silent(self):
        cluster = self.cluster()
        self.watch_cluster(cluster)
        end = time.monotonic() + LONGEST_WAIT_SECONDS + 3
        with Load(*(lambda node=node: self.use(node) for node in cluster)):
            self.assertEqual(cluster["n1"].call("POST", "/api/v1/cluster/leader", {"name": cluster.followers()[0].name})[0], 200)
            while time.monotonic() < end:
                time.sleep(1)
                self.assertEqual([alert for alert in self.prometheus.firing() if alert[0] not in self.disk_of_this_machine()], [])
            for rule in self.prometheus.rules():
                with self.subTest(alert=rule["name"]):
                    self.assertEqual(rule["health"], "ok")
                    for metric in re.findall(r"\b(?:concord|process)_\w+|\bup\b", rule["query"]):
                        self.assertTrue(self.prometheus.query(metric), f"nobody has {metric}")

    @fires("ConcordDown", "ConcordMemberUnhealthy", also=["ConcordNodeNotReady"])
    def test_a_member_that_is_gone(self):
        cluster = self.cluster()
        self.watch_cluster(cluster)
        leader, lost = cluster.wait_leader(), cluster.followers()[0]
        lost.kill()
        self.wait_fires("ConcordDown", instance=self.instance(lost))
        self.wait_fires("ConcordMemberUnhealthy", instance=self.instance(leader))
        lost.start()
        self.wait_ends("ConcordDown", "ConcordMemberUnhealthy")

    @fires("ConcordNoLeader", "ConcordNodeNotReady", "ConcordErrors", also=["ConcordDown", "ConcordMemberUnhealthy"])
    def test_a_quorum_that_is_gone(self):
        cluster = self.cluster()
        self.watch_cluster(cluster)
        lost, left = cluster.followers(), cluster.wait_leader()
        for node in lost:
            node.kill()
        with Load(lambda: left.call("PUT", "/api/v1/kv/k?timeout_ms=100", {"value": 1})):
            self.wait_fires("ConcordNoLeader", severity="critical")
            self.wait_fires("ConcordNodeNotReady", instance=self.instance(left))
            self.wait_fires("ConcordErrors", instance=self.instance(left), operation="put")
        for node in lost:
            node.start()
        self.wait_ends("ConcordNoLeader", "ConcordNodeNotReady", "ConcordErrors")

    @fires("ConcordElections", also=["ConcordDown", "ConcordNoLeader", "ConcordNodeNotReady", "ConcordMemberUnhealthy"])
    def test_leaders_that_stall(self):
        cluster = self.cluster()
        self.watch_cluster(cluster)
        for _ in range(6):
            stalled = cluster.wait_leader()
            others = [node for node in cluster if node is not stalled]
            stalled.signal(signal.SIGSTOP)
            try:
                wait_until(lambda: others[0].leader() not in (None, stalled.name), "the others follow another leader")
            finally:
                stalled.signal(signal.SIGCONT)
        self.wait_fires("ConcordElections")

    @needs_tracing
    @fires("ConcordRestarts", also=["ConcordDown", "ConcordNodeFailed", "ConcordNodeNotReady", "ConcordMemberUnhealthy"])
    def test_a_server_whose_disk_fails_is_restarted_in_vain(self):
        """As systemd does: a server that has failed ends with 1, and is started again."""
        cluster = self.cluster()
        self.watch_cluster(cluster)
        failing, leader = cluster.followers()[0], cluster.wait_leader()
        with Load(lambda: leader.put("k", 1)):
            for _ in range(4):
                with with_syncs(failing.process, "error=EIO"):
                    self.assertEqual(failing.process.wait(timeout=60), 1)
                failing.start()
                cluster.wait_ready(failing.name)
                time.sleep(1)  # it is scraped
            self.wait_fires("ConcordRestarts", instance=self.instance(failing))

    @needs_root
    @fires("ConcordHighLatency")
    def test_a_slow_network_between_the_members(self):
        """A strong read takes a round trip to another member."""
        net = self.enterContext(network.Network(3, self.random.randrange(1 << 32)))
        cluster = self.cluster(net=net)
        self.watch_cluster(cluster)
        net.spoil(range(1, 4), range(1, 4), delay_ms=80)
        asked = cluster["n2"]
        with Load(lambda: asked.call("GET", "/api/v1/kv/k?consistency=strong"), lambda: asked.get("k", "eventual")):
            cluster["n1"].put("k", 1)
            self.wait_fires("ConcordHighLatency", instance=self.instance(asked), consistency="strong", quantile="0.99")
        for _, labels in self.prometheus.firing():
            self.assertEqual(labels["consistency"], "strong", labels)


class Resources(Watched):
    @needs_root
    @needs_tracing
    @fires("ConcordDiskFillsUp", "ConcordNotWritable", "ConcordSlowDisk", also=["ConcordNodeNotReady", "ConcordMemberUnhealthy"])
    def test_one_disk_fills_and_another_is_slow(self):
        disk = os.path.join(self.directory, "small")
        ballast = os.path.join(disk, "ballast")
        cluster = self.cluster(prepare=lambda made: self.give_small_disk(made["n3"], disk, ballast))
        full, slow = cluster["n3"], cluster["n2"]
        self.watch_cluster(cluster)
        self.assertEqual(slow.call("POST", "/api/v1/cluster/leader", {"name": "n1"})[0], 200)
        value = self.random.randbytes(MEBIBYTE).hex()
        wait_until(lambda: cluster["n1"].put("large", value)[0] == 200 and not full.status()["storage"]["writable"], "the disk is full")
        with with_syncs(slow.process, "delay_enter=150000"), Load(lambda: cluster["n1"].put("k", 1)):
            self.wait_fires("ConcordNotWritable", instance=self.instance(full))
            self.wait_fires("ConcordDiskFillsUp", instance=self.instance(full))
            self.wait_fires("ConcordSlowDisk", instance=self.instance(slow))
        os.remove(ballast)
        self.wait_ends("ConcordNotWritable", "ConcordSlowDisk")

    def give_small_disk(self, node, disk, ballast):
        """Room for one segment of the log, and for another when the ballast is removed."""
        os.mkdir(disk)
        self.mount(disk, "150m")
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 75 * MEBIBYTE)
        node.data_dir = os.path.join(disk, "data")

    @needs_tracing
    @fires("ConcordNodeFailed", also=["ConcordErrors", "ConcordNotWritable", "ConcordNodeNotReady"])
    def test_a_node_inside_a_program_has_a_disk_that_fails(self):
        """The program goes on, and shows that its node does not. (A server ends: the test of ConcordRestarts.)"""
        [port] = free_ports(1)
        program = subprocess.Popen([EXAMPLE, os.path.join(self.directory, "embedded"), str(port)], stdout=subprocess.DEVNULL)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        self.watch(f"127.0.0.1:{port}")
        with with_syncs(program, "error=EIO"):
            self.wait_fires("ConcordNodeFailed", instance=f"127.0.0.1:{port}")
        self.assertIsNone(program.poll())

    @fires("ConcordHighMemory")
    def test_more_than_a_gibibyte_of_data(self):
        cluster = self.cluster(size=1, flags=["--durability-mode", "memory"])
        self.watch_cluster(cluster)
        node = cluster["n1"]
        value = self.random.randbytes(7 * MEBIBYTE)
        with contextlib.closing(http.client.HTTPConnection(node.host, node.port, timeout=60)) as connection:
            for number in range(148):
                status, _, answer = call(connection, "PUT", f"/api/v1/kv/large-{number}", value, {"Content-Type": "application/octet-stream"})
                self.assertEqual(status, 200, answer)
        self.wait_fires("ConcordHighMemory", instance=self.instance(node))
        self.assertEqual(node.call("POST", "/api/v1/query/delete", {"prefix": "large-"})[0], 200, "however much that is at once")
        self.wait_ends("ConcordHighMemory")


class Complete(unittest.TestCase):
    def test_there_is_a_test_of_each_alert(self):
        alerts = re.findall(r"- alert: (\w+)", (prometheus.ROOT / "deploy/prometheus-alerts.yml").read_text(encoding="utf-8"))
        tested = [alert for group in (Members, Resources) for name in dir(group) if name.startswith("test_")
                  for alert in getattr(group, name).fires]
        self.assertEqual(sorted(tested), sorted(alerts))


if __name__ == "__main__":
    if not prometheus.is_installed():
        print("Prometheus (Debian: prometheus) is not installed")
        sys.exit(SKIPPED)
    if PRIVILEGED:
        network.enter()
    PROGRAM, EXAMPLE = (os.path.abspath(path) for path in sys.argv[1:3])
    del sys.argv[1:3]
    print(f"seed {SEED}    (again: CONCORD_SEED={SEED})", flush=True)
    unittest.main(verbosity=2)
