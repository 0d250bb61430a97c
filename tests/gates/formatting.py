"""C++ looks as clang-format makes it. Passes, saying so, where clang-format 19 is not installed: tests need no clang."""

import shutil
import subprocess

import tree

FORMATTER = "clang-format-19"
FOLDERS = ["include", "src", "apps", "sim", "tests", "bench", "fuzz", "examples", "engine/engine.h"]


def check(root):
    if not shutil.which(FORMATTER):
        print(f"{FORMATTER} is not installed: formatting was not looked at (./dev format installs it)")
        return
    paths = list(tree.files(root, tree.CODE, FOLDERS))
    for start in range(0, len(paths), 20):
        run = subprocess.run([FORMATTER, "--dry-run", "-Werror", "--style=file", *map(str, paths[start:start + 20])],
                             capture_output=True, text=True)
        if run.returncode != 0:
            ill = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "error:" in line})
            for path in ill or [run.stderr]:
                yield f"{path.removeprefix(str(root) + '/')}: not formatted; ./dev format does it"
