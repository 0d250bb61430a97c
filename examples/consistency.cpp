// Read consistency: each read says how fresh its answer must be.
//
// usage: consistency DATA_DIR
#include <concord/concord.hpp>

#include <iostream>
#include <string>

namespace {

using concord::ReadConsistency;

/// Every read takes the level, and without one the node's default.
concord::Result<> read(concord::Node& node, const char* name, ReadConsistency level) {
  const concord::ReadOptions options{.consistency = level};
  const auto one = node.get<int>("stock", options);
  if (!one) return std::unexpected(one.error());
  const auto many = node.get_many({"stock", "price"}, options);
  if (!many) return std::unexpected(many.error());
  const auto with_ttl = node.get_with_ttl<int>("stock", options);
  if (!with_ttl) return std::unexpected(with_ttl.error());
  const auto ttl = node.ttl("stock", options);
  if (!ttl) return std::unexpected(ttl.error());
  const auto all = node.get_all(options);
  if (!all) return std::unexpected(all.error());
  const auto all_with_ttl = node.get_all_with_ttl(options);
  if (!all_with_ttl) return std::unexpected(all_with_ttl.error());
  const auto keys = node.keys({.prefix = "s"}, options);
  if (!keys) return std::unexpected(keys.error());
  std::cout << name << ": stock " << *one << ", " << all->size() << " keys\n";
  return {};
}

concord::Result<> run(concord::Node& node) {
  const auto put = node.put_many({{"stock", 12}, {"price", 80}});
  if (!put) return std::unexpected(put.error());

  // eventual: what this node has applied; the quickest, for dashboards and caches.
  if (auto done = read(node, "eventual", ReadConsistency::eventual); !done) return done;
  // leader: what the leader has applied, without asking the others; for most things.
  if (auto done = read(node, "leader", ReadConsistency::leader); !done) return done;
  // strong: everything that was acknowledged before the read began; for money and for decisions.
  if (auto done = read(node, "strong", ReadConsistency::strong); !done) return done;

  const auto price = node.get<int>("price");  // the default of this node: strong, see below
  if (!price) return std::unexpected(price.error());
  std::cout << "default: price " << *price << '\n';

  // How a node is, is what it knows itself: no level.
  const auto status = node.status();
  if (!status) return std::unexpected(status.error());
  std::cout << "this node is the " << concord::node_state_name(status->cluster.state) << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: consistency DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1], .default_consistency = concord::ReadConsistency::strong});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
