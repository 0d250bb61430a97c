"""TLS of the API: certificates that the program makes, a server that shows them and takes new ones, clients that look: tls_test.py PROGRAM"""

import http.client
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


def run(*arguments):
    """(exit code, stdout, stderr)"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment, timeout=60)
    return done.returncode, done.stdout, done.stderr


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-tls-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.certificates = os.path.join(self.directory, "tls")

    def path(self, name):
        return os.path.join(self.certificates, name)

    def generate(self, *hosts):
        code, output, errors = run("cert", "generate", "--out", self.certificates, *[word for host in hosts for word in ("--host", host)])
        self.assertEqual(code, 0, errors)
        return output

    def start(self, *flags):
        process = subprocess.Popen([PROGRAM, "start", "--node-data-dir", os.path.join(self.directory, "data"), "--api-port", "0",
                                    "--api-tls-cert", self.path("node.crt"), "--api-tls-key", self.path("node.key"), *flags],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        found = re.search(r" api=https://127\.0\.0\.1:(\d+) ", process.stdout.readline())
        self.assertIsNotNone(found)
        return process, int(found.group(1))

    def context(self):
        return ssl.create_default_context(cafile=self.path("ca.crt"))

    def health(self, port):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=self.context())
        connection.request("GET", "/health")
        status = connection.getresponse().status
        connection.close()
        return status

    def serial(self, port):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw, self.context().wrap_socket(raw, server_hostname="127.0.0.1") as shown:
            return shown.getpeercert()["serialNumber"]

    def test_certificates_are_made_and_keys_are_private(self):
        self.assertEqual(len(self.generate().splitlines()), 6)
        for name in ("ca", "node", "client"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name + ".key")).st_mode), 0o600)
        with open(self.path("ca.crt"), "rb") as file:
            authority = file.read()
        self.generate("db.example.org")
        with open(self.path("ca.crt"), "rb") as file:
            self.assertEqual(file.read(), authority, "the authority is made once")
        os.remove(self.path("ca.key"))
        code, _, errors = run("cert", "generate", "--out", self.certificates)
        self.assertEqual((code, "ca.key" in errors), (2, True), errors)

    def test_clients_trust_the_authority_and_nobody_else(self):
        self.generate()
        process, port = self.start()
        endpoint = f"https://127.0.0.1:{port}"
        code, output, errors = run("--endpoint", endpoint, "--cacert", self.path("ca.crt"), "kv", "put", "k", "1")
        self.assertEqual((code, output), (0, "ok revision=1\n"), errors)
        self.assertEqual(run("--endpoint", endpoint, "kv", "get", "k")[0], 6)
        self.assertEqual(run("--endpoint", endpoint, "--insecure", "kv", "get", "k")[0], 0)
        self.assertEqual(run("--endpoint", f"http://127.0.0.1:{port}", "kv", "get", "k")[0], 6)
        self.assertEqual(self.health(port), 200)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=10), 0)

    def test_a_new_certificate_is_taken_without_a_restart_and_half_of_one_is_not(self):
        self.generate()
        _, port = self.start()
        first = self.serial(port)
        with open(self.path("node.crt"), "r+", encoding="utf-8") as file:
            file.truncate(100)
        self.generate()
        wait_until(lambda: self.serial(port) != first, "the new certificate is shown")
        with open(self.path("node.key"), "w", encoding="utf-8") as file:
            file.write("no key")
        second = self.serial(port)
        self.assertEqual(self.health(port), 200)
        self.assertEqual(self.serial(port), second)

    def test_clients_show_a_certificate_where_an_authority_for_them_is_named(self):
        self.generate()
        _, port = self.start("--api-tls-client-ca", self.path("ca.crt"))
        call = ["--endpoint", f"https://127.0.0.1:{port}", "--cacert", self.path("ca.crt")]
        pair = ["--cert", self.path("client.crt"), "--key", self.path("client.key")]
        code, output, errors = run(*call, *pair, "kv", "put", "k", "1")
        self.assertEqual((code, output), (0, "ok revision=1\n"), errors)
        code, _, errors = run(*call, "kv", "get", "k")
        self.assertEqual((code, "certificate required" in errors), (6, True), errors)
        self.assertEqual(run(*call, *pair[:2], "kv", "get", "k")[0], 2)
        with tempfile.TemporaryDirectory() as other:
            run("cert", "generate", "--out", other)
            self.assertEqual(run(*call, "--cert", os.path.join(other, "client.crt"), "--key", os.path.join(other, "client.key"), "kv", "get", "k")[0], 6)
        context = self.context()
        context.load_cert_chain(self.path("client.crt"), self.path("client.key"))
        for _ in range(3):  # a session is not taken up again without a look at the certificate
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
            connection.request("GET", "/health")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()

    def test_five_thousand_half_open_handshakes_and_garbage_harm_nobody(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.generate()
        _, port = self.start()
        connections = []
        self.addCleanup(lambda: [raw.close() for raw in connections])
        for number in range(5000):
            raw = socket.create_connection(("127.0.0.1", port), timeout=20)
            connections.append(raw)
            raw.send((b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x16")[number % 3])
            if number % 250 == 0:
                self.assertEqual(self.health(port), 200, number)
        self.assertEqual(self.health(port), 200)

    def test_a_start_with_what_can_not_be_used_is_refused(self):
        self.generate()
        data = os.path.join(self.directory, "data")
        code, _, errors = run("start", "--node-data-dir", data, "--api-port", "0", "--api-tls-cert", self.path("node.crt"), "--api-tls-key",
                              self.path("client.key"))
        self.assertEqual((code, "client.key" in errors), (1, True), errors)
        code, _, errors = run("start", "--node-data-dir", data, "--api-port", "0", "--api-tls-cert", self.path("node.crt"))
        self.assertEqual((code, "api.tls_key" in errors), (1, True), errors)
        code, _, errors = run("start", "--node-data-dir", data, "--api-port", "0", "--api-tls-client-ca", self.path("ca.crt"))
        self.assertEqual((code, "api.tls_client_ca" in errors), (1, True), errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
