"""The rows of `./dev bench --server`, with the figures to reach."""

import statistics

import figures
from rows import HEADINGS, error_rows, rate_rows, row


def floor_row(found, name, work, least):
    return row(work, figures.RATE, found.values(name, "concord", "per_second"), least=least)


def latency_rows(found):
    for system, target in (("etcd", {"most_ratio": 0.5}), ("redis", {})):
        yield from row("PUT, disk, 1 connection, p50", figures.MICROSECONDS, found.values("put_1", "concord", "p50_us"), found.values("put_1", system, "p50_us"), system,
                       **target)


def idle_rows(found):
    def of(name):
        return found.values("idle_10000", "concord", name)

    if not of("connections"):
        return
    count = int(statistics.median(of("connections")))
    yield from row(f"{count} idle connections, resident", figures.MEGABYTES, of("resident_bytes"), most=200e6)
    yield from row("of it for these connections", figures.MEGABYTES, of("added_bytes"))
    # On one machine the same load never gives the same p99 twice: a tenth more or less is no effect.
    yield from row(f"GET beside {count} idle, p99", figures.MICROSECONDS, of("p99_us"), of("p99_without_us"), "without", most_ratio=1.1)


def table(found):
    return [
        HEADINGS,
        *rate_rows(found, "get_64", "GET, 64 connections", {"etcd": 4, "redis": 1}),
        *rate_rows(found, "put_64", "PUT, disk, 64 connections", {"etcd": 3, "redis": 0.9}),
        *latency_rows(found),
        *floor_row(found, "health", "GET /health, 64 connections", 100_000),
        *floor_row(found, "openapi", "GET /api/v1/openapi.json", 50_000),
        *floor_row(found, "bulk_500", "bulk of 500, items", 1_000_000),
        *floor_row(found, "events", "events to one client, server-sent", 100_000),
        *idle_rows(found),
        *error_rows(found),
    ]
