"""The program as an operator uses it: start, curl's calls, the command line, kill, stop, and what is refused.

usage: program_test.py PROGRAM WORK_DIR
"""

import os
import shutil
import subprocess
import sys
import unittest

from server import Server, call

PROGRAM, WORK_DIR = sys.argv[1:3]


class Program(unittest.TestCase):
    def setUp(self):
        self.data_dir = os.path.join(WORK_DIR, self.id().rsplit(".", 1)[-1])
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def tearDown(self):
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def refused(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def test_what_was_put_survives_kill_9_and_is_got_by_the_command_line(self):
        with Server(PROGRAM, self.data_dir) as server:
            status, _, body = call(server.connection(), "PUT", "/api/v1/kv/greeting", {"value": "Hello"})
            self.assertEqual((status, body), (200, {"status": "ok", "revision": 1}))
            server.kill()
        with Server(PROGRAM, self.data_dir) as server:
            self.assertEqual(server.cli("kv", "get", "greeting")[:2], (0, b"Hello\n"))
            self.assertEqual(server.stop(), 0)

    def test_the_command_line_puts_gets_and_deletes(self):
        with Server(PROGRAM, self.data_dir) as server:
            self.assertEqual(server.cli("kv", "put", "number", "42")[0], 0)
            self.assertEqual(server.cli("kv", "get", "number", "--output", "json")[0], 0)
            self.assertEqual(server.cli("kv", "put", "raw", "-", "--raw", stdin=b"\x00\xff")[0], 0)
            self.assertEqual(call(server.connection(), "GET", "/api/v1/kv/raw", headers={"Accept": "application/octet-stream"})[2], b"\x00\xff")
            self.assertEqual(server.cli("kv", "delete", "number")[0], 0)
            self.assertEqual(server.cli("kv", "get", "number")[0], 3)
            self.assertEqual(server.cli("kv", "delete", "number")[0], 3)
            self.assertEqual(server.cli("kv", "put")[0], 2)
            self.assertEqual(server.cli("version")[0], 0)
        self.assertEqual(subprocess.run([PROGRAM, "--endpoint", server.endpoint, "kv", "get", "k"], capture_output=True).returncode, 6)

    def test_the_command_line_does_all_that_one_key_can(self):
        with Server(PROGRAM, self.data_dir) as server:
            self.assertEqual(server.cli("kv", "put", "a", "1")[:2], (0, b"ok revision=1\n"))
            self.assertEqual(server.cli("kv", "ttl", "a")[:2], (0, b"null\n"))
            self.assertEqual(server.cli("kv", "touch", "a", "100")[:2], (0, b"ok revision=2\n"))
            self.assertEqual(server.cli("kv", "ttl", "a")[:2], (0, b"100\n"))
            self.assertEqual(server.cli("kv", "cas", "a", "1", '{"n":2}')[0], 0)
            self.assertEqual(server.cli("kv", "cas", "a", "1", "3")[0], 4)
            self.assertEqual(server.cli("kv", "cas", "none", "1", "3")[0], 3)
            self.assertEqual(server.cli("kv", "touch", "none", "1")[0], 3)
            self.assertEqual(server.cli("kv", "touch", "a", "0")[0], 1)
            self.assertEqual(server.cli("kv", "get", "a")[:2], (0, b'{"n":2}\n'))

    def test_the_command_line_lists_queries_and_deletes(self):
        with Server(PROGRAM, self.data_dir) as server:
            for name in ("a", "b", "c"):
                server.cli("kv", "put", name, '{"name":"%s"}' % name)
            self.assertEqual(server.cli("kv", "list", "--keys-only", "--limit", "2")[:2], (0, b"a\nb\n"))
            self.assertEqual(server.cli("kv", "list", "--start", "c", "--with-ttl")[:2], (0, b'c\t{"name":"c"}\tnull\n'))
            self.assertEqual(server.cli("kv", "list", "--prefix", "b", "--output", "json")[:2], (0, b'{"key":"b","value":{"name":"b"}}\n'))
            self.assertEqual(server.cli("query", "keys", "--filter", '{"name":{"$in":["a","c"]}}')[:2], (0, b"a\nc\n"))
            self.assertEqual(server.cli("query", "where", "--range", "b", "b")[:2], (0, b'b\t{"name":"b"}\n'))
            self.assertEqual(server.cli("query", "count", "--pattern", "[ab]")[:2], (0, b"2\n"))
            self.assertEqual(server.cli("query", "count", "--pattern", "((")[0], 1)
            self.assertEqual(server.cli("query", "delete")[0], 1)
            self.assertEqual(server.cli("query", "delete", "--suffix", "b", "--output", "json")[:2], (0, b'{"deleted":1}\n'))
            transaction = b'{"guards":[{"key":"a","exists":false}],"then":[{"op":"delete","key":"a"}]}'
            self.assertEqual(server.cli("txn", "-", stdin=transaction)[:2], (4, b'{"succeeded":false,"results":[]}\n'))
            self.assertEqual(server.cli("query", "count")[:2], (0, b"2\n"))

    def test_many_keys_are_loaded_and_exported(self):
        lines = ['{"key":"load/%04d","value":%d,"ttl":1000}' % (i, i) for i in range(1200)]
        lines[6] = "no json"
        lines[1100] = '{"key":"","value":1}'
        with Server(PROGRAM, self.data_dir) as server:
            code, output, errors = server.cli("kv", "bulk-load", "-", stdin="\n".join(lines).encode())
            self.assertEqual((code, output), (1, b"loaded 1198, refused 2\n"))
            self.assertIn(b"line 7: ", errors)
            self.assertIn(b"line 1101: ", errors)
            self.assertEqual(server.cli("kv", "bulk-load", "-", "--format", "csv", stdin=b'key,value,ttl\n"a,b",text,\nc,{"n":1},50\n')[:2], (0, b"loaded 2, refused 0\n"))
            self.assertEqual(server.cli("kv", "get", "c")[:2], (0, b'{"n":1}\n'), "marks within a field are its own")
            code, exported, _ = server.cli("kv", "export")
            self.assertEqual((code, exported.count(b"\n")), (0, 1200))
            self.assertEqual(server.cli("query", "delete", "--prefix", "load/")[:2], (0, b"1198\n"))
            self.assertEqual(server.cli("kv", "bulk-load", "-", stdin=exported)[:2], (0, b"loaded 1200, refused 0\n"))
            self.assertEqual(server.cli("query", "count")[:2], (0, b"1200\n"))
            self.assertEqual(server.cli("kv", "get", "a,b")[:2], (0, b"text\n"))

    def test_a_key_with_ttl_expires_in_time(self):
        with Server(PROGRAM, self.data_dir) as server:
            connection = server.connection()
            call(connection, "PUT", "/api/v1/kv/session", {"value": 1, "ttl": 1})
            self.assertEqual(call(connection, "GET", "/api/v1/kv/session/ttl")[2]["data"], {"ttl": 1})
            while call(connection, "GET", "/api/v1/kv/session")[0] == 200:
                pass
            self.assertEqual(call(connection, "GET", "/api/v1/status")[2]["data"]["storage"]["revision"], 2)

    def test_bad_input_gets_its_error_and_changes_nothing(self):
        with Server(PROGRAM, self.data_dir) as server:
            connection = server.connection()
            for method, path, body, expected in [
                ("PUT", "/api/v1/kv/", {"value": 1}, (400, "INVALID_KEY")),
                ("PUT", "/api/v1/kv/" + "k" * 1025, {"value": 1}, (400, "INVALID_KEY")),
                ("PUT", "/api/v1/kv/k", "{", (400, "INVALID_REQUEST")),
                ("PUT", "/api/v1/kv/k", {}, (400, "INVALID_REQUEST")),
                ("PUT", "/api/v1/kv/k", {"value": 1, "unknown": 2}, (400, "INVALID_REQUEST")),
                ("PUT", "/api/v1/kv/k", {"value": 1, "ttl": 0}, (400, "INVALID_REQUEST")),
                ("PUT", "/api/v1/kv/k", {"value": 1, "ttl": "60"}, (400, "INVALID_REQUEST")),
                ("PUT", "/api/v1/kv/k", {"value": "v" * (9 << 20)}, (413, "PAYLOAD_TOO_LARGE")),
                ("GET", "/api/v1/kv/k?limit=1", None, (400, "INVALID_REQUEST")),
                ("GET", "/api/v1/kv/k", None, (404, "NOT_FOUND")),
                ("PATCH", "/api/v1/kv/k", None, (405, "METHOD_NOT_ALLOWED")),
                ("GET", "/nowhere", None, (404, "NOT_FOUND")),
            ]:
                with self.subTest(method=method, path=path[:40]):
                    status, _, answer = call(connection, method, path, body)
                    self.assertEqual((status, answer["error"]["code"]), expected)
            self.assertEqual(call(connection, "GET", "/api/v1/status")[2]["data"]["storage"]["revision"], 0)

    def test_a_second_start_on_the_same_directory_is_refused(self):
        with Server(PROGRAM, self.data_dir):
            code, message = self.refused("start", "--node-data-dir", self.data_dir, "--api-port", "0")
            self.assertEqual(code, 1)
            self.assertIn("already open", message)

    def test_a_foreign_or_damaged_directory_is_refused_by_name_and_untouched(self):
        os.makedirs(self.data_dir)
        with open(os.path.join(self.data_dir, "notes.txt"), "w") as file:
            file.write("mine")
        code, message = self.refused("start", "--node-data-dir", self.data_dir)
        self.assertEqual(code, 1)
        self.assertIn("notes.txt", message)
        self.assertEqual(os.listdir(self.data_dir), ["notes.txt"])
        shutil.rmtree(self.data_dir)
        with Server(PROGRAM, self.data_dir) as server:
            call(server.connection(), "PUT", "/api/v1/kv/k", {"value": 1})
            server.stop()
        segment = os.path.join(self.data_dir, "log", "00000000000000000001.log")
        with open(segment, "r+b") as file:
            file.seek(200)
            byte = file.read(1)
            file.seek(200)
            file.write(bytes([byte[0] ^ 1]))
        code, message = self.refused("start", "--node-data-dir", self.data_dir)
        self.assertEqual(code, 1)
        self.assertIn("00000000000000000001.log: damaged at offset", message)

    def test_a_wrong_option_stops_the_start(self):
        self.assertIn("--durability-mode", self.refused("start", "--durability-mode", "sometimes")[1])
        self.assertEqual(self.refused("start", "--no-such-flag")[0], 2)
        code, message = self.refused("start", "--api-prot", "1")
        self.assertEqual(code, 2)
        self.assertIn("did you mean --api-port?", message)


unittest.main(argv=sys.argv[:1])
