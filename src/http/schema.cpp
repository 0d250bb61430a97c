#include "http/schema.hpp"

namespace concord::http {

int position_of(const Schema& schema, std::string_view field) noexcept {
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (schema.fields[i].name == field) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace concord::http
