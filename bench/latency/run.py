"""`./dev bench --latency`: how long requests take that arrive by the clock, while the server does something else as well.

usage: run.py OUT_JSON --tools DIR [--seconds N] [--rounds N] [--items N] [--work-dir DIR] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found

First the peak is measured: as many reads as writes (mode `disk`) of 64 connections that ask again once they have their answer. Then
requests are due at 50 and at 90 % of it (`concord bench --rate`), and a latency counts from when its request was due: a server that
stands still is asked on. That is done while nothing else happens, and while one thing does (disturbances.py). Each kind of
disturbance has a server, or a cluster, of its own for both rates, with --items keys stored before.
"""

import os
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
for place in ("..", "../server", "../cluster", "../../tests/process"):
    sys.path.append(os.path.normpath(os.path.join(HERE, place)))

import turns  # noqa: E402: bench/turns.py, which knows where bench/report is
from disturbances import CLUSTER, SERVER  # noqa: E402
from latency_rows import LOADS, table  # noqa: E402
from loads import Loads, find_tools  # noqa: E402

MIX = "1:1"
BEFORE_S = 1.5  # of the load, warm-up included, before the disturbance begins


def sample_of(report):
    """Times in microseconds; `curve` has how many percent of the requests took no longer than how long."""
    latency = report["latency_ns"]["all"]
    curve, passed = [], 0
    for _, to_ns, count in latency["buckets"]:
        passed += count
        curve.append([100 * passed / latency["count"], min(to_ns, latency["max"]) / 1000])
    times = {f"{name}_us": latency[name] / 1000 for name in ("p50", "p90", "p99", "p99_9", "max")}
    return {"per_second": report["requests_per_second"], "errors": report["errors"], **times, "curve": curve}


class Latency:
    def __init__(self, words):
        self.words = words
        self.tools = find_tools(words.tools)
        self.loads = Loads(self.tools, words.seconds)
        self.results = turns.Results(words)

    def disturbed(self, system, disturbance, rate):
        """The load at that rate; once it is under way, the disturbance."""
        problems = []

        def disturb():
            time.sleep(BEFORE_S)
            try:
                disturbance.happen(system)
            except turns.FAILURES as problem:
                problems.append(problem)

        disturbance.prepare(system, BEFORE_S)
        thread = threading.Thread(target=disturb)
        thread.start()
        report = self.loads.report(system, MIX, rate=rate)
        thread.join()
        if problems:
            raise problems[0]
        disturbance.check(system)
        return {"rate": rate, **sample_of(report)}

    def run(self):
        turns.check({"concord": self.tools["concord"]}, self.words.tools)
        for place, disturbances in (("server", SERVER), ("cluster", CLUSTER)):
            self.run_on(place, disturbances)
        self.results.finish(self.words)

    def run_on(self, place, disturbances):
        """`quiet` is the first of them, and its system the one whose peak is measured."""
        wanted = {f"{place}_{name}": made for name, made in disturbances.items() if not self.words.row or f"{place}_{name}" in self.words.row}
        samples, failures, peak = {}, {}, None
        for row, make in wanted.items():
            print(row, file=sys.stderr)
            try:
                disturbance = make(self.tools["concord"], self.words.work_dir, self.loads)
                with disturbance.system() as system:
                    disturbance.settle(system, self.words.items)
                    if peak is None:
                        peak = self.loads.report(system, MIX)["requests_per_second"]
                        self.results.add(f"{place}_peak", {"concord": [{"per_second": peak}]})
                    samples[row] = {load: [self.disturbed(system, disturbance, int(peak * share)) for _ in range(self.words.rounds)] for load, share in LOADS.items()}
            except turns.FAILURES as problem:
                print(f"{row} failed: {problem}", file=sys.stderr)
                failures[row] = {"concord": str(problem)}
            self.results.add(row, samples.get(row, {}), failures.get(row))


def main():
    rows = [f"server_{name}" for name in SERVER] + [f"cluster_{name}" for name in CLUSTER]
    parser = turns.parser(__doc__, rows)
    parser.add_argument("--items", type=int, default=1_000_000)
    words = turns.parse(parser)
    if not words.show:
        Latency(words).run()
    turns.show(words, table)


main()
