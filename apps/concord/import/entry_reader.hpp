// What other stores export, as entries of this one.
//
//   json     what `concord export` writes: JSON lines {"key" or "key_b64", "value", "encoding"?: "base64", "ttl"?: seconds}; what
//            a listing with `meta` shows besides is passed over
//   etcd     what `etcdctl get --prefix "" -w json` prints: {"header", "kvs": [{"key", "value"?, "lease"?, ...}], ...}, key and value
//            as base64; also several behind one another, and the answers of etcd's HTTP gateway, which writes numbers as strings
//   consul   what `consul kv export` prints: [{"key", "flags", "value"}], the value as base64; also the answer of
//            GET /v1/kv/?recurse, whose names begin with capitals
//   redis    JSON lines {"key" or "key_b64", "value", "encoding"?: "base64", "ttl"? or "pttl"?, "type"?}, which a script makes
//            (deploy/scripts/redis-dump.sh); ttls as Redis tells them: -1 for none, -2 for a key that is gone
//
// The values of etcd, Consul and Redis are bytes: `ValueForm` says what becomes of them. In `json` a value is what it is.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <expected>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "import/element_reader.hpp"
#include "import/leases.hpp"

namespace concord::app {

enum class ImportFormat : std::uint8_t { json, etcd, consul, redis };

/// What bytes become.
enum class ValueForm : std::uint8_t {
  automatic,  ///< as `kv put` takes a text: JSON is stored as that, other text as a string; what is no text stays bytes
  text,       ///< a string; what is no text stays bytes
  bytes,      ///< bytes
};

struct ImportSettings {
  ImportFormat format = ImportFormat::json;
  ValueForm values = ValueForm::automatic;
  std::string strip_prefix = {};   ///< taken off the front of each key, which must have it
  std::string prefix = {};         ///< put in front then
  const Leases* leases = nullptr;  ///< of etcd; null: how long they last is not known
  std::uint32_t lease_ttl_s = 0;   ///< for keys whose lease is none of these; 0: no ttl
};

/// One key to be stored.
struct Entry {
  InputPlace place = {};
  std::string key = {};         ///< any bytes
  std::string value_json = {};  ///< in stored form; of bytes their base64
  bool is_bytes = false;
  std::uint32_t ttl_s = 0;   ///< 0: none
  bool has_expired = false;  ///< over there, since it was exported: nothing to be stored
  bool lost_lease = false;   ///< it ends some day over there, and nobody knows when
  bool lost_flags = false;   ///< Consul's number for the application, which has no place here
};

/// Something that is no entry. `is_final`: nothing behind it can be read.
struct EntryProblem {
  InputProblem problem;
  bool is_final = false;
};

class EntryReader {
 public:
  /// Precondition: `settings` outlive the reader.
  EntryReader(std::istream& input, const ImportSettings& settings);

  /// The next one; none at the end.
  [[nodiscard]] std::expected<std::optional<Entry>, EntryProblem> next();

  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return elements_.bytes_read(); }
  /// The input says of itself that it is not all: etcd was asked with a limit.
  [[nodiscard]] bool is_cut_short() const noexcept { return is_cut_short_; }

 private:
  const ImportSettings& settings_;
  bool is_cut_short_ = false;
  ElementReader elements_;
};

}  // namespace concord::app
