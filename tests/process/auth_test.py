"""Tokens over clusters of real processes and the command line: auth_test.py PROGRAM"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, wait_until  # noqa: E402
from server import Server  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None
FIRST = "sk_concord_the_first_token_of_these_tests"


def ask(node, method, path, token=None, body=None):
    """(status, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def run(endpoint, *arguments, token=None, stdin=None):
    """(exit code, stdout, stderr)"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    if token:
        environment["CONCORD_TOKEN"] = token
    done = subprocess.run([PROGRAM, "--endpoint", endpoint, *arguments], input=stdin, capture_output=True, text=True, env=environment,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr


def everything_written(directory):
    """The bytes of every file below a directory."""
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield path, file.read()


class AuthTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-auth-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def flags(self):
        token_file = os.path.join(self.directory, "first-token")
        with open(token_file, "w", encoding="utf-8") as file:
            file.write(FIRST + "\n")
        return ["--auth-enabled", "true", "--auth-token-file", token_file]

    def create(self, node, **wanted):
        status, answer = ask(node, "POST", "/api/v1/tokens", FIRST, {"permissions": ["read", "write"], **wanted})
        self.assertEqual(status, 201, answer)
        return answer["data"]

    def test_a_token_is_good_and_revoked_on_all_nodes_at_once(self):
        with Cluster(PROGRAM, self.directory, flags=self.flags()) as cluster:
            nodes = list(cluster.nodes.values())
            for round_number in range(20):
                made = nodes[round_number % 3]
                token = self.create(made)
                for node in nodes:
                    status, answer = ask(node, "PUT", "/api/v1/kv/k", token["token"], {"value": round_number})
                    self.assertEqual(status, 200, answer)
                revoking = nodes[(round_number + 1) % 3]
                status, answer = ask(revoking, "DELETE", f"/api/v1/tokens/{token['id']}", FIRST)
                self.assertEqual(status, 200, answer)
                for node in nodes:
                    status, answer = ask(node, "GET", "/api/v1/kv/k", token["token"])
                    self.assertEqual(status, 401, answer)
                    status, answer = ask(node, "PUT", "/api/v1/kv/k", token["token"], {"value": "revoked"})
                    self.assertEqual(status, 401, answer)

    def test_no_write_is_done_once_the_revocation_was_answered(self):
        with Cluster(PROGRAM, self.directory, flags=self.flags()) as cluster:
            nodes = list(cluster.nodes.values())
            token = self.create(nodes[0])
            done = []  # numbers whose writes were answered 200, per writer in order
            stop = threading.Event()

            def write(node):
                number = 0
                while not stop.is_set():
                    number += 1
                    status, _ = ask(node, "PUT", f"/api/v1/kv/{node.name}", token["token"], {"value": number})
                    if status != 200:
                        return
                    done.append((node.name, number))

            writers = [threading.Thread(target=write, args=(node,)) for node in nodes]
            for writer in writers:
                writer.start()
            wait_until(lambda: len(done) > 60, "writes go on")
            self.assertEqual(ask(nodes[1], "DELETE", f"/api/v1/tokens/{token['id']}", FIRST)[0], 200)
            _, before = ask(nodes[0], "GET", "/api/v1/kv?consistency=strong&meta=true", FIRST)
            for writer in writers:
                writer.join()
            stop.set()
            _, after = ask(nodes[0], "GET", "/api/v1/kv?consistency=strong&meta=true", FIRST)
            self.assertEqual(before, after, "a write of a revoked token came after its revocation")

    def test_tokens_survive_the_kill_of_all_nodes_in_log_and_snapshot(self):
        with Cluster(PROGRAM, self.directory, flags=self.flags()) as cluster:
            nodes = list(cluster.nodes.values())
            kept = self.create(nodes[0], description="kept", prefixes=["app/"])
            gone = self.create(nodes[0])
            self.assertEqual(ask(nodes[2], "POST", "/api/v1/tokens/revoke", FIRST, {"token": gone["token"]})[0], 200)
            for node in nodes:
                self.assertEqual(ask(node, "POST", "/api/v1/cluster/snapshot", FIRST)[0], 200)
                wait_until(lambda node=node: ask(node, "GET", "/api/v1/status", FIRST)[1]["data"]["storage"]["snapshot_index"] > 0,
                           "a snapshot")
            for node in nodes:
                node.kill()
            for node in nodes:
                node.start()
            cluster.wait_ready(*[node.name for node in nodes])
            for node in nodes:
                self.assertEqual(ask(node, "GET", "/api/v1/kv/app%2Fk", kept["token"])[0], 404)
                self.assertEqual(ask(node, "GET", "/api/v1/kv/k", kept["token"])[0], 403)
                self.assertEqual(ask(node, "GET", "/api/v1/kv/k", gone["token"])[0], 401)

    def test_no_secret_is_written_anywhere(self):
        with Cluster(PROGRAM, self.directory, flags=[*self.flags(), "--log-level", "trace", "--api-access-log", "true"]) as cluster:
            nodes = list(cluster.nodes.values())
            secrets = [self.create(node)["token"] for node in nodes] + ["sk_concord_of_nobody_at_all"]
            for node in nodes:
                for secret in secrets:
                    ask(node, "PUT", "/api/v1/kv/k", secret, {"value": 1})
                    ask(node, "GET", "/api/v1/kv/k?consistency=strong", secret)
                ask(node, "POST", "/api/v1/tokens/revoke", FIRST, {"token": secrets[0]})
                ask(node, "POST", "/api/v1/cluster/snapshot", FIRST)
                _, shown = ask(node, "GET", "/api/v1/tokens", FIRST)
                _, status = ask(node, "GET", "/api/v1/status", FIRST)
                for secret in [*secrets, FIRST]:
                    self.assertNotIn(secret, json.dumps(shown) + json.dumps(status))
                wait_until(lambda node=node: ask(node, "GET", "/api/v1/status", FIRST)[1]["data"]["storage"]["snapshot_index"] > 0,
                           "a snapshot")
        os.remove(os.path.join(self.directory, "first-token"))
        written = 0
        for path, content in everything_written(self.directory):
            written += len(content)
            for secret in [*secrets, FIRST]:
                self.assertNotIn(secret.encode(), content, path)
        self.assertGreater(written, 10_000)

    def test_a_start_that_lets_nobody_in_is_refused(self):
        done = subprocess.run([PROGRAM, "start", "--node-data-dir", os.path.join(self.directory, "data"), "--api-port", "0",
                               "--auth-enabled", "true"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("auth.token", done.stderr)

    def test_the_command_line_makes_lists_and_revokes(self):
        with Server(PROGRAM, os.path.join(self.directory, "data"), *self.flags()) as server:
            code, _, errors = run(server.endpoint, "kv", "get", "k")
            self.assertEqual((code, "UNAUTHORIZED" in errors), (5, True), errors)
            code, output, errors = run(server.endpoint, "token", "create", "--permissions", "read", "--prefix", "app/", "--description",
                                       "of a test", "--expires-in", "600", token=FIRST)
            self.assertEqual(code, 0, errors)
            secret = output.strip()
            self.assertTrue(secret.startswith("sk_concord_"))
            self.assertEqual(run(server.endpoint, "kv", "get", "app/k", token=secret)[0], 3)
            self.assertEqual(run(server.endpoint, "kv", "get", "k", token=secret)[0], 5)
            self.assertEqual(run(server.endpoint, "kv", "put", "app/k", "1", token=secret)[0], 5)
            code, output, errors = run(server.endpoint, "token", "list", token=FIRST)
            self.assertEqual(code, 0, errors)
            self.assertIn("of a test", output)
            self.assertNotIn(secret, output)
            code, output, errors = run(server.endpoint, "--output", "json", "cluster", "token", "create", token=FIRST)
            self.assertEqual(code, 0, errors)
            made = json.loads(output)
            self.assertEqual(made["permissions"], ["read", "write"])
            self.assertEqual(run(server.endpoint, "token", "revoke", made["id"], token=FIRST)[0], 0)
            self.assertEqual(run(server.endpoint, "token", "revoke", made["id"], token=FIRST)[0], 3)
            self.assertEqual(run(server.endpoint, "token", "revoke", "-", token=FIRST, stdin=secret + "\n")[0], 0)
            self.assertEqual(run(server.endpoint, "kv", "get", "app/k", token=secret)[0], 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
