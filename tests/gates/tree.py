"""The files of the tree as the gates see them, and what a gate answers: problems, one line each."""

import pathlib
import re

SKIPPED = {".git", "build", "target", "node_modules", "__pycache__", ".cache"}
CODE = {".cpp", ".hpp", ".h"}


def files(root, suffixes=None, under=None):
    """All files below root (or some folders of it), sorted, without what builds leave behind."""
    starts = [pathlib.Path(root) / name for name in under] if under else [pathlib.Path(root)]
    for start in starts:
        if start.is_file():
            yield start
        for path in sorted(start.iterdir()) if start.is_dir() else []:
            if path.name in SKIPPED or path.is_symlink():
                continue
            if path.is_dir():
                yield from files(path, suffixes)
            elif suffixes is None or path.suffix in suffixes:
                yield path


def is_test(path):
    """Tests and their helpers: they stand beside the code and are no part of the library."""
    return path.stem.endswith("_test") or path.name.startswith(("test_", "testing_"))


_NOT_CODE = re.compile(
    r'^[ \t]*#[ \t]*include[^\n]*|//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])+'", re.DOTALL | re.MULTILINE)


def _blank(match):
    text = match.group(0)
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    if text.lstrip().startswith("#"):
        return text
    return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]


def code_of(text):
    """C++ without comments and without the contents of literals, but with its includes; lines keep their places."""
    digits = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)  # 8'000 opens no character
    return _NOT_CODE.sub(_blank, digits)


def matches(pattern, text):
    """(line number, match) of each match."""
    for match in re.finditer(pattern, text, re.MULTILINE):
        yield text.count("\n", 0, match.start()) + 1, match


def problem(root, path, line, text):
    return f"{path.relative_to(root)}:{line}: {text}"


class Room:
    def __init__(self, name, pure, may_include):
        self.name, self.pure, self.may_include = name, pure, may_include


def rooms(root):
    """cmake/rooms.txt: name -> Room, in the order of the file. ValueError on a line that breaks its own rule."""
    table = {}
    for number, line in enumerate((pathlib.Path(root) / "cmake/rooms.txt").read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"(\w+)( pure)?:((?: \w+)*)", line)
        if not match:
            raise ValueError(f"cmake/rooms.txt:{number}: not '<room> [pure]: <room>...'")
        may_include = match.group(3).split()
        for name in may_include:
            if name not in table:
                raise ValueError(f"cmake/rooms.txt:{number}: {match.group(1)} names {name}, which does not stand above it")
            if match.group(2) and not (table[name].pure or name == "base"):
                raise ValueError(f"cmake/rooms.txt:{number}: {match.group(1)} is pure and may not stand on {name}")
        table[match.group(1)] = Room(match.group(1), bool(match.group(2)), set(may_include))
    return table
