// Every configuration key Concord knows: name, type, default, environment variable, flag, meaning. One table; everything that
// reads, prints or completes configuration walks it.
//
// From `section.name` follow `CONCORD_SECTION_NAME` and `--section-name` (with `_` written as `-`). A short environment name
// brings a short flag by the same rule: CONCORD_DATA_DIR, --data-dir.
//
// A list is written by comma ("a, b"; in a file also ["a", "b"]) and may be empty. A secret `section.name` has a second key
// `section.name_file`: the file that holds it.
//
// Thread rule: constant data.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace concord::config {

enum class KeyType : std::uint8_t { text, integer, number, boolean, choice, list };

struct Key {
  std::string_view name;  ///< "section.name"
  KeyType type = KeyType::text;
  std::string_view default_text;  ///< as it would be written in the environment
  std::string_view short_name;    ///< environment name without "CONCORD_", e.g. "DATA_DIR"; empty: none
  std::string_view help;
  std::int64_t low = 0;                                          ///< integer: smallest
  std::int64_t high = std::numeric_limits<std::int64_t>::max();  ///< integer: largest
  std::string_view choices;                                      ///< choice: "disk|os|memory"
  bool secret = false;                                           ///< masked when shown
  bool may_be_empty = false;                                     ///< text: whether "" is a value
  bool reloadable = false;                                       ///< takes effect on SIGHUP; the others need a restart
};

[[nodiscard]] std::span<const Key> keys() noexcept;

/// The key that holds the file of a secret, "auth.token_file"; null for keys that are not secret.
[[nodiscard]] const Key* file_key(const Key& secret) noexcept;

/// Null when there is no such key.
[[nodiscard]] const Key* find_key(std::string_view name) noexcept;

/// "CONCORD_NODE_DATA_DIR"
[[nodiscard]] std::string environment_name(const Key& key);
/// "CONCORD_DATA_DIR", or empty.
[[nodiscard]] std::string short_environment_name(const Key& key);
/// "--node-data-dir"
[[nodiscard]] std::string flag_name(const Key& key);
/// "--data-dir", or empty.
[[nodiscard]] std::string short_flag_name(const Key& key);

}  // namespace concord::config
