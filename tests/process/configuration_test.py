"""The configuration of a running node: its log, what SIGHUP changes, and what the HTTP keys do.

usage: configuration_test.py PROGRAM WORK_DIR
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest
from unittest import mock

from server import Server, call

PROGRAM, WORK_DIR = sys.argv[1:3]


class Configuration(unittest.TestCase):
    def setUp(self):
        self.directory = os.path.join(WORK_DIR, self.id().rsplit(".", 1)[-1])
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.file = os.path.join(self.directory, "concord.toml")

    def tearDown(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def write(self, content):
        """As an editor does it: a reload never sees half a file."""
        with open(self.file + ".new", "w") as file:
            file.write(content)
        os.replace(self.file + ".new", self.file)

    def start(self, content, *flags):
        self.write(content)
        return Server(PROGRAM, os.path.join(self.directory, "data"), "--config", self.file, *flags, log_flags=())

    def line_with(self, server, text):
        """The next line of the log that holds `text`."""
        for line in server.process.stderr:
            if text in line:
                return line
        self.fail(f"the log ended without {text!r}")

    def reload(self, server, content):
        self.write(content)
        server.process.send_signal(signal.SIGHUP)

    def test_json_log_lines_are_objects_with_the_fields_of_a_request(self):
        with self.start('[log]\nformat = "json"\n[api]\naccess_log = true\n') as server:
            call(server.connection(), "PUT", "/api/v1/kv/k%0A%22", {"value": 1}, {"X-Request-Id": "mine"})
            line = json.loads(self.line_with(server, '"request"'))
            self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertGreaterEqual(line.pop("duration_us"), 0)
            self.assertEqual(
                line,
                {
                    "level": "info",
                    "message": "request",
                    "client": "127.0.0.1",
                    "method": "PUT",
                    "target": "/api/v1/kv/k%0A%22",
                    "status": 200,
                    "request_bytes": 12,
                    "response_bytes": 28,
                    "request_id": "mine",
                },
            )
            server.process.send_signal(signal.SIGTERM)
            for line in server.process.communicate(timeout=10)[1].splitlines():
                self.assertLessEqual({"time", "level", "message"}, json.loads(line).keys())

    def test_a_reload_changes_what_can_change_and_names_what_needs_a_restart(self):
        with self.start('[log]\nlevel = "info"\n') as server:
            connection = server.connection()
            self.assertEqual(call(connection, "GET", "/health")[0], 200)
            self.reload(server, "[api]\naccess_log = true\ncompress = false\n")
            self.assertIn("restart only key=api.compress before=true after=false", self.line_with(server, "api.compress"))
            self.assertIn("changed key=api.access_log before=false after=true", self.line_with(server, "api.access_log"))
            self.assertEqual(call(connection, "GET", "/ready")[0], 200)
            self.assertIn("target=/ready status=200", self.line_with(server, "target="))  # and not /health, asked before
            self.reload(server, '[log]\nformat = "json"\n')
            self.assertEqual(json.loads(self.line_with(server, "log.format"))["after"], "json")
            self.assertEqual(server.stop(), 0)

    def test_a_reload_without_a_change_says_so(self):
        with self.start("") as server:
            self.reload(server, "# nothing\n")
            self.line_with(server, "reload: nothing has changed")

    def test_a_broken_file_changes_nothing_and_is_named(self):
        with self.start("[api]\naccess_log = true\n") as server:
            self.reload(server, '[api]\naccess_log = false\nprot = 1\n[log]\nlevel = "loud"\n')
            self.line_with(server, "the one in force stays")
            self.assertIn(':3: unknown key "api.prot"; did you mean api.port?', self.line_with(server, "prot"))
            self.assertIn(':5: log.level: "loud" is not one of', self.line_with(server, "loud"))
            self.assertEqual(call(server.connection(), "GET", "/health")[0], 200)
            self.line_with(server, "target=/health")
            os.remove(self.file)
            server.process.send_signal(signal.SIGHUP)
            self.line_with(server, "concord.toml: cannot be read")
            self.assertEqual(server.stop(), 0)

    def test_a_service_manager_is_told_of_a_reload(self):
        address = f"@concord-configuration-test-{os.getpid()}"  # abstract: a path could be too long
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, mock.patch.dict(os.environ, NOTIFY_SOCKET=address):
            manager.bind("\0" + address[1:])
            with self.start("") as server:
                self.assertEqual(manager.recv(100), b"READY=1")
                server.process.send_signal(signal.SIGHUP)
                self.assertRegex(manager.recv(100), rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
                self.assertEqual(manager.recv(100), b"READY=1")
                self.assertEqual(server.stop(), 0)
                self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_a_reload_asked_for_during_the_start_is_done_after_it(self):
        os.mkfifo(self.file)
        command = [PROGRAM, "start", "--node-data-dir", os.path.join(self.directory, "data"), "--api-port", "0", "--config", self.file]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                with open(self.file, "w") as file:  # opens when the program does, which then waits for what is written
                    process.send_signal(signal.SIGHUP)
                    self.write("[api]\naccess_log = true\n")  # for the reload, under the same name
                    file.write("[api]\naccess_log = false\n")
                self.assertRegex(process.stdout.readline(), "^concord ready ")
                self.assertTrue(any("changed key=api.access_log before=false after=true" in line for line in process.stderr))
            finally:
                process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=10), 0)

    def test_flags_outlive_a_reload(self):
        with self.start("[api]\naccess_log = true\n", "--api-access-log", "true") as server:
            self.reload(server, "[api]\naccess_log = false\n")
            self.line_with(server, "reload: nothing has changed")

    def test_the_http_keys_reach_the_server(self):
        content = '[api]\nallowed_hosts = ["db.example"]\ncors_origins = ["https://app.example"]\n[limits]\nmax_body_bytes = 1024\nrequest_timeout_ms = 200\n'
        with self.start(content) as server:
            connection = server.connection()
            self.assertEqual(call(connection, "GET", "/health", headers={"Host": "db.example"})[0], 200)
            self.assertEqual(call(connection, "GET", "/health", headers={"Host": "other.example"})[0], 421)
            headers = call(connection, "GET", "/health", headers={"Origin": "https://app.example"})[1]
            self.assertEqual(headers["Access-Control-Allow-Origin"], "https://app.example")
            self.assertEqual(call(connection, "PUT", "/api/v1/kv/k", {"value": "v" * 1024})[0], 413)
            slow = server.connection()
            slow.putrequest("PUT", "/api/v1/kv/k")
            slow.putheader("Content-Length", "10")
            slow.endheaders(b"half")
            self.assertEqual(slow.getresponse().status, 408)

    def test_compression_of_answers_can_be_off(self):
        for flag, coding in (("true", "gzip"), ("false", None)):
            with self.start("", "--api-compress", flag) as server:
                connection = server.connection()
                connection.request("GET", "/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
                self.assertEqual(connection.getresponse().getheader("Content-Encoding"), coding)

    def test_an_idle_connection_is_closed_after_its_time(self):
        with self.start("", "--limits-idle-timeout-ms", "100") as server:
            connection = server.connection()
            self.assertEqual(call(connection, "GET", "/health")[0], 200)
            self.assertEqual(connection.sock.recv(1), b"")

    def test_a_log_that_nobody_reads_any_more_does_not_end_the_node(self):
        with self.start("[api]\naccess_log = true\n") as server:
            server.process.stderr.close()
            for _ in range(3):
                self.assertEqual(call(server.connection(), "GET", "/health")[0], 200)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(timeout=10), 0)
            server.process.stderr = None

    def test_show_names_each_value_with_its_origin_and_check_every_problem(self):
        self.write('[api]\nport = 4001\n[auth]\ntoken = "sk_concord_hidden"\n')
        shown = subprocess.run([PROGRAM, "config", "show", "--config", self.file, "--log-level", "warn"], capture_output=True, text=True)
        self.assertEqual(shown.returncode, 0)
        self.assertIn(f"api.port = 4001  # file {self.file}:2\n", shown.stdout)
        self.assertIn("log.level = warn  # flag --log-level\n", shown.stdout)
        self.assertNotIn("hidden", shown.stdout)
        shown = subprocess.run([PROGRAM, "config", "show", "--config", self.file, "--output", "json", "--node-data-dir", b"/a\"b/\xff"], capture_output=True)
        settings = {each.pop("key"): each for each in json.loads(shown.stdout)}
        self.assertEqual(settings["api.port"], {"value": "4001", "origin": f"file {self.file}:2"})
        self.assertEqual(settings["auth.token"], {"value": "****", "origin": f"file {self.file}:4"})
        self.assertEqual(settings["node.data_dir"], {"value": '/a"b/?', "origin": "flag --node-data-dir"})
        self.assertEqual(settings["node.name"]["origin"], "default")
        self.write("[api]\nport = 70000\nprot = 1\n")
        checked = subprocess.run([PROGRAM, "config", "check", "--config", self.file], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout), (1, ""))
        self.assertIn(f'{self.file}:2: api.port: "70000" is not within 0 to 65535', checked.stderr)
        self.assertIn(f'{self.file}:3: unknown key "api.prot"; did you mean api.port?', checked.stderr)


unittest.main(argv=sys.argv[:1])
