// Forwarded batches whose senders wait for the outcomes: they can't apply the entries themselves now, because their disks are full.
//
// The answer, once the batch is applied here (never renumber):
//
//   answer   := outcome*                                                one a command, in order
//   outcome  := guard_failure:u8 (16 + refusal, of a command that was refused) failed_guard:varint changed:u8 repeat:u8 revision:varint count:varint result*
//   result   := status:u8 revision:varint count:varint (0:u8 | 1:u8 value:bytes)
//
// Thread rule: the driver's.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "node/input.hpp"
#include "store/state_machine.hpp"

namespace concord::node {

class AwaitedForwards {
 public:
  /// It was proposed here.
  void add(ForwardedBatch&& batch) { waiting_.push_back({.batch = std::move(batch), .outcomes = {}}); }
  /// Answers those of which this is the last.
  void observe(std::span<const store::Applied> applied);
  /// Whether they will be applied is not known here any more.
  void fail_all(const Error& error);

 private:
  struct Waiting {
    ForwardedBatch batch;
    std::string outcomes;
    std::uint64_t applied = 0;
  };
  std::list<Waiting> waiting_;
};

void append_outcome(std::string& to, const command::Outcome& outcome);
/// Errors: invalid_request.
[[nodiscard]] Result<std::vector<command::Outcome>> decode_outcomes(std::string_view bytes);

}  // namespace concord::node
