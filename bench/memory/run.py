"""`./dev bench --memory`: who holds the memory of a million items, and what another allocator would change.

usage: run.py OUT_JSON --tools DIR [--rounds N] [--items N] [--work-dir DIR] [--row NAME]... [--markdown]
       run.py OUT_JSON --show [--markdown]      only prints what an earlier run found

Both rows put items of 100 bytes one by one (items.cpp). For the owners heaptrack watches and says who asked for what the heap holds at
its largest; the allocators are put before the system's by LD_PRELOAD and take turns.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.normpath(os.path.join(HERE, place)) for place in ("..", "../server")]

import turns  # noqa: E402: bench/turns.py, which knows where bench/report is
from loads import output_of  # noqa: E402
from memory_rows import ALLOCATORS, table  # noqa: E402
from owners import owner_of  # noqa: E402

LIBRARIES = {"glibc": None, "jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.[23]*"}
ROWS = ("owners", "allocators")


def library_of(allocator):
    """The file to put before the system's allocator, "" for that itself, None when it is not installed."""
    if LIBRARIES[allocator] is None:
        return ""
    found = sorted(path for place in ("/usr/lib/*-linux-gnu", "/usr/lib", "/usr/local/lib") for path in glob.glob(f"{place}/{LIBRARIES[allocator]}"))
    return found[0] if found else None


class Memory:
    def __init__(self, words):
        self.words = words
        self.program = os.path.join(os.path.abspath(words.tools), "bin", "items_bench")

    def with_allocator(self, library):
        environment = {**os.environ, **({"LD_PRELOAD": library} if library else {})}
        done = subprocess.run([self.program, str(self.words.items)], env=environment, capture_output=True, text=True, check=True)
        # The dynamic linker goes on without what it can't load, and says so.
        if "cannot be preloaded" in done.stderr:
            raise RuntimeError(done.stderr.strip())
        return json.loads(done.stdout)

    def owners(self):
        """Bytes an item, by owner."""
        with tempfile.TemporaryDirectory(prefix="heap-", dir=os.path.abspath(self.words.work_dir)) as directory:
            output_of("heaptrack", "--output", os.path.join(directory, "heap"), self.program, self.words.items)
            recorded = glob.glob(os.path.join(directory, "heap*"))
            stacks = os.path.join(directory, "stacks")
            output_of("heaptrack_print", "-f", recorded[0], "-F", stacks, "--flamegraph-cost-type", "peak", "-p0", "-a0", "-T0")
            with open(stacks, encoding="utf-8", errors="replace") as file:
                lines = [re.fullmatch(r"(.*) (\d+)\n?", line) for line in file]
        held = {}
        for line in filter(None, lines):
            owner = owner_of(line.group(1).split(";"))
            held[owner] = held.get(owner, 0) + int(line.group(2)) / self.words.items
        if not held:
            raise RuntimeError("heaptrack found nothing")
        return {"total": sum(held.values()), "held": held}

    def run(self):
        results = turns.Results(self.words)
        for row in self.words.row or ROWS:
            if row == "owners":
                results.measure(row, {"concord": self.owners}, 1)
                continue
            libraries = {allocator: library for allocator in ALLOCATORS if (library := library_of(allocator)) is not None}
            results.measure(row, {allocator: lambda library=library: self.with_allocator(library) for allocator, library in libraries.items()}, self.words.rounds)
        results.finish(self.words)


def main():
    parser = turns.parser(__doc__, ROWS)
    parser.add_argument("--items", type=int, default=1_000_000)
    words = turns.parse(parser)
    if not words.show:
        Memory(words).run()
    turns.show(words, table)


main()
