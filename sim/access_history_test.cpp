// The checker of what was done with tokens sees what must not be.
#include "sim/access_history.hpp"

#include <gtest/gtest.h>

namespace concord::sim {
namespace {

constexpr std::uint64_t of_user = 1;
constexpr std::uint64_t of_nobody = 2;

Place at(std::uint64_t revision, TimeUs called_us) {
  return {.least = revision, .most = revision, .called_us = called_us, .returned_us = called_us + 1 * ms};
}

/// A domain whose user may write keys with "t0/a" from revision 10 on, and those with "t0/b" from revision 20 on; tokens 1 and 2 are made
/// behind revision 10, and 2 is revoked behind revision 30.
class WithTokens : public testing::Test {
 protected:
  WithTokens() {
    Domain domain{.prefix = "t0/"};
    domain.steps.push_back({.place = at(10, 10 * ms), .rules = {.grants = {{.writes = true, .prefix = "t0/a"}}}});
    domain.steps.push_back({.place = at(20, 20 * ms), .rules = {.grants = {{.writes = true, .prefix = "t0/b"}}}});
    access.domains.push_back(domain);
    access.tokens[of_user] = {
        .owner = GivenToken::Owner::user, .reach = {.reads = true, .writes = true}, .made = at(10, 12 * ms)};
    access.tokens[of_nobody] = {
        .reach = {.reads = true, .writes = true}, .made = at(10, 14 * ms), .revoked = at(30, 30 * ms)};
  }

  static Operation write(std::uint64_t token, const std::string& key, TimeUs called_us) {
    Operation operation{.called_us = called_us, .returned_us = called_us + 1 * ms, .token = token};
    operation.writes.push_back({.key = key, .value = 1});
    return operation;
  }
  static Operation done(Operation operation, std::uint64_t revision) {
    operation.fate = Fate::done;
    operation.revision = revision;
    operation.changed = true;
    return operation;
  }
  static Operation denied(Operation operation, Denial denial) {
    operation.fate = Fate::nothing_done;
    operation.denial = denial;
    return operation;
  }
  static Operation strong_read(std::uint64_t token, TimeUs called_us) {
    return {.kind = Operation::Kind::read,
            .called_us = called_us,
            .returned_us = called_us + 1 * ms,
            .fate = Fate::done,
            .gets = {"k"},
            .reads = {{.key = "k"}},
            .token = token};
  }

  std::optional<std::string> problem_with(const Operation& operation) const {
    History history;
    (void)history.begin(operation);
    return problem_of(access, history);
  }
  bool is_right(const Operation& operation) const { return !problem_with(operation); }

  AccessHistory access;
};

TEST_F(WithTokens, a_write_is_judged_by_the_rules_of_its_place_whenever_it_was_answered) {
  EXPECT_TRUE(is_right(done(write(of_user, "t0/a", 40 * ms), 20)));
  EXPECT_FALSE(is_right(done(write(of_user, "t0/a", 15 * ms), 21)));
  EXPECT_TRUE(is_right(done(write(of_user, "t0/b", 15 * ms), 21)));
  EXPECT_FALSE(is_right(done(write(of_user, "t0/b", 40 * ms), 20)));
  EXPECT_FALSE(is_right(done(write(of_user, "k", 40 * ms), 25)));
}

TEST_F(WithTokens, no_write_stands_behind_its_revocation) {
  EXPECT_TRUE(is_right(done(write(of_nobody, "k", 40 * ms), 30)));
  EXPECT_FALSE(is_right(done(write(of_nobody, "k", 25 * ms), 31)));
}

TEST_F(WithTokens, one_that_nobody_answered_is_judged_by_who_read_it) {
  Operation lost = write(of_nobody, "k", 25 * ms);
  lost.fate = Fate::unknown;
  lost.returned_us = never_us;
  EXPECT_TRUE(is_right(lost));
  History history;
  (void)history.begin(lost);
  Operation read = strong_read(0, 50 * ms);
  read.reads = {{.key = "k", .value = 1, .revision = 31}};
  (void)history.begin(read);
  EXPECT_TRUE(problem_of(access, history));
}

TEST_F(WithTokens, a_strong_read_behind_the_revocation_is_refused) {
  EXPECT_TRUE(is_right(strong_read(of_nobody, 30 * ms)));
  EXPECT_FALSE(is_right(strong_read(of_nobody, 32 * ms)));
  Operation eventual = strong_read(of_nobody, 32 * ms);
  eventual.may_lag_us = never_us;
  EXPECT_TRUE(is_right(eventual));
}

TEST_F(WithTokens, what_is_allowed_is_not_refused) {
  EXPECT_FALSE(is_right(denied(write(of_user, "t0/a", 15 * ms), Denial::forbidden)));
  EXPECT_TRUE(is_right(denied(write(of_user, "t0/a", 20 * ms), Denial::forbidden))) << "the role changes meanwhile";
  EXPECT_TRUE(is_right(denied(write(of_user, "t0/a", 25 * ms), Denial::forbidden)));
  EXPECT_FALSE(is_right(denied(write(of_nobody, "k", 25 * ms), Denial::unauthorized)));
  EXPECT_TRUE(is_right(denied(write(of_nobody, "k", 30 * ms), Denial::unauthorized)));
  EXPECT_TRUE(is_right(denied(write(of_user, "t0/b", 25 * ms), Denial::quota)));
}

TEST_F(WithTokens, one_that_expires_may_be_refused_from_then_on) {
  access.tokens[of_user].ttl_s = 1;
  EXPECT_FALSE(is_right(denied(write(of_user, "t0/b", 900 * ms), Denial::unauthorized)));
  EXPECT_TRUE(is_right(denied(write(of_user, "t0/b", 1100 * ms), Denial::unauthorized)));
}

TEST_F(WithTokens, a_change_that_was_repeated_stands_at_one_of_its_places) {
  access.domains[0].steps[1].place.least = 0;
  EXPECT_TRUE(is_right(done(write(of_user, "t0/a", 15 * ms), 20)));
  EXPECT_TRUE(is_right(done(write(of_user, "t0/b", 15 * ms), 20)));
  EXPECT_FALSE(is_right(done(write(of_user, "t0/a", 15 * ms), 21)));
}

}  // namespace
}  // namespace concord::sim
