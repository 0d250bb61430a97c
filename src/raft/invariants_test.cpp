#include "raft/invariants.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "base/check.hpp"

namespace concord::raft {
namespace {

const Start at_ten{{Term(3), NodeId(2), Index(10)}, {}, Index(10), Index(10), Term(2)};

RaftStatus status_at_ten() {
  RaftStatus status;
  status.term = Term(3);
  status.vote = NodeId(2);
  status.leader = NodeId(2);
  status.commit = Index(10);
  status.applied = Index(10);
  status.first = Index(11);
  status.last = Index(12);
  return status;
}

EntryView entry(std::uint64_t index, std::uint64_t term) {
  return {Index(index), Term(term), base::EntryType::normal, {}};
}

TEST(InvariantChecker, LetsAGoodLifePass) {
  InvariantChecker checker(at_ten);
  checker.observe(status_at_ten());
  const std::vector entries = {entry(11, 3), entry(12, 3)};
  ReadyBatch batch;
  batch.entries = entries;
  batch.hard_state = HardState{Term(4), NodeId(), Index(10)};
  checker.observe(batch);
  AdvanceBatch more;
  more.commit = Index(12);
  more.committed = entries;
  checker.observe(more);
  RaftStatus status = status_at_ten();
  status.term = Term(4);
  status.vote = NodeId();
  status.commit = status.applied = Index(12);
  status.leader = NodeId(3);
  checker.observe(status);
  EXPECT_EQ(checker.committed(), Index(12));
}

TEST(InvariantChecker, StopsAtEachBadStatus) {
  const std::vector<std::pair<const char*, std::function<void(RaftStatus&)>>> table = {
      {"term back", [](RaftStatus& status) { status.term = Term(2); }},
      {"commit back", [](RaftStatus& status) { status.commit = status.applied = Index(9); }},
      {"vote changed", [](RaftStatus& status) { status.vote = NodeId(3); }},
      {"vote forgotten", [](RaftStatus& status) { status.vote = NodeId(); }},
      {"applied ahead", [](RaftStatus& status) { status.applied = Index(11); }},
      {"applied back", [](RaftStatus& status) { status.applied = Index(9); }},
      {"commit ahead of the log", [](RaftStatus& status) { status.commit = Index(13); }},
      {"log ends before it begins", [](RaftStatus& status) { status.first = Index(14); }},
      {"second leader", [](RaftStatus& status) { status.leader = NodeId(3); }},
  };
  for (const auto& [why, spoil] : table) {
    InvariantChecker checker(at_ten);
    checker.observe(status_at_ten());
    RaftStatus bad = status_at_ten();
    spoil(bad);
    EXPECT_THROW(checker.observe(bad), base::InvariantFailure) << why;
  }
}

TEST(InvariantChecker, StopsAtEachBadBatch) {
  const auto observe = [](std::vector<EntryView> entries, std::vector<EntryView> committed) {
    InvariantChecker checker(at_ten);
    ReadyBatch batch;
    batch.entries = entries;
    batch.committed = committed;
    checker.observe(batch);
  };
  EXPECT_NO_THROW(observe({entry(12, 3)}, {entry(11, 3)}));
  EXPECT_THROW(observe({entry(10, 3)}, {}), base::InvariantFailure) << "replaces a committed entry";
  EXPECT_THROW(observe({entry(11, 3), entry(13, 3)}, {}), base::InvariantFailure) << "gap";
  EXPECT_THROW(observe({entry(11, 3), entry(12, 2)}, {}), base::InvariantFailure) << "term falls";
  EXPECT_THROW(observe({}, {entry(12, 3)}), base::InvariantFailure) << "committed gap";
  EXPECT_THROW(observe({}, {entry(10, 3)}), base::InvariantFailure) << "committed twice";
  EXPECT_THROW(observe({}, {entry(11, 1)}), base::InvariantFailure) << "committed term falls";
}

}  // namespace
}  // namespace concord::raft
