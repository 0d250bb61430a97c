// What is left of a cluster whose quorum is lost: read without a change, and made a cluster of its own, at once or not at all.
#include "node/survivor.hpp"

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "command/entry.hpp"
#include "env/memory_file_system.hpp"
#include "node/testing_machine.hpp"
#include "raft/raft_node.hpp"

namespace concord::node {
namespace {

using base::ClusterId;
using base::EntryType;
using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

constexpr std::uint64_t segment_bytes = 16U << 10U;
const ClusterId old_cluster(0xc1);
const Drawn new_ids{.cluster_id = 0xc2, .election_seed = 3, .hash_seed = 4, .log_salt = 5};

replica::Member member(std::uint64_t number) {
  return {.id = NodeId(number),
          .directory = 100 + number,
          .name = "n" + std::to_string(number),
          .peer = "h:" + std::to_string(number)};
}

/// Bytes of an entry that changes the members, as raft makes them.
std::string change_of(raft::ConfChangeKind kind, const replica::Member& who) {
  raft::Config config;
  config.id = NodeId(1);
  raft::ConfState alone;
  alone.voters = {config.id};
  auto node = raft::RaftNode::create(config, {.hard_state = {Term(1), NodeId(), Index(1)},
                                              .conf_state = alone,
                                              .applied = Index(1),
                                              .compacted_index = Index(1),
                                              .compacted_term = Term(1)});
  EXPECT_TRUE(node && node->start() && node->campaign());
  std::string bytes;
  while (node->has_ready()) {  // it leads only once its first entry is applied
    const Index last = node->status().last;
    EXPECT_TRUE(node->ready() && node->advance() && node->advance_apply(last));
  }
  EXPECT_EQ(node->propose_conf_change({.kind = kind, .node = who.id, .context = replica::encode_member(who)}).value(),
            raft::ProposeResult::accepted);
  const auto batch = node->ready();
  for (const base::EntryView& entry : batch->entries) bytes = entry.data;
  return bytes;
}

/// One voter of three on disks of memory; what it wrote last may have been agreed to by nobody.
class Voter {
 public:
  explicit Voter(env::MemoryFileSystem& files, std::string path = "/data") {
    auto directory = log::DataDirectory::open(files, std::move(path), {.directory = member(1).directory});
    EXPECT_TRUE(directory);
    directory_ = std::make_unique<log::DataDirectory>(std::move(*directory));
    Place place{.cluster = old_cluster, .node = NodeId(1), .founders = replica::Membership()};
    for (const std::uint64_t number : {1, 2, 3}) {
      place.founders->members.push_back(member(number));
      place.founders->conf.voters.push_back(NodeId(number));
    }
    auto recovered = recover(files, Options(), {.log_salt = 9}, *directory_, place, boot_id(files), segment_bytes,
                             [](LogLevel, const std::string&) {});
    EXPECT_TRUE(recovered) << recovered.error().message();
    log_ = std::move(recovered->log);
  }

  /// Entries of one put each, "key-INDEX".
  void write(std::uint64_t count, std::uint64_t term) {
    for (; count > 0; --count) {
      const std::uint64_t index = log_->last_index().value() + 1;
      std::string bytes;
      command::begin_entry(bytes, {.cluster_time_ms = 1000 + index, .wall_offset_ms = 5});
      command::append_put(bytes, {NodeId(1), 1, index}, "key-" + std::to_string(index), stored(std::to_string(index)),
                          0);
      append(term, EntryType::normal, bytes);
    }
  }
  void append(std::uint64_t term, EntryType type, std::string_view data) {
    const base::EntryView entry{.index = log_->last_index().next(), .term = Term(term), .type = type, .data = data};
    EXPECT_TRUE(log_->append({&entry, 1}, std::nullopt));
  }
  void agree(std::uint64_t term, std::uint64_t commit) {
    EXPECT_TRUE(log_->append({}, HardState{.term = Term(term), .vote = NodeId(2), .commit = Index(commit)}));
    EXPECT_TRUE(log_->sync());
  }
  log::DataDirectory& directory() { return *directory_; }

 private:
  std::unique_ptr<log::DataDirectory> directory_;
  std::unique_ptr<log::Log> log_;
};

/// Entries 2 to 7 were agreed to, 8 to 10 are here only.
std::unique_ptr<env::MemoryFileSystem> left_over() {
  auto files = std::make_unique<env::MemoryFileSystem>();
  Voter voter(*files);
  voter.write(6, 3);
  voter.write(3, 4);
  voter.agree(5, 7);
  return files;
}

std::unique_ptr<Survivor> open(env::FileSystem& files, const std::string& path = "/data") {
  auto survivor = Survivor::open(files, path);
  EXPECT_TRUE(survivor) << survivor.error().message();
  return survivor ? std::move(*survivor) : nullptr;
}

SurvivorReport report_of(env::FileSystem& files) {
  const auto survivor = open(files);
  return survivor ? survivor->report() : SurvivorReport();
}

using Bytes = std::map<std::string, std::string>;

Bytes all_of(const env::MemoryFileSystem& files) {
  Bytes all;
  for (const std::string& path : files.paths()) all[path] = files.contents(path);
  all.erase("/data/LOCK");
  return all;
}

void expect_new(const SurvivorReport& after, const SurvivorReport& before) {
  EXPECT_EQ(after.identity.cluster, ClusterId(new_ids.cluster_id));
  EXPECT_EQ(after.identity.former_cluster, before.identity.cluster);
  EXPECT_EQ(after.identity.node, before.identity.node);
  EXPECT_EQ(after.identity.directory, before.identity.directory);
  EXPECT_GT(after.identity.incarnation, before.identity.incarnation) << "request ids never repeat";
  EXPECT_TRUE(after.is_alone());
  EXPECT_EQ(after.self, before.self);
  EXPECT_GT(after.term, before.term);
  StateAt expected = before.all;
  expected.revision = Revision(before.all.revision.value() + revision_gap);
  EXPECT_EQ(after.committed, expected) << "all that was here is committed now, and the data is the same";
  EXPECT_EQ(after.all, expected);
}

TEST(Survivor, TellsWhatWasAgreedToAndWhatIsHereOnlyAndChangesNothing) {
  const auto files = left_over();
  const Bytes before = all_of(*files);
  const SurvivorReport report = report_of(*files);
  EXPECT_EQ(report.identity.cluster, old_cluster);
  EXPECT_EQ(report.self, member(1));
  EXPECT_EQ(report.term, Term(5));
  EXPECT_EQ(report.committed.index, Index(7));
  EXPECT_EQ(report.committed.term, Term(3));
  EXPECT_EQ(report.committed.revision, Revision(6));
  EXPECT_EQ(report.committed.keys, 6U);
  EXPECT_EQ(report.all.index, Index(10));
  EXPECT_EQ(report.all.term, Term(4));
  EXPECT_EQ(report.all.revision, Revision(9));
  EXPECT_NE(report.all.digest, report.committed.digest);
  EXPECT_EQ(report.members.conf.voters, (std::vector<NodeId>{NodeId(1), NodeId(2), NodeId(3)}));
  EXPECT_FALSE(report.is_alone());
  EXPECT_TRUE(report.remarks.empty());
  EXPECT_EQ(all_of(*files), before);
}

TEST(Survivor, AnUnfinishedWriteIsToldAndLeftWhereItIs) {
  const auto files = left_over();
  const std::string path = "/data/log/00000000000000000001.log";
  std::string bytes = files->contents(path);
  const std::size_t end = bytes.find_last_not_of('\0') + 1;
  bytes.replace((end + 7) / 8 * 8, 5, "torn!");
  files->set_contents(path, bytes);
  const Bytes before = all_of(*files);
  const SurvivorReport report = report_of(*files);
  ASSERT_EQ(report.remarks.size(), 1U);
  EXPECT_NE(report.remarks[0].find("unfinished write"), std::string::npos);
  EXPECT_EQ(report.all.index, Index(10));
  EXPECT_EQ(all_of(*files), before);
}

TEST(Survivor, GoesOnAloneWithAllItHas) {
  const auto files = left_over();
  const SurvivorReport before = report_of(*files);
  const Bytes old_files = all_of(*files);
  {
    const auto survivor = open(*files);
    const auto done = survivor->go_on_alone(new_ids, segment_bytes);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(survivor->directory().identity().cluster, ClusterId(new_ids.cluster_id));
  }
  files->power_cut(1);
  const SurvivorReport after = report_of(*files);
  expect_new(after, before);
  EXPECT_EQ(after.members.removed, (std::vector<NodeId>{NodeId(2), NodeId(3)})) << "their ids are never used again";
  for (const auto& [path, bytes] : old_files) {
    if (path == "/data/identity") continue;
    EXPECT_EQ(files->contents(path), bytes) << path;
  }
  EXPECT_EQ(files->contents("/data/identity.before.1"), old_files.at("/data/identity"));
}

TEST(Survivor, IsANodeThatServesAfterwards) {
  Machine machine;
  machine.segment_bytes = segment_bytes;
  {
    Voter voter(*machine.files);
    voter.write(6, 3);
    voter.write(3, 4);
    voter.agree(5, 7);
  }
  ASSERT_TRUE(open(*machine.files)->go_on_alone(new_ids, segment_bytes));
  std::uint64_t revision = 9 + revision_gap;
  for (int start = 0; start < 2; ++start) {
    const auto node = machine.open();
    const Contents contents = contents_of(*node);
    EXPECT_EQ(contents.size(), 9U + static_cast<std::size_t>(start));
    for (int index = 2; index <= 10; ++index)
      EXPECT_EQ(contents.at("key-" + std::to_string(index)), stored(std::to_string(index)));
    const Answer answer = put(*node, "new-" + std::to_string(start), "1");
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->revision, Revision(++revision));
    const Status status = node->status();
    EXPECT_EQ(status.cluster.id, new_ids.cluster_id);
    EXPECT_GT(status.cluster.term, 5U);
    node->request_snapshot();
    EXPECT_TRUE(machine.comes_true([&] { return node->status().storage.snapshot_index > 10; }));
    node->close(std::chrono::hours(1));
  }
}

TEST(Survivor, WhoWasOnlyAboutToJoinIsNoMemberEither) {
  env::MemoryFileSystem files;
  {
    Voter voter(files);
    voter.write(2, 3);
    voter.append(3, EntryType::conf_change, change_of(raft::ConfChangeKind::add_learner, member(4)));
    voter.write(2, 3);
    voter.append(3, EntryType::conf_change, change_of(raft::ConfChangeKind::add_learner, member(5)));
    voter.write(1, 3);
    voter.agree(3, 5);
  }
  const SurvivorReport before = report_of(files);
  EXPECT_TRUE(before.members.is_learner(NodeId(4)));
  EXPECT_FALSE(before.members.contains(NodeId(5)));
  EXPECT_EQ(before.committed.index, Index(5));
  EXPECT_EQ(before.all.index, Index(8));
  ASSERT_TRUE(open(files)->go_on_alone(new_ids, segment_bytes));
  const SurvivorReport after = report_of(files);
  expect_new(after, before);
  EXPECT_TRUE(after.members.conf.learners.empty());
  for (const std::uint64_t gone : {2, 3, 4, 5}) EXPECT_TRUE(after.members.was_removed(NodeId(gone))) << gone;
}

TEST(Survivor, ASoleVoterMayNeedWhomItsLastEntryMadeAVoter) {
  const auto left = [](bool has_asked) {
    auto files = std::make_unique<env::MemoryFileSystem>();
    Voter voter(*files);
    voter.append(2, EntryType::conf_change, change_of(raft::ConfChangeKind::remove_node, member(2)));
    voter.append(2, EntryType::conf_change, change_of(raft::ConfChangeKind::remove_node, member(3)));
    if (has_asked) voter.append(2, EntryType::conf_change, change_of(raft::ConfChangeKind::add_voter, member(4)));
    voter.agree(2, 3);
    return files;
  };
  EXPECT_TRUE(report_of(*left(false)).is_alone());
  const auto files = left(true);
  const SurvivorReport before = report_of(*files);
  EXPECT_FALSE(before.is_alone());
  ASSERT_TRUE(open(*files)->go_on_alone(new_ids, segment_bytes));
  const SurvivorReport after = report_of(*files);
  expect_new(after, before);
  EXPECT_TRUE(after.members.was_removed(NodeId(4)));
}

TEST(Survivor, OneThatWasRemovedMayBeAllThatIsLeft) {
  env::MemoryFileSystem files;
  {
    Voter voter(files);
    voter.write(2, 3);
    voter.agree(3, 3);
    ASSERT_TRUE(voter.directory().mark_removed(files));
  }
  const SurvivorReport before = report_of(files);
  EXPECT_TRUE(before.identity.removed);
  ASSERT_TRUE(open(files)->go_on_alone(new_ids, segment_bytes));
  const SurvivorReport after = report_of(files);
  expect_new(after, before);
  EXPECT_FALSE(after.identity.removed);
}

TEST(Survivor, TheNewestLogIsTheOneThatRaftWouldElect) {
  const auto report = [](std::uint64_t term, std::uint64_t index) {
    SurvivorReport one;
    one.all = {.index = Index(index), .term = Term(term)};
    return one;
  };
  EXPECT_TRUE(is_behind(report(3, 100), report(4, 50)));
  EXPECT_FALSE(is_behind(report(4, 50), report(3, 100)));
  EXPECT_TRUE(is_behind(report(4, 50), report(4, 51)));
  EXPECT_FALSE(is_behind(report(4, 51), report(4, 51)));
}

// ---------------------------------------------------------------------------------------------------------------------

void expect_refused(env::MemoryFileSystem& files, Errc code, const std::string& why) {
  const Bytes before = all_of(files);
  const auto survivor = Survivor::open(files, "/data");
  ASSERT_FALSE(survivor);
  EXPECT_EQ(survivor.error().code(), code) << survivor.error().message();
  EXPECT_NE(survivor.error().message().find(why), std::string::npos) << survivor.error().message();
  EXPECT_EQ(all_of(files), before);
}

TEST(Survivor, WhatIsNoDirectoryOfANodeIsRefused) {
  env::MemoryFileSystem files;
  expect_refused(files, Errc::invalid_request, "/data: not the data directory of a Concord node");
  ASSERT_TRUE(files.make_directories("/data"));
  files.set_contents("/data/thesis.txt", "precious");
  expect_refused(files, Errc::invalid_request, "not the data directory of a Concord node");
  EXPECT_EQ(files.paths(), std::vector<std::string>{"/data/thesis.txt"}) << "no lock was left there";
}

TEST(Survivor, ADirectoryThatIsInUseIsRefused) {
  env::MemoryFileSystem files;
  Voter voter(files);
  voter.write(2, 3);
  voter.agree(3, 3);
  expect_refused(files, Errc::cluster_not_ready, "already open");
}

TEST(Survivor, DamageIsRefusedWithItsPlace) {
  const auto files = left_over();
  const std::string path = "/data/log/00000000000000000001.log";
  std::string bytes = files->contents(path);
  bytes[250] = static_cast<char>(bytes[250] ^ 1);
  files->set_contents(path, bytes);
  expect_refused(*files, Errc::storage_failed, path + ": damaged at offset");
}

TEST(Survivor, AFormatOfANewerVersionIsRefusedByName) {
  const auto files = left_over();
  files->set_contents("/data/identity", "concord data directory\nformat 9\n");
  expect_refused(*files, Errc::storage_failed, "/data/identity: format 9 is not known to this version");
}

TEST(Survivor, ANodeThatNeverHadAnyDataIsRefused) {
  {
    env::MemoryFileSystem files;
    {
      ASSERT_TRUE(log::DataDirectory::open(files, "/data", {.directory = 7}));
    }
    expect_refused(files, Errc::invalid_request, "never was part of a cluster");
  }
  env::MemoryFileSystem files;
  {
    auto directory = log::DataDirectory::open(files, "/data", {.directory = 7});
    ASSERT_TRUE(directory);
    const Place place{.cluster = old_cluster, .node = NodeId(1)};
    ASSERT_TRUE(recover(files, Options(), {.log_salt = 9}, *directory, place, boot_id(files), segment_bytes,
                        [](LogLevel, const std::string&) {}));
  }
  expect_refused(files, Errc::invalid_request, "never got the data of its cluster");
}

TEST(Survivor, AFullDiskLeavesAllAsItWas) {
  const auto files = left_over();
  const SurvivorReport before = report_of(*files);
  std::uint64_t used = 0;
  for (const auto& [path, bytes] : all_of(*files)) used += bytes.size();
  files->set_faults({.capacity_bytes = used + segment_bytes / 2});
  EXPECT_EQ(open(*files)->go_on_alone(new_ids, segment_bytes).error().code(), Errc::storage_full);
  files->set_faults({});
  const SurvivorReport after = report_of(*files);
  EXPECT_EQ(after.identity, before.identity);
  EXPECT_EQ(after.all, before.all);
  ASSERT_TRUE(open(*files)->go_on_alone(new_ids, segment_bytes));
  expect_new(report_of(*files), before);
}

/// Stopped after so many changes of the disk. True: it came to its end before.
bool go_on_until(env::MemoryFileSystem& files, std::uint64_t changes) {
  const auto survivor = open(files);
  files.set_faults({.stop_after = files.changes() + changes});
  const bool is_through = survivor->go_on_alone(new_ids, segment_bytes).has_value();
  files.set_faults({});
  return is_through;
}

TEST(Survivor, StoppedAtAnyPointItIsTheOldMemberOrTheNewClusterAndCanTryAgain) {
  const char* const given = std::getenv("CONCORD_SEED");
  base::Random random(given != nullptr ? std::strtoull(given, nullptr, 10) : 11);
  const SurvivorReport before = report_of(*left_over());
  for (const bool loses_power : {false, true}) {
    int old_seen = 0;
    int new_seen = 0;
    for (std::uint64_t stop = 0;; ++stop) {
      const std::uint64_t seed = random.next();
      SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes, CONCORD_SEED " + std::to_string(seed));
      const auto files = left_over();
      const bool is_through = go_on_until(*files, stop);
      if (loses_power) files->power_cut(seed);
      const SurvivorReport found = report_of(*files);
      const bool is_new = found.identity.cluster != before.identity.cluster;
      if (is_new) {
        expect_new(found, before);
        ++new_seen;
      } else {
        EXPECT_FALSE(is_through) << "what was said to be done is gone";
        EXPECT_EQ(found.identity, before.identity);
        EXPECT_EQ(found.members, before.members);
        EXPECT_EQ(found.all, before.all);
        ++old_seen;
        EXPECT_TRUE(go_on_until(*files, 1000)) << "again, over what the first attempt left";
        if (loses_power) files->power_cut(seed + 1);
        expect_new(report_of(*files), before);
      }
      if (testing::Test::HasFailure()) return;
      if (is_through) break;
    }
    EXPECT_GT(old_seen, 10);
    EXPECT_GT(new_seen, 0);
  }
}

}  // namespace
}  // namespace concord::node
