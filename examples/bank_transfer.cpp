// A transfer between two accounts: both change, or neither, and nobody comes in between.
//
// usage: bank_transfer DATA_DIR
#include <concord/concord.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

enum class Outcome { transferred, insufficient_funds };

/// Reads both balances as of one moment, and writes both only if both are still what was read; else again. A timeout with
/// `maybe_committed()` leaves open whether the money moved, so it is not tried again here: the caller looks first.
concord::Result<Outcome> transfer(concord::Store& store, const std::string& from, const std::string& to,
                                  std::int64_t amount) {
  if (from == to || amount <= 0) return concord::fail(concord::Errc::invalid_request, "nothing to transfer");
  while (true) {
    const auto accounts = store.get_entries({from, to}, {.consistency = concord::ReadConsistency::strong});
    if (!accounts) return std::unexpected(accounts.error());
    const auto& source = (*accounts)[0];
    const auto& target = (*accounts)[1];
    if (!source || !target) return concord::fail(concord::Errc::not_found, "no such account");
    const auto has = source->value.as<std::int64_t>();
    const auto had = target->value.as<std::int64_t>();
    if (!has) return std::unexpected(has.error());
    if (!had) return std::unexpected(had.error());
    if (*has < amount) return Outcome::insufficient_funds;

    const auto done = store.commit(
        {.guards = {{.key = from, .revision = source->revision}, {.key = to, .revision = target->revision}},
         .then = {concord::Operation::put(from, *has - amount), concord::Operation::put(to, *had + amount)}});
    if (!done) return std::unexpected(done.error());
    if (done->succeeded) return Outcome::transferred;
  }
}

concord::Result<> run(concord::Node& node) {
  const auto opened = node.put_many({{"account/ada", 500}, {"account/bob", 500}});
  if (!opened) return std::unexpected(opened.error());

  // Both ways at once: the sum stays what it was.
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&node, i] {
      for (int n = 0; n < 10; ++n) {
        const auto done = i % 2 == 0 ? transfer(node, "account/ada", "account/bob", 10)
                                     : transfer(node, "account/bob", "account/ada", 7);
        if (!done) std::cerr << done.error().message() << '\n';
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto ada = node.get<std::int64_t>("account/ada");
  if (!ada) return std::unexpected(ada.error());
  const auto bob = node.get<std::int64_t>("account/bob");
  if (!bob) return std::unexpected(bob.error());
  std::cout << "ada " << *ada << ", bob " << *bob << ", together " << *ada + *bob << '\n';

  const auto too_much = transfer(node, "account/ada", "account/bob", 10'000);
  if (!too_much) return std::unexpected(too_much.error());
  std::cout << (*too_much == Outcome::insufficient_funds ? "insufficient funds" : "transferred") << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: bank_transfer DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
