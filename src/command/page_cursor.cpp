#include "command/page_cursor.hpp"

#include "base/base64.hpp"
#include "base/crc32c.hpp"
#include "base/wire.hpp"
#include "command/limits.hpp"

namespace concord::command {
namespace {

constexpr char format = 1;

/// Of the query and the place in it: a cursor that was cut or put together is none.
std::uint32_t fingerprint(const Selector& selector, bool is_narrowed, std::string_view last_key) {
  std::string said(1, is_narrowed ? '1' : '0');
  base::append_bytes(said, last_key);
  for (const auto& part : {selector.prefix, selector.suffix, selector.contains, selector.pattern, selector.start,
                           selector.end, selector.filter}) {
    said += part ? '1' : '0';
    base::append_bytes(said, part.value_or(""));
  }
  return base::crc32c(said);
}

}  // namespace

std::string encode_cursor(const Selector& selector, bool is_narrowed, std::string_view last_key) {
  std::string bytes(1, format);
  base::append_fixed32(bytes, fingerprint(selector, is_narrowed, last_key));
  bytes += last_key;
  std::string cursor;
  base::append_base64url(cursor, bytes);
  return cursor;
}

Result<std::string> decode_cursor(std::string_view cursor, const Selector& selector, bool is_narrowed) {
  constexpr std::size_t head_size = 5;
  const auto bytes = base::decode_base64url(cursor);
  if (!bytes || bytes->size() <= head_size || bytes->size() > head_size + max_key_bytes || bytes->front() != format) {
    return fail(Errc::invalid_request, "the cursor is not one that was given out");
  }
  base::Reader reader(std::string_view(*bytes).substr(1));
  std::string last_key = bytes->substr(head_size);
  if (reader.fixed32() != fingerprint(selector, is_narrowed, last_key)) {
    return fail(Errc::invalid_request, "the cursor belongs to another query, or is not one that was given out");
  }
  return last_key;
}

}  // namespace concord::command
