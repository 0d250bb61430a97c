#!/usr/bin/env python3
"""Each gate fails on a tree that breaks it, names the place, and passes on a tree that keeps it."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import exports
import formatting
import layering
import purity
import text
import tree

ROOMS = """# rooms
base:
env: base
store pure: base
raft pure: base
node: base env store raft
"""


class GateTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.write("cmake/rooms.txt", ROOMS)
        self.write("src/store/table.hpp", "#pragma once\n#include <map>\n#include \"base/ids.hpp\"\n")
        self.write("src/store/table.cpp", "#include \"store/table.hpp\"\n\n#include <string>\n")

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def expect_one(self, problems, *parts):
        problems = list(problems)
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])


class Layering(GateTest):
    def test_a_tree_that_keeps_the_arrows_passes(self):
        self.write("src/store/CMakeLists.txt", "concord_room(store\n  SOURCES table.cpp\n  USES base\n  LINKS Boost::json)\n")
        self.write("include/concord/value.hpp", "#include <vector>\n#include <boost/json/value.hpp>\n#include <concord/error.hpp>\n")
        self.write("src/raft/node.cpp", "#include \"engine.h\"\n")
        self.assertEqual(layering.check(self.root), [])

    def test_an_include_upwards_fails(self):
        self.write("src/store/apply.cpp", "#include \"base/ids.hpp\"\n#include \"node/runtime.hpp\"\n")
        self.expect_one(layering.check(self.root), "src/store/apply.cpp:2", "may not include room node")

    def test_an_include_of_a_room_beside_it_fails_in_tests_too(self):
        self.write("src/store/apply_test.cpp", "#include \"raft/raft_node.hpp\"\n")
        self.expect_one(layering.check(self.root), "apply_test.cpp:1", "may not include room raft")

    def test_an_include_that_is_only_a_comment_passes(self):
        self.write("src/store/apply.cpp", "// #include \"node/runtime.hpp\"\n/*\n#include \"node/runtime.hpp\"\n*/\n")
        self.assertEqual(layering.check(self.root), [])

    def test_a_way_around_by_dots_fails(self):
        self.write("src/store/apply.cpp", "#include \"../node/runtime.hpp\"\n")
        self.expect_one(layering.check(self.root), "apply.cpp:1", "'..'")

    def test_an_include_of_a_program_fails(self):
        self.write("src/node/runtime.cpp", "#include \"sim/cluster.hpp\"\n")
        self.expect_one(layering.check(self.root), "no room includes sim/")

    def test_the_engine_belongs_to_raft(self):
        self.write("src/node/runtime.cpp", "#include \"engine.h\"\n")
        self.expect_one(layering.check(self.root), "room raft alone")

    def test_a_public_header_that_shows_a_room_or_a_library_fails(self):
        for name in ["base/ids.hpp", "absl/types/span.h"]:
            self.write("include/concord/value.hpp", f"#include \"{name}\"\n")
            self.expect_one(layering.check(self.root), "include/concord/value.hpp:1", name)

    def test_a_link_that_is_no_arrow_fails(self):
        self.write("src/store/CMakeLists.txt", "concord_room(store SOURCES table.cpp USES base node LINKS Boost::json)\n")
        self.expect_one(layering.check(self.root), "USES node")

    def test_a_room_that_nobody_listed_fails(self):
        self.write("src/attic/x.cpp", "")
        self.expect_one(layering.check(self.root), "does not know this room")

    def test_an_own_header_that_is_not_first_fails(self):
        self.write("src/store/table.cpp", "#include <string>\n\n#include \"store/table.hpp\"\n")
        self.expect_one(layering.check(self.root), "src/store/table.cpp", "first include")

    def test_a_list_with_an_arrow_upwards_or_out_of_purity_is_refused(self):
        self.write("cmake/rooms.txt", "base: node\nnode:\n")
        self.expect_one(layering.check(self.root), "rooms.txt:1", "does not stand above")
        self.write("cmake/rooms.txt", "base:\nenv: base\nstore pure: env\n")
        self.expect_one(layering.check(self.root), "rooms.txt:3", "may not stand on env")


class Purity(GateTest):
    def test_a_pure_room_passes(self):
        self.write("src/store/table.cpp", """#include "store/table.hpp"
// std::chrono::system_clock::now() is what this room never calls.
constexpr std::chrono::seconds longest{8'000};
const char* const said = "std::thread";
absl::flat_hash_map<std::string, int> sizes_;
bool has(const std::string& key) { return sizes_.find(key) != sizes_.end(); }
void wait() { std::this_thread::yield(); }
""")
        self.assertEqual(purity.check(self.root), [])

    def test_each_impure_line_fails(self):
        for line in [
            "auto now = std::chrono::steady_clock::now();", "std::thread worker;", "std::ifstream file(name);",
            "std::filesystem::path path;", "std::random_device device;", "boost::asio::io_context io;",
            "const char* home = getenv(name);", "std::map<Node*, int> order;", "std::unordered_map<int, int> table;",
        ]:
            self.write("src/store/table.cpp", f"#include \"store/table.hpp\"\n\n{line}\n")
            problems = purity.check(self.root)
            self.assertTrue(problems, line)
            self.assertIn("src/store/table.cpp:3", problems[0])

    def test_a_walk_through_a_hash_table_fails(self):
        self.write("src/store/table.hpp", "absl::flat_hash_map<std::string, std::pair<int, int>> sizes_;\n")
        for walk in ["for (const auto& [key, size] : sizes_) {}", "auto at = sizes_.begin();", "for (auto& x : this->sizes_) {}"]:
            self.write("src/store/table.cpp", walk)
            self.expect_one(purity.check(self.root), "walks the hash table sizes_")

    def test_other_rooms_and_tests_may_be_impure(self):
        self.write("src/env/clock.cpp", "auto now = std::chrono::steady_clock::now();\n")
        self.write("src/store/table_test.cpp", "std::thread reader;\n")
        self.assertEqual(purity.check(self.root), [])

    def test_an_impure_engine_fails(self):
        self.write("engine/src/node.rs", "fn now() { std::time::Instant::now(); }\n")
        self.write("engine/src/tests/cluster.rs", "use std::thread;\n")
        self.expect_one(purity.check(self.root), "engine/src/node.rs:1", "std::time")

    def test_a_library_that_asks_for_a_clock_fails_however_it_is_spelt(self):
        self.write("hidden.cpp", "using namespace std::chrono; using C = system_" "clock; auto f() { return C::now(); }\n")
        for name, pure in [("store", True), ("env", False)]:
            with self.subTest(name):
                library = self.root / f"libconcord_{name}.a"
                subprocess.run(["g++", "-include", "chrono", "-c", str(self.root / "hidden.cpp"), "-o", str(self.root / "hidden.o")],
                               check=True)
                subprocess.run(["ar", "rcs", str(library), str(self.root / "hidden.o")], check=True)
                problems = purity.check(self.root, [library])
                if pure:
                    self.expect_one(problems, "libconcord_store.a(hidden.o)", "system_clock::now()")
                else:
                    self.assertEqual(problems, [])


class Text(GateTest):
    def test_a_tree_that_keeps_the_rules_passes(self):
        self.write("src/store/long.cpp", "\n" * text.MOST_LINES)
        self.write("docs/a.md", "[b](b.md) [c](b.md#part) [d](https://example.org/x) `[e](e.md)`\n\n```\n[f](f.md)\n```\n")
        self.write("docs/b.md", "# B\n\n## Part\n")
        self.write("tools/docs/mkdocs.yml", "nav:\n  - A: a.md\n  - More:\n      - B, and so on: b.md\n")
        for check in [text.check_length, text.check_marks, text.check_binaries, text.check_links]:
            self.assertEqual(list(check(self.root)), [])

    def test_a_long_file_fails(self):
        self.write("tools/long.sh", "\n" * (text.MOST_LINES + 1))
        self.expect_one(text.check_length(self.root), "tools/long.sh", "601 lines")

    def test_each_mark_fails(self):
        for mark in ["TO" + "DO", "FIX" + "ME", "not yet imple" + "mented", "TEST(A, DIS" + "ABLED_B)", "GTEST_" + "SKIP()", "to" + "do!()"]:
            self.write("src/store/table.cpp", f"\n// {mark}\n")
            self.expect_one(text.check_marks(self.root), "src/store/table.cpp:2")

    def test_a_large_file_and_a_binary_fail(self):
        self.write("docs/large.svg", "x" * (text.MOST_BYTES + 1))
        self.expect_one(text.check_binaries(self.root), "docs/large.svg", "over")
        self.write("docs/large.svg", b"\x7fELF\0")
        self.expect_one(text.check_binaries(self.root), "docs/large.svg", "binary")

    def test_a_picture_of_the_documentation_passes_and_one_elsewhere_fails(self):
        self.write("docs/images/page.png", b"\x89PNG\0")
        self.assertEqual(list(text.check_binaries(self.root)), [])
        self.write("src/http/page.png", b"\x89PNG\0")
        self.expect_one(text.check_binaries(self.root), "src/http/page.png", "binary")

    def test_a_link_to_nowhere_fails(self):
        self.write("docs/a.md", "see\n[b](gone.md)\n")
        self.expect_one(text.check_links(self.root), "docs/a.md:2", "gone.md")

    def test_a_link_to_a_heading_that_is_not_there_fails(self):
        self.write("docs/a.md", "# What it is, *really*\n\n[here](#what-it-is-really)\n\n```\n# no heading\n```\n[b](a.md#no-heading)\n")
        self.expect_one(text.check_links(self.root), "docs/a.md:8", "#no-heading")

    def test_a_document_that_the_menu_of_the_site_does_not_name_fails(self):
        self.write("docs/a.md", "")
        self.write("docs/decisions/0001-a.md", "")
        self.write("tools/docs/mkdocs.yml", "nav:\n  - B: b.md\n")
        self.expect_one(text.check_links(self.root), "docs/a.md:1", "add a.md to nav")


class Exports(GateTest):
    def check(self, *symbols):
        return exports.check_symbols(list(symbols), tree.rooms(self.root))

    def test_the_public_symbols_pass(self):
        self.assertEqual(list(self.check("concord::Node::open(concord::Options)", "vtable for concord::Node",
                                         "concord::Value::operator=(concord::Value&&)")), [])

    def test_a_symbol_of_a_room_fails(self):
        self.expect_one(self.check("concord::store::Table::find(int)"), "belongs to a room")

    def test_a_symbol_of_somebody_else_fails(self):
        self.expect_one(self.check("engine_step"), "not Concord's")
        self.expect_one(self.check("std::vector<concord::Value>::push_back()"), "not Concord's")

    def test_a_library_that_shows_nothing_fails(self):
        self.expect_one(self.check(), "nothing at all")


class Formatting(GateTest):
    def test_an_unformatted_file_fails_where_there_is_a_formatter(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("src/store/table.cpp", "int  f( ) {return 1;}\n")
        self.write("src/store/table.hpp", "int g();\n")
        problems = list(formatting.check(self.root))
        if shutil.which(formatting.FORMATTER):
            self.expect_one(problems, "src/store/table.cpp")
        else:
            self.assertEqual(problems, [])


if __name__ == "__main__":
    unittest.main()
