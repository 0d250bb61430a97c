// Keys that expire: setting, reading, prolonging and removing their time.
//
// usage: ttl DATA_DIR
#include <concord/concord.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

std::string text(const std::optional<std::chrono::seconds>& ttl) {
  return ttl ? std::to_string(ttl->count()) + " s" : "does not expire";
}

concord::Result<> run(concord::Node& node) {
  if (const auto put = node.put("session", "ada", {.ttl = 30min}); !put) return std::unexpected(put.error());
  if (const auto put = node.put("config", 1); !put) return std::unexpected(put.error());

  // Value and time, or the time alone; it is rounded up.
  const auto session = node.get_with_ttl<std::string>("session");
  if (!session) return std::unexpected(session.error());
  std::cout << session->value << ": " << text(session->ttl) << '\n';
  const auto config = node.ttl("config");
  if (!config) return std::unexpected(config.error());
  std::cout << "config: " << text(*config) << '\n';
  std::cout << "nothing: " << concord::error_name(node.ttl("nothing").error().code()) << '\n';

  // touch: another time, the same value.
  if (const auto touched = node.touch("session", 2h); !touched) return std::unexpected(touched.error());
  // keep_ttl: another value, the same time. A put without either removes the time.
  const auto kept = node.put("session", "ada, renamed", {.keep_ttl = true});
  if (!kept) return std::unexpected(kept.error());
  const auto all = node.get_all_with_ttl();
  if (!all) return std::unexpected(all.error());
  for (const auto& [key, found] : *all) {
    std::cout << key << ": " << found.value.json_text() << ", " << text(found.ttl) << '\n';
  }
  if (const auto put = node.put("session", "forever"); !put) return std::unexpected(put.error());
  const auto removed = node.ttl("session");
  if (!removed) return std::unexpected(removed.error());
  std::cout << "session: " << text(*removed) << '\n';

  // Many at once, at one revision.
  const auto put = node.put_many({{"a", 1, 2s}, {"b", 2, 2s}});
  if (!put) return std::unexpected(put.error());
  const auto touched = node.touch_many({{"a", 1h}, {"none", 1h}});
  if (!touched) return std::unexpected(touched.error());
  std::cout << std::boolalpha << "touched: " << (touched->results[0] == concord::OperationStatus::ok) << ' '
            << (touched->results[1] == concord::OperationStatus::ok) << '\n';
  while (node.get("b")) std::this_thread::sleep_for(10ms);
  std::cout << "b is gone, a is " << (node.get("a") ? "there" : "gone") << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: ttl DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
