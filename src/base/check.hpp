// Invariants that are checked in production too.
//
// A library may not abort its host. A broken invariant therefore throws `InvariantFailure`, an exception that no code but
// the drivers of a room's work (node, sim) may catch; they mark the node failed for good and it acknowledges nothing more.
#pragma once

#include <exception>
#include <string>

namespace concord::base {

class InvariantFailure final : public std::exception {
 public:
  explicit InvariantFailure(std::string what) noexcept : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

[[noreturn]] void invariant_failed(const char* condition, const char* message, const char* file, int line);

}  // namespace concord::base

/// `CONCORD_CHECK(applied <= committed, "applied runs ahead of the commit index")`
#define CONCORD_CHECK(condition, message)                                              \
  do {                                                                                 \
    if (!(condition)) [[unlikely]] {                                                   \
      ::concord::base::invariant_failed(#condition, message, __FILE_NAME__, __LINE__); \
    }                                                                                  \
  } while (false)
