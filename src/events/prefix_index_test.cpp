#include "events/prefix_index.hpp"

#include <algorithm>
#include <list>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::events {
namespace {

struct Item {
  std::string prefix;
};

std::string random_text(base::Random& random, std::size_t most_bytes) {
  std::string text;
  for (std::size_t size = random.below(most_bytes + 1); size > 0; --size) {
    text.push_back(static_cast<char>('a' + random.below(2)));
  }
  return text;
}

TEST(PrefixIndex, FindsWhatAPlainLookAtAllFinds) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  base::Random random(seed);
  PrefixIndex<Item> index;
  std::list<Item> items;
  for (int step = 0; step < 5000; ++step) {
    if (items.size() < 40 || random.one_in(2)) {
      items.push_back({"a" + random_text(random, 6)});
      index.add(items.back().prefix, &items.back());
    } else {
      auto victim = items.begin();
      std::advance(victim, random.below(items.size()));
      index.remove(victim->prefix, &*victim);
      items.erase(victim);
    }
    const std::string key = random_text(random, 9);
    std::multiset<const Item*> found;
    std::multiset<const Item*> expected;
    index.visit(key, [&](Item& item) { found.insert(&item); });
    for (const Item& item : items) {
      if (key.starts_with(item.prefix)) expected.insert(&item);
    }
    ASSERT_EQ(found, expected) << key;
  }
}

TEST(PrefixIndex, ALongPrefixIsFoundByItsBeginning) {
  PrefixIndex<Item> index;
  Item item{std::string(200, 'x')};
  index.add(item.prefix, &item);
  int found = 0;
  index.visit(std::string(PrefixIndex<Item>::most_bytes, 'x'), [&](Item&) { ++found; });
  EXPECT_EQ(found, 1);
  index.visit(std::string(PrefixIndex<Item>::most_bytes - 1, 'x'), [&](Item&) { ++found; });
  EXPECT_EQ(found, 1);
  index.remove(item.prefix, &item);
  EXPECT_TRUE(index.is_empty());
}

}  // namespace
}  // namespace concord::events
