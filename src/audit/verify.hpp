// Reads all files of a log and tells what does not fit.
//
// Checked: that each line follows from the one before it, over all files; that each file begins and ends with a mark whose signature is
// good and which counts its lines; that no number of a file is missing, from the oldest on that the state names; that the newest file
// has at least what the state says, and has it as the state says.
//
// Thread rule: a function; the files may be written to, renamed and removed meanwhile by the writer of `live`.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <concord/audit_log.hpp>

#include "audit/state.hpp"
#include "audit/writer.hpp"

namespace concord::audit {

struct VerifySettings {
  const std::string& directory;
  std::string_view key;  ///< empty: signatures are not looked at
  std::function<bool()> is_stopped = {};
  /// How far the writer has come, who runs: more than the state knows.
  std::optional<Position> live = {};
};

/// Errors: those of the files, but for what is missing; cluster_not_ready (stopped).
[[nodiscard]] Result<AuditVerification> verify(env::FileSystem& files, const VerifySettings& settings);

}  // namespace concord::audit
