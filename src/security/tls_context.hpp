// The certificate one shows, and whom one lets in by theirs: from files, and again from them when they have changed. Nobody needs to
// restart anything.
//
// New connections get the newest one that could be read; those that are open keep theirs. Files that can't be used (a key that does
// not fit its certificate, half of a copy) change nothing, and are tried again when they change. Nothing of a session is kept for a
// later one where certificates are asked for: each connection is judged anew.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <openssl/ssl.h>

#include <concord/error.hpp>

#include "base/mutex.hpp"
#include "security/tls_files.hpp"

namespace concord::security {

/// Who shows it.
enum class TlsUse : std::uint8_t {
  server,  ///< of the API; with an authority a client must show a certificate too
  member,  ///< of a cluster, which is both server and client. Needs an authority. The other end's certificate must be good for a
           ///< server, whoever dialled: what was made for clients of the API makes no member
};

class TlsContext {
 public:
  /// Errors: invalid_request, naming the file and what is wrong with it.
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> load(TlsFiles files, TlsUse use = TlsUse::server);

  [[nodiscard]] std::shared_ptr<SSL_CTX> current() const;
  /// Looks at the files. True: they have changed, and were read. Errors: they have changed, and can't be used.
  [[nodiscard]] Result<bool> refresh();

 private:
  /// Of a file: when it changed, its size, and which one it is.
  using Stamp = std::array<std::int64_t, 4>;
  using Stamps = std::array<Stamp, 3>;

  TlsContext(TlsFiles files, TlsUse use) : files_(std::move(files)), use_(use) {}
  [[nodiscard]] Stamps stamps() const;
  [[nodiscard]] Result<std::shared_ptr<SSL_CTX>> read() const;
  [[nodiscard]] Result<void> read_own(SSL_CTX* context) const;
  [[nodiscard]] Result<void> read_authority(SSL_CTX* context) const;

  const TlsFiles files_;
  const TlsUse use_;
  mutable base::Mutex mutex_;
  Stamps seen_ ABSL_GUARDED_BY(mutex_) = {};
  std::shared_ptr<SSL_CTX> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::security
