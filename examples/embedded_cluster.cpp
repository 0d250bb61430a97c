// Three nodes in one process that are one store. Each would as well run in a process, or on a machine, of its own.
//
// usage: embedded_cluster DATA_DIR
#include <concord/concord.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Opens a member and waits until it can serve. Without addresses to join it forms a cluster of its own.
concord::Result<concord::Node> start(const std::filesystem::path& directory, const std::string& name,
                                     std::vector<std::string> join) {
  auto node = concord::Node::open({
      .name = name,
      .data_dir = directory / name,
      .cluster = {.cookie = "what only members know", .peer_port = 0, .join = std::move(join)},  // 0: a free port
  });
  if (!node) return node;
  if (auto ready = node->wait_ready(); !ready) return std::unexpected(ready.error());
  return node;
}

/// The address other members reach a node at.
concord::Result<std::string> peer_of(concord::Node& node) {
  const auto status = node.status();
  if (!status) return std::unexpected(status.error());
  for (const concord::MemberStatus& member : status->cluster.members) {
    if (member.name == status->node) return member.peer;
  }
  return concord::fail(concord::Errc::not_found, status->node + " is no member");
}

/// A new member gets the data first and a vote then, by itself.
bool all_vote(concord::Node& node) {
  const auto members = node.members();
  return members && std::ranges::all_of(*members, &concord::MemberStatus::voter);
}

concord::Result<> run(const std::filesystem::path& directory) {
  auto one = start(directory, "n1", {});
  if (!one) return std::unexpected(one.error());
  const auto address = peer_of(*one);
  if (!address) return std::unexpected(address.error());
  auto two = start(directory, "n2", {*address});
  if (!two) return std::unexpected(two.error());
  auto three = start(directory, "n3", {*address});
  if (!three) return std::unexpected(three.error());
  while (!all_vote(*one)) std::this_thread::sleep_for(10ms);
  std::cout << "members: " << one->members()->size() << '\n';

  // Any member takes any call; a strong read sees all that was acknowledged before it began, wherever it was written.
  const auto put = two->put("greeting", "Hello from n2");
  if (!put) return std::unexpected(put.error());
  const auto greeting = three->get<std::string>("greeting", {.consistency = concord::ReadConsistency::strong});
  if (!greeting) return std::unexpected(greeting.error());
  std::cout << "n3 reads: " << *greeting << '\n';

  // Members go and leadership moves while all of it serves.
  if (auto moved = one->transfer_leadership("n3"); !moved) return moved;
  if (auto ready = three->wait_ready(); !ready) return ready;
  std::cout << "leader: " << three->status()->cluster.leader.value_or("nobody") << '\n';
  if (auto removed = three->remove_member("n1"); !removed) return removed;
  const auto again = three->put("greeting", "Hello from two");
  if (!again) return std::unexpected(again.error());
  std::cout << "members: " << three->members()->size() << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: embedded_cluster DATA_DIR\n";
    return 2;
  }
  if (const auto done = run(argv[1]); !done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
