// The store from another machine: the same calls as those of a node inside the program.
//
// usage: remote_client ENDPOINT...      (http://127.0.0.1:4000 for a node started by `concord start`)
#include <concord/concord.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Works on any `Store`: a `Client`, or a `Node`.
concord::Result<> reserve(concord::Store& store, const std::string& seat, const std::string& who) {
  const auto taken = store.create("seat/" + seat, who, {.ttl = 15min});
  if (!taken) return std::unexpected(taken.error());
  return {};
}

concord::Result<> run(concord::Client& client) {
  for (const std::string who : {"ada", "bob"}) {
    const auto done = reserve(client, "12A", who);
    std::cout << who << ": " << (done ? "reserved" : concord::error_name(done.error().code())) << '\n';
  }
  const auto seats = client.where({.prefix = "seat/"});
  if (!seats) return std::unexpected(seats.error());
  for (const concord::Item& seat : *seats) {
    std::cout << seat.key << " is " << seat.entry.value.as<std::string>().value() << "'s\n";
  }
  // Read from any of the nodes: quicker, perhaps a moment old.
  const auto owner = client.get<std::string>("seat/12A", {.consistency = concord::ReadConsistency::eventual});
  if (!owner) return std::unexpected(owner.error());
  std::cout << "still " << *owner << "'s\n";
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> endpoints(argv + 1, argv + argc);
  auto client = concord::Client::connect(endpoints);
  if (!client) {
    std::cerr << client.error().message() << '\n';
    return 1;
  }
  if (const auto done = run(*client); !done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
