"""`./dev bench --growth`: how costs grow with keys, subscribers and clients.

usage: run.py OUT_JSON --tools DIR [--seconds N] [--rounds N] [--work-dir DIR] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found

Keys and subscribers are those of a node inside a program (growth.cpp); clients are connections of `concord bench` to one server. How
writes grow with the nodes of a cluster is measured by `./dev bench --cluster`.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
for place in ("..", "../server"):
    sys.path.append(os.path.normpath(os.path.join(HERE, place)))

import turns  # noqa: E402: bench/turns.py, which knows where bench/report is
from growth_rows import CLIENTS, KEYS, SUBSCRIBERS, table  # noqa: E402
from loads import Loads, find_tools, output_of  # noqa: E402
from systems import Concord  # noqa: E402

ROWS = [f"keys_{count}" for count in KEYS] + [f"subscribers_{count}" for count in SUBSCRIBERS] + [f"clients_{count}" for count in CLIENTS]


class Growth:
    def __init__(self, words):
        self.words = words
        self.tools = find_tools(words.tools)
        self.loads = Loads(self.tools, words.seconds)

    def inside(self, what, count):
        """Samples of all rounds: filling ten million keys for each would take longer than measuring."""
        program = os.path.join(os.path.abspath(self.words.tools), "bin", "growth_bench")
        found = json.loads(output_of(program, what, count, self.words.rounds))
        return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]

    def clients(self, count):
        with Concord(self.tools["concord"], self.words.work_dir) as server:
            return self.loads.concord(server, "0:1", connections=count)

    def run(self):
        turns.check({"concord": self.tools["concord"]}, self.words.tools)
        results = turns.Results(self.words)
        for row in self.words.row or ROWS:
            what, count = row.split("_")
            if what == "clients":
                results.measure(row, {"concord": lambda count=count: self.clients(int(count))}, self.words.rounds)
            else:
                results.measure_at_once(row, "concord", lambda what=what, count=count: self.inside(what, count))
        results.finish(self.words)


def main():
    words = turns.parse(turns.parser(__doc__, ROWS))
    if not words.show:
        Growth(words).run()
    turns.show(words, table)


main()
