"""The command line as its user meets it: forms of output, exit codes, several endpoints, TLS, completion, manual.

usage: cli_test.py PROGRAM WORK_DIR measured|unmeasured
"""

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from server import Server

PROGRAM, WORK_DIR, MEMORY = sys.argv[1:4]


def run(*arguments, stdin=None, **environment):
    """The program with no server of its own: (exit code, stdout, stderr)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, env={**clean, **environment}, timeout=30)
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def answering(status, body, family=socket.AF_INET, tls=None):
    """A server that answers every request so; yields its port and the requests it got: (method, path, Host, Authorization)."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            requests.append((self.command, self.path, self.headers["Host"], self.headers.get("Authorization")))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    class Answering(ThreadingHTTPServer):
        address_family = family

        def handle_error(self, *_):
            pass  # a client that does not trust us hangs up

    server = Answering(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1], requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data_dir = os.path.join(WORK_DIR, cls.__name__)
        shutil.rmtree(cls.data_dir, ignore_errors=True)
        cls.server = Server(PROGRAM, cls.data_dir)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        shutil.rmtree(cls.data_dir, ignore_errors=True)

    def done(self, *arguments, stdin=None):
        code, output, errors = self.server.cli(*arguments, stdin=stdin)
        self.assertEqual(code, 0, errors)
        return output.decode()


class Cluster(WithServer):
    def test_status_in_each_form(self):
        status = json.loads(self.done("cluster", "status", "--output", "json"))
        self.assertEqual(status["cluster"]["state"], "leader")
        self.assertIn("cluster.leader = %s\n" % status["node"], self.done("cluster", "status", "--output", "plain"))
        table = self.done("--output", "table", "cluster", "status").splitlines()
        self.assertEqual(table[0].split(), ["NAME", "VALUE"])
        self.assertTrue(any(line.split() == ["storage.writable", "true"] for line in table))
        self.assertIn("ROLE", table[-2])
        self.assertIn("voter", table[-1])

    def test_members_in_each_form(self):
        member = json.loads(self.done("cluster", "members", "--output", "json"))["members"][0]
        plain = self.done("cluster", "members").rstrip("\n").split("\t")
        self.assertEqual(plain[:2], [member["name"], member["id"]])
        self.assertEqual(plain[4:6], ["voter", "true"])
        self.assertEqual(self.done("cluster", "members", "--output", "table").split()[:3], ["NAME", "ID", "PEER"])


class Forms(WithServer):
    def test_a_table_has_headings_and_one_line_for_each_key(self):
        self.done("kv", "put", "table/a", "two\nlines")
        self.done("kv", "put", "table/long-name", "1")
        listed = self.done("kv", "list", "--prefix", "table/", "--with-ttl", "--output", "table")
        self.assertEqual(listed, 'KEY              VALUE         TTL\ntable/a          "two\\nlines"  null\ntable/long-name  1             null\n')
        self.assertEqual(self.done("query", "keys", "--prefix", "table/l", "--output", "table"), "KEY\ntable/long-name\n")
        self.assertEqual(self.done("kv", "get", "table/long-name", "--output", "table").split()[:4], ["KEY", "VALUE", "REVISION", "TTL"])

    def test_a_key_of_any_bytes_is_put_found_and_deleted(self):
        key = b"\xffbytes/ %"
        self.done("kv", "put", key, "1")
        self.assertEqual(self.done("kv", "get", key), "1\n")
        self.assertIn("base64:/2J5dGVzLyAl\t1\n", self.done("kv", "list"))
        self.assertIn("base64:/2J5dGVzLyAl\n", self.done("query", "keys"))
        self.done("kv", "touch", key, "100")
        self.done("kv", "delete", key)
        self.assertEqual(self.server.cli("kv", "get", key)[0], 3)

    def test_a_word_behind_the_endpoint_is_the_subcommands(self):
        self.done("kv", "put", "behind", "1")
        found = subprocess.run([PROGRAM, "kv", "get", "--endpoint", self.server.endpoint, "behind"], capture_output=True, timeout=30)
        self.assertEqual((found.returncode, found.stdout), (0, b"1\n"), found.stderr)

    def test_a_negative_number_is_a_value_and_an_option_may_follow(self):
        self.done("kv", "put", "negative", "-1", "--output", "json")
        self.assertEqual(self.done("kv", "get", "negative"), "-1\n")
        self.done("kv", "put", "get", "1")
        self.assertEqual(self.done("kv", "get", "get"), "1\n")


class Transfer(WithServer):
    VALUES = {"number": "42", "text": '"42"', "object": '{"a":[1,"two"]}', "empty": '""', "null": "null", "lines": '"a,\\"b\\"\\r\\nc"', "space": '" 1 "', "a,b": "18446744073709551615"}

    def setUp(self):
        self.server.cli("query", "delete", "--pattern", "^")
        for key, value in self.VALUES.items():
            self.done("kv", "put", key, value)
        self.done("kv", "touch", "number", "1000000")

    def everything(self):
        return json.loads("[%s]" % ",".join(self.done("kv", "list", "--output", "json").splitlines()))

    def test_json_lines_come_back_as_they_were_also_bytes_and_any_key(self):
        self.done("kv", "put", b"\xff", "-", "--raw", stdin=b"\x00\xff")
        before, exported = self.everything(), self.done("kv", "export").encode()
        self.assertIn({"key_b64": "/w==", "value": "AP8=", "encoding": "base64"}, before)
        self.done("query", "delete", "--pattern", "^")
        self.assertEqual(self.done("kv", "bulk-load", "-", stdin=exported), "loaded %d, refused 0\n" % len(before))
        self.assertEqual(self.everything(), before)
        self.assertIn(int(self.done("kv", "ttl", "number")), range(999_000, 1_000_001))

    def test_an_export_that_fails_leaves_what_was_there(self):
        path = self.data_dir + ".kept"
        with open(path, "w") as file:
            file.write("before")
        nowhere = [self.server.program, "--endpoint", "http://127.0.0.1:1", "kv", "export", path]
        self.assertEqual(subprocess.run(nowhere, capture_output=True, timeout=30).returncode, 6)
        with open(path) as file:
            self.assertEqual(file.read(), "before")
        self.assertFalse(os.path.exists(path + ".partial"))
        os.remove(path)

    def through_csv(self, path):
        """Exported, deleted and loaded again; the heading of the file."""
        before = self.everything()
        self.done("kv", "export", path)
        self.done("query", "delete", "--pattern", "^")
        self.assertEqual(self.done("kv", "bulk-load", path), "loaded %d, refused 0\n" % len(before))
        self.assertEqual(self.everything(), before)
        self.assertIn(int(self.done("kv", "ttl", "number")), range(999_000, 1_000_001))
        with open(path, "rb") as file:
            return file.readline()

    def test_csv_comes_back_as_it_was_also_bytes_and_any_key(self):
        path = self.data_dir + ".csv"
        self.assertEqual(self.through_csv(path), b"key,value,ttl\n")
        self.done("kv", "put", "raw", "-", "--raw", stdin=b"\x00\xff")
        self.assertEqual(self.through_csv(path), b"key,value,ttl,encoding,key_b64\n")
        self.done("kv", "delete", "raw")
        self.done("kv", "put", b"\xff,", "1234")
        self.done("kv", "touch", b"\xff,", "1000000")
        self.assertEqual(self.through_csv(path), b"key,value,ttl,encoding,key_b64\n")
        self.assertEqual(self.done("kv", "get", b"\xff,"), "1234\n")
        os.remove(path)

    def test_a_load_goes_on_at_a_line_and_names_no_earlier_one(self):
        lines = b"no json\n" + b'{"key":"a","value":1}\n' + b'{"key":"b","value":2}\n' + b"bad\n"
        code, output, errors = self.server.cli("kv", "bulk-load", "-", "--from-line", "3", stdin=lines)
        self.assertEqual((code, output), (1, b"loaded 1, refused 1\n"))
        self.assertIn(b"line 4: ", errors)
        self.assertNotIn(b"line 1: ", errors)
        self.assertEqual(self.server.cli("kv", "get", "a")[0], 3)

    def test_a_load_that_stops_says_where_to_go_on(self):
        lines = b"".join(b'{"key":"%d","value":1}\n' % i for i in range(10))
        with answering(503, b"{}") as (port, _):
            code, output, errors = run("kv", "bulk-load", "-", "--endpoint", f"127.0.0.1:{port}", "--from-line", "4", stdin=lines)
        self.assertEqual((code, output), (6, b"loaded 0, refused 0\n"))
        self.assertIn(b"--from-line 4\n", errors)


def subcommands(*path):
    """Every subcommand that has none itself, from what --help lists."""
    text = run(*path, "--help")[1].decode()
    names = re.findall(r"^  (\S+) ", text.partition("Subcommands:\n")[2], re.MULTILINE)
    return [leaf for name in names for leaf in subcommands(*path, name)] if names else [path]


class Descriptions(unittest.TestCase):
    def test_every_subcommand_shows_an_example(self):
        found = subcommands()
        self.assertGreater(len(found), 15)
        for path in found:
            with self.subTest(path=path):
                code, output, errors = run(*path, "--help")
                self.assertEqual((code, errors), (0, b""))
                self.assertIn("Examples:\n  ", output.decode())
                self.assertIn("concord " + " ".join(path), re.sub(r"--endpoint \S+ ", "", output.decode().partition("Examples:")[2]))

    def test_the_manual_names_every_subcommand_and_is_good_roff(self):
        page = run("man")[1]
        checked = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-P-cbou"], input=page, capture_output=True, check=True)
        self.assertEqual(checked.stderr, b"")
        text = re.sub(r"\s+", " ", checked.stdout.decode().replace("\u2212", "-"))
        for path in subcommands():
            self.assertIn("concord " + " ".join(path), text)
        for part in ("--endpoint", "EXIT STATUS", "CONCORD_TOKEN"):
            self.assertIn(part, text)

    def test_bash_completes_subcommands_and_flags(self):
        script = run("completion", "bash")[1].decode()
        for line, expected in [("concord clu", ["cluster"]), ("concord kv t", ["touch", "ttl"]), ("concord --output json kv ge", ["get"]),
                               ("concord kv bulk-load --from", ["--from-line"]), ("concord kv get --cac", ["--cacert"]), ("concord nothing-", [])]:
            with self.subTest(line=line):
                words = line.split(" ")
                done = subprocess.run(["bash", "-c", script + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _concord; printf "%s\\n" "${COMPREPLY[@]}"', "bash", *words],
                                      capture_output=True, text=True, check=True)
                self.assertEqual(done.stdout.split(), expected)

    def test_zsh_and_fish_take_their_scripts(self):
        for shell in ("zsh", "fish"):
            script = run("completion", shell)[1]
            self.assertIn(b"concord", script)
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script, check=True, capture_output=True)


class ExitCodes(unittest.TestCase):
    def test_each_status_has_its_exit_code_and_says_who_answered(self):
        body = b'{"status":"error","error":{"code":"SOME_CODE","message":"the reason"}}'
        for status, expected in {400: 1, 401: 5, 403: 5, 404: 3, 409: 4, 412: 4, 413: 1, 429: 6, 500: 1, 503: 6, 504: 6, 507: 1}.items():
            with self.subTest(status=status), answering(status, body) as (port, _):
                code, output, errors = run("kv", "get", "k", "--endpoint", f"http://127.0.0.1:{port}")
                self.assertEqual((code, output), (expected, b""))
                self.assertIn(b"concord: the reason (SOME_CODE)\n", errors)
                if expected not in (3, 4):
                    self.assertIn(f"http://127.0.0.1:{port}".encode(), errors)

    def test_wrong_usage_is_2_and_a_mistyped_subcommand_gets_a_suggestion(self):
        for words, meant in [(["kvv"], "kv"), (["kv", "gte", "k"], "get"), (["--output", "json", "clsuter", "status"], "cluster")]:
            with self.subTest(words=words):
                code, output, errors = run(*words)
                self.assertEqual((code, output), (2, b""))
                self.assertIn(f'did you mean "{meant}"?'.encode(), errors)
        for words in [[], ["kv"], ["kv", "get"], ["kv", "get", "k", "--output", "xml"], ["kv", "get", "k", "--timeout", "soon"],
                      ["kv", "get", "k", "--consistency", "some"], ["kv", "get", "k", "--endpoint", "http://a:b"], ["kv", "put", "k", "1", "--ttl", "x"],
                      ["kv", "get", "k", "--cacert", "/nowhere"]]:
            with self.subTest(words=words):
                code, output, errors = run(*words)
                self.assertEqual((code, output), (2, b""))
                self.assertNotEqual(errors, b"")


    def test_a_result_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "version"], stdout=full, stderr=subprocess.PIPE, timeout=30)
        self.assertEqual((done.returncode, b"cannot write" in done.stderr), (1, True))


class Endpoints(unittest.TestCase):
    GOOD = b'{"status":"ok","data":{"value":1}}'

    def test_nobody_there_is_6_and_says_what_to_try(self):
        one, two = closed_port(), closed_port()
        code, output, errors = run("kv", "get", "k", "--endpoint", f"http://127.0.0.1:{one}", "--endpoint", f"127.0.0.1:{two}")
        self.assertEqual((code, output), (6, b""))
        for part in (f"127.0.0.1:{one}: ", f"127.0.0.1:{two}: ", "refused", "concord start", "CONCORD_ENDPOINT"):
            self.assertIn(part.encode(), errors)

    def test_the_next_endpoint_is_asked_when_one_is_away_or_not_ready(self):
        with answering(503, b"{}") as (waiting, waited), answering(200, self.GOOD) as (good, asked):
            endpoints = f"http://127.0.0.1:{closed_port()},http://127.0.0.1:{waiting},http://127.0.0.1:{good}"
            self.assertEqual(run("kv", "get", "k", CONCORD_ENDPOINT=endpoints)[:2], (0, b"1\n"))
            self.assertEqual(run("kv", "put", "k", "1", CONCORD_ENDPOINT=endpoints)[0], 0)
            self.assertEqual([request[0] for request in waited], ["GET", "PUT"])
            self.assertEqual([request[0] for request in asked], ["GET", "PUT"])

    def test_an_endpoint_that_is_silent_ends_with_the_timeout_and_a_write_is_not_sent_twice(self):
        with socket.socket() as silent, answering(200, self.GOOD) as (good, asked):
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            code, _, errors = run("kv", "put", "k", "1", "--timeout", "200ms", "--endpoint", "127.0.0.1:%d" % silent.getsockname()[1],
                                  "--endpoint", f"127.0.0.1:{good}")
            self.assertEqual(code, 6)
            self.assertIn(b"whether the write was done is unknown", errors)
            self.assertEqual(asked, [])

    def test_the_call_carries_token_timeout_and_consistency(self):
        with answering(200, self.GOOD) as (port, asked):
            run("--timeout", "2", "kv", "get", "k", "--endpoint", f"127.0.0.1:{port}", "--consistency", "strong", "--token", "sk_concord_x")
            method, target, host, authorization = asked[0]
            self.assertEqual((method, host, authorization), ("GET", f"127.0.0.1:{port}", "Bearer sk_concord_x"))
            self.assertIn("consistency=strong", target)
            self.assertIn("timeout_ms=2000", target)

    def test_an_ipv6_address_stands_in_brackets(self):
        try:
            with answering(200, self.GOOD, family=socket.AF_INET6) as (port, asked):
                self.assertEqual(run("kv", "get", "k", "--endpoint", f"http://[::1]:{port}")[:2], (0, b"1\n"))
                self.assertEqual(asked[0][2], f"[::1]:{port}")
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")


class AuditExport(unittest.TestCase):
    LINE = b'{"operation":"put","hash":"%s"}\n' % (b"x" * 1000)

    def export(self, body, path, **options):
        with answering(200, body) as (port, _):
            return subprocess.run([PROGRAM, "audit", "export", path, "--endpoint", f"http://127.0.0.1:{port}"], capture_output=True, timeout=60, **options)

    @unittest.skipUnless(MEMORY == "measured", "a sanitizer's memory says nothing")
    def test_it_is_written_as_it_comes(self):
        os.makedirs(WORK_DIR, exist_ok=True)
        path, limit = os.path.join(WORK_DIR, "audit.jsonl"), 60 << 20
        body = self.LINE * (2 * limit // len(self.LINE))
        done = self.export(body, path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with open(path, "rb") as file:
            self.assertEqual(file.read() == body, True, "byte for byte")
        os.remove(path)

    def test_one_that_ended_early_is_no_success_and_leaves_the_file_of_before(self):
        os.makedirs(WORK_DIR, exist_ok=True)
        path = os.path.join(WORK_DIR, "audit.jsonl")
        with open(path, "wb") as file:
            file.write(b"before")
        failed = self.LINE * 3 + b'{"error":{"code":"STORAGE_FAILED","message":"the reason"}}\n'
        done = self.export(failed, path)
        self.assertEqual((done.returncode, b"the reason" in done.stderr), (1, True))
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"before")
        self.assertEqual(os.listdir(WORK_DIR).count("audit.jsonl.partial"), 0)
        done = self.export(failed, "-")
        self.assertEqual((done.returncode, done.stdout), (1, failed))
        os.remove(path)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work_dir = os.path.join(WORK_DIR, "tls")
        os.makedirs(cls.work_dir, exist_ok=True)
        cls.certificate, cls.key = (os.path.join(cls.work_dir, name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", cls.key, "-out", cls.certificate],
                       check=True, capture_output=True)
        cls.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.tls.load_cert_chain(cls.certificate, cls.key)

    def test_a_certificate_is_trusted_when_it_is_named_or_any_is(self):
        with answering(200, Endpoints.GOOD, tls=self.tls) as (port, _):
            endpoint = ["--endpoint", f"https://127.0.0.1:{port}", "kv", "get", "k"]
            self.assertEqual(run("--cacert", self.certificate, *endpoint)[:2], (0, b"1\n"))
            self.assertEqual(run("--insecure", *endpoint)[:2], (0, b"1\n"))

    def test_any_other_certificate_is_refused_before_the_token_is_sent(self):
        with answering(200, Endpoints.GOOD, tls=self.tls) as (port, asked):
            code, _, errors = run("--endpoint", f"https://127.0.0.1:{port}", "--token", "secret", "kv", "get", "k")
            self.assertEqual(code, 6)
            self.assertIn(b"certificate is not trusted", errors)
            self.assertIn(b"--cacert", errors)
            code, _, errors = run("--endpoint", f"https://localhost:{port}", "--cacert", self.certificate, "kv", "get", "k")
            self.assertEqual(code, 6, "the certificate is for 127.0.0.1, not for localhost")
            self.assertEqual(asked, [])

    def test_a_server_without_tls_is_no_https_endpoint(self):
        with answering(200, Endpoints.GOOD) as (port, asked):
            self.assertEqual(run("--insecure", "--endpoint", f"https://127.0.0.1:{port}", "kv", "get", "k")[0], 6)
            self.assertEqual(asked, [])


unittest.main(argv=sys.argv[:1])
