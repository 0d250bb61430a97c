#include "client.hpp"

#include <fstream>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include "client/endpoint.hpp"
#include "exchange.hpp"

namespace concord::app {
namespace {

using client::Endpoint;

Exchange::Request wire_request(const ClientRequest& request, const Endpoint& endpoint, const std::string& token) {
  namespace http = boost::beast::http;
  Exchange::Request message(http::string_to_verb(request.method), request.target, 11);
  message.set(http::field::host, endpoint.authority);
  message.set(http::field::connection, "close");
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  if (!request.accept.empty()) message.set(http::field::accept, request.accept);
  if (!token.empty()) message.set(http::field::authorization, "Bearer " + token);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

ClientFailure usage(std::string message) { return {.code = ExitCode::usage, .message = std::move(message)}; }

/// What is wrong with the settings is said before anybody is asked.
std::expected<std::vector<Endpoint>, ClientFailure> endpoints_of(const ClientSettings& settings) {
  if (settings.endpoints.empty()) return std::unexpected(usage("no endpoint was given"));
  std::vector<Endpoint> endpoints;
  for (const std::string& text : settings.endpoints) {
    auto endpoint = client::parse_endpoint(text);
    if (!endpoint) return std::unexpected(usage(endpoint.error().message()));
    endpoints.push_back(std::move(*endpoint));
  }
  if (!settings.certificates_path.empty() && !std::ifstream(settings.certificates_path)) {
    return std::unexpected(usage("cannot read the certificates of --cacert, " + settings.certificates_path));
  }
  if (settings.own_certificate_path.empty() != settings.own_key_path.empty()) {
    return std::unexpected(usage("--cert and --key need each other"));
  }
  // A line end would end the header and begin another one.
  if (settings.token.find_first_of("\r\n") != std::string::npos)
    return std::unexpected(usage("the token has a line end"));
  return endpoints;
}

ClientFailure unreachable(const std::string& problems) {
  return {
      .code = ExitCode::unavailable,
      .message = problems +
                 "\nIs a node running there? `concord start` starts one; --endpoint or CONCORD_ENDPOINT names another"};
}

}  // namespace

std::expected<ClientAnswer, ClientFailure> Client::call(const ClientRequest& request) const {
  const auto endpoints = endpoints_of(settings_);
  if (!endpoints) return std::unexpected(endpoints.error());
  const auto deadline = std::chrono::steady_clock::now() + settings_.timeout;
  std::optional<ClientAnswer> not_ready;
  std::string problems;
  for (std::size_t i = 0; i < endpoints->size(); ++i) {
    const std::string& name = settings_.endpoints[i];
    const auto now = std::chrono::steady_clock::now();
    const auto share = (deadline - now) / static_cast<std::int64_t>(endpoints->size() - i);
    Exchange exchange;
    if (!exchange.connect((*endpoints)[i], settings_, now + share)) {
      problems += (problems.empty() ? "cannot reach " : "\ncannot reach ") + name + ": " + exchange.problem();
      continue;
    }
    bool is_begun = false;
    const auto take = [&](std::string_view piece) {
      is_begun = true;
      return request.take(piece);
    };
    auto answer = exchange.exchange(wire_request(request, (*endpoints)[i], settings_.token), deadline,
                                    request.take ? BodySink{take, settings_.timeout} : BodySink{});
    if (!answer) {
      const std::string problem = name + " did not answer: " + exchange.problem();
      if (is_begun) return std::unexpected(ClientFailure{ExitCode::unavailable, name + ": " + exchange.problem()});
      if (request.method != "GET") {
        return std::unexpected(
            ClientFailure{ExitCode::unavailable, problem + "; whether the write was done is unknown"});
      }
      problems += (problems.empty() ? "" : "\n") + problem;
      continue;
    }
    answer->endpoint = name;
    if (answer->status != 503) return std::move(*answer);
    not_ready = std::move(answer);
  }
  if (not_ready) return std::move(*not_ready);
  return std::unexpected(unreachable(problems));
}

ExitCode exit_code_of(unsigned status) noexcept {
  switch (status) {
    case 401:
    case 403: return ExitCode::not_allowed;
    case 404: return ExitCode::not_found;
    case 409:
    case 412: return ExitCode::condition_failed;
    case 429:
    case 503:
    case 504: return ExitCode::unavailable;
    default: return status >= 200 && status < 300 ? ExitCode::done : ExitCode::failed;
  }
}

}  // namespace concord::app
