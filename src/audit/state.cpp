#include "audit/state.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "value/cursor.hpp"
#include "value/json.hpp"

namespace concord::audit {
namespace {

constexpr std::size_t slot_size = 512;
constexpr std::string_view signature_name = R"(,"signature":")";

struct Slot {
  State state;
  bool is_signed = false;
};

std::uint64_t number_in(std::string_view text) noexcept {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<Slot> read_slot(std::string_view text, std::string_view key) {
  const std::size_t signature_at = text.find(signature_name);
  if (text.size() != slot_size || signature_at == std::string_view::npos) return std::nullopt;
  if (!value::compact_json(text)) return std::nullopt;
  text = text.substr(0, text.rfind('}') + 1);
  Slot slot;
  value::Cursor cursor(text);
  for (cursor.open(); cursor.more();) {
    const std::string_view name = cursor.name();
    const std::string_view member = cursor.skip();
    if (name == "format" && member != "1") return std::nullopt;
    if (name == "update") slot.state.update = number_in(member);
    if (name == "oldest") slot.state.oldest = number_in(member);
    if (name == "newest") slot.state.newest = number_in(member);
    if (name == "entries") slot.state.entries = number_in(member);
    if (name == "size_bytes") slot.state.size_bytes = number_in(member);
    if (name == "closed") slot.state.is_closed = member == "true";
    if (name == "last" || name == "signature") {
      const std::string_view hash = value::inside_quotes(member);
      if (hash.size() != hex_size) return std::nullopt;
      if (name == "last") {
        std::ranges::copy(hash, slot.state.last.begin());
      } else {
        slot.is_signed = key.empty() || view_of(sign(key, text.substr(0, signature_at))) == hash;
      }
    }
  }
  return slot;
}

std::string slot_text(const State& state, std::string_view key) {
  std::string text = R"({"format":1,"update":)" + std::to_string(state.update) + R"(,"oldest":)" +
                     std::to_string(state.oldest) + R"(,"newest":)" + std::to_string(state.newest) + R"(,"entries":)" +
                     std::to_string(state.entries) + R"(,"size_bytes":)" + std::to_string(state.size_bytes) +
                     R"(,"last":")" + std::string(view_of(state.last)) + "\"";
  if (state.is_closed) text += R"(,"closed":true)";
  const Hex signature = sign(key, text);
  text += std::string(signature_name) + std::string(view_of(signature)) + "\"}";
  text.resize(slot_size - 1, ' ');
  return text + "\n";
}

std::string path_in(const std::string& directory) { return directory + "/" + std::string(state_name); }

}  // namespace

Result<ReadState> read_state(env::FileSystem& files, const std::string& directory, std::string_view key) {
  const auto bytes = env::read_file(files, path_in(directory));
  if (!bytes) return std::unexpected(bytes.error());
  ReadState read;
  for (std::size_t at = 0; at + slot_size <= bytes->size() && at <= slot_size; at += slot_size) {
    const auto slot = read_slot(std::string_view(*bytes).substr(at, slot_size), key);
    if (slot && !slot->is_signed) read.is_signed_by_other_key = true;
    if (slot && slot->is_signed && (!read.state || slot->state.update > read.state->update)) read.state = slot->state;
  }
  return read;
}

Result<StateFile> StateFile::open(env::FileSystem& files, const std::string& directory, std::string key) {
  std::uint64_t update = 0;
  const auto before = read_state(files, directory, {});
  if (before && before->state) update = before->state->update;
  const bool is_new = !before && before.error().code() == Errc::not_found;
  auto file = files.open(path_in(directory), is_new ? env::OpenMode::create_new : env::OpenMode::write);
  if (!file) return std::unexpected(std::move(file.error()));
  return StateFile(std::move(*file), std::move(key), update);
}

Result<void> StateFile::write(State state) {
  state.update = ++update_;
  return file_->write_at(state.update % 2 * slot_size, slot_text(state, key_));
}

Result<std::string> read_key(env::FileSystem& files, const std::string& path) {
  auto text = env::read_file(files, path);
  if (!text) return text;
  while (text->ends_with('\n')) text->pop_back();
  const bool is_key = text->size() == hex_size && std::ranges::all_of(*text, [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
  if (!is_key) return fail(Errc::invalid_request, path + ": not the key of an audit log (64 hexadecimal digits)");
  return text;
}

Result<std::string> read_or_make_key(env::FileSystem& files, const std::string& path) {
  auto known = read_key(files, path);
  if (known || known.error().code() != Errc::not_found) return known;
  auto drawn = draw_key();
  if (!drawn) return drawn;
  if (auto written = env::write_file_atomically(files, path, *drawn + "\n"); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return drawn;
}

}  // namespace concord::audit
