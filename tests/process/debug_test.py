"""concord debug: the largest and the most used keys, a bundle for whoever helps, the log of a stopped node.

usage: debug_test.py PROGRAM WORK_DIR
"""

import contextlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import threading
import unittest

from server import Server, call

PROGRAM, WORK_DIR = sys.argv[1:3]


class Debug(unittest.TestCase):
    def setUp(self):
        self.directory = os.path.join(WORK_DIR, self.id().rpartition(".")[2])
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.data_dir = os.path.join(self.directory, "data")
        self.server = Server(PROGRAM, self.data_dir)

    def tearDown(self):
        self.server.__exit__()
        shutil.rmtree(self.directory, ignore_errors=True)

    def done(self, *arguments):
        code, output, errors = self.server.cli(*arguments)
        self.assertEqual(code, 0, errors)
        return output.decode()

    def put(self, key, value):
        with contextlib.closing(self.server.connection()) as connection:
            status, _, answer = call(connection, "PUT", f"/api/v1/kv/{key}", value)
        self.assertEqual(status, 200, answer)

    def test_the_largest_values_come_first(self):
        for size in (10, 3000, 200, 70):
            self.put(f"s{size}", {"value": "x" * (size - 2)})
        self.put("bytes", {"value": "AAAAAAAAAAAAAAAA", "encoding": "base64"})
        lines = self.done("debug", "bigkeys", "--output", "plain").splitlines()
        self.assertEqual(lines, ["3000\ts3000", "200\ts200", "70\ts70", "12\tbytes", "10\ts10"])
        self.assertEqual(self.done("debug", "bigkeys", "--prefix", "s", "--top", "1", "--output", "json"),
                         '{"key":"s3000","size_bytes":3000}\n')

    def test_the_most_used_keys_come_first(self):
        stop = threading.Event()

        def use():
            with contextlib.closing(self.server.connection()) as connection:
                while not stop.is_set():
                    for _ in range(3):
                        call(connection, "PUT", "/api/v1/kv/hot", {"value": 1})
                    call(connection, "PUT", "/api/v1/kv/warm", {"value": 1})
                    call(connection, "GET", "/api/v1/kv/read")

        self.put("read", {"value": 1})
        user = threading.Thread(target=use)
        user.start()
        try:
            writes = self.done("debug", "hotkeys", "--duration", "700ms", "--output", "plain").splitlines()
            both = self.done("debug", "hotkeys", "--duration", "700ms", "--reads", "--output", "json").splitlines()
        finally:
            stop.set()
            user.join()
        self.assertEqual([line.split("\t")[2] for line in writes], ["hot", "warm"])
        counted = {row["key"]: row for row in map(json.loads, both)}
        self.assertGreater(counted["hot"]["writes"], counted["warm"]["writes"])
        self.assertGreater(counted["read"]["reads"], 0)

    def test_a_bundle_has_what_nodes_say_and_no_keys_values_or_secrets(self):
        self.put("very-private-key", {"value": "very-private-value"})
        path = os.path.join(self.directory, "bundle.json")
        secret = "sk_concord_" + "a" * 43
        self.done("debug", "bundle", "--out", path, "--endpoint", "http://127.0.0.1:1", "--token", secret)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        text = pathlib.Path(path).read_text()
        for private in ("very-private", secret):
            self.assertNotIn(private, text)
        here, nobody = json.loads(text)["endpoints"]
        self.assertEqual(here["status"]["body"]["data"]["cluster"]["state"], "leader")
        self.assertIn("concord_build_info", here["metrics"]["body"])
        self.assertIn("[+]", here["ready"]["body"])
        self.assertIn("problem", nobody["status"])
        code, _, errors = self.server.cli("debug", "bundle", "--out", path)
        self.assertEqual(code, 1)
        self.assertIn("exists", errors.decode())

    def debug_log(self, *arguments):
        done = subprocess.run([PROGRAM, "debug", "log", *arguments], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr

    def test_the_log_of_a_stopped_node_is_read_and_not_touched(self):
        self.put("a", {"value": 1})
        code, _, errors = self.debug_log("verify", self.data_dir)
        self.assertEqual(code, 2, "a running node holds its directory")
        self.done("kv", "delete", "a")
        self.assertEqual(self.server.stop(), 0)
        log = pathlib.Path(self.data_dir) / "log"
        before = {file.name: file.read_bytes() for file in log.iterdir()}
        code, output, errors = self.debug_log("dump", self.data_dir)
        self.assertEqual(code, 0, errors)
        self.assertRegex(output, r"(?m)^\d+\tterm \d+\t\d+ bytes\tput a$")
        self.assertRegex(output, r"(?m)\tdelete a$")
        code, output, errors = self.debug_log("verify", self.data_dir)
        self.assertEqual(code, 0, errors)
        self.assertRegex(output, r"log: entries \d+ to \d+, term")
        self.assertEqual(before, {file.name: file.read_bytes() for file in log.iterdir()})
        name = next(each for each in sorted(before) if each.endswith("1.log"))
        damaged = bytearray(before[name])
        damaged[damaged.index(b"a", 100)] ^= 1
        (log / name).write_bytes(damaged)
        code, _, errors = self.debug_log("verify", self.data_dir)
        self.assertEqual(code, 1)
        self.assertRegex(errors, name.replace(".", r"\.") + r".*offset \d+")
        self.assertEqual(self.debug_log("verify", self.directory)[0], 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
