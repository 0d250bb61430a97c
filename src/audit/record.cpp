#include "audit/record.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace concord::audit {
namespace {

constexpr std::array<std::string_view, 5> names = {"ok", "not_found", "unauthorized", "forbidden", "error"};

/// Stands before the texts, in their order; then come the keys of a call on many, each behind its size.
struct Head {
  std::int64_t time_us;
  std::uint64_t user;
  std::uint64_t revision;
  std::uint64_t trace_high;
  std::uint64_t trace_low;
  std::uint64_t span;
  std::uint64_t count;
  std::uint32_t ttl_s;
  std::uint32_t key_count;
  std::uint32_t metadata_size;
  std::uint16_t operation_size;
  std::uint16_t error_size;
  std::uint16_t key_size;
  std::uint16_t client_size;
  std::uint16_t target_size;
  Outcome outcome;
  bool is_by_system;
  std::uint8_t has_ttl;        ///< 0: nothing to tell, 1: no, 2: yes
  std::uint8_t is_compressed;  ///< likewise
  bool has_count;
};
static_assert(std::is_trivially_copyable_v<Head>);

constexpr std::uint8_t told(std::optional<bool> fact) noexcept {
  return static_cast<std::uint8_t>(!fact ? 0 : *fact ? 2 : 1);
}

constexpr std::optional<bool> fact_of(std::uint8_t told) noexcept {
  return told == 0 ? std::nullopt : std::optional(told == 2);
}

constexpr std::string_view cut(std::string_view text) noexcept { return text.substr(0, UINT16_MAX); }

/// Returns where it ends. Most texts of a record are empty.
char* copy(char* to, const void* from, std::size_t size_bytes) noexcept {
  if (size_bytes > 0) std::memcpy(to, from, size_bytes);
  return to + size_bytes;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept { return names[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> outcome_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Outcome>(found - names.begin());
}

Outcome outcome_of(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return Outcome::not_found;
    case Errc::unauthorized: return Outcome::unauthorized;
    case Errc::forbidden: return Outcome::forbidden;
    default: return Outcome::error;
  }
}

void append_record(std::string& to, const Record& record) {
  const std::string_view texts[] = {cut(record.operation), cut(record.error), cut(record.key), cut(record.client),
                                    cut(record.target)};
  Head head{.time_us = record.time_us,
            .user = record.user.value(),
            .revision = record.revision,
            .trace_high = record.trace_high,
            .trace_low = record.trace_low,
            .span = record.span,
            .count = record.count.value_or(0),
            .ttl_s = record.ttl_s,
            .key_count = static_cast<std::uint32_t>(record.keys.size()),
            .metadata_size = static_cast<std::uint32_t>(record.metadata.size()),
            .operation_size = static_cast<std::uint16_t>(texts[0].size()),
            .error_size = static_cast<std::uint16_t>(texts[1].size()),
            .key_size = static_cast<std::uint16_t>(texts[2].size()),
            .client_size = static_cast<std::uint16_t>(texts[3].size()),
            .target_size = static_cast<std::uint16_t>(texts[4].size()),
            .outcome = record.outcome,
            .is_by_system = record.is_by_system,
            .has_ttl = told(record.has_ttl),
            .is_compressed = told(record.is_compressed),
            .has_count = record.count.has_value()};
  std::size_t size = to.size() + sizeof head + record.metadata.size();
  for (const std::string_view text : texts) size += text.size();
  for (const std::string_view key : record.keys) size += sizeof(std::uint32_t) + key.size();
  const std::size_t before = to.size();
  to.resize_and_overwrite(size, [&](char* buffer, std::size_t) {
    char* at = copy(buffer + before, &head, sizeof head);
    for (const std::string_view text : texts) at = copy(at, text.data(), text.size());
    at = copy(at, record.metadata.data(), record.metadata.size());
    for (const std::string_view key : record.keys) {
      const auto key_size = static_cast<std::uint32_t>(key.size());
      at = copy(at, &key_size, sizeof key_size);
      at = copy(at, key.data(), key.size());
    }
    return size;
  });
}

bool RecordReader::next(Record& record) {
  if (rest_.size() < sizeof(Head)) return false;
  Head head;
  std::memcpy(&head, take(sizeof head).data(), sizeof head);
  record = {.time_us = head.time_us,
            .operation = take(head.operation_size),
            .outcome = head.outcome,
            .error = take(head.error_size),
            .user = command::TokenId(head.user),
            .is_by_system = head.is_by_system,
            .key = take(head.key_size),
            .client = take(head.client_size),
            .revision = head.revision,
            .trace_high = head.trace_high,
            .trace_low = head.trace_low,
            .span = head.span,
            .has_ttl = fact_of(head.has_ttl),
            .ttl_s = head.ttl_s,
            .is_compressed = fact_of(head.is_compressed),
            .count = head.has_count ? std::optional(head.count) : std::nullopt,
            .target = take(head.target_size),
            .metadata = take(head.metadata_size)};
  keys_.clear();
  for (std::uint32_t i = 0; i < head.key_count; ++i) {
    std::uint32_t size = 0;
    std::memcpy(&size, take(sizeof size).data(), sizeof size);
    keys_.push_back(take(size));
  }
  record.keys = keys_;
  return true;
}

}  // namespace concord::audit
