"""`./dev bench --churn`: does a process grow whose live set stays what it is?

usage: churn.py OUT_JSON --tools DIR [--minutes N] [--markdown]
       churn.py OUT_JSON --show [--markdown]      only prints what an earlier run found

Runs churn.cpp, which says every second what is resident, and compares the second quarter of the time with the last. OUT_JSON:
{"machine","date","command","versions","complete","samples":[{"seconds","resident_bytes","counted_bytes","keys","operations"}]}.
"""

import argparse
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.normpath(os.path.join(HERE, "../report")))

import figures  # noqa: E402: bench/report/figures.py
import machine  # noqa: E402
from memory_rows import churn_table  # noqa: E402


def run(words):
    found = {**machine.description(f"./dev bench --churn --minutes {words.minutes:g}"), "complete": False, "samples": []}
    program = os.path.join(os.path.abspath(words.tools), "bin", "churn_bench")
    with subprocess.Popen([program, str(round(words.minutes * 60))], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            found["samples"].append(json.loads(line))
    if process.returncode != 0:
        sys.exit(f"churn_bench ended with {process.returncode}")
    found["complete"] = True
    with open(words.out, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tools")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    words = parser.parse_args()
    if not words.show:
        if not words.tools or words.minutes < 0.2:
            parser.error("--tools is missing, or --minutes is below 0.2")
        run(words)
    with open(words.out, encoding="utf-8") as file:
        rows = churn_table(json.load(file))
    print(figures.markdown(rows) if words.markdown else figures.plain(rows), end="")


main()
