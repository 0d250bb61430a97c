"""Runs what README.md shows.

  readme.py extract README OUT.cpp            writes the first ```cpp block
  readme.py run DOCUMENT PROGRAM WORK_DIR     runs each "$ command" of the ```console blocks against a server of its own and
                                              compares what it prints with the lines that follow in the block
  readme.py quotes DOCUMENT DIR...            each ```cpp and ```cmake block of the document stands, line for line, in a program there
  readme.py figures DOCUMENT SOURCE           each row of the document's tables of figures stands in the source, as it is
"""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from server import Server  # noqa: E402


def blocks(readme, language):
    with open(readme, encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)


def extract(readme, out):
    found = blocks(readme, "cpp")
    assert found, "README has no ```cpp block"
    if not os.path.exists(out) or open(out, encoding="utf-8").read() != found[0]:
        with open(out, "w", encoding="utf-8") as file:
            file.write(found[0])


def run(readme, program, work_dir):
    shutil.rmtree(work_dir, ignore_errors=True)
    count = 0
    with Server(program, work_dir) as server:
        environment = {**os.environ, "PATH": os.path.dirname(program) + os.pathsep + os.environ["PATH"], "CONCORD_ENDPOINT": server.endpoint}
        for block in blocks(readme, "console"):
            for command, expected in re.findall(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                if command.startswith("./dev"):
                    continue
                command = command.replace("localhost:4000", f"127.0.0.1:{server.port}")
                done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment, timeout=30)
                assert done.stdout.strip() == expected.strip(), f"{command}\nprints {done.stdout!r}\ninstead of {expected!r}\n{done.stderr}"
                count += 1
    assert count >= 3, f"only {count} commands found"
    print(f"{count} commands print what {os.path.basename(readme)} says")


def quotes(document, *directories):
    examples = []
    for directory in directories:
        for name in sorted(os.listdir(directory)):
            if name.endswith(".cpp") or name == "CMakeLists.txt":
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    examples.append(file.read())
    found = blocks(document, "cpp") + blocks(document, "cmake")
    assert found, f"{document} has no ```cpp block"
    for block in found:
        assert any(block in example for example in examples), f"no example has these lines any more:\n{block}"
    print(f"{len(found)} blocks are lines of the examples")


def figures(document, source):
    with open(source, encoding="utf-8") as file:
        known = set(file.read().splitlines())
    with open(document, encoding="utf-8") as file:
        tables = re.findall(r"^\| work \|.*\n\| ---.*\n((?:\|.*\n)+)", file.read(), re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert rows, f"{document} has no table of figures"
    for row in rows:
        assert row in known, f"{os.path.basename(source)} has no such row any more:\n{row}"
    print(f"{len(rows)} rows are those of {os.path.basename(source)}")


{"extract": extract, "run": run, "quotes": quotes, "figures": figures}[sys.argv[1]](*sys.argv[2:])
