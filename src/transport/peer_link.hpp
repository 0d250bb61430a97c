// One channel to one peer: dialled, and dialled again with growing pauses for as long as it is wanted.
//
//   stopped --start--> dialling --handshake--> connected --end--> pausing --> dialling ...
//                         `-- no connection, or refused ----------^
//
// Thread rule: `connection`, `last_error` and `identity` from any thread, the rest on the transport's thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "base/mutex.hpp"
#include "base/random.hpp"
#include "transport/connection.hpp"
#include "transport/dial.hpp"
#include "transport/shared.hpp"
#include "transport/transport.hpp"

namespace concord::transport {

class PeerLink final : public std::enable_shared_from_this<PeerLink> {
 public:
  PeerLink(std::shared_ptr<Shared> shared, Peer peer, Purpose purpose, std::uint64_t seed);

  void start();
  /// Ends what is open and begins anew, at once.
  void renew();
  /// For good.
  void stop();
  /// The node must have this data directory from now on.
  void expect_directory(std::uint64_t directory);
  void check_alive();

  /// Nothing while it is not connected.
  [[nodiscard]] std::shared_ptr<Connection> connection() const;
  [[nodiscard]] std::string last_error() const;
  /// Who answered last.
  [[nodiscard]] Identity identity() const;

 private:
  void dial();
  void take(Agreed<std::shared_ptr<Connection>> outcome);
  void report(const Refusal& refusal);
  void adopt(std::shared_ptr<Connection> connection);
  void lose(const Connection& connection, Lost why);
  void pause();
  void disconnect();

  const std::shared_ptr<Shared> shared_;
  Peer peer_;
  const Purpose purpose_;
  base::Random random_;
  std::chrono::milliseconds pause_;
  std::chrono::steady_clock::time_point connected_at_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Dial> dial_;
  bool is_wanted_ = false;

  mutable base::Mutex mutex_;
  std::shared_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);
  std::string last_error_ ABSL_GUARDED_BY(mutex_) = "not dialled yet";
  Identity identity_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::transport
