// What a load counted.
//
// Invariant: requests == the counts of both histograms + all errors that end a request; a connection that could not be made
// ends none and is counted beside them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "load/histogram.hpp"

namespace concord::app::load {

struct Tally {
  Histogram reads;   ///< nanoseconds of those answered with success
  Histogram writes;  ///< as reads
  std::uint64_t requests = 0;
  /// By kind: "status 429", "connection lost", "timeout", "malformed response", and of an open load "never sent":
  /// no connection was free for it in time.
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t failed_connects = 0;
  /// What the first error answer of each status said.
  std::map<unsigned, std::string> messages;
  std::uint64_t warmup_requests = 0;  ///< asked before the measured time, counted nowhere else
  std::uint64_t warmup_writes = 0;    ///< those of them that were writes done

  void merge(const Tally& other) {
    reads.merge(other.reads);
    writes.merge(other.writes);
    requests += other.requests;
    for (const auto& [kind, count] : other.errors) errors[kind] += count;
    failed_connects += other.failed_connects;
    messages.insert(other.messages.begin(), other.messages.end());
    warmup_requests += other.warmup_requests;
    warmup_writes += other.warmup_writes;
  }
  [[nodiscard]] std::uint64_t succeeded() const noexcept { return reads.count() + writes.count(); }
};

}  // namespace concord::app::load
