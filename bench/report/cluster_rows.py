"""The rows of `./dev bench --cluster`, with the figures to reach."""

import figures
from rows import HEADINGS, error_rows, rate_rows, row


def gap_rows(found, name, what, targets):
    """`targets`: by percentile, what `row` takes."""
    counts, others = found.values(name, "concord", "count"), found.values(name, "etcd", "count")
    if not counts:
        return
    for percentile, target in targets.items():
        yield from row(f"leader {what}: no write for, {percentile} of {int(counts[0])}", figures.MILLISECONDS, found.values(name, "concord", f"{percentile}_ms"),
                       found.values(name, "etcd", f"{percentile}_ms"), f"etcd 50/500, of {int(others[0])}" if others else "etcd", **target)


def catch_up_rows(found):
    def of(name):
        return found.values("catch_up", "concord", name)

    yield from row("follower 1 M keys behind: caught up in", figures.SECONDS, of("seconds"), most=5)
    yield from row("PUT at the leader meanwhile, p99", figures.MICROSECONDS, of("p99_us"), of("p99_before_us"), "before", most_ratio=2)


def table(found):
    return [
        HEADINGS,
        *rate_rows(found, "put_64", "PUT, disk, 64 clients", {"etcd": 4}),
        *row("PUT, disk, 64 clients, TLS between members", figures.RATE, found.values("put_64_tls", "concord", "per_second"),
             found.values("put_64", "concord", "per_second"), "without"),
        *rate_rows(found, "put_1000", "PUT, disk, 1000 clients", {"etcd": 4}),
        *row("PUT, disk, 1 client at the leader, p50", figures.MICROSECONDS, found.values("put_1", "concord", "p50_us"), found.values("put_1", "etcd", "p50_us"), "etcd",
             most_ratio=0.6),
        *rate_rows(found, "get_strong_64", "GET strong (linearizable), 64 clients", {"etcd": 3}),
        *rate_rows(found, "get_eventual_64", "GET eventual (serializable), 64 clients", {"etcd": 3}),
        *gap_rows(found, "leader_killed", "killed", {"p50": {"most": 150}, "p99": {"most": 700}}),
        *gap_rows(found, "leader_paused", "paused", {"p50": {"most_ratio": 1}, "p99": {}}),
        *gap_rows(found, "leader_ended", "ended by SIGTERM", {"p50": {"most": 10}, "p99": {}}),
        *catch_up_rows(found),
        *rate_rows(found, "put_64_of_1", "PUT, disk, 64 clients, 1 node", {"etcd": None}),
        *rate_rows(found, "put_64", "PUT, disk, 64 clients, 3 nodes", {"etcd": None}),
        *rate_rows(found, "put_64_of_5", "PUT, disk, 64 clients, 5 nodes", {"etcd": None}),
        *error_rows(found),
    ]
