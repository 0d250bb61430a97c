"""`./dev bench --server`: this server beside etcd and Redis, under the same loads, in one run.

usage: run.py OUT_JSON --tools DIR [--seconds N] [--rounds N] [--work-dir DIR] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found

The systems take turns, and the median of the rounds counts (bench/turns.py, which has the form of OUT_JSON too). A tool that is
missing leaves its system out.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import turns  # noqa: E402: bench/turns.py, which knows where bench/report is
from loads import Loads, find_tools  # noqa: E402
from server_rows import table  # noqa: E402
from systems import Concord, Etcd, Redis  # noqa: E402

# row: {system: the load on it}
ROWS = {
    "get_64": {
        "concord": lambda loads, server: loads.concord(server, "1:0"),
        "etcd": lambda loads, server: loads.etcd(server, 1, 0),
        "redis": lambda loads, server: loads.redis(server, "get"),
    },
    "put_64": {
        "concord": lambda loads, server: loads.concord(server, "0:1"),
        "etcd": lambda loads, server: loads.etcd(server, 0, 1),
        "redis": lambda loads, server: loads.redis(server, "set"),
    },
    "put_1": {
        "concord": lambda loads, server: loads.concord(server, "0:1", connections=1),
        "etcd": lambda loads, server: loads.etcd(server, 0, 1, connections=1),
        "redis": lambda loads, server: loads.redis(server, "set", connections=1),
    },
    "health": {"concord": lambda loads, server: loads.wrk(server, "/health")},
    "openapi": {"concord": lambda loads, server: loads.wrk(server, "/api/v1/openapi.json")},
    "bulk_500": {"concord": lambda loads, server: loads.concord(server, "0:1", connections=8, bulk=500)},
    "events": {"concord": lambda loads, server: loads.events(server)},
    "idle_10000": {"concord": lambda loads, server: loads.idle(server, 10_000)},
}


def systems_of(tools, work_dir):
    made = {"concord": lambda: Concord(tools["concord"], work_dir)}
    if tools["etcd"] and tools["etcd_load"]:
        made["etcd"] = lambda: Etcd(tools["etcd"], work_dir)
    if tools["redis"] and tools["redis-benchmark"]:
        made["redis"] = lambda: Redis(tools["redis"], work_dir)
    return made


def work_of(make, load, loads):
    """A function that starts the system, puts the load on it once, and ends it."""

    def work():
        with make() as server:
            return load(loads, server)

    return work


def run(words):
    tools = find_tools(words.tools)
    turns.check(tools, words.tools)
    systems = systems_of(tools, words.work_dir)
    loads = Loads(tools, words.seconds)
    results = turns.Results(words)
    for row in words.row or ROWS:
        if row in ("health", "openapi") and not tools["wrk"]:
            continue
        results.measure(row, {name: work_of(systems[name], load, loads) for name, load in ROWS[row].items() if name in systems}, words.rounds)
    results.finish(words)


def main():
    words = turns.parse(turns.parser(__doc__, ROWS))
    if not words.show:
        run(words)
    turns.show(words, table)


main()
