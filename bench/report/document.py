"""Documents of which some sections are made and the rest is written by hand.

A made section stands between `<!-- begin NAME -->` and `<!-- end NAME -->`, each on a line of its own; all else stays as it is.
"""

import re


def pattern_of(name):
    return re.compile(rf"(?<=^<!-- begin {re.escape(name)} -->\n)(.*?)(?=^<!-- end {re.escape(name)} -->$)", re.MULTILINE | re.DOTALL)


def replaced(text, sections):
    """`sections`: by name, the lines that belong there. A section that the text does not have, or has twice, is a mistake."""
    for name, content in sections.items():
        pattern = pattern_of(name)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the document has not one section {name}")
        text = pattern.sub(lambda _, content=content: f"\n{content.strip()}\n\n", text)
    return text
