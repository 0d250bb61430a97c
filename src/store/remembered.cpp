#include "store/remembered.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/wire.hpp"
#include "command/limits.hpp"
#include "compress/packed.hpp"
#include "store/hash.hpp"

namespace concord::store {

using base::ClusterTimeMs;
using base::Reader;
using command::GuardFailure;
using command::Once;
using command::OperationResult;
using command::OperationStatus;
using command::Outcome;
using command::Repeat;

namespace {

/// What an item takes beside its bytes: its own fields, its places in queue and index, and what the allocator adds.
constexpr std::uint64_t item_overhead_bytes = 256;
/// A transaction that is remembered frees two that are too old: more go than come.
constexpr std::size_t forgotten_each = 2;
constexpr std::uint64_t digest_seed = 0x2545f4914f6cdd1dU;

std::string name_of(const Once& once) {
  std::string name;
  base::append_bytes(name, once.scope);
  base::append_bytes(name, once.key);
  return name;
}

std::uint64_t cost_bytes(const Remembered::Item& item) { return item.bytes.size() + item_overhead_bytes; }

std::uint64_t digest_of(const Remembered::Item& item) { return hash_bytes(item.bytes, digest_seed); }

bool is_too_old(ClusterTimeMs decided_ms, ClusterTimeMs now_ms) {
  return now_ms - decided_ms > command::once_remembered_ms;
}

bool has_known_type(std::string_view value) {
  return !value.empty() && (value.front() == static_cast<char>(Value::json_tag) ||
                            value.front() == static_cast<char>(Value::bytes_tag) || compress::is_packed(value));
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers as bytes.

void append_byte(std::string& to, auto value) { to.push_back(static_cast<char>(value)); }

void append_answer(std::string& to, const Outcome& outcome) {
  std::uint64_t values_bytes = 0;
  for (const OperationResult& result : outcome.results)
    values_bytes += result.value ? result.value->stored().size() : 0;
  const bool has_values = values_bytes <= Remembered::max_values_bytes;
  append_byte(to, outcome.guard_failure);
  base::append_varint(to, outcome.failed_guard);
  append_byte(to, outcome.changed);
  base::append_varint(to, outcome.revision.value());
  append_byte(to, has_values);
  base::append_varint(to, outcome.results.size());
  for (const OperationResult& result : outcome.results) {
    const bool has_value = has_values && result.value.has_value();
    append_byte(to, result.status);
    base::append_varint(to, result.revision.value());
    base::append_varint(to, result.count);
    append_byte(to, has_value);
    if (has_value) base::append_bytes(to, result.value->stored());
  }
}

bool read_flag(Reader& reader) {
  const std::uint8_t flag = reader.byte();
  if (flag > 1) reader.fail();
  return flag == 1;
}

/// The number of an enumeration that ends with `last`.
template <class Enum>
Enum read_enum(Reader& reader, Enum last) {
  const std::uint8_t number = reader.byte();
  if (number > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(number);
}

OperationResult read_result(Reader& reader, bool has_values) {
  OperationResult result;
  result.status = read_enum(reader, OperationStatus::too_large);
  result.revision = Revision(reader.varint());
  result.count = reader.varint();
  if (!read_flag(reader)) return result;
  const std::string_view value = reader.bytes();
  if (!has_values || !has_known_type(value)) {
    reader.fail();
    return result;
  }
  result.value = Value::from_stored(value);
  return result;
}

Outcome read_answer(Reader& reader) {
  Outcome outcome;
  outcome.guard_failure = read_enum(reader, GuardFailure::key_missing);
  const std::uint64_t failed_guard = reader.varint();
  if (failed_guard >= command::max_batch) reader.fail();
  outcome.failed_guard = static_cast<std::uint32_t>(failed_guard);
  outcome.changed = read_flag(reader);
  outcome.revision = Revision(reader.varint());
  const bool has_values = read_flag(reader);
  outcome.repeat = has_values ? Repeat::replayed : Repeat::replayed_without_values;
  const std::uint64_t count = reader.varint();
  if (count > command::max_batch) reader.fail();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) outcome.results.push_back(read_result(reader, has_values));
  return outcome;
}

bool is_decided(const Outcome& outcome) {
  if (outcome.changed) return true;
  for (const OperationResult& result : outcome.results) {
    if (result.status == OperationStatus::too_large) return false;
  }
  return true;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------

std::optional<Outcome> Remembered::find(const Once& once, ClusterTimeMs now_ms) const {
  const auto found = numbers_.find(name_of(once));
  if (found == numbers_.end()) return std::nullopt;
  const Item& item = *items_[static_cast<std::size_t>(found->second - first_number_)];
  if (is_too_old(item.decided_ms, now_ms)) return std::nullopt;
  Outcome outcome;
  if (item.fingerprint != once.fingerprint) {
    outcome.repeat = Repeat::conflict;
    return outcome;
  }
  Reader reader(std::string_view(item.bytes).substr(item.answer_at));
  outcome = read_answer(reader);
  CONCORD_CHECK(reader.finished(), "an answer was checked before it was kept");
  return outcome;
}

void Remembered::remember(const Once& once, ClusterTimeMs now_ms, const Outcome& outcome) {
  forget_old(now_ms, forgotten_each);
  if (!is_decided(outcome)) return;
  auto item = std::make_shared<Item>();
  item->bytes = name_of(once);
  item->name_bytes = item->bytes.size();
  item->fingerprint = once.fingerprint;
  item->decided_ms = now_ms;
  base::append_fixed64(item->bytes, once.fingerprint);
  base::append_varint(item->bytes, now_ms);
  item->answer_at = item->bytes.size();
  append_answer(item->bytes, outcome);
  item->bytes.shrink_to_fit();
  if (const auto before = numbers_.find(item->name()); before != numbers_.end()) drop(before->second);
  add(std::move(item));
  while (size_bytes_ > max_bytes) {
    drop(first_number_);
    items_.pop_front();
    ++first_number_;
  }
}

void Remembered::forget_old(ClusterTimeMs now_ms, std::size_t most) {
  for (; most > 0 && !items_.empty(); --most) {
    if (items_.front() != nullptr && !is_too_old(items_.front()->decided_ms, now_ms)) return;
    drop(first_number_);
    items_.pop_front();
    ++first_number_;
  }
}

bool Remembered::load(std::string_view bytes, ClusterTimeMs now_ms) {
  auto item = std::make_shared<Item>();
  item->bytes = bytes;
  Reader reader(item->bytes);
  const std::string_view scope = reader.bytes();
  const std::string_view key = reader.bytes();
  item->name_bytes = reader.offset();
  item->fingerprint = reader.fixed64();
  item->decided_ms = reader.varint();
  item->answer_at = reader.offset();
  (void)read_answer(reader);
  if (!reader.finished() || scope.size() > command::max_once_bytes) return false;
  if (key.empty() || key.size() > command::max_once_bytes) return false;
  if (item->decided_ms > now_ms || (!items_.empty() && item->decided_ms < items_.back()->decided_ms)) return false;
  if (numbers_.contains(item->name())) return false;
  add(std::move(item));
  return size_bytes_ <= max_bytes;
}

Remembered::Items Remembered::pin() const {
  Items pinned;
  pinned.reserve(numbers_.size());
  for (const auto& item : items_) {
    if (item != nullptr) pinned.push_back(item);
  }
  return pinned;
}

void Remembered::add(std::shared_ptr<const Item> item) {
  size_bytes_ += cost_bytes(*item);
  digest_ += digest_of(*item);
  numbers_.emplace(item->name(), first_number_ + items_.size());
  items_.push_back(std::move(item));
}

/// Leaves its place in the queue empty.
void Remembered::drop(std::uint64_t number) {
  auto& item = items_[static_cast<std::size_t>(number - first_number_)];
  if (item == nullptr) return;
  size_bytes_ -= cost_bytes(*item);
  digest_ -= digest_of(*item);
  numbers_.erase(item->name());
  item.reset();
}

}  // namespace concord::store
