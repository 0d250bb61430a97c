"""The rows of `./dev bench --server`, with the figures to reach."""

from beside import HEADINGS, error_rows, lower_row, rate_rows, verdict
from report import per_second


def floor_row(rows, name, work, least):
    if "concord" in rows.get(name, {}):
        value = rows[name]["concord"]["per_second"]
        yield (work, per_second(value), "-", "-", f">= {per_second(least)}", verdict(value >= least))


def latency_rows(rows):
    found = rows.get("put_1", {})
    if "concord" not in found:
        return
    for system, most_ratio in (("etcd", 0.5), ("redis", None)):
        if system in found:
            yield lower_row("PUT, disk, 1 connection, p50", found["concord"]["p50_us"], found[system]["p50_us"], "{:.0f} us", system, most_ratio)


def idle_rows(rows):
    found = rows.get("idle_10000", {}).get("concord")
    if not found:
        return
    megabytes = found["resident_bytes"] / 1e6
    count = int(found["connections"])
    # On one machine the same load never gives the same p99 twice: a tenth more or less is no effect.
    yield (f"{count} idle connections, resident", f"{megabytes:.0f} MB", f"{found['added_bytes'] / 1e6:.0f} MB of it theirs", "-", "<= 200 MB", verdict(megabytes <= 200))
    yield lower_row(f"GET beside {count} idle, p99", found["p99_us"], found["p99_without_us"], "{:.0f} us", "without", 1.1)


def table(rows, failures):
    return [
        HEADINGS,
        *rate_rows(rows, "get_64", "GET, 64 connections", {"etcd": 4, "redis": 1}),
        *rate_rows(rows, "put_64", "PUT, disk, 64 connections", {"etcd": 3, "redis": 0.9}),
        *latency_rows(rows),
        *floor_row(rows, "health", "GET /health, 64 connections", 100_000),
        *floor_row(rows, "openapi", "GET /api/v1/openapi.json", 50_000),
        *floor_row(rows, "bulk_500", "bulk of 500, items", 1_000_000),
        *floor_row(rows, "events", "events to one client, server-sent", 100_000),
        *idle_rows(rows),
        *error_rows(rows, failures),
    ]
