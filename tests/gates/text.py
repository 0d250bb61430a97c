"""What every file of the tree keeps: a length one can read, no unfinished marks, no binaries, Markdown links that lead somewhere."""

import re

import tree

MOST_LINES = 600
MOST_BYTES = 700_000
SOURCES = tree.CODE | {".rs", ".py", ".sh", ".cmake", ".ts", ".tsx", ".mjs"}
TEXT = SOURCES | {".txt", ".md", ".json", ".toml", ".yml", ".yaml", ".in", ".map", ""}
FOLDERS = ["src", "include", "engine", "apps", "sim", "tests", "bench", "fuzz", "examples", "tools", "cmake", "deploy", "docs", "console"]
TOP = ["dev", "CMakeLists.txt", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".ci/run"]

# Spelt in pieces: this file is read too.
MARKS = (r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bnot (yet )?imple" r"mented\b|\bunimple" r"mented!|\bto" r"do!\("
         r"|\bDIS" r"ABLED_|\bGTEST_" r"SKIP\b|#\[ign" r"ore\]")


def check_length(root):
    for path in tree.files(root, SOURCES, FOLDERS + ["dev"]):
        lines = path.read_text().count("\n")
        if lines > MOST_LINES:
            yield tree.problem(root, path, lines, f"{lines} lines, over {MOST_LINES}: which of its subjects goes to a file of its own?")


def check_marks(root):
    for path in tree.files(root, TEXT, FOLDERS + TOP):
        for line, match in tree.matches(MARKS, path.read_text(errors="replace")):
            yield tree.problem(root, path, line, f"`{match.group(0)}`: finished work only; what is left to do is not noted in files")


def may_be_binary(path):
    """The first inputs of fuzz targets, and the pictures of the documentation."""
    return "fuzz" in path.parts or (path.parts[:2] == ("docs", "images") and path.suffix == ".png")


def check_binaries(root):
    for path in tree.files(root, None, FOLDERS + TOP):
        if path.stat().st_size > MOST_BYTES:
            yield tree.problem(root, path, 1, f"{path.stat().st_size} bytes, over {MOST_BYTES}")
        elif b"\0" in path.read_bytes() and not may_be_binary(path.relative_to(root)):
            yield tree.problem(root, path, 1, "a binary file")


def prose(path):
    """Markdown without its blocks of code; lines keep their places."""
    return re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group(0)), path.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(path):
    """What links may name behind `#`: the headings, as GitHub and the site write them."""
    return {re.sub(r"[^\w\- ]", "", match.group(1).lower()).replace(" ", "-") for _, match in tree.matches(r"^#+ (.+)$", prose(path))}


def check_links(root):
    for path in tree.files(root, {".md"}, FOLDERS + TOP):
        for line, match in tree.matches(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(path))):
            target, _, anchor = match.group(1).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = path.parent / target if target else path
            if not there.exists():
                yield tree.problem(root, path, line, f"the link to {target} leads nowhere")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                yield tree.problem(root, path, line, f"{there.name} has no heading #{anchor}")
    yield from check_menu(root)


def check_menu(root):
    """The site (./dev docs) has a menu; what it does not name nobody finds there."""
    menu = root / "tools/docs/mkdocs.yml"
    if not menu.exists():
        return
    named = set(re.findall(r"^ +- [^:\n]+: (\S+\.md)$", menu.read_text(), re.MULTILINE))
    for path in tree.files(root, {".md"}, ["docs"]):
        place = str(path.relative_to(root / "docs"))
        if place not in named and not place.startswith("decisions/"):
            yield tree.problem(root, path, 1, f"the menu of the site does not name it: add {place} to nav in tools/docs/mkdocs.yml")
