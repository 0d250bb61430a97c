"""The rows of the embedded benchmark (Google Benchmark's JSON), with the figures to reach.

usage: embedded_rows.py EMBEDDED_JSON [--markdown]
"""

import json
import os
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import figures  # noqa: E402
from machine import machine  # noqa: E402
from rows import HEADINGS, row  # noqa: E402


def name_of(benchmark):
    return benchmark["name"].replace("/iterations:", "#").split("#")[0].replace("/real_time", "").split("/repeats:")[0]


class Results:
    """By benchmark, its repetitions."""

    def __init__(self, found):
        self.rows = {}
        for benchmark in found["benchmarks"]:
            if benchmark.get("run_type") != "aggregate":
                self.rows.setdefault(name_of(benchmark), []).append(benchmark)

    def rates(self, name):
        """By the wall clock: Google Benchmark divides by the time of the processor unless told otherwise."""
        return [each["items_per_second"] * (1 if "/real_time" in each["name"] else each["cpu_time"] / each["real_time"])
                for each in self.rows.get(name, []) if "items_per_second" in each]

    def values(self, name, counter):
        return [each[counter] for each in self.rows.get(name, []) if each.get(counter) is not None]


# (work, benchmark, reference, the reference's name, target)
EMBEDDED = [
    ("put 100 B, memory", "BM_put_100B_memory", "BM_rocksdb_put_100B_nowal", "RocksDB without WAL", {"least": 1e6}),
    ("put 100 B, os", "BM_put_100B_os", "BM_lmdb_put_100B_nosync", "LMDB without sync", {"least": 450e3}),
    ("put 100 B, os", "BM_put_100B_os", "BM_rocksdb_put_100B_wal", "RocksDB with WAL", {"least": 450e3}),
    ("put 100 B, disk", "BM_put_100B_disk", "BM_rocksdb_put_100B_sync", "RocksDB with sync", {}),
    ("put 1 KB, memory", "BM_put_1KB_memory", None, "", {"least": 500e3}),
    ("put 10 KB, memory", "BM_put_10KB_memory", None, "", {"least": 100e3}),
    ("get, 100 keys", "BM_get_100B/100", None, "", {"least": 15e6}),
    ("get, 5 K keys", "BM_get_100B/5000", "BM_lmdb_get_100B/5000", "LMDB", {"least": 10e6}),
    ("get, 1 M keys", "BM_get_100B/1000000", "BM_lmdb_get_100B/1000000", "LMDB", {"least": 4e6}),
    ("get, 2 threads", "BM_get_100B/5000/threads:2", "BM_get_100B/5000", "1 thread", {"least_ratio": 1.9}),
    ("get while writing", "BM_get_100B_while_writing/5000", "BM_get_100B/5000", "without a writer", {"least_ratio": 0.8}),
    ("strong get", "BM_strong_get_100B/5000", None, "", {"least": 5e6}),
    ("async put 100 B, disk", "BM_async_put_100B_disk", None, "", {"least": 400e3}),
]
DATA = [
    ("put with ttl, memory", "BM_put_ttl_100B_memory", None, "", {"least": 1e6}),
    ("touch, memory", "BM_touch_memory", None, "", {"least": 1e6}),
    ("delete, memory", "BM_delete_memory", None, "", {"least": 1e6}),
    ("put_many 500 x 100 B, items", "BM_put_many_500x100B_memory", None, "", {"least": 3e6}),
    ("put text of 1.1 KB, packed, memory", "BM_put_text_1100B_memory", None, "", {"least": 450e3}),
    ("put text of 10 KB, packed, memory", "BM_put_text_10KB_memory", None, "", {"least": 48e3}),
    ("put text of 10 KB, lz4, memory", "BM_put_text_10KB_lz4_memory", None, "", {}),
    ("get text of 10 KB, packed", "BM_get_text_10KB", None, "", {}),
    ("count by pattern, 1 M keys: keys", "BM_count_pattern/1000000", None, "", {"least": 3e6}),
    ("count by filter, 200 B: values", "BM_count_filter_200B/100000", None, "", {"least": 1e6}),
    ("count by predicate, 200 B: values", "BM_count_predicate_200B/100000", None, "", {}),
]
WATCHED = [
    ("put, events kept, nobody subscribed", "BM_put_unwatched", "BM_put_without_events", "no events", {}),
    ("put, one subscriber to everything", "BM_put_with_a_subscriber", "BM_put_unwatched", "nobody", {}),
    ("put, one subscriber to a prefix", "BM_put_with_subscribers/1", "BM_put_unwatched", "nobody", {}),
    ("put, 100 subscribers to prefixes", "BM_put_with_subscribers/100", "BM_put_unwatched", "nobody", {}),
    ("put, 10 000 subscribers to prefixes", "BM_put_with_subscribers/10000", "BM_put_unwatched", "nobody", {"least_ratio": 0.5}),
    ("put, measured", "BM_put_measured", "BM_put_unwatched", "not measured", {}),
    ("put, a telemetry handler", "BM_put_with_a_telemetry_handler", "BM_put_unwatched", "none", {"least_ratio": 0.97}),
    ("put, 1 % traced", "BM_put_traced_1_percent", "BM_put_unwatched", "not traced", {"least_ratio": 0.97}),
]


def rate_rows(results, rates):
    for work, name, reference, what, target in rates:
        other = results.rates(reference) if reference else []
        yield from row(work, figures.RATE, results.rates(name), other, what if other else "", **target)


def lower_row(results, work, form, name, counter, reference=None, what="", scale=1, **target):
    """Of a counter that is better when it is lower. `reference`: (benchmark, counter)."""
    other = results.values(*reference) if reference else []
    yield from row(work, form, [value * scale for value in results.values(name, counter)], [value * scale for value in other], what if other else "", **target)


def embedded_rows(results):
    yield from rate_rows(results, EMBEDDED)
    yield from lower_row(results, "put 100 B, disk, p50", figures.MICROSECONDS, "BM_put_100B_disk", "p50_us",
                         ("BM_machine_append_fdatasync/preallocated:0", "p50_us"), "append + fdatasync", most_ratio=1.3)
    yield from lower_row(results, "put 100 B, memory, p99", figures.MICROSECONDS_FINE, "BM_put_100B_memory", "p99_us", most=3)
    yield from lower_row(results, "overhead per item, 1 M x 100 B", figures.BYTES, "BM_overhead_per_item", "counted_bytes",
                         ("BM_redis_overhead_per_item", "counted_bytes"), "Redis", most=64)
    for snapshot, what in ((1, "snapshot"), (0, "log")):
        yield from lower_row(results, f"restart with 1 M x 100 B from {what}", figures.MILLISECONDS, f"BM_restart_1M/snapshot:{snapshot}", "real_time",
                             ("BM_redis_restart_1M", "real_time"), "Redis, RDB", most=1000)
    yield from lower_row(results, "worst put during a snapshot of 1 M", figures.MILLISECONDS_FINE, "BM_worst_put_during_snapshot_1M", "max_us",
                         ("BM_redis_worst_set_during_snapshot_1M", "max_us"), "Redis, BGSAVE", scale=1 / 1000, most=5)


def data_rows(results):
    yield from rate_rows(results, DATA)
    yield from lower_row(results, "where by prefix, 100 of 1 M", figures.MICROSECONDS_FINE, "BM_where_prefix_100/1000000", "real_time", most=20)
    yield from lower_row(results, "worst put while 100 K keys expire", figures.MILLISECONDS_FINE, "BM_worst_put_during_mass_expiry_100K", "max_ms", most=20)


def watched_rows(results):
    yield from rate_rows(results, WATCHED)
    yield from row("events to one subscriber", figures.RATE, results.values("BM_put_with_a_subscriber", "events_per_s"), least=1e6)
    unwatched, without = results.rates("BM_put_unwatched"), results.rates("BM_put_without_events")
    if unwatched and without:
        yield from row("what events add to a put", figures.NANOSECONDS, [1e9 / statistics.median(unwatched) - 1e9 / statistics.median(without)], most=100)


def table(results):
    return [HEADINGS, *embedded_rows(results), *data_rows(results), *watched_rows(results)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = table(Results(json.load(file)))
    print(figures.markdown(rows) if "--markdown" in sys.argv else f"\n{machine()}\n{figures.plain(rows)}", end="")


if __name__ == "__main__":
    main()
