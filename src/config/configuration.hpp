// The effective configuration of a node: flags > environment > TOML file > defaults, each value with its origin.
//
//     auto configuration = config::load({.flags = ..., .environment = ..., .config_path = ...});
//     if (!configuration) { print configuration.error().message() }     // every problem, a line each
//     for (auto& warning : configuration->warnings) log it;
//     concord::Options options = configuration->database_options();
//
// The start is stopped by: unknown keys and bad values in the file or in flags, known environment variables with bad values,
// values that ask for a feature this version does not have. Unknown CONCORD_* variables are warnings (Kubernetes makes some).
// When the short and the long name of a key disagree, the long one wins, with a warning.
//
// A secret may stand in a file instead (`auth.token_file`); giving both is an error.
//
// Thread rule: an ordinary value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/compression.hpp>
#include <concord/error.hpp>
#include <concord/options.hpp>

#include "config/key_table.hpp"

namespace concord::config {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// What configuration is made from.
struct Sources {
  NamedValues flags;        ///< "--node-data-dir" or "--data-dir", and the value as written
  NamedValues environment;  ///< every variable of the process; others than CONCORD_* are not looked at
  std::optional<std::string> config_path = {};  ///< --config; else CONCORD_CONFIG; else `default_path` when that exists
  std::string default_path = "/etc/concord/concord.toml";
};

/// One key with its effective value. `value` is normalised: "true", "4000", never " 4000".
struct Setting {
  const Key* key = nullptr;
  std::string value;
  std::string origin;  ///< "default", "file concord.toml:3", "environment CONCORD_API_PORT", "flag --api-port",
                       ///< "auth.token_file /run/secrets/token"
};

/// The value as people may see it: a secret is masked.
[[nodiscard]] std::string shown(const Setting& setting);

/// A key whose value is another one in a newer configuration. Secrets are masked.
struct Change {
  const Key* key = nullptr;
  std::string before;
  std::string after;
};

class Configuration {
 public:
  /// In the order of the table; every key once.
  [[nodiscard]] const std::vector<Setting>& settings() const noexcept { return settings_; }

  /// Precondition of all six: `name` is in the table, with that type.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;

  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

  /// Nobody has set it. Precondition as above.
  [[nodiscard]] bool is_default(std::string_view name) const;

  [[nodiscard]] Options database_options() const;

  [[nodiscard]] ClusterOptions cluster_options() const;
  [[nodiscard]] AuditLogOptions audit_log_options() const;

  [[nodiscard]] TracingOptions tracing_options() const;

  /// Invariant: `Compression::check` accepts them.
  [[nodiscard]] CompressionOptions compression_options() const;

  /// A line `section.name = value  # origin` for each key; secrets masked.
  [[nodiscard]] std::string show() const;

  /// Takes over from `newer`, read from the same sources later, the values of the reloadable keys. Returns all that differs, in
  /// the order of the table: what is not reloadable stays as it is, and is reported again the next time.
  std::vector<Change> reload(const Configuration& newer);

  /// Things that did not stop the start, for people.
  std::vector<std::string> warnings;

 private:
  friend Result<Configuration> load(const Sources& sources);
  friend class Loader;

  std::vector<Setting> settings_;
};

/// Errors: invalid_request, with every problem on a line of its own.
[[nodiscard]] Result<Configuration> load(const Sources& sources);

/// "; did you mean --api-port?", or empty.
[[nodiscard]] std::string suggest_flag(std::string_view flag);

/// The variables of this process.
[[nodiscard]] NamedValues process_environment();

/// Brings a value of `key` into its normal form. Errors: invalid_request, saying what is allowed.
[[nodiscard]] Result<std::string> normalise(const Key& key, std::string_view value);

}  // namespace concord::config
