"""A real Prometheus, with the configuration of deploy/, scrapes a cluster at the ports of its metrics, and every query of the dashboard has
an answer: prometheus_test.py PROGRAM. Ends with 77 where Prometheus is not installed.

prometheus_test.py PROGRAM --picture FILE makes the picture of docs/observability.md: the same for some minutes, drawn by dashboard.py."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True

import dashboard  # noqa: E402
import prometheus  # noqa: E402
from cluster import Cluster, free_ports  # noqa: E402

PROGRAM = ""
SKIPPED = 77
PICTURE_SECONDS = 180


class Watched:
    """`with`: three nodes, and the Prometheus that scrapes them."""

    def __init__(self, directory):
        self.directory = directory
        self.cluster = Cluster(PROGRAM, directory)
        self.targets = []
        for node, port in zip(self.cluster, free_ports(3), strict=True):
            node.flags += ["--prometheus-port", str(port)]
            self.targets.append(f"127.0.0.1:{port}")

    def __enter__(self):
        self.cluster.__enter__()
        self.prometheus = prometheus.Prometheus(self.directory, *self.targets)
        return self

    def __exit__(self, *problem):
        self.prometheus.__exit__()
        self.cluster.__exit__(*problem)


def use(cluster):
    for node in cluster:
        for number in range(20):
            node.put(f"{node.name}-{number}", number)
            for consistency in ("eventual", "leader"):
                node.get(f"{node.name}-{number}", consistency)
        node.call("DELETE", f"/api/v1/kv/{node.name}-0")


class Deployed(unittest.TestCase):
    def test_every_query_of_the_dashboard_has_an_answer(self):
        with tempfile.TemporaryDirectory() as directory, Watched(directory) as watched:
            watched.prometheus.wait_scraped()
            asked = [target["expr"] for panel in dashboard.panels() for target in panel["targets"]]
            self.assertGreater(len(asked), 20)

            def unanswered():
                use(watched.cluster)
                return [query for query in asked if not any(map(dashboard.numbers, watched.prometheus.query(query)))]

            watched.prometheus.wait_until(lambda: not unanswered(), "every query of the dashboard has an answer that is a number")
            latency = watched.prometheus.query('concord_api_put_duration_milliseconds{result="ok",quantile="0.5"}')
            self.assertGreater(float(latency[0]["value"][1]), 0)
            page = dashboard.page(watched.prometheus, time.time() - 5, time.time())
            self.assertEqual(page.count("<section"), len(dashboard.panels()))


def take_picture(file):
    with tempfile.TemporaryDirectory() as directory, Watched(directory) as watched:
        watched.prometheus.wait_scraped()
        begin = time.time()
        stopping = threading.Event()

        def load():
            while not stopping.wait(0.5):
                use(watched.cluster)

        worker = threading.Thread(target=load, daemon=True)
        worker.start()
        time.sleep(PICTURE_SECONDS)
        stopping.set()
        worker.join()
        page = os.path.join(directory, "dashboard.html")
        with open(page, "w", encoding="utf-8") as out:
            out.write(dashboard.page(watched.prometheus, begin, time.time()))
        width = 24 * dashboard.COLUMN_PX + dashboard.GAP_PX
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},1640",
                        f"--screenshot={os.path.abspath(file)}", f"file://{page}"], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if not prometheus.is_installed():
        print("Prometheus (Debian: prometheus) is not installed")
        sys.exit(SKIPPED)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    if sys.argv[1:2] == ["--picture"]:
        take_picture(sys.argv[2])
    else:
        unittest.main(verbosity=2)
