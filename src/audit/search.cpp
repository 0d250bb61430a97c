#include "audit/search.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include <boost/json/parse.hpp>

#include "base/base64.hpp"
#include "value/cursor.hpp"

namespace concord::audit {
namespace {

constexpr std::size_t max_limit = 10'000;
/// So many lines between two looks at whether to go on.
constexpr std::size_t lines_of_a_look = 1024;

std::string text_of(std::chrono::system_clock::time_point time) {
  std::string text;
  append_timestamp(text, std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count());
  return text;
}

bool is_failure(std::string_view result) noexcept { return result != "ok" && result != "not_found"; }

std::unexpected<Error> stopped() { return fail(Errc::cluster_not_ready, "the node is stopping"); }

/// Files that may hold such lines, oldest first.
Result<std::vector<CatalogFile>> candidates(const Place& place, const Filter& filter) {
  auto catalog = read_catalog(place.files, place.directory);
  if (!catalog) return catalog;
  std::erase_if(*catalog, [&](const CatalogFile& file) {
    return file.number == 0 || (!filter.to.empty() && file.first_timestamp > filter.to);
  });
  if (filter.from.empty()) return catalog;
  // Of those that begin before, only the last one may reach beyond.
  const auto behind =
      std::ranges::find_if(*catalog, [&](const CatalogFile& file) { return file.first_timestamp > filter.from; });
  if (behind - catalog->begin() > 1) catalog->erase(catalog->begin(), behind - 1);
  return catalog;
}

/// Null: it was removed meanwhile.
Result<std::unique_ptr<env::File>> open_if_there(const Place& place, CatalogFile& file) {
  auto opened = open_file(place.files, place.directory, file);
  if (!opened && opened.error().code() == Errc::not_found) return nullptr;
  return opened;
}

/// Searches one file; true: nothing before it can match any more.
Result<bool> find_in(const Place& place, env::File& file, const Filter& filter, std::size_t limit,
                     std::vector<std::string>& found) {
  const auto size = file.size_bytes();
  if (!size) return std::unexpected(size.error());
  BackwardLines lines(file, *size);
  for (std::size_t count = 1;; ++count) {
    if (count % lines_of_a_look == 0 && place.is_stopped) return stopped();
    const auto text = lines.next();
    if (!text) return std::unexpected(text.error());
    if (!*text) return false;
    const auto line = read_line(**text);
    if (!line || is_mark(*line)) continue;
    if (!filter.from.empty() && line->timestamp < filter.from) return true;
    if (!filter.to.empty() && line->timestamp > filter.to) continue;
    if (!filter.matches(*line)) continue;
    found.emplace_back(line->text);
    if (found.size() == limit) return true;
  }
}

std::string text_member(const boost::json::object& object, std::string_view name) {
  const auto* const member = object.if_contains(name);
  const auto* const text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

}  // namespace

bool Filter::matches(const LineView& line) const noexcept {
  bool operation_fits = operation.empty();
  bool user_fits = user.empty();
  bool result_fits = result.empty();
  if (operation_fits && user_fits && result_fits) return true;
  value::Cursor cursor(line.text);
  for (cursor.open(); cursor.more();) {
    const std::string_view name = cursor.name();
    const std::string_view member = value::inside_quotes(cursor.skip());
    if (name == "operation" && !operation.empty()) {
      if (member != operation) return false;
      operation_fits = true;
    } else if (name == "result" && !result.empty()) {
      if (result == "error" ? !is_failure(member) : member != result) return false;
      result_fits = true;
    } else if (name == "user" && !user.empty()) {
      if (member != user) return false;
      user_fits = true;
    } else if (name == "metadata") {
      break;
    }
    if (operation_fits && user_fits && result_fits) return true;
  }
  return false;
}

Result<Filter> filter_of(const AuditQuery& query) {
  if (query.limit < 1 || query.limit > max_limit) {
    return fail(Errc::invalid_request, "limit is " + std::to_string(query.limit) + "; it must be 1 to 10000");
  }
  if (!query.result.empty() && !outcome_named(query.result)) {
    return fail(Errc::invalid_request, "result: one of ok, not_found, unauthorized, forbidden, error");
  }
  Filter filter{.operation = query.operation, .user = query.user, .result = query.result, .from = {}, .to = {}};
  if (query.from) filter.from = text_of(*query.from);
  if (query.to) filter.to = text_of(*query.to);
  return filter;
}

Result<std::vector<std::string>> find_newest(const Place& place, const Filter& filter, std::size_t limit) {
  auto catalog = candidates(place, filter);
  if (!catalog) return std::unexpected(std::move(catalog.error()));
  std::vector<std::string> found;
  for (auto file = catalog->rbegin(); file != catalog->rend(); ++file) {
    const auto opened = open_if_there(place, *file);
    if (!opened) return std::unexpected(opened.error());
    if (*opened == nullptr) continue;
    const auto is_enough = find_in(place, **opened, filter, limit, found);
    if (!is_enough) return std::unexpected(is_enough.error());
    if (*is_enough) break;
  }
  return found;
}

Result<LineSearch> LineSearch::begin(const Place& place, Filter filter) {
  auto catalog = candidates(place, filter);
  if (!catalog) return std::unexpected(std::move(catalog.error()));
  return LineSearch(place, std::move(filter), std::move(*catalog));
}

/// False: there is none.
Result<bool> LineSearch::open_next() {
  lines_.reset();
  file_.reset();
  while (next_ < catalog_.size()) {
    auto opened = open_if_there(place_, catalog_[next_++]);
    if (!opened) return std::unexpected(std::move(opened.error()));
    if (*opened == nullptr) continue;
    file_ = std::move(*opened);
    lines_.emplace(*file_);
    return true;
  }
  return false;
}

Result<bool> LineSearch::step(std::size_t most_lines, const VisitLine& visit) {
  if (place_.is_stopped) return stopped();
  for (std::size_t count = 0; count < most_lines; ++count) {
    const auto text = lines_ ? lines_->next() : Result<std::optional<std::string_view>>(std::nullopt);
    if (!text) return std::unexpected(text.error());
    if (!*text) {
      const auto opened = open_next();
      if (!opened || !*opened) return opened;
      continue;
    }
    const auto line = read_line(**text);
    if (!line || is_mark(*line) || (!filter_.from.empty() && line->timestamp < filter_.from)) continue;
    if (!filter_.to.empty() && line->timestamp > filter_.to) return false;
    if (filter_.matches(*line) && !visit(line->text)) return false;
  }
  return true;
}

Result<AuditEntry> entry_of(std::string_view line) {
  std::error_code error;
  const boost::json::value parsed = boost::json::parse(line, error);
  const auto* const object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return fail(Errc::internal, "a line of the audit log is no JSON object");
  AuditEntry entry;
  entry.timestamp = text_member(*object, "timestamp");
  entry.event_id = text_member(*object, "event_id");
  entry.operation = text_member(*object, "operation");
  entry.key = text_member(*object, "key");
  if (const std::string coded = text_member(*object, "key_b64"); !coded.empty()) {
    entry.key = base::decode_base64(coded).value_or("");
  }
  entry.key_hash = text_member(*object, "key_hash");
  entry.result = text_member(*object, "result");
  entry.error = text_member(*object, "error");
  entry.user = text_member(*object, "user");
  entry.node = text_member(*object, "node");
  entry.client = text_member(*object, "client");
  entry.trace_id = text_member(*object, "trace_id");
  entry.span_id = text_member(*object, "span_id");
  if (const auto* const revision = object->if_contains("revision"); revision != nullptr && revision->is_int64()) {
    entry.revision = Revision(static_cast<std::uint64_t>(revision->get_int64()));
  }
  if (const auto* const metadata = object->if_contains("metadata"); metadata != nullptr && metadata->is_object()) {
    entry.metadata = metadata->get_object();
  }
  entry.line = line;
  return entry;
}

}  // namespace concord::audit
