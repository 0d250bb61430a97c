#include "node/awaited_forwards.hpp"

#include <utility>

#include "base/wire.hpp"
#include "command/limits.hpp"

namespace concord::node {

using base::Reader;
using command::Outcome;

namespace {

/// Refusals are told instead of a guard's failure, behind the numbers of those.
constexpr std::uint8_t refused_from = 16;

void append_byte(std::string& to, auto value) { to.push_back(static_cast<char>(value)); }

/// The number of an enumeration that ends with `last`.
template <class Enum>
Enum read_enum(Reader& reader, Enum last) {
  const std::uint8_t number = reader.byte();
  if (number > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(number);
}

command::OperationResult read_result(Reader& reader) {
  command::OperationResult result;
  result.status = read_enum(reader, command::last_operation_status);
  result.revision = Revision(reader.varint());
  result.count = reader.varint();
  if (reader.byte() == 0) return result;
  const std::string_view value = reader.bytes();
  if (value.empty()) {  // a stored form has its tag at least
    reader.fail();
    return result;
  }
  result.value = Value::from_stored(value);
  return result;
}

Outcome read_outcome(Reader& reader) {
  Outcome outcome;
  const std::uint8_t why = reader.byte();
  if (why > refused_from && why <= refused_from + static_cast<std::uint8_t>(command::last_refusal)) {
    outcome.refusal = static_cast<command::Refusal>(why - refused_from);
  } else {
    outcome.guard_failure = static_cast<command::GuardFailure>(why);
    if (why > static_cast<std::uint8_t>(command::GuardFailure::key_missing)) reader.fail();
  }
  outcome.failed_guard = static_cast<std::uint32_t>(reader.varint());
  outcome.changed = reader.byte() != 0;
  outcome.repeat = read_enum(reader, command::Repeat::conflict);
  outcome.revision = Revision(reader.varint());
  const std::uint64_t count = reader.varint();
  if (count > command::max_batch || outcome.failed_guard >= command::max_batch) reader.fail();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) outcome.results.push_back(read_result(reader));
  return outcome;
}

}  // namespace

void AwaitedForwards::observe(std::span<const store::Applied> applied) {
  if (waiting_.empty()) return;
  for (const store::Applied& one : applied) {
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      const ForwardHead& head = at->batch.head;
      const bool is_of_it = one.request.node == at->batch.from && one.request.incarnation == head.incarnation &&
                            one.request.sequence == head.first_sequence + at->applied;
      if (!is_of_it) continue;
      append_outcome(at->outcomes, one.outcome);
      if (++at->applied == head.count) {
        at->batch.done(std::move(at->outcomes));
        waiting_.erase(at);
      }
      break;
    }
  }
}

void AwaitedForwards::fail_all(const Error& error) {
  for (Waiting& waiting : waiting_) waiting.batch.done(std::unexpected(error));
  waiting_.clear();
}

void append_outcome(std::string& to, const Outcome& outcome) {
  if (outcome.refusal != command::Refusal::none) {
    append_byte(to, refused_from + static_cast<std::uint8_t>(outcome.refusal));
  } else {
    append_byte(to, outcome.guard_failure);
  }
  base::append_varint(to, outcome.failed_guard);
  append_byte(to, outcome.changed);
  append_byte(to, outcome.repeat);
  base::append_varint(to, outcome.revision.value());
  base::append_varint(to, outcome.results.size());
  for (const command::OperationResult& result : outcome.results) {
    append_byte(to, result.status);
    base::append_varint(to, result.revision.value());
    base::append_varint(to, result.count);
    append_byte(to, result.value.has_value());
    if (result.value) base::append_bytes(to, result.value->stored());
  }
}

Result<std::vector<Outcome>> decode_outcomes(std::string_view bytes) {
  Reader reader(bytes);
  std::vector<Outcome> outcomes;
  while (reader.ok() && !reader.finished()) outcomes.push_back(read_outcome(reader));
  if (!reader.finished()) return fail(Errc::invalid_request, "the bytes are no outcomes");
  return outcomes;
}

}  // namespace concord::node
