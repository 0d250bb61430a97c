#include "http/write_body.hpp"

#include "command/limits.hpp"
#include "command/validate.hpp"

namespace concord::http {

bool KeyFields::take(std::string_view name, std::string_view raw) {
  if (name == "key") {
    text_raw_ = raw;
  } else if (name == "key_b64") {
    base64_raw_ = raw;
  } else {
    return false;
  }
  return true;
}

std::expected<std::string, Problem> KeyFields::read(const Place& place) const {
  if (!text_raw_ && !base64_raw_) return std::unexpected(missing_field("key", place));
  if (text_raw_ && base64_raw_) {
    return std::unexpected(invalid_request(place.text() + R"( has both "key" and "key_b64")"));
  }
  auto key = base64_raw_ ? read_base64(*base64_raw_, "key_b64", place) : read_string(*text_raw_, "key", place);
  if (!key) return key;
  if (const auto done = command::validate_key(*key); !done) {
    return std::unexpected(Error(done.error().code(), place.text() + ": " + done.error().message()));
  }
  return key;
}

bool WriteFields::take(std::string_view name, std::string_view raw) {
  if (name == "value") {
    value_raw_ = raw;
  } else if (name == "encoding") {
    encoding_raw_ = raw;
  } else if (name == "ttl") {
    ttl_raw_ = raw;
  } else if (name == "keep_ttl") {
    keep_ttl_raw_ = raw;
  } else if (name == "compress") {
    compress_raw_ = raw;
  } else {
    return false;
  }
  return true;
}

std::string_view WriteFields::beyond_a_touch() const noexcept {
  if (value_raw_) return "value";
  if (encoding_raw_) return "encoding";
  if (keep_ttl_raw_) return "keep_ttl";
  return compress_raw_ ? "compress" : "";
}

std::expected<void, Problem> WriteFields::read_times(const Place& place) {
  if (ttl_raw_) {
    const auto ttl = read_ttl(*ttl_raw_, "ttl", place);
    if (!ttl) return std::unexpected(ttl.error());
    ttl_s = ttl->value_or(0);
  }
  if (keep_ttl_raw_) {
    const auto keep = read_bool(*keep_ttl_raw_, "keep_ttl", place);
    if (!keep) return std::unexpected(keep.error());
    if (ttl_raw_) {
      return std::unexpected(invalid_request(place.text() + " has both \"ttl\" and \"keep_ttl\""));
    }
    if (*keep) ttl_s = command::keep_ttl;
  }
  return {};
}

std::expected<void, Problem> WriteFields::read(const Place& place) {
  if (!value_raw_) return std::unexpected(missing_field("value", place));
  auto written = read_encoded_value(*value_raw_, encoding_raw_, "value", "encoding", place);
  if (!written) return std::unexpected(std::move(written.error()));
  value = std::move(*written);
  if (auto done = read_times(place); !done) return done;
  if (compress_raw_) {
    const auto wish = read_bool(*compress_raw_, "compress", place);
    if (!wish) return std::unexpected(wish.error());
    compress = *wish;
  }
  return {};
}

std::expected<std::uint32_t, Problem> read_required_ttl(std::optional<std::string_view> raw, const Place& place) {
  if (!raw) return std::unexpected(missing_field("ttl", place));
  const auto ttl = read_ttl(*raw, "ttl", place);
  if (!ttl) return std::unexpected(ttl.error());
  if (!*ttl) return std::unexpected(wrong_type("ttl", place, "a whole number of seconds"));
  return **ttl;
}

std::expected<Value, Problem> read_encoded_value(std::string_view raw,
                                                 const std::optional<std::string_view>& encoding_raw,
                                                 std::string_view name, std::string_view encoding_name,
                                                 const Place& place) {
  if (!encoding_raw) return read_value(raw, name, place);
  if (*encoding_raw != R"("base64")") return std::unexpected(wrong_type(encoding_name, place, "\"base64\""));
  auto bytes = read_base64(raw, name, place);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  return Value(Bytes(*bytes));
}

}  // namespace concord::http
