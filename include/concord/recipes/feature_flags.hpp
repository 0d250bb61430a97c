// Feature flags: switches that programs read all the time and people turn now and then.
//
//     concord::FeatureFlags flags(store);
//     flags.set("new-search", {.enabled = true, .percent = 25, .allow = {"user:1"}, .deny = {"user:2"}});
//     if (flags.is_enabled_or("new-search", "user:17", false)) ...
//     flags.disable("new-search");                        // for everybody, at once; the rest of the flag stays as it is
//
// Whether a flag is on for a subject, in this order:
//
//   1. not enabled: off;                                2. the subject is in `deny`: off;
//   3. the subject is in `allow`: on;                   4. else on for `percent` of the subjects.
//
// Which subjects: FNV-1a (64 bits) over the flag's name, one zero byte and the subject; then x ^= x >> 33, x *= 0xff51afd7ed558ccd,
// x ^= x >> 33; the remainder by 10 000 is the subject's place, and the flag is on below percent * 100. So a subject keeps its
// answer everywhere and forever, a higher percentage only adds subjects, and flags are independent of each other. A question
// without a subject (an empty one) is answered by the first line and then by `percent == 100`.
//
// Keys: `<prefix><name>`, by default "flags/new-search". The value is a JSON object with the members of `FeatureFlag`; one that
// is missing has its default, unknown ones are left out. `true`, "enabled", `false` and "disabled" are read as flags too.
//
// Guarantee: `update`, `enable` and `disable` change the flag that is there at that moment: of two changes none is lost.
//
// Thread rule: a `FeatureFlags` may be used by many threads at once. The store must outlive it and stay where it is.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/revision.hpp>
#include <concord/store.hpp>

namespace concord {

/// A value like any other: `store.get<FeatureFlag>("flags/new-search")` reads one.
struct FeatureFlag {
  bool enabled = false;
  double percent = 100;                 ///< Of subjects, 0 to 100, in steps of 0.01.
  std::vector<std::string> allow = {};  ///< Subjects who have it whatever `percent` says.
  std::vector<std::string> deny = {};   ///< Subjects who have it not. Wins over `allow`.

  /// The rule above.
  [[nodiscard]] CONCORD_API bool is_on(std::string_view name, std::string_view subject = {}) const;

  friend bool operator==(const FeatureFlag& a, const FeatureFlag& b) = default;
};

CONCORD_API void tag_invoke(boost::json::value_from_tag, boost::json::value& json, const FeatureFlag& flag);
CONCORD_API FeatureFlag tag_invoke(boost::json::value_to_tag<FeatureFlag>, const boost::json::value& json);

struct FeatureFlagsOptions {
  std::string prefix = "flags/";
  std::optional<ReadConsistency> consistency = {};  ///< Of reads. None: `Options::default_consistency`.
  std::chrono::milliseconds timeout{5000};          ///< Of each call.
  std::string token = {};                           ///< Looked at when authentication is on.
};

class CONCORD_API FeatureFlags {
 public:
  explicit FeatureFlags(Store& store, FeatureFlagsOptions options = {});

  /// Whether the flag is on. Errors: not_found for a flag that does not exist, invalid_request when its key holds something else.
  [[nodiscard]] Result<bool> is_enabled(std::string_view name, std::string_view subject = {}) const;

  /// The same, and `fallback` when there is an error, whichever.
  [[nodiscard]] bool is_enabled_or(std::string_view name, std::string_view subject, bool fallback) const;

  /// Errors: as `is_enabled`.
  [[nodiscard]] Result<FeatureFlag> get(std::string_view name) const;
  [[nodiscard]] FeatureFlag get_or(std::string_view name, FeatureFlag fallback) const;

  /// Makes the flag this, whatever it was. Errors: invalid_request for a percentage outside 0 to 100.
  Result<Revision> set(std::string_view name, const FeatureFlag& flag);

  /// Changes the flag that is there; `change` gets it and may run several times. Errors: not_found; invalid_request for a
  /// percentage outside 0 to 100.
  Result<FeatureFlag> update(std::string_view name, const std::function<FeatureFlag(FeatureFlag)>& change);

  /// Turns on or off and leaves the rest. A flag that does not exist is created, for all subjects or none.
  Result<FeatureFlag> enable(std::string_view name);
  Result<FeatureFlag> disable(std::string_view name);

  /// Errors: not_found.
  Result<void> remove(std::string_view name);

  /// All flags by name, as of one moment. Keys that hold something else are left out.
  [[nodiscard]] Result<std::map<std::string, FeatureFlag, std::less<>>> list() const;

 private:
  [[nodiscard]] std::string key_of(std::string_view name) const;
  [[nodiscard]] ReadOptions for_read() const;
  Result<FeatureFlag> turn(std::string_view name, bool enabled);

  Store* store_;
  FeatureFlagsOptions options_;
};

}  // namespace concord
