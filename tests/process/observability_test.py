#!/usr/bin/env python3
"""observability_test.py <program> <work directory> <collector>: metrics and traces of a real server, read by those that read them in
production: promtool, and the OTLP decoder of the OpenTelemetry Collector (tests/tracing/collector)."""

import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from cluster import Cluster, wait_until
from server import Server, call

PROGRAM, WORK, COLLECTOR = "", "", ""
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
# What promtool finds wrong about the names that Concord has promised.
PROMISED = re.compile(r"^concord_(api_\w+_duration_milliseconds|operation_apply_duration_milliseconds|snapshot_created_size|"
                      r"snapshot_installed_size|cluster_member_count|cluster_healthy_member_count) ")


def directory():
    return tempfile.mkdtemp(dir=WORK)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.status, response.headers["Content-Type"], response.read().decode()


class Metrics(unittest.TestCase):
    def test_its_own_port_and_the_api_have_the_page(self):
        with Server(PROGRAM, directory(), "--prometheus-port", "0") as server:
            connection = server.connection()
            call(connection, "PUT", "/api/v1/kv/a", {"value": 1})
            for _ in range(3):
                call(connection, "GET", "/api/v1/kv/a")
            call(connection, "GET", "/api/v1/kv/missing?consistency=eventual")
            self.assertRegex(server.metrics, r"^http://127\.0\.0\.1:\d+/metrics$")
            status, kind, page = get(server.metrics)
            self.assertEqual((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
            lines = page.splitlines()
            for line in ['concord_api_put_count_total{result="ok"} 1',
                         'concord_api_get_count_total{result="ok",consistency="leader"} 3',
                         'concord_api_get_count_total{result="not_found",consistency="eventual"} 1',
                         "concord_cluster_size 1", "concord_cluster_is_leader 1", "concord_cluster_member_count 1",
                         "concord_operation_apply_count_total 1", "concord_snapshot_created_size 0",
                         "concord_snapshot_installed_size 0", "concord_storage_writable 1", "concord_node_ready 1"]:
                self.assertIn(line, lines)
            quantiles = re.findall(r'concord_api_get_duration_milliseconds\{result="ok",consistency="leader",quantile="([\d.]+)"\} '
                                   r'([\d.e-]+)', page)
            self.assertEqual([quantile for quantile, _ in quantiles], ["0.5", "0.9", "0.95", "0.99", "0.999"])
            self.assertGreater(float(quantiles[0][1]), 0)
            self.assertRegex(page, r"\nprocess_resident_memory_bytes \d")
            self.assertRegex(page, r"\nconcord_log_fsync_duration_seconds_count [1-9]")
            self.assertRegex(page, r"\nconcord_commit_duration_seconds_count [1-9]")
            self.assertIn("concord_cluster_size 1\n", get(server.endpoint + "/metrics")[2])

    def test_the_table_of_the_documentation_has_each_metric_and_no_other(self):
        with Server(PROGRAM, directory(), "--prometheus-port", "0", "--tracing-enabled", "true") as server:
            call(server.connection(), "PUT", "/api/v1/tenants/acme", {"quotas": {"max_keys": 10, "max_bytes": 1000}})
            page = get(server.metrics)[2]
        shown = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
        document = (pathlib.Path(__file__).parents[2] / "docs/observability.md").read_text(encoding="utf-8")
        names = {name for cell in re.findall(r"^\| (`concord_[^|]*)\|", document, re.MULTILINE) for name in re.findall(r"`([a-z_]+)`", cell)}
        # Those of operations stand there as concord_api_<operation>_..., but for the errors.
        self.assertEqual(names, {name for name in shown if re.match(r"concord_(?!api_)|concord_api_errors", name)})

    def test_promtool_reads_it(self):
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("promtool (Debian: prometheus) is not installed")
        with Server(PROGRAM, directory(), "--prometheus-port", "0") as server:
            call(server.connection(), "PUT", "/api/v1/kv/a", {"value": 1})
            page = get(server.metrics)[2]
        checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
        self.assertIn(checked.returncode, (0, 3), checked.stderr)  # 3: it read everything and finds names unusual
        found = [line for line in (checked.stdout + checked.stderr).splitlines() if line and not PROMISED.match(line)]
        self.assertEqual(found, [])

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            done = subprocess.run([PROGRAM, "start", "--node-data-dir", directory(), "--api-port", "0", "--prometheus-port", port],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the metrics cannot be served on 127.0.0.1:" + port, done.stderr)
        with Server(PROGRAM, directory()) as first, Server(PROGRAM, directory()) as second:
            self.assertNotEqual(first.metrics, second.metrics)  # the second finds the default port in use
            self.assertEqual(second.metrics, second.endpoint + "/metrics")
            self.assertIn("concord_build_info", get(second.metrics)[2])

    def test_switched_off(self):
        with Server(PROGRAM, directory(), "--prometheus-enabled", "false") as server:
            self.assertEqual(server.metrics, "-")
            self.assertEqual(call(server.connection(), "GET", "/metrics")[0], 404)


class Collector:
    """The decoder of the OpenTelemetry Collector behind a port; `spans` is what it understood."""

    def __enter__(self):
        self.process = subprocess.Popen([COLLECTOR], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.spans = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        return self

    def _read(self):
        for line in self.process.stdout:
            self.spans.append(json.loads(line))

    def wait_for(self, names):
        end = time.monotonic() + 20
        while time.monotonic() < end and not set(names) <= {span["name"] for span in self.spans}:
            time.sleep(0.05)
        return {span["name"]: span for span in self.spans}

    def __exit__(self, *_):
        self.process.kill()
        self.thread.join()
        self.process.communicate()


def traced(endpoint, *flags, exporter="otlp"):
    return Server(PROGRAM, directory(), "--prometheus-port", "0", "--tracing-enabled", "true", "--tracing-exporter", exporter,
                  "--tracing-endpoint", endpoint, "--tracing-interval-ms", "50", *flags)


class Traces(unittest.TestCase):
    def test_a_request_is_spans_below_its_callers(self):
        with Collector() as collector, traced(collector.url) as server:
            connection = server.connection()
            _, headers, _ = call(connection, "PUT", "/api/v1/kv/a", {"value": 1, "ttl": 60},
                                 {"traceparent": f"00-{TRACE}-{PARENT}-01", "User-Agent": "tester/1"})
            spans = collector.wait_for(["concord.http.PUT", "concord.api.put"])
            request, operation = spans["concord.http.PUT"], spans["concord.api.put"]
            self.assertEqual((request["trace"], request["parent"]), (TRACE, PARENT))
            self.assertEqual((operation["trace"], operation["parent"]), (TRACE, request["id"]))
            self.assertEqual(headers["traceparent"], f"00-{TRACE}-{request['id']}-01")
            self.assertEqual((request["kind"], operation["kind"]), ("Server", "Internal"))
            for name, value in {"http.request.method": "PUT", "http.method": "PUT", "url.path": "/api/v1/kv/a",
                                "http.target": "/api/v1/kv/a", "http.route": "/api/v1/kv/{key}", "http.status_code": 200,
                                "http.response.status_code": 200, "http.user_agent": "tester/1", "net.peer.ip": "127.0.0.1",
                                "client.address": "127.0.0.1"}.items():
                self.assertEqual(request["attributes"].get(name), value, name)
            for name, value in {"concord.operation": "put", "concord.result": "ok", "db.system.name": "concord"}.items():
                self.assertEqual(operation["attributes"].get(name), value, name)
            self.assertNotIn("concord.key", operation["attributes"])
            self.assertEqual(operation["resource"]["service.name"], "concord")

    WAY = ["concord.raft.propose", "concord.log.sync", "concord.raft.replicate", "concord.state.apply"]

    def test_a_write_shows_its_way_through_the_log(self):
        with Collector() as collector, traced(collector.url, "--durability-mode", "disk") as server:
            call(server.connection(), "PUT", "/api/v1/kv/a", {"value": 1})
            spans = collector.wait_for(["concord.api.put", *self.WAY])
            operation = spans["concord.api.put"]
            for name in self.WAY:
                self.assertEqual((spans[name]["trace"], spans[name]["parent"]), (operation["trace"], operation["id"]), name)
                self.assertLessEqual(spans[name]["duration_ns"], operation["duration_ns"], name)
            call(server.connection(), "GET", "/api/v1/kv/a")
            collector.wait_for(["concord.api.get"])
            self.assertEqual(sum(span["name"] in self.WAY for span in collector.spans), len(self.WAY), "a read has no such way")

    def test_a_write_at_a_follower_shows_that_it_was_passed_on_and_what_the_leader_did(self):
        flags = ["--durability-mode", "disk", "--tracing-enabled", "true", "--tracing-exporter", "otlp", "--tracing-interval-ms", "50"]
        with Collector() as collector, Cluster(PROGRAM, directory(), flags=[*flags, "--tracing-endpoint", collector.url]) as cluster:
            leader, follower = cluster.wait_leader(), cluster.followers()[0]
            self.assertEqual(follower.put("a", 1)[0], 200)
            operation = collector.wait_for(["concord.api.put"])["concord.api.put"]
            here = ["concord.raft.propose", "concord.raft.forward", "concord.state.apply"]
            forward = self.parts(collector, operation, here, follower)["concord.raft.forward"]
            self.parts(collector, forward, self.WAY, leader)

    def parts(self, collector, parent, names, node):
        def found():
            return {span["name"]: span for span in collector.spans if span["parent"] == parent["id"]}
        wait_until(lambda: set(names) <= set(found()), f"{names} below {parent['name']}")
        self.assertEqual(sorted(found()), sorted(names))
        for span in found().values():
            self.assertEqual((span["trace"], span["resource"]["service.instance.id"]), (parent["trace"], node.name), span["name"])
        return found()

    def test_what_is_not_sampled_is_passed_on_and_not_exported(self):
        with Collector() as collector, traced(collector.url) as server:
            connection = server.connection()
            _, headers, _ = call(connection, "GET", "/api/v1/kv/a", None, {"traceparent": f"00-{TRACE}-{PARENT}-00"})
            self.assertRegex(headers["traceparent"], f"^00-{TRACE}-[0-9a-f]{{16}}-00$")
            call(connection, "DELETE", "/api/v1/kv/a")
            spans = collector.wait_for(["concord.http.DELETE"])
            self.assertNotIn("concord.http.GET", spans)

    def test_a_malformed_traceparent_begins_a_new_trace(self):
        with Collector() as collector, traced(collector.url) as server:
            for bad in ["x", f"00-{TRACE}-{PARENT}", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", "00-" + "a" * 4000]:
                status, headers, _ = call(server.connection(), "GET", "/api/v1/kv/a", None, {"traceparent": bad})
                self.assertEqual(status, 404)
                self.assertRegex(headers["traceparent"], r"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
                self.assertNotIn(TRACE, headers["traceparent"])
            self.assertEqual(collector.wait_for(["concord.http.GET"])["concord.http.GET"]["parent"], "")

    def test_a_collector_that_hangs_holds_nobody_up(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            with traced(f"http://127.0.0.1:{silent.getsockname()[1]}", "--tracing-queue-size", "10", "--tracing-timeout-ms",
                        "60000") as server:
                connection = server.connection()
                for i in range(200):
                    self.assertEqual(call(connection, "PUT", f"/api/v1/kv/{i}", {"value": i})[0], 200)
                page = get(server.metrics)[2]
                self.assertGreater(int(re.search(r"\nconcord_tracing_spans_dropped_total (\d+)", page).group(1)), 0)
                self.assertEqual(server.stop(), 0)

    def test_lines_on_standard_output(self):
        with Server(PROGRAM, directory(), "--prometheus-port", "0", "--tracing-enabled", "true", "--tracing-exporter", "stdout",
                    "--tracing-interval-ms", "10") as server:
            call(server.connection(), "PUT", "/api/v1/kv/a", {"value": 1})
            expected = {"concord.api.put", "concord.http.PUT", *self.WAY}
            lines = [json.loads(server.process.stdout.readline()) for _ in expected]
            self.assertEqual({line["span"] for line in lines}, expected)

    def test_zipkin(self):
        taken = []

        class Zipkin(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                taken.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Zipkin) as zipkin:
            threading.Thread(target=zipkin.serve_forever, daemon=True).start()
            with traced(f"http://127.0.0.1:{zipkin.server_port}/api/v2/spans", exporter="zipkin") as server:
                call(server.connection(), "PUT", "/api/v1/kv/a", {"value": 1})
                end = time.monotonic() + 20
                while time.monotonic() < end and sum(len(spans) for _, spans in taken) < 2 + len(self.WAY):
                    time.sleep(0.05)
            zipkin.shutdown()
        spans = {span["name"]: span for _, batch in taken for span in batch}
        self.assertEqual(taken[0][0], "/api/v2/spans")
        self.assertEqual(spans["concord.api.put"]["parentId"], spans["concord.http.PUT"]["id"])
        self.assertEqual(spans["concord.http.PUT"]["tags"]["http.route"], "/api/v1/kv/{key}")


if __name__ == "__main__":
    COLLECTOR = sys.argv.pop(3)
    WORK = sys.argv.pop(2)
    PROGRAM = sys.argv.pop(1)
    shutil.rmtree(WORK, ignore_errors=True)
    pathlib.Path(WORK).mkdir(parents=True)
    unittest.main(verbosity=2)
