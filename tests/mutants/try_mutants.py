"""Does every known defect, put back on purpose, fail the test that is to see it?

mutants.txt names each defect (src/base/mutant.hpp), and the test. A test passes without any mutant and fails with its own; a mutant
that it lets pass has survived, and is a hole in the tests.

    try_mutants.py <bin directory of a build with CONCORD_MUTANTS> [name...]    runs them
    try_mutants.py --check                                                    compares the table with the source"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLACE = re.compile(r'\bCONCORD_MUTANT\("([^"]+)"\)')
ROW = re.compile(r"^(\S+) *\| *(\d+) *\| *(\S+) *\| *(\S.*)$")
# A defect that makes a test stand still has failed it, too.
PATIENCE_S = 180


class Mutant:
    def __init__(self, name, row, file, test):
        self.name, self.row, self.file, self.test = name, row, file, test


def table():
    mutants = []
    for number, line in enumerate((HERE / "mutants.txt").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        found = ROW.match(line)
        if not found:
            sys.exit(f"mutants.txt:{number}: not \"name | row | file | test\": {line}")
        mutants.append(Mutant(*found.groups()))
    return mutants


def places():
    """The files under src/ that can be each mutant."""
    found = {}
    for path in sorted((ROOT / "src").rglob("*.[ch]pp")):
        for name in PLACE.findall(path.read_text()):
            if path.name != "mutant.hpp":
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


def check(mutants):
    problems = []
    found = places()
    names = [mutant.name for mutant in mutants]
    problems += [f"{name}: stands twice in mutants.txt" for name in sorted(set(names)) if names.count(name) > 1]
    problems += [f"{name}: in {', '.join(sorted(found[name]))} and not in mutants.txt" for name in sorted(set(found) - set(names))]
    problems += [f"{m.name}: {m.file} has no place for it" for m in mutants if m.file not in found.get(m.name, ())]
    for problem in problems:
        print(problem)
    return not problems


def command_of(bin_directory, test):
    """A test is "<room>_test Suite.name", or "sim <first seed>-<last seed>"."""
    program, *words = test.split()
    if program == "sim":
        first, last = map(int, words[0].split("-"))
        return [bin_directory / "concord_sim", "--first", str(first), "--seeds", str(last - first + 1), "--jobs", "1"]
    return [bin_directory / program, f"--gtest_filter={words[0]}", "--gtest_brief=1"]


def run(bin_directory, test, mutant=None):
    """How it ended, in a word, and after how many seconds."""
    environment = {key: value for key, value in os.environ.items() if key != "CONCORD_MUTANT"}
    if mutant:
        environment["CONCORD_MUTANT"] = mutant
    began = time.monotonic()
    try:
        done = subprocess.run(command_of(bin_directory, test), env=environment, capture_output=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "stands still", time.monotonic() - began
    passed_s = time.monotonic() - began
    if done.returncode == 0:
        is_real = b"[  PASSED  ] 0 tests" not in done.stdout
        return ("passes" if is_real else "ran no test"), passed_s
    return ("fails" if done.returncode > 0 else f"dies by signal {-done.returncode}"), passed_s


def main(arguments):
    mutants = table()
    if arguments[0] == "--check":
        return check(mutants)
    bin_directory, names = pathlib.Path(arguments[0]).resolve(), arguments[1:]
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        sys.exit(f"there is no mutant {', '.join(sorted(unknown))}")
    chosen = [mutant for mutant in mutants if not names or mutant.name in names]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tests = sorted({mutant.test for mutant in chosen})
        sound = dict(zip(tests, pool.map(lambda test: run(bin_directory, test)[0], tests)))
        outcomes = list(pool.map(lambda mutant: run(bin_directory, mutant.test, mutant.name), chosen))
    wrong = 0
    for mutant, (outcome, passed_s) in zip(chosen, outcomes):
        without = sound[mutant.test]
        is_caught = without == "passes" and outcome not in ("passes", "ran no test")
        wrong += not is_caught
        verdict = "caught" if is_caught else "SURVIVED" if without == "passes" else "ITS TEST " + without + " WITHOUT IT"
        print(f"{verdict:8} {mutant.name:50} row {mutant.row:>2}  {mutant.test} {outcome} ({passed_s:.1f} s)")
    print(f"{len(chosen)} mutants, {len(chosen) - wrong} caught")
    return wrong == 0


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
