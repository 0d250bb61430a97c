// Feature flags: small values that many threads read all the time and an operator changes now and then.
//
// usage: feature_flags DATA_DIR
#include <concord/concord.hpp>

#include <boost/describe.hpp>
#include <iostream>
#include <string>

namespace {

struct Flag {
  bool enabled = false;
  int percent = 0;  ///< of users who see it
};
BOOST_DESCRIBE_STRUCT(Flag, (), (enabled, percent))  // any described struct is a value

/// What a request asks: is the flag on for this user? A missing flag is off.
bool is_on(concord::Node& node, const std::string& flag, int user) {
  const auto found = node.get<Flag>("flags/" + flag);
  return found && found->enabled && user % 100 < found->percent;
}

int fail(const concord::Error& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: feature_flags DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  if (!node) return fail(node.error());

  if (const auto put = node->put("flags/new-search", Flag{.enabled = true, .percent = 25}); !put)
    return fail(put.error());
  std::cout << "user 10 sees the new search: " << std::boolalpha << is_on(*node, "new-search", 10) << '\n'
            << "user 90 sees the new search: " << is_on(*node, "new-search", 90) << '\n';

  // Two flags together, or neither.
  const auto both =
      node->put_many({{"flags/new-search", Flag{.enabled = true, .percent = 100}}, {"flags/old-search", Flag{}}});
  if (!both) return fail(both.error());
  std::cout << "user 90 sees the new search: " << is_on(*node, "new-search", 90) << '\n';
}
