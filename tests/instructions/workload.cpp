// What one operation costs in instructions: a fixed amount of each, in one thread and with nothing drawn by chance, for a machine that
// counts them (instructions_test.py). Two amounts, subtracted, leave what one more operation costs.
//
//     instructions_workload <row> <operations>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/check.hpp"
#include "command/transaction.hpp"
#include "env/file_system.hpp"
#include "http/request_parser.hpp"
#include "node/runtime.hpp"
#include "store/view.hpp"

namespace {

using namespace concord;

constexpr std::uint64_t keys = 2000;

/// Time that stands still.
class StillClock final : public env::Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return 1'700'000'000'000; }
};

std::string key_of(std::uint64_t number) {
  std::string key = "user:00000";
  const std::string digits = std::to_string(number % keys);
  return key.replace(key.size() - digits.size(), digits.size(), digits);
}

/// A node alone, driven by the caller, on a real disk: what the system does is not counted.
class Node {
 public:
  Node() {
    Options options;
    options.data_dir = directory_ / "data";
    options.durability = Durability::memory;
    options.snapshot.every_entries = 1U << 30U;
    auto opened = node::Runtime::open({.files = env::make_real_file_system(),
                                       .clock = std::make_unique<StillClock>(),
                                       .draw = [] { return std::uint64_t{7}; },
                                       .has_threads = false},
                                      options);
    CONCORD_CHECK(opened.has_value(), "the node opens");
    runtime_ = std::move(*opened);
    while (!runtime_->is_serving()) runtime_->step();
  }

  void write(const node::Write& write) {
    bool is_done = false;
    runtime_->write_async(write, std::chrono::milliseconds(5000), [&](const Result<command::Outcome>& outcome) {
      CONCORD_CHECK(outcome.has_value(), "it is done");
      is_done = true;
    });
    while (!is_done) runtime_->step();
  }
  void put(std::string_view key) { write({.key = key, .value = value_}); }
  /// As the embedded interface does when nobody else drives: all of it within the call.
  void put_alone(std::string_view key) {
    const auto outcome = runtime_->write({.key = key, .value = value_}, std::chrono::milliseconds(5000));
    CONCORD_CHECK(outcome.has_value(), "it is done");
  }
  void fill() {
    for (std::uint64_t number = 0; number < keys; ++number) put(key_of(number));
  }
  [[nodiscard]] const store::StateMachine& state() const { return runtime_->state(); }

 private:
  /// Gone with the node.
  class Directory {
   public:
    Directory()
        : path_(std::filesystem::temp_directory_path() / ("concord_instructions." + std::to_string(::getpid()))) {
      std::filesystem::create_directories(path_);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

   private:
    std::filesystem::path path_;
  };

  const Directory directory_;
  const std::string value_ = std::string(1, '\0') + '"' + std::string(98, 'v') + '"';
  std::unique_ptr<node::Runtime> runtime_;
};

void put(std::uint64_t count) {
  Node node;
  node.fill();
  for (std::uint64_t at = 0; at < count; ++at) node.put(key_of(at * 7919));
}

void put_alone(std::uint64_t count) {
  Node node;
  node.fill();
  for (std::uint64_t at = 0; at < count; ++at) node.put_alone(key_of(at * 7919));
}

void get(std::uint64_t count) {
  Node node;
  node.fill();
  Value value;
  for (std::uint64_t at = 0; at < count; ++at) CONCORD_CHECK(node.state().get(key_of(at * 7919), value), "it is there");
}

void transaction(std::uint64_t count) {
  Node node;
  node.fill();
  for (std::uint64_t at = 0; at < count; ++at) {
    const std::string from = key_of(at * 7919);
    const std::string to = key_of(at * 7919 + 1);
    const std::string value = std::string(1, '\0') + std::to_string(100 + at % 100);
    command::Transaction both;
    both.guards.push_back({.kind = command::GuardKind::exists, .key = from});
    both.then.push_back({.kind = command::OperationKind::put, .key = from, .value = value});
    both.then.push_back({.kind = command::OperationKind::put, .key = to, .value = value});
    node.write({.kind = command::CommandKind::transaction, .transaction = &both});
  }
}

void list(std::uint64_t count) {
  Node node;
  node.fill();
  for (std::uint64_t at = 0; at < count; ++at) {
    std::uint64_t seen = 0;
    node.state().view().visit_from(key_of(at * 100), [&](const auto&) { return ++seen < 100; });
    CONCORD_CHECK(seen > 0, "keys follow");
  }
}

void request(std::uint64_t count) {
  constexpr std::string_view bytes =
      "PUT /api/v1/kv/user%3A00001 HTTP/1.1\r\nHost: 127.0.0.1:4000\r\nContent-Type: application/json\r\n"
      "Accept: */*\r\nContent-Length: 15\r\n\r\n{\"value\":\"one\"}";
  http::RequestParser parser({});
  http::Request request;
  for (std::uint64_t at = 0; at < count; ++at) {
    parser.start(request);
    CONCORD_CHECK(parser.feed(bytes).state == http::RequestParser::State::complete, "it is a request");
  }
}

const std::map<std::string_view, std::function<void(std::uint64_t)>> rows = {
    {"put", put},       {"put_alone", put_alone}, {"get", get}, {"transaction", transaction},
    {"list_100", list}, {"http_request", request}};

}  // namespace

int main(int count, char** words) {
  const auto row = count == 3 ? rows.find(words[1]) : rows.end();
  if (row == rows.end()) {
    std::fputs("usage: instructions_workload <row> <operations>; rows:", stderr);
    for (const auto& [name, run] : rows) std::fprintf(stderr, " %s", std::string(name).c_str());
    std::fputs("\n", stderr);
    return 2;
  }
  row->second(std::strtoull(words[2], nullptr, 10));
}
