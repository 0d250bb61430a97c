#include "commands/api_call.hpp"

#include <iostream>
#include <iterator>

#include "base/base64.hpp"
#include "http/target.hpp"
#include "json_text.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::app {

void add_parameters(std::string& query, std::string_view more) {
  if (!query.empty() && !more.empty()) query += '&';
  query += more;
}

std::string consistency_of(const Context& context) {
  return context.consistency.empty() ? std::string() : "consistency=" + context.consistency;
}

std::string api_target(const Context& context, std::string path, std::string query) {
  add_parameters(query, "timeout_ms=" + std::to_string(context.timeout_value().count()));
  return std::move(path) + "?" + query;
}

std::string key_target(const Context& context, const std::string& key, std::string query, std::string_view suffix) {
  std::string in_path = http::percent_encode(key);
  if (!value::is_utf8(key)) {
    in_path.clear();
    base::append_base64url(in_path, key);
    add_parameters(query, "key_encoding=base64url");
  }
  return api_target(context, "/api/v1/kv/" + in_path + std::string(suffix), std::move(query));
}

std::optional<std::string> call(Context& context, const ClientRequest& request) {
  auto answer = context.client().call(request);
  if (!answer) {
    context.exit_code = report_problem(answer.error().code, answer.error().message);
    return std::nullopt;
  }
  if (answer->status < 200 || answer->status > 299) {
    context.exit_code = report_problem(*answer);
    return std::nullopt;
  }
  return std::move(answer->body);
}

std::optional<std::string> compact_answer(Context& context, const std::string& body) {
  // A value may be nested as deep as a stored one may; the answer is a few levels around it.
  auto compact = value::compact_json(body, value::max_json_depth + 8);
  if (compact) return std::move(*compact);
  context.exit_code = report_problem(ExitCode::failed, "the answer can't be read: " + compact.error().message());
  return std::nullopt;
}

std::optional<std::string> call_for_data(Context& context, const ClientRequest& request) {
  const auto body = call(context, request);
  const auto compact = body ? compact_answer(context, *body) : std::nullopt;
  if (!compact) return std::nullopt;
  if (const auto data = json_member(*compact, "data")) return std::string(*data);
  context.exit_code = report_problem(ExitCode::failed, "the answer is not one of a Concord node");
  return std::nullopt;
}

std::string shown_key(std::string_view row) {
  if (const auto key = json_member(row, "key")) return json_to_plain(*key);
  return "base64:" + json_to_plain(json_member(row, "key_b64").value_or(R"("")"));
}

void print_done(const Context& context, const std::string& body) {
  if (context.output_form() == OutputForm::json) {
    std::cout << body << '\n';
    return;
  }
  const auto revision = json_member(body, "revision");
  std::cout << "ok";
  if (revision) std::cout << " revision=" << *revision;
  std::cout << '\n';
}

std::string input_of(const std::string& value) {
  if (value != "-") return value;
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

}  // namespace concord::app
