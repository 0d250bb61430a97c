"""Roles, users and tenants over clusters of real processes and the command line: access_test.py PROGRAM"""

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


def ask(node, method, path, token=FIRST, body=None):
    """(status, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    connection.request(method, path, body=json.dumps(body) if body is not None else None, headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def run(endpoint, *arguments, token=FIRST):
    """(exit code, stdout, stderr)"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    environment["CONCORD_TOKEN"] = token
    done = subprocess.run([PROGRAM, "--endpoint", endpoint, *arguments], capture_output=True, text=True, env=environment, timeout=60)
    return done.returncode, done.stdout, done.stderr


class AccessTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-access-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def flags(self):
        token_file = os.path.join(self.directory, "first-token")
        with open(token_file, "w", encoding="utf-8") as file:
            file.write(FIRST + "\n")
        return ["--auth-enabled", "true", "--auth-token-file", token_file]

    def good(self, node, method, path, body=None, token=FIRST):
        status, answer = ask(node, method, path, token, body)
        self.assertIn(status, (200, 201), answer)
        return answer.get("data")

    def token(self, node, **wanted):
        return self.good(node, "POST", "/api/v1/tokens", {"permissions": ["read", "write"], **wanted})["token"]

    def usage(self, node):
        return self.good(node, "GET", "/api/v1/tenants/acme?consistency=strong")["usage"]

    def test_what_is_taken_away_is_gone_on_all_nodes_at_once(self):
        with Cluster(PROGRAM, self.directory, flags=self.flags()) as cluster:
            nodes = list(cluster.nodes.values())
            both = {"grants": [{"permissions": ["read", "write"], "prefixes": ["app/"]}]}
            self.good(nodes[0], "PUT", "/api/v1/roles/r", both)
            self.good(nodes[0], "PUT", "/api/v1/users/ada", {"roles": ["r"]})
            hers = self.token(nodes[0], user="ada")
            for number in range(6):
                changing = nodes[number % 3]
                for node in nodes:
                    wait_until(lambda node=node: ask(node, "PUT", "/api/v1/kv/app%2Fk", hers, {"value": 1})[0] == 200, "she may")
                self.good(changing, "PUT", "/api/v1/roles/r", {"grants": [{"permissions": ["read"], "prefixes": ["app/"]}]})
                for node in nodes:
                    self.assertEqual(ask(node, "PUT", "/api/v1/kv/app%2Fk", hers, {"value": 2})[0], 403)
                    self.assertEqual(ask(node, "GET", "/api/v1/kv/app%2Fk", hers)[0], 200)
                self.good(changing, "PUT", "/api/v1/users/ada", {"roles": ["r"], "disabled": True})
                for node in nodes:
                    self.assertEqual(ask(node, "GET", "/api/v1/kv/app%2Fk", hers)[0], 401)
                self.good(changing, "PUT", "/api/v1/roles/r", both)
                self.good(changing, "PUT", "/api/v1/users/ada", {"roles": ["r"]})

    def test_the_last_free_place_of_a_tenant_is_given_once(self):
        """Writers on all nodes at once; a snapshot, and all nodes killed in between."""
        with Cluster(PROGRAM, self.directory, flags=self.flags()) as cluster:
            nodes = list(cluster.nodes.values())
            self.good(nodes[0], "PUT", "/api/v1/tenants/acme", {"quotas": {"max_keys": 50}})
            theirs = self.token(nodes[0], tenant="acme")
            self.good(nodes[0], "PUT", "/api/v1/kv/other", {"value": 1})

            def fill(number):
                node = nodes[number % 3]
                for key in range(30):
                    statuses.append(ask(node, "PUT", f"/api/v1/kv/acme%2F{number}.{key}", theirs, {"value": "12345"})[0])

            statuses = []
            writers = [threading.Thread(target=fill, args=(number,)) for number in range(6)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            self.assertEqual(sorted(set(statuses)), [200, 507])
            self.assertEqual(statuses.count(200), 50)
            before = self.usage(nodes[0])
            self.assertEqual(before["keys"], 50)
            for node in nodes:
                self.assertEqual(self.usage(node), before)
                self.good(node, "POST", "/api/v1/cluster/snapshot")
                wait_until(lambda node=node: ask(node, "GET", "/api/v1/status")[1]["data"]["storage"]["snapshot_index"] > 0, "a snapshot")
            for node in nodes:
                node.kill()
            for node in nodes:
                node.start()
            cluster.wait_ready(*[node.name for node in nodes])
            for node in nodes:
                self.assertEqual(self.usage(node), before)
                self.assertEqual(ask(node, "PUT", "/api/v1/kv/acme%2Fmore", theirs, {"value": 1})[0], 507)
                self.assertEqual(ask(node, "GET", "/api/v1/kv/other", theirs)[0], 403)
            status, answer = ask(nodes[1], "POST", "/api/v1/query/delete", theirs, {"prefix": "acme/0."})
            self.assertEqual(status, 200, answer)
            self.assertEqual(self.usage(nodes[2])["keys"], 50 - answer["data"]["deleted"])

    def test_a_backup_takes_them_along_to_another_cluster(self):
        backups = os.path.join(self.directory, "backups")
        with Server(PROGRAM, os.path.join(self.directory, "one"), "--backup-dir", backups, *self.flags()) as server:
            self.good(server, "PUT", "/api/v1/roles/r", {"grants": [{"permissions": ["read", "write"]}]})
            self.good(server, "PUT", "/api/v1/tenants/acme", {"quotas": {"max_keys": 1}})
            self.good(server, "PUT", "/api/v1/users/ada", {"roles": ["r"], "tenant": "acme"})
            hers = self.token(server, user="ada")
            self.good(server, "PUT", "/api/v1/kv/acme%2Fk", {"value": 1}, hers)
            code, output, errors = run(server.endpoint, "backup", "create", "--output", "json")
            self.assertEqual(code, 0, errors)
            file = json.loads(output)["name"]
        with Server(PROGRAM, os.path.join(self.directory, "two"), "--backup-dir", backups, *self.flags()) as server:
            code, _, errors = run(server.endpoint, "backup", "restore", file, "--force", "--with-tokens")
            self.assertEqual(code, 0, errors)
            self.assertEqual(ask(server, "GET", "/api/v1/kv/acme%2Fk", hers)[0], 200)
            self.assertEqual(ask(server, "GET", "/api/v1/kv/k", hers)[0], 403)
            self.assertEqual(ask(server, "PUT", "/api/v1/kv/acme%2Fmore", hers, {"value": 1})[0], 507)
            self.assertEqual(self.usage(server)["keys"], 1)

    def test_the_command_line_sets_lists_shows_and_deletes(self):
        with Server(PROGRAM, os.path.join(self.directory, "data"), *self.flags()) as server:
            def line(*arguments, code=0):
                done = run(server.endpoint, *arguments)
                self.assertEqual(done[0], code, done[2])
                return done[1] if code == 0 else done[2]

            line("role", "set", "editor", "--grant", "read,write:a/", "--grant", "read,write:b:c/", "--grant", "read", "--description", "d")
            self.assertEqual(line("role", "list"), "editor\tread,write:a/,b:c/ read\td\n")
            self.assertEqual(json.loads(line("--output", "json", "role", "show", "editor"))["grants"],
                             [{"permissions": ["read", "write"], "prefixes": ["a/", "b:c/"]}, {"permissions": ["read"], "prefixes": []}])
            line("tenant", "set", "acme", "--prefix", "a/", "--max-keys", "3", "--max-bytes", "1000", "--max-operations", "5",
                 "--max-subscribers", "6")
            self.assertEqual(line("tenant", "list"), "acme\ta/\t0 of 3\t0 of 1000\t5\t6\t-\n")
            line("user", "set", "ada", "--role", "editor", "--tenant", "acme")
            self.assertEqual(line("user", "list"), "ada\teditor\tacme\tfalse\t-\n")
            secret = line("token", "create", "--user", "ada").strip()
            self.assertIn("\tada\t-\n", line("token", "list"))
            self.assertEqual(run(server.endpoint, "kv", "get", "a/k", token=secret)[0], 3)
            self.assertEqual(run(server.endpoint, "kv", "get", "k", token=secret)[0], 5)
            self.assertEqual(run(server.endpoint, "tenant", "list", token=secret)[0], 5)
            line("user", "set", "ada", "--no-tenant", "--disabled")
            self.assertEqual(run(server.endpoint, "kv", "get", "a/k", token=secret)[0], 5)
            self.assertIn("ada", line("role", "delete", "editor", code=4))
            line("user", "show", "nobody", code=3)
            line("tenant", "delete", "acme")
            line("tenant", "delete", "acme", code=3)

    def test_the_command_line_keeps_what_no_flag_names(self):
        with Server(PROGRAM, os.path.join(self.directory, "data"), *self.flags()) as server:
            def line(*arguments, code=0):
                done = run(server.endpoint, *arguments)
                self.assertEqual(done[0], code, done[2])
                return done[1]

            def after(*arguments):
                line(*arguments)
                return line(arguments[0], "show", arguments[2]).rstrip("\n").split("\t")[1:]

            for role in ("one", "two"):
                line("role", "set", role, "--grant", "read,write")
            self.assertEqual(after("tenant", "set", "acme", "--prefix", "a/", "--max-keys", "3", "--description", "d"), ["a/", "0 of 3", "0", "-", "-", "d"])
            self.assertEqual(after("tenant", "set", "acme", "--max-bytes", "1000"), ["a/", "0 of 3", "0 of 1000", "-", "-", "d"])
            self.assertEqual(after("tenant", "set", "acme", "--max-operations", "500", "--max-subscribers", "6"), ["a/", "0 of 3", "0 of 1000", "500", "6", "d"])
            self.assertEqual(after("tenant", "set", "acme", "--max-keys", "0", "--description", ""), ["a/", "0", "0 of 1000", "500", "6", "-"])
            self.assertEqual(after("tenant", "set", "acme", "--max-bytes", "0", "--max-operations", "0", "--max-subscribers", "0"), ["a/", "0", "0", "-", "-", "-"])
            line("tenant", "set", "acme", "--prefix", "b/", code=4)
            self.assertEqual(after("tenant", "set", "acme"), ["a/", "0", "0", "-", "-", "-"])

            self.assertEqual(after("user", "set", "ada", "--role", "one", "--tenant", "acme", "--description", "d"), ["one", "acme", "false", "d"])
            hers = line("token", "create", "--user", "ada").strip()
            self.assertEqual(after("user", "set", "ada", "--disabled"), ["one", "acme", "true", "d"])
            self.assertEqual(after("user", "set", "ada", "--role", "two"), ["two", "acme", "true", "d"])
            self.assertEqual(after("user", "set", "ada", "--description", "typo fixed"), ["two", "acme", "true", "typo fixed"])
            self.assertEqual(ask(server, "GET", "/api/v1/kv/k", hers)[0], 401)
            self.assertEqual(after("user", "set", "ada", "--enabled"), ["two", "acme", "false", "typo fixed"])
            self.assertEqual(ask(server, "GET", "/api/v1/kv/k", hers)[0], 403)
            self.assertEqual(after("user", "set", "ada", "--no-roles"), ["-", "acme", "false", "typo fixed"])
            self.assertEqual(after("user", "set", "ada", "--role", "one", "--no-tenant", "--description", ""), ["one", "-", "false", "-"])
            self.assertEqual(ask(server, "GET", "/api/v1/kv/k", hers)[0], 404)
            line("user", "set", "ada", "--tenant", "acme", "--no-tenant", code=2)

            # Who may not read what is there changes nothing.
            self.assertEqual(run(server.endpoint, "user", "set", "ada", "--disabled", token=hers)[0], 5)
            self.assertEqual(after("user", "set", "ada"), ["one", "-", "false", "-"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
