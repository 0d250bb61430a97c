#include "http/write_body.hpp"

#include "http/envelope.hpp"

namespace concord::http {

bool WriteFields::take(std::string_view name, std::string_view raw) {
  if (name == "value") {
    value_raw_ = raw;
  } else if (name == "encoding") {
    encoding_raw_ = raw;
  } else if (name == "ttl") {
    ttl_raw_ = raw;
  } else if (name == "compress") {
    compress_raw_ = raw;
  } else {
    return false;
  }
  return true;
}

std::expected<void, Problem> WriteFields::read(std::string_view place) {
  if (!value_raw_) return std::unexpected(missing_field("value", place));
  if (encoding_raw_ && *encoding_raw_ != R"("base64")")
    return std::unexpected(wrong_type("encoding", place, "\"base64\""));
  auto read = encoding_raw_ ? read_base64(*value_raw_, "value", place) : read_value(*value_raw_, "value", place);
  if (!read) return std::unexpected(std::move(read.error()));
  value = std::move(*read);
  if (ttl_raw_) {
    const auto ttl = read_ttl(*ttl_raw_, "ttl", place);
    if (!ttl) return std::unexpected(ttl.error());
    ttl_s = ttl->value_or(0);
  }
  if (compress_raw_) {
    const auto wish = read_bool(*compress_raw_, "compress", place);
    if (!wish) return std::unexpected(wish.error());
    compress = *wish;
  }
  return {};
}

std::expected<std::uint32_t, Problem> read_required_ttl(std::optional<std::string_view> raw, std::string_view place) {
  if (!raw) return std::unexpected(missing_field("ttl", place));
  const auto ttl = read_ttl(*raw, "ttl", place);
  if (!ttl) return std::unexpected(ttl.error());
  if (!*ttl) return std::unexpected(wrong_type("ttl", place, "a whole number of seconds"));
  return **ttl;
}

}  // namespace concord::http
