"""The rows of `./dev bench --cluster`, with the figures to reach."""

from beside import HEADINGS, error_rows, lower_row, rate_rows


def latency_rows(rows):
    found = rows.get("put_1", {})
    if "concord" in found:
        yield lower_row("PUT, disk, 1 client at the leader, p50", found["concord"]["p50_us"], found.get("etcd", {}).get("p50_us"), "{:.0f} us", "etcd", 0.6)


def gap_rows(rows, name, what, targets):
    """`targets`: by percentile, what `lower_row` takes."""
    found = rows.get(name, {})
    if "concord" not in found:
        return
    for percentile, target in targets.items():
        work = f"leader {what}: no write for, {percentile} of {int(found['concord']['count'])}"
        other = found.get("etcd", {})
        yield lower_row(work, found["concord"][f"{percentile}_ms"], other.get(f"{percentile}_ms"), "{:.0f} ms",
                        f"etcd 50/500, of {int(other.get('count', 0))}", **target)


def catch_up_rows(rows):
    found = rows.get("catch_up", {}).get("concord")
    if not found:
        return
    yield lower_row("follower 1 M keys behind: caught up in", found["seconds"], None, "{:.1f} s", "", most=5)
    yield lower_row("PUT at the leader meanwhile, p99", found["p99_us"], found["p99_before_us"], "{:.0f} us", "before", 2)


def table(rows, failures):
    return [
        HEADINGS,
        *rate_rows(rows, "put_64", "PUT, disk, 64 clients", {"etcd": 4}),
        *rate_rows(rows, "put_1000", "PUT, disk, 1000 clients", {"etcd": 4}),
        *latency_rows(rows),
        *rate_rows(rows, "get_strong_64", "GET strong (linearizable), 64 clients", {"etcd": 3}),
        *rate_rows(rows, "get_eventual_64", "GET eventual (serializable), 64 clients", {"etcd": 3}),
        *gap_rows(rows, "leader_killed", "killed", {"p50": {"most": 150}, "p99": {"most": 700}}),
        *gap_rows(rows, "leader_paused", "paused", {"p50": {"most_ratio": 1}, "p99": {}}),
        *gap_rows(rows, "leader_ended", "ended by SIGTERM", {"p50": {"most": 10}, "p99": {}}),
        *catch_up_rows(rows),
        *rate_rows(rows, "put_64_of_1", "PUT, disk, 64 clients, 1 node", {"etcd": None}),
        *rate_rows(rows, "put_64", "PUT, disk, 64 clients, 3 nodes", {"etcd": None}),
        *rate_rows(rows, "put_64_of_5", "PUT, disk, 64 clients, 5 nodes", {"etcd": None}),
        *error_rows(rows, failures),
    ]
