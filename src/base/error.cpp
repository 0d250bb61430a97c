#include <concord/error.hpp>

#include <array>
#include <cstddef>

namespace concord {

std::string_view error_name(Errc code) noexcept {
  static constexpr auto names = std::to_array<std::string_view>({"",
                                                                 "NOT_FOUND",
                                                                 "INVALID_KEY",
                                                                 "INVALID_REQUEST",
                                                                 "MISSING_CONDITION",
                                                                 "CONFLICTING_CONDITIONS",
                                                                 "UNAUTHORIZED",
                                                                 "FORBIDDEN",
                                                                 "CONDITION_FAILED",
                                                                 "COMPACTED",
                                                                 "BATCH_TOO_LARGE",
                                                                 "PAYLOAD_TOO_LARGE",
                                                                 "TOO_MANY_REQUESTS",
                                                                 "CLUSTER_UNAVAILABLE",
                                                                 "TIMEOUT",
                                                                 "STORAGE_FULL",
                                                                 "STORAGE_FAILED",
                                                                 "INTERNAL",
                                                                 "ALREADY_EXISTS",
                                                                 "INVALID_BACKUP"});
  const auto position = static_cast<std::size_t>(code);
  return position < names.size() ? names[position] : "INTERNAL";
}

}  // namespace concord
