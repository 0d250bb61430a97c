// The subcommands. Each `add_...` adds its own to the command line; its callback leaves the exit code in the context.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "client.hpp"
#include "exit_code.hpp"
#include "output.hpp"

namespace CLI {
class App;
}

namespace concord::app {

/// What stands before or after any subcommand.
struct Context {
  std::vector<std::string> endpoints;
  std::string token;
  std::string output;  ///< "table", "json", "plain", or empty
  std::string timeout = "5s";
  std::string consistency;
  std::string config_path;
  std::string certificates_path;  ///< empty: the system's
  bool trusts_anybody = false;
  std::string own_certificate_path;  ///< empty: none is shown
  std::string own_key_path;
  ExitCode exit_code = ExitCode::done;

  [[nodiscard]] OutputForm output_form() const noexcept {
    if (output == "json") return OutputForm::json;
    if (output == "plain") return OutputForm::plain;
    return output == "table" ? OutputForm::table : default_output_form();
  }
  /// Precondition: the command line was accepted.
  [[nodiscard]] std::chrono::milliseconds timeout_value() const noexcept;
  [[nodiscard]] Client client() const {
    return Client({.endpoints = endpoints,
                   .token = token,
                   .timeout = timeout_value(),
                   .certificates_path = certificates_path,
                   .trusts_anybody = trusts_anybody,
                   .own_certificate_path = own_certificate_path,
                   .own_key_path = own_key_path});
  }
};

void add_start(CLI::App& app, Context& context);
void add_kv(CLI::App& app, Context& context);
void add_kv_list(CLI::App& kv, Context& context);
void add_kv_transfer(CLI::App& kv, Context& context);
void add_import(CLI::App& app, Context& context);
void add_export(CLI::App& parent, Context& context);
void add_cluster(CLI::App& app, Context& context);
void add_cluster_status(CLI::App& cluster, Context& context);
void add_query(CLI::App& app, Context& context);
void add_txn(CLI::App& app, Context& context);
void add_watch(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_audit(CLI::App& app, Context& context);
void add_debug(CLI::App& app, Context& context);
void add_debug_log(CLI::App& debug, Context& context);
void add_token(CLI::App& app, Context& context);
void add_role(CLI::App& app, Context& context);
void add_user(CLI::App& app, Context& context);
void add_tenant(CLI::App& app, Context& context);
void add_cluster_token(CLI::App& cluster, Context& context);
void add_backup(CLI::App& app, Context& context);
void add_cert(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_man(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);

}  // namespace concord::app
