// Leader election: three programs want to lead; when the leader goes, one of the others follows.
//
// usage: leader_election DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/election.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

std::mutex printing;
std::atomic<int> terms_left{3};

/// What each program runs in a thread of its own: campaign, lead while it can, stand again.
void take_part(concord::Store& store, const std::string& candidate) {
  concord::Election election(store, "scheduler", {.ttl = 10s});
  while (terms_left > 0) {
    auto leadership = election.campaign(candidate, 100ms);
    if (!leadership) continue;  // another leads, or the store can't be reached now
    if (terms_left-- <= 0) return;
    for (int piece = 0; piece < 3; ++piece) {
      if (!leadership->renew()) break;   // lost: somebody else may lead already
      std::this_thread::sleep_for(2ms);  // a piece of work
    }
    const std::lock_guard lock(printing);
    std::cout << "a term was served\n";
  }  // the destructor resigns
}

concord::Result<> run(concord::Node& node) {
  std::vector<std::thread> programs;
  for (const std::string name : {"node-a:9000", "node-b:9000", "node-c:9000"}) {
    programs.emplace_back(take_part, std::ref(node), name);
  }
  for (std::thread& program : programs) program.join();

  // Anybody may ask who leads.
  concord::Election election(node, "scheduler");
  if (const auto none = election.leader(); !none) std::cout << "now: " << none.error().message() << '\n';
  const auto leadership = election.try_campaign("node-a:9000");
  if (!leadership) return std::unexpected(leadership.error());
  const auto leader = election.leader();
  if (!leader) return std::unexpected(leader.error());
  std::cout << "leader: " << leader->candidate << '\n';

  // An order that is carried out only while its leader leads.
  const auto order = node.commit({.guards = {leadership->guard()}, .then = {concord::Operation::put("order", "go")}});
  if (!order) return std::unexpected(order.error());
  std::cout << "order given: " << std::boolalpha << order->succeeded << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: leader_election DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
