"""The audit log of real processes, by HTTP and the command line: audit_test.py PROGRAM"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from server import Server, call  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None
FIRST = "sk_concord_the_first_token_of_these_tests"


class AuditTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-audit-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.logs = os.path.join(self.directory, "logs")

    def start(self, *flags):
        return Server(PROGRAM, os.path.join(self.directory, "data"), "--audit-log-enabled=true", "--audit-log-log-dir", self.logs,
                      "--prometheus-enabled=false", *flags)

    def put(self, server, key, value=1):
        status, _, body = call(server.connection(), "PUT", f"/api/v1/kv/{key}", {"value": value})
        self.assertEqual(status, 200, body)

    def verify(self, *flags):
        done = subprocess.run([PROGRAM, "audit", "verify", self.logs, "--output", "json", *flags], capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def test_commands(self):
        with self.start() as server:
            self.put(server, "a")
            server.cli("kv", "delete", "missing")
            code, out, err = server.cli("audit", "query", "--output", "json")
            self.assertEqual(code, 0, err)
            entries = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([(entry["operation"], entry["result"]) for entry in entries], [("delete", "not_found"), ("put", "ok")])
            code, out, _ = server.cli("audit", "query", "--operation", "put", "--limit", "1")
            self.assertEqual(len(out.splitlines()), 1)
            self.assertIn(b"\tput\tok\tanonymous\t127.0.0.1\t1\tsha256:", out)
            self.assertEqual(server.cli("audit", "log", "data_import", "--key", "batch:1", "--metadata", '{"records": 5000}')[0], 0)
            self.assertEqual(server.cli("audit", "rotate")[0], 0)
            self.assertEqual(server.cli("audit", "cleanup")[1], b"removed 0 files\n")
            exported = os.path.join(self.directory, "export.jsonl")
            self.assertEqual(server.cli("audit", "export", exported, "--operation", "data_import")[0], 0)
            with open(exported, encoding="utf-8") as file:
                self.assertEqual([json.loads(line)["metadata"] for line in file], [{"records": 5000}])
            stats = json.loads(server.cli("audit", "stats", "--output", "json")[1])
            self.assertTrue(stats["enabled"])
            self.assertEqual((stats["log_dir"], stats["files"]), (self.logs, 2))
            self.assertIn(b"total_size", server.cli("audit", "stats")[1])
            code, out, _ = server.cli("audit", "verify")
            self.assertEqual((code, out), (0, b"valid: 2 files, 5 entries\n"))
            self.assertEqual(server.cli("audit", "query", "--result", "fine")[0], 1)
            self.assertEqual(server.cli("audit", "query", "--from", "yesterday")[0], 1)
            self.assertEqual(server.stop(), 0)
        self.assertEqual(self.verify(), (0, {"valid": True, "files": 2, "entries": 5, "problems": []}))

    def test_what_was_changed_is_found_without_a_node(self):
        with self.start() as server:
            for number in range(5):
                self.put(server, f"key{number}")
            server.cli("audit", "rotate")
            self.put(server, "last")
            server.stop()
        ended = glob.glob(os.path.join(self.logs, "audit_*_*.jsonl"))[0]
        with open(ended, encoding="utf-8") as file:
            lines = file.readlines()
        for changed in (lines[:2] + lines[3:], lines[:3] + [lines[2]] + lines[3:], lines[:2] + [lines[2].replace("put", "get")] + lines[3:]):
            with open(ended, "w", encoding="utf-8") as file:
                file.writelines(changed)
            code, told = self.verify()
            self.assertEqual((code, told["valid"]), (1, False))
        os.remove(ended)
        code, told = self.verify()
        self.assertEqual(code, 1)
        self.assertEqual(told["problems"][0]["problem"], "file number 1 is missing")
        shutil.rmtree(self.logs)
        self.assertEqual(self.verify()[0], 3)

    def test_kill_is_no_end_of_the_log(self):
        for round_number in range(5):
            with self.start() as server:
                for number in range(20):
                    self.put(server, f"key{number}")
                server.cli("audit", "stats")  # all of it is written by then
                server.kill()
        with self.start() as server:
            told = json.loads(server.cli("audit", "verify", "--output", "json")[1])
            self.assertTrue(told["valid"], told)
            lines = server.cli("audit", "export", "--operation", "put")[1].splitlines()
            self.assertEqual(len(lines), 100)
            self.assertEqual(server.stop(), 0)
        self.assertTrue(self.verify()[1]["valid"])

    def test_files_are_their_owners_and_hold_no_secret(self):
        token_file = os.path.join(self.directory, "token")
        with open(token_file, "w", encoding="utf-8") as file:
            file.write(FIRST)
        admin = {"Authorization": f"Bearer {FIRST}"}
        with self.start("--auth-enabled=true", "--auth-token-file", token_file) as server:
            made = call(server.connection(), "POST", "/api/v1/tokens", {"permissions": ["read"]}, headers=admin)[2]["data"]
            status, _, _ = call(server.connection(), "GET", "/api/v1/kv/a", headers={"Authorization": f"Bearer {FIRST}x"})
            self.assertEqual(status, 401)
            status, _, _ = call(server.connection(), "GET", "/api/v1/audit", headers={"Authorization": f"Bearer {made['token']}"})
            self.assertEqual(status, 403)
            _, _, told = call(server.connection(), "GET", "/api/v1/audit", headers=admin)
            self.assertEqual([(entry["operation"], entry["result"]) for entry in told["data"]["entries"]],
                             [("audit_query", "forbidden"), ("get", "unauthorized"), ("token_create", "ok")])
            self.assertEqual(told["data"]["entries"][0]["user"], "token:" + made["id"])
            server.stop()
        self.assertEqual(os.stat(self.logs).st_mode & 0o777, 0o700)
        for name in os.listdir(self.logs):
            path = os.path.join(self.logs, name)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, name)
            with open(path, "rb") as file:
                self.assertNotIn(b"sk_concord_", file.read(), name)

    def test_without_a_log_its_routes_say_so(self):
        with Server(PROGRAM, os.path.join(self.directory, "data"), "--prometheus-enabled=false") as server:
            code, _, err = server.cli("audit", "query")
            self.assertEqual(code, 3)
            self.assertIn(b"audit_log.enabled", err)
            self.assertFalse(os.path.exists(self.logs))


if __name__ == "__main__":
    unittest.main()
