#include "sim/export.hpp"

#include <string>

#include "base/check.hpp"

namespace concord::sim {

namespace {

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// Items by comma, in brackets.
class List {
 public:
  void add(const std::string& item) { text_ += (text_.empty() ? "" : ",") + item; }
  [[nodiscard]] std::string text() const { return '[' + text_ + ']'; }

 private:
  std::string text_;
};

std::string get_of(const std::string& key) { return R"({"op":"get","key":)" + quoted(key) + '}'; }

std::string step_of(const Seen& write) {
  if (write.value == 0) return R"({"op":"delete","key":)" + quoted(write.key) + '}';
  return R"({"op":"put","key":)" + quoted(write.key) + R"(,"value":)" + std::to_string(write.value) + '}';
}

std::string shown(const Seen& seen) {
  if (seen.value == 0) return R"({"missing":true})";
  return R"({"value":)" + std::to_string(seen.value) + R"(,"revision":)" + std::to_string(seen.revision) + '}';
}

std::string guard_of(const Seen& guard) {
  const std::string key = R"({"key":)" + quoted(guard.key);
  return guard.revision == 0 ? key + R"(,"exists":false})"
                             : key + R"(,"revision":)" + std::to_string(guard.revision) + '}';
}

/// A guard that fails runs nothing; every other write of the workload changes something, but a removal of what is not there.
std::string result_of(const Operation& operation) {
  const bool succeeded = !operation.guard || operation.changed;
  List steps;
  for (const Seen& seen : operation.reads) steps.add(shown(seen));
  for (const Seen& write : operation.writes) {
    if (succeeded) steps.add(write.value == 0 && !operation.changed ? R"({"missing":true})" : "{}");
  }
  std::string text = std::string(R"({"succeeded":)") + (succeeded ? "true" : "false");
  if (operation.changed) text += R"(,"revision":)" + std::to_string(operation.revision);
  return text + R"(,"steps":)" + steps.text() + '}';
}

}  // namespace

void export_history(const History& history, std::ostream& to) {
  for (const Operation& operation : history.operations()) {
    CONCORD_CHECK(operation.ttl_s == 0, "what expires is not in that form");
    const bool is_read = operation.kind == Operation::Kind::read;
    const bool is_known = operation.fate == Fate::done;
    if (operation.fate == Fate::nothing_done || (is_read && (!is_known || operation.may_lag_us != 0))) continue;
    List then;
    for (const std::string& key : operation.gets) then.add(get_of(key));
    for (const Seen& write : operation.writes) then.add(step_of(write));
    List guards;
    if (operation.guard) guards.add(guard_of(*operation.guard));
    constexpr TimeUs ns = 1000;
    to << R"({"client":)" << operation.client << R"(,"call":)" << operation.called_us * ns;
    if (is_known) to << R"(,"return":)" << operation.returned_us * ns << R"(,"result":)" << result_of(operation);
    to << R"(,"guards":)" << guards.text() << R"(,"then":)" << then.text() << "}\n";
  }
}

}  // namespace concord::sim
