"""The rows of `./dev bench --latency`: percentiles of requests that arrive by the clock, each disturbance beside a quiet time."""

import statistics

import figures
from rows import judge

HEADINGS = ("while", "ratio", "target", "result", "p50", "p90", "p99", "p99.9", "max", "requests")
LOADS = {"half": 0.5, "most": 0.9}  # of the peak
PERCENTILES = ("p50_us", "p90_us", "p99_us", "p99_9_us", "max_us")
TITLES = {"quiet": "nothing else", "snapshots": "snapshots one after the other", "expiry": "100 K keys expire at once", "backup": "a backup",
          "catching_up": "a follower far behind catches up"}
ROWS = {"server": ("quiet", "snapshots", "expiry", "backup"), "cluster": ("quiet", "catching_up")}
TARGETS = {"catching_up": {"most_ratio": 2}}


def rows_of(found, place):
    for load, share in LOADS.items():
        for name in ROWS[place]:
            values = [found.values(f"{place}_{name}", load, percentile) for percentile in PERCENTILES]
            if not values[0]:
                continue
            quiet = found.values(f"{place}_quiet", load, "p99_us")
            ratio = statistics.median(values[2]) / statistics.median(quiet) if quiet and name != "quiet" else None
            target, result = judge(TARGETS.get(name, {}), 0, ratio)
            due = statistics.median(found.values(f"{place}_{name}", load, "rate"))
            yield (f"{TITLES[name]}, {share:.0%} of the peak", f"{ratio:.2f} x" if ratio else "-", target, result,
                   *(figures.spread(figures.TIME_OF_MICROSECONDS, each) for each in values), figures.text(figures.RATE, due))


def failure_rows(found, place):
    for row, samples in found.samples.items():
        for load, taken in samples.items():
            errors = [sample["errors"] for sample in taken if sample.get("errors")]
            if errors and row.startswith(place):
                yield (f"errors in {row}, {load}", "-", "none", "short", str(errors[-1]), *["-"] * 5)
    for row, why in found.failures.items():
        if row.startswith(place):
            yield (f"failure of {row}", "-", "none", "short", "; ".join(why.values()).splitlines()[0], *["-"] * 5)


def place_table(found, place):
    return [HEADINGS, *rows_of(found, place), *failure_rows(found, place)]


def table(found):
    return [*place_table(found, "server"), *place_table(found, "cluster")[1:]]
