#include "node/traced_writes.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "observe/observer.hpp"

namespace concord::node {

using observe::Span;
using observe::SpanData;
using observe::Tracer;

namespace {

Tracer* tracer_of(observe::Observer* observer) {
  return observer == nullptr || !observer->tracer().is_on() ? nullptr : &observer->tracer();
}

}  // namespace

TracedWrites::TracedWrites(observe::Observer* observer) : tracer_(tracer_of(observer)) {}

std::uint64_t TracedWrites::now_ns() noexcept { return observe::unix_ns_now(); }

void TracedWrites::begin(std::uint64_t sequence) noexcept {
  const Span* const call = Tracer::current();
  if (call == nullptr || !call->context().is_sampled) return;
  try {
    const base::MutexLock lock(mutex_);
    writes_[sequence] = {.call = call->context(), .queued_ns = now_ns()};
    count_.store(writes_.size(), std::memory_order_relaxed);
  } catch (const std::exception&) {  // no memory to follow it with
  }
}

void TracedWrites::take(const Batch& batch, Way way) {
  const base::MutexLock lock(mutex_);
  const auto end = writes_.lower_bound(batch.first_sequence() + batch.count());
  for (auto at = writes_.lower_bound(batch.first_sequence()); at != end; ++at) {
    Traced& write = at->second;
    if (write.taken_ns != 0) continue;  // passed on once more
    write.taken_ns = now_ns();
    write.way = way;
  }
}

/// All that were proposed before and not synced were in what was written just now.
void TracedWrites::note_synced() {
  const std::uint64_t synced_ns = now_ns();
  const base::MutexLock lock(mutex_);
  for (auto& [sequence, write] : writes_) {
    if (write.taken_ns == 0 || write.synced_ns != 0 || write.way != Way::proposed) continue;
    write.sync_began_ns = step_began_ns_;
    write.synced_ns = synced_ns;
  }
}

void TracedWrites::tell(std::span<const store::Applied> applied, base::NodeId node, std::uint64_t incarnation) {
  const std::uint64_t applied_ns = now_ns();
  const base::MutexLock lock(mutex_);
  for (const store::Applied& one : applied) {
    if (one.request.node != node || one.request.incarnation != incarnation) continue;
    const auto found = writes_.find(one.request.sequence);
    if (found == writes_.end()) continue;
    tell(found->second, applied_ns);
    writes_.erase(found);
  }
  count_.store(writes_.size(), std::memory_order_relaxed);
}

void TracedWrites::tell(const Traced& write, std::uint64_t applied_ns) {
  const std::uint64_t taken_ns = write.taken_ns == 0 ? step_began_ns_ : write.taken_ns;
  tell(write, "concord.raft.propose", write.queued_ns, taken_ns);
  if (write.synced_ns != 0) tell(write, "concord.log.sync", write.sync_began_ns, write.synced_ns);
  tell(write, write.way == Way::proposed ? "concord.raft.replicate" : "concord.raft.forward", taken_ns, step_began_ns_);
  tell(write, "concord.state.apply", step_began_ns_, applied_ns);
}

void TracedWrites::tell(const Traced& write, std::string_view name, std::uint64_t began_ns, std::uint64_t ended_ns) {
  SpanData span;
  span.context = write.call;
  span.context.span = Tracer::new_span_id();
  span.parent = write.call.span;
  span.name = name;
  span.start_unix_ns = began_ns;
  span.end_unix_ns = std::max(began_ns, ended_ns);  // whatever the wall clock did
  tracer_->take(std::move(span));
}

void TracedWrites::forget_before(std::uint64_t sequence) {
  if (is_empty()) return;
  const base::MutexLock lock(mutex_);
  writes_.erase(writes_.begin(), writes_.lower_bound(sequence));
  count_.store(writes_.size(), std::memory_order_relaxed);
}

}  // namespace concord::node
