#include "sim/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::sim {
namespace {

using Kind = Operation::Kind;
using testing::HasSubstr;

/// Operations with times in milliseconds.
struct Story {
  History history;

  Operation& put(TimeUs called_ms, TimeUs returned_ms, const std::string& key, std::uint64_t value,
                 std::uint64_t revision) {
    return add({.called_us = called_ms * ms,
                .returned_us = returned_ms * ms,
                .fate = Fate::done,
                .writes = {{.key = key, .value = value}},
                .revision = revision,
                .changed = true});
  }
  Operation& unknown_put(TimeUs called_ms, const std::string& key, std::uint64_t value) {
    return add({.called_us = called_ms * ms, .fate = Fate::unknown, .writes = {{.key = key, .value = value}}});
  }
  Operation& read(TimeUs called_ms, TimeUs returned_ms, const std::string& key, std::uint64_t value,
                  std::uint64_t revision) {
    return add({.kind = Kind::read,
                .called_us = called_ms * ms,
                .returned_us = returned_ms * ms,
                .fate = Fate::done,
                .reads = {{.key = key, .value = value, .revision = revision}}});
  }
  [[nodiscard]] std::string problem(const Clocks& clocks = {}) const {
    return problem_of(history, clocks).value_or("none");
  }

 private:
  Operation& add(Operation operation) { return history.at(history.begin(std::move(operation))); }
};

TEST(History, reads_that_see_the_last_write_are_right) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 4, "k", 11, 2);
  story.read(5, 6, "k", 11, 2);
  EXPECT_EQ(story.problem(), "none");
}

TEST(History, a_stale_read_is_found) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 4, "k", 11, 2);
  story.read(5, 6, "k", 10, 1);
  EXPECT_THAT(story.problem(), HasSubstr("a stale read"));
}

TEST(History, a_read_that_may_lag_is_as_old_as_that_and_no_older) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 4, "k", 11, 2);
  story.read(14, 15, "k", 10, 1).may_lag_us = 11 * ms;
  EXPECT_EQ(story.problem(), "none");
  story.read(16, 17, "k", 10, 1).may_lag_us = 11 * ms;
  EXPECT_THAT(story.problem(), HasSubstr("a stale read"));
}

TEST(History, a_read_during_a_write_may_see_either_value) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 9, "k", 11, 2);
  story.read(5, 6, "k", 10, 1);
  story.read(4, 7, "k", 11, 2);
  EXPECT_EQ(story.problem(), "none");
}

TEST(History, a_value_that_was_read_once_is_not_older_for_a_later_read) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 20, "k", 11, 2);
  story.read(5, 6, "k", 11, 2);
  story.read(7, 8, "k", 10, 1);
  EXPECT_THAT(story.problem(), HasSubstr("a stale read"));
}

TEST(History, what_one_key_tells_of_the_time_counts_for_others) {
  Story story;
  story.put(1, 2, "a", 10, 1);
  story.put(3, 20, "a", 11, 2);
  story.put(3, 4, "b", 12, 3);
  story.read(5, 6, "a", 10, 1);
  EXPECT_THAT(story.problem(), HasSubstr("a stale read")) << "revision 3 was known, so 2 had happened";
}

TEST(History, a_lost_write_is_found) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.read(3, 4, "k", 0, 0);
  EXPECT_THAT(story.problem(), HasSubstr("a lost write"));
}

TEST(History, a_removal_of_unknown_outcome_may_explain_a_missing_key) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.unknown_put(3, "k", 0);
  story.read(4, 5, "k", 0, 0);
  EXPECT_EQ(story.problem(), "none");
}

TEST(History, a_write_of_unknown_outcome_may_have_happened_or_not) {
  Story story;
  story.unknown_put(1, "k", 10);
  story.unknown_put(1, "k", 11);
  story.read(2, 3, "k", 0, 0);
  story.read(4, 5, "k", 11, 7);
  EXPECT_EQ(story.problem(), "none");
}

TEST(History, a_write_that_happened_twice_is_found) {
  Story story;
  story.unknown_put(1, "k", 10);
  story.read(2, 3, "k", 10, 4);
  story.read(4, 5, "k", 10, 6);
  EXPECT_THAT(story.problem(), HasSubstr("happened twice"));
}

TEST(History, a_refused_write_that_happened_is_found) {
  Story story;
  story.unknown_put(1, "k", 10).fate = Fate::nothing_done;
  story.read(2, 3, "k", 10, 4);
  EXPECT_THAT(story.problem(), HasSubstr("was refused has happened"));
}

TEST(History, two_writes_of_one_revision_are_found) {
  Story story;
  story.put(1, 2, "a", 10, 1);
  story.put(1, 2, "b", 11, 1);
  EXPECT_THAT(story.problem(), HasSubstr("revision 1 is also that of"));
}

TEST(History, a_write_comes_behind_what_was_answered_before_it_was_called) {
  Story story;
  story.put(1, 2, "a", 10, 5);
  story.put(3, 4, "b", 11, 4);
  EXPECT_THAT(story.problem(), HasSubstr("was known before it was called"));
}

TEST(History, a_guard_that_held_although_the_key_was_changed_is_found) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 20, "k", 11, 2);
  story.put(4, 20, "k", 12, 3).guard = Seen{.key = "k", .value = 10, .revision = 1};
  EXPECT_THAT(story.problem(), HasSubstr("the guard held"));
}

TEST(History, a_get_in_a_transaction_is_of_its_own_revision) {
  Story story;
  story.put(1, 2, "k", 10, 1);
  story.put(3, 20, "k", 11, 2);
  story.put(4, 20, "other", 12, 3).reads = {{.key = "k", .value = 10, .revision = 1}};
  EXPECT_THAT(story.problem(), HasSubstr("it was read"));
}

TEST(History, a_key_that_is_gone_before_its_time_is_found) {
  Story story;
  story.put(1000, 1001, "k", 10, 1).ttl_s = 2;
  story.read(2000, 2990, "k", 0, 0);
  EXPECT_THAT(story.problem(), HasSubstr("expired too early"));
}

TEST(History, where_nothing_is_known_of_the_time_a_key_may_be_gone_but_does_not_come_back) {
  Story story;
  story.put(1000, 1001, "k", 10, 1).ttl_s = 2;
  story.read(2000, 2990, "k", 0, 0);
  EXPECT_THAT(story.problem({.known_until_us = 2991 * ms}), HasSubstr("expired too early"));
  EXPECT_EQ(story.problem({.known_until_us = 2500 * ms}), "none");
  story.read(3000, 3001, "k", 10, 1);
  EXPECT_THAT(story.problem({.known_until_us = 2500 * ms}), HasSubstr("has come back"));
}

TEST(History, a_key_whose_time_has_come_is_gone_and_does_not_come_back) {
  Story story;
  story.put(1000, 1001, "k", 10, 1).ttl_s = 2;
  story.read(3100, 3101, "k", 0, 0);
  EXPECT_EQ(story.problem(), "none");
  story.read(3200, 3201, "k", 10, 1);
  EXPECT_THAT(story.problem(), HasSubstr("has come back"));
}

TEST(History, clocks_that_are_fast_make_a_time_to_live_shorter) {
  Story story;
  story.put(1000, 1001, "k", 10, 1).ttl_s = 10;
  story.read(10'995, 10'996, "k", 0, 0);
  EXPECT_THAT(story.problem(), HasSubstr("expired too early"));
  EXPECT_EQ(story.problem({.error_ppm = 1000}), "none");
}

}  // namespace
}  // namespace concord::sim
