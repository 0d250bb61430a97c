"""`concord bench` as an operator uses it: what it counts agrees with what the server stored. Never a time.

usage: bench_test.py PROGRAM WORK_DIR
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest

from server import Server, call

PROGRAM, WORK_DIR = sys.argv[1:3]


class Bench(unittest.TestCase):
    def setUp(self):
        self.data_dir = os.path.join(WORK_DIR, self.id().rsplit(".", 1)[-1])
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def tearDown(self):
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def bench(self, server, *arguments):
        code, output, errors = server.cli("bench", "--output", "json", "--duration", "1", *arguments)
        self.assertEqual(code, 0, errors)
        return self.checked(json.loads(output))

    def checked(self, report):
        """Every request was answered or is an error, and every answer stands in the histogram once."""
        self.assertEqual(report["requests"], report["succeeded"] + sum(report["errors"].values()))
        latency = report["latency_ns"]
        self.assertEqual(latency["all"]["count"], report["succeeded"])
        self.assertEqual(latency["all"]["count"], latency["reads"]["count"] + latency["writes"]["count"])
        for kind in latency.values():
            self.assertEqual(sum(count for _, _, count in kind["buckets"]), kind["count"])
            self.assertLessEqual(kind["p50"], kind["p90"])
            self.assertLessEqual(kind["p90"], kind["p99"])
            self.assertLessEqual(kind["p99"], kind["p99_9"])
            self.assertLessEqual(kind["p99_9"], kind["max"])
        return report

    def data(self, server, *request):
        connection = server.connection()
        try:
            return call(connection, *request)[2].get("data")
        finally:
            connection.close()

    def revision(self, server):
        return self.data(server, "GET", "/api/v1/status")["storage"]["revision"]

    def keys(self, server, prefix):
        return self.data(server, "POST", "/api/v1/query", {"prefix": prefix, "select": "count"})["count"]

    def test_every_write_it_counts_was_done_and_no_other(self):
        with Server(PROGRAM, self.data_dir) as server:
            report = self.bench(server, "--mix", "1:1", "--keys", "700", "--connections", "8", "--threads", "2", "--warmup", "100ms", "--keep")
            self.assertEqual(report["errors"], {})
            self.assertEqual((report["filled_keys"], report["fill_requests"]), (700, 2))
            self.assertGreater(report["latency_ns"]["reads"]["count"], 0)
            writes = report["latency_ns"]["writes"]["count"] + report["warmup_writes"]
            self.assertGreater(writes, 0)
            self.assertEqual(self.revision(server), report["fill_requests"] + writes)
            self.assertEqual(self.keys(server, report["prefix"]), 700)

    def test_bulk_calls_count_their_items(self):
        with Server(PROGRAM, self.data_dir) as server:
            report = self.bench(server, "--mix", "1:3", "--keys", "100", "--bulk", "20", "--connections", "4", "--warmup", "0", "--value-size", "10", "--keep")
            self.assertEqual((report["errors"], report["warmup_requests"]), ({}, 0))
            self.assertEqual(report["items"], report["succeeded"] * 20)
            self.assertEqual(self.revision(server), report["fill_requests"] + report["latency_ns"]["writes"]["count"])

    def test_connections_are_spread_over_all_endpoints(self):
        """Also when each thread has but one."""
        with Server(PROGRAM, self.data_dir) as one, Server(PROGRAM, self.data_dir + "-2") as two:
            self.addCleanup(shutil.rmtree, self.data_dir + "-2", ignore_errors=True)
            report = self.bench(one, "--endpoint", two.endpoint, "--mix", "0:1", "--connections", "2", "--threads", "2", "--warmup", "100ms", "--keep")
            revisions = [self.revision(one), self.revision(two)]
            self.assertEqual(report["errors"], {})
            self.assertEqual(sum(revisions), report["latency_ns"]["writes"]["count"] + report["warmup_writes"])
            self.assertGreater(min(revisions), 0)

    def test_reads_are_as_fresh_as_asked_for(self):
        with Server(PROGRAM, self.data_dir) as server:
            for consistency in ("eventual", "leader", "strong"):
                report = self.bench(server, "--consistency", consistency, "--mix", "1:0", "--keys", "10", "--connections", "1", "--warmup", "0")
                self.assertEqual(report["errors"], {}, consistency)
                self.assertGreater(report["latency_ns"]["reads"]["count"], 0)

    def test_its_keys_are_its_own_and_gone_afterwards(self):
        with Server(PROGRAM, self.data_dir) as server:
            self.data(server, "PUT", "/api/v1/kv/bench-mine", {"value": 1})
            report = self.bench(server, "--mix", "0:1", "--keys", "50", "--connections", "2", "--warmup", "0")
            self.assertTrue(report["prefix"].startswith("bench-"))
            self.assertEqual((report["filled_keys"], report["latency_ns"]["reads"]["count"]), (0, 0))
            self.assertEqual((self.keys(server, report["prefix"]), self.keys(server, "")), (0, 1))

    def test_refused_requests_are_counted_by_kind_and_end_nothing(self):
        with Server(PROGRAM, self.data_dir, "--limits-max-value-bytes", "50") as server:
            code, output, errors = server.cli("bench", "--output", "json", "--duration", "300ms", "--mix", "0:1", "--connections", "2", "--warmup", "0")
            report = self.checked(json.loads(output))
            self.assertEqual(code, 1)
            self.assertEqual(report["errors"], {"status 413": report["requests"]})
            self.assertIn(b"PAYLOAD_TOO_LARGE", errors)
            self.assertIn(b"no request succeeded", errors)

    def test_interrupted_it_still_prints_and_cleans_up(self):
        with Server(PROGRAM, self.data_dir) as server:
            command = [PROGRAM, "--endpoint", server.endpoint, "bench", "--output", "json", "--duration", "600", "--warmup", "0", "--keys", "10"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                self.assertIn("keys under bench-", process.stderr.readline())
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 0)
            self.assertTrue(self.checked(json.loads(output))["interrupted"])
            self.assertEqual(self.keys(server, ""), 0)

    def test_a_server_that_goes_away_is_6_with_what_was_counted(self):
        with Server(PROGRAM, self.data_dir) as server:
            command = [PROGRAM, "--endpoint", server.endpoint, "--timeout", "300ms", "bench", "--output", "json", "--duration", "600", "--warmup", "0", "--keys", "10"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                self.assertIn("keys under bench-", process.stderr.readline())
                server.kill()
                output, errors = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 6)
            report = self.checked(json.loads(output))
            self.assertGreater(report["failed_connects"], 0)
            self.assertIn("keys may be left under the prefix " + report["prefix"], errors)

    def test_lost_connections_are_counted_and_made_again(self):
        """A server that answers a request of each connection and then closes it without a word, whatever comes."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    with connection:
                        if connection.recv(65536):
                            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                            connection.recv(65536)
            thread = threading.Thread(target=serve)
            thread.start()
            command = [PROGRAM, "--endpoint", f"http://127.0.0.1:{listener.getsockname()[1]}", "bench", "--output", "json"]
            done = subprocess.run([*command, "--mix", "0:1", "--connections", "1", "--duration", "500ms", "--warmup", "0", "--keep"], capture_output=True, timeout=60)
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
        report = self.checked(json.loads(done.stdout))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(report["succeeded"], 1)
        self.assertEqual(set(report["errors"]), {"connection lost"})

    def test_an_open_load_asks_as_often_as_was_said(self):
        with Server(PROGRAM, self.data_dir) as server:
            for threads in ("1", "3"):
                report = self.bench(server, "--rate", "500", "--connections", "7", "--threads", threads, "--warmup", "200ms", "--keys", "10")
                self.assertEqual(report["errors"], {})
                self.assertEqual((report["requests"], report["warmup_requests"]), (500, 100))
                self.assertEqual(report["settings"]["rate"], 500)

    def test_an_open_load_leaves_out_nothing_that_a_slow_server_had_no_time_for(self):
        """A server that takes connections and never answers: what was due in a second, and what no connection was free for, are errors."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            command = [PROGRAM, "--endpoint", f"http://127.0.0.1:{listener.getsockname()[1]}", "--timeout", "300ms", "bench", "--output", "json"]
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

            def serve():
                with listener.accept()[0] as health:  # it is asked once whether it is there
                    health.recv(65536)
                    health.sendall(answer)
                    health.recv(65536)
            thread = threading.Thread(target=serve)
            thread.start()
            done = subprocess.run([*command, "--mix", "0:1", "--connections", "1", "--rate", "100", "--duration", "1s", "--warmup", "0", "--keep"],
                                  capture_output=True, timeout=60)
            thread.join()
        report = self.checked(json.loads(done.stdout))
        self.assertEqual((report["requests"], report["succeeded"]), (100, 0))
        self.assertEqual(set(report["errors"]), {"timeout", "never sent"})
        self.assertGreater(report["errors"]["never sent"], report["errors"]["timeout"])

    def test_every_form_of_the_output_has_the_percentiles(self):
        with Server(PROGRAM, self.data_dir) as server:
            small = ["--duration", "100ms", "--warmup", "0", "--keys", "10", "--connections", "1"]
            code, table, _ = server.cli("bench", "--output", "table", *small)
            self.assertEqual(code, 0)
            for word in (b"p50", b"p99.9", b"max", b"####"):
                self.assertIn(word, table)
            code, plain, _ = server.cli("bench", "--output", "plain", *small)
            self.assertEqual(code, 0)
            self.assertRegex(plain, rb"(?m)^p99_9_ns \d+$")

    def test_bad_arguments_are_usage_and_touch_nothing(self):
        for arguments, words in [
            (["--mix", "9"], "--mix is reads:writes"),
            (["--mix", "0:0"], "--mix is reads:writes"),
            (["--duration", "0"], "--duration"),
            (["--warmup", "-1"], "--warmup"),
            (["--connections", "0"], "--connections must be from 1"),
            (["--connections", "many"], "--connections"),
            (["--threads", "0"], "--threads"),
            (["--threads", "9", "--connections", "8"], "--threads is more than --connections"),
            (["--bulk", "501"], "--bulk must be from 1 to 500"),
            (["--keys", "5", "--bulk", "6"], "--bulk is more than --keys"),
            (["--value-size", "9000000"], "--value-size"),
            (["--rate", "0"], "--rate is a whole number of requests a second, from 1 to 10000000, not 0"),
            (["--rate", "-5"], "--rate is a whole number"),
            (["--rate", "1.5"], "--rate is a whole number"),
            (["--rate", "fast"], "not fast"),
            (["--rate", ""], "--rate"),
            (["--unknown"], "--unknown"),
        ]:
            with self.subTest(arguments=arguments):
                done = subprocess.run([PROGRAM, "bench", *arguments], capture_output=True, text=True, timeout=30)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(words, done.stderr)

    def test_a_server_that_is_not_there_is_6(self):
        with socket.socket() as taken:  # bound and not listening: nobody else gets the port
            taken.bind(("127.0.0.1", 0))
            done = subprocess.run([PROGRAM, "--endpoint", f"http://127.0.0.1:{taken.getsockname()[1]}", "bench"], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn("cannot reach", done.stderr)


unittest.main(argv=sys.argv[:1])
