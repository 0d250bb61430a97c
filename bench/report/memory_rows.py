"""The rows of `./dev bench --memory` and what `./dev bench --churn` found."""

import statistics

import figures
from rows import HEADINGS, error_rows, row, verdict

ALLOCATORS = ("glibc", "jemalloc", "mimalloc")
CONTENT_BYTES = 116  # key and value of an item
OWNERS_HEADINGS = ("owner", "part", "bytes an item")
ALLOCATORS_HEADINGS = ("allocator", "put", "get", "beyond key and value: resident", "as the store counts it")
MOST_GROWTH = 1.02  # of a live set that stays what it is


def owners_table(found):
    held = next(iter(found.values("owners", "concord", "held")), {})
    total = sum(held.values())
    return [OWNERS_HEADINGS, *((name, f"{bytes_an_item / total:.1%}", f"{bytes_an_item:.1f}") for name, bytes_an_item in sorted(held.items(), key=lambda each: -each[1])),
            *([("all of the heap", "100 %", f"{total:.1f}")] if held else [])]


def beside_glibc(found, allocator, name, form):
    ours, glibc = found.values("allocators", allocator, name), found.values("allocators", "glibc", name)
    if not ours:
        return "-"
    ratio = f", {statistics.median(ours) / statistics.median(glibc):.2f} x" if glibc and allocator != "glibc" else ""
    return figures.spread(form, ours) + ratio


def allocators_table(found):
    return [ALLOCATORS_HEADINGS,
            *((allocator, beside_glibc(found, allocator, "put_per_second", figures.RATE), beside_glibc(found, allocator, "get_per_second", figures.RATE),
               beside_glibc(found, allocator, "resident_bytes", figures.BYTES), beside_glibc(found, allocator, "counted_bytes", figures.BYTES))
              for allocator in ALLOCATORS if found.values("allocators", allocator, "put_per_second"))]


def overhead_rows(found):
    yield from row("resident an item beyond key and value", figures.BYTES, found.values("allocators", "glibc", "resident_bytes"))
    for allocator in ALLOCATORS[1:]:
        for name, form, work in (("put_per_second", figures.RATE, "put"), ("get_per_second", figures.RATE, "get"), ("resident_bytes", figures.BYTES, "resident an item")):
            yield from row(f"{work}, {allocator}", form, found.values("allocators", allocator, name), found.values("allocators", "glibc", name), "glibc")


def table(found):
    """For a terminal; the report has the two tables by themselves."""
    owners = [(f"heap of an item: {name}", part, "-", "-", f"{bytes_an_item} B", "-") for name, part, bytes_an_item in owners_table(found)[1:]]
    return [HEADINGS, *owners, *overhead_rows(found), *error_rows(found)]


def quarter(samples, number):
    """What was resident in that quarter of the time, in the middle of it."""
    end = samples[-1]["seconds"]
    held = [sample["resident_bytes"] for sample in samples if number * end / 4 <= sample["seconds"] < (number + 1) * end / 4 or number == 3 and sample["seconds"] == end]
    return statistics.median(held)


def churn_growth(samples):
    """The last quarter to the second: the first one is for what a process asks for once."""
    return quarter(samples, 3) / quarter(samples, 1)


def churn_table(churn):
    samples = churn["samples"]
    growth = churn_growth(samples)
    minutes = samples[-1]["seconds"] / 60
    return [HEADINGS, (f"resident after {minutes:.0f} min of churn, last quarter to second", f"{growth:.3f} x", f"<= {MOST_GROWTH} x", verdict(growth <= MOST_GROWTH),
                       figures.text(figures.MEGABYTES, quarter(samples, 3)), f"{figures.text(figures.MEGABYTES, quarter(samples, 1))} second quarter")]
