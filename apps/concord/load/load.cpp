#include "load/load.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include <netdb.h>

namespace concord::app::load {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds poll_interval{50};

/// The threads of a load; joined at the latest by the destructor.
class Crew {
 public:
  Crew(const Plan& plan, const std::vector<Server>& servers) {
    std::random_device device;
    Share share;
    for (std::uint32_t thread = 0; thread < plan.threads; ++thread) {
      share.count = plan.connections / plan.threads + (thread < plan.connections % plan.threads ? 1 : 0);
      workers_.push_back(std::make_unique<Worker>(plan, servers, share, device()));
      share.first += share.count;
    }
  }

  void start(Span span) {
    running_ = workers_.size();
    for (const auto& worker : workers_) {
      threads_.emplace_back([this, &worker = *worker, span] {
        worker.run(span);
        running_.fetch_sub(1);
      });
    }
  }
  [[nodiscard]] bool is_running() const noexcept { return running_.load() > 0; }
  void stop() noexcept {
    for (const auto& worker : workers_) worker->stop();
  }
  void join() { threads_.clear(); }
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const noexcept { return workers_; }

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<std::size_t> running_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace

std::expected<Server, std::string> resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return std::unexpected("cannot find " + host + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  Server server;
  std::memcpy(&server.address, found->ai_addr, found->ai_addrlen);
  server.address_bytes = found->ai_addrlen;
  server.host = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
  return server;
}

Outcome run(const Plan& plan, const std::vector<Server>& servers, const std::function<bool(milliseconds)>& wants_end) {
  Crew crew(plan, servers);
  const auto begin = Clock::now();
  const auto measured_from = begin + plan.warmup;
  crew.start({.begin = begin, .measured_from = measured_from, .until = measured_from + plan.duration});
  Outcome outcome;
  while (crew.is_running()) {
    if (!wants_end(poll_interval) || outcome.was_interrupted) continue;
    outcome.was_interrupted = true;
    crew.stop();
  }
  crew.join();
  outcome.lost_all = true;
  auto last_answer = measured_from;
  for (const auto& worker : crew.workers()) {
    outcome.tally.merge(worker->tally());
    outcome.lost_all = outcome.lost_all && worker->lost_all();
    last_answer = std::max(last_answer, worker->last_answer());
  }
  outcome.measured = last_answer - measured_from;
  return outcome;
}

}  // namespace concord::app::load
