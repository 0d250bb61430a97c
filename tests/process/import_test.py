"""`concord import` and `export` as their user meets them: import_test.py PROGRAM WORK_DIR measured|unmeasured

What etcd, Consul and Redis print is in import/: etcd 3.4 and Redis 7.0 printed theirs, Consul's has the form that its documents show. Where an
etcd or a Redis is installed (Debian's etcd-server, etcd-client, redis-server), one is filled, and what it tells now is imported too. The
seed of the random part is printed; CONCORD_SEED sets it."""

import base64
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import time
import unittest

from server import Server

PROGRAM, WORK_DIR, MEMORY = sys.argv[1:4]
HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "..", "deploy", "scripts")
SEED = int(os.environ.get("CONCORD_SEED", random.randrange(1 << 32)))


def recorded(name):
    return os.path.join(HERE, "import", name)


def b64(data):
    return base64.b64encode(data).decode()


def lines_of(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


class WithServer(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = os.path.join(WORK_DIR, cls.__name__)
        shutil.rmtree(cls.directory, ignore_errors=True)
        os.makedirs(cls.directory)
        cls.server = Server(PROGRAM, os.path.join(cls.directory, "data"), "--prometheus-enabled", "false")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        shutil.rmtree(cls.directory, ignore_errors=True)

    def setUp(self):
        self.server.cli("query", "delete", "--pattern", "")
        self.server.cli("query", "delete", "--pattern", "^")

    def run_import(self, *arguments, stdin=None):
        """(exit code, the counts, standard error)"""
        code, output, errors = self.server.cli("import", "--output", "json", *arguments, stdin=stdin)
        return code, json.loads(output) if output else None, errors.decode()

    def imported(self, *arguments, stdin=None):
        """The counts of an import that went well, and what it said besides."""
        code, counts, errors = self.run_import(*arguments, stdin=stdin)
        self.assertEqual(code, 0, errors)
        return counts, errors

    def stored(self):
        """{key: (value or bytes, ttl)}"""
        code, output, errors = self.server.cli("export")
        self.assertEqual(code, 0, errors)
        there = {}
        for row in map(json.loads, output.splitlines()):
            key = row["key"].encode() if "key" in row else base64.b64decode(row["key_b64"])
            there[key] = (base64.b64decode(row["value"]) if row.get("encoding") else row["value"], row["ttl"])
        return there

    def values(self):
        return {key: value for key, (value, _) in self.stored().items()}

    def file(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path


class FormatsTest(WithServer):
    def test_what_etcd_printed_is_stored_with_the_ttls_that_somebody_tells(self):
        counts, errors = self.imported(recorded("etcd.json"), "--format", "etcd")
        self.assertEqual(counts, {"imported": 8, "skipped": 0, "refused": 0, "expired": 0, "dry_run": False})
        self.assertIn("since nobody says when their lease ends (--leases, --lease-ttl): 3\n", errors)
        self.assertEqual(self.values(), {
            b"config/app": {"name": "shop", "debug": False}, b"config/empty": "", b"config/greeting": "Grüß dich", b"config/rate": 100,
            b"config/raw": b"\x00\xff\xfe", b"sessions/1": "ada", b"sessions/2": "grace", b"sessions/3": "joan"})
        self.assertEqual({ttl for _, ttl in self.stored().values()}, {None})
        self.setUp()
        counts, errors = self.imported(recorded("etcd.json"), "--format", "etcd", "--leases", recorded("etcd_leases.jsonl"), "--prefix", "e/")
        self.assertEqual((counts["imported"], counts["expired"], "lease" in errors), (7, 1, False))
        there = self.stored()
        self.assertIn(there[b"e/sessions/1"][1], range(3500, 3600))
        self.assertNotIn(b"e/sessions/3", there)
        self.assertIsNone(there[b"e/config/rate"][1])

    def test_what_consul_printed_is_stored_and_its_flags_are_missed(self):
        _, errors = self.imported(recorded("consul.json"), "--format", "consul", "--strip-prefix", "config/", "--prefix", "c/")
        self.assertIn("keys with flags, which have no place here: 1\n", errors)
        self.assertEqual(self.values(), {b"c/": "", b"c/app": {"name": "shop", "debug": False}, b"c/greeting": "Grüß dich", b"c/raw": b"\x00\xff\xfe"})

    def test_what_redis_told_is_stored_with_its_ttls(self):
        self.imported(recorded("redis.jsonl"), "--format", "redis")
        there = self.stored()
        self.assertIn(there.pop(b"json")[1], range(1, 101))
        self.assertEqual(there, {key: (value, None) for key, value in {
            b"a": 1, b"\xff key": b"\x00\xff\n\x7f", b"text": "Grüß \"dich\"\nx", b"empty": "", b"h": {"f": "1", "g": "é"}, b"l": ["x", "y"],
            b"s": ["a", "b"], b"z": [["m", 1.5], ["n", "inf"]]}.items()})

    def test_values_may_stay_text_or_bytes(self):
        self.imported(recorded("consul.json"), "--format", "consul", "--values", "text")
        self.assertEqual(self.values()[b"config/app"], '{ "name": "shop",  "debug": false }')
        self.imported(recorded("consul.json"), "--format", "consul", "--values", "bytes")
        self.assertEqual(self.values()[b"config/app"], b'{ "name": "shop",  "debug": false }')

    def test_an_export_comes_back_as_it_was(self):
        randomness = random.Random(SEED)
        rows = [{"key_b64": b64(bytes([i]) + randomness.randbytes(3)), "value": randomness.choice([None, 1, -1.5, "42", [1, {"a": "é"}], 2**64 - 1])}
                for i in range(200)] + [{"key": "bytes", "value": b64(randomness.randbytes(50)), "encoding": "base64"}, {"key": "ttl", "value": 1, "ttl": 10**6}]
        self.imported("-", stdin=lines_of(rows))
        before, exported = self.stored(), self.server.cli("export")[1]
        self.assertEqual(len(before), len(rows))
        self.setUp()
        self.imported(self.file("all.jsonl", exported))
        after = self.stored()
        self.assertIn(after.pop(b"ttl")[1], range(10**6 - 1000, 10**6 + 1))
        before.pop(b"ttl")
        self.assertEqual(after, before)

    def test_any_keys_and_values_come_over_from_each_store(self):
        randomness = random.Random(SEED)
        model = {nasty_bytes(randomness, 7) + b"k": randomness.choice([nasty_bytes(randomness, 5), b"text\n", "é".encode(), b"", b"null", b'{"a":1}'])
                 for _ in range(1200)}
        texts = {key: value for key, value in model.items() if key.isascii()}
        etcd = {"header": {}, "kvs": [{"key": b64(key), "version": 1, **({"value": b64(value)} if value else {})} for key, value in model.items()]}
        consul = [{"key": key.decode(), "flags": 0, "value": b64(value)} for key, value in texts.items()]
        redis = lines_of({"key_b64": b64(key), "value": b64(value), "encoding": "base64", "pttl": -1} for key, value in model.items())
        for name, data, expected in (("etcd", json.dumps(etcd).encode(), model), ("consul", json.dumps(consul, indent=1).encode(), texts), ("redis", redis, model)):
            with self.subTest(format=name):
                self.setUp()
                self.imported("-", "--format", name, "--values", "bytes", stdin=data)
                self.assertEqual(self.values(), expected)


class ConflictsTest(WithServer):
    ROWS = [{"key": f"k{i:04}", "value": i} for i in range(1300)]

    def setUp(self):
        super().setUp()
        self.imported("-", stdin=lines_of({"key": f"k{i:04}", "value": "before"} for i in range(0, 1300, 7)))
        self.theirs = self.values()

    def test_what_is_there_is_replaced_unless_one_says_otherwise(self):
        self.assertEqual(self.imported("-", stdin=lines_of(self.ROWS))[0]["imported"], 1300)
        self.assertEqual(self.values(), {row["key"].encode(): row["value"] for row in self.ROWS})

    def test_what_is_there_stays_with_if_absent_and_a_repeated_import_changes_nothing(self):
        counts, _ = self.imported("-", "--if-absent", stdin=lines_of(self.ROWS))
        self.assertEqual((counts["imported"], counts["skipped"]), (1300 - len(self.theirs), len(self.theirs)))
        expected = {row["key"].encode(): row["value"] for row in self.ROWS} | self.theirs
        self.assertEqual(self.values(), expected)
        counts, _ = self.imported("-", "--on-conflict", "skip", stdin=lines_of(self.ROWS))
        self.assertEqual((counts["imported"], counts["skipped"]), (0, 1300))
        self.assertEqual(self.values(), expected)

    def test_of_a_key_that_comes_twice_the_first_counts_then(self):
        rows = [{"key": "new", "value": 1}, {"key": "new", "value": 2}, {"key": "k0001", "value": 3}]
        counts, _ = self.imported("-", "--if-absent", stdin=lines_of(rows))
        self.assertEqual((counts["imported"], counts["skipped"], self.values()[b"new"]), (2, 1, 1))

    def test_an_import_that_may_meet_nothing_stops_at_the_first_that_is_there(self):
        rows = [{"key": f"n{i}", "value": 1} for i in range(600)] + [{"key": "k0007", "value": 1}, {"key": "z", "value": 1}]
        code, counts, errors = self.run_import("-", "--on-conflict", "fail", stdin=lines_of(rows))
        self.assertEqual((code, counts["imported"]), (4, 500))
        self.assertIn("line 601, column 1, entry 601: the key is there already", errors)
        self.assertIn("go on with --from-entry 501\n", errors)
        self.assertEqual(self.values()[b"k0007"], "before")
        self.assertNotIn(b"z", self.values())


class BadInputTest(WithServer):
    ROWS = [{"key": f"k{i:04}", "value": "x" * 10} for i in range(1200)]

    def test_a_file_that_is_cut_off_anywhere_changes_nothing(self):
        randomness = random.Random(SEED)
        with open(recorded("etcd.json"), "rb") as file:
            whole = file.read().rstrip()
        for _ in range(25):
            cut = randomness.randrange(1, len(whole))
            with self.subTest(cut=cut):
                code, counts, errors = self.run_import(self.file("cut.json", whole[:cut]), "--format", "etcd")
                self.assertEqual((code, counts), (1, None))
                self.assertRegex(errors, r"cut\.json: line 1, column \d+")
                self.assertIn("nothing was imported", errors)
                self.assertEqual(self.values(), {})

    def test_of_standard_input_that_is_cut_off_whole_batches_are_stored_and_one_can_go_on(self):
        whole = lines_of(self.ROWS)
        code, counts, errors = self.run_import("-", stdin=whole[: len(whole) - 5])
        self.assertEqual((code, counts["imported"]), (1, 1000))
        self.assertIn("line 1200, column 1, entry 1200: the input ends at line 1200", errors)
        self.assertIn("go on with --from-entry 1001\n", errors)
        self.assertEqual(self.imported("-", "--from-entry", "1001", stdin=whole)[0]["imported"], 200)
        self.assertEqual(len(self.values()), 1200)

    def test_an_entry_that_is_none_is_named_and_left_out_if_one_says_so(self):
        rows = lines_of(self.ROWS[:3]) + b'{"key":"bad","value":"AP8","encoding":"base64"}\n' + lines_of(self.ROWS[3:5])
        path = self.file("bad.jsonl", rows)
        code, counts, errors = self.run_import(path)
        self.assertEqual((code, counts), (1, None))
        self.assertIn('bad.jsonl: line 4, column 1, entry 4: "value" is not base64\n', errors)
        self.assertEqual(self.values(), {})
        code, counts, errors = self.run_import(path, "--keep-going")
        self.assertEqual((code, counts["imported"], counts["refused"], errors.count("entry 4")), (1, 5, 1, 1))
        self.assertEqual(len(self.values()), 5)
        self.assertEqual(self.imported(path, "--from-entry", "5")[0]["imported"], 2)

    def test_a_value_that_the_node_does_not_take_is_named_with_its_place(self):
        large = {"key": "large", "value": "x" * (9 << 20)}
        path = self.file("large.jsonl", lines_of([*self.ROWS[:2], large, *self.ROWS[2:4]]))
        code, counts, errors = self.run_import(path)
        self.assertEqual((code, counts["imported"]), (1, 2))
        self.assertIn("line 3, column 1, entry 3: ", errors)
        self.assertIn("go on with --from-entry 3\n", errors)
        code, counts, errors = self.run_import(path, "--keep-going")
        self.assertEqual((code, counts["imported"], counts["refused"]), (1, 4, 1))
        self.assertEqual(len(self.values()), 4)

    def test_the_export_of_another_store_is_told_from_what_was_said(self):
        for name, said, hint in (("etcd.json", "json", "--format etcd"), ("consul.json", "json", "--format consul"), ("consul.json", "etcd", "not what `etcdctl"),
                                 ("etcd.json", "consul", "not what `consul"), ("redis.jsonl", "json", '"pttl" has no place'), ("redis.jsonl", "etcd", 'there is no "kvs"')):
            with self.subTest(name=name, said=said):
                code, counts, errors = self.run_import(recorded(name), "--format", said)
                self.assertEqual((code, counts), (1, None))
                self.assertIn(hint, errors)
        self.assertEqual(self.values(), {})

    def test_a_dry_run_reads_everything_and_stores_nothing(self):
        nowhere = [PROGRAM, "import", "--endpoint", "http://127.0.0.1:1", "--dry-run", "--format", "etcd"]
        done = subprocess.run([*nowhere, recorded("etcd.json")], capture_output=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (0, b"would import 8, refused 0\n"))
        done = subprocess.run([*nowhere, "-"], input=b'{"kvs":[{"key":"YQ=="},{"key":"?"}]}', capture_output=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (1, b"would import 1, refused 1\n"), done.stderr)
        self.assertIn(b'standard input: line 1, column 24, entry 2: "key" is not base64', done.stderr)

    def test_wrong_usage_is_2(self):
        for words in (["nowhere.json"], [WORK_DIR], [recorded("etcd.json"), "--format", "zookeeper"], [recorded("etcd.json"), "--if-absent", "--on-conflict", "fail"],
                      [recorded("etcd.json"), "--format", "etcd", "--leases", "nowhere.jsonl"]):
            with self.subTest(words=words):
                self.assertEqual(self.run_import(*words)[:2], (2, None))

    def test_a_node_that_is_away_leaves_all_to_be_done(self):
        done = subprocess.run([PROGRAM, "import", "--endpoint", "http://127.0.0.1:1", recorded("redis.jsonl"), "--format", "redis"], capture_output=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (6, b"imported 0, skipped 0, refused 0\n"))
        self.assertIn(b"go on with --from-entry 1\n", done.stderr)


class MemoryTest(unittest.TestCase):
    @unittest.skipUnless(MEMORY == "measured", "a sanitizer's memory says nothing")
    def test_a_document_of_any_size_needs_the_memory_of_one_entry(self):
        os.makedirs(WORK_DIR, exist_ok=True)
        path = os.path.join(WORK_DIR, "large.json")
        with open(path, "w", encoding="ascii") as file:
            file.write('{"header":{},"kvs":[')
            value = "A" * 100_000
            for i in range(1500):
                file.write(f'{"," if i else ""}{{"key":"{b64(b"%d" % i)}","value":"{value}"}}')
            file.write("]}")
        limit = 100 << 20
        self.assertGreater(os.path.getsize(path), limit)
        # Of the address space, in which the program itself lies too.
        done = subprocess.run([PROGRAM, "import", path, "--format", "etcd", "--dry-run"], capture_output=True, timeout=120,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        os.remove(path)
        self.assertEqual((done.returncode, done.stdout), (0, b"would import 1500, refused 0\n"), done.stderr)


# Bytes of which some make UTF-8 and some only nearly.
NASTY = b'A"\\\n\x7f\x00\x80\x8f\x90\x9f\xa0\xbf\xc0\xc2\xdf\xe0\xe1\xec\xed\xee\xf0\xf1\xf4\xf5\xff'


def nasty_bytes(randomness, most):
    return bytes(randomness.choice(NASTY) for _ in range(randomness.randrange(most + 1)))


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(works):
    deadline = time.monotonic() + 30
    while not works():
        if time.monotonic() > deadline:
            raise AssertionError("it does not start")
        time.sleep(0.05)


class RealStoresTest(WithServer):
    def started(self, *command):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def pipe(self, exporting, *arguments):
        with subprocess.Popen(exporting, stdout=subprocess.PIPE) as export:
            code, output, errors = self.server.cli("import", "-", *arguments, stdin=export.stdout.read())
        self.assertEqual((export.returncode, code), (0, 0), errors)
        return output, errors.decode()

    @unittest.skipUnless(shutil.which("redis-server") and shutil.which("redis-cli"), "no Redis is installed")
    def test_a_redis_comes_over_by_its_script(self):
        (port,) = free_ports(1)
        self.started("redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", self.directory)

        def redis(*words):
            return subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, check=False).stdout

        wait_until(lambda: redis("ping") == b"PONG\n")
        randomness = random.Random(SEED)
        expected = {b"hash": {"f": "1"}, b"list": ["x", "y"], b"set": ["a", "b"], b"zset": [["m", 1.5]]}
        redis("hset", "hash", "f", "1"), redis("rpush", "list", "x", "y"), redis("sadd", "set", "b", "a"), redis("zadd", "zset", "1.5", "m")
        with socket.create_connection(("127.0.0.1", port)) as raw, raw.makefile("rb") as answers:
            for i in range(3000):
                key, value = b"k%d/" % i + nasty_bytes(randomness, 4), nasty_bytes(randomness, 9)
                words = [b"SET", key, value, *([b"EX", b"5000"] if i % 5 == 0 else [])]
                raw.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
                self.assertEqual(answers.readline(), b"+OK\r\n")
                expected[key] = value
        self.pipe([os.path.join(SCRIPTS, "redis-dump.sh"), "-p", str(port)], "--format", "redis", "--values", "bytes")
        self.assertEqual(self.values(), expected)
        for key, (_, ttl) in self.stored().items():
            number = key.split(b"/")[0][1:]
            self.assertEqual(ttl is not None, number.isdigit() and int(number) % 5 == 0, key)

    @unittest.skipUnless(shutil.which("etcd") and shutil.which("etcdctl"), "no etcd is installed")
    def test_an_etcd_comes_over_with_its_leases(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        self.started("etcd", "--data-dir", os.path.join(self.directory, "etcd"), "--listen-client-urls", client, "--advertise-client-urls", client,
                     "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}")
        etcdctl = ["env", "ETCDCTL_API=3", "etcdctl", "--endpoints", client]

        def etcd(*words, stdin=None):
            return subprocess.run([*etcdctl, *words], input=stdin, capture_output=True, check=False).stdout

        wait_until(lambda: etcd("put", "first", "1") == b"OK\n")
        etcd("put", "raw", stdin=b"\x00\xff")
        lease = etcd("lease", "grant", "5000").split()[1].decode()
        etcd("put", "leased", "x", "--lease", lease)
        leases = self.file("leases.jsonl", b"".join(etcd("lease", "timetolive", each, "-w", "json") for each in etcd("lease", "list").decode().split()[3:]))
        self.pipe([*etcdctl, "get", "--prefix", "", "-w", "json"], "--format", "etcd", "--leases", leases)
        there = self.stored()
        self.assertIn(there.pop(b"leased")[1], range(4000, 5001))
        self.assertEqual(there, {b"first": (1, None), b"raw": (b"\x00\xff", None)})


if __name__ == "__main__":
    print(f"CONCORD_SEED={SEED}", flush=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
