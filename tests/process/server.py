"""A `concord start` process of a test: started on a port of its own choice, stopped or killed by the test."""

import http.client
import json
import os
import re
import signal
import subprocess


class Server:
    def __init__(self, program, data_dir, *flags, log_flags=("--log-level", "warn")):
        self.program = program
        self.command = [program, "start", "--node-data-dir", data_dir, "--api-port", "0", *log_flags, *flags]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"concord ready node=(\S+) api=http://127\.0\.0\.1:(\d+) peer=(\S+) metrics=(\S+)\n", line)
        if not found:
            self.process.kill()
            raise AssertionError(f"no ready line but {line!r}; stderr: {self.process.communicate()[1]}")
        self.port = int(found.group(2))
        self.metrics = found.group(4)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=10)
        return self.process.returncode

    def cli(self, *arguments, stdin=None):
        """A subcommand of the program against this server: (exit code, stdout, stderr)."""
        done = subprocess.run([self.program, "--endpoint", self.endpoint, *arguments], input=stdin, capture_output=True, timeout=30)
        return done.returncode, done.stdout, done.stderr


def call(connection, method, path, body=None, headers=None):
    """(status, headers, body): the body decoded when it is JSON."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    raw = response.read()
    is_json = response.getheader("Content-Type", "").startswith("application/json")
    return response.status, response.headers, json.loads(raw) if is_json and raw else raw
