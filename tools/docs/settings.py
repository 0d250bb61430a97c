"""The page of every setting, made of what the program says of itself: `concord config show` and the manual of `concord start`."""

import json
import os
import re
import subprocess

from commands import escaped, plain

HEAD = """# Every setting

Each key with its default, as the program has them. A key `section.name` stands in the file as `name` in the table `[section]`, in the
environment as `CONCORD_SECTION_NAME`, and as the flag `--section-name`. Short names, ranges and longer explanations are in
[Configuration](../configuration.md#every-key).
"""


def meanings(program):
    """What the manual says of each flag of `concord start`, without the default at its end."""
    manual = subprocess.run([program, "man"], capture_output=True, text=True, check=True).stdout
    start = manual[manual.index('.SS "concord start"'):]
    start = start[:start.index(".SS", 3)]
    return {plain(flag): re.sub(r" \([^()]*\)$", "", plain(told)) for flag, told in re.findall(r"\.TP\n\\fB(\S+?)\\fR.*\n(.*)", start)}


def page(program):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONCORD_", "OTEL_"))}
    shown = subprocess.run([program, "config", "show", "--output", "json"], capture_output=True, text=True, check=True, env=clean).stdout
    told, lines, section = meanings(program), [HEAD], None
    for setting in json.loads(shown):
        key = setting["key"]
        if key.split(".")[0] != section:
            section = key.split(".")[0]
            lines.append(f"\n## {section}\n\n| key | default | meaning |\n| --- | --- | --- |")
        flag = "--" + re.sub(r"[._]", "-", key)
        meaning = escaped(told[flag]).replace("|", "\\|")
        lines.append(f"| `{key}` | {'`' + setting['value'] + '`' if setting['value'] else 'empty'} | {meaning} |")
    return "\n".join(lines) + "\n"
