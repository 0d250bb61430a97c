// For tests: a RaftNode with a disk that survives it and a state machine that is the list of applied entries.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "raft/invariants.hpp"
#include "raft/raft_node.hpp"

namespace concord::raft {

struct OwnedEntry {
  Index index;
  Term term;
  base::EntryType type = base::EntryType::normal;
  std::string data;

  explicit OwnedEntry(const EntryView& entry)
      : index(entry.index), term(entry.term), type(entry.type), data(entry.data) {}
  [[nodiscard]] EntryView view() const { return {index, term, type, data}; }
  friend bool operator==(const OwnedEntry&, const OwnedEntry&) = default;
};

struct Envelope {
  NodeId from;
  NodeId to;
  bool is_snapshot = false;
  std::string bytes;
};

/// What a crash leaves: a snapshot (index, term, members, applied data), the entries behind it, the hard state.
struct Disk {
  HardState hard_state;
  Index snapshot_index;
  Term snapshot_term;
  ConfState snapshot_members;
  std::vector<std::string> snapshot_state;
  std::vector<OwnedEntry> entries;

  static Disk formed(const std::vector<NodeId>& voters) {
    Disk disk;
    disk.hard_state = {Term(1), NodeId(), Index(1)};
    disk.snapshot_index = Index(1);
    disk.snapshot_term = Term(1);
    disk.snapshot_members.voters = voters;
    return disk;
  }
};

class TestPeer {
 public:
  TestPeer(Config config, Disk disk) : config_(config), disk_(std::move(disk)) { restart(); }

  /// A crash and a start: everything but the disk is new.
  void restart() {
    const Start start{disk_.hard_state, disk_.snapshot_members, disk_.snapshot_index, disk_.snapshot_index,
                      disk_.snapshot_term};
    auto created = RaftNode::create(config_, start);
    ASSERT_TRUE(created) << created.error().message();
    node_ = std::make_unique<RaftNode>(std::move(*created));
    for (const OwnedEntry& entry : disk_.entries) ASSERT_TRUE(node_->append_initial(entry.view()));
    const auto started = node_->start();
    ASSERT_TRUE(started) << started.error().message();
    checker_ = std::make_unique<InvariantChecker>(start);
    applied_ = disk_.snapshot_state;
    applied_index_ = disk_.snapshot_index;
    members_ = disk_.snapshot_members;
    if (!disk_.snapshot_index.is_zero()) {
      ASSERT_TRUE(node_->set_snapshot(disk_.snapshot_index, disk_.snapshot_term, members_, snapshot_bytes()));
    }
  }

  RaftNode& node() { return *node_; }
  Disk& disk() { return disk_; }
  [[nodiscard]] NodeId id() const { return config_.id; }
  [[nodiscard]] const std::vector<std::string>& applied() const { return applied_; }
  [[nodiscard]] const ConfState& members() const { return members_; }
  [[nodiscard]] const std::vector<ReadState>& reads() const { return reads_; }
  [[nodiscard]] bool leads() const { return node_->status().role == Role::leader; }
  [[nodiscard]] Index applied_index() const { return applied_index_; }

  /// Turns until there is nothing left to do; what is to be sent goes to `send`. Returns the number of turns.
  int run(const std::function<void(Envelope)>& send) {
    int turns = 0;
    for (; node_->has_ready(); ++turns) turn(send);
    return turns;
  }

  /// Snapshot at the applied index, and the log before it forgotten but for `kept` entries.
  void snapshot_and_compact(std::uint64_t kept) {
    const auto term = node_->term_at(applied_index_);
    ASSERT_TRUE(term);
    disk_.snapshot_index = applied_index_;
    disk_.snapshot_term = *term;
    disk_.snapshot_members = members_;
    disk_.snapshot_state = applied_;
    std::erase_if(disk_.entries, [&](const OwnedEntry& entry) { return entry.index <= applied_index_; });
    ASSERT_TRUE(node_->set_snapshot(applied_index_, *term, members_, snapshot_bytes()));
    ASSERT_TRUE(node_->compact(Index(applied_index_.value() - std::min(kept, applied_index_.value()))));
  }

 private:
  void turn(const std::function<void(Envelope)>& send) {
    const auto post = [&](std::span<const Message> messages) {
      for (const Message& message : messages) {
        send({config_.id, message.to, message.is_snapshot, std::string(message.bytes)});
      }
    };
    auto batch = node_->ready();
    ASSERT_TRUE(batch) << batch.error().message();
    checker_->observe(*batch);
    post(batch->messages);
    persist(*batch);
    post(batch->persisted_messages);
    auto more = node_->advance();
    ASSERT_TRUE(more) << more.error().message();
    checker_->observe(*more);
    if (more->commit) disk_.hard_state.commit = *more->commit;
    post(more->messages);
    reads_.insert(reads_.end(), batch->read_states.begin(), batch->read_states.end());
    apply(batch->committed);
    apply(more->committed);
    ASSERT_TRUE(node_->advance_apply(applied_index_));
    checker_->observe(node_->status());
  }

  void persist(const ReadyBatch& batch) {
    if (batch.snapshot) {
      disk_.snapshot_index = batch.snapshot->index;
      disk_.snapshot_term = batch.snapshot->term;
      disk_.snapshot_members = batch.snapshot->conf_state;
      disk_.snapshot_state = lines(batch.snapshot->data);
      disk_.entries.clear();
      applied_ = disk_.snapshot_state;
      applied_index_ = disk_.snapshot_index;
      members_ = disk_.snapshot_members;
    }
    if (!batch.entries.empty()) {
      const Index first = batch.entries.front().index;
      std::erase_if(disk_.entries, [&](const OwnedEntry& entry) { return entry.index >= first; });
      for (const EntryView& entry : batch.entries) disk_.entries.emplace_back(entry);
    }
    if (batch.hard_state) disk_.hard_state = *batch.hard_state;
  }

  void apply(std::span<const EntryView> entries) {
    for (const EntryView& entry : entries) {
      ASSERT_EQ(entry.index, applied_index_.next());
      applied_index_ = entry.index;
      if (entry.type == base::EntryType::normal) {
        if (!entry.data.empty()) applied_.emplace_back(entry.data);
      } else if (auto members = node_->apply_conf_change(entry)) {
        members_ = *members;
      }
    }
  }

  [[nodiscard]] std::string snapshot_bytes() const {
    std::string bytes;
    for (const std::string& line : disk_.snapshot_state) bytes += line + '\n';
    return bytes;
  }

  static std::vector<std::string> lines(std::string_view bytes) {
    std::vector<std::string> found;
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      found.emplace_back(bytes.substr(0, end));
      bytes.remove_prefix(end + 1);
    }
    return found;
  }

  Config config_;
  Disk disk_;
  std::unique_ptr<RaftNode> node_;
  std::unique_ptr<InvariantChecker> checker_;
  std::vector<std::string> applied_;
  Index applied_index_;
  ConfState members_;
  std::vector<ReadState> reads_;
};

}  // namespace concord::raft
