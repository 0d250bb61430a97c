// A key with its value and everything known about it: immutable, counted references, one allocation.
//
// Bytes of a record, behind each other without gaps (the numbers behind the head are not aligned):
//
//   references:u32 value_size:u32 revision:u64 content_hash:u32 key_size_and_flags:u16        the head, 22 bytes
//   create_revision:u64 version:u64       with flag `changed`: only a key that was changed since it was created
//   deadline_ms:u64                       with flag `expires`
//   key value                             value: stored form (concord/value.hpp)
//
// `content_hash` covers key and value, so that a replaced record leaves the digest without its value being read.
//
// Thread rule: anybody who holds a reference may read and retain; the last release frees, on any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <concord/revision.hpp>

#include "base/ids.hpp"

namespace concord::store {

struct RecordFields {
  // Not beside the version, though they are so in a record: a processor would wait for both to be read as one, just after each was written.
  Revision create_revision;
  Revision revision;
  std::uint64_t version = 1;
  std::optional<base::ClusterTimeMs> deadline_ms;
};

class Record {
 public:
  /// One reference belongs to the caller. Precondition: key of at most 1024 bytes, value below 4 GiB.
  [[nodiscard]] static Record* create(std::string_view key, std::string_view value, const RecordFields& fields);

  /// Its one and only change, of a record that nobody asks for its revision yet (store/staging.hpp): it was created and last changed
  /// there. Precondition: version 1.
  void settle(Revision revision) noexcept { revision_ = revision.value(); }

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  [[nodiscard]] std::string_view key() const noexcept { return {key_data(), key_size()}; }
  [[nodiscard]] std::string_view value() const noexcept { return {key_data() + key_size(), value_size_}; }
  [[nodiscard]] Revision revision() const noexcept { return Revision(revision_); }
  [[nodiscard]] Revision create_revision() const noexcept {
    return has(changed) ? Revision(number(0)) : Revision(revision_);
  }
  [[nodiscard]] std::uint64_t version() const noexcept { return has(changed) ? number(8) : 1; }
  [[nodiscard]] bool expires() const noexcept { return has(expires_flag); }
  [[nodiscard]] std::optional<base::ClusterTimeMs> deadline_ms() const noexcept {
    if (!expires()) return std::nullopt;
    return number(has(changed) ? 16 : 0);
  }

  /// This record's part of the store's digest: a hash of all it says.
  [[nodiscard]] std::uint64_t digest() const noexcept;
  /// What it costs, with the allocator's own part.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return static_cast<std::size_t>(key_data() - start()) + key_size() + value_size_;
  }

 private:
  static constexpr std::size_t head_size = 22;
  static constexpr unsigned key_size_bits = 11;  // the rest of the field are flags
  static constexpr unsigned changed = 1U << 11U;
  static constexpr unsigned expires_flag = 1U << 12U;

  Record() noexcept = default;
  ~Record() = default;
  void destroy() noexcept;

  [[nodiscard]] bool has(unsigned flag) const noexcept { return (key_size_and_flags_ & flag) != 0; }
  [[nodiscard]] std::size_t key_size() const noexcept { return key_size_and_flags_ & ((1U << key_size_bits) - 1); }
  [[nodiscard]] const char* start() const noexcept { return reinterpret_cast<const char*>(this); }
  [[nodiscard]] const char* key_data() const noexcept {
    // 16 for `changed`, 8 for `expires`, without a branch.
    return start() + head_size + ((key_size_and_flags_ & changed) >> 7U) + ((key_size_and_flags_ & expires_flag) >> 9U);
  }
  [[nodiscard]] std::uint64_t number(std::size_t offset) const noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, start() + head_size + offset, sizeof value);
    return value;
  }

  std::atomic<std::uint32_t> references_{1};
  std::uint32_t value_size_ = 0;
  std::uint64_t revision_ = 0;
  std::uint32_t content_hash_ = 0;
  std::uint16_t key_size_and_flags_ = 0;
};

/// What malloc of glibc takes for a request: 8 bytes of its own, rounded up to 16, at least 32.
[[nodiscard]] constexpr std::size_t allocated_bytes(std::size_t size_bytes) noexcept {
  return size_bytes <= 24 ? 32 : (size_bytes + 8 + 15) & ~std::size_t{15};
}

/// Owns one reference.
class RecordRef {
 public:
  RecordRef() noexcept = default;
  explicit RecordRef(Record* owned) noexcept : record_(owned) {}
  RecordRef(RecordRef&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  RecordRef& operator=(RecordRef&& other) noexcept {
    std::swap(record_, other.record_);
    return *this;
  }
  ~RecordRef() {
    if (record_ != nullptr) record_->release();
  }
  [[nodiscard]] Record* get() const noexcept { return record_; }
  [[nodiscard]] Record* operator->() const noexcept { return record_; }
  [[nodiscard]] explicit operator bool() const noexcept { return record_ != nullptr; }
  /// Gives the reference away.
  [[nodiscard]] Record* take() noexcept { return std::exchange(record_, nullptr); }

 private:
  Record* record_ = nullptr;
};

}  // namespace concord::store
