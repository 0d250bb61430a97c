// A node inside a program, watched: its calls are counted on a page for Prometheus, and told to a handler when they have ended.
//
// usage: metrics DATA_DIR          writes, reads, and shows what was counted of it
//        metrics DATA_DIR PORT     writes ten times a second, with the page at http://127.0.0.1:PORT/metrics, until it is ended
#include <concord/concord.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;

int fail(const concord::Error& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

/// The lines of the page that begin so.
void show(const concord::Node& node, std::string_view name) {
  std::istringstream page(node.metrics());
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(name)) std::cout << line << '\n';
  }
}

int count_calls(concord::Node& node) {
  std::atomic<int> misses = 0;
  const auto attached = node.telemetry().attach("misses", "concord.api.get", [&](const concord::TelemetryEvent& event) {
    if (event.text("result") == "not_found") ++misses;
  });
  if (!attached) return fail(attached.error());
  for (int i = 0; i < 3; ++i) {
    if (const auto put = node.put("page/" + std::to_string(i), i); !put) return fail(put.error());
  }
  for (int i = 0; i < 5; ++i) (void)node.get("page/" + std::to_string(i));
  if (const auto detached = node.telemetry().detach("misses"); !detached) return fail(detached.error());
  show(node, "concord_api_put_count_total");
  show(node, "concord_api_get_count_total");
  std::cout << "misses: " << misses << '\n';
  return 0;
}

/// Whoever watches sees what becomes of the node; the program goes on as long as it likes.
int write_on(concord::Node& node) {
  for (std::uint64_t i = 0;; ++i) {
    if (const auto put = node.put("ticks", i); !put) std::cout << put.error().message() << std::endl;
    std::this_thread::sleep_for(100ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::cerr << "usage: metrics DATA_DIR [PORT]\n";
    return 2;
  }
  concord::Options options{.data_dir = argv[1], .metrics = {.enabled = true}};
  if (argc == 3) options.metrics.port = static_cast<std::uint16_t>(std::stoul(argv[2]));
  auto node = concord::Node::open(std::move(options));
  if (!node) return fail(node.error());
  return argc == 3 ? write_on(*node) : count_calls(*node);
}
