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

constexpr std::uint64_t forgotten_after_ns = 30'000'000'000;

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
    writes_[own(sequence)] = {.parent = call->context(), .queued_ns = now_ns()};
    count_writes();
  } catch (const std::exception&) {  // no memory to follow it with
  }
}

/// What others said would come, and did not, makes room for what they say now.
bool TracedWrites::has_room(std::uint64_t now) {
  if (writes_.size() < most_traces) return true;
  std::erase_if(writes_, [&](const Writes::value_type& write) {
    return !write.first.node.is_zero() && write.second.queued_ns + forgotten_after_ns < now;
  });
  return writes_.size() < most_traces;
}

void TracedWrites::begin_forwarded(base::NodeId from, const ForwardTraces& traces) {
  const std::uint64_t now = now_ns();
  const base::MutexLock lock(mutex_);
  for (const ForwardTraces::Write& write : traces.writes) {
    if (!has_room(now)) break;
    writes_.try_emplace(
        {.node = from, .incarnation = traces.incarnation, .sequence = write.sequence},
        Traced{.parent = {.trace = write.trace, .span = write.span, .is_sampled = true}, .queued_ns = now});
  }
  count_writes();
}

void TracedWrites::take(const base::RequestId& first, std::uint64_t count) {
  base::RequestId behind = first;
  behind.sequence += count;
  const base::MutexLock lock(mutex_);
  const auto end = writes_.lower_bound(behind);
  for (auto at = writes_.lower_bound(first); at != end; ++at) {
    if (at->second.taken_ns == 0) at->second.taken_ns = now_ns();
  }
}

ForwardTraces TracedWrites::note_forwarded(const Batch& batch) {
  ForwardTraces traces;
  const base::MutexLock lock(mutex_);
  const auto end = writes_.lower_bound(own(batch.first_sequence() + batch.count()));
  for (auto at = writes_.lower_bound(own(batch.first_sequence())); at != end; ++at) {
    Traced& write = at->second;
    if (write.taken_ns == 0) {  // else it is passed on once more
      write.taken_ns = now_ns();
      write.forward_span = Tracer::new_span_id();
    }
    if (write.forward_span == 0 || traces.writes.size() == most_traces) continue;
    traces.writes.push_back({.sequence = at->first.sequence, .trace = write.parent.trace, .span = write.forward_span});
  }
  return traces;
}

/// All that were proposed before and not synced were in what was written just now.
void TracedWrites::note_synced() {
  const std::uint64_t synced_ns = now_ns();
  const base::MutexLock lock(mutex_);
  for (auto& [request, write] : writes_) {
    if (write.taken_ns == 0 || write.synced_ns != 0 || write.forward_span != 0) continue;
    write.sync_began_ns = step_began_ns_;
    write.synced_ns = synced_ns;
  }
}

void TracedWrites::tell(std::span<const store::Applied> applied, base::NodeId node, std::uint64_t incarnation) {
  const std::uint64_t applied_ns = now_ns();
  const base::MutexLock lock(mutex_);
  for (const store::Applied& one : applied) {
    const bool is_own = one.request.node == node && one.request.incarnation == incarnation;
    const auto found = writes_.find(is_own ? own(one.request.sequence) : one.request);
    if (found == writes_.end()) continue;
    // Others' writes that were not proposed here after all have their spans where they were.
    if (is_own || found->second.taken_ns != 0) tell(found->second, applied_ns);
    writes_.erase(found);
  }
  count_writes();
}

void TracedWrites::tell(const Traced& write, std::uint64_t applied_ns) {
  const std::uint64_t taken_ns = write.taken_ns == 0 ? step_began_ns_ : write.taken_ns;
  tell(write, "concord.raft.propose", write.queued_ns, taken_ns, Tracer::new_span_id());
  if (write.synced_ns != 0) {
    tell(write, "concord.log.sync", write.sync_began_ns, write.synced_ns, Tracer::new_span_id());
  }
  if (write.forward_span == 0) {
    tell(write, "concord.raft.replicate", taken_ns, step_began_ns_, Tracer::new_span_id());
  } else {
    tell(write, "concord.raft.forward", taken_ns, step_began_ns_, write.forward_span);
  }
  tell(write, "concord.state.apply", step_began_ns_, applied_ns, Tracer::new_span_id());
}

void TracedWrites::tell(const Traced& write, std::string_view name, std::uint64_t began_ns, std::uint64_t ended_ns,
                        std::uint64_t span) {
  SpanData data;
  data.context = write.parent;
  data.context.span = span;
  data.parent = write.parent.span;
  data.name = name;
  data.start_unix_ns = began_ns;
  data.end_unix_ns = std::max(began_ns, ended_ns);  // whatever the wall clock did
  tracer_->take(std::move(data));
}

void TracedWrites::forget_before(std::uint64_t sequence) {
  if (is_empty()) return;
  const base::MutexLock lock(mutex_);
  writes_.erase(writes_.begin(), writes_.lower_bound(own(sequence)));
  count_writes();
}

}  // namespace concord::node
