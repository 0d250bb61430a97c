"""A room includes and links only what cmake/rooms.txt lets it, and nothing reaches up into the programs.

Also: a file with a header of its own includes that first, so that compiling it shows that the header stands alone; the other
headers are compiled alone by the target gate_headers (CMakeLists.txt beside this file)."""

import re

import tree

INCLUDE = r'^\s*#\s*include\s*([<"])([^>"]+)[>"]'
ON_TOP = {"apps", "sim", "tests", "bench", "fuzz", "examples"}


def check(root):
    try:
        table = tree.rooms(root)
    except ValueError as error:
        return [str(error)]
    problems = []
    for path in tree.files(root, tree.CODE, ["src", "include"]):
        problems += _includes(root, path, table)
    for path in tree.files(root, {".cpp"}, ["src", "apps"]):
        problems += _own_header_first(root, path)
    for folder in sorted(p for p in (root / "src").iterdir() if p.is_dir()):
        if folder.name not in table:
            problems.append(f"src/{folder.name}: cmake/rooms.txt does not know this room")
        else:
            problems += _uses(root, folder / "CMakeLists.txt", table[folder.name])
    return problems


def _includes(root, path, table):
    place = path.relative_to(root).parts
    room = table.get(place[1]) if place[0] == "src" else None
    for line, match in tree.matches(INCLUDE, tree.code_of(path.read_text())):
        name = match.group(2)
        first = name.split("/")[0]
        complaint = None
        if ".." in name.split("/"):
            complaint = f"{name}: a path from the source root is clearer than '..'"
        elif place[0] == "include":
            if not (first == "concord" or name.startswith("boost/json") or "/" not in name and match.group(1) == "<"):
                complaint = f"a public header includes only the standard library, Boost.JSON and <concord/...>, not {name}"
        elif first in ON_TOP:
            complaint = f"{name}: no room includes {first}/"
        elif first == "engine.h" and room and room.name != "raft":
            complaint = "engine.h is included by room raft alone"
        elif "/" in name and room and first in table and first != room.name and first not in room.may_include:
            complaint = f"room {room.name} may not include room {first} ({name}); cmake/rooms.txt lists the arrows"
        if complaint:
            yield tree.problem(root, path, line, complaint)


def _own_header_first(root, path):
    header = path.with_suffix(".hpp")
    if not header.exists():
        return
    includes = [match.group(2) for _, match in tree.matches(INCLUDE, tree.code_of(path.read_text()))]
    if not includes or includes[0].split("/")[-1] != header.name:
        yield tree.problem(root, path, 1, f"{header.name} is to be its first include")


def _uses(root, listing, room):
    if not listing.exists():
        return
    text = re.sub(r"#[^\n]*", "", listing.read_text())
    for call in re.finditer(r"concord_room\(([^)]*)\)", text):
        words = call.group(1).split()
        uses = words[words.index("USES") + 1:] if "USES" in words else []
        for name in uses:
            if name.isupper():
                break
            if name not in room.may_include:
                yield tree.problem(root, listing, 1, f"USES {name}: cmake/rooms.txt does not let {room.name} include it")
