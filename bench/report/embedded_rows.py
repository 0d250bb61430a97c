"""A table of what the benchmark measured: Concord, a reference of the same run, the ratio, the target.

usage: report.py EMBEDDED_JSON [--markdown]
"""

import json
import platform
import sys


class Results:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.rows = {row["name"].replace("/iterations:", "#").split("#")[0].replace("/real_time", ""): row for row in json.load(file)["benchmarks"]}

    def rate(self, name):
        """By the wall clock: Google Benchmark divides by the time of the processor unless told otherwise."""
        row = self.rows.get(name)
        if not row or "items_per_second" not in row:
            return None
        by_wall_already = "/real_time" in row["name"]
        return row["items_per_second"] * (1 if by_wall_already else row["cpu_time"] / row["real_time"])

    def counter(self, name, counter):
        row = self.rows.get(name)
        return row.get(counter) if row else None

    def milliseconds(self, name):
        row = self.rows.get(name)
        return row["real_time"] if row else None


def per_second(value):
    if value is None:
        return "-"
    return f"{value / 1e6:.2f} M/s" if value >= 1e6 else f"{value / 1e3:.0f} K/s"


# (work, benchmark, reference, the reference's name, target)
RATES = [
    ("put 100 B, memory", "BM_put_100B_memory", "BM_rocksdb_put_100B_nowal", "RocksDB without WAL", "1.0 M/s"),
    ("put 100 B, os", "BM_put_100B_os", "BM_lmdb_put_100B_nosync", "LMDB without sync", "450 K/s"),
    ("put 100 B, os", "BM_put_100B_os", "BM_rocksdb_put_100B_wal", "RocksDB with WAL", "450 K/s"),
    ("put 100 B, disk", "BM_put_100B_disk", "BM_rocksdb_put_100B_sync", "RocksDB with sync", ""),
    ("put 1 KB, memory", "BM_put_1KB_memory", None, "", "500 K/s"),
    ("put 10 KB, memory", "BM_put_10KB_memory", None, "", "100 K/s"),
    ("put with ttl, memory", "BM_put_ttl_100B_memory", None, "", "1 M/s"),
    ("touch, memory", "BM_touch_memory", None, "", "1 M/s"),
    ("delete, memory", "BM_delete_memory", None, "", "1 M/s"),
    ("put_many 500 x 100 B, items", "BM_put_many_500x100B_memory", None, "", "3 M/s"),
    ("put text of 1.1 KB, packed, memory", "BM_put_text_1100B_memory", None, "", "450 K/s"),
    ("put text of 10 KB, packed, memory", "BM_put_text_10KB_memory", None, "", "48 K/s"),
    ("put text of 10 KB, lz4, memory", "BM_put_text_10KB_lz4_memory", None, "", ""),
    ("get text of 10 KB, packed", "BM_get_text_10KB", None, "", ""),
    ("count by pattern, 1 M keys: keys", "BM_count_pattern/1000000", None, "", "3 M/s"),
    ("count by filter, 200 B: values", "BM_count_filter_200B/100000", None, "", "1 M/s"),
    ("count by predicate, 200 B: values", "BM_count_predicate_200B/100000", None, "", ""),
    ("get, 100 keys", "BM_get_100B/100", None, "", "15 M/s"),
    ("get, 5 K keys", "BM_get_100B/5000", "BM_lmdb_get_100B/5000", "LMDB", "10 M/s"),
    ("get, 1 M keys", "BM_get_100B/1000000", "BM_lmdb_get_100B/1000000", "LMDB", "4 M/s"),
    ("get, 2 threads", "BM_get_100B/5000/threads:2", "BM_get_100B/5000", "1 thread", "1.9 x"),
    ("get while writing", "BM_get_100B_while_writing/5000", "BM_get_100B/5000", "without a writer", "0.8 x"),
    ("strong get", "BM_strong_get_100B/5000", None, "", "5 M/s"),
    ("async put 100 B, disk", "BM_async_put_100B_disk", None, "", "400 K/s"),
    ("put, events kept, nobody subscribed", "BM_put_unwatched", "BM_put_without_events", "no events", ""),
    ("put, one subscriber to everything", "BM_put_with_a_subscriber", "BM_put_unwatched", "nobody", ""),
    ("put, one subscriber to a prefix", "BM_put_with_subscribers/1", "BM_put_unwatched", "nobody", ""),
    ("put, 100 subscribers to prefixes", "BM_put_with_subscribers/100", "BM_put_unwatched", "nobody", ""),
    ("put, 10 000 subscribers to prefixes", "BM_put_with_subscribers/10000", "BM_put_unwatched", "nobody", "0.5 x"),
    ("put, measured", "BM_put_measured", "BM_put_unwatched", "not measured", ""),
    ("put, a telemetry handler", "BM_put_with_a_telemetry_handler", "BM_put_unwatched", "none", "0.97 x"),
    ("put, 1 % traced", "BM_put_traced_1_percent", "BM_put_unwatched", "not traced", "0.97 x"),
]


def beside(work, value, other, form, what, target):
    """A row of a figure that is better when it is lower."""
    if not other:
        return (work, form.format(value), "-", "-", target)
    return (work, form.format(value), f"{form.format(other)} {what}", f"{value / other:.2f} x", target)


def table(results):
    rows = [("work", "Concord", "reference", "ratio", "target")]
    for work, name, reference, what, target in RATES:
        value, other = results.rate(name), results.rate(reference) if reference else None
        ratio = f"{value / other:.2f} x" if value and other else "-"
        rows.append((work, per_second(value), f"{per_second(other)} {what}" if other else "-", ratio, target))
    p50, floor = results.counter("BM_put_100B_disk", "p50_us"), results.counter("BM_machine_append_fdatasync/preallocated:0", "p50_us")
    if p50 and floor:
        rows.append(("put 100 B, disk, p50", f"{p50:.0f} us", f"{floor:.0f} us append + fdatasync", f"{p50 / floor:.2f} x", "<= 1.3 x"))
    p99 = results.counter("BM_put_100B_memory", "p99_us")
    if p99:
        rows.append(("put 100 B, memory, p99", f"{p99:.1f} us", "-", "-", "<= 3 us"))
    events = results.counter("BM_put_with_a_subscriber", "events_per_s")
    if events:
        rows.append(("events to one subscriber", per_second(events), "-", "-", "1 M/s"))
    unwatched, without = results.rate("BM_put_unwatched"), results.rate("BM_put_without_events")
    if unwatched and without:
        rows.append(("what events add to a put", f"{1e9 / unwatched - 1e9 / without:.0f} ns", "-", "-", "<= 100 ns"))
    prefix = results.milliseconds("BM_where_prefix_100/1000000")
    if prefix:
        rows.append(("where by prefix, 100 of 1 M", f"{prefix:.1f} us", "-", "-", "<= 20 us"))
    expiry = results.counter("BM_worst_put_during_mass_expiry_100K", "max_ms")
    if expiry:
        rows.append(("worst put while 100 K keys expire", f"{expiry:.1f} ms", "-", "-", "<= 20 ms"))
    overhead = results.counter("BM_overhead_per_item", "counted_bytes")
    if overhead:
        rows.append(beside("overhead per item, 1 M x 100 B", overhead, results.counter("BM_redis_overhead_per_item", "counted_bytes"), "{:.0f} B", "Redis", "<= 64 B"))
    for snapshot, what in ((1, "snapshot"), (0, "log")):
        restart = results.milliseconds(f"BM_restart_1M/snapshot:{snapshot}")
        if restart:
            rows.append(beside(f"restart with 1 M x 100 B from {what}", restart, results.milliseconds("BM_redis_restart_1M"), "{:.0f} ms", "Redis, RDB", "<= 1000 ms"))
    worst = results.counter("BM_worst_put_during_snapshot_1M", "max_us")
    if worst:
        redis = results.counter("BM_redis_worst_set_during_snapshot_1M", "max_us")
        rows.append(beside("worst put during a snapshot of 1 M", worst / 1000, redis and redis / 1000, "{:.1f} ms", "Redis, BGSAVE", "<= 5 ms"))
    return [row for row in rows if row[1] != "-"]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
        file.seek(0)
        cores = sum(line.startswith("processor") for line in file)
    return f"{cores} x {model}, Linux {platform.release()}"


def show(rows, markdown=False):
    """Rows of text, the first one the headings, as a table."""
    if markdown:
        print("| " + " | ".join(rows[0]) + " |\n|" + " --- |" * len(rows[0]))
        for row in rows[1:]:
            print("| " + " | ".join(row) + " |")
        return
    print(f"\n{machine()}")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    show(table(Results(sys.argv[1])), "--markdown" in sys.argv)
