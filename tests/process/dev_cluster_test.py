"""./dev cluster, ./dev observe: a cluster on this machine, for a developer: dev_cluster_test.py PROGRAM DEV COLLECTOR."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import free_ports  # noqa: E402

PROGRAM, DEV, COLLECTOR = (os.path.abspath(path) for path in sys.argv[1:4])
del sys.argv[1:4]


def ports_in_a_row(count):
    """The first of so many ports that nobody uses now."""
    while True:
        [first] = free_ports(1)
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                return first
            except (OSError, OverflowError):
                continue


class DevCluster(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-dev-cluster-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        self.environment = {**clean, "CONCORD_PROGRAM": PROGRAM, "CONCORD_CLUSTER_DIR": self.directory,
                            "CONCORD_CLUSTER_API_PORT": str(ports_in_a_row(3)), "CONCORD_CLUSTER_PEER_PORT": str(ports_in_a_row(3))}

    @contextlib.contextmanager
    def cluster(self, count):
        """Started and ended as on a terminal: Ctrl-C reaches all processes. Yields a function that runs a line it printed."""
        process = subprocess.Popen([DEV, "cluster", str(count)], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True, start_new_session=True)
        try:
            lines = [process.stdout.readline().rstrip("\n") for _ in range(3)]
            self.assertTrue(lines[0].startswith("export CONCORD_ENDPOINT=http://127.0.0.1:"), (lines, process.poll()))

            def run(command):
                script = f"{lines[0]}\n{command.replace('concord', PROGRAM) if command.startswith('concord') else command}"
                return subprocess.run(["bash", "-c", script], env=self.environment, capture_output=True, text=True, timeout=30, check=True).stdout

            yield lines, run
            os.killpg(process.pid, signal.SIGINT)
            errors = process.communicate(timeout=30)[1]
            self.assertEqual(process.returncode, 0, errors)
            self.assertIn("Ctrl-C ends them all", errors)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def test_nodes_form_a_cluster_end_together_and_go_on_with_their_data(self):
        with self.cluster(3) as (lines, run):
            self.assertIn("cluster.state = ", run(lines[1]))
            self.assertIn('"name":"n3"', run(lines[2]))
            self.assertEqual(len(run("concord cluster members").splitlines()), 3)
            run("concord kv put greeting Hello")
        for first in ("CONCORD_CLUSTER_API_PORT", "CONCORD_CLUSTER_PEER_PORT"):
            for number in range(3):
                with self.subTest(first=first, number=number), socket.socket() as probe:
                    self.assertNotEqual(probe.connect_ex(("127.0.0.1", int(self.environment[first]) + number)), 0, "somebody still listens")
        with self.cluster(3) as (_, run):
            self.assertEqual(run("concord kv get greeting --consistency strong"), "Hello\n")
        other = subprocess.run([DEV, "cluster", "2"], env=self.environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(other.returncode, 1)
        self.assertIn("holds a cluster of 3 nodes", other.stderr)

    def test_what_cannot_be_is_refused(self):
        for wrong in ("0", "ten", "12"):
            with self.subTest(wrong=wrong):
                done = subprocess.run([DEV, "cluster", wrong], env=self.environment, capture_output=True, text=True, timeout=30)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("1 to 9", done.stderr)

    def test_a_port_that_is_taken_ends_it_and_is_named(self):
        taken = int(self.environment["CONCORD_CLUSTER_API_PORT"]) + 1
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", taken))
            holder.listen()
            done = subprocess.run([DEV, "cluster", "3"], env=self.environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(taken), done.stderr)

    def test_the_help_offers_it(self):
        self.assertIn("cluster [N]", subprocess.run([DEV, "help"], capture_output=True, text=True, check=True).stdout)


class DevObserve(unittest.TestCase):
    @unittest.skipUnless(shutil.which("prometheus"), "Prometheus (Debian: prometheus) is not installed")
    def test_prometheus_scrapes_all_nodes_and_spans_arrive(self):
        directory = tempfile.mkdtemp(prefix="concord-dev-observe-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        [ui_port] = free_ports(1)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        environment = {**clean, "CONCORD_PROGRAM": PROGRAM, "CONCORD_TRACE_COLLECTOR": COLLECTOR, "CONCORD_OBSERVE_DIR": directory,
                       "CONCORD_CLUSTER_API_PORT": str(ports_in_a_row(3)), "CONCORD_CLUSTER_PEER_PORT": str(ports_in_a_row(3)),
                       "CONCORD_PROMETHEUS_UI_PORT": str(ui_port)}
        process = subprocess.Popen([DEV, "observe", "3"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True, start_new_session=True)
        try:
            links = [process.stdout.readline().split()[-1] for _ in range(5)]
            self.assertTrue(links[0].startswith(f"http://127.0.0.1:{ui_port}/"), links)
            for link in links:
                self.assertEqual(urllib.request.urlopen(link, timeout=10).status, 200, link)
            query = f"http://127.0.0.1:{ui_port}/api/v1/query?query=count(up==1)"
            self.wait_until(lambda: json.load(urllib.request.urlopen(query, timeout=5))["data"]["result"][0]["value"][1] == "3")
            spans = pathlib.Path(directory) / "spans.txt"
            self.wait_until(lambda: "concord.api.put" in spans.read_text())
            os.killpg(process.pid, signal.SIGINT)
            errors = process.communicate(timeout=30)[1]
            self.assertEqual(process.returncode, 0, errors)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    @unittest.skipUnless(shutil.which("prometheus"), "Prometheus (Debian: prometheus) is not installed")
    def test_a_port_that_is_taken_ends_it_and_is_named(self):
        with tempfile.TemporaryDirectory(prefix="concord-dev-observe-") as directory, socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            taken = str(holder.getsockname()[1])
            environment = {**os.environ, "CONCORD_PROGRAM": PROGRAM, "CONCORD_TRACE_COLLECTOR": COLLECTOR, "CONCORD_OBSERVE_DIR": directory,
                           "CONCORD_PROMETHEUS_UI_PORT": taken}
            done = subprocess.run([DEV, "observe"], env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn(taken, done.stderr)

    def wait_until(self, holds):
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, IndexError):  # it still starts
                if holds():
                    return
            self.assertLess(time.monotonic(), end)
            time.sleep(0.3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
