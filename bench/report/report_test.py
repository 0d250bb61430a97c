"""The report of the benchmark: figures as text, rows, and the sections of documents that are made of them. No time is measured here.

usage: report_test.py
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, *(os.path.normpath(os.path.join(HERE, place)) for place in ("..", "../memory"))]

import document  # noqa: E402
import embedded_rows  # noqa: E402
import figures  # noqa: E402
import growth_rows  # noqa: E402
import latency_rows  # noqa: E402
import memory_rows  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import server_rows  # noqa: E402
import turns  # noqa: E402: bench/turns.py
from owners import owner_of  # noqa: E402

MEASURED = {"machine": "2 x Processor, Linux 6", "date": "2026-11-30", "command": "./dev bench --server", "versions": {"etcd": "3.7.0", "Redis": "7.0", "commit": "abc"},
            "complete": True}


def server_results(**changes):
    samples = {
        "get_64": {"concord": [{"per_second": 90_000}, {"per_second": 100_000}, {"per_second": 95_000}], "etcd": [{"per_second": 20_000}], "redis": [{"per_second": 90_000}]},
        "put_64": {"concord": [{"per_second": 50_000}], "etcd": [{"per_second": 20_000}], "redis": [{"per_second": 60_000}]},
        "health": {"concord": [{"per_second": 99_000, "errors": {}}]},
    }
    return {**MEASURED, "samples": samples | changes, "failures": {}}


def row_of(table, work):
    return next(dict(zip(table[0], row, strict=True)) for row in table[1:] if row[0] == work)


def quietly(call, *arguments):
    with contextlib.redirect_stderr(io.StringIO()):
        return call(*arguments)


class Figures(unittest.TestCase):
    def test_the_median_stands_before_the_least_and_the_most(self):
        self.assertEqual(figures.spread(figures.RATE, [93_000, 97_400, 95_000]), "95 K/s (93..97)")
        self.assertEqual(figures.spread(figures.RATE, [1_500_000, 990_000, 1_200_000]), "1.20 M/s (0.99..1.50)")
        self.assertEqual([figures.text(figures.RATE, value) for value in (15e6, 15e3, 1500, 150)], ["15.0 M/s", "15 K/s", "1.5 K/s", "150 /s"])

    def test_one_sample_has_no_spread(self):
        self.assertEqual(figures.spread(figures.MICROSECONDS, [190.2]), "190 us")

    def test_times_have_the_unit_that_suits_them(self):
        self.assertEqual([figures.text(figures.TIME_OF_MICROSECONDS, value) for value in (850, 1500, 2_500_000)], ["850 us", "1.5 ms", "2.50 s"])


class Tables(unittest.TestCase):
    def test_a_row_has_its_ratio_first_then_whether_it_is_met(self):
        table = server_rows.table(rows.Found(server_results()))
        self.assertEqual(table[0], ("work", "ratio", "target", "result", "Concord", "reference"))
        self.assertEqual(table[1], ("GET, 64 connections", "4.75 x", ">= 4 x", "met", "95 K/s (90..100)", "20 K/s etcd"))

    def test_a_row_that_misses_its_target_says_short(self):
        table = server_rows.table(rows.Found(server_results()))
        self.assertEqual(row_of(table, "PUT, disk, 64 connections")["result"], "short")  # beside etcd: 2.5 of 3
        self.assertEqual(row_of(table, "GET /health, 64 connections")["result"], "short")
        self.assertIn("GET /health, 64 connections (99 K/s instead of >= 100 K/s)", rows.missed(table).replace("\n", " "))
        self.assertIn("PUT, disk, 64 connections (2.50 x instead of >= 3 x)", rows.missed(table).replace("\n", " "))

    def test_what_misses_a_figure_is_told_by_its_figure_although_it_has_a_ratio(self):
        table = [rows.HEADINGS, *rows.row("put", figures.RATE, [700e3, 800e3, 900e3], [300e3], "RocksDB", least=1e6)]
        self.assertEqual(rows.missed(table), "Short of the target: put (800 K/s instead of >= 1.00 M/s).\n")

    def test_nothing_short_is_no_sentence(self):
        self.assertEqual(rows.missed([rows.HEADINGS, ("a", "2 x", ">= 1 x", "met", "2", "1")]), "")

    def test_a_system_that_was_not_measured_leaves_the_verdict_open(self):
        table = server_rows.table(rows.Found(server_results(get_64={"concord": [{"per_second": 90_000}]})))
        self.assertEqual(table[1], ("GET, 64 connections", "-", ">= 4 x", "-", "90 K/s", "etcd not measured"))

    def test_errors_and_failures_are_rows(self):
        found = server_results(health={"concord": [{"per_second": 1, "errors": {"timeout": 3}}]}) | {"failures": {"put_1": {"etcd": "it ended\nwith more"}}}
        table = server_rows.table(rows.Found(found))
        self.assertEqual(row_of(table, "errors of concord in health")["Concord"], "{'timeout': 3}")
        self.assertEqual(row_of(table, "failure of etcd in put_1")["Concord"], "it ended")

    def test_repetitions_of_a_benchmark_are_its_samples_and_aggregates_are_not(self):
        def of(rate, **more):
            return {"name": "BM_touch_memory/iterations:5", "items_per_second": rate, "cpu_time": 1, "real_time": 1, **more}

        results = embedded_rows.Results({"benchmarks": [of(1e6), of(2e6), of(1.5e6), of(9e9, run_type="aggregate")]})
        self.assertEqual(list(embedded_rows.data_rows(results)), [("touch, memory", "-", ">= 1.00 M/s", "met", "1.50 M/s (1.00..2.00)", "-")])

    def test_rates_are_by_the_wall_clock(self):
        results = embedded_rows.Results({"benchmarks": [{"name": "BM_x", "items_per_second": 100, "cpu_time": 1, "real_time": 2},
                                                        {"name": "BM_y/real_time", "items_per_second": 100, "cpu_time": 1, "real_time": 2}]})
        self.assertEqual((results.rates("BM_x"), results.rates("BM_y")), ([50], [100]))

    def test_growth_is_beside_the_least(self):
        found = {"samples": {"keys_10000": {"concord": [{"put_ns": 1000, "get_ns": 100}]}, "keys_1000000": {"concord": [{"put_ns": 1500, "get_ns": 400}]}}}
        table = growth_rows.keys_table(rows.Found(found))
        self.assertEqual(row_of(table, "get, 1 M keys")["ratio"], "4.00 x")
        self.assertEqual(row_of(table, "get, 10 K keys")["ratio"], "-")

    def test_latencies_are_beside_those_of_a_quiet_time(self):
        def of(p99):
            return {"half": [{"rate": 5000, "p50_us": 100, "p90_us": 200, "p99_us": p99, "p99_9_us": 2 * p99, "max_us": 3 * p99, "curve": []}]}

        table = latency_rows.place_table(rows.Found({"samples": {"cluster_quiet": of(1000), "cluster_catching_up": of(3000)}}), "cluster")
        behind = row_of(table, "a follower far behind catches up, 50% of the peak")
        self.assertEqual((behind["ratio"], behind["target"], behind["result"], behind["max"]), ("3.00 x", "<= 2 x", "short", "9.0 ms"))

    def test_memory_that_grows_is_short(self):
        def grown(last):
            held = [100, 100, 100, 100, 100, 100, last, last]
            return memory_rows.churn_table({"samples": [{"seconds": at, "resident_bytes": megabytes * 1e6} for at, megabytes in enumerate(held)]})

        self.assertEqual([grown(101)[1][3], grown(110)[1][3]], ["met", "short"])

    def test_the_first_quarter_of_a_churn_is_for_what_a_process_asks_for_once(self):
        samples = [{"seconds": at, "resident_bytes": megabytes * 1e6} for at, megabytes in enumerate([10, 50, 100, 100, 100, 100, 100, 100])]
        self.assertEqual(memory_rows.churn_growth(samples), 1)

    def test_heap_belongs_to_the_innermost_that_is_known(self):
        self.assertEqual(owner_of(["main", "concord::node::Drive::run()", "concord::store::Record::create(...)", "operator new(unsigned long)"]),
                         "records: head, key, value")
        self.assertEqual(owner_of(["main", "printf"]), "everything else")


class Turns(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.words = types.SimpleNamespace(out=os.path.join(place.name, "server.json"), seconds=2, rounds=3, row=None)

    def written(self):
        with open(self.words.out, encoding="utf-8") as file:
            return json.load(file)

    def test_systems_take_turns_and_one_that_fails_leaves_the_others(self):
        called = []

        def fails():
            called.append("etcd")
            raise RuntimeError("it does not answer")

        def works():
            called.append("concord")
            return {"per_second": len(called)}

        quietly(turns.Results(self.words).measure, "get", {"concord": works, "etcd": fails}, 3)
        self.assertEqual(called, ["concord", "etcd", "concord", "concord"])
        found = self.written()
        self.assertEqual(found["samples"]["get"], {"concord": [{"per_second": 1}, {"per_second": 3}, {"per_second": 4}]})
        self.assertEqual(found["rows"]["get"], {"concord": {"per_second": 3}})
        self.assertEqual(found["failures"]["get"], {"etcd": "it does not answer"})

    def test_a_part_is_complete_once_all_its_rows_were_tried(self):
        results = turns.Results(self.words)
        results.add("get", {"concord": [{"per_second": 1}]})
        self.assertFalse(self.written()["complete"])
        results.finish(self.words)
        self.assertTrue(self.written()["complete"])
        self.assertEqual(self.written()["command"], "./dev bench --server --seconds 2 --rounds 3")

    def test_rows_that_were_asked_for_by_name_are_no_whole_part(self):
        self.words.row = ["get"]
        turns.Results(self.words).finish(self.words)
        self.assertFalse(self.written()["complete"])


TEXT = """# Title

Prose <!-- begin one -->, which is no marker.

<!-- begin one -->
| old |
<!-- end one -->

More prose.

<!-- begin two -->

old two
<!-- end two -->
"""


class Documents(unittest.TestCase):
    def test_a_section_is_replaced_and_the_prose_stays(self):
        made = document.replaced(TEXT, {"one": "| new |\n"})
        self.assertEqual(made, TEXT.replace("| old |\n", "\n| new |\n\n"))

    def test_made_again_it_is_the_same(self):
        made = document.replaced(TEXT, {"one": "new\n\\1 kept", "two": "other"})
        self.assertEqual(document.replaced(made, {"one": "new\n\\1 kept", "two": "other"}), made)
        self.assertIn("\\1 kept", made)

    def test_a_section_that_is_not_there_is_a_mistake(self):
        for name in ("three", "on"):
            with self.assertRaises(ValueError):
                document.replaced(TEXT, {name: "new"})

    def test_the_documents_have_every_section(self):
        docs = os.path.normpath(os.path.join(HERE, "../../docs"))
        names = ["embedded", "data", "watched", "server", "cluster", "growth-keys", "growth-nodes", "growth-subscribers", "growth-clients", "latency-server",
                 "latency-cluster", "memory-owners", "memory-allocators", "memory-churn", *report.ELSEWHERE]
        for name in names:
            with open(os.path.join(docs, report.ELSEWHERE.get(name, "performance.md")), encoding="utf-8") as file:
                document.replaced(file.read(), {name: "new"})


class Reports(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.results, self.docs = os.path.join(place.name, "results"), os.path.join(place.name, "docs")
        os.makedirs(self.results)
        os.makedirs(os.path.join(self.docs, "decisions"))
        sections = "".join(f"prose of {name}\n<!-- begin {name} -->\nold {name}\n<!-- end {name} -->\n" for name in ("server", "cluster", "embedded"))
        compared = "".join(f"<!-- begin {name} -->\nold\n<!-- end {name} -->\n" for name in report.COMPARED)
        for name, text in (("performance.md", sections), ("comparison.md", compared), ("decisions/0019-allocator.md", "as it was\n")):
            with open(os.path.join(self.docs, name), "w", encoding="utf-8") as file:
                file.write(text)

    def made(self, **parts):
        for part, found in parts.items():
            with open(os.path.join(self.results, f"{part}.json"), "w", encoding="utf-8") as file:
                json.dump(found, file)
        report.write_documents(quietly(report.results_of, self.results), self.docs)
        return self.read("performance.md")

    def read(self, name):
        with open(os.path.join(self.docs, name), encoding="utf-8") as file:
            return file.read()

    def test_a_part_that_was_measured_is_written_with_where_and_when(self):
        text = self.made(server=server_results())
        self.assertIn("| GET, 64 connections | 4.75 x | >= 4 x | met | 95 K/s (90..100) | 20 K/s etcd |", text)
        self.assertIn("Of 30 November 2026, commit abc, 2 x Processor, Linux 6; `./dev bench --server`; etcd 3.7.0; Redis 7.0.", text)
        self.assertIn("Short of the target: ", text)
        self.assertNotIn("old server", text)

    def test_a_part_that_was_not_measured_leaves_its_section_alone(self):
        text = self.made(server=server_results())
        self.assertIn("prose of cluster\n<!-- begin cluster -->\nold cluster\n<!-- end cluster -->\n", text)
        self.assertEqual(self.read("decisions/0019-allocator.md"), "as it was\n")

    def test_so_does_a_part_that_was_not_measured_to_its_end(self):
        self.assertIn("old server", self.made(server=server_results() | {"complete": False}))

    def test_what_the_comparison_repeats_are_the_same_rows(self):
        performance = self.made(server=server_results()).splitlines()
        repeated = [line for line in self.read("comparison.md").splitlines() if line.startswith("| GET") or line.startswith("| PUT")]
        self.assertEqual(len(repeated), 4)
        self.assertLessEqual(set(repeated), set(performance))


if __name__ == "__main__":
    unittest.main()
