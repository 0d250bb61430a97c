// Goal: queries mean what concord/query.hpp says. Method: random stores and random queries against a naive evaluation over a
// std::map, by every call that takes a query; then the errors, one at a time.
#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct Stored {
  std::int64_t n = 0;
  std::string tag;
  Revision revision;
};
using Model = std::map<std::string, Stored>;
using Check = std::function<bool(const std::string&, const Stored&)>;

Value value_of(const Stored& stored) { return boost::json::value{{"n", stored.n}, {"tag", stored.tag}}; }

/// A query, and the same in plain words.
struct Asked {
  Query query;
  std::vector<Check> checks;
  std::string text;

  [[nodiscard]] std::vector<std::string> matches(const Model& model) const {
    std::vector<std::string> keys;
    for (const auto& [key, stored] : model) {
      if (std::ranges::all_of(checks, [&](const Check& check) { return check(key, stored); })) keys.push_back(key);
    }
    return keys;
  }
  /// With offset and limit.
  [[nodiscard]] std::vector<std::string> rows(const Model& model) const {
    std::vector<std::string> keys = matches(model);
    keys.erase(keys.begin(),
               keys.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(query.offset, keys.size())));
    if (query.limit && keys.size() > *query.limit) keys.resize(*query.limit);
    return keys;
  }
};

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  base::Random& random() { return random_; }

  std::string text(std::uint64_t shortest, std::uint64_t longest) {
    // Over HTTP a selector is JSON, and so UTF-8.
    static const std::vector<std::string> letters = {"a", "b", "/", std::string(1, '\0'), is_remote() ? "ÿ" : "\xff",
                                                     "é", "1", "."};
    std::string text;
    for (std::uint64_t n = shortest + random_.below(longest - shortest + 1); n > 0; --n) {
      text += letters[random_.one_in(2) ? random_.below(2) : random_.below(letters.size())];
    }
    return text;
  }

  Stored stored() { return {static_cast<std::int64_t>(random_.below(20)), random_.one_in(3) ? "x" : "y", {}}; }

  Asked asked() {
    Asked asked;
    if (random_.one_in(3)) prefix(asked, text(0, 2));
    if (random_.one_in(5)) suffix(asked, text(0, 1));
    if (random_.one_in(5)) contains(asked, text(0, 2));
    if (random_.one_in(4)) pattern(asked);
    if (random_.one_in(4)) range(asked);
    if (random_.one_in(2)) filter(asked);
    if (random_.one_in(3)) asked.query.limit = 1 + random_.below(random_.one_in(3) ? 2000 : 20);
    if (random_.one_in(3)) asked.query.offset = random_.below(random_.one_in(3) ? 2000 : 10);
    asked.text += " limit " + (asked.query.limit ? std::to_string(*asked.query.limit) : "none") + " offset " +
                  std::to_string(asked.query.offset);
    return asked;
  }

 private:
  static void prefix(Asked& asked, const std::string& text) {
    asked.query.prefix = text;
    asked.text += " prefix " + testing::PrintToString(text);
    asked.checks.emplace_back([text](const std::string& key, const Stored&) { return key.starts_with(text); });
  }
  static void suffix(Asked& asked, const std::string& text) {
    asked.query.suffix = text;
    asked.text += " suffix " + testing::PrintToString(text);
    asked.checks.emplace_back([text](const std::string& key, const Stored&) { return key.ends_with(text); });
  }
  static void contains(Asked& asked, const std::string& text) {
    asked.query.contains = text;
    asked.text += " contains " + testing::PrintToString(text);
    asked.checks.emplace_back(
        [text](const std::string& key, const Stored&) { return key.find(text) != std::string::npos; });
  }
  void pattern(Asked& asked) {
    using Pattern = std::pair<const char*, bool (*)(const std::string&)>;
    static const Pattern patterns[] = {
        {"^a", [](const std::string& key) { return key.starts_with("a"); }},
        {"^ab", [](const std::string& key) { return key.starts_with("ab"); }},
        {"^(a|b)/", [](const std::string& key) { return key.starts_with("a/") || key.starts_with("b/"); }},
        {"b$", [](const std::string& key) { return key.ends_with("b"); }},
        {"a\\.", [](const std::string& key) { return key.find("a.") != std::string::npos; }},
        {"[/1]", [](const std::string& key) { return key.find_first_of("/1") != std::string::npos; }},
        {"^[ab]+$", [](const std::string& key) { return key.find_first_not_of("ab") == std::string::npos; }},
        {"^a?b", [](const std::string& key) { return key.starts_with("b") || key.starts_with("ab"); }},
        {"^a*b",
         [](const std::string& key) {
           return key.substr(std::min(key.find_first_not_of('a'), key.size())).starts_with("b");
         }},
        {"(?i)^A", [](const std::string& key) { return key.starts_with("a"); }},
        {"^a|b$", [](const std::string& key) { return key.starts_with("a") || key.ends_with("b"); }},
        {"", [](const std::string&) { return true; }},
    };
    const Pattern& chosen = patterns[random_.below(std::size(patterns))];
    asked.query.pattern = chosen.first;
    asked.text += std::string(" pattern ") + chosen.first;
    asked.checks.emplace_back([check = chosen.second](const std::string& key, const Stored&) { return check(key); });
  }
  void range(Asked& asked) {
    std::string low = text(1, 3);
    std::string high = text(1, 3);
    if (high < low) std::swap(low, high);
    asked.query.range = {{low, high}};
    asked.text += " range " + testing::PrintToString(low) + " " + testing::PrintToString(high);
    asked.checks.emplace_back([low, high](const std::string& key, const Stored&) { return low <= key && key <= high; });
  }
  void filter(Asked& asked) {
    const auto n = static_cast<std::int64_t>(random_.below(20));
    const std::string number = std::to_string(n);
    const auto use = [&](const std::string& text, Predicate predicate, Check check) {
      asked.query.filter = std::move(predicate);
      asked.text += " filter " + text;
      asked.checks.push_back(std::move(check));
    };
    const auto document = [&](const std::string& text, Check check) { use(text, Filter(text), std::move(check)); };
    switch (random_.below(7)) {
      case 0: return document(R"({"n":{"$lt":)" + number + "}}", [n](auto&, const Stored& s) { return s.n < n; });
      case 1: return document(R"({"tag":"x"})", [](auto&, const Stored& s) { return s.tag == "x"; });
      case 2:
        return document(R"({"$or":[{"tag":"x"},{"n":)" + number + "}]}",
                        [n](auto&, const Stored& s) { return s.tag == "x" || s.n == n; });
      case 3:
        return document(R"({"$revision":{"$gte":)" + number + "}}",
                        [n](auto&, const Stored& s) { return s.revision >= Revision(static_cast<std::uint64_t>(n)); });
      case 4:
        return use(
            " a predicate of the value", [n](const Value& value) { return value.json()->at("n") == n; },
            [n](auto&, const Stored& s) { return s.n == n; });
      case 5:
        return use(
            " a predicate of key and value",
            [n](std::string_view key, const boost::json::value& value) {
              return key.size() > 2 && value.at("n").as_int64() > n;
            },
            [n](const std::string& key, const Stored& s) { return key.size() > 2 && s.n > n; });
      default: return use(" a predicate of another type", [](int) { return true; }, [](auto&, auto&) { return false; });
    }
  }

  base::Random random_;
};

class QueryTest : public testing::Test {
 protected:
  void fill(Draw& draw, Model& model, std::size_t size) {
    while (model.size() < size) {
      std::vector<std::string> keys;
      std::vector<PutItem> items;
      for (int i = 0; i < 50; ++i) keys.push_back(draw.text(1, 6));
      std::vector<Stored> stored;
      for (const std::string& key : keys) {
        stored.push_back(draw.stored());
        items.push_back({key, value_of(stored.back()), draw.random().one_in(3) ? std::optional(5000s) : std::nullopt});
      }
      const Revision revision = node_.put_many(items).value().revision;
      for (std::size_t i = 0; i < keys.size(); ++i) model[keys[i]] = {stored[i].n, stored[i].tag, revision};
    }
  }

  template <class Row, class NextPage>
  std::vector<Row> walk(base::Random& random, NextPage next_page) {
    std::vector<Row> rows;
    PageOptions options;
    do {
      options.size = random.one_in(4) ? 1000 : 1 + random.below(60);
      auto page = next_page(options);
      EXPECT_TRUE(page) << message(page);
      if (!page) return rows;
      EXPECT_LE(page->rows.size(), options.size);
      std::ranges::move(page->rows, std::back_inserter(rows));
      options.cursor = std::move(page->next_cursor);
    } while (options.cursor && rows.size() < 100'000);
    return rows;
  }

  static std::vector<std::string> keys_of(const auto& items) {
    std::vector<std::string> keys;
    for (const Item& item : items) keys.push_back(item.key);
    return keys;
  }

  void check_items(const auto& items, const Model& model) {
    for (const Item& item : items) {
      const Stored& stored = model.at(item.key);
      ASSERT_EQ(item.entry.value, value_of(stored));
      ASSERT_EQ(item.entry.revision, stored.revision);
      ASSERT_GE(item.entry.version, 1U);
      ASSERT_LE(item.entry.create_revision, item.entry.revision);
    }
  }

  void check(const Asked& asked, const Model& model, base::Random& random) {
    const std::vector<std::string> expected = asked.rows(model);
    const auto keys = node_.keys(asked.query);
    ASSERT_TRUE(keys) << message(keys);
    ASSERT_TRUE(std::ranges::equal(*keys, expected)) << keys->size() << " keys, expected " << expected.size();
    ASSERT_EQ(node_.count(asked.query).value(), expected.size());
    const auto items = node_.where(asked.query);
    ASSERT_EQ(keys_of(items.value()), expected);
    check_items(*items, model);
    std::vector<Item> scanned;
    ASSERT_TRUE(node_.scan(asked.query, [&](const Item& item) { return scanned.push_back(item), true; }));
    ASSERT_EQ(keys_of(scanned), expected);
    check_items(scanned, model);

    const auto calls = Calls(node_, random.one_in(2) ? Form::completion : Form::awaited);
    ASSERT_TRUE(std::ranges::equal(calls.keys(asked.query).value(), expected));
    ASSERT_EQ(keys_of(calls.where(asked.query).value()), expected);
    ASSERT_EQ(calls.count(asked.query).value(), expected.size());

    Asked unlimited = asked;
    unlimited.query.limit.reset();
    const std::vector<std::string> all = unlimited.rows(model);
    ASSERT_EQ(walk<std::string>(random, [&](auto& page) { return node_.keys_page(asked.query, page); }), all);
    const auto paged = walk<Item>(random, [&](auto& page) { return node_.where_page(asked.query, page); });
    ASSERT_EQ(keys_of(paged), all);
    check_items(paged, model);
  }

  StoreDirectory directory_;
  std::unique_ptr<TestedStore> tested_ = open_tested(directory_.options());
  Store& node_ = tested_->store();
};

TEST_F(QueryTest, RandomQueriesAgreeWithANaiveEvaluation) {
  constexpr std::uint64_t seed = 4;
  Draw draw(seed);
  Model model;
  fill(draw, model, 1500);
  std::uint64_t rows = 0;
  for (int round = 0; round < 400; ++round) {
    const Asked asked = draw.asked();
    SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round) + ":" + asked.text);
    ASSERT_NO_FATAL_FAILURE(check(asked, model, draw.random()));
    rows += asked.rows(model).size();
  }
  EXPECT_GT(rows, 10'000U) << "too few matches to mean anything";
}

TEST_F(QueryTest, DeleteWhereRemovesWhatANaiveEvaluationMatches) {
  constexpr std::uint64_t seed = 5;
  Draw draw(seed);
  Model model;
  for (int round = 0; round < 150; ++round) {
    fill(draw, model, 300);
    Asked asked = draw.asked();
    asked.query.offset = 0;
    SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round) + ":" + asked.text);
    const std::vector<std::string> expected = asked.rows(model);
    const bool selects = !asked.checks.empty();
    const Form form = draw.random().one_in(2) ? Form::plain : Form::completion;
    const Revision before = node_.status().value().storage.revision;
    const auto removed = Calls(node_, form).delete_where(asked.query);
    if (!selects) {
      ASSERT_EQ(outcome(removed), "INVALID_REQUEST") << "a selector is needed";
      continue;
    }
    ASSERT_EQ(removed.value(), expected.size());
    if (!asked.query.filter.is_function()) {
      ASSERT_EQ(node_.status().value().storage.revision, expected.empty() ? before : before.next())
          << "one transaction";
    }
    for (const std::string& key : expected) model.erase(key);
    const auto left = node_.keys().value();
    ASSERT_TRUE(std::ranges::equal(left, model, {}, {}, [](const auto& pair) { return pair.first; }));
  }
}

TEST_F(QueryTest, BadSelectorsAreRefusedByEveryCall) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 2}}));
  const auto refused = [&](const Query& query) {
    const auto result = outcome(node_.keys(query));
    EXPECT_EQ(outcome(node_.where(query)), result);
    EXPECT_EQ(outcome(node_.count(query)), result);
    EXPECT_EQ(outcome(node_.scan(query, [](const Item&) { return true; })), result);
    EXPECT_EQ(outcome(node_.delete_where(query)), result);
    for (const Form form : {Form::completion, Form::awaited}) {
      const Calls calls(node_, form);
      EXPECT_EQ(outcome(calls.keys(query)), result);
      EXPECT_EQ(outcome(calls.where(query)), result);
      EXPECT_EQ(outcome(calls.count(query)), result);
      EXPECT_EQ(outcome(calls.delete_where(query)), result);
    }
    if (query.limit != 0) {
      EXPECT_EQ(outcome(node_.keys_page(query, {})), result);
      EXPECT_EQ(outcome(node_.where_page(query, {})), result);
    }
    return result;
  };
  const auto nested = [](int depth) {
    std::string document;
    for (int i = 1; i < depth; ++i) document += R"({"$not":)";
    document += R"({"n":1})" + std::string(static_cast<std::size_t>(depth) - 1, '}');
    return Filter(document);
  };
  EXPECT_EQ(refused({.prefix = "a", .limit = 0}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.range = {{"b", "a"}}}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.pattern = "("}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.pattern = "(?=a)"}), "INVALID_REQUEST") << "RE2 has no lookahead";
  EXPECT_EQ(refused({.filter = Filter("{")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.filter = Filter("")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.filter = Filter("7")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.filter = Filter(R"({"a":{"$near":1}})")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.filter = Filter(R"({"$near":1})")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.filter = Filter(R"({"a":{"$regex":"("}})")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.filter = nested(33)}), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.count({.filter = nested(32)})), "OK");
  EXPECT_EQ(refused({.filter = Filter(R"({"a":")" + std::string(17U << 10U, 'x') + "\"}")}), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.count({.filter = Filter(R"({"a":")" + std::string(15U << 10U, 'x') + "\"}")})), "OK");
  EXPECT_EQ(node_.count().value(), 2U);
  EXPECT_EQ(node_.count({.range = {{"a", "a"}}}).value(), 1U) << "both ends are in";
  EXPECT_EQ(node_.count({.limit = UINT64_MAX, .offset = UINT64_MAX}).value(), 0U);
  EXPECT_EQ(node_.count({.limit = UINT64_MAX, .offset = 1}).value(), 1U);
}

TEST_F(QueryTest, APredicateThatThrowsIsInvalidRequest) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 2}}));
  const Query query{.prefix = "", .filter = [](int n) -> bool {
                      if (n == 2) throw std::runtime_error("no idea");
                      return false;
                    }};
  const auto where = node_.where(query);
  EXPECT_EQ(outcome(where), "INVALID_REQUEST");
  EXPECT_NE(message(where).find("no idea"), std::string::npos);
  EXPECT_EQ(outcome(node_.keys(query)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.count(query)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.scan(query, [](const Item&) { return true; })), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.keys_page(query, {})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.where_page(query, {})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.delete_where(query)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(Calls(node_, Form::completion).where(query)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(Calls(node_, Form::awaited).delete_where(query)), "INVALID_REQUEST");
  EXPECT_EQ(node_.count().value(), 2U);
}

TEST_F(QueryTest, AScanStopsWhenItIsTold) {
  Draw draw(6);
  Model model;
  fill(draw, model, 1200);
  std::vector<std::string> seen;
  EXPECT_TRUE(node_.scan({}, [&](const Item& item) { return seen.push_back(item.key), seen.size() < 700; }));
  EXPECT_EQ(seen.size(), 700U);
  EXPECT_TRUE(std::ranges::equal(seen, Asked{.query = {.limit = 700}, .checks = {}, .text = {}}.rows(model)));
  int visits = 0;
  EXPECT_TRUE(node_.scan({}, [&](const Item&) { return ++visits, false; }));
  EXPECT_EQ(visits, 1);
}

TEST_F(QueryTest, AVisitorThatThrowsEndsTheScan) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 2}}));
  int visits = 0;
  const auto thrown = node_.scan({}, [&](const Item&) -> bool {
    ++visits;
    throw std::runtime_error("enough");
  });
  EXPECT_EQ(outcome(thrown), "INVALID_REQUEST");
  EXPECT_EQ(visits, 1);
  EXPECT_TRUE(node_.put("a", 2));
}

TEST_F(QueryTest, NothingIsHeldUpByAScan) {
  if (is_remote()) return;  // a client's rows beyond a page are of a later moment (concord/client.hpp)
  Draw draw(7);
  Model model;
  fill(draw, model, 1000);
  std::size_t visited = 0;
  EXPECT_TRUE(node_.scan({}, [&](const Item& item) {
    EXPECT_EQ(item.entry.revision, model.at(item.key).revision) << "the cut of the beginning";
    if (++visited % 100 == 1) {
      EXPECT_TRUE(node_.put(item.key + "/new", 1));
      EXPECT_TRUE(node_.del(item.key));
      EXPECT_TRUE(node_.put("\xff\xff", 1));
    }
    return true;
  }));
  EXPECT_EQ(visited, model.size());
}

TEST_F(QueryTest, EverythingCanBeGotAtOnce) {
  EXPECT_TRUE(node_.put_many({{"b", 2}, {"a", "x", 500s}, {std::string_view("\0", 1), Bytes("z")}}));
  const auto all = node_.get_all().value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at("a"), Value("x"));
  EXPECT_EQ(all.begin()->second, Value(Bytes("z")));
  const auto with_ttl = node_.get_all_with_ttl().value();
  ASSERT_EQ(with_ttl.size(), 3U);
  EXPECT_EQ(with_ttl.at("b").value, Value(2));
  EXPECT_FALSE(with_ttl.at("b").ttl);
  EXPECT_LE(with_ttl.at("a").ttl.value(), 500s);
  EXPECT_TRUE(node_.del("a"));
  EXPECT_EQ(node_.get_all({.consistency = ReadConsistency::strong}).value().size(), 2U);
}

TEST_F(QueryTest, AQueryIsOneCutWhileMoneyMoves) {
  constexpr std::uint64_t accounts = 700;
  constexpr std::uint64_t seed = 8;
  const auto account = [](std::uint64_t i) { return "acct:" + std::to_string(10'000 + i); };
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < accounts; ++i) names.push_back(account(i));
  for (std::size_t i = 0; i < names.size(); i += 100) {
    std::vector<PutItem> items;
    for (std::size_t at = i; at < i + 100; ++at) items.push_back({names[at], 10});
    ASSERT_TRUE(node_.put_many(items));
  }
  std::atomic<bool> stop{false};
  std::thread mover([&] {
    base::Random random(seed);
    std::vector<int> balance(accounts, 10);
    while (!stop) {
      const std::uint64_t from = random.below(accounts);
      const std::uint64_t to = (from + accounts / 2) % accounts;
      --balance[from];
      ++balance[to];
      ASSERT_TRUE(node_.put_many({{names[from], balance[from]}, {names[to], balance[to]}}));
    }
  });
  const auto sum = [](const auto& items) {
    std::int64_t total = 0;
    for (const Item& item : items) total += item.entry.value.template as<std::int64_t>().value();
    return total;
  };
  for (int round = 0; round < 40; ++round) {
    std::vector<Item> scanned;
    ASSERT_TRUE(node_.scan({.prefix = "acct:"}, [&](const Item& item) { return scanned.push_back(item), true; }));
    ASSERT_EQ(scanned.size(), accounts);
    EXPECT_EQ(sum(scanned), 7000);
    EXPECT_EQ(sum(node_.where({.filter = [](int) { return true; }}).value()), 7000);
    EXPECT_EQ(sum(Calls(node_, Form::completion).where({}).value()), 7000);
    EXPECT_EQ(sum(node_.where_page({}, {.size = 1000}).value().rows), 7000);
  }
  stop = true;
  mover.join();
}

}  // namespace
}  // namespace concord::database
