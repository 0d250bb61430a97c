#include "transport/address.hpp"

#include <gtest/gtest.h>

namespace concord::transport {
namespace {

TEST(Address, IsAHostAndAPort) {
  const auto named = parse_address("node-1.example:9100");
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->host, "node-1.example");
  EXPECT_EQ(named->port, 9100);
}

TEST(Address, OfIPv6StandsInBrackets) {
  const auto six = parse_address("[::1]:65535");
  ASSERT_TRUE(six.has_value());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 65535);
}

TEST(Address, ThatIsNoneIsNamed) {
  for (const char* text :
       {"", "host", ":9100", "host:", "host:0", "host:65536", "host:12x", "host: 1", "host:-1", "::1:9100", "[]:1"}) {
    const auto refused = parse_address(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code(), Errc::invalid_request);
    EXPECT_TRUE(refused.error().message().contains(std::string("\"") + text + "\"")) << refused.error().message();
  }
}

}  // namespace
}  // namespace concord::transport
