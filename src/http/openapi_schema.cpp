#include "http/openapi_schema.hpp"

#include <string>

#include <boost/json.hpp>

#include "http/schemas.hpp"

namespace concord::http {
namespace {

namespace json = boost::json;

std::string_view type_of(Shape shape) noexcept {
  switch (shape) {
    case Shape::any: break;
    case Shape::text: return "string";
    case Shape::integer: return "integer";
    case Shape::boolean: return "boolean";
    case Shape::array: return "array";
    case Shape::object:
    case Shape::map: return "object";
  }
  return {};
}

json::array strings(std::span<const std::string_view> texts) {
  json::array list;
  for (const std::string_view text : texts) list.emplace_back(text);
  return list;
}

void add_type(json::object& to, const Schema& schema) {
  const std::string_view type = type_of(schema.shape);
  if (type.empty()) return;
  if (schema.nullable) {
    to["type"] = json::array{json::value(type), "null"};
  } else {
    to["type"] = type;
  }
}

void add_bounds(json::object& to, const Schema& schema) {
  if (schema.shape == Shape::integer) {
    to["minimum"] = schema.minimum;
    to["maximum"] = schema.maximum;
  }
  if (!schema.values.empty()) to["enum"] = strings(schema.values);
  if (!schema.format.empty()) to["format"] = schema.format;
  if (!schema.pattern.empty()) to["pattern"] = schema.pattern;
  if (schema.min_length > 0) to["minLength"] = schema.min_length;
  if (schema.min_items > 0) to["minItems"] = schema.min_items;
  if (schema.max_items > 0) to["maxItems"] = schema.max_items;
}

json::object field_schema(const Field& field, json::object& components) {
  json::object shown = openapi_schema(*field.schema, components);
  if (!field.description.empty()) shown["description"] = field.description;  // beside a $ref too, since 3.1
  return shown;
}

/// {"oneOf": [{"required": ["a"]}, ...]}; of `anyOf` the same.
json::object choice(std::string_view rule, std::span<const std::string_view> names) {
  json::array choices;
  for (const std::string_view name : names)
    choices.push_back(json::object{{"required", json::array{json::value(name)}}});
  return {{rule, std::move(choices)}};
}

json::object not_both(const ExclusiveFields& pair) {
  return {{"not", {{"required", json::array{json::value(pair.one), json::value(pair.other)}}}}};
}

/// Where `encoding` is given, `value` is base64.
json::object base64_when_encoded(std::string_view value, std::string_view encoding) {
  return {{"if", {{"required", json::array{json::value(encoding)}}}},
          {"then",
           {{"required", json::array{json::value(value)}},
            {"properties", json::object{{value, {{"type", "string"}, {"pattern", schemas::encoded_pattern}}}}}}}};
}

json::object when(const Variant& variant) {
  json::object condition = {{"required", json::array{json::value(variant.field)}},
                            {"properties", json::object{{variant.field, {{"const", variant.value}}}}}};
  json::object then;
  json::object properties;
  for (const std::string_view name : variant.not_null) properties[name] = {{"not", {{"type", "null"}}}};
  for (const std::string_view name : variant.forbidden) properties[name] = false;
  if (!variant.required.empty()) then["required"] = strings(variant.required);
  if (!properties.empty()) then["properties"] = std::move(properties);
  return {{"if", std::move(condition)}, {"then", std::move(then)}};
}

/// What is said of several fields together.
json::array rules_of(const Schema& schema) {
  json::array rules;
  if (!schema.one_of.empty()) rules.push_back(choice("oneOf", schema.one_of));
  if (!schema.one_condition_of.empty()) rules.push_back(choice("oneOf", schema.one_condition_of));
  if (!schema.some_of.empty()) rules.push_back(choice("anyOf", schema.some_of));
  for (const Variant& variant : schema.variants) rules.push_back(when(variant));
  for (const ExclusiveFields& pair : schema.exclusive) rules.push_back(not_both(pair));
  if (position_of(schema, "encoding") >= 0) rules.push_back(base64_when_encoded("value", "encoding"));
  if (position_of(schema, "expected_encoding") >= 0) {
    rules.push_back(base64_when_encoded("expected", "expected_encoding"));
  }
  return rules;
}

void add_fields(json::object& to, const Schema& schema, json::object& components) {
  json::object properties;
  json::array required;
  for (const Field& field : schema.fields) {
    properties[field.name] = field_schema(field, components);
    if (field.required) required.emplace_back(field.name);
  }
  to["properties"] = std::move(properties);
  if (!required.empty()) to["required"] = std::move(required);
  to["additionalProperties"] = false;
  if (json::array rules = rules_of(schema); !rules.empty()) to["allOf"] = std::move(rules);
}

json::object whole_schema(const Schema& schema, json::object& components) {
  json::object to;
  add_type(to, schema);
  if (!schema.description.empty()) to["description"] = schema.description;
  add_bounds(to, schema);
  if (schema.shape == Shape::object) add_fields(to, schema, components);
  if (schema.shape == Shape::array) to["items"] = openapi_schema(*schema.items, components);
  if (schema.shape == Shape::map) to["additionalProperties"] = openapi_schema(*schema.items, components);
  if (!schema.example.empty()) to["examples"] = json::array{example_value(schema.example)};
  return to;
}

}  // namespace

json::value example_value(std::string_view text) {
  boost::system::error_code error;
  return json::parse(text, error);
}

json::object openapi_schema(const Schema& schema, json::object& components) {
  if (schema.name.empty()) return whole_schema(schema, components);
  if (!components.contains(schema.name)) {
    components[schema.name] = nullptr;  // being written: no schema contains itself, but one may stand in many places
    components[schema.name] = whole_schema(schema, components);
  }
  return {{"$ref", "#/components/schemas/" + std::string(schema.name)}};
}

}  // namespace concord::http
