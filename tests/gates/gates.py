#!/usr/bin/env python3
"""gates.py <gate> <root of the tree> [library...]: one rule over the whole tree. Prints what breaks it and exits 1, or 0."""

import pathlib
import sys

import exports
import formatting
import layering
import purity
import text

GATES = {
    "layering": lambda root, libraries: layering.check(root),
    "purity": purity.check,
    "exports": lambda root, libraries: exports.check(root, libraries[0]),
    "length": lambda root, libraries: text.check_length(root),
    "marks": lambda root, libraries: text.check_marks(root),
    "binaries": lambda root, libraries: text.check_binaries(root),
    "links": lambda root, libraries: text.check_links(root),
    "formatting": lambda root, libraries: formatting.check(root),
}


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in GATES:
        print(__doc__, "gates: " + " ".join(GATES), sep="\n", file=sys.stderr)
        return 2
    problems = list(GATES[arguments[0]](pathlib.Path(arguments[1]), [pathlib.Path(name) for name in arguments[2:]]))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
