"""The page of the command line, made of the manual that the program prints (`concord man`, apps/concord/commands/man.cpp)."""

import re
import subprocess

HEAD = """# Commands

Every subcommand of `concord` with its flags, as `concord man` has them. [The command line](../cli.md) introduces them by example.
"""
# Sections of the manual that the page needs no more.
LEFT_OUT = {"NAME", "SYNOPSIS"}


def plain(roff):
    """A line of text; what stands in bold or italics is code."""
    text = re.sub(r"\\f[BI](.*?)\\fR(?:( )\\fI(.*?)\\fR)?", lambda match: "`" + "".join(filter(None, match.groups())) + "`", roff)
    return text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def escaped(text):
    """What Markdown would take for HTML, outside of code."""
    return re.sub(r"(`[^`]*`)|<", lambda match: match.group(1) or "\\<", text)


def markdown(manual):
    lines, left_out, in_code, term = [], False, False, None
    for line in manual.splitlines():
        if line.startswith(".SH "):
            title = line[4:].strip()
            left_out = title in LEFT_OUT
            if not left_out:
                lines += ["", "## " + title.capitalize(), ""]
        elif left_out or line.startswith(".TH "):
            continue
        elif line.startswith(".SS "):
            lines += ["", "### " + plain(line[4:].strip('"')), ""]
        elif line == ".nf":
            lines += ["", "```bash"]
            in_code = True
        elif line == ".fi":
            lines += ["```"]
            in_code = False
        elif line == ".TP":
            term = ""
        elif line == ".PP":
            continue
        elif in_code:
            lines.append(plain(line).removeprefix("  "))
        elif term == "":
            term = plain(line if not line.startswith(".B ") else "\\fB" + line[3:] + "\\fR")
        elif term:
            if not lines[-1].startswith("- "):
                lines.append("")
            if "--help" not in term:
                lines.append(f"- {escaped(term)}: {escaped(plain(line))}")
            term = None
        elif line:
            lines.append(("  " if lines and lines[-1].startswith(("- ", "  ")) else "") + escaped(plain(line)))
    return "\n".join(lines) + "\n"


def page(program):
    manual = subprocess.run([program, "man"], capture_output=True, text=True, check=True).stdout
    return HEAD + markdown(manual)
