"""What a server, or a cluster, does beside the load. Each knows its system, what is done before the load (`prepare`) and during it
(`happen`), and looks afterwards whether it happened (`check`): a row of a disturbance that was none would be a lie.
"""

import json
import time

from cluster import wait_until  # tests/process/cluster.py
from clusters import ConcordCluster
from loads import KEYS
from systems import Concord

EXPIRING = 100_000
EXPIRING_A_REQUEST = 500
LATEST_S = 120


class Quiet:
    """Nothing. Also what the others are made of."""

    flags = ("--snapshot-every-entries", "1000000000", "--snapshot-every-bytes", "1000000000000")

    def __init__(self, program, work_dir, loads):
        self.program, self.work_dir, self.loads = program, work_dir, loads

    def system(self):
        return Concord(self.program, self.work_dir, self.flags)

    def settle(self, system, items):
        """Once, before any load."""
        self.loads.fill(system, items)

    def prepare(self, system, seconds):
        """So long before `happen`."""

    def happen(self, system):
        pass

    def check(self, system):
        pass


def storage_of(server):
    return json.loads(server.answer_of("/api/v1/status"))["data"]["storage"]


class Snapshots(Quiet):
    """One after the other: each is begun soon after the last."""

    flags = ("--snapshot-every-entries", "100")

    def prepare(self, system, seconds):
        self.before = storage_of(system)["snapshot_index"]

    def check(self, system):
        # One that was begun under the load may end after it.
        wait_until(lambda: storage_of(system)["snapshot_index"] > self.before, "a snapshot was taken", LATEST_S)


class Expiry(Quiet):
    """Many keys whose time is over within the same moment."""

    def prepare(self, system, seconds):
        """On a slow machine storing them takes longer than they last: then they are stored again, to last twice as long."""
        ttl_s = 6
        while True:
            begins_at = time.monotonic() + ttl_s - seconds - 0.5
            self.store(system, ttl_s)
            if time.monotonic() < begins_at:
                break
            ttl_s *= 2
        self.stored = storage_of(system)["size"]
        # The load begins when this returns; they go when it is as far as with the other disturbances.
        time.sleep(max(begins_at - time.monotonic(), 0))

    @staticmethod
    def store(system, ttl_s):
        for first in range(0, EXPIRING, EXPIRING_A_REQUEST):
            keys = [{"key": f"expiring-{number}", "value": "x" * 100, "ttl": ttl_s} for number in range(first, first + EXPIRING_A_REQUEST)]
            system.answer_of("/api/v1/kv/bulk", {"operations": keys})

    def happen(self, system):
        # By the number of all keys, which costs nothing to ask; those of the load are among them.
        wait_until(lambda: storage_of(system)["size"] <= self.stored - EXPIRING + KEYS, "the keys are gone", LATEST_S)


class Backup(Quiet):
    """One backup of everything."""

    def happen(self, system):
        system.answer_of("/api/v1/backups", {})


class QuietCluster(Quiet):
    def system(self):
        return ConcordCluster(self.program, self.work_dir, 3)

    def settle(self, system, items):
        system.wait_leader()


class CatchingUp(QuietCluster):
    """A follower was stopped, the keys were stored, and it comes back."""

    def settle(self, system, items):
        super().settle(system, items)
        self.items = items

    def prepare(self, system, seconds):
        self.behind = system.followers()[0]
        self.behind.kill()
        leader = system.wait_leader()
        self.loads.fill(system.at_leader(), self.items)
        self.revision = leader.status()["storage"]["revision"]
        system.endpoint = ",".join(system.endpoint_of(node) for node in system.running())

    def happen(self, system):
        self.behind.start()

        def has_all():
            status = self.behind.status()
            return status and status["storage"]["revision"] >= self.revision

        wait_until(has_all, "the follower has caught up", LATEST_S)


SERVER = {"quiet": Quiet, "snapshots": Snapshots, "expiry": Expiry, "backup": Backup}
CLUSTER = {"quiet": QuietCluster, "catching_up": CatchingUp}
