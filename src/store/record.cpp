#include "store/record.hpp"

#include <limits>
#include <new>

#include "base/check.hpp"
#include "store/hash.hpp"

namespace concord::store {
namespace {

// Part of the digest, hence the same on every node.
constexpr std::uint64_t content_seed = 0x636f6e74656e7431U;

void put_number(char*& at, std::uint64_t value) noexcept {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

}  // namespace

Record* Record::create(std::string_view key, std::string_view value, const RecordFields& fields) {
  CONCORD_CHECK(key.size() <= 1024 && value.size() <= std::numeric_limits<std::uint32_t>::max(), "sizes fit a record");
  const bool is_changed = fields.version > 1;
  const std::size_t numbers_size = (is_changed ? 16U : 0U) + (fields.deadline_ms ? 8U : 0U);
  const std::size_t size_bytes = std::max(sizeof(Record), head_size + numbers_size + key.size() + value.size());
  auto* memory = static_cast<char*>(::operator new(size_bytes));
  auto* record = new (memory) Record;
  record->value_size_ = static_cast<std::uint32_t>(value.size());
  record->revision_ = fields.revision.value();
  record->key_size_and_flags_ =
      static_cast<std::uint16_t>(key.size() | (is_changed ? changed : 0U) | (fields.deadline_ms ? expires_flag : 0U));
  char* at = memory + head_size;
  if (is_changed) {
    put_number(at, fields.create_revision.value());
    put_number(at, fields.version);
  }
  if (fields.deadline_ms) put_number(at, *fields.deadline_ms);
  const char* content = at;
  std::memcpy(at, key.data(), key.size());
  if (!value.empty()) std::memcpy(at + key.size(), value.data(), value.size());
  record->content_hash_ =
      static_cast<std::uint32_t>(hash_bytes({content, key.size() + value.size()}, content_seed + key.size()) >> 32U);
  return record;
}

void Record::destroy() noexcept {
  this->~Record();
  ::operator delete(static_cast<void*>(this));
}

std::uint64_t Record::digest() const noexcept {
  const std::uint64_t what = fold(content_hash_ ^ detail::salt0, revision_ ^ detail::salt1);
  const std::uint64_t when = fold(create_revision().value() ^ detail::salt2, version() ^ detail::salt3);
  const std::uint64_t until = deadline_ms() ? fold(*deadline_ms() ^ detail::salt1, detail::salt2) : 0;
  return fold(what ^ until, when ^ detail::salt0);
}

std::size_t Record::memory_bytes() const noexcept { return allocated_bytes(std::max(sizeof(Record), size_bytes())); }

}  // namespace concord::store
