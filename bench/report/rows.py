"""Rows of a table: what this system did, what the others did, the ratio, the target, and whether it is met."""

from report import per_second

HEADINGS = ("work", "Concord", "reference", "ratio", "target", "result")


def verdict(met):
    return "met" if met else "short"


def rate_rows(rows, name, work, least_ratios):
    """Of rates: a row for each system beside this one. `least_ratios` by system, None without a target."""
    found = rows.get(name, {})
    if "concord" not in found:
        return
    value = found["concord"]["per_second"]
    for system, least in least_ratios.items():
        target = f">= {least} x" if least else "-"
        if system not in found:
            yield (work, per_second(value), f"{system} not measured", "-", target, "-")
            continue
        other = found[system]["per_second"]
        yield (work, per_second(value), f"{per_second(other)} {system}", f"{value / other:.2f} x", target, verdict(value >= least * other) if least else "-")


def lower_row(work, value, other, form, what, most_ratio=None, most=None):
    """Of a figure that is better when it is lower. `other` is None when nothing stands beside it; the target is a ratio or a figure."""
    reference, ratio = (f"{form.format(other)} {what}", f"{value / other:.2f} x") if other else ("-", "-")
    target, met = "-", "-"
    if most is not None:
        target, met = f"<= {form.format(most)}", verdict(value <= most)
    elif most_ratio is not None:
        target, met = f"<= {most_ratio} x", verdict(value <= most_ratio * other) if other else "-"
    return (work, form.format(value), reference, ratio, target, met)


def error_rows(rows, failures):
    """A figure that errors helped to is none, and a failure is no figure: they are shown."""
    for name, systems in rows.items():
        for system, found in systems.items():
            if found.get("errors"):
                yield (f"errors of {system} in {name}", str(found["errors"]), "-", "-", "none", "short")
    for name, systems in failures.items():
        for system, why in systems.items():
            yield (f"failure of {system} in {name}", why.splitlines()[0] if why else "-", "-", "-", "none", "short")
