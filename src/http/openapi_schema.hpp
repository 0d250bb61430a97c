// A schema of ours as a schema of OpenAPI 3.1, which is JSON Schema 2020-12.
#pragma once

#include <boost/json/object.hpp>

#include "http/schema.hpp"

namespace concord::http {

/// What stands where `schema` is used: a reference, after which the schema is among `components`, or the schema itself.
[[nodiscard]] boost::json::object openapi_schema(const Schema& schema, boost::json::object& components);

/// JSON text as a value. Precondition: it is JSON (the examples of schemas.hpp are).
[[nodiscard]] boost::json::value example_value(std::string_view text);

}  // namespace concord::http
