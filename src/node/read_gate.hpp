// Reads that wait until this node may answer them: for a read point from the leader (raft thesis 6.4), then until it is applied.
//
// All reads that wait in a turn go under one context, each attempt under a new one (reliability 29). When role, leader or term
// change, nothing tells which attempts are lost: all unanswered ones are made again (30, 31).
//
// Who waits is told at once, perhaps with the drive lock held: `Read::done` hands on and does nothing else.
//
// Thread rule: any thread. All but `ask`, `has_new`, `is_empty`, `give_up` and `fail_all` are meant for the driver.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "raft/raft_node.hpp"

namespace concord::node {

class ReadGate {
 public:
  using Done = std::move_only_function<void(Result<void>)>;

  struct Read {
    Done done;
    std::uint64_t asked_ms = 0;
    std::uint64_t deadline_ms = 0;
  };

  /// Contexts follow `last_context`, which is drawn: no attempt of an earlier life of this node has the same.
  explicit ReadGate(std::uint64_t last_context) : last_context_(last_context) {}

  void ask(Read read);
  /// Reads came since the driver looked last.
  [[nodiscard]] bool has_new() const noexcept { return has_new_.load(std::memory_order_seq_cst); }
  /// No read waits to be asked for.
  [[nodiscard]] bool is_empty() const noexcept { return waiting_count_.load(std::memory_order_seq_cst) == 0; }

  // --- driver ----------------------------------------------------------------------------------------------------------

  void looked() noexcept { has_new_.store(false, std::memory_order_seq_cst); }
  /// Puts all that wait under a new context. 0: there are none.
  [[nodiscard]] std::uint64_t begin_attempt(std::uint64_t now_ms);
  /// The attempt was not taken: its reads wait again.
  void withdraw(std::uint64_t context);
  void observe(const raft::ReadState& state);
  /// Role, leader or term changed.
  void restart();
  /// Attempts that began before are made again: their messages may be lost.
  void restart_older_than(std::uint64_t began_ms);
  /// Answers what `applied` allows.
  void settle(base::Index applied);
  void give_up(std::uint64_t now_ms);
  /// Those that were asked before then and still wait.
  void refuse_older_than(std::uint64_t asked_ms, const Error& error);
  /// All that wait, asked for or not.
  void fail_all(const Error& error);

 private:
  struct Attempt {
    std::uint64_t context = 0;
    std::uint64_t began_ms = 0;
    base::Index index;  // 0: not answered yet
    std::vector<Read> reads;
  };

  template <class Predicate>
  std::vector<Read> take_if(const Predicate& holds);
  void put_back(std::vector<Read>& reads) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void answer(std::vector<Read>& reads, const Result<void>& result);

  base::Mutex mutex_;
  std::vector<Read> waiting_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> waiting_count_{0};
  std::atomic<bool> has_new_{false};
  std::deque<Attempt> attempts_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::node
