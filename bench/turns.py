"""What the parts of `./dev bench` that start processes share: systems that take turns within a row, round after round.

The machine is noisy, so the median of the rounds counts. What was measured is written after every row:
{"machine","date","command","versions","seconds","rounds","complete","rows":{row:{system:{...}}},"samples":{row:{system:[{...}]}},
"failures":{row:{system:why}}}. `complete` once all rows of the part were tried: a report takes no other.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "report"))

import figures  # noqa: E402: bench/report/figures.py
import machine  # noqa: E402
from rows import Found  # noqa: E402

# What a system that can't be measured raises: the others go on.
FAILURES = (RuntimeError, AssertionError, OSError, ValueError, subprocess.SubprocessError)


def parser(description, rows):
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("out")
    made.add_argument("--tools")
    made.add_argument("--seconds", type=int, default=5)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--work-dir", default=".")
    made.add_argument("--row", action="append", choices=list(rows))
    made.add_argument("--show", action="store_true")
    made.add_argument("--markdown", action="store_true")
    return made


def parse(made):
    words = made.parse_args()
    if not words.show and not words.tools:
        made.error("--tools is missing")
    if words.seconds < 1 or words.rounds < 1:
        made.error("--seconds and --rounds are at least 1")
    return words


def check(tools, directory):
    """Says what is not installed. Without the program itself nothing can be measured."""
    if not tools["concord"]:
        sys.exit(f"there is no concord in {directory}/bin")
    for name, path in tools.items():
        if not path:
            print(f"{name} is not installed: left out", file=sys.stderr)


def median_of(samples):
    """Of every number by itself; what is no number is kept of the last round."""
    return {name: statistics.median(sample[name] for sample in samples) if isinstance(value, (int, float)) else value
            for name, value in samples[-1].items()}


def command_of(words):
    """As a user would call it."""
    part = os.path.splitext(os.path.basename(words.out))[0]
    given = [f"--{name.replace('_', '-')} {getattr(words, name)}" for name in ("seconds", "rounds", "failovers", "items") if hasattr(words, name)]
    return " ".join([f"./dev bench --{part}", *given])


class Results:
    def __init__(self, words):
        self.path = words.out
        self.found = {**machine.description(command_of(words)), "seconds": words.seconds, "rounds": words.rounds, "complete": False, "rows": {},
                      "samples": {}, "failures": {}}

    def measure(self, row, works, rounds):
        """`works`: by system, a function that measures it once and returns the sample, None when there is nothing to measure. A
        system that fails is measured no more in this row, and the others go on."""
        samples, failures = {}, {}
        for number in range(rounds):
            for name, work in works.items():
                if name in failures:
                    continue
                print(f"{row}: {name}, round {number + 1} of {rounds}", file=sys.stderr)
                try:
                    sample = work()
                except FAILURES as problem:
                    print(f"{row}: {name} failed: {problem}", file=sys.stderr)
                    failures[name] = str(problem)
                    continue
                if sample is not None:
                    samples.setdefault(name, []).append(sample)
        if not samples and not failures:
            print(f"{row}: nothing to measure, left out", file=sys.stderr)
            return
        self.add(row, samples, failures)

    def measure_at_once(self, row, name, work):
        """As `measure`, of one system that gives the samples of all its rounds together."""
        print(f"{row}: {name}", file=sys.stderr)
        try:
            self.add(row, {name: work()})
        except FAILURES as problem:
            print(f"{row}: {name} failed: {problem}", file=sys.stderr)
            self.add(row, {}, {name: str(problem)})

    def add(self, row, samples, failures=None):
        """`samples`: by system, those of all rounds."""
        self.found["samples"][row] = samples
        self.found["rows"][row] = {name: median_of(taken) for name, taken in samples.items()}
        if failures:
            self.found["failures"][row] = failures
        self.write()

    def finish(self, words):
        """All rows that were asked for were tried; whoever asked for some by name has no whole part."""
        self.found["complete"] = not words.row
        self.write()

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.found, file, indent=1)


def show(words, table):
    """`table` makes rows of text from what was found."""
    with open(words.out, encoding="utf-8") as file:
        found = json.load(file)
    rows = table(Found(found))
    print(figures.markdown(rows) if words.markdown else f"\n{found['machine']}\n{figures.plain(rows)}", end="")
