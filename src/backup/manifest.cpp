#include "backup/manifest.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <boost/json.hpp>

namespace concord::backup {
namespace {

namespace json = boost::json;

constexpr std::size_t max_text_bytes = 1024;

/// Takes members out of the object; one that is missing or of another type is noted.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  template <class Number>
  void take(std::string_view name, Number& to) {
    const json::value* const found = object_.if_contains(name);
    boost::system::error_code error;
    if (found != nullptr && found->is_number() && !found->is_double()) to = found->to_number<Number>(error);
    if (found == nullptr || !found->is_number() || found->is_double() || error) note(name);
  }
  void take(std::string_view name, std::string& to) {
    const json::value* const found = object_.if_contains(name);
    if (found == nullptr || !found->is_string() || found->get_string().size() > max_text_bytes) return note(name);
    to = found->get_string();
  }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  void note(std::string_view name) {
    if (problem_.empty()) problem_ = "its manifest has no good \"" + std::string(name) + "\"";
  }

  const json::object& object_;
  std::string problem_;
};

}  // namespace

std::string hex_id(std::uint64_t id) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(id));
  return text.data();
}

std::string hex_of(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  return hex;
}

std::string encode(const Manifest& manifest) {
  return json::serialize(json::object{{"id", manifest.id},
                                      {"created_at_ms", manifest.created_at_ms},
                                      {"cluster", manifest.cluster},
                                      {"cluster_id", manifest.cluster_id},
                                      {"node", manifest.node},
                                      {"version", manifest.version},
                                      {"revision", manifest.revision.value()},
                                      {"entry_count", manifest.entry_count},
                                      {"tokens", manifest.tokens},
                                      {"cluster_time_ms", manifest.cluster_time_ms},
                                      {"wall_offset_ms", manifest.wall_offset_ms}});
}

Result<Manifest> decode_manifest(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return fail(Errc::invalid_backup, "its manifest is no JSON object");
  Manifest manifest;
  Members members(value.get_object());
  std::uint64_t revision = 0;
  members.take("id", manifest.id);
  members.take("created_at_ms", manifest.created_at_ms);
  members.take("cluster", manifest.cluster);
  members.take("cluster_id", manifest.cluster_id);
  members.take("node", manifest.node);
  members.take("version", manifest.version);
  members.take("revision", revision);
  members.take("entry_count", manifest.entry_count);
  members.take("tokens", manifest.tokens);
  members.take("cluster_time_ms", manifest.cluster_time_ms);
  members.take("wall_offset_ms", manifest.wall_offset_ms);
  if (!members.problem().empty()) return fail(Errc::invalid_backup, members.problem());
  manifest.revision = Revision(revision);
  return manifest;
}

}  // namespace concord::backup
