// Goal: every limit refuses just beyond itself, with the right code and a message that says where and why.
#include "command/validate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include <concord/value.hpp>

#include "command/limits.hpp"

namespace concord::command {
namespace {

const Limits limits;
const Value one = 1;

Operation put(std::string_view key) { return {.kind = OperationKind::put, .key = key, .value = one.stored()}; }

Errc code(const Result<void>& done) { return done ? Errc{} : done.error().code(); }
std::string message(const Result<void>& done) { return done ? "ok" : done.error().message(); }
std::string message(const Operation& operation) { return message(validate_transaction({.then = {operation}}, limits)); }
std::string message(const Guard& guard) {
  return message(validate_transaction({.guards = {guard}, .then = {put("k")}}, limits));
}

TEST(Validate, AKeyHas1To1024Bytes) {
  EXPECT_TRUE(validate_key("k"));
  EXPECT_TRUE(validate_key(std::string(1024, '\0')));
  EXPECT_EQ(code(validate_key("")), Errc::invalid_key);
  EXPECT_EQ(code(validate_key(std::string(1025, 'k'))), Errc::invalid_key);
  EXPECT_EQ(message(validate_key(std::string(1025, 'k'))), "the key has 1025 bytes; at most 1024 are allowed");
}

TEST(Validate, AValueHasAFormAndALimit) {
  EXPECT_TRUE(validate_value(Value(Bytes("12345", 5)).stored(), 5));
  EXPECT_EQ(code(validate_value(Value(Bytes("123456", 6)).stored(), 5)), Errc::value_too_large);
  EXPECT_EQ(message(validate_value(Value("1234").stored(), 5)), "the value has 6 bytes; at most 5 are allowed");
  EXPECT_EQ(code(validate_value(Value(std::nan("")).stored(), 5)), Errc::invalid_request);
  EXPECT_EQ(message(validate_value(Value(std::nan("")).stored(), 5)),
            "the value cannot be stored: a number that is not finite has no JSON form");
  EXPECT_EQ(code(validate_value("", 5)), Errc::invalid_request);
}

TEST(Validate, ATtlIsAtLeastASecondAndAtMostAHundredYears) {
  EXPECT_TRUE(validate_ttl(1));
  EXPECT_TRUE(validate_ttl(3'153'600'000));
  for (const std::int64_t ttl_s :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3'153'600'001}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(code(validate_ttl(ttl_s)), Errc::invalid_request) << ttl_s;
  }
  EXPECT_EQ(message(validate_ttl(0)), "the ttl is 0 s; it must be 1 to 3153600000");
}

TEST(Validate, ATransactionHas1To500Operations) {
  const std::vector<Operation> most(500, put("k"));
  const std::vector<Operation> more(501, put("k"));
  EXPECT_TRUE(validate_transaction({.then = most, .otherwise = most}, limits));
  EXPECT_TRUE(validate_transaction({.otherwise = {put("k")}}, limits));
  EXPECT_EQ(code(validate_transaction({}, limits)), Errc::invalid_request);
  EXPECT_EQ(code(validate_transaction({.then = more}, limits)), Errc::batch_too_large);
  EXPECT_EQ(code(validate_transaction({.then = most, .otherwise = more}, limits)), Errc::batch_too_large);
  const std::vector<Guard> guards(501, {.kind = GuardKind::exists, .key = "k"});
  EXPECT_EQ(message(validate_transaction({.guards = guards, .then = most}, limits)),
            "guards has 501 entries, at most 500 are allowed");
}

TEST(Validate, AFaultIsNamedByItsPlace) {
  const Result<void> done = validate_transaction({.then = {put("k")}, .otherwise = {put("k"), put("")}}, limits);
  EXPECT_EQ(code(done), Errc::invalid_key);
  EXPECT_EQ(message(done), "else[1]: the key is empty; it must have 1 to 1024 bytes");
}

TEST(Validate, EveryKindOfOperationIsChecked) {
  EXPECT_EQ(message(Operation{.kind = OperationKind::put, .key = "k", .value = one.stored(), .ttl_s = max_ttl_s + 1}),
            "the ttl is 3153600001 s; it must be 1 to 3153600000");
  EXPECT_EQ(message(Operation{.kind = OperationKind::touch, .key = "k"}), "the ttl is 0 s; it must be 1 to 3153600000");
  EXPECT_EQ(message(Operation{.kind = OperationKind::get}), "the key is empty; it must have 1 to 1024 bytes");
  EXPECT_EQ(message(Operation{.kind = static_cast<OperationKind>(9), .key = "k"}), "unknown kind of operation 9");
  Operation where{.kind = OperationKind::delete_where};
  EXPECT_EQ(message(where), "delete_where needs at least one selector");
  where.selector->prefix = "";
  EXPECT_EQ(message(where), "ok");
  where.selector->start = "b";
  where.selector->end = "a";
  EXPECT_EQ(message(where), "start lies behind end: 'b' > 'a'");
}

TEST(Validate, EveryKindOfGuardIsChecked) {
  EXPECT_EQ(message(Guard{.kind = GuardKind::revision, .key = "k"}), "ok");
  EXPECT_EQ(message(Guard{.kind = GuardKind::value_equals, .key = "k", .value = one.stored()}), "ok");
  EXPECT_EQ(message(Guard{.kind = GuardKind::value_equals, .key = "k"}), "guards[0]: the value cannot be stored: ");
  EXPECT_EQ(message(Guard{.kind = GuardKind::filter, .key = "k", .filter = R"({"a":{"$gt":1}})"}), "ok");
  EXPECT_EQ(message(Guard{.kind = GuardKind::filter, .key = "k", .filter = R"({"$where":"x"})"}),
            "guards[0]: filter: unknown operator '$where'");
}

TEST(Validate, AnIdempotencyKeyHas1To128BytesAndAScopeAtMost128) {
  const std::string longest(128, 'k');
  const std::string too_long(129, 'k');
  EXPECT_TRUE(validate_once({.key = "k"}));
  EXPECT_TRUE(validate_once({.scope = longest, .key = longest}));
  for (const Once& once : {Once{}, Once{.key = too_long}, Once{.scope = too_long, .key = "k"}}) {
    const auto valid = validate_once(once);
    ASSERT_FALSE(valid);
    EXPECT_EQ(valid.error().code(), Errc::invalid_request);
    EXPECT_NE(valid.error().message().find(once.key.empty() ? "0 bytes" : "129 bytes"), std::string::npos);
  }
}

}  // namespace
}  // namespace concord::command
