// Backups, over HTTP: those of the node that answers.
#include <concord/client.hpp>

#include <utility>

#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "value/json_string.hpp"

namespace concord {

using client::Method;
using client::Request;

namespace {

constexpr std::string_view root = "/api/v1/backups";

/// Another try on another node would speak of other files.
Result<Request> request_of(const ClientOptions& client, std::string_view directory, std::string_view token,
                           std::chrono::milliseconds timeout) {
  if (!directory.empty()) {
    return fail(Errc::invalid_request, "over HTTP backups are in the node's own directory: give none");
  }
  Request request = client::write_request({.timeout = timeout, .token = token}, client);
  request.target = root;
  request.method = Method::post;
  return request;
}

Result<Request> request_for(const ClientOptions& client, std::string_view backup, std::string_view what,
                            std::string_view token, std::chrono::milliseconds timeout) {
  if (backup.empty() || backup.find('/') != std::string_view::npos || !value::is_utf8(backup)) {
    return fail(Errc::not_found, "there is no such backup: over HTTP it is known by its name");
  }
  auto request = request_of(client, {}, token, timeout);
  request->target += '/';
  client::append_percent_encoded(request->target, backup);
  request->target += what;
  return request;
}

}  // namespace

Result<BackupInfo> Client::create_backup(const CreateBackupOptions& options) {
  auto request = request_of(impl_->core.options(), options.directory, options.token, options.timeout);
  if (!request) return std::unexpected(std::move(request.error()));
  if (options.consistency) {
    request->target += "?consistency=";
    request->target += *options.consistency == ReadConsistency::strong   ? "strong"
                       : *options.consistency == ReadConsistency::leader ? "leader"
                                                                         : "eventual";
  }
  return client::backup_of(impl_->core.wait(std::move(*request)));
}

Result<BackupList> Client::list_backups(const BackupReadOptions& options) {
  auto request = request_of(impl_->core.options(), options.directory, options.token, options.timeout);
  if (!request) return std::unexpected(std::move(request.error()));
  request->method = Method::get;
  return client::backups_of(impl_->core.wait(std::move(*request)));
}

Result<BackupVerdict> Client::verify_backup(std::string_view backup, const BackupReadOptions& options) {
  auto request = request_for(impl_->core.options(), backup, "/verify", options.token, options.timeout);
  if (!request) return std::unexpected(std::move(request.error()));
  return client::verdict_of(impl_->core.wait(std::move(*request)));
}

Result<RestoredBackup> Client::restore_backup(std::string_view backup, const RestoreBackupOptions& options) {
  auto request = request_for(impl_->core.options(), backup, "/restore", options.token, options.timeout);
  if (!request) return std::unexpected(std::move(request.error()));
  request->body = R"({"confirm":true)";
  if (options.with_tokens) request->body += R"(,"with_tokens":true)";
  if (!options.prefixes.empty()) {
    request->body += R"(,"prefixes":[)";
    for (std::size_t at = 0; at < options.prefixes.size(); ++at) {
      if (!value::is_utf8(options.prefixes[at])) return fail(Errc::invalid_request, "prefixes are UTF-8 over HTTP");
      if (at > 0) request->body += ',';
      value::append_json_string(request->body, options.prefixes[at]);
    }
    request->body += ']';
  }
  request->body += '}';
  return client::restored_of(impl_->core.wait(std::move(*request)));
}

Result<std::uint64_t> Client::cleanup_backups(const CleanupBackupsOptions& options) {
  auto request = request_of(impl_->core.options(), options.directory, options.token, options.timeout);
  if (!request) return std::unexpected(std::move(request.error()));
  request->target += "/cleanup";
  request->body = "{";
  if (options.keep_count) request->body += "\"keep_count\":" + std::to_string(*options.keep_count);
  if (options.keep_count && options.keep_days) request->body += ',';
  if (options.keep_days) request->body += "\"keep_days\":" + std::to_string(*options.keep_days);
  request->body += '}';
  return client::deleted_of(impl_->core.wait(std::move(*request)));
}

}  // namespace concord
