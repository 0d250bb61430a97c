// docs/configuration.md says of every key what the table says: default, names, range, choices, and what can be done with it.
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/key_table.hpp"

namespace concord::config {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

/// The lines of the document that begin with `start`.
std::vector<std::string> lines_with(const std::string& start) {
  std::ifstream file(std::filesystem::path(CONCORD_CONFIGURATION_DOCUMENT), std::ios::binary);
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(start)) found.push_back(line);
  }
  return found;
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string row_start(const Key& key) {
  const std::string short_name = short_environment_name(key);
  const bool has_short_name = !short_name.empty() && short_name != environment_name(key);
  return "| " + code(key.name) + " | " + (key.default_text.empty() ? "empty" : code(key.default_text)) + " | " +
         (has_short_name ? code(short_name) : "") + " | ";
}

TEST(Documentation, EveryKeyHasARowWithItsDefaultAndItsShortName) {
  for (const Key& key : keys()) {
    const auto rows = lines_with("| " + code(key.name) + " |");
    ASSERT_THAT(rows, SizeIs(1)) << key.name;
    EXPECT_THAT(rows[0], StartsWith(row_start(key)));
  }
}

TEST(Documentation, EveryRowIsAKey) { EXPECT_THAT(lines_with("| `"), SizeIs(keys().size())); }

TEST(Documentation, RowsNameWhatIsAllowed) {
  for (const Key& key : keys()) {
    const auto rows = lines_with("| " + code(key.name) + " |");
    ASSERT_THAT(rows, SizeIs(1)) << key.name;
    if (key.type == KeyType::integer) {
      const bool bounded = key.high != std::numeric_limits<std::int64_t>::max();
      EXPECT_THAT(rows[0], HasSubstr("(" + std::to_string(key.low) +
                                     (bounded ? " to " + std::to_string(key.high) : std::string(" or more")) + ")"));
    }
    if (key.type != KeyType::choice) continue;
    std::string choices = code(key.choices);
    for (std::size_t bar = 0; (bar = choices.find('|', bar)) != std::string::npos;) choices.replace(bar, 1, "`, `");
    EXPECT_THAT(rows[0], HasSubstr(": " + choices));
  }
}

TEST(Documentation, RowsSayWhatAReloadChanges) {
  for (const Key& key : keys()) {
    const auto rows = lines_with("| " + code(key.name) + " |");
    ASSERT_THAT(rows, SizeIs(1)) << key.name;
    EXPECT_EQ(rows[0].find("*(reload)*") != std::string::npos, key.reloadable) << key.name;
  }
}

}  // namespace
}  // namespace concord::config
