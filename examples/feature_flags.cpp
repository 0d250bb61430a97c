// Feature flags: switches that many threads read all the time and an operator turns now and then.
//
// usage: feature_flags DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/feature_flags.hpp>

#include <iostream>
#include <string>

namespace {

void show(const concord::FeatureFlags& flags, const std::string& user) {
  std::cout << user << " sees the new search: " << std::boolalpha << flags.is_enabled_or("new-search", user, false)
            << '\n';
}

concord::Result<> run(concord::Node& node) {
  concord::FeatureFlags flags(node);

  // A quarter of the users, one more for sure, and one for sure not.
  const auto set = flags.set("new-search", {.enabled = true, .percent = 25, .allow = {"ada"}, .deny = {"bob"}});
  if (!set) return std::unexpected(set.error());
  for (const char* user : {"user:10", "user:90", "ada", "bob"}) show(flags, user);

  // More users: those who have it keep it. Nothing that somebody else changes at the same time is lost.
  const auto wider = flags.update("new-search", [](concord::FeatureFlag flag) {
    flag.percent = 80;
    return flag;
  });
  if (!wider) return std::unexpected(wider.error());
  show(flags, "user:10");

  // Off for everybody, at once.
  if (const auto off = flags.disable("new-search"); !off) return std::unexpected(off.error());
  show(flags, "ada");

  // Written by hand, as `concord kv put flags/maintenance '"enabled"'` does.
  if (const auto put = node.put("flags/maintenance", "enabled"); !put) return std::unexpected(put.error());
  std::cout << "maintenance: " << flags.is_enabled_or("maintenance", {}, false) << '\n'
            << "unknown flag: " << flags.is_enabled_or("unknown", {}, true) << ", the default\n";
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: feature_flags DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
