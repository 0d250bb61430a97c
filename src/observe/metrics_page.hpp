// The page of all metrics. docs/observability.md lists them; names and labels are part of the promise.
#pragma once

#include <string>

#include <concord/status.hpp>

#include "base/mutex.hpp"
#include "observe/observer.hpp"

namespace concord::observe {

class MetricsPage {
 public:
  explicit MetricsPage(Observer& observer) noexcept : observer_(observer) {}

  /// `is_ready`: the node can serve. Empty when nothing is measured. Thread rule: any thread; one page at a time is made.
  [[nodiscard]] std::string render(const Status& status, bool is_ready);

 private:
  Observer& observer_;
  base::Mutex mutex_;  // quantiles remember the pages before
  std::unique_ptr<Recent> recent_applies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::observe
