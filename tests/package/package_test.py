"""The Debian packages in the hands of an administrator: package_test.py BUILD_DIR WORK_DIR [TEST...].

Packs the build, makes a bare Debian with debootstrap, and in it installs, uses, upgrades, removes and purges the packages with apt.
Needs root and the archive that this machine's apt uses; without root it ends with 77. There is no init in such a root: the unit is
checked by systemd's own tool, and the server is started as the unit says."""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
import urllib.request

sys.dont_write_bytecode = True

SKIPPED = 77
ENTERED = "CONCORD_TEST_MOUNTS_ENTERED"
BUILD_DIR = WORK_DIR = None
RELEASE = "bookworm"
PACKAGES = ["libconcord0.1", "libconcord-dev", "concord", "concord-server"]
TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
UNIT = "/usr/lib/systemd/system/concord.service"


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def pack(release):
    """The packages of this build, as the so-manieth of its version."""
    place = os.path.join(WORK_DIR, f"packages-{release}")
    shutil.rmtree(place, ignore_errors=True)
    run("cpack", "-G", "DEB", "-B", place, "-D", f"CPACK_DEBIAN_PACKAGE_RELEASE={release}", cwd=BUILD_DIR)
    return {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(place, "*.deb"))}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Root:
    """A bare Debian. What debootstrap made is kept in the build directory, since it is the same every time."""

    def __init__(self, path):
        self.path = os.path.realpath(path)

    def mounted(self):
        """What is mounted below it, by whatever run."""
        with open("/proc/mounts", encoding="utf-8") as mounts:
            return [line.split(" ")[1] for line in mounts if line.split(" ")[1].startswith(self.path + "/")]

    def make(self):
        bare = os.path.join(WORK_DIR, f"{RELEASE}.tar")
        if not os.path.exists(bare):
            fresh = os.path.join(WORK_DIR, "fresh")
            shutil.rmtree(fresh, ignore_errors=True)
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", RELEASE, fresh, self.archive())
            run("tar", "-C", fresh, "-cf", bare + ".new", ".")
            os.rename(bare + ".new", bare)
            shutil.rmtree(fresh)
        self.close()  # what a run that was killed has left
        os.makedirs(self.path)
        run("tar", "-C", self.path, "-xf", bare)
        self.use_this_archive()
        run("mount", "-t", "proc", "proc", os.path.join(self.path, "proc"))
        self.make_devices()

    def make_devices(self):
        """Its own: what happens to them does not happen to those of this machine."""
        devices = os.path.join(self.path, "dev")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "devices", devices)
        for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
            run("mknod", "-m", "666", os.path.join(devices, name), "c", "1", str(minor))
        os.symlink("/proc/self/fd", os.path.join(devices, "fd"))

    @staticmethod
    def archive():
        """Where this machine gets this release from."""
        for line in run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages").splitlines():
            site, release, component = (line.split(" ") + ["", ""])[:3]
            if release == RELEASE and component == "main":
                return site
        raise AssertionError(f"this machine's apt has no archive with {RELEASE}")

    def use_this_archive(self):
        """As this machine is set up to reach the archive."""
        for pattern in ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*", "/etc/apt/apt.conf.d/*", "/etc/resolv.conf", "/etc/hosts",
                        "/etc/ssl/certs/*", "/usr/share/keyrings/*"):
            for path in glob.glob(pattern):
                if os.path.isfile(path):
                    target = self.path + path
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    if os.path.lexists(target):
                        os.remove(target)
                    shutil.copy(path, target)
        with open(self.path + "/etc/dpkg/dpkg.cfg.d/of-no-worth", "w", encoding="utf-8") as file:
            file.write("force-unsafe-io\n")  # nothing here has to survive a loss of power
        self.run("apt-get", "-qq", "update")

    def close(self):
        for path in reversed(self.mounted()):
            run("umount", "--lazy", path)
        assert not self.mounted(), "nothing is removed that is somewhere else"
        shutil.rmtree(self.path, ignore_errors=True)

    def command(self, *words):
        return ["chroot", self.path, "env", "-i", "HOME=/root", "TERM=dumb", "DEBIAN_FRONTEND=noninteractive",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words]

    def run(self, *words):
        return run(*self.command(*words))

    def install(self, packages, names):
        """These files, with what they need from the archive."""
        for name in names:
            shutil.copy(packages[name], self.path + "/tmp/")
        files = ["/tmp/" + os.path.basename(packages[name]) for name in names]
        return self.run("apt-get", "-qq", "install", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *files)

    def exists(self, path):
        return os.path.lexists(self.path + path)

    def owner(self, path):
        return self.run("stat", "-c", "%U:%G %a", path).strip()


def server_of_the_unit(root, port):
    """The node of concord-server, started as its unit says: that user, that command."""
    with open(root.path + UNIT, encoding="utf-8") as file:
        unit = file.read()
    command = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)[1].split()
    user = re.search(r"^User=(.+)$", unit, re.MULTILINE)[1]
    return Server(root.command("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command, "--api-port", str(port)), port)


class Dockerfile:
    """The last stage of a Dockerfile."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"\\\n\s*", "", file.read())
        last = text[text.rindex("\nFROM "):]
        self.steps = [tuple(line.split(" ", 1)) for line in last.splitlines() if re.match(r"[A-Z]+ ", line)]

    def all(self, instruction):
        return [words for name, words in self.steps if name == instruction]


class Server:
    def __init__(self, command, port):
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("concord ready"):
                return
        raise AssertionError("it did not start: " + "".join(said))

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        output = self.process.communicate(timeout=30)[0]
        if self.process.returncode != 0:
            raise AssertionError(f"it ended with {self.process.returncode}: {output}")


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first = pack(1)

    def setUp(self):
        self.root = Root(os.path.join(WORK_DIR, "root"))
        self.addCleanup(self.root.close)
        self.root.make()
        self.port = free_port()

    def test_the_packages_are_installed_used_upgraded_removed_and_purged(self):
        self.assertEqual(sorted(self.first), sorted(PACKAGES))
        self.install_and_look()
        self.use()
        self.upgrade()
        self.remove_and_purge()

    def install_and_look(self):
        said = self.root.install(self.first, ["concord", "concord-server"])
        self.assertIn("systemctl enable --now concord", said)
        self.assertRegex(self.root.run("concord", "version"), r"0\.1\.0")
        for path in ("/usr/share/man/man1/concord.1", "/usr/share/bash-completion/completions/concord", UNIT,
                     "/usr/share/doc/concord/copyright", "/usr/lib/systemd/system/concord-backup.timer",
                     "/usr/lib/systemd/system/concord-backup.service", "/usr/share/doc/concord-server/examples/concord-backup"):
            self.assertTrue(self.root.exists(path), path)
        self.assertEqual(self.root.owner("/var/lib/concord"), "concord:concord 700")
        self.assertEqual(self.root.owner("/etc/concord"), "root:concord 750")
        self.assertEqual(self.root.owner("/etc/concord/concord.toml"), "root:concord 640")
        self.assertIn("/usr/sbin/nologin", self.root.run("getent", "passwd", "concord"))
        for script in ("backup.sh", "restore.sh", "redis-dump.sh"):
            self.assertEqual(self.root.owner(f"/usr/share/concord/{script}"), "root:root 755")
        self.root.run("concord", "config", "check", "--config", "/etc/concord/concord.toml")

    def use(self):
        server = server_of_the_unit(self.root, self.port)
        self.addCleanup(server.process.kill)
        self.assertEqual(server.call("PUT", "/api/v1/kv/kept", {"value": 7})["status"], "ok")
        server.stop()
        self.assertTrue(self.root.owner("/var/lib/concord/log").startswith("concord:concord"))

    def upgrade(self):
        """What an administrator wrote stays, and so does the data."""
        config = self.root.path + "/etc/concord/concord.toml"
        with open(config, "a", encoding="utf-8") as file:
            file.write("# written by hand\n")
        self.root.install(pack(2), ["concord", "concord-server"])
        self.assertIn("0.1.0-2", self.root.run("dpkg-query", "-W", "-f", "${Version}", "concord-server"))
        with open(config, encoding="utf-8") as file:
            self.assertIn("# written by hand", file.read())
        server = server_of_the_unit(self.root, self.port)
        self.addCleanup(server.process.kill)
        self.assertEqual(server.call("GET", "/api/v1/kv/kept")["data"]["value"], 7)
        server.stop()

    def remove_and_purge(self):
        self.root.run("apt-get", "-qq", "remove", "-y", "concord-server", "concord")
        self.assertFalse(self.root.exists("/usr/bin/concord"))
        self.assertFalse(self.root.exists(UNIT))
        self.assertTrue(self.root.exists("/etc/concord/concord.toml"))
        said = self.root.run("apt-get", "-qq", "purge", "-y", "concord-server")
        self.assertIn("/var/lib/concord", said)
        self.assertFalse(self.root.exists("/etc/concord"))
        self.assertTrue(self.root.exists("/var/lib/concord/log"), "a package removes no data")

    def test_the_commands_of_the_dockerfile_make_a_node_that_serves(self):
        """Of its second stage, with the package of this build; the first one makes the package as ./dev package does."""
        dockerfile = Dockerfile(os.path.join(TREE, "deploy", "container", "Dockerfile"))
        (copied,) = dockerfile.all("COPY")
        self.assertEqual(copied.split(), ["--from=build", "/concord/build/packages/concord_*.deb", "/tmp/"])
        shutil.copy(self.first["concord"], self.root.path + "/tmp/")
        for command in dockerfile.all("RUN"):
            self.root.run("sh", "-c", command)
        user, group = dockerfile.all("USER")[0].split(":")
        as_user = ["env", *dockerfile.all("ENV")[0].split(), f"CONCORD_API_PORT={self.port}", f"CONCORD_ENDPOINT=http://127.0.0.1:{self.port}",
                   "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        words = json.loads(dockerfile.all("ENTRYPOINT")[0]) + json.loads(dockerfile.all("CMD")[0])
        server = Server(self.root.command(*as_user, *words), self.port)
        self.addCleanup(server.process.kill)
        self.assertEqual(server.call("PUT", "/api/v1/kv/a", {"value": 1})["status"], "ok")
        check = dockerfile.all("HEALTHCHECK")[0]
        self.root.run(*as_user, *json.loads(check[check.index("["):]))
        server.stop()
        own = self.root.run("find", "/", "-xdev", "-user", user, "-not", "-path", "/data*", "-not", "-path", "/proc/*").split()
        self.assertEqual(sorted(own), ["/audit", "/backups"], "empty, for volumes of their own")

    def test_the_library_is_found_where_the_system_looks(self):
        """What is built with it is tried by tests/install; a compiler for this root would be 200 MB."""
        self.root.install(self.first, ["libconcord0.1", "libconcord-dev"])
        self.assertIn("libconcord.so.0.1", self.root.run("ldconfig", "-p"))
        self.assertNotIn("not found", self.root.run("ldd", "/usr/lib/libconcord.so.0.1"))
        for path in ("/usr/include/concord/concord.hpp", "/usr/lib/libconcord.so", "/usr/lib/pkgconfig/concord.pc",
                     "/usr/lib/cmake/concord/concordConfig.cmake", "/usr/share/doc/concord/OPERATIONS.md"):
            self.assertTrue(self.root.exists(path), path)


@unittest.skipIf(shutil.which("systemd-analyze") is None, "there is no systemd here")
class UnitTest(unittest.TestCase):
    def place(self, name, installed="", here=""):
        """A unit where systemd's tool looks at it, with a file of this tree or build for the installed one."""
        with open(os.path.join(TREE, "deploy", "systemd", name), encoding="utf-8") as file:
            text = file.read()
        there = os.path.join(WORK_DIR, name)
        with open(there, "w", encoding="utf-8") as file:
            file.write(text.replace(installed, here))
        return there

    def check(self, name, installed, here):
        there = self.place(name, installed, here)
        said = run("systemd-analyze", "verify", "--man=no", there)
        self.assertEqual([line for line in said.splitlines() if name in line], [])
        exposure = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", there)
        self.assertIn("OK", exposure.splitlines()[-1])

    def test_systemd_finds_nothing_wrong_with_the_unit(self):
        self.check("concord.service", "/usr/bin/concord", os.path.join(BUILD_DIR, "bin", "concord"))

    def test_systemd_finds_nothing_wrong_with_the_backup_and_its_timer(self):
        script = os.path.join(TREE, "deploy", "scripts", "backup.sh")
        self.check("concord-backup.service", "/usr/share/concord/backup.sh", script)
        timer = self.place("concord-backup.timer")
        self.assertEqual([line for line in run("systemd-analyze", "verify", "--man=no", timer).splitlines() if "concord-backup" in line], [])
        calendar = re.search(r"^OnCalendar=(.+)$", open(timer, encoding="utf-8").read(), re.MULTILINE)[1]
        self.assertIn("Next elapse", run("systemd-analyze", "calendar", calendar))


def main():
    global BUILD_DIR, WORK_DIR
    arguments = list(sys.argv)
    BUILD_DIR, WORK_DIR = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    del sys.argv[1:3]
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        print("needs root and debootstrap, to make a Debian of its own")
        sys.exit(SKIPPED)
    if ENTERED not in os.environ:  # what is mounted here is gone with this process, however it ends
        os.environ[ENTERED] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--", sys.executable, "-B", *arguments])
    os.makedirs(WORK_DIR, exist_ok=True)
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
