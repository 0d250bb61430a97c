// Bodies of every route: what is accepted is JSON to the strict reader too, what is refused is refused as the client's mistake,
// and nothing else happens.
#include <memory>
#include <optional>

#include "base/check.hpp"
#include "http/route.hpp"
#include "http/testing_database.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using http::Call;
using http::Method;
using http::Route;

/// Answers inside the call.
class InlineSubmitter final : public http::Submitter {
 public:
  Call* call = nullptr;

  void work(http::Step step) override {
    while (!step(*call)) {
    }
  }
  void await(http::Start start, http::Continuation continuation) override {
    std::optional<Result<command::Outcome>> outcome;
    start([&](Result<command::Outcome> done) { outcome.emplace(std::move(done)); });
    continuation(*call, std::move(*outcome));
  }
  void stream(std::unique_ptr<http::Feed>) override {}  // no route with a body has one
};

std::vector<Route> routes_with_bodies() {
  std::vector<Route> routes;
  for (const Route& route : http::api_routes()) {
    if (route.body_schema != nullptr) routes.push_back(route);
  }
  return routes;
}

std::string target_of(const Route& route) {
  std::string target(route.path);
  if (const auto at = target.find("{key}"); at != std::string::npos) target.replace(at, 5, "k");
  return target;
}

}  // namespace

void run(std::string_view bytes) {
  if (bytes.empty()) return;
  static const std::vector<Route> routes = routes_with_bodies();
  static const http::RouteTable table(http::api_routes());
  const Route& route = routes[static_cast<unsigned char>(bytes.front()) % routes.size()];
  http::TestingDatabase database;
  http::Site site{.database = database};
  InlineSubmitter submitter;
  Call call(site, submitter);
  submitter.call = &call;
  call.request.method = route.method;
  call.request.target = target_of(route);
  call.request.body = bytes.substr(1);
  table.dispatch(call);
  // Searches and bulk reads are refused by the database of the test as internal errors: their bodies were accepted.
  const bool accepted = call.reply.status < 300 || call.reply.status == 500;
  const bool refused = call.reply.status >= 400 && call.reply.status < 500;
  CONCORD_CHECK(accepted || refused, "no other status");
  CONCORD_CHECK(refused || Value::parse_json(call.request.body) || (call.request.body.empty() && !route.body_required),
                "what is accepted is JSON");
  CONCORD_CHECK(Value::parse_json(call.reply.body).has_value(), "answers are JSON");
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  const std::vector<Route> routes = routes_with_bodies();
  for (std::size_t i = 0; i < routes.size(); ++i) {
    seeds.push_back(static_cast<char>(i) + std::string(routes[i].body_schema->example));
  }
  seeds.push_back('\0' + std::string(R"({"v\u0061lue":"YQ==","encoding":"base64","keep_ttl":true})"));
  for (std::string& seed : arbitrary_inputs(3)) seeds.push_back(std::move(seed));
  return seeds;
}

}  // namespace concord::fuzz
