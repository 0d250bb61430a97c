"""`./dev bench --server`: this server beside etcd and Redis, under the same loads, in one run.

usage: run.py OUT_JSON --tools DIR [--seconds N] [--rounds N] [--work-dir DIR] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found

The machine is noisy, so the systems take turns within a row, round after round, and the median of the rounds counts. A tool that
is missing leaves its system out. OUT_JSON: {"machine","seconds","rounds","rows":{row:{system:{...}}},"samples":{...}}.
"""

import argparse
import json
import os
import shutil
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import report  # noqa: E402: bench/report.py
from loads import Loads  # noqa: E402
from systems import Concord, Etcd, Redis  # noqa: E402
from targets import table  # noqa: E402

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
    "idle_10000": {"concord": lambda loads, server: loads.idle(server, 10_000)},
}


def find_tools(directory):
    """Paths by name, None for what is not installed. Debian's redis-tools has the server under the name of a tool."""
    redis = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    return {
        "concord": shutil.which("concord", path=os.path.join(directory, "bin")),
        "etcd": shutil.which("server", path=os.path.join(directory, "etcd")),
        "etcd_load": shutil.which("etcd_load", path=os.path.join(directory, "etcd")),
        "redis": redis and os.path.realpath(redis),
        "redis-benchmark": shutil.which("redis-benchmark"),
        "wrk": shutil.which("wrk"),
    }


def systems_of(tools, work_dir):
    made = {"concord": lambda: Concord(tools["concord"], work_dir)}
    if tools["etcd"] and tools["etcd_load"]:
        made["etcd"] = lambda: Etcd(tools["etcd"], work_dir)
    if tools["redis"] and tools["redis-benchmark"]:
        made["redis"] = lambda: Redis(tools["redis"], work_dir)
    return made


def measure(row, systems, loads, rounds):
    """The samples of each system, in the order of the rounds."""
    samples = {}
    for number in range(rounds):
        for name, load in ROWS[row].items():
            if name not in systems:
                continue
            print(f"{row}: {name}, round {number + 1} of {rounds}", file=sys.stderr)
            with systems[name]() as server:
                sample = load(loads, server)
            if sample is not None:
                samples.setdefault(name, []).append(sample)
    return samples


def median_of(samples):
    """Of every number by itself; what is no number is kept of the last round."""
    return {name: statistics.median(sample[name] for sample in samples) if isinstance(value, (int, float)) else value
            for name, value in samples[-1].items()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tools")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work-dir", default=".")
    parser.add_argument("--row", action="append", choices=list(ROWS))
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    words = parser.parse_args()
    if not words.show and not words.tools:
        parser.error("--tools is missing")
    if words.seconds < 1 or words.rounds < 1:
        parser.error("--seconds and --rounds are at least 1")
    return words


def run(words):
    tools = find_tools(words.tools)
    if not tools["concord"]:
        sys.exit(f"there is no concord in {words.tools}/bin")
    for name, path in tools.items():
        if not path:
            print(f"{name} is not installed: left out", file=sys.stderr)
    systems = systems_of(tools, words.work_dir)
    loads = Loads(tools, words.seconds)
    results = {"machine": report.machine(), "seconds": words.seconds, "rounds": words.rounds, "rows": {}, "samples": {}}
    for row in words.row or ROWS:
        if row in ("health", "openapi") and not tools["wrk"]:
            continue
        samples = measure(row, systems, loads, words.rounds)
        if not samples:
            print(f"{row}: the server has no such route, left out", file=sys.stderr)
            continue
        results["samples"][row] = samples
        results["rows"][row] = {name: median_of(taken) for name, taken in samples.items()}
        with open(words.out, "w", encoding="utf-8") as file:  # after each row: what was measured is not lost with the next
            json.dump(results, file, indent=1)


def main():
    words = arguments()
    if not words.show:
        run(words)
    with open(words.out, encoding="utf-8") as file:
        report.show(table(json.load(file)["rows"]), words.markdown)


main()
