"""libconcord shows the public classes and functions of namespace concord, and nothing of its rooms or of third parties."""

import re
import subprocess

import tree


def check(root, library):
    listing = subprocess.run(["nm", "--dynamic", "--defined-only", "--demangle", str(library)], check=True, capture_output=True,
                             text=True).stdout
    symbols = [line.split(" ", 2)[2] for line in listing.splitlines()]
    return check_symbols(symbols, tree.rooms(root))


def check_symbols(symbols, rooms):
    if not symbols:
        yield "the library shows nothing at all"
    inner = re.compile(rf"concord::({'|'.join(rooms)})::")
    for symbol in symbols:
        name = re.sub(r"^(vtable|typeinfo|typeinfo name|VTT|guard variable) for ", "", symbol).split("(")[0]
        if not name.startswith("concord::"):
            yield f"shows {symbol}, which is not Concord's"
        elif inner.match(name):
            yield f"shows {symbol}, which belongs to a room"
