#include "spool.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace concord::app {
namespace {

TEST(Spool, GivesEveryLineBackAsItCame) {
  std::vector<std::string> lines;
  for (const std::size_t size : {0U, 1U, 4094U, 4095U, 4096U, 8191U, 100'000U}) lines.emplace_back(size, 'x');
  Spool spool;
  for (const std::string& line : lines) spool.add(line);
  ASSERT_TRUE(spool.rewind());
  for (const std::string& line : lines) EXPECT_EQ(spool.next(), line);
  EXPECT_EQ(spool.next(), std::nullopt);
}

}  // namespace
}  // namespace concord::app
