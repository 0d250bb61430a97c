#include "node/read_gate.hpp"

#include <algorithm>
#include <iterator>

#include "base/mutant.hpp"

namespace concord::node {

void ReadGate::ask(Read read) {
  const base::MutexLock lock(mutex_);
  waiting_.push_back(std::move(read));
  waiting_count_.store(waiting_.size(), std::memory_order_seq_cst);
  has_new_.store(true, std::memory_order_seq_cst);
}

std::uint64_t ReadGate::begin_attempt(std::uint64_t now_ms) {
  const base::MutexLock lock(mutex_);
  if (waiting_.empty()) return 0;
  if (!CONCORD_MUTANT("a-read-context-is-used-again")) ++last_context_;
  Attempt attempt{.context = last_context_, .began_ms = now_ms, .index = {}, .reads = {}};
  attempt.reads.swap(waiting_);
  waiting_count_.store(0, std::memory_order_seq_cst);
  attempts_.push_back(std::move(attempt));
  return last_context_;
}

void ReadGate::put_back(std::vector<Read>& reads) {
  std::ranges::move(reads, std::back_inserter(waiting_));
  waiting_count_.store(waiting_.size(), std::memory_order_seq_cst);
}

void ReadGate::withdraw(std::uint64_t context) {
  const base::MutexLock lock(mutex_);
  const auto found = std::ranges::find(attempts_, context, &Attempt::context);
  if (found == attempts_.end()) return;
  put_back(found->reads);
  attempts_.erase(found);
}

void ReadGate::observe(const raft::ReadState& state) {
  const base::MutexLock lock(mutex_);
  const auto found = std::ranges::find(attempts_, state.context, &Attempt::context);
  if (found != attempts_.end()) found->index = state.index;
}

void ReadGate::restart() {
  if (CONCORD_MUTANT("a-read-point-outlives-its-leader")) return;
  restart_older_than(~std::uint64_t{0});
}

void ReadGate::restart_older_than(std::uint64_t began_ms) {
  const base::MutexLock lock(mutex_);
  for (auto at = attempts_.begin(); at != attempts_.end();) {
    if (!at->index.is_zero() || at->began_ms >= began_ms ||
        CONCORD_MUTANT("a-lost-read-point-is-not-asked-for-again")) {
      ++at;
      continue;
    }
    put_back(at->reads);
    at = attempts_.erase(at);
  }
}

void ReadGate::answer(std::vector<Read>& reads, const Result<void>& result) {
  for (Read& read : reads) {
    try {
      read.done(result);
    } catch (...) {  // no memory to hand it on with: one answer less, and not the end of the node
    }
  }
}

void ReadGate::settle(base::Index applied) {
  std::vector<Read> ready;
  {
    const base::MutexLock lock(mutex_);
    for (auto at = attempts_.begin(); at != attempts_.end();) {
      const bool is_applied = at->index <= applied || CONCORD_MUTANT("a-read-point-is-answered-before-it-is-applied");
      if (at->index.is_zero() || !is_applied) {
        ++at;
        continue;
      }
      std::ranges::move(at->reads, std::back_inserter(ready));
      at = attempts_.erase(at);
    }
  }
  answer(ready, {});
}

/// Takes out the reads for which `holds`, asked for or not.
template <class Predicate>
std::vector<ReadGate::Read> ReadGate::take_if(const Predicate& holds) {
  std::vector<Read> taken;
  const auto sort_out = [&](std::vector<Read>& reads) {
    const auto out = std::ranges::partition(reads, [&](const Read& read) { return !holds(read); });
    std::ranges::move(out, std::back_inserter(taken));
    reads.erase(out.begin(), out.end());
  };
  const base::MutexLock lock(mutex_);
  for (Attempt& attempt : attempts_) sort_out(attempt.reads);
  std::erase_if(attempts_, [](const Attempt& attempt) { return attempt.reads.empty(); });
  sort_out(waiting_);
  waiting_count_.store(waiting_.size(), std::memory_order_seq_cst);
  return taken;
}

void ReadGate::give_up(std::uint64_t now_ms) {
  std::vector<Read> late = take_if([&](const Read& read) { return read.deadline_ms <= now_ms; });
  answer(late, fail(Errc::timeout, "the deadline passed before the leader confirmed that this read is current"));
}

void ReadGate::refuse_older_than(std::uint64_t asked_ms, const Error& error) {
  std::vector<Read> old = take_if([&](const Read& read) { return read.asked_ms < asked_ms; });
  answer(old, std::unexpected(error));
}

void ReadGate::fail_all(const Error& error) {
  std::vector<Read> all;
  {
    const base::MutexLock lock(mutex_);
    for (Attempt& attempt : attempts_) std::ranges::move(attempt.reads, std::back_inserter(all));
    attempts_.clear();
    std::ranges::move(waiting_, std::back_inserter(all));
    waiting_.clear();
    waiting_count_.store(0, std::memory_order_seq_cst);
    looked();
  }
  answer(all, std::unexpected(error));
}

}  // namespace concord::node
