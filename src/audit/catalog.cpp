#include "audit/catalog.hpp"

#include <algorithm>
#include <utility>

namespace concord::audit {
namespace {

constexpr std::string_view prefix = "audit_";
constexpr std::size_t date_size = 10;
constexpr std::size_t block_bytes = 1U << 20U;
constexpr std::size_t first_block_bytes = 4096;

bool is_date(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 4 || i == 7;
    if (is_dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  return text.size() == date_size;
}

/// Reads the first line, as far as it is one that begins a file.
Result<void> read_first(env::File& file, CatalogFile& found) {
  ForwardLines lines(file);
  const auto first = lines.next();
  if (!first) return std::unexpected(first.error());
  if (!*first) return {};
  const auto line = read_line(**first);
  const auto mark = line ? read_mark(*line) : std::nullopt;
  if (!mark || !mark->mark.is_begin) return {};
  found.number = mark->mark.file;
  found.first_timestamp = line->timestamp;
  return {};
}

}  // namespace

std::string day_name(std::string_view date) { return std::string(prefix).append(date).append(suffix); }

std::string rotated_name(std::string_view date, std::int64_t unix_s) {
  return std::string(prefix).append(date).append("_").append(std::to_string(unix_s)).append(suffix);
}

std::optional<std::string_view> date_in(std::string_view name) noexcept {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() < prefix.size() + date_size + suffix.size()) {
    return std::nullopt;
  }
  const std::string_view date = name.substr(prefix.size(), date_size);
  std::string_view rest = name.substr(prefix.size() + date_size);
  rest.remove_suffix(suffix.size());
  const bool is_plain = rest.empty();
  const bool is_rotated = rest.size() > 1 && rest.front() == '_' &&
                          std::ranges::all_of(rest.substr(1), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_date(date) || (!is_plain && !is_rotated)) return std::nullopt;
  return date;
}

Result<std::vector<CatalogFile>> read_catalog(env::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  std::vector<CatalogFile> catalog;
  for (const std::string& name : *names) {
    if (!date_in(name)) continue;
    auto file = files.open(directory + "/" + name, env::OpenMode::read);
    if (!file && file.error().code() == Errc::not_found) continue;  // removed or renamed just now
    if (!file) return std::unexpected(std::move(file.error()));
    CatalogFile found{.name = name};
    if (auto read = read_first(**file, found); !read) return std::unexpected(std::move(read.error()));
    catalog.push_back(std::move(found));
  }
  std::ranges::sort(catalog, {}, [](const CatalogFile& file) { return std::pair(file.number, file.name); });
  return catalog;
}

Result<std::unique_ptr<env::File>> open_file(env::FileSystem& files, const std::string& directory, CatalogFile& file) {
  auto opened = files.open(directory + "/" + file.name, env::OpenMode::read);
  if (opened && file.number == 0) return opened;
  if (opened) {
    CatalogFile now{.name = file.name};
    if (auto read = read_first(**opened, now); !read) return std::unexpected(std::move(read.error()));
    if (now.number == file.number) return opened;
  } else if (opened.error().code() != Errc::not_found) {
    return opened;
  }
  const auto catalog = read_catalog(files, directory);
  if (!catalog) return std::unexpected(catalog.error());
  const auto found = std::ranges::find(*catalog, file.number, &CatalogFile::number);
  if (found == catalog->end() || file.number == 0) {
    return fail(Errc::not_found, directory + "/" + file.name + ": has gone");
  }
  file.name = found->name;
  return files.open(directory + "/" + file.name, env::OpenMode::read);
}

Result<std::optional<std::string_view>> ForwardLines::next() {
  for (std::size_t searched = at_;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
      line_end_ += line.size() + 1;
      at_ = end + 1;
      return line;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    const std::uint64_t left = end_ > read_to_ ? end_ - read_to_ : 0;
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(left, read_to_ == 0 ? first_block_bytes : block_bytes));
    if (wanted == 0) return std::nullopt;
    buffer_.resize(searched + wanted);
    const auto read = file_.read_at(read_to_, buffer_.data() + searched, wanted);
    if (!read) return std::unexpected(read.error());
    buffer_.resize(searched + *read);
    read_to_ += *read;
    if (*read == 0) return std::nullopt;
  }
}

Result<void> BackwardLines::read_block() {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(unread_, block_bytes));
  std::string block(wanted, '\0');
  const auto read = file_.read_at(unread_ - wanted, block.data(), wanted);
  if (!read) return std::unexpected(read.error());
  if (*read != wanted) return fail(Errc::storage_failed, file_.path() + ": became shorter while it was read");
  unread_ -= wanted;
  buffer_.insert(0, block);
  return {};
}

Result<std::optional<std::string_view>> BackwardLines::next() {
  for (;;) {
    if (!is_begun_) {  // up to the last line end: what is behind it is unfinished
      const std::size_t end = buffer_.rfind('\n');
      if (end == std::string::npos) {
        if (unread_ == 0) return std::nullopt;
        if (auto read = read_block(); !read) return std::unexpected(std::move(read.error()));
        continue;
      }
      buffer_.resize(end + 1);
      is_begun_ = true;
    }
    // `buffer_` ends with the end of the next line to give; what was given stands behind, and goes now.
    if (buffer_.empty() && unread_ == 0) return std::nullopt;
    const std::size_t before = buffer_.size() < 2 ? std::string::npos : buffer_.rfind('\n', buffer_.size() - 2);
    if (before == std::string::npos && unread_ > 0) {
      if (auto read = read_block(); !read) return std::unexpected(std::move(read.error()));
      continue;
    }
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    given_.assign(buffer_, begin, buffer_.size() - 1 - begin);
    buffer_.resize(begin);
    return std::string_view(given_);
  }
}

}  // namespace concord::audit
