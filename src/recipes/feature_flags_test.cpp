#include <concord/recipes/feature_flags.hpp>

#include <string>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

using FeatureFlagsTest = WithNode;

std::string subject(int number) { return "user:" + std::to_string(number); }

int count_on(const FeatureFlag& flag, std::string_view name) {
  int count = 0;
  for (int i = 0; i < 10'000; ++i) count += flag.is_on(name, subject(i)) ? 1 : 0;
  return count;
}

TEST(FeatureFlagTest, TheOrderOfTheRuleDecides) {
  FeatureFlag flag{.enabled = true, .percent = 0, .allow = {"ada", "both"}, .deny = {"bob", "both"}};
  EXPECT_TRUE(flag.is_on("f", "ada"));
  EXPECT_FALSE(flag.is_on("f", "bob"));
  EXPECT_FALSE(flag.is_on("f", "both"));
  EXPECT_FALSE(flag.is_on("f", "eve"));
  EXPECT_FALSE(flag.is_on("f"));
  flag.percent = 100;
  EXPECT_TRUE(flag.is_on("f", "eve"));
  EXPECT_FALSE(flag.is_on("f", "bob"));
  EXPECT_TRUE(flag.is_on("f"));
  flag.enabled = false;
  EXPECT_FALSE(flag.is_on("f", "ada"));
  EXPECT_FALSE(flag.is_on("f"));
}

TEST(FeatureFlagTest, APercentageIsThatManySubjectsAndMoreOnlyAdds) {
  FeatureFlag few{.enabled = true, .percent = 10};
  FeatureFlag more{.enabled = true, .percent = 35.5};
  EXPECT_NEAR(count_on(few, "f"), 1000, 150);
  EXPECT_NEAR(count_on(more, "f"), 3550, 250);
  int both = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(!few.is_on("f", subject(i)) || more.is_on("f", subject(i))) << i;
    both += few.is_on("f", subject(i)) && few.is_on("g", subject(i)) ? 1 : 0;
  }
  EXPECT_NEAR(both, 100, 60) << "flags are independent";
  EXPECT_EQ(count_on({.enabled = true, .percent = 0}, "f"), 0);
  EXPECT_EQ(count_on({.enabled = true, .percent = 100}, "f"), 10'000);
}

// The places that the rule in the header gives, computed apart from this code.
TEST(FeatureFlagTest, WhoSeesWhatIsAPromise) {
  struct Case {
    const char* name;
    const char* subject;
    int place;
  };
  for (const Case& c : {Case{"new-search", "user:17", 5742}, Case{"new-search", "user:18", 180}, Case{"f", "ada", 5000},
                        Case{"", "x", 5911}}) {
    EXPECT_FALSE((FeatureFlag{.enabled = true, .percent = c.place / 100.0}).is_on(c.name, c.subject)) << c.subject;
    EXPECT_TRUE((FeatureFlag{.enabled = true, .percent = (c.place + 1) / 100.0}).is_on(c.name, c.subject)) << c.subject;
  }
}

TEST_F(FeatureFlagsTest, AFlagIsReadAsItWasSet) {
  FeatureFlags flags(node());
  const FeatureFlag flag{.enabled = true, .percent = 12.5, .allow = {"ada"}, .deny = {"bob"}};
  ASSERT_TRUE(flags.set("search", flag));
  EXPECT_EQ(flags.get("search").value(), flag);
  EXPECT_EQ(node().get<FeatureFlag>("flags/search").value(), flag);
  EXPECT_TRUE(flags.is_enabled("search", "ada").value());
  EXPECT_TRUE(flags.remove("search"));
  EXPECT_EQ(flags.remove("search").error().code(), Errc::not_found);
}

TEST_F(FeatureFlagsTest, AMissingFlagHasTheCallersDefault) {
  const FeatureFlags flags(node());
  EXPECT_EQ(flags.is_enabled("none").error().code(), Errc::not_found);
  EXPECT_TRUE(flags.is_enabled_or("none", "ada", true));
  EXPECT_FALSE(flags.is_enabled_or("none", "ada", false));
  EXPECT_TRUE(flags.get_or("none", {.enabled = true}).enabled);
}

TEST_F(FeatureFlagsTest, FlagsThatPeopleWroteAreRead) {
  FeatureFlags flags(node());
  const auto is_on = [&](const Value& value) {
    EXPECT_TRUE(node().put("flags/f", value));
    return flags.is_enabled("f");
  };
  EXPECT_TRUE(is_on("enabled").value());
  EXPECT_FALSE(is_on("disabled").value());
  EXPECT_TRUE(is_on(true).value());
  EXPECT_FALSE(is_on(false).value());
  EXPECT_TRUE(is_on(Value::parse_json(R"({"enabled": true, "note": "by hand"})").value()).value());
  EXPECT_TRUE(is_on(Value::parse_json(R"({"enabled": true, "percent": 100})").value()).value());
  EXPECT_FALSE(is_on(Value::parse_json("{}").value()).value());
  for (const char* bad : {R"("on")", "1", "[]", R"({"enabled": "yes"})", R"({"percent": 101})", R"({"allow": [1]})"}) {
    EXPECT_EQ(is_on(Value::parse_json(bad).value()).error().code(), Errc::invalid_request) << bad;
    EXPECT_TRUE(flags.is_enabled_or("f", "ada", true));
  }
  EXPECT_EQ(is_on(Bytes("x")).error().code(), Errc::invalid_request);
  EXPECT_TRUE(flags.list().value().empty());
}

TEST_F(FeatureFlagsTest, ASwitchTurnsAndLeavesTheRest) {
  FeatureFlags flags(node());
  ASSERT_TRUE(flags.set("f", {.enabled = true, .percent = 25}));
  EXPECT_EQ(flags.disable("f").value(), (FeatureFlag{.enabled = false, .percent = 25}));
  EXPECT_EQ(flags.enable("f").value(), (FeatureFlag{.enabled = true, .percent = 25}));
  EXPECT_EQ(flags.enable("new").value(), (FeatureFlag{.enabled = true}));
  EXPECT_EQ(flags.list().value().size(), 2U);
  EXPECT_EQ(flags.list().value().begin()->first, "f");
}

TEST_F(FeatureFlagsTest, PercentagesOutsideTheirBoundsChangeNothing) {
  FeatureFlags flags(node());
  EXPECT_EQ(flags.set("f", {.percent = -1}).error().code(), Errc::invalid_request);
  ASSERT_TRUE(flags.set("f", {.percent = 50}));
  const auto updated = flags.update("f", [](FeatureFlag flag) {
    flag.percent = 100.5;
    return flag;
  });
  EXPECT_EQ(updated.error().code(), Errc::invalid_request);
  EXPECT_EQ(flags.get("f").value().percent, 50);
  EXPECT_EQ(flags.update("none", [](FeatureFlag flag) { return flag; }).error().code(), Errc::not_found);
}

TEST_F(FeatureFlagsTest, OfManyChangesAtOnceNoneIsLost) {
  constexpr int threads = 8;
  constexpr int each = 10;
  FeatureFlags flags(node());
  ASSERT_TRUE(flags.set("f", {.enabled = true, .percent = 0}));
  on_threads(threads, [&](int number) {
    for (int i = 0; i < each; ++i) {
      const auto updated = flags.update("f", [&](FeatureFlag flag) {
        flag.allow.push_back(subject(number * each + i));
        return flag;
      });
      EXPECT_TRUE(updated) << updated.error().message();
    }
  });
  for (int i = 0; i < threads * each; ++i) EXPECT_TRUE(flags.is_enabled("f", subject(i)).value()) << i;
}

}  // namespace
}  // namespace concord::recipes
