// The certificate a server shows, from its files, and again from them when they have changed: nobody needs to restart it.
//
// New connections get the newest one that could be read; those that are open keep theirs. Files that can't be used (a key that does
// not fit its certificate, half of a copy) change nothing, and are tried again when they change. The key must not be encrypted:
// nobody is there to type a password.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include <concord/error.hpp>

#include "base/mutex.hpp"

namespace concord::security {

/// PEM files.
struct TlsFiles {
  std::string certificate;  ///< the server's own first, then those that lead to an authority
  std::string key;
};

class TlsContext {
 public:
  /// Errors: invalid_request, naming the file and what is wrong with it.
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> load(TlsFiles files);

  [[nodiscard]] std::shared_ptr<SSL_CTX> current() const;
  /// Looks at the files. True: they have changed, and were read. Errors: they have changed, and can't be used.
  [[nodiscard]] Result<bool> refresh();

 private:
  /// Of a file: when it changed, its size, and which one it is.
  using Stamp = std::array<std::int64_t, 4>;

  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}
  [[nodiscard]] std::array<Stamp, 2> stamps() const;
  [[nodiscard]] Result<std::shared_ptr<SSL_CTX>> read() const;

  const TlsFiles files_;
  mutable base::Mutex mutex_;
  std::array<Stamp, 2> seen_ ABSL_GUARDED_BY(mutex_) = {};
  std::shared_ptr<SSL_CTX> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::security
