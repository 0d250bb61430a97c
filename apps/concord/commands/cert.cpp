// concord cert generate: an authority, and certificates of nodes and clients, in a directory. Needs no node.
//
//   DIR/ca.crt ca.key           the authority: made once, and used again when it is there
//   DIR/node.crt node.key       for `api.tls_cert`, `api.tls_key`
//   DIR/client.crt client.key   for who calls
//
// A new certificate replaces one that is there; a node that serves it takes it without a restart. Keys are 0600.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "security/certificate.hpp"

namespace concord::app {
namespace {

constexpr int days_of_an_authority = 3650;

struct Arguments {
  std::string directory;
  std::vector<std::string> hosts;
  int days = 825;
};

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

/// Under another name first, so that nobody reads half of it; never readable by more than `mode` says.
Result<void> write_file(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const std::string part = path.string() + ".part";
  const auto failed = [&] { return fail(Errc::storage_failed, path.string() + ": " + std::strerror(errno)); };
  ::unlink(part.c_str());
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return failed();
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(file) == 0;
  if (!written || !closed || ::rename(part.c_str(), path.c_str()) != 0) return failed();
  return {};
}

/// The key first: a server that looks in between finds a pair that does not fit, keeps what it has, and looks again.
Result<void> write_pair(const std::filesystem::path& directory, const std::string& name,
                        const security::Certificate& made) {
  if (auto done = write_file(directory / (name + ".key"), made.key, 0600); !done) return done;
  return write_file(directory / (name + ".crt"), made.certificate, 0644);
}

Result<security::Certificate> authority_in(const std::filesystem::path& directory) {
  const auto certificate = read_file(directory / "ca.crt");
  const auto key = read_file(directory / "ca.key");
  if (certificate && key) return security::Certificate{.certificate = *certificate, .key = *key};
  if (certificate || key) {
    return fail(Errc::invalid_request, "of ca.crt and ca.key in " + directory.string() + " only one can be read");
  }
  auto made = security::make_authority("Concord authority", days_of_an_authority);
  if (!made) return made;
  if (auto written = write_pair(directory, "ca", *made); !written) return std::unexpected(std::move(written.error()));
  return made;
}

Result<void> generate(const Arguments& arguments) {
  const std::filesystem::path directory(arguments.directory);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(Errc::storage_failed, arguments.directory + ": " + error.message());
  const auto authority = authority_in(directory);
  if (!authority) return std::unexpected(authority.error());
  const auto node = security::make_certificate(
      *authority, {.name = "concord node", .hosts = arguments.hosts, .serves = true, .days = arguments.days});
  if (!node) return std::unexpected(node.error());
  const auto client = security::make_certificate(*authority, {.name = "concord client", .days = arguments.days});
  if (!client) return std::unexpected(client.error());
  if (auto written = write_pair(directory, "node", *node); !written) return written;
  return write_pair(directory, "client", *client);
}

}  // namespace

void add_cert(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& cert = *app.add_subcommand("cert", "Certificates for TLS");
  cert.require_subcommand(1);
  CLI::App& generating =
      *cert.add_subcommand("generate", "Make an authority, and certificates of a node and of a client");
  generating.add_option("--out", arguments->directory, "Directory of the files; made when it is missing")->required();
  generating.add_option("--host", arguments->hosts,
                        "Name or address of the node; may be repeated; without it localhost, 127.0.0.1 and ::1");
  generating.add_option("--days", arguments->days, "How long the certificates are good")
      ->capture_default_str()
      ->check(CLI::Range(1, days_of_an_authority));
  generating.callback([&context, arguments] {
    if (arguments->hosts.empty()) arguments->hosts = {"localhost", "127.0.0.1", "::1"};
    if (auto done = generate(*arguments); !done) {
      const bool is_usage = done.error().code() == Errc::invalid_request;
      context.exit_code = report_problem(is_usage ? ExitCode::usage : ExitCode::failed, done.error().message());
      return;
    }
    for (const char* name : {"ca.crt", "ca.key", "node.crt", "node.key", "client.crt", "client.key"}) {
      std::cout << (std::filesystem::path(arguments->directory) / name).string() << '\n';
    }
  });
}

}  // namespace concord::app
