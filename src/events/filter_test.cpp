#include "events/filter.hpp"

#include <string>

#include <gtest/gtest.h>

#include "command/limits.hpp"

namespace concord::events {
namespace {

Filter filter_of(const SubscribeOptions& options, MayShow may_show = {}) {
  auto filter = Filter::make(options, std::move(may_show));
  EXPECT_TRUE(filter) << filter.error().message();
  return std::move(*filter);
}

TEST(Filter, WhatAPatternBeginsWithIsItsPrefix) {
  const auto prefix = [](std::string pattern) { return filter_of({.key_pattern = std::move(pattern)}).prefix(); };
  EXPECT_EQ(prefix("^user:"), "user:");
  EXPECT_EQ(prefix("^user:\\d+$"), "user:");
  EXPECT_EQ(prefix("^user:.*"), "user:");
  EXPECT_EQ(prefix("^ab+"), "ab");
  EXPECT_EQ(prefix("^ab?"), "a") << "the b may be missing";
  EXPECT_EQ(prefix("^ab*"), "a");
  EXPECT_EQ(prefix("^ab{0,2}"), "a");
  EXPECT_EQ(prefix("^a\xc3\xa9?"), "a") << "a character is one whole";
  EXPECT_EQ(prefix("user:"), "") << "it may stand anywhere";
  EXPECT_EQ(prefix("^user:|^order:"), "");
  EXPECT_EQ(prefix("^(?i)user:"), "");
  EXPECT_EQ(prefix("^"), "");
}

TEST(Filter, AKeyMatchesWhenPatternPrefixAndPermissionDo) {
  const Filter pattern = filter_of({.key_pattern = "^user:[0-9]+$"});
  EXPECT_TRUE(pattern.matches_key("user:17"));
  EXPECT_FALSE(pattern.matches_key("user:x"));
  EXPECT_FALSE(pattern.matches_key("order:17"));
  const Filter anywhere = filter_of({.key_pattern = "17", .prefix = "user:"});
  EXPECT_TRUE(anywhere.matches_key("user:x17"));
  EXPECT_FALSE(anywhere.matches_key("order:17"));
  const Filter plain = filter_of({.key_pattern = "^user:"});
  EXPECT_TRUE(plain.matches_key("user:"));
  EXPECT_FALSE(plain.matches_key("a user:"));
  const Filter narrow = filter_of({.key_pattern = "^user:", .prefix = "user:1"});
  EXPECT_TRUE(narrow.matches_key("user:17"));
  EXPECT_FALSE(narrow.matches_key("user:27"));
  const Filter impossible = filter_of({.key_pattern = "^user:", .prefix = "order:"});
  EXPECT_FALSE(impossible.matches_key("order:1"));
  EXPECT_FALSE(impossible.matches_key("user:1"));
  const Filter allowed = filter_of({}, [](std::string_view key) { return key.starts_with("own/"); });
  EXPECT_TRUE(allowed.matches_key("own/1"));
  EXPECT_FALSE(allowed.matches_key("other/1"));
  EXPECT_FALSE(allowed.takes_all());
}

TEST(Filter, TypesAreThoseOfTheEventOrOfAChangeInIt) {
  const Filter puts = filter_of({.event_types = {EventType::put}});
  EXPECT_TRUE(puts.wants(EventType::put, EventType::put));
  EXPECT_TRUE(puts.wants(EventType::put_many, EventType::put));
  EXPECT_TRUE(puts.wants(EventType::txn, EventType::put));
  EXPECT_FALSE(puts.wants(EventType::txn, EventType::del));
  const Filter batches = filter_of({.event_types = {EventType::put_many, EventType::txn}});
  EXPECT_FALSE(batches.wants(EventType::put, EventType::put));
  EXPECT_TRUE(batches.wants(EventType::txn, EventType::del));
  const Filter all = filter_of({});
  EXPECT_TRUE(all.takes_all());
  EXPECT_FALSE(all.wants_reads()) << "reads come to who asks for them";
  EXPECT_TRUE(filter_of({.event_types = {EventType::get}}).wants_reads());
}

TEST(Filter, ABadPatternIsRefusedAndSaysWhy) {
  const auto bad = Filter::make({.key_pattern = "user:("}, {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Errc::invalid_request);
  EXPECT_NE(bad.error().message().find("key_pattern"), std::string::npos);
  EXPECT_FALSE(Filter::make({.key_pattern = std::string(command::max_pattern_bytes + 1, 'a')}, {}));
}

}  // namespace
}  // namespace concord::events
