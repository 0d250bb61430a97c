// /api/v1/backups: the backups of this node, and putting one back.
//
// All work is done by threads of the backup service; a stream alone is read here, a piece at a time.
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "backup/directory.hpp"
#include "backup/service.hpp"
#include "http/backup_schemas.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/time_text.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

using backup::Deadline;
using backup::Service;

/// A part that is asked for, or comes in, fits a body.
constexpr std::size_t largest_part_bytes = 8U << 20U;
constexpr std::size_t piece_bytes = 256U << 10U;
/// Of calls that say none: backups take as long as the data are large.
constexpr std::chrono::milliseconds usual_timeout = std::chrono::hours(1);

constexpr Schema part_limit = {.shape = Shape::integer, .minimum = 1, .maximum = largest_part_bytes};
constexpr std::array get_parameters = {
    Parameter{.name = "offset", .schema = &schemas::count, .description = "A part of the file, from there on."},
    Parameter{.name = "limit",
              .schema = &part_limit,
              .description = "Of a part, so many bytes; fewer only at the end. 8 MiB unless said."}};
constexpr std::array put_parameters = {
    Parameter{.name = "offset", .schema = &schemas::count, .description = "Where this part belongs; 0 unless said."},
    Parameter{.name = "more", .schema = &schemas::boolean, .description = "Another part is to come."}};

Deadline deadline_of(const Call& call) {
  const bool is_said = call.query.find("timeout_ms") != nullptr;
  return std::chrono::steady_clock::now() + (is_said ? call.timeout : usual_timeout);
}

/// `work(service) -> Result<T>` on a thread of the service, then `answer(call, T&)` here.
template <class T, class Work, class Answer>
void perform(Call& call, Work work, Answer answer) {
  Service* const service = call.site.database.backups();
  if (service == nullptr) return call.refuse(Error(Errc::not_found, "this node has no backups"));
  const auto result = std::make_shared<std::optional<Result<T>>>();
  call.await(
      [&](Completion<command::Outcome> done) {
        const auto told = std::make_shared<Completion<command::Outcome>>(std::move(done));
        auto taken = service->run([service, result, told, work = std::move(work)]() mutable {
          result->emplace(work(*service));
          (*told)(command::Outcome());
        });
        if (!taken) (*told)(std::unexpected(std::move(taken.error())));
      },
      [result, answer = std::move(answer)](Call& answered, const Result<command::Outcome>& outcome) mutable {
        if (!outcome) return answered.refuse(outcome.error());
        if (!**result) return answered.refuse((**result).error());
        answer(answered, ***result);
      });
}

void append_text(std::string& to, std::string_view name, std::string_view text) {
  ((to += ",\"") += name) += "\":";
  value::append_json_string(to, text);
}

void append_count(std::string& to, std::string_view name, std::uint64_t count) {
  ((to += ",\"") += name) += "\":";
  append_number(to, count);
}

void append_backup(std::string& to, const BackupInfo& backup) {
  to += "{\"name\":";
  value::append_json_string(to, backup.name);
  append_text(to, "path", backup.path);
  append_count(to, "size", backup.size_bytes);
  append_count(to, "entry_count", backup.entry_count);
  append_count(to, "revision", backup.revision.value());
  append_text(to, "created_at", rfc3339(backup.created_at));
  append_text(to, "sha256", backup.sha256);
  append_text(to, "node", backup.node);
  append_text(to, "version", backup.version);
  append_text(to, "id", backup.id);
  append_text(to, "cluster", backup.cluster);
  to += '}';
}

void answer_backup(Call& call, const BackupInfo& backup) {
  call.reply.status = 201;
  call.reply.begin_data();
  append_backup(call.reply.body, backup);
  call.reply.end_data();
}

void create(Call& call) {
  perform<BackupInfo>(
      call, [deadline = deadline_of(call)](Service& service) { return service.create({}, deadline, {}); },
      [](Call& answered, const BackupInfo& backup) { answer_backup(answered, backup); });
}

void list(Call& call) {
  perform<BackupList>(
      call, [](Service& service) { return service.list({}); },
      [](Call& answered, const BackupList& found) {
        std::string& body = answered.reply.body;
        answered.reply.begin_data();
        body += "{\"backups\":[";
        for (std::size_t at = 0; at < found.backups.size(); ++at) {
          if (at > 0) body += ',';
          append_backup(body, found.backups[at]);
        }
        body += ']';
        if (!found.damaged.empty()) {
          body += ",\"damaged\":[";
          for (std::size_t at = 0; at < found.damaged.size(); ++at) {
            if (at > 0) body += ',';
            value::append_json_string(body, found.damaged[at]);
          }
          body += ']';
        }
        body += '}';
        answered.reply.end_data();
      });
}

/// A file that is read as fast as the client takes it.
class FileFeed final : public Feed {
 public:
  explicit FileFeed(std::unique_ptr<backup::Download> file) : file_(std::move(file)) {}

  State append(std::string& to) override {
    const auto piece = file_->read(offset_, piece_bytes);
    if (has_failed_ || !piece) return State::broken;
    to += *piece;
    offset_ += piece->size();
    return piece->size() < piece_bytes ? State::ended : State::more;
  }
  void when_ready(std::move_only_function<void()> ready) override { ready(); }
  void append_sign_of_life(std::string&) override {}
  void finish(const Error&) override { has_failed_ = true; }

 private:
  std::unique_ptr<backup::Download> file_;
  std::uint64_t offset_ = 0;
  bool has_failed_ = false;
};

/// The library takes paths too; over HTTP there are only names, so that nobody is led out of the directory.
bool names_a_backup(Call& call) {
  if (backup::is_name(call.key)) return true;
  call.refuse(Error(Errc::not_found, "there is no such backup"));
  return false;
}

void get(Call& call) {
  if (!names_a_backup(call)) return;
  const bool wants_part = call.query.find("offset") != nullptr || call.query.find("limit") != nullptr;
  const std::uint64_t offset = number_of(call.query, "offset", 0);
  const std::uint64_t limit = number_of(call.query, "limit", largest_part_bytes);
  struct Opened {
    std::unique_ptr<backup::Download> file;
    std::string part;
  };
  perform<Opened>(
      call,
      [name = call.key, wants_part, offset, limit](Service& service) -> Result<Opened> {
        auto file = service.open_download(name);
        if (!file) return std::unexpected(std::move(file.error()));
        Opened opened{.file = std::move(*file), .part = {}};
        if (!wants_part) return opened;
        auto part = opened.file->read(offset, static_cast<std::size_t>(limit));
        if (!part) return std::unexpected(std::move(part.error()));
        opened.part = std::move(*part);
        return opened;
      },
      [wants_part](Call& answered, Opened& opened) {
        answered.reply.content_type = Reply::bytes;
        answered.reply.add_header("Cache-Control", "no-store");
        if (wants_part) {
          answered.reply.body = std::move(opened.part);
          return;
        }
        answered.reply.add_header("Content-Disposition", "attachment; filename=\"" + answered.key + "\"");
        answered.stream(std::make_unique<FileFeed>(std::move(opened.file)));
      });
}

void put(Call& call) {
  if (call.request.body.empty()) return call.refuse(invalid_request("the body is empty; it is to be the file"));
  const std::uint64_t offset = number_of(call.query, "offset", 0);
  const bool is_last = !call.query.is_set("more");
  perform<std::optional<BackupInfo>>(
      call,
      [name = call.key, offset, is_last, bytes = std::move(call.request.body),
       deadline = deadline_of(call)](Service& service) { return service.add(name, offset, bytes, is_last, deadline); },
      [](Call& answered, const std::optional<BackupInfo>& backup) {
        answered.reply.begin_data();
        if (backup) {
          append_backup(answered.reply.body, *backup);
        } else {
          answered.reply.body += "{}";
        }
        answered.reply.end_data();
      });
}

void verify(Call& call) {
  if (!names_a_backup(call)) return;
  perform<BackupVerdict>(
      call,
      [name = call.key, deadline = deadline_of(call)](Service& service) { return service.verify(name, deadline); },
      [](Call& answered, const BackupVerdict& verdict) {
        answered.reply.begin_data();
        answered.reply.body += verdict.valid ? R"({"valid":true)" : R"({"valid":false)";
        if (!verdict.valid) append_text(answered.reply.body, "reason", verdict.reason);
        answered.reply.body += '}';
        answered.reply.end_data();
      });
}

std::expected<void, Problem> read_field(BodyText& text, ObjectReader& reader, const Field& field, bool& is_confirmed,
                                        RestoreBackupOptions& options) {
  if (field.name == "prefixes") {
    ArrayReader items(text, *field.schema, field.name);
    while (items.next()) {
      auto prefix = read_string(items.value(), field.name, {});
      if (!prefix) return std::unexpected(std::move(prefix.error()));
      options.prefixes.push_back(std::move(*prefix));
    }
    return {};
  }
  const auto flag = read_bool(reader.value(), field.name, {});
  if (!flag) return std::unexpected(flag.error());
  (field.name == "confirm" ? is_confirmed : options.with_tokens) = *flag;
  return {};
}

void restore(Call& call) {
  RestoreBackupOptions options;
  bool is_confirmed = false;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::new_restore);
  while (const Field* const field = reader.next()) {
    if (auto done = read_field(text, reader, *field, is_confirmed, options); !done && !text.problem()) {
      return call.refuse(done.error());
    }
  }
  if (text.problem()) return call.refuse(*text.problem());
  if (!is_confirmed) {
    return call.refuse(invalid_request("\"confirm\" must be true: a restore replaces the data of the whole cluster"));
  }
  if (!names_a_backup(call)) return;
  perform<RestoredBackup>(
      call,
      [name = call.key, options = std::move(options), token = call.access.id(),
       deadline = deadline_of(call)](Service& service) { return service.restore(name, options, token, deadline); },
      [](Call& answered, const RestoredBackup& restored) {
        answered.notes.revision = restored.revision;
        answered.reply.begin_data(true, restored.revision);
        answered.reply.body += "{\"entry_count\":";
        append_number(answered.reply.body, restored.entry_count);
        answered.reply.body += '}';
        answered.reply.end_data();
      });
}

void cleanup(Call& call) {
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> days;
  if (!call.request.body.empty()) {
    BodyText text(call.request.body);
    ObjectReader reader(text, schemas::new_cleanup);
    while (const Field* const field = reader.next()) {
      const auto number = read_unsigned(reader.value(), field->name, {});
      if (!number) return call.refuse(number.error());
      if (*number > static_cast<std::uint64_t>(field->schema->maximum)) {
        return call.refuse(wrong_type(field->name, {}, "at most " + std::to_string(field->schema->maximum)));
      }
      (field->name == "keep_count" ? count : days) = *number;
    }
    if (text.problem()) return call.refuse(*text.problem());
  }
  perform<std::uint64_t>(
      call,
      [retention = backup::retention_of(count, days)](Service& service) { return service.cleanup({}, retention); },
      [](Call& answered, std::uint64_t deleted) {
        answered.reply.begin_data();
        answered.reply.body += "{\"deleted\":";
        append_number(answered.reply.body, deleted);
        answered.reply.body += '}';
        answered.reply.end_data();
      });
}

constexpr std::string_view tag = "Backups";

void add_files(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/backups",
                    .operation = "backup_list",
                    .handler = list,
                    .tag = tag,
                    .summary = "The backups of this node",
                    .needs = Needs::admin,
                    .may_wait = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::backups}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/backups",
                    .operation = "backup_create",
                    .handler = create,
                    .tag = tag,
                    .summary = "Makes a backup, while reads and writes go on",
                    .description =
                        "Of the state as of one revision, in a file of `backup.dir` on this node. Takes up to an "
                        "hour unless `timeout_ms` says otherwise; what ends early leaves no file.",
                    .needs = Needs::admin,
                    .is_read = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::backup, .status = 201}});
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/backups/{name}",
                    .operation = "backup_get",
                    .handler = get,
                    .tag = tag,
                    .summary = "The file of a backup",
                    .description = "As a stream, or in parts.",
                    .needs = Needs::admin,
                    .parameters = get_parameters,
                    .may_miss = true,
                    .may_wait = true,
                    .answer = {.kind = AnswerKind::foreign, .media_type = Reply::bytes}});
  routes.push_back({.method = Method::put,
                    .path = "/api/v1/backups/{name}",
                    .operation = "backup_put",
                    .handler = put,
                    .tag = tag,
                    .summary = "Takes in the file of a backup",
                    .description =
                        "One that is larger than a body may be (`limits.max_body_bytes`) comes in parts, in order, "
                        "with `more` on all but the last. It gets its name once all of it was looked through.",
                    .needs = Needs::admin,
                    .body = BodyKind::bytes,
                    .parameters = put_parameters,
                    .may_conflict = true,
                    .may_wait = true,
                    .takes_backup = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::any_value}});
}

}  // namespace

void add_backups(std::vector<Route>& routes) {
  add_files(routes);
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/backups/{name}/verify",
                    .operation = "backup_verify",
                    .handler = verify,
                    .tag = tag,
                    .summary = "Looks through a backup",
                    .needs = Needs::admin,
                    .may_miss = true,
                    .may_wait = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::verdict}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/backups/{name}/restore",
                    .operation = "backup_restore",
                    .handler = restore,
                    .tag = tag,
                    .summary = "Replaces the data of the whole cluster by those of a backup",
                    .description =
                        "All at one revision, or not at all. Revisions go on; event streams are told `restored`. "
                        "Tokens stay as they are.",
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = &schemas::new_restore,
                    .may_miss = true,
                    .may_wait = true,
                    .takes_backup = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::restored, .has_revision = true}});
  routes.push_back(
      {.method = Method::post,
       .path = "/api/v1/backups/cleanup",
       .operation = "backup_cleanup",
       .handler = cleanup,
       .tag = tag,
       .summary = "Removes old backups of this node",
       .description = "What any given rule keeps is kept. None given: the 10 newest, and those of 30 days.",
       .needs = Needs::admin,
       .body = BodyKind::json,
       .body_schema = &schemas::new_cleanup,
       .body_required = false,
       .may_wait = true,
       .answer = {.kind = AnswerKind::data, .schema = &schemas::cleaned}});
}

}  // namespace concord::http::routes
