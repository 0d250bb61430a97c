// A snapshot that came whole and that raft does not take: nothing of it stays.
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "env/borrowed_file_system.hpp"
#include "node/testing_machine.hpp"

namespace concord::node {
namespace {

using std::chrono::milliseconds;

/// Nobody is there; the test is who asks.
class DeadTransport final : public transport::Transport {
 public:
  [[nodiscard]] std::uint16_t port() const noexcept override { return 1; }
  void set_self(const transport::Identity& /*self*/) override {}
  void set_peers(std::vector<transport::Peer> /*peers*/) override {}
  void drop(base::NodeId /*peer*/) override {}
  bool send(base::NodeId /*to*/, std::string_view /*bytes*/) override { return false; }
  void request(base::NodeId /*to*/, transport::Channel /*channel*/, std::uint8_t /*method*/, std::string /*body*/,
               milliseconds /*timeout*/, std::move_only_function<void(Result<std::string>)> done) override {
    done(fail(Errc::cluster_not_ready, "nobody is there"));
  }
  void request_at(const std::string& /*address*/, std::uint8_t /*method*/, std::string /*body*/,
                  milliseconds /*timeout*/,
                  std::move_only_function<void(Result<std::pair<transport::Identity, std::string>>)> done) override {
    done(fail(Errc::cluster_not_ready, "nobody is there"));
  }
  [[nodiscard]] std::vector<transport::PeerState> peers() const override { return {}; }
};

class UnwantedSnapshot : public testing::Test {
 protected:
  using Tasks = std::deque<env::Executor::Task>;
  struct TaskQueue final : env::Executor {
    explicit TaskQueue(std::shared_ptr<Tasks> queue) : tasks(std::move(queue)) {}
    void after(milliseconds /*delay*/, Task task) override { tasks->push_back(std::move(task)); }
    std::shared_ptr<Tasks> tasks;
  };

  UnwantedSnapshot() {
    machine_.options.name = "n1";
    machine_.options.cluster.cookie = "of the test";
    machine_.options.cluster.advertise = "n1:9100";
    machine_.options.cluster.initial = {{.name = "n1", .peer = "n1:9100"}};
    auto opened = Runtime::open(
        {.files = std::make_unique<env::BorrowedFileSystem>(*machine_.files),
         .clock = std::make_unique<HandClock>(machine_.hands),
         .open_transport = [this](const transport::Options&,
                                  transport::Handler& handler) -> Result<std::unique_ptr<transport::Transport>> {
           handler_ = &handler;
           return std::make_unique<DeadTransport>();
         },
         .make_executor = [this] { return std::make_unique<TaskQueue>(tasks_); },
         .has_threads = false},
        machine_.options, machine_.segment_bytes);
    EXPECT_TRUE(opened) << opened.error().message();
    node_ = std::move(*opened);
    for (int steps = 0; steps < 1000 && !node_->is_serving(); ++steps) pass();
    EXPECT_TRUE(node_->is_serving());
  }
  void pass() {
    machine_.pass_ms(1);
    node_->step();
    while (!tasks_->empty()) {
      env::Executor::Task task = std::move(tasks_->front());
      tasks_->pop_front();
      task();
    }
  }
  [[nodiscard]] std::vector<std::string> snapshots() const { return *machine_.files->list("/data/snapshots"); }
  /// One of the node's own, so that its bytes are good.
  void read_snapshot() {
    file_ = *log::parse_snapshot_name("/data/snapshots", snapshots().front());
    bytes_ = machine_.files->contents(file_.path);
  }
  [[nodiscard]] Result<std::string> ask(Method method, const std::string& body) {
    std::optional<Result<std::string>> answer;
    transport::Identity from;
    from.node = base::NodeId(2);
    handler_->on_request(from, static_cast<std::uint8_t>(method), body,
                         [&answer](Result<std::string> result) { answer = std::move(result); });
    for (int steps = 0; steps < 1000 && !answer; ++steps) pass();
    return answer ? std::move(*answer) : fail(Errc::internal, "never answered");
  }

  Machine machine_;
  std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
  transport::Handler* handler_ = nullptr;
  std::unique_ptr<Runtime> node_;
  log::SnapshotFileInfo file_;
  std::string bytes_;
};

TEST_F(UnwantedSnapshot, LeavesNoFileAndTheNextOneMayCome) {
  read_snapshot();
  const std::vector<std::string> before = snapshots();
  const SnapshotHead head{.index = file_.index, .term = file_.term, .size_bytes = bytes_.size()};
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(ask(Method::snapshot_begin, encode(head)));
    ASSERT_TRUE(ask(Method::snapshot_chunk, encode_chunk({.index = file_.index, .offset = 0, .bytes = bytes_})));
    const auto ended =
        ask(Method::snapshot_end, encode_end({.index = file_.index, .offset = 0, .bytes = "of no member"}));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code(), Errc::invalid_request) << ended.error().message();
    EXPECT_EQ(snapshots(), before);
  }
  EXPECT_FALSE(node_->failure());
}

}  // namespace
}  // namespace concord::node
