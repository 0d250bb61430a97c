// A restore in a cluster of several nodes: it reaches all of them, and goes on when the leader goes in the middle.
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "backup/service.hpp"
#include "base/random.hpp"
#include "env/clock.hpp"
#include "store/view.hpp"

namespace concord::backup {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto patience = 60s;

template <class Holds>
void wait_until(const char* what, const Holds& holds) {
  const auto end = steady_clock::now() + patience;
  while (!holds()) {
    ASSERT_LT(steady_clock::now(), end) << what;
    std::this_thread::sleep_for(5ms);
  }
}

class ClusterRestore : public testing::Test {
 protected:
  ClusterRestore() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        std::filesystem::temp_directory_path() / ("concord_restore." + std::to_string(::getpid()) + "." + test->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    for (std::size_t at = 0; at < nodes_.size(); ++at) open(at);
    wait_until("all vote", [&] {
      std::size_t voters = 0;
      for (const MemberStatus& member : nodes_[0]->status().cluster.members) voters += member.voter ? 1U : 0U;
      return voters == nodes_.size();
    });
  }
  ~ClusterRestore() override {
    service_.reset();
    for (auto& node : nodes_) node.reset();
    std::filesystem::remove_all(directory_);
  }

  void open(std::size_t at) {
    Options options;
    options.name = "n" + std::to_string(at);
    options.data_dir = directory_ / options.name;
    options.durability = Durability::os;
    options.cluster.cookie = "a secret";
    options.cluster.peer_port = 0;
    options.backup.dir = directory_ / "backups";
    if (at > 0) options.cluster.join = {nodes_[0]->peer_address()};
    auto node = node::Runtime::open(
        {.files = env::make_real_file_system(), .clock = std::make_unique<env::RealClock>()}, options);
    ASSERT_TRUE(node) << node.error().message();
    nodes_[at] = std::move(*node);
    wait_until("it is ready", [&] { return nodes_[at]->knows_leader() && !nodes_[at]->not_ready(); });
  }
  std::size_t leader() {
    std::size_t found = nodes_.size();
    wait_until("somebody leads", [&] {
      for (found = 0; found < nodes_.size(); ++found) {
        if (nodes_[found] && nodes_[found]->is_serving()) return true;
      }
      return false;
    });
    return found;
  }
  void fill(node::Runtime& node, int count, char letter) {
    base::Random random(static_cast<std::uint64_t>(letter));
    for (int i = 0; i < count; ++i) {
      std::string text(3000, letter);
      for (char& c : text) c = static_cast<char>('!' + random.below(90));
      const Value value(Bytes(letter + text));
      const std::string key = "key" + std::to_string(i);
      ASSERT_TRUE(node.write({.kind = command::CommandKind::put, .key = key, .value = value.stored()}, patience));
    }
  }
  /// The first letters of all values; empty while it has not applied what the others have.
  static std::string letters(const node::Runtime& node) {
    std::string letters;
    node.state().view().visit_from("", [&](const store::Record& record) {
      letters += record.value()[1];
      return true;
    });
    return letters;
  }

  std::filesystem::path directory_;
  std::array<std::unique_ptr<node::Runtime>, 3> nodes_;
  std::unique_ptr<Service> service_;
};

TEST_F(ClusterRestore, ReachesAllNodesAndOutlivesTheLeader) {
  constexpr int keys = 3000;
  const std::size_t first_leader = leader();
  const std::size_t asked = (first_leader + 1) % nodes_.size();
  const std::size_t other = (first_leader + 2) % nodes_.size();
  fill(*nodes_[asked], keys, 'a');
  service_ = std::move(*Service::open(*nodes_[asked]));
  const auto made = service_->create({}, steady_clock::now() + patience, {});
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->entry_count, std::uint64_t{keys});
  fill(*nodes_[asked], keys / 2, 'b');

  std::thread end_of_leader;
  RestoreBackupOptions options;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (done * 3 < total * 2 || end_of_leader.joinable()) return;  // in the middle of what is sent
    end_of_leader = std::thread([&] { nodes_[first_leader].reset(); });
  };
  const auto restored = service_->restore(made->name, options, {}, steady_clock::now() + patience);
  if (end_of_leader.joinable()) end_of_leader.join();
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->entry_count, std::uint64_t{keys});
  EXPECT_EQ(nodes_[first_leader], nullptr);
  EXPECT_EQ(letters(*nodes_[asked]), std::string(keys, 'a'));
  wait_until("the other one has it", [&] { return nodes_[other]->state().revision() == restored->revision; });
  EXPECT_EQ(letters(*nodes_[other]), std::string(keys, 'a'));
  const Value more(1);
  const auto put =
      nodes_[asked]->write({.kind = command::CommandKind::put, .key = "more", .value = more.stored()}, patience);
  ASSERT_TRUE(put) << put.error().message();
  EXPECT_EQ(put->revision, restored->revision.next());
}

}  // namespace
}  // namespace concord::backup
