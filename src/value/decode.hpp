// Between the stored form of a JSON value and `boost::json::value`.
//
// Both directions are our own: Boost 1.81 reads some doubles one unit off, which would break "doubles round-trip".
// Errors: `invalid_request`. Nothing throws but std::bad_alloc. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <concord/error.hpp>

namespace concord::value {

/// Decodes stored JSON text (without the tag) into memory of `storage`. Integers keep all 64 bits.
[[nodiscard]] Result<boost::json::value> decode_json(std::string_view text,
                                                     const boost::json::storage_ptr& storage = {});

/// Appends the stored form of `json`. Refuses strings that are not UTF-8, doubles that are not finite, nesting over 256;
/// on an error `to` holds a part.
[[nodiscard]] Result<void> append_json(std::string& to, const boost::json::value& json);

}  // namespace concord::value
