// Cursors of listings: any text is refused or names a key; what was given out names the key it was made of, for its query only.
#include "command/page_cursor.hpp"

#include "base/check.hpp"
#include "command/limits.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {

using command::Selector;

void run(std::string_view bytes) {
  Input input(bytes);
  Selector selector;
  const unsigned present = input.byte();
  if ((present & 1U) != 0) selector.prefix = input.text(8);
  if ((present & 2U) != 0) selector.start = input.text(8);
  if ((present & 4U) != 0) selector.filter = input.text(8);
  const bool is_narrowed = (present & 8U) != 0;
  const std::string_view text = input.rest();

  const auto foreign = command::decode_cursor(text, selector, is_narrowed);
  if (foreign) {
    CONCORD_CHECK(!foreign->empty() && foreign->size() <= command::max_key_bytes, "a cursor names a key");
    const std::string again = command::encode_cursor(selector, is_narrowed, *foreign);
    CONCORD_CHECK(command::decode_cursor(again, selector, is_narrowed) == *foreign, "and the same key again");
  } else {
    CONCORD_CHECK(foreign.error().code() == Errc::invalid_request, "a cursor is refused as the caller's mistake");
  }

  if (text.empty() || text.size() > command::max_key_bytes) return;
  const std::string cursor = command::encode_cursor(selector, is_narrowed, text);
  CONCORD_CHECK(command::decode_cursor(cursor, selector, is_narrowed) == text, "a cursor comes back");
  Selector other = selector;
  other.suffix = "x";
  CONCORD_CHECK(!command::decode_cursor(cursor, other, is_narrowed), "another query's cursor is refused");
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs = arbitrary_inputs(8);
  inputs.push_back(std::string(1, '\0') + command::encode_cursor({}, false, "key"));
  return inputs;
}

}  // namespace concord::fuzz
