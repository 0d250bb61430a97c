// Compression inside a store: nothing of it can be seen but the memory saved.
#include <chrono>
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

constexpr CompressionAlgorithm algorithms[] = {CompressionAlgorithm::zlib, CompressionAlgorithm::gzip,
                                               CompressionAlgorithm::zstd, CompressionAlgorithm::lz4};

std::string repeated(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i % 50) + ";";
  text.resize(size);
  return text;
}

std::string noise(std::size_t size, std::uint64_t seed) {
  base::Random random(seed);
  std::string bytes(size, ' ');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

/// Values below, at and above the threshold; small and large, JSON and bytes, those that shrink and those that don't.
std::vector<Value> values() {
  std::vector<Value> values = {nullptr, 7, "", Bytes("")};
  for (const std::size_t size : {1U, 100U, 1021U, 1022U, 1023U, 1024U, 1025U, 1026U, 5000U, 300'000U}) {
    values.emplace_back(repeated(size));
    values.emplace_back(Bytes(repeated(size)));
    values.emplace_back(Bytes(noise(size, size)));
    boost::json::array items;
    for (std::size_t i = 0; i < size / 10; ++i) items.push_back({{"n", i}, {"half", 0.5}});
    values.emplace_back(boost::json::value{{"items", items}, {"size", size}});
  }
  values.emplace_back(std::string(5U << 20U, 'v'));
  return values;
}

class CompressionStoreTest : public testing::TestWithParam<CompressionAlgorithm> {
 protected:
  [[nodiscard]] Options options() const {
    Options options = directory_.options();
    options.compression.algorithm = GetParam();
    return options;
  }
  static std::string key(std::size_t i) { return "k" + std::to_string(100 + i); }

  /// By every way of reading.
  static void check(Node& node, const std::vector<Value>& values) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < values.size(); ++i) keys.push_back(key(i));
    const auto many = node.get_many({keys.begin(), keys.end()}).value();
    const auto all = node.get_all().value();
    const auto where = node.where({.prefix = "k"}).value();
    const auto page = node.where_page({.prefix = "k"}, {.size = 1000}).value();
    std::vector<Item> scanned;
    ASSERT_TRUE(node.scan({}, [&](const Item& item) { return scanned.push_back(item), true; }));
    ASSERT_EQ(where.size(), values.size());
    ASSERT_EQ(page.rows.size(), values.size());
    ASSERT_EQ(scanned.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      SCOPED_TRACE(i);
      const Value& value = values[i];
      ASSERT_EQ(node.get(keys[i]).value(), value);
      ASSERT_EQ(node.get(keys[i]).value().stored(), value.stored()) << "the same text, not only the same value";
      ASSERT_EQ(node.get(keys[i]).value().size_bytes(), value.size_bytes());
      ASSERT_EQ(node.get_entry(keys[i]).value().value, value);
      ASSERT_EQ(node.get_with_ttl(keys[i]).value().value, value);
      ASSERT_EQ(many[i], value);
      ASSERT_EQ(all.at(keys[i]), value);
      ASSERT_EQ(where[i].entry.value, value);
      ASSERT_EQ(page.rows[i].entry.value, value);
      ASSERT_EQ(scanned[i].entry.value, value);
      ASSERT_EQ(node.commit({.then = {Operation::get(keys[i])}}).value().results[0].value, value);
      ASSERT_EQ(Calls(node, Form::awaited).get(keys[i]).value(), value);
      if (value.is_bytes()) {
        ASSERT_EQ(node.get(keys[i]).value().bytes(), value.bytes());
      } else if (const auto text = value.as<std::string>()) {
        ASSERT_EQ(node.get<std::string>(keys[i]).value(), *text);
      }
    }
  }

  StoreDirectory directory_;
};

TEST_P(CompressionStoreTest, ValuesComeBackAsTheyWereByEveryWay) {
  const std::vector<Value> values = database::values();
  Node node = StoreDirectory::open(options());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_TRUE(node.put(key(i), values[i]));
  check(node, values);
}

TEST_P(CompressionStoreTest, EveryWriteKeepsValuesAsTheyAre) {
  Node node = StoreDirectory::open(options());
  const Value text = repeated(20'000);
  const Value bytes = Bytes(repeated(20'000));
  ASSERT_TRUE(node.put_many({{key(0), text}, {key(1), bytes, {}, false}, {key(2), 7, {}, true}}));
  ASSERT_TRUE(node.create(key(3), text));
  Operation put = Operation::put(key(4), text);
  put.compress = true;
  ASSERT_TRUE(node.commit({.then = {put}}));
  ASSERT_TRUE(node.put(key(5), 1));
  ASSERT_TRUE(node.put_if(key(5), text, {.expected = 1}));
  ASSERT_TRUE(node.update(key(6), [&](std::optional<Value>) { return text; }));
  ASSERT_EQ(node.update(key(6), [](const std::string& now) { return now + "!"; }).value().value,
            Value(repeated(20'000) + "!"));
  ASSERT_TRUE(node.touch(key(6), 500s));
  check(node, {text, bytes, 7, text, text, text, repeated(20'000) + "!"});
}

TEST_P(CompressionStoreTest, ConditionsSeeTheValueNotItsPackedForm) {
  Node node = StoreDirectory::open(options());
  boost::json::value document = {{"text", repeated(5000)}, {"n", 1}};
  boost::json::value other_order = {{"n", 1.0}, {"text", repeated(5000)}};
  const Value bytes = Bytes(repeated(5000));
  ASSERT_TRUE(node.put("json", document));
  ASSERT_TRUE(node.put("bytes", bytes));
  ASSERT_TRUE(node.put("plain", document, {.compress = false}));
  EXPECT_EQ(node.count({.filter = Filter(R"({"n":1,"text":{"$regex":"^line 0;line 1;"}})")}).value(), 2U);
  EXPECT_EQ(node.count({.filter = Filter(R"({"n":{"$gt":1}})")}).value(), 0U);
  EXPECT_EQ(node.count({.filter = Filter(R"({"$value":{"$type":"bytes"}})")}).value(), 1U);
  EXPECT_EQ(node.count({.filter = [&](const Value& value) { return value == bytes; }}).value(), 1U);
  EXPECT_EQ(node.count({.filter = [](const boost::json::value& value) { return value.at("n") == 1; }}).value(), 2U);
  EXPECT_EQ(outcome(node.put_if("json", document, {.expected = other_order})), "OK");
  EXPECT_EQ(outcome(node.put_if("plain", document, {.expected = other_order})), "OK");
  EXPECT_EQ(outcome(node.put_if("bytes", bytes, {.expected = repeated(5000)})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(node.put_if("bytes", bytes, {.expected = Bytes(repeated(5001))})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(node.put_if("bytes", bytes, {.expected = bytes})), "OK");
  EXPECT_EQ(outcome(node.put_if("json", document, {.condition = Filter(R"({"n":2})")})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(node.put_if(
                "json", document,
                {.condition =
                     [](const boost::json::object& object) { return object.at("text").as_string().size() == 5000; }})),
            "OK");
  const auto done = node.commit({.guards = {{.key = "json", .expected = other_order},
                                            {.key = "json", .condition = Filter(R"({"n":1})")},
                                            {.key = "bytes", .expected = bytes}},
                                 .then = {Operation::get("bytes")}});
  EXPECT_TRUE(done.value().succeeded);
  EXPECT_EQ(done->results[0].value, bytes);
  EXPECT_EQ(node.delete_where({.filter = Filter(R"({"n":1})")}).value(), 2U);
  EXPECT_EQ(outcome(node.delete_if("bytes", {.expected = bytes})), "OK");
}

TEST_P(CompressionStoreTest, PackedValuesTakeLessMemory) {
  Node node = StoreDirectory::open(options());
  const auto memory = [&] { return node.status().value().storage.memory_bytes; };
  const Value large = repeated(20'000);
  const auto grown_by = [&](const std::string& prefix, std::optional<bool> compress) {
    const std::uint64_t before = memory();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(node.put(prefix + std::to_string(i), large, {.compress = compress}));
    return memory() - before;
  };
  const std::uint64_t plain = grown_by("plain", false);
  EXPECT_GT(plain, 100U * 20'000U);
  EXPECT_LT(grown_by("packed", {}), plain / 5);
  EXPECT_LT(grown_by("forced", true), plain / 5);
  const std::uint64_t full = memory();
  EXPECT_TRUE(node.delete_where({.prefix = "plain"}));
  EXPECT_LT(memory(), full - plain / 2);
}

TEST_P(CompressionStoreTest, ThePutDecidesOverTheThreshold) {
  Options off = options();
  off.compression.enabled = false;
  Node node = StoreDirectory::open(off);
  const auto memory = [&] { return node.status().value().storage.memory_bytes; };
  const std::uint64_t start = memory();
  ASSERT_TRUE(node.put("plain", repeated(100'000)));
  const std::uint64_t plain = memory();
  EXPECT_GT(plain - start, 100'000U);
  ASSERT_TRUE(node.put("packed", repeated(100'000), {.compress = true}));
  EXPECT_LT(memory() - plain, 50'000U);
  ASSERT_TRUE(node.put("noise", Bytes(noise(100'000, 1)), {.compress = true}));
  EXPECT_EQ(node.get<std::string>("packed").value(), repeated(100'000));
  EXPECT_EQ(node.get("noise").value(), Value(Bytes(noise(100'000, 1))));
}

TEST_P(CompressionStoreTest, AnyOtherSettingsReadWhatIsThere) {
  const std::vector<Value> values = database::values();
  {
    Node node = StoreDirectory::open(options());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_TRUE(node.put(key(i), values[i]));
  }
  for (const CompressionAlgorithm algorithm : algorithms) {
    Options other = options();
    other.compression.algorithm = algorithm;
    other.compression.threshold_bytes = 0;
    Node node = StoreDirectory::open(other);
    check(node, values);
    for (std::size_t i = 0; i < values.size(); i += 3) ASSERT_TRUE(node.put(key(i), values[i]));
  }
  Options off = options();
  off.compression.enabled = false;
  Node node = StoreDirectory::open(off);
  check(node, values);
}

TEST_P(CompressionStoreTest, SnapshotsAndRestartsKeepThem) {
  const std::vector<Value> values = database::values();
  Options small = options();
  small.snapshot.every_entries = 100;
  {
    Node node = StoreDirectory::open(small);
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_TRUE(node.put(key(i), values[i]));
    while (node.status().value().storage.snapshot_index < 100) ASSERT_TRUE(node.put(key(0), values[0]));
  }
  Node node = StoreDirectory::open(small);
  EXPECT_GE(node.status().value().storage.snapshot_index, 100U);
  check(node, values);
}

TEST_P(CompressionStoreTest, TheLimitIsOfTheValueNotOfItsPackedForm) {
  Options small = options();
  small.limits.max_value_bytes = 10'000;
  Node node = StoreDirectory::open(small);
  EXPECT_EQ(outcome(node.put("k", Bytes(repeated(10'000)))), "OK");
  EXPECT_EQ(outcome(node.put("k", Bytes(repeated(10'001)))), "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(outcome(node.put("k", Bytes(noise(10'000, 2)), {.compress = true})), "OK");
  EXPECT_EQ(outcome(node.put("k", repeated(9'998))), "OK") << "the quotes count";
  EXPECT_EQ(outcome(node.put("k", repeated(9'999))), "PAYLOAD_TOO_LARGE");
}

TEST(CompressionOptionsTest, BadSettingsAreRefusedWhenTheNodeIsOpened) {
  StoreDirectory directory;
  Options options = directory.options();
  options.compression.level = 10;
  EXPECT_EQ(outcome(Node::open(options)), "INVALID_REQUEST");
  options.compression.level = -1;
  EXPECT_EQ(outcome(Node::open(options)), "INVALID_REQUEST");
  options.compression.level = 0;
  options.compression.threshold_bytes = 0;
  Node node = StoreDirectory::open(options);
  for (const char* text : {"", "a", "some text"}) {
    EXPECT_TRUE(node.put("k", text));
    EXPECT_EQ(node.get<std::string>("k").value(), text);
  }
  EXPECT_EQ(node.compression().config().level, 0);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, CompressionStoreTest, testing::ValuesIn(algorithms), [](const auto& algorithm) {
  switch (algorithm.param) {
    case CompressionAlgorithm::zlib: return "Zlib";
    case CompressionAlgorithm::gzip: return "Gzip";
    case CompressionAlgorithm::zstd: return "Zstd";
    default: return "Lz4";
  }
});

}  // namespace
}  // namespace concord::database
