"""Networks made for a test: each host a network namespace, all joined by a switch (switch.py) that cuts, delays, loses and reorders.

Needs root, `ip`, `unshare` and /dev/net/tun, and nothing else of the system: no firewall, no module for bad networks. `enter` puts the
test into namespaces of its own (network, mounts, processes) first, so all of it ends with the test, however that ends.
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys

SUBNET = "10.91.0"
TEST_HOST = 250  # the test's own address in the subnet
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
ENTERED = "CONCORD_TEST_NETWORK_ENTERED"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def missing():
    """Why there can be no such networks here; nothing when there can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    for tool in ("ip", "unshare", "mount"):
        if shutil.which(tool) is None:
            return f"needs the command {tool}"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as problem:
        return f"needs /dev/net/tun: {problem}"
    try:
        run("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "ip", "link", "set", "lo", "up")
    except OSError as problem:
        return f"may not make namespaces: {problem}"
    return None


def enter():
    """Starts this program again in namespaces of its own; returns inside them."""
    if ENTERED not in os.environ:
        os.environ[ENTERED] = "yes"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
                              sys.executable, "-B", *sys.argv])
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    run("ip", "link", "set", "lo", "up")


class Network:
    """Hosts by number, from 1. `with` makes them and removes them."""

    def __init__(self, size, seed):
        self.size, self.seed = size, seed
        self.open = contextlib.ExitStack()

    def __enter__(self):
        try:
            taps = []
            for number in range(1, self.size + 1):
                name = f"concord-{os.getpid()}-{number}"
                taps.append(self.tap(f"tap{number}"))
                run("ip", "netns", "add", name)
                self.open.callback(run, "ip", "netns", "del", name)
                run("ip", "link", "set", f"tap{number}", "netns", name)
                self.address(f"tap{number}", number, "-n", name)
            taps.append(self.tap("tap0"))
            self.address("tap0", TEST_HOST)
            program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "switch.py")
            self.switch = subprocess.Popen([sys.executable, "-B", program, str(self.seed), *map(str, taps)], pass_fds=taps,
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.open.callback(self.end_switch)
            return self
        except BaseException:
            self.open.close()
            raise

    def __exit__(self, *_):
        self.open.close()

    def end_switch(self):
        self.switch.communicate(timeout=10)

    def tap(self, name):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        self.open.callback(os.close, fd)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
        return fd

    @staticmethod
    def address(device, host, *where):
        run("ip", *where, "link", "set", "lo", "up")
        run("ip", *where, "link", "set", device, "address", f"02:00:00:00:00:{host:02x}")
        run("ip", *where, "address", "add", f"{SUBNET}.{host}/24", "dev", device)
        run("ip", *where, "link", "set", device, "up")

    @staticmethod
    def host(number):
        return f"{SUBNET}.{number}"

    @staticmethod
    def inside(number):
        """What stands before a command to run it on that host."""
        return ["ip", "netns", "exec", f"concord-{os.getpid()}-{number}"]

    def tell(self, **command):
        self.switch.stdin.write(json.dumps(command) + "\n")
        self.switch.stdin.flush()
        return json.loads(self.switch.stdout.readline())

    def recorded(self):
        """The frames that passed since `tell(record=True)`."""
        return [base64.b64decode(frame) for frame in self.tell(record=False)]

    def spoil(self, sources, targets, **how):
        """What becomes of frames from each of `sources` to each of `targets`, and only in this direction."""
        for source, target in itertools.product(sources, targets):
            if source != target:
                self.tell(**{"from": source - 1, "to": target - 1}, **how)

    def cut(self, left, right):
        """Nothing passes between these hosts and those, in either direction."""
        self.spoil(left, right, cut=True)
        self.spoil(right, left, cut=True)

    def heal(self):
        everybody = range(1, self.size + 1)
        self.spoil(everybody, everybody)
