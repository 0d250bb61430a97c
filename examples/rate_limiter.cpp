// Rate limits: so many calls in a window, however many threads ask.
//
// usage: rate_limiter DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/rate_limiter.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// What a request asks. When the store can't answer, this program refuses; another may prefer to let it pass.
bool may_pass(concord::RateLimiter& limiter, const std::string& user) {
  const auto decision = limiter.allow(user);
  if (!decision) std::cerr << decision.error().message() << '\n';
  return decision && decision->allowed;
}

concord::Result<> run(concord::Node& node) {
  // Fixed windows: 10 calls, then none until an hour after the first.
  concord::RateLimiter limiter(node, {.limit = 10, .window = 1h});
  std::atomic<int> passed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int call = 0; call < 5; ++call) passed += may_pass(limiter, "user:17") ? 1 : 0;
    });
  }
  for (std::thread& client : clients) client.join();
  std::cout << "passed: " << passed << " of 20\n";
  std::cout << "another user passes: " << std::boolalpha << may_pass(limiter, "user:18") << '\n';

  // A sliding window: never more than 3 in any minute. A denied caller learns how long to wait.
  concord::RateLimiter sliding(
      node, {.limit = 3, .window = 1min, .kind = concord::RateWindow::sliding, .prefix = "sliding/"});
  for (int call = 1; call <= 4; ++call) {
    const auto decision = sliding.allow("user:17");
    if (!decision) return std::unexpected(decision.error());
    std::cout << "call " << call << ": ";
    if (decision->allowed) {
      std::cout << "allowed, left " << decision->remaining << '\n';
    } else {
      std::cout << "denied, wait " << (decision->retry_after > 30s ? "about a minute" : "a little") << '\n';
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: rate_limiter DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
