#include "transport/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "base/mutex.hpp"
#include "transport/address.hpp"

namespace concord::transport {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds pause_between_answers{1};

struct Freed {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

}  // namespace

Result<std::vector<std::string>> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int problem = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (problem != 0) {
    return fail(Errc::cluster_not_ready, "the name " + host + " is unknown: " + ::gai_strerror(problem));
  }
  const std::unique_ptr<addrinfo, Freed> owned(list);
  std::vector<std::string> found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
      found.emplace_back(text);
    }
  }
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  return found;
}

std::string with_port(const std::string& host, std::uint16_t port) {
  return (host.contains(':') ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

struct NameLookup::State {
  std::string host;
  std::uint16_t port = 0;
  base::Mutex mutex;
  Found found ABSL_GUARDED_BY(mutex);
  bool is_asking ABSL_GUARDED_BY(mutex) = false;
  steady_clock::time_point due ABSL_GUARDED_BY(mutex);  // when to ask again

  void ask() {
    auto answer = look_up(host);
    const base::MutexLock lock(mutex);
    is_asking = false;
    due = steady_clock::now() + pause_between_answers;
    // What a name had is better than nothing while its server is away.
    found.problem = answer ? std::string() : answer.error().message();
    if (!answer) return;
    found.addresses.clear();
    for (const std::string& each : *answer) found.addresses.push_back(with_port(each, port));
  }
};

Result<NameLookup> NameLookup::of(const std::string& host_and_port, std::uint16_t port) {
  const bool is_plain = !host_and_port.contains(':');
  const auto address = parse_address(is_plain ? with_port(host_and_port, port) : host_and_port);
  if (!address) return std::unexpected(address.error());
  auto state = std::make_shared<State>();
  state->host = address->host;
  state->port = address->port;
  return NameLookup(std::move(state));
}

NameLookup::Found NameLookup::found() {
  const base::MutexLock lock(state_->mutex);
  if (!state_->is_asking && steady_clock::now() >= state_->due) {
    state_->is_asking = true;
    try {
      std::thread([state = state_] { state->ask(); }).detach();
    } catch (const std::system_error& problem) {
      state_->is_asking = false;
      state_->due = steady_clock::now() + pause_between_answers;
      state_->found.problem = std::string("no thread to look up a name: ") + problem.what();
    }
  }
  return state_->found;
}

}  // namespace concord::transport
