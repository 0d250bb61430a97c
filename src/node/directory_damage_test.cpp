// Damage anywhere in a whole data directory: a flipped byte, a cut, a missing file. The node starts with everything that was
// acknowledged, or does not start, names the file, and leaves what is there; it is never silently another one.
//
// One exception is known and told by the log: what looks like an unfinished last write of a life that did not end in good order.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "node/runtime.hpp"
#include "node/testing_history.hpp"
#include "node/testing_machine.hpp"

namespace concord::node {
namespace {

constexpr std::uint64_t segment_bytes = 4096;

/// What makes up the directory: one life with two snapshots and several segments.
class DirectoryDamage : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    machine_.segment_bytes = segment_bytes;
    auto node = machine_.open();
    history_ = std::make_unique<History>(*node);
    for (int part = 0; part < 3; ++part) {
      for (int i = 0; i < 9; ++i) write(*node, part * 9 + i);
      if (part == 2) break;
      const std::uint64_t before = node->status().storage.snapshot_index;
      node->request_snapshot();
      ASSERT_TRUE(machine_.comes_true([&] { return node->status().storage.snapshot_index > before; }));
    }
    if (GetParam()) {
      node->close(std::chrono::hours(1));
      node.reset();
    }
    left_ = machine_.as_left_by_a_kill();
    for (const std::string& path : left_->files->paths()) {
      if (path.starts_with("/data/")) contents_[path] = left_->files->contents(path);
    }
  }

  void write(Runtime& node, int number) {
    const std::string key = "k" + std::to_string(number % 7);
    const std::string value =
        stored(std::to_string(number) + std::string(static_cast<std::size_t>(number % 3) * 90, '0'));
    history_->put(key, value);
    history_->take(history_->moments.size() - 1, node.write(put_of(key, value), std::chrono::hours(1)));
  }

  /// Starts a copy of the directory with one file changed; `without` removes it.
  void start_with(const std::string& path, std::string bytes, bool without = false) {
    auto damaged = left_->as_left_by_a_kill();
    if (without) {
      ASSERT_TRUE(damaged->files->remove(path));
    } else {
      damaged->files->set_contents(path, std::move(bytes));
    }
    auto node = damaged->try_open();
    if (!node) {
      const std::string& why = node.error().message();
      EXPECT_NE(why.find(without ? "/data" : path), std::string::npos) << why;
      if (!without && !path.ends_with("/identity")) {
        EXPECT_TRUE(why.find("offset") != std::string::npos || why.find("format") != std::string::npos ||
                    why.find("bytes") != std::string::npos)
            << why;
      }
      ++refused_;
      return;
    }
    History allowed = *history_;
    if (!GetParam() && path.ends_with(".log") && !damaged->all_said().empty()) --allowed.acknowledged;
    EXPECT_TRUE(allowed.may_become(**node))
        << "revision " << (*node)->state().revision().value() << ", " << history_->moments.back().revision
        << " was acknowledged; said " << damaged->all_said();
    ++recovered_;
  }

  void report() const { std::printf("%d recovered, %d refused\n", recovered_, refused_); }

  Machine machine_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Machine> left_;
  std::map<std::string, std::string> contents_;
  int recovered_ = 0;
  int refused_ = 0;
};

TEST_P(DirectoryDamage, AnyFlippedByteIsHarmlessOrRefusedByName) {
  for (const auto& [path, good] : contents_) {
    const std::size_t used = std::min(good.size(), good.find_last_not_of('\0') + 1 + 16);
    for (std::size_t at = 0; at < used && !HasFailure(); ++at) {
      SCOPED_TRACE(path + " at " + std::to_string(at));
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      start_with(path, std::move(bad));
    }
  }
  report();
  EXPECT_GT(refused_, 1000);
  EXPECT_GT(recovered_, 100);
}

TEST_P(DirectoryDamage, AnyCutFileIsHarmlessOrRefusedByName) {
  for (const auto& [path, good] : contents_) {
    const std::size_t step = path.ends_with(".log") || path.find("spare") != std::string::npos ? 61 : 1;
    for (std::size_t size = 0; size < good.size() && !HasFailure(); size += step) {
      SCOPED_TRACE(path + " cut to " + std::to_string(size));
      start_with(path, good.substr(0, size));
    }
  }
  report();
  EXPECT_GT(refused_, 100);
}

TEST_P(DirectoryDamage, AMissingFileIsHarmlessOrRefused) {
  for (const auto& [path, good] : contents_) {
    SCOPED_TRACE(path);
    start_with(path, "", true);
  }
  report();
  EXPECT_GT(refused_, 0);
}

INSTANTIATE_TEST_SUITE_P(Ends, DirectoryDamage, testing::Bool(),
                         [](const auto& closed) { return closed.param ? "InGoodOrder" : "ByAKill"; });

}  // namespace
}  // namespace concord::node
