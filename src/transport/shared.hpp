// What all parts of one transport have in common. Whoever has a socket holds it, so that the io_context outlives the socket: an answer
// to a request may come from any thread after the transport has gone.
//
// Thread rule: `credentials` and `say` from any thread, the rest on the transport's thread.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "base/mutex.hpp"
#include "env/clock.hpp"
#include "security/tls_context.hpp"
#include "transport/handshake.hpp"
#include "transport/once_a_minute.hpp"
#include "transport/transport.hpp"

namespace concord::transport {

class Shared {
 public:
  Shared(const Options& options, Handler& handler_, std::unique_ptr<security::TlsContext> tls_)
      : limits(options.limits),
        handler(handler_),
        tls(std::move(tls_)),
        cookie_(options.cookie),
        log_(options.log),
        clock_(options.clock),
        self_(options.self) {}

  boost::asio::io_context context{1};
  const Limits limits;
  Handler& handler;
  const std::unique_ptr<security::TlsContext> tls;  ///< none: members speak without it
  bool is_closing = false;

  [[nodiscard]] Credentials credentials(std::string binding) const {
    const base::MutexLock lock(self_mutex_);
    return {.self = self_, .cookie = cookie_, .binding = std::move(binding)};
  }
  /// What this node said of itself before.
  Identity set_self(const Identity& self) {
    const base::MutexLock lock(self_mutex_);
    return std::exchange(self_, self);
  }

  void say(LogLevel level, const std::string& line) const {
    if (log_) log_(level, "transport: " + line);
  }
  /// Calls what isn't ours: what it throws must end neither the thread nor what is under way.
  template <class Call>
  void call_out(Call&& call) const {
    try {
      call();
    } catch (const std::exception& failure) {
      say(LogLevel::error, std::string("a handler failed: ") + failure.what());
    }
  }
  /// False when the same was reported of this address less than a minute ago.
  [[nodiscard]] bool may_report(Cause cause, const std::string& address) {
    const std::uint64_t now_ms = clock_ != nullptr ? clock_->monotonic_ms() : env::RealClock().monotonic_ms();
    return reports_.allows(std::to_string(static_cast<unsigned>(cause)) + " " + address, now_ms);
  }

 private:
  const std::string cookie_;
  const std::function<void(LogLevel, const std::string&)> log_;
  const env::Clock* const clock_;
  OnceAMinute reports_;

  mutable base::Mutex self_mutex_;
  Identity self_ ABSL_GUARDED_BY(self_mutex_);
};

}  // namespace concord::transport
