"""Rows of a table: the work, how it compares, the target and whether it is met; then what this system and the reference did."""

import statistics
import textwrap

import figures

HEADINGS = ("work", "ratio", "target", "result", "Concord", "reference")


class Found:
    """What a results file of bench/turns.py holds: rows of systems, each with its samples."""

    def __init__(self, found):
        self.samples, self.failures = found["samples"], found.get("failures", {})

    def values(self, row, system, name):
        """Of each round, in order; none when that was not measured."""
        return [sample[name] for sample in self.samples.get(row, {}).get(system, []) if sample.get(name) is not None]


def verdict(met):
    return "met" if met else "short"


def judge(target, ours, ratio):
    """(the target as text, the verdict or "-"). `target`: {} or one of least, most, least_ratio, most_ratio, and its form."""
    form = target.get("form")
    if "least" in target:
        return f">= {figures.text(form, target['least'])}", verdict(ours >= target["least"])
    if "most" in target:
        return f"<= {figures.text(form, target['most'])}", verdict(ours <= target["most"])
    if "least_ratio" in target:
        return f">= {target['least_ratio']} x", verdict(ratio >= target["least_ratio"]) if ratio is not None else "-"
    if "most_ratio" in target:
        return f"<= {target['most_ratio']} x", verdict(ratio <= target["most_ratio"]) if ratio is not None else "-"
    return "-", "-"


def row(work, form, ours, other=(), what="", **target):
    """Of two lists of samples. Nothing (no row) when this system was not measured."""
    if not ours:
        return
    middle = statistics.median(ours)
    ratio = middle / statistics.median(other) if other and statistics.median(other) else None
    wanted, result = judge({"form": form, **target}, middle, ratio)
    reference = f"{figures.spread(form, other)} {what}" if other else f"{what} not measured" if what else "-"
    yield (work, f"{ratio:.2f} x" if ratio is not None else "-", wanted, result, figures.spread(form, ours), reference)


def rate_rows(found, name, work, least_ratios):
    """A row for each system beside this one. `least_ratios` by system, None without a target."""
    for system, least in least_ratios.items():
        target = {"least_ratio": least} if least else {}
        yield from row(work, figures.RATE, found.values(name, "concord", "per_second"), found.values(name, system, "per_second"), system, **target)


def error_rows(found):
    """A figure that errors helped to is none, and a failure is no figure: they are shown."""
    for name, systems in found.samples.items():
        for system, samples in systems.items():
            errors = [sample["errors"] for sample in samples if sample.get("errors")]
            if errors:
                yield (f"errors of {system} in {name}", "-", "none", "short", str(errors[-1]), "-")
    for name, systems in found.failures.items():
        for system, why in systems.items():
            yield (f"failure of {system} in {name}", "-", "none", "short", why.splitlines()[0] if why else "-", "-")


def missed(table):
    """A sentence of the rows that miss their target; empty when none does."""
    rows = [dict(zip(table[0], row, strict=True), work=row[0]) for row in table[1:]]
    short = [f"{row['work']} ({reached(row)} instead of {row['target']})" for row in rows if row.get("result") == "short"]
    return textwrap.fill(f"Short of the target: {'; '.join(dict.fromkeys(short))}.", 150, break_long_words=False, break_on_hyphens=False) + "\n" if short else ""


def reached(row):
    """What stands against the target: the ratio, or this system's figure without its spread."""
    return row["ratio"] if row["target"].endswith(" x") else row.get("Concord", "-").partition(" (")[0]
