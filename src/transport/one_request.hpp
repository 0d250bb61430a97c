// A request to an address: a connection is made for it, and closed when the answer came or can't come any more.
//
// Alive from `start` until it is over, by what is under way for it. Thread rule: the transport's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "transport/connection.hpp"
#include "transport/dial.hpp"
#include "transport/shared.hpp"

namespace concord::transport {

class OneRequest final : public std::enable_shared_from_this<OneRequest> {
 public:
  using Answer = Result<std::pair<Identity, std::string>>;
  using Done = std::move_only_function<void(Answer)>;
  using OnOver = std::move_only_function<void(const std::shared_ptr<OneRequest>&)>;

  struct Question {
    std::string address = {};
    std::uint8_t method = 0;
    std::string body = {};
    Connection::Time deadline = {};
  };

  OneRequest(std::shared_ptr<Shared> shared, Question question, Done done);

  /// `on_over` is called after `done`.
  void start(OnOver on_over);
  /// The transport goes.
  void cancel();
  void check_alive();

 private:
  void take(Agreed<std::shared_ptr<Connection>> outcome);
  void finish(Answer answer);

  const std::shared_ptr<Shared> shared_;
  Question question_;
  Done done_;  ///< empty: it is over
  OnOver on_over_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Dial> dial_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace concord::transport
