// One API operation, from where it begins to where its caller gets the answer.
//
// Thread rule: one thread at a time; it may end on another one than it began on. `end` once; a call that never ends is not counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "observe/observer.hpp"

namespace concord::observe {

struct CallDetails {
  std::optional<ReadConsistency> consistency = {};  ///< of a read
  std::optional<bool> has_ttl = {};                 ///< of a put
  bool is_long = false;                             ///< it takes long enough for a clock to cost nothing: always timed
  std::string_view key = {};                        ///< of a call on one key; viewed while the call begins
  const Span* parent = nullptr;                     ///< of its span; null: the thread's current one
};

class Call {
 public:
  Call(Observer& observer, ApiOperation operation, const CallDetails& details)
      : observer_(&observer),
        consistency_(details.consistency),
        has_ttl_(details.has_ttl),
        operation_(operation),
        is_timed_(details.is_long || observer.wants_time(operation)) {
    if (observer.is_watching(Watch::tracing)) [[unlikely]]
      begin_span(details);
    if (is_timed_) began_ = observer.clock().now();
  }

  /// `error`: none, it succeeded.
  void end(std::optional<Errc> error) noexcept {
    std::optional<std::uint64_t> duration_ns;
    if (is_timed_) duration_ns = observer_->clock().duration_ns(began_, observer_->clock().now());
    if (Metrics* const metrics = observer_->metrics())
      metrics->api.record(operation_, error, consistency_, duration_ns);
    if (span_) [[unlikely]]
      end_span(error);
    if (duration_ns && observer_->is_told_of_calls()) tell(error, *duration_ns);
  }

  /// Null: it is not traced.
  [[nodiscard]] Span* span() const noexcept { return span_.get(); }

 private:
  void begin_span(const CallDetails& details);
  void end_span(std::optional<Errc> error) noexcept;
  void tell(std::optional<Errc> error, std::uint64_t duration_ns) const noexcept;

  Observer* observer_;
  TickClock::Ticks began_ = 0;
  std::unique_ptr<Span> span_;
  std::optional<ReadConsistency> consistency_;
  std::optional<bool> has_ttl_;
  ApiOperation operation_;
  bool is_timed_;
};

}  // namespace concord::observe
