"""`./dev bench --cluster`: three nodes beside three members of etcd, under the same loads and the same troubles, in one run.

usage: run.py OUT_JSON --tools DIR [--seconds N] [--rounds N] [--failovers N] [--work-dir DIR] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found

Clients are spread over all nodes, each pinned to one. The systems take turns, and the median of the rounds counts (bench/turns.py,
which has the form of OUT_JSON too). In the rows of troubles a leader is killed, paused or ended --failovers times, etcd's a fifth as
often, with its timers at 50/500 ms as Concord's are; the same client writes to both over HTTP, to etcd through its JSON gateway.
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
for place in ("..", "../server", "../../tests/process"):
    sys.path.append(os.path.normpath(os.path.join(HERE, place)))

import troubles  # noqa: E402
import turns  # noqa: E402: bench/turns.py
from clusters import ConcordCluster, EtcdCluster, SecretCluster  # noqa: E402
from cluster_rows import table  # noqa: E402: bench/report/cluster_rows.py
from loads import Loads, find_tools  # noqa: E402: bench/server/loads.py

FAST_TIMERS = ("--heartbeat-interval", "50", "--election-timeout", "500")


class Loaded:
    """A row of both systems under a load, with clusters of `size` nodes."""

    def __init__(self, concord, etcd, size=3):
        self.loads, self.size = {"concord": concord, "etcd": etcd}, size

    def rounds(self, words):
        return words.rounds

    def measure(self, name, bench):
        with bench.cluster(name, self.size) as cluster:
            cluster.wait_leader()
            return self.loads[name](bench.loads, cluster)


def puts(connections=64, size=3):
    return Loaded(lambda loads, cluster: loads.concord(cluster, "0:1", connections=connections),
                  lambda loads, cluster: loads.etcd(cluster, 0, 1, connections=connections), size)


class Secret:
    """The row of writes with TLS between the members, to compare with those without."""

    def rounds(self, words):
        return words.rounds

    def measure(self, name, bench):
        if name != "concord":
            return None
        with SecretCluster(bench.tools["concord"], bench.words.work_dir, 3) as cluster:
            cluster.wait_leader()
            return bench.loads.concord(cluster, "0:1")


class Troubled:
    """A row of leaders in trouble, one after the other, in the same cluster."""

    def __init__(self, trouble, remedy):
        self.trouble, self.remedy = trouble, remedy

    def rounds(self, _):
        return 1

    def measure(self, name, bench):
        count = bench.words.failovers if name == "concord" else max(bench.words.failovers // 5, 1)
        with bench.cluster(name, 3, FAST_TIMERS) as cluster:
            return troubles.gaps(cluster, self.trouble, self.remedy, count)


class Behind:
    """The row of a follower that comes back; etcd has none."""

    def rounds(self, words):
        return words.rounds

    def measure(self, name, bench):
        if name != "concord":
            return None
        with bench.cluster(name, 3) as cluster:
            return troubles.catch_up(bench.loads, cluster)


ROWS = {
    "put_64": puts(),
    "put_64_tls": Secret(),
    "put_1000": puts(connections=1000),
    "put_1": Loaded(lambda loads, cluster: loads.concord(cluster.at_leader(), "0:1", connections=1),
                    lambda loads, cluster: loads.etcd(cluster.at_leader(), 0, 1, connections=1)),
    "get_strong_64": Loaded(lambda loads, cluster: loads.concord(cluster, "1:0", consistency="strong"),
                            lambda loads, cluster: loads.etcd(cluster, 1, 0)),
    "get_eventual_64": Loaded(lambda loads, cluster: loads.concord(cluster, "1:0", consistency="eventual"),
                              lambda loads, cluster: loads.etcd(cluster, 1, 0, serializable=True)),
    "leader_killed": Troubled(troubles.kill, troubles.start_again),
    "leader_paused": Troubled(troubles.pause, troubles.go_on),
    "leader_ended": Troubled(troubles.end, troubles.start_again),
    "catch_up": Behind(),
    "put_64_of_1": puts(size=1),
    "put_64_of_5": puts(size=5),
}


class Bench:
    def __init__(self, words):
        self.words = words
        self.tools = {name: path for name, path in find_tools(words.tools).items() if name in ("concord", "etcd", "etcd_load")}
        self.loads = Loads(self.tools, words.seconds)

    def cluster(self, name, size, etcd_flags=()):
        if name == "concord":
            return ConcordCluster(self.tools["concord"], self.words.work_dir, size)
        return EtcdCluster(self.tools["etcd"], self.words.work_dir, size, etcd_flags)

    def run(self):
        turns.check(self.tools, self.words.tools)
        systems = ["concord"] + (["etcd"] if self.tools["etcd"] and self.tools["etcd_load"] else [])
        results = turns.Results(self.words)
        for row in self.words.row or ROWS:
            works = {name: lambda row=row, name=name: ROWS[row].measure(name, self) for name in systems}
            results.measure(row, works, ROWS[row].rounds(self.words))
        results.finish(self.words)


def main():
    parser = turns.parser(__doc__, ROWS)
    parser.add_argument("--failovers", type=int, default=50)
    words = turns.parse(parser)
    if words.failovers < 1:
        parser.error("--failovers is at least 1")
    if not words.show:
        Bench(words).run()
    turns.show(words, table)


main()
