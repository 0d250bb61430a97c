"""Real servers on networks of their own, clients that work and write down what they saw, faults, and Porcupine's verdict on it.

run.py PROGRAM CHECKER WORK_DIR [--nodes N] [--seconds S] [--seed N]

Ends with 77 where there can be no such networks (they need root), with 1 and the history, the nodes' logs and a picture kept in WORK_DIR
when what the clients saw can't have happened. CONCORD_LINEARIZABILITY_SECONDS sets S too. The same seed gives the same faults in the same order, not the same moments.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "process")]

import history as histories  # noqa: E402
import network  # noqa: E402
from clients import Clients  # noqa: E402
from cluster import Cluster  # noqa: E402
from nemesis import DISK_BYTES, Nemesis  # noqa: E402

SKIPPED = 77
CHECK_SECONDS = 120
LINEARIZABLE, VIOLATION = 0, 1
# Snapshots often, so that a node that was away gets one at times.
FLAGS = ["--snapshot-every-entries", "1500", "--log-level", "info"]


def check(arguments, path, *flags):
    """(exit code, what the checker said)."""
    done = subprocess.run([arguments.checker, f"--timeout={CHECK_SECONDS}s", *flags, path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def check_that_faults_are_found(arguments, operations, chance):
    """The history with one answer spoilt must be a violation: else a verdict would mean nothing."""
    for spoil in (histories.with_a_stale_read, histories.with_a_lost_write, histories.with_a_refused_write_that_was_done):
        path = os.path.join(arguments.work_dir, f"{spoil.__name__}.jsonl")
        histories.write(spoil(operations, chance), path)
        code, said = check(arguments, path)
        assert code == VIOLATION, f"not found: {spoil.__name__}: {said} ({path})"
        os.remove(path)


def small_disk(arguments):
    place = os.path.join(arguments.work_dir, "disk-n1")
    os.makedirs(place)
    network.run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place)
    return place


def work(arguments, chance):
    """The history of a run, and what was done to the cluster; the cluster is whole again at the end."""
    seen = histories.History()
    disk = small_disk(arguments)
    with network.Network(arguments.nodes, chance.randrange(1 << 32)) as net:
        cluster = Cluster(arguments.program, arguments.work_dir, arguments.nodes, FLAGS, network=net)
        cluster["n1"].data_dir = os.path.join(disk, "data")
        with cluster:
            nemesis = Nemesis(cluster, net, chance, disk)
            try:
                with Clients(list(cluster), seen, arguments.seed) as clients:
                    nemesis.work(arguments.seconds)
                clients.read_everything()
                cluster.wait_same()
            finally:
                seen.write(os.path.join(arguments.work_dir, "history.jsonl"))
                print(f"  faults: {dict(nemesis.done)}", flush=True)
            for node in cluster:
                assert node.is_running(), f"{node.name} has ended with {node.process.returncode}"
            assert not clients.problems, "\n".join(clients.problems[:10])
            assert min(clients.counts["done"], clients.counts["read"]) > 3 * arguments.seconds, clients.counts
    print(f"  calls: {clients.counts}", flush=True)
    return seen.operations


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("checker")
    parser.add_argument("work_dir")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("CONCORD_SEED", random.SystemRandom().randrange(1 << 32))))
    arguments = parser.parse_args()
    arguments.seconds = float(os.environ.get("CONCORD_LINEARIZABILITY_SECONDS", arguments.seconds))
    if reason := network.missing():
        print(f"skipped: {reason}")
        return SKIPPED
    network.enter()
    print(f"seed {arguments.seed}, {arguments.nodes} nodes, {arguments.seconds:.0f} s", flush=True)
    shutil.rmtree(arguments.work_dir, ignore_errors=True)
    os.makedirs(arguments.work_dir)
    chance = random.Random(arguments.seed)
    operations = work(arguments, chance)
    path = os.path.join(arguments.work_dir, "history.jsonl")
    code, said = check(arguments, path, "--picture", os.path.join(arguments.work_dir, "violation.html"))
    print(f"  {said}", end="", flush=True)
    assert code == LINEARIZABLE, f"the checker ended with {code}; what the clients saw is in {path}"
    check_that_faults_are_found(arguments, operations, chance)
    shutil.rmtree(arguments.work_dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
