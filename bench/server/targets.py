"""The rows of the table: what this server did, what the others did, the ratio, the target, and whether it is met."""

from report import per_second


def verdict(met):
    return "met" if met else "short"


def rate_rows(rows, name, work, least_ratios):
    """A row for each system beside this server; `least_ratios` by system."""
    found = rows.get(name, {})
    if "concord" not in found:
        return
    value = found["concord"]["per_second"]
    for system, least in least_ratios.items():
        if system not in found:
            yield (work, per_second(value), f"{system} not measured", "-", f">= {least} x", "-")
            continue
        other = found[system]["per_second"]
        yield (work, per_second(value), f"{per_second(other)} {system}", f"{value / other:.2f} x", f">= {least} x", verdict(value >= least * other))


def floor_row(rows, name, work, least):
    if "concord" in rows.get(name, {}):
        value = rows[name]["concord"]["per_second"]
        yield (work, per_second(value), "-", "-", f">= {per_second(least)}", verdict(value >= least))


def latency_rows(rows):
    found = rows.get("put_1", {})
    if "concord" not in found:
        return
    value = found["concord"]["p50_us"]
    for system, most in (("etcd", 0.5), ("redis", None)):
        if system in found:
            other = found[system]["p50_us"]
            target, met = (f"<= {most} x", verdict(value <= most * other)) if most else ("-", "-")
            yield ("PUT, disk, 1 connection, p50", f"{value:.0f} us", f"{other:.0f} us {system}", f"{value / other:.2f} x", target, met)


def idle_rows(rows):
    found = rows.get("idle_10000", {}).get("concord")
    if not found:
        return
    megabytes = found["resident_bytes"] / 1e6
    count = int(found["connections"])
    # On one machine the same load never gives the same p99 twice: a tenth more or less is no effect.
    yield (f"{count} idle connections, resident", f"{megabytes:.0f} MB", f"{found['added_bytes'] / 1e6:.0f} MB of it theirs", "-", "<= 200 MB", verdict(megabytes <= 200))
    value, other = found["p99_us"], found["p99_without_us"]
    yield (f"GET beside {count} idle, p99", f"{value:.0f} us", f"{other:.0f} us without", f"{value / other:.2f} x", "<= 1.1 x", verdict(value <= 1.1 * other))


def error_rows(rows):
    """A figure that errors helped to is none: they are shown."""
    for name, systems in rows.items():
        for system, found in systems.items():
            if found.get("errors"):
                yield (f"errors of {system} in {name}", str(found["errors"]), "-", "-", "none", "short")


def table(rows):
    return [
        ("work", "Concord", "reference", "ratio", "target", "result"),
        *rate_rows(rows, "get_64", "GET, 64 connections", {"etcd": 4, "redis": 1}),
        *rate_rows(rows, "put_64", "PUT, disk, 64 connections", {"etcd": 3, "redis": 0.9}),
        *latency_rows(rows),
        *floor_row(rows, "health", "GET /health, 64 connections", 100_000),
        *floor_row(rows, "openapi", "GET /api/v1/openapi.json", 50_000),
        *floor_row(rows, "bulk_500", "bulk of 500, items", 1_000_000),
        *idle_rows(rows),
        *error_rows(rows),
    ]
