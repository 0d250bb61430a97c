// Writing without waiting: with a callback, and with co_await.
//
// usage: counters DATA_DIR
#include <concord/concord.hpp>

#include <atomic>
#include <coroutine>
#include <exception>
#include <future>
#include <iostream>
#include <string>

namespace {

/// The smallest coroutine there is: starts at once, belongs to nobody.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Task count(concord::Node& node, std::promise<concord::Revision>& finished) {
  concord::Revision last;
  for (int i = 1; i <= 3; ++i) {
    const concord::Result<concord::Revision> put = co_await node.async_put("awaited", i);
    if (put) last = *put;
  }
  finished.set_value(last);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: counters DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  if (!node) {
    std::cerr << node.error().message() << '\n';
    return 1;
  }
  // A thousand writes in flight share a few syncs of the disk.
  std::atomic<int> left{1000};
  std::promise<void> all_done;
  for (int i = 0; i < 1000; ++i) {
    node->async_put("counter/" + std::to_string(i), i, {}, [&](concord::Result<concord::Revision> put) {
      if (!put) std::cerr << put.error().message() << '\n';
      if (--left == 0) all_done.set_value();
    });
  }
  all_done.get_future().wait();
  std::cout << "keys: " << node->status()->storage.size << '\n';

  std::promise<concord::Revision> finished;
  count(*node, finished);
  finished.get_future().wait();
  std::cout << "awaited: " << node->get<int>("awaited").value_or(0) << '\n';
}
