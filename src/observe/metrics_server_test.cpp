#include "observe/metrics_server.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace concord::observe {
namespace {

using boost::asio::ip::tcp;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Server : public testing::Test {
 protected:
  Server() {
    auto started = MetricsServer::start("127.0.0.1", 0, [] { return std::string("concord_x 1\n"); });
    EXPECT_TRUE(started) << started.error().message();
    server_ = std::move(*started);
    const std::string& url = server_->url();
    const std::size_t colon = url.rfind(':');
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)));
  }

  std::string ask(const std::string& request) {
    boost::asio::io_context context;
    tcp::socket socket(context);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port_});
    boost::asio::write(socket, boost::asio::buffer(request));
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
    return answer;
  }

  std::unique_ptr<MetricsServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(Server, GivesThePage) {
  EXPECT_THAT(server_->url(), EndsWith("/metrics"));
  const std::string answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nconcord_x 1\n"));
  EXPECT_THAT(ask("HEAD /metrics HTTP/1.1\r\n\r\n"), EndsWith("\r\n\r\n"));
}

TEST_F(Server, RefusesWhatIsNoRequestForIt) {
  EXPECT_THAT(ask("GET /api/v1/kv HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("POST /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask("\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_EQ(ask(std::string(20'000, 'x')), "");
  EXPECT_THAT(ask("GET /metrics?name=x HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Server, APortInUseIsNamed) {
  const auto second = MetricsServer::start("127.0.0.1", port_, [] { return std::string(); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::invalid_request);
  EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(port_)));
}

TEST_F(Server, EndsWithAClientThatSaysNothing) {
  boost::asio::io_context context;
  tcp::socket silent(context);
  silent.connect({boost::asio::ip::make_address("127.0.0.1"), port_});
  EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  server_.reset();
}

}  // namespace
}  // namespace concord::observe
