#include "sim/export.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace concord::sim {
namespace {

std::string exported(const Operation& operation) {
  History history;
  history.begin(operation);
  std::ostringstream text;
  export_history(history, text);
  return text.str();
}

TEST(Export, a_write_has_its_revision_and_a_step_for_each_key) {
  EXPECT_EQ(exported({.client = 3,
                      .called_us = 5,
                      .returned_us = 7,
                      .fate = Fate::done,
                      .gets = {"a"},
                      .writes = {{.key = "b", .value = 11}, {.key = "c"}},
                      .revision = 4,
                      .changed = true,
                      .reads = {{.key = "a", .value = 9, .revision = 2}}}),
            R"({"client":3,"call":5000,"return":7000,"result":{"succeeded":true,"revision":4,)"
            R"("steps":[{"value":9,"revision":2},{},{}]},"guards":[],)"
            R"("then":[{"op":"get","key":"a"},{"op":"put","key":"b","value":11},{"op":"delete","key":"c"}]})"
            "\n");
}

TEST(Export, a_guard_that_did_not_hold_ran_nothing) {
  EXPECT_EQ(exported({.returned_us = 1,
                      .fate = Fate::done,
                      .writes = {{.key = "a", .value = 11}},
                      .guard = Seen{.key = "a", .value = 1, .revision = 6},
                      .revision = 8}),
            R"({"client":0,"call":0,"return":1000,"result":{"succeeded":false,"steps":[]},)"
            R"("guards":[{"key":"a","revision":6}],"then":[{"op":"put","key":"a","value":11}]})"
            "\n");
}

TEST(Export, what_nobody_learnt_has_no_result_and_what_was_refused_is_left_out) {
  const Operation put{.called_us = 1, .fate = Fate::unknown, .writes = {{.key = "a", .value = 11}}};
  EXPECT_EQ(exported(put), R"({"client":0,"call":1000,"guards":[],"then":[{"op":"put","key":"a","value":11}]})"
                           "\n");
  Operation refused = put;
  refused.fate = Fate::nothing_done;
  EXPECT_EQ(exported(refused), "");
}

TEST(Export, of_reads_only_strong_ones_are_in_it) {
  Operation read{
      .kind = Operation::Kind::read, .returned_us = 1, .fate = Fate::done, .gets = {"a"}, .reads = {{.key = "a"}}};
  EXPECT_EQ(exported(read),
            R"({"client":0,"call":0,"return":1000,"result":{"succeeded":true,"steps":[{"missing":true}]},)"
            R"("guards":[],"then":[{"op":"get","key":"a"}]})"
            "\n");
  read.may_lag_us = never_us;
  EXPECT_EQ(exported(read), "");
}

}  // namespace
}  // namespace concord::sim
