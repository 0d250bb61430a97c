#include "http/routes/access_fields.hpp"

#include <utility>

#include "acl/record.hpp"
#include "http/reply.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

/// `append(to, item)`.
template <class Items, class Append>
void append_list(std::string& to, std::string_view name, const Items& items, const Append& append) {
  (to += ",\"").append(name) += "\":[";
  bool is_first = true;
  for (const auto& item : items) {
    if (!std::exchange(is_first, false)) to += ',';
    append(to, item);
  }
  to += ']';
}

}  // namespace

void append_permissions(std::string& to, const std::vector<Permission>& permissions) {
  append_list(to, "permissions", permissions, [](std::string& list, Permission permission) {
    value::append_json_string(list, permission_name(permission));
  });
}

void append_prefixes(std::string& to, const std::vector<std::string>& prefixes) {
  append_list(to, "prefixes", prefixes, [](std::string& list, const std::string& prefix) { append_key(list, prefix); });
}

void append_texts(std::string& to, std::string_view name, const std::vector<std::string>& texts) {
  append_list(to, name, texts,
              [](std::string& list, const std::string& text) { value::append_json_string(list, text); });
}

std::expected<void, Problem> read_permissions(BodyText& text, const Field& field,
                                              std::vector<Permission>& permissions) {
  ArrayReader items(text, *field.schema, field.name);
  while (items.next()) {
    const auto name = read_string(items.value(), field.name, {});
    if (!name) return std::unexpected(name.error());
    const auto permission = parse_permission(*name);
    if (!permission) return std::unexpected(wrong_type(field.name, {}, R"(a list of "read", "write" and "admin")"));
    permissions.push_back(*permission);
  }
  return {};
}

std::expected<void, Problem> read_texts(BodyText& text, const Field& field, std::vector<std::string>& texts) {
  ArrayReader items(text, *field.schema, field.name);
  while (items.next()) {
    auto item = read_string(items.value(), field.name, {});
    if (!item) return std::unexpected(std::move(item.error()));
    texts.push_back(std::move(*item));
  }
  return {};
}

std::expected<std::string, Problem> read_access_name(std::string_view raw, std::string_view field) {
  auto name = read_string(raw, field, {});
  if (!name || acl::is_name(*name)) return name;
  return std::unexpected(wrong_type(field, {}, "a name: 1 to 64 of a-z, 0-9, '.', '_' and '-'"));
}

}  // namespace concord::http::routes
