// A socket, and the TLS that is spoken on it.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "security/tls_session.hpp"

namespace concord::transport {

struct Stream {
  boost::asio::ip::tcp::socket socket;
  std::unique_ptr<security::TlsSession> tls = {};  ///< none: bytes go as they are
};

}  // namespace concord::transport
