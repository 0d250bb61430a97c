"""Gathers what the site is built of: gather.py ROOT OUT --program CONCORD [--doxygen DOXYGEN]

Into OUT, which is made anew: the documents of docs/ as they are but for their links; README.md as the first page; pages made of the
program (reference/); and for each file or folder of the tree that a document links to a page that shows it (source/), so that no link
leaves the site unless it is meant to.
"""

import argparse
import os
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True
import commands  # noqa: E402
import cpp  # noqa: E402
import http_api  # noqa: E402
import node  # noqa: E402
import settings  # noqa: E402

# Documents that stand elsewhere than in docs/, and their places in the site.
ELSEWHERE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
NOT_PROSE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".go": "go", ".py": "python", ".sh": "bash", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml",
             ".json": "json", ".rs": "rust"}


class Site:
    def __init__(self, root, out):
        self.root, self.out = root, out
        self.shown = set()  # paths of the tree that have a page in source/

    def write(self, place, text):
        path = self.out / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def add_document(self, path, place):
        """A Markdown file of the tree; its links are turned to where their targets stand in the site."""
        text = path.read_text(encoding="utf-8")
        prose = NOT_PROSE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
        pieces, end = [], 0
        for link in LINK.finditer(prose):
            pieces += [text[end:link.start()], self.turned(link.group(), path, place)]
            end = link.end()
        self.write(place, "".join([*pieces, text[end:]]))

    def turned(self, target, path, place):
        file, _, anchor = target.partition("#")
        if not file or re.match(r"[a-z]+:", file):
            return target
        wanted = pathlib.Path(os.path.normpath(path.parent / file))
        if not wanted.exists():
            raise SystemExit(f"{path}: the link to {file} leads nowhere")
        there = self.place_of(wanted.relative_to(self.root))
        return os.path.relpath(there, pathlib.Path(place).parent) + ("#" + anchor if anchor else "")

    def place_of(self, path):
        """Where a path of the tree stands in the site."""
        if str(path) in ELSEWHERE:
            return ELSEWHERE[str(path)]
        if path.parts[0] == "docs":
            return str(pathlib.Path(*path.parts[1:])) + ("/index.md" if (self.root / path).is_dir() else "")
        return self.show(path)

    def show(self, path):
        """Makes the page of a file or folder that is no document."""
        whole = self.root / path
        place = f"source/{path}/index.md" if whole.is_dir() else f"source/{path}.md"
        if path in self.shown:
            return place
        self.shown.add(path)
        if whole.is_dir():
            names = sorted(entry.name + "/" * entry.is_dir() for entry in whole.iterdir() if entry.name != "__pycache__")
            links = [os.path.relpath(self.show(path / name), pathlib.Path(place).parent) for name in names]
            self.write(place, f"# {path}/\n\n" + "".join(f"- [{name}]({link})\n" for name, link in zip(names, links, strict=True)))
        else:
            text = whole.read_text(encoding="utf-8")
            fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
            self.write(place, f"# {path.name}\n\n`{path}`\n\n{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n{fence}\n")
        return place

    def add_decisions(self):
        titles = [(path.name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
                  for path in sorted((self.root / "docs/decisions").glob("*.md"))]
        lines = [f"- [{title}]({name})" for name, title in titles]
        self.write("decisions/index.md", "# Decisions\n\nWhy things are as they are, each when it was decided.\n\n" + "\n".join(lines) + "\n")


def main():
    wanted = argparse.ArgumentParser()
    wanted.add_argument("root", type=pathlib.Path)
    wanted.add_argument("out", type=pathlib.Path)
    wanted.add_argument("--program", required=True)
    wanted.add_argument("--doxygen")
    options = wanted.parse_args()
    root, out = options.root.resolve(), options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    site = Site(root, out)
    for path in sorted((root / "docs").rglob("*")):
        place = path.relative_to(root / "docs")
        if path.suffix == ".md":
            site.add_document(path, str(place))
        elif path.is_file():
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, out / place)
    for name, place in ELSEWHERE.items():
        site.add_document(root / name, place)
    site.add_decisions()
    site.write("reference/http.md", http_api.page(node.openapi(options.program)))
    site.write("reference/commands.md", commands.page(options.program))
    site.write("reference/settings.md", settings.page(options.program))
    site.write("reference/cpp.md", cpp.page(site, options.doxygen))


if __name__ == "__main__":
    main()
