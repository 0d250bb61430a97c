// Sessions: written at login, read at each request, prolonged by use, gone by themselves.
//
// usage: session_store DATA_DIR
#include <concord/concord.hpp>

#include <boost/describe.hpp>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

struct Session {
  std::string user;
  std::vector<std::string> roles;
};
BOOST_DESCRIBE_STRUCT(Session, (), (user, roles))

int fail(const concord::Error& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: session_store DATA_DIR\n";
    return 2;
  }
  // A session that is lost with the power is a login more: `os` is much quicker than `disk`, and survives a crash of the program.
  auto node = concord::Node::open({.data_dir = argv[1], .durability = concord::Durability::os});
  if (!node) return fail(node.error());

  // `create` fails when the id is taken: two logins never share a session.
  const auto created = node->create("session/17", Session{.user = "ada", .roles = {"admin"}}, {.ttl = 1s});
  if (!created && created.error().code() != concord::Errc::condition_failed) return fail(created.error());

  const auto session = node->get<Session>("session/17");
  if (!session) return fail(session.error());
  std::cout << "logged in: " << session->user << '\n';

  if (const auto touched = node->touch("session/17", 2s); !touched) return fail(touched.error());
  std::cout << "seconds left: " << node->get_entry("session/17")->ttl->count() << '\n';

  while (node->get("session/17")) std::this_thread::sleep_for(10ms);
  std::cout << "logged out\n";
}
