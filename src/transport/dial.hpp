// One attempt to connect to an address: its name is resolved, one of its addresses connected, TLS agreed upon where members speak it,
// the handshake done.
//
// All of it together takes no longer than `limits.handshake_timeout`. Thread rule: the transport's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "transport/address.hpp"
#include "transport/connection.hpp"
#include "transport/handshake.hpp"
#include "transport/packets.hpp"
#include "transport/shared.hpp"
#include "transport/stream.hpp"

namespace concord::transport {

class Dial final : public std::enable_shared_from_this<Dial> {
 public:
  /// A connection that isn't started, or why there is none.
  using Done = std::move_only_function<void(Agreed<std::shared_ptr<Connection>>)>;

  Dial(std::shared_ptr<Shared> shared, std::string address, Purpose purpose, Expected expected);

  /// `done` is called later, once, unless `cancel` came before.
  void start(Done done);
  void cancel();

 private:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  void begin();
  void resolve(const Address& address);
  void connect(const Endpoints& endpoints);
  void secure();
  void greet();
  void take_answer(Agreed<std::string_view> packet);
  void take_welcome(Agreed<std::string_view> packet);
  void finish(Agreed<std::shared_ptr<Connection>> outcome);
  void give_up(const Refusal& refusal);

  const std::shared_ptr<Shared> shared_;  ///< before what belongs to its context
  const std::string address_;
  const Purpose purpose_;
  const Expected expected_;
  boost::asio::ip::tcp::resolver resolver_;
  Stream stream_;
  boost::asio::steady_timer timer_;
  Packets packets_;
  std::optional<DiallerHandshake> handshake_;
  Done done_;  ///< empty: it is over
};

}  // namespace concord::transport
