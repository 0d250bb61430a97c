// Goal: nobody gets more than the limits say, and nobody is held up for another one. Method: buckets over a time that the tests own.
#include "security/rate_limits.hpp"

#include <gtest/gtest.h>

namespace concord::security {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RateLimits::Time start{};

Address ipv4(std::uint32_t number) {
  Address address{};
  address[10] = address[11] = 0xff;
  for (std::size_t i = 0; i < 4; ++i) address[12 + i] = static_cast<unsigned char>(number >> (24 - 8 * i));
  return address;
}

TEST(RateLimits, RequestsOfAnAddressComeBackWithTime) {
  RateLimits limits({.requests_per_address_per_s = 10});
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limits.take_request(ipv4(1), start));
  EXPECT_EQ(limits.take_request(ipv4(1), start), seconds(1));
  EXPECT_FALSE(limits.take_request(ipv4(2), start));
  EXPECT_FALSE(limits.take_request(ipv4(1), start + milliseconds(101)));
  EXPECT_TRUE(limits.take_request(ipv4(1), start + milliseconds(101)));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limits.take_request(ipv4(1), start + seconds(100)));
  EXPECT_TRUE(limits.take_request(ipv4(1), start + seconds(100)));
}

TEST(RateLimits, TokensAreCountedApartFromAddresses) {
  RateLimits limits({.requests_per_token_per_s = 2});
  EXPECT_FALSE(limits.take_request(command::TokenId(1), start));
  EXPECT_FALSE(limits.take_request(command::TokenId(1), start));
  EXPECT_TRUE(limits.take_request(command::TokenId(1), start));
  EXPECT_FALSE(limits.take_request(command::TokenId(2), start));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limits.take_request(ipv4(1), start));
}

TEST(RateLimits, ATenantHasTheRateThatItsQuotaSaysNow) {
  RateLimits limits({});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limits.take_request_of_tenant("acme", 3, start));
  EXPECT_EQ(limits.take_request_of_tenant("acme", 3, start), seconds(1));
  EXPECT_FALSE(limits.take_request_of_tenant("acme2", 3, start));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limits.take_request_of_tenant("acme", 5, start + seconds(10)));
  EXPECT_TRUE(limits.take_request_of_tenant("acme", 5, start + seconds(10)));
}

TEST(RateLimits, WhoWasWrongTooOftenIsBlockedForAWhile) {
  RateLimits limits({.auth_failures_per_minute = 6});
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(limits.is_blocked(ipv4(1), start));
    EXPECT_FALSE(limits.take_failure(ipv4(1), start));
  }
  EXPECT_EQ(limits.is_blocked(ipv4(1), start), seconds(10));
  EXPECT_EQ(limits.take_failure(ipv4(1), start), seconds(10));
  EXPECT_FALSE(limits.is_blocked(ipv4(2), start));
  EXPECT_EQ(limits.is_blocked(ipv4(1), start + seconds(9)), seconds(1));
  EXPECT_FALSE(limits.is_blocked(ipv4(1), start + seconds(10)));
}

TEST(RateLimits, WithoutALimitNothingIsCounted) {
  RateLimits limits({.auth_failures_per_minute = 0});
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_FALSE(limits.take_failure(ipv4(1), start));
    ASSERT_FALSE(limits.take_request(ipv4(1), start));
    ASSERT_FALSE(limits.take_request(command::TokenId(1), start));
  }
  EXPECT_FALSE(limits.is_blocked(ipv4(1), start));
}

TEST(RateLimits, AHostOfIpv6IsItsNetwork) {
  RateLimits limits({.requests_per_address_per_s = 1});
  Address one{0x20, 0x01};
  Address same_network = one;
  same_network[15] = 7;
  Address other = one;
  other[7] = 1;
  EXPECT_FALSE(limits.take_request(one, start));
  EXPECT_TRUE(limits.take_request(same_network, start));
  EXPECT_FALSE(limits.take_request(other, start));
}

TEST(RateLimits, ManyAddressesDoNotHideWhoIsWrong) {
  RateLimits limits({.auth_failures_per_minute = 2});
  RateLimits::Time now = start;
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    now += milliseconds(1);
    (void)limits.take_failure(ipv4(i), now);
  }
  (void)limits.take_failure(ipv4(7), now);
  (void)limits.take_failure(ipv4(7), now);
  EXPECT_TRUE(limits.is_blocked(ipv4(7), now));
}

}  // namespace
}  // namespace concord::security
