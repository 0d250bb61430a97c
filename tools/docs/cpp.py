"""The page of the C++ API: each public header with what it is about; and the Doxygen reference beside it, when there is a Doxygen."""

import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).parent


def about(header):
    """The first paragraph of the comment at the top of a header."""
    lines = []
    for line in header.read_text(encoding="utf-8").splitlines():
        if not line.startswith("//") or line.strip() == "//":
            break
        lines.append(line[2:].strip())
    return " ".join(lines)


def page(site, doxygen):
    include = site.root / "include"
    lines = ["# The C++ API", "",
             "What `#include <concord/concord.hpp>` brings. Begin with [the guide](../cpp-guide.md); each header is a manual of its own."]
    if doxygen:
        run_doxygen(doxygen, site.root, site.out / "reference")
        lines += ["", "**[Every class and function](cpp/index.html)**, by Doxygen."]
    lines += ["", "| header | what it is about |", "| --- | --- |"]
    for header in sorted(include.rglob("*.hpp"), key=lambda path: (path.parent.name == "recipes", path)):
        place = os.path.relpath(site.show(header.relative_to(site.root)), "reference")
        told = re.sub(r"([|<])", r"\\\1", about(header))
        lines.append(f"| [{header.relative_to(include)}]({place}) | {told} |")
    return "\n".join(lines) + "\n"


def run_doxygen(doxygen, root, out):
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CONCORD_ROOT": str(root), "CONCORD_DOXYGEN_OUT": str(out)}
    done = subprocess.run([doxygen, str(HERE / "Doxyfile")], cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"doxygen failed:\n{done.stderr}")
