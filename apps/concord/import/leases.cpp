#include "import/leases.hpp"

#include <charconv>

#include "json_text.hpp"

namespace concord::app {

std::optional<std::int64_t> whole_number(std::string_view json) {
  const std::string text = json_to_plain(json);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::expected<Leases, InputProblem> read_leases(std::istream& input) {
  Leases leases;
  ElementReader lines(input, {.of_what = "leases"});
  while (true) {
    const auto line = lines.next();
    if (!line) return std::unexpected(line.error());
    if (!*line) return leases;
    const auto id = json_member((*line)->json, "id");
    const auto ttl = json_member((*line)->json, "ttl");
    const auto id_number = whole_number(id.value_or("null"));
    const auto ttl_s = whole_number(ttl.value_or("null"));
    if (!id_number || !ttl_s) {
      return std::unexpected(InputProblem{
          (*line)->place, "not an \"id\" and a \"ttl\", as `etcdctl lease timetolive ID -w json` prints them"});
    }
    leases.insert_or_assign(std::to_string(*id_number), *ttl_s);
  }
}

}  // namespace concord::app
