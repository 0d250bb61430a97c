#!/usr/bin/env python3
"""prometheus_test.py <program> <root of the tree>: a real Prometheus, with the configuration of deploy/, scrapes a running node; every
query of the dashboard has an answer, and alerts fire when what they are for happens. Skipped (77) where Prometheus is not installed."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from cluster import free_ports
from server import Server, call

PROGRAM, ROOT = "", pathlib.Path()
SKIPPED = 77


class Prometheus:
    """With deploy/prometheus.yml, but for where the node is, shorter intervals, and alerts that don't wait."""

    def __init__(self, directory, target):
        directory = pathlib.Path(directory)
        configuration = (ROOT / "deploy/prometheus.yml").read_text()
        configuration = configuration.replace("localhost:9568", target).replace("15s", "1s")
        (directory / "prometheus.yml").write_text(configuration)
        alerts = (ROOT / "deploy/prometheus-alerts.yml").read_text()
        (directory / "prometheus-alerts.yml").write_text(re.sub(r"\n +for: \S+", "", alerts))
        port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as response:
            return json.load(response)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}

    def wait_until(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except OSError:  # it still starts
                pass
            time.sleep(0.5)
        raise AssertionError(f"not within {seconds} s: {what}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def queries():
    dashboard = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def use(server):
    connection = server.connection()
    for i in range(20):
        call(connection, "PUT", f"/api/v1/kv/{i}", {"value": i})
        call(connection, "GET", f"/api/v1/kv/{i}")
    call(connection, "DELETE", "/api/v1/kv/0")


class Deployed(unittest.TestCase):
    def test_the_dashboard_has_data_and_a_lost_node_is_an_alert(self):
        with tempfile.TemporaryDirectory() as directory, \
                Server(PROGRAM, f"{directory}/node", "--prometheus-port", "0") as server, \
                Prometheus(directory, server.metrics.split("/")[2]) as prometheus:
            prometheus.wait_until(lambda: prometheus.query("up == 1"), "the node is scraped")
            asked = queries()
            self.assertGreater(len(asked), 20)

            def unanswered():
                use(server)
                return [query for query in asked if not prometheus.query(query)]

            prometheus.wait_until(lambda: not unanswered(), "every query of the dashboard has an answer")
            latency = prometheus.query('concord_api_put_duration_milliseconds{result="ok",quantile="0.5"}')
            self.assertGreater(float(latency[0]["value"][1]), 0)
            self.assertEqual(prometheus.firing() & {"ConcordDown", "ConcordNoLeader", "ConcordNodeFailed"}, set())
            server.kill()
            prometheus.wait_until(lambda: "ConcordDown" in prometheus.firing(), "the alert of a lost node fires")


if __name__ == "__main__":
    if not shutil.which("prometheus"):
        print("Prometheus (Debian: prometheus) is not installed")
        sys.exit(SKIPPED)
    ROOT = pathlib.Path(sys.argv.pop(2))
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
