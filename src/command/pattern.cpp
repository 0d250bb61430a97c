#include "command/pattern.hpp"

#include <re2/re2.h>

#include <string>

#include "command/limits.hpp"

namespace concord::command {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Result<Pattern> Pattern::compile(std::string_view pattern) {
  if (pattern.size() > max_pattern_bytes) {
    return fail(Errc::invalid_request, "the pattern has " + std::to_string(pattern.size()) + " bytes, at most " +
                                           std::to_string(max_pattern_bytes) + " are allowed");
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(max_pattern_memory_bytes);
  auto compiled = std::make_shared<const re2::RE2>(piece(pattern), options);
  if (!compiled->ok()) {
    std::string message = "not a regular expression: ";
    message.append(pattern.substr(0, 256)).append(": ").append(compiled->error());
    return fail(Errc::invalid_request, std::move(message));
  }
  return Pattern(std::move(compiled));
}

bool Pattern::search(std::string_view text) const {
  return compiled_->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace concord::command
