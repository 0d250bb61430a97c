// Following what changes: one by one, by callback, and behind a revision from before.
//
//     events [DIRECTORY]
#include <filesystem>
#include <future>
#include <iostream>
#include <string>

#include <concord/concord.hpp>

using namespace std::chrono_literals;

namespace {

int failed(const concord::Error& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::filesystem::path directory =
      argument_count > 1 ? arguments[1] : std::filesystem::temp_directory_path() / "concord-example-events";
  std::filesystem::remove_all(directory);
  auto node = concord::Node::open({.data_dir = directory});
  if (!node) return failed(node.error());
  concord::Store& store = *node;

  auto users = store.subscribe({.key_pattern = "^user:", .with_previous = true});
  if (!users) return failed(users.error());
  (void)store.put("user:1", "Ada");
  (void)store.put("order:1", 42);  // nobody asks for it
  (void)store.put("user:1", "Grace");
  for (int i = 0; i < 2; ++i) {
    const auto event = users->next(5s);
    if (!event || !*event) return 1;
    const concord::EventChange& change = (*event)->changes.front();
    std::cout << (*event)->revision.value() << ": " << change.key << " is " << change.value->json_text();
    if (change.previous) std::cout << ", was " << change.previous->json_text();
    std::cout << '\n';
  }

  // Elsewhere, later: whoever remembers how far it came goes on there.
  auto resumed = store.subscribe({.after_revision = concord::Revision(1)});
  if (!resumed) return failed(resumed.error());
  std::promise<void> came;
  resumed->deliver([&, count = 0](const concord::Event& event) mutable {
    std::cout << concord::event_type_name(event.type) << " of " << event.key() << '\n';
    if (++count == 2) came.set_value();
  });
  came.get_future().wait();
  return 0;
}
