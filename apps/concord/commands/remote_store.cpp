#include "commands/remote_store.hpp"

#include <utility>

#include "http/error_status.hpp"

namespace concord::app {

std::optional<concord::Client> connect_store(Context& context) {
  auto client = concord::Client::connect(context.endpoints, {.token = context.token,
                                                             .cacert = context.certificates_path,
                                                             .verify_certificates = !context.trusts_anybody,
                                                             .cert = context.own_certificate_path,
                                                             .key = context.own_key_path});
  if (client) return std::move(*client);
  context.exit_code = report_problem(ExitCode::usage, client.error().message());
  return std::nullopt;
}

void report_error(Context& context, const Error& error) {
  context.exit_code = report_problem(exit_code_of(http::status_of(error.code())), error.message());
}

}  // namespace concord::app
