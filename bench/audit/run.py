"""`./dev bench --audit`: what the audit log costs a put, and how long a query and a check of a million lines take.

usage: run.py OUT_JSON --tools DIR [--seconds N] [--rounds N] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found
"""

import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.normpath(os.path.join(HERE, place)) for place in ("..", "../server")]

import turns  # noqa: E402: bench/turns.py, which knows where bench/report is
from audit_rows import PUTS, READS, table  # noqa: E402
from loads import output_of  # noqa: E402

LINES = 1_000_000


def main():
    words = turns.parse(turns.parser(__doc__, (*PUTS, READS)))
    if not words.show:
        program = os.path.join(os.path.abspath(words.tools), "bin", "audit_bench")
        results = turns.Results(words)
        for row in words.row or (*PUTS, READS):
            if row == READS:
                results.measure(row, {"concord": lambda: json.loads(output_of(program, "reads", LINES))}, 1)
                continue
            puts = (program, "puts", *PUTS[row], words.seconds)
            results.measure(row, {"without": lambda puts=puts: json.loads(output_of(*puts, "off")), "concord": lambda puts=puts: json.loads(output_of(*puts, "on"))}, words.rounds)
        results.finish(words)
    turns.show(words, table)


main()
