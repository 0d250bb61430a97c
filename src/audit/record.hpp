// What an entry says, before it is text: what the API tells of an operation, and how it waits to be written.
//
// A `Record` views everything; `append_record` copies it into a buffer, as cheaply as can be: callers pay for it. The buffer never leaves
// the process, so its form is that of this build.
//
// Thread rule: ordinary values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/revision.hpp>

#include "command/token.hpp"

namespace concord::audit {

enum class Outcome : std::uint8_t { ok, not_found, unauthorized, forbidden, error };

/// "ok", "not_found", "unauthorized", "forbidden", "error".
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;
/// None: there is no such outcome.
[[nodiscard]] std::optional<Outcome> outcome_named(std::string_view name) noexcept;
[[nodiscard]] Outcome outcome_of(Errc code) noexcept;

struct Record {
  std::int64_t time_us = 0;  ///< by the wall clock
  std::string_view operation = {};
  Outcome outcome = Outcome::ok;
  std::string_view error = {};   ///< the name of its code
  command::TokenId user = {};    ///< 0: of no token
  bool is_by_system = false;     ///< of the log itself
  std::string_view key = {};     ///< empty: of no single key
  std::string_view client = {};  ///< address
  std::uint64_t revision = 0;    ///< 0: none
  std::uint64_t trace_high = 0;  ///< 0, as the next two: it was not traced
  std::uint64_t trace_low = 0;
  std::uint64_t span = 0;
  std::optional<bool> has_ttl = {};
  std::uint32_t ttl_s = 0;
  std::optional<bool> is_compressed = {};
  std::optional<std::uint64_t> count = {};      ///< of what a query has removed
  std::string_view target = {};                 ///< a member, a token, a file
  std::span<const std::string_view> keys = {};  ///< of a call on many
  std::string_view metadata = {};               ///< further members: JSON text without its braces
};

void append_record(std::string& to, const Record& record);

/// Takes apart what `append_record` has put together. The record views the buffer and this reader.
class RecordReader {
 public:
  explicit RecordReader(std::string_view buffer) noexcept : rest_(buffer) {}

  /// False at the end.
  [[nodiscard]] bool next(Record& record);

 private:
  std::string_view take(std::size_t size) noexcept {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  std::vector<std::string_view> keys_;
};

}  // namespace concord::audit
