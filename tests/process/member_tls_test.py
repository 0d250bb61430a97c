"""TLS between members: a cluster whose members show certificates that the program made, and those that show none, wrong or old ones, or talk
nonsense to its peer ports: member_tls_test.py PROGRAM [TEST...]"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster, wait_until  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


def run(*arguments):
    """(exit code, stdout, stderr)"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment, timeout=60)
    return done.returncode, done.stdout, done.stderr


class MemberTlsTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="concord-member-tls-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.directory, "tls", *names)

    def generate(self, name, authority="authority"):
        """A directory of certificates of that authority; the node's is made anew."""
        for file in ("ca.crt", "ca.key"):
            if os.path.exists(self.path(authority, file)) and authority != name:
                os.makedirs(self.path(name), exist_ok=True)
                shutil.copy(self.path(authority, file), self.path(name, file))
        code, _, errors = run("cert", "generate", "--out", self.path(name), "--host", "127.0.0.1")
        self.assertEqual(code, 0, errors)

    def flags(self, name, pair="node"):
        return ["--cluster-tls-cert", self.path(name, f"{pair}.crt"), "--cluster-tls-key", self.path(name, f"{pair}.key"),
                "--cluster-tls-ca", self.path(name, "ca.crt")]

    def cluster(self):
        """Started, with TLS."""
        self.generate("authority")
        cluster = Cluster(PROGRAM, self.directory)
        for node in cluster:
            self.generate(node.name)
            node.flags += self.flags(node.name)
        return self.enterContext(cluster)

    def put_everywhere(self, cluster, value):
        for node in cluster.running():
            self.assertEqual(node.put(f"of-{node.name}", value)[0], 200, node.name)
        for node in cluster.running():
            for other in cluster.running():
                self.assertEqual(node.get(f"of-{other.name}"), value)

    def shown(self, node):
        """The serial number of the certificate at its peer port."""
        context = ssl.create_default_context(cafile=self.path("authority", "ca.crt"))
        context.load_cert_chain(self.path("authority", "node.crt"), self.path("authority", "node.key"))
        with socket.create_connection(("127.0.0.1", node.peer_port), timeout=20) as raw:
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as secure:
                return secure.getpeercert()["serialNumber"]

    def test_writes_failover_and_new_certificates(self):
        cluster = self.cluster()
        self.put_everywhere(cluster, 1)
        old = cluster.wait_leader()
        old.kill()
        wait_until(lambda: {node.leader() for node in cluster.running()}.isdisjoint({old.name, None}), "another leader")
        self.put_everywhere(cluster, 2)
        before = {node.name: self.shown(node) for node in cluster.running()}
        for node in cluster:
            self.generate(node.name)
        for node in cluster.running():
            wait_until(lambda node=node: self.shown(node) != before[node.name], f"{node.name} shows its new certificate")
            self.assertIn("the certificates were read again", node.log())
        old.start()
        cluster.wait_ready()
        self.put_everywhere(cluster, 3)
        cluster.wait_same()

        one = cluster.followers()[0]
        kept = self.shown(one)
        with open(self.path(one.name, "node.key"), "w", encoding="utf-8") as file:
            file.write("no key")
        wait_until(lambda: "the certificates in use stay: " in one.log(), "what can't be used is said")
        self.assertEqual(self.shown(one), kept)
        self.put_everywhere(cluster, 4)
        for node in cluster:
            self.assertEqual(node.stop(), 0)

    def test_a_plain_cluster_gets_tls_by_restarts(self):
        self.generate("authority")
        cluster = self.enterContext(Cluster(PROGRAM, self.directory))
        self.put_everywhere(cluster, 1)
        leader = cluster.wait_leader()
        first, second = cluster.followers()
        for node in cluster:
            self.generate(node.name)
            node.flags += self.flags(node.name)
        first.stop()
        first.start()
        wait_until(lambda: "this node speaks TLS to its peers, the other doesn't" in first.log(), "the two ways don't meet")
        self.assertEqual(leader.put("k", "of those without")[0], 200)
        second.stop()
        second.start()
        cluster.wait_ready(first.name, second.name)
        self.assertEqual(first.get("k"), "of those without")
        self.assertEqual(second.put("k", "of those with")[0], 200)
        leader.stop()
        leader.start()
        cluster.wait_ready()
        self.assertEqual(leader.get("k"), "of those with")
        self.put_everywhere(cluster, 2)

    def assert_stays_out(self, cluster, name, flags, why):
        """A node that would join, is let in by nobody, and says why."""
        stranger = cluster.add(name, *flags).start()
        wait_until(lambda: why in stranger.log(), f"{name} says {why!r}")
        self.assertFalse(stranger.is_ready())
        stranger.kill()
        del cluster.nodes[name]
        self.assertNotIn(name, cluster.wait_leader().members())

    def test_who_has_no_right_certificate_stays_out(self):
        cluster = self.cluster()
        leader = cluster.wait_leader().name
        self.assert_stays_out(cluster, "plain", [], "the other node speaks TLS to its peers, this one doesn't")
        wait_until(lambda: any("this node speaks TLS to its peers, the other doesn't" in node.log() for node in cluster), "a member says so too")
        self.generate("other", authority="other")
        shutil.copy(self.path("authority", "ca.crt"), self.path("other", "ca.crt"))  # it trusts them, they don't trust it
        self.assert_stays_out(cluster, "other", self.flags("other"), "the other end says: unknown ca")
        self.assert_stays_out(cluster, "client", self.flags("authority", "client"), "the other end says: unsupported certificate")
        self.expire("expired")
        self.assert_stays_out(cluster, "expired", self.flags("expired"), "the other end says: certificate expired")
        self.put_everywhere(cluster, 1)
        self.assertEqual(cluster.wait_leader().name, leader, "nobody was disturbed")

    def expire(self, name):
        """A pair of the right authority whose time is over."""
        self.generate(name)
        request = self.path(name, "node.csr")
        for command in (["req", "-new", "-key", self.path(name, "node.key"), "-subj", "/CN=node", "-out", request],
                        ["x509", "-req", "-in", request, "-CA", self.path(name, "ca.crt"), "-CAkey", self.path(name, "ca.key"), "-days", "-1",
                         "-out", self.path(name, "node.crt")]):
            subprocess.run(["openssl", *command], check=True, capture_output=True, timeout=60)

    def test_nonsense_and_half_open_handshakes_harm_nobody(self):
        cluster = self.cluster()
        leader = cluster.wait_leader()
        nonsense = (b"\x16\x03\x01\x02\x00\x01", b"CNCP\x00\x00\x00\x00\x01", b"\x16", os.urandom(3000), b"GET / HTTP/1.1\r\n\r\n")
        held = []
        for number in range(900):
            raw = socket.create_connection(("127.0.0.1", leader.peer_port), timeout=20)
            raw.send(nonsense[number % len(nonsense)])
            held.append(raw)
            if number % 100 == 0:
                self.assertEqual(leader.put("k", number)[0], 200)
        self.assertEqual(cluster.wait_leader().name, leader.name)
        follower = cluster.followers()[0]
        follower.kill()  # its connections are made anew among all of that
        follower.start()
        cluster.wait_ready(follower.name)
        self.put_everywhere(cluster, 1)
        for raw in held:
            raw.close()

    def s_client(self, node, *options):
        """What `openssl s_client` makes of the peer port."""
        done = subprocess.run(["openssl", "s_client", "-connect", node.peer, "-CAfile", self.path("authority", "ca.crt"), "-verify_return_error",
                               *options], input="", capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def test_versions_before_1_2_are_refused(self):
        node = self.cluster().wait_leader()
        pair = ["-cert", self.path("authority", "node.crt"), "-key", self.path("authority", "node.key")]
        for version in ("-tls1_3", "-tls1_2"):
            self.assertIn("Verify return code: 0 (ok)", self.s_client(node, version, *pair), version)
        for version in ("-tls1_1", "-tls1"):
            output = self.s_client(node, version, "-cipher", "ALL:@SECLEVEL=0", *pair)
            self.assertIn("alert protocol version", output, version)
        self.assertIn("alert", self.s_client(node, "-tls1_2"), "without a certificate")
        self.assertTrue(node.is_ready())

    def test_a_start_with_some_of_the_three_is_refused(self):
        self.generate("authority")
        start = ["start", "--node-data-dir", os.path.join(self.directory, "data"), "--api-port", "0", "--cluster-cookie", "c", "--cluster-peer-port", "0"]
        flags = self.flags("authority")
        for missing in range(3):
            name = flags[2 * missing].removeprefix("--").replace("cluster-", "cluster.").replace("-", "_")
            code, _, errors = run(*start, *flags[:2 * missing], *flags[2 * missing + 2:])
            self.assertEqual((code, f"missing: {name}" in errors), (1, True), errors)
        code, _, errors = run(*start, *flags[:3], self.path("authority", "client.key"), *flags[4:])
        self.assertEqual((code, "client.key" in errors), (1, True), errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
