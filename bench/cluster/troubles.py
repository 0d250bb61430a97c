"""What happens to a cluster while a client writes: its leader is killed, paused or ended, or a follower comes back from far behind."""

import math
import os
import signal
import time

from cluster import wait_until
from writer import Writer

CALM_S = 0.5
AFTERWARDS_S = 0.2
KEYS_BEHIND = 1_000_000


def percentile(sorted_values, percent):
    return sorted_values[max(math.ceil(len(sorted_values) * percent / 100), 1) - 1]


# Each trouble: what is done to the leader, which returns once that took effect, and what makes it a member again.


def kill(node):
    node.kill()


def pause(node):
    node.signal(signal.SIGSTOP)
    os.waitpid(node.process.pid, os.WUNTRACED)


def end(node):
    code = node.stop()
    # etcd ends by the signal itself, after it has handed over.
    if code not in (0, -signal.SIGTERM):
        raise RuntimeError(f"a node ended by SIGTERM with {code}")


def start_again(node):
    node.start()


def go_on(node):
    node.signal(signal.SIGCONT)


def gap_of(cluster, trouble, remedy, number):
    """Seconds without an acknowledged write because of the trouble, and how writes failed meanwhile."""
    leader = cluster.wait_leader()
    time.sleep(CALM_S)
    with Writer([node.port for node in cluster], cluster.write, first=number) as writer:
        wait_until(lambda: len(writer.acknowledged) >= 100, "100 writes before the trouble")
        since = time.monotonic()
        trouble(leader)
        effective = time.monotonic()
        try:
            # What was in flight may still be acknowledged: a write that began afterwards shows that there is a leader again.
            wait_until(lambda: writer.acknowledged[-1][0] > effective, f"a write after the trouble; failures {writer.failures}")
            time.sleep(AFTERWARDS_S)
        finally:
            remedy(leader)
    cluster.wait_ready()
    return writer.longest_gap(since), writer.failures


def gaps(cluster, trouble, remedy, count):
    found, failures = [], {}
    for number in range(count):
        seconds, failed = gap_of(cluster, trouble, remedy, number)
        found.append(seconds * 1000)
        for kind, times in failed.items():
            failures[kind] = failures.get(kind, 0) + times
    found.sort()
    return {"count": count, "p50_ms": percentile(found, 50), "p99_ms": percentile(found, 99), "max_ms": found[-1], "gaps_ms": found, "refused": failures}


def catch_up(loads, cluster):
    """A follower is stopped, a million keys are written, and it comes back: how long until it has them, and what that does to
    the writes at the leader."""
    behind = cluster.followers()[0]
    behind.kill()
    loads.fill(cluster.at_leader(), KEYS_BEHIND)
    leader = cluster.wait_leader()
    with Writer([leader.port], cluster.write) as writer:
        began = time.monotonic()
        time.sleep(loads.seconds)
        revision = leader.status()["storage"]["revision"]
        back = time.monotonic()
        behind.start()

        def has_all():
            status = behind.status()
            return status and status["storage"]["revision"] >= revision

        wait_until(has_all, "the follower has caught up", seconds=120)
        caught_up = time.monotonic()
    if behind.status()["storage"]["size"] < KEYS_BEHIND:
        raise RuntimeError("the follower that caught up lacks keys")
    before, during = writer.latencies(began, back), writer.latencies(back, caught_up)
    return {"seconds": caught_up - back, "p99_before_us": percentile(before, 99) * 1e6, "p99_us": percentile(during, 99) * 1e6,
            "p50_before_us": percentile(before, 50) * 1e6, "p50_us": percentile(during, 50) * 1e6, "errors": writer.failures}
