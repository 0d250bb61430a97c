#include "sim/expiry_watch.hpp"

#include <gtest/gtest.h>

#include "store/history.hpp"

namespace concord::sim {
namespace {

using command::CommandKind;
using store::ChangeKind;

/// What a node applies, one command after the other, and looks at behind each.
class Node {
 public:
  void put(std::uint64_t time_ms, const std::string& key, std::uint64_t ttl_s) {
    const auto deadline_ms = ttl_s == 0 ? std::nullopt : std::optional(time_ms + ttl_s * 1000);
    apply(time_ms, CommandKind::put, {.kind = ChangeKind::put, .key = key, .value = "v", .deadline_ms = deadline_ms});
  }
  void expire(std::uint64_t time_ms, const std::string& key) {
    apply(time_ms, CommandKind::expire, {.kind = ChangeKind::expire, .key = key});
  }
  void restore(std::uint64_t time_ms) {
    history_.on_entry({.cluster_time_ms = time_ms});
    history_.on_command(CommandKind::restore_commit, true, Revision(history_.newest().value() + 1));
    look(time_ms);
  }

  ExpiryWatch watch;

 private:
  void apply(std::uint64_t time_ms, CommandKind kind, const store::Change& change) {
    history_.on_entry({.cluster_time_ms = time_ms});
    history_.on_change(change);
    history_.on_command(kind, true, Revision(history_.newest().value() + 1));
    look(time_ms);
  }
  void look(std::uint64_t time_ms) {
    const Revision newest = history_.newest();
    const auto block = history_.find(newest);
    watch.take(newest.value(), block->event(static_cast<std::size_t>(newest.value() - block->first().value())).plain());
    watch.narrow(newest.value(), last_ms_, time_ms);
    last_ms_ = time_ms;
  }

  store::History history_;
  std::uint64_t last_ms_ = 0;
};

TEST(ExpiryWatch, a_key_expires_when_its_time_has_come) {
  Node node;
  node.put(1000, "other", 0);
  node.put(1000, "k", 2);
  node.expire(3000, "k");
  EXPECT_FALSE(node.watch.problem());
}

TEST(ExpiryWatch, one_that_expires_earlier_is_found) {
  Node node;
  node.put(1000, "other", 0);
  node.put(1000, "k", 2);
  node.expire(2999, "k");
  EXPECT_TRUE(node.watch.problem());
}

TEST(ExpiryWatch, one_that_was_written_anew_without_a_time_does_not_expire) {
  Node node;
  node.put(1000, "k", 2);
  node.put(1000, "k", 0);
  node.expire(3000, "k");
  EXPECT_TRUE(node.watch.problem());
}

TEST(ExpiryWatch, nothing_is_known_of_keys_behind_a_restore) {
  Node node;
  node.put(1000, "k", 2);
  node.restore(1500);
  node.expire(1600, "k");
  EXPECT_FALSE(node.watch.problem());
}

TEST(ExpiryWatch, cluster_time_is_the_same_everywhere_and_never_goes_back) {
  ExpiryWatch watch;
  EXPECT_FALSE(watch.look(10, 1000));
  EXPECT_FALSE(watch.look(10, 1000));
  EXPECT_FALSE(watch.look(12, 1500));
  EXPECT_FALSE(watch.look(11, 1500));
  EXPECT_TRUE(watch.look(10, 1001));
  EXPECT_TRUE(watch.look(13, 1499));
  EXPECT_TRUE(watch.look(9, 1001));
}

}  // namespace
}  // namespace concord::sim
