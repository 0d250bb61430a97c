#!/usr/bin/env python3
"""No operation takes more instructions than it did (counts.txt), but for a tolerance.

usage: instructions_test.py VALGRIND WORKLOAD [--write]       --write: counts.txt gets what was counted

Each row is run with two amounts of operations; the difference is what they cost without the start. Counts differ a little between
processors, because libraries choose other code for them: that is what the tolerance is for."""

import pathlib
import re
import subprocess
import sys

COUNTS = pathlib.Path(__file__).resolve().parent / "counts.txt"
TOLERANCE = 0.06
FEW, MANY = 100, 1100


def collected(valgrind, workload, row, operations):
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", workload, row, str(operations)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Collected *: *(\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return int(found.group(1))


def cost(valgrind, workload, row):
    return (collected(valgrind, workload, row, MANY) - collected(valgrind, workload, row, FEW)) / (MANY - FEW)


def main(valgrind, workload, *words):
    known = {}
    for line in COUNTS.read_text().splitlines():
        if line and not line.startswith("#"):
            row, count = line.split()
            known[row] = int(count)
    counted = {row: cost(valgrind, workload, row) for row in known}
    too_many = []
    for row, count in counted.items():
        print(f"{row:14} {count:10.0f} instructions an operation; known: {known[row]} ({count / known[row] - 1:+.1%})")
        if count > known[row] * (1 + TOLERANCE):
            too_many.append(row)
    if "--write" in words:
        head = [line for line in COUNTS.read_text().splitlines() if line.startswith("#")]
        COUNTS.write_text("\n".join([*head, *(f"{row} {count:.0f}" for row, count in counted.items())]) + "\n")
        return 0
    if too_many:
        print(f"more than {TOLERANCE:.0%} above what is known: {', '.join(too_many)}. If it is worth it: instructions_test.py ... --write")
    return bool(too_many)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
