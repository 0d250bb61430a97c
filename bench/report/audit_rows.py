"""The rows of `./dev bench --audit`, with the figures to reach."""

import figures
from rows import HEADINGS, error_rows, row

# By row, the durability and how many callers.
PUTS = {"put_disk_1": ("disk", 1), "put_disk_16": ("disk", 16), "put_os_1": ("os", 1), "put_memory_1": ("memory", 1)}
READS = "reads"
LEAST = 0.95


def table(found):
    rows = [HEADINGS]
    for name, (durability, callers) in PUTS.items():
        work = f"put, {durability}, {callers} caller{'s' if callers > 1 else ''}, audited"
        rows += row(work, figures.RATE, found.values(name, "concord", "per_second"), found.values(name, "without", "per_second"), "without", least_ratio=LEAST)
    for name, (durability, callers) in PUTS.items():
        if callers == 1:
            for time, whose in (("caller_us", "of its caller"), ("process_us", "of all threads")):
                rows += row(f"processor time {whose}, {durability}", figures.MICROSECONDS_FINE, found.values(name, "concord", time), found.values(name, "without", time), "without")
    rows += row("query of a million lines that finds nothing", figures.SECONDS_FINE, found.values(READS, "concord", "query_s"), most=2)
    rows += row("verify of a million lines", figures.SECONDS_FINE, found.values(READS, "concord", "verify_s"))
    return rows + list(error_rows(found))
