// A lock: four workers share one job, each gives it back, and a worker that fell asleep does no harm.
//
// usage: lock DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/lock.hpp>

#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

int jobs_done = 0;  // an ordinary variable: the lock protects it

void work(concord::Store& store, const std::string& owner) {
  concord::Lock lock(store, "nightly-job");
  const auto done = lock.with_lock(owner, 1min, [] { ++jobs_done; });  // waits at most a minute
  if (!done) std::cerr << owner << ": " << done.error().message() << '\n';
}

concord::Result<> run(concord::Node& node) {
  std::random_device random;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) workers.emplace_back(work, std::ref(node), concord::unique_owner("worker", random));
  for (std::thread& worker : workers) worker.join();
  std::cout << "jobs done: " << jobs_done << '\n';

  // Without waiting: somebody has it, and the error tells who.
  concord::Lock lock(node, "printer", {.ttl = 2s});
  auto sleeper = lock.try_acquire("sleeper");
  if (!sleeper) return std::unexpected(sleeper.error());
  if (const auto second = lock.try_acquire("other"); !second) std::cout << second.error().message() << '\n';

  // The sleeper does not renew, so after its ttl the lock goes to the other, with a larger fencing token.
  const auto other = lock.acquire("other", 1min);
  if (!other) return std::unexpected(other.error());
  std::cout << "the token is larger: " << std::boolalpha << (other->fencing_token() > sleeper->fencing_token()) << '\n';

  // What the sleeper writes now is refused: its guard no longer holds. It can't release the lock of the other either.
  const auto late = node.commit({.guards = {sleeper->guard()}, .then = {concord::Operation::put("page", "sleeper's")}});
  if (!late) return std::unexpected(late.error());
  std::cout << "the sleeper wrote: " << late->succeeded << '\n';
  std::cout << "the sleeper released: " << sleeper->release().has_value() << '\n';
  const auto right = node.commit({.guards = {other->guard()}, .then = {concord::Operation::put("page", "other's")}});
  if (!right) return std::unexpected(right.error());
  std::cout << "the other wrote: " << right->succeeded << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: lock DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
