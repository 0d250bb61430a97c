// A service registry: instances come, say how they are, and go by themselves when they fall silent.
//
// usage: service_registry DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/service_registry.hpp>

#include <chrono>
#include <iostream>
#include <thread>

namespace {

using namespace std::chrono_literals;

concord::Result<> show(const concord::ServiceRegistry& registry, const char* when) {
  const auto found = registry.healthy("web");
  if (!found) return std::unexpected(found.error());
  std::cout << when << ':';
  for (const concord::ServiceInstance& web : *found) std::cout << ' ' << web.host << ':' << web.port;
  std::cout << '\n';
  return {};
}

concord::Result<> run(concord::Node& node) {
  concord::ServiceRegistry registry(node, {.ttl = 2s});
  auto one = registry.add("web", {.id = "web-1", .host = "10.0.1.100", .port = 8080, .metadata = {{"zone", "a"}}});
  if (!one) return std::unexpected(one.error());
  auto two = registry.add("web", {.id = "web-2", .host = "10.0.1.101", .port = 8080});
  if (!two) return std::unexpected(two.error());
  if (auto done = show(registry, "both"); !done) return done;

  // The second takes no new work.
  if (auto done = two->set_health(concord::ServiceHealth::draining); !done) return done;
  if (auto done = show(registry, "one drains"); !done) return done;
  if (auto done = two->set_health(concord::ServiceHealth::healthy); !done) return done;

  // The second falls silent. The first says every now and then that it is alive.
  while (node.get("services/web/web-2")) {
    if (auto done = one->heartbeat(); !done) return done;
    std::this_thread::sleep_for(20ms);
  }
  if (auto done = show(registry, "one is silent"); !done) return done;
  if (const auto gone = two->heartbeat(); !gone) std::cout << "too late: " << gone.error().message() << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: service_registry DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
