"""Simulated clusters (sim/), and Porcupine's verdict on what their clients saw: a second opinion on the checker that sim/ has of its own.

simulated.py SIMULATOR CHECKER WORK_DIR [--first SEED] [--seeds N] [--seconds S]
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import history as histories  # noqa: E402

CHECK_SECONDS = 60
LINEARIZABLE, VIOLATION, UNDECIDED = 0, 1, 3


def check(arguments, path):
    done = subprocess.run([arguments.checker, f"--timeout={CHECK_SECONDS}s", path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def spoilt(path, seed):
    """The history with one read that is older than it may be; none where no read can be made so."""
    with open(path, encoding="utf-8") as file:
        operations = [json.loads(line) for line in file]
    if not list(histories.overwritten(operations)):
        return None
    made = path.replace(".jsonl", ".spoilt.jsonl")
    histories.write(histories.with_a_stale_read(operations, random.Random(seed)), made)
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("simulator")
    parser.add_argument("checker")
    parser.add_argument("work_dir")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=15)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work_dir, ignore_errors=True)
    os.makedirs(arguments.work_dir)
    subprocess.run([arguments.simulator, "--first", str(arguments.first), "--seeds", str(arguments.seeds), "--simulated",
                    str(arguments.seconds), "--histories", arguments.work_dir], check=True)
    decided, found = 0, 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        path = os.path.join(arguments.work_dir, f"seed-{seed}.jsonl")
        code, said = check(arguments, path)
        print(f"seed {seed}: {said}", end="", flush=True)
        assert code in (LINEARIZABLE, UNDECIDED), f"the checker ended with {code} on {path}"
        decided += code == LINEARIZABLE
        if code == LINEARIZABLE and (made := spoilt(path, seed)):
            code, said = check(arguments, made)
            assert code in (VIOLATION, UNDECIDED), f"a stale read was not found in {made}: {said}"
            found += code == VIOLATION
    print(f"{decided} of {arguments.seeds} histories are linearizable, the others undecided; {found} stale reads made and found")
    assert decided > arguments.seeds // 2 and found > 0
    shutil.rmtree(arguments.work_dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
