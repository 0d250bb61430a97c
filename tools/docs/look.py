"""look.py SITE: no page of the built site has a browser fetch anything from another host. (A link that a reader follows may.)"""

import html.parser
import pathlib
import re
import sys

# (tag, attribute): what a browser fetches by itself.
FETCHED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data"), ("embed", "src")}
NO_FETCH = {"canonical", "alternate", "prev", "next", "author"}  # values of rel


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.fetched = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "link" and set((values.get("rel") or "").split()) & NO_FETCH:
            return
        self.fetched += [values[name] or "" for (of, name) in FETCHED if of == tag and name in values]


def fetches(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".css":
        return re.findall(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", text)
    page = Page()
    page.feed(text)
    return [target for target in page.fetched if re.match(r"(https?:)?//", target)]


def main(site):
    found = [f"{path}: {target}" for path in sorted(pathlib.Path(site).rglob("*")) if path.suffix in {".html", ".css"}
             for target in fetches(path)]
    for problem in found:
        print(f"{problem} is fetched from another host", file=sys.stderr)
    return 1 if found else 0


sys.exit(main(*sys.argv[1:]))
