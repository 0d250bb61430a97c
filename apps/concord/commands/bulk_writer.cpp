#include "commands/bulk_writer.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <optional>
#include <span>
#include <utility>

#include "base/base64.hpp"
#include "commands/api_call.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::app {
namespace {

constexpr std::size_t batch_items = 500;
constexpr std::size_t batch_bytes = 4U << 20U;
/// Which keys are there is asked for so many at a time: the answer has their values too.
constexpr std::size_t asked_at_once = 20;

std::optional<std::size_t> number_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t number = 0;
  const char* const begin = text.data() + at + mark.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

/// The position that a refusal names: "operations[17] ...", or "then[17] ..." of a transaction.
std::optional<std::size_t> refused_position(std::string_view message) {
  const auto position = number_behind(message, "operations[");
  return position ? position : number_behind(message, "then[");
}

std::string message_of(const std::string& body) {
  const auto compact = value::compact_json(body);
  const auto error = compact ? json_member(*compact, "error") : std::nullopt;
  const auto message = error ? json_member(*error, "message") : std::nullopt;
  return message ? json_to_plain(*message) : body;
}

std::string key_member(std::string_view json) {
  if (const auto key = json_member(json, "key")) return R"("key":)" + std::string(*key);
  return R"("key_b64":)" + std::string(json_member(json, "key_b64").value_or(R"("")"));
}

}  // namespace

bool BulkWriter::add(BulkItem item) {
  // A key that comes twice is there when it comes again: the two go one after the other.
  const bool is_repeated = is_conditional() && keys_.contains(item.key);
  if ((is_repeated || bytes_ + item.json.size() > batch_bytes) && !send()) return false;
  bytes_ += item.json.size();
  if (is_conditional()) keys_.insert(item.key);
  batch_.push_back(std::move(item));
  return batch_.size() < batch_items || send();
}

bool BulkWriter::send() {
  while (!batch_.empty()) {
    const auto answer = client_.call(request());
    if (!answer) {
      context_.exit_code = report_problem(answer.error().code, answer.error().message);
      return false;
    }
    if (!(answer->status == 200 ? settle(*answer) : settle_refusal(*answer))) return false;
  }
  clear();
  return true;
}

void BulkWriter::clear() {
  batch_.clear();
  keys_.clear();
  bytes_ = 0;
}

bool BulkWriter::settle(const ClientAnswer& answer) {
  if (is_conditional()) {
    const auto compact = compact_answer(context_, answer.body);
    if (!compact) return false;
    const std::string_view result = json_member(*compact, "data").value_or(*compact);
    if (json_member(result, "succeeded") != "true") return settle_conflict(result);
  }
  stored_ += batch_.size();
  clear();
  return true;
}

bool BulkWriter::settle_refusal(const ClientAnswer& answer) {
  const std::string message = message_of(answer.body);
  const auto position = batch_.size() == 1 ? 0 : refused_position(message);
  // 401 and 403 are of the token and not of a key, even when they name one.
  const bool is_of_an_item = answer.status >= 400 && answer.status < 500 && answer.status != 401 &&
                             answer.status != 403 && answer.status != 429 && position && *position < batch_.size();
  if (!is_of_an_item) {
    context_.exit_code = report_problem(answer);
    return false;
  }
  const auto item = batch_.begin() + static_cast<std::ptrdiff_t>(*position);
  if (!on_refused_(*item, message)) {
    context_.exit_code = ExitCode::failed;
    return false;
  }
  ++refused_;
  batch_.erase(item);
  return true;
}

/// One of the keys is there: `result` says which is the first of them.
bool BulkWriter::settle_conflict(std::string_view result) {
  if (on_conflict_ == OnConflict::skip) return drop_existing();
  const auto position = number_behind(json_member(result, "failed_guard").value_or(""), "");
  const BulkItem& item = batch_[position && *position < batch_.size() ? *position : 0];
  (void)on_refused_(item, "the key is there already");
  context_.exit_code = ExitCode::condition_failed;
  return false;
}

bool BulkWriter::drop_existing() {
  std::unordered_set<std::string> existing;  // as base64
  for (std::size_t from = 0; from < batch_.size(); from += asked_at_once) {
    const auto asked = std::span(batch_).subspan(from, std::min(asked_at_once, batch_.size() - from));
    ClientRequest request{.method = "POST",
                          .target = api_target(context_, "/api/v1/kv/bulk/get", "consistency=leader")};
    request.content_type = "application/json";
    request.body = R"({"keys_b64":[)";
    for (const BulkItem& item : asked) {
      request.body += '"';
      base::append_base64(request.body, item.key);
      request.body += "\",";
    }
    request.body.back() = ']';
    request.body += '}';
    const auto found = call_for_data(context_, request);
    if (!found) return false;
    value::Cursor cursor(*found);
    for (cursor.open(); cursor.more();) {
      std::string key = value::unescape(cursor.name());
      if (json_member(cursor.skip(), "status") == R"("ok")") existing.insert(std::move(key));
    }
  }
  skipped_ += std::erase_if(batch_, [&existing](const BulkItem& item) {
    std::string key;
    base::append_base64(key, item.key);
    return existing.contains(key);
  });
  return true;
}

ClientRequest BulkWriter::request() const {
  ClientRequest request{.method = "POST", .target = {}};
  request.content_type = "application/json";
  if (is_conditional()) {
    request.target = api_target(context_, "/api/v1/txn", "meta=true");
    request.body = conditional_body();
    return request;
  }
  request.target = api_target(context_, "/api/v1/kv/bulk");
  request.body = R"({"operations":[)";
  for (const BulkItem& item : batch_) request.body += item.json + ",";
  request.body.back() = ']';
  request.body += '}';
  return request;
}

/// A transaction: if none of the keys is there, all are stored.
std::string BulkWriter::conditional_body() const {
  std::string guards = R"({"guards":[)";
  std::string operations = R"("then":[)";
  for (const BulkItem& item : batch_) {
    guards += "{" + key_member(item.json) + R"(,"exists":false},)";
    operations += R"({"op":"put",)" + item.json.substr(1) + ",";
  }
  guards.back() = ']';
  operations.back() = ']';
  return guards + "," + operations + "}";
}

}  // namespace concord::app
