#include "observe/exposition.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace concord::observe {
namespace {

constexpr double ns_a_ms = 1e6;

void append_escaped(std::string& to, std::string_view text, bool escapes_quotes) {
  for (const char c : text) {
    if (c == '\n') {
      to += "\\n";
    } else if (c == '\\' || (c == '"' && escapes_quotes)) {
      to += '\\';
      to += c;
    } else {
      to += c;
    }
  }
}

std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name) += ' ';
  append_escaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(type) += '\n';
}

void Exposition::gauge(std::string_view name, std::string_view help, double value) {
  family(name, "gauge", help);
  sample(Labels(), value);
}

void Exposition::counter(std::string_view name, std::string_view help, std::uint64_t value) {
  family(name, "counter", help);
  count(Labels(), value);
}

void Exposition::summary_ms(Labels labels, const HistogramSnapshot& recent, const HistogramSnapshot& all,
                            std::uint64_t count) {
  struct Quantile {
    std::string_view name;
    double part;
  };
  static constexpr std::array quantiles = {Quantile{"0.5", 0.5}, Quantile{"0.9", 0.9}, Quantile{"0.95", 0.95},
                                           Quantile{"0.99", 0.99}, Quantile{"0.999", 0.999}};
  for (const Quantile& quantile : quantiles) {
    line({}, labels, {"quantile", quantile.name}, recent.quantile(quantile.part) / ns_a_ms);
  }
  const double mean_ns = all.total == 0 ? 0.0 : static_cast<double>(all.sum) / static_cast<double>(all.total);
  line("_sum", labels, {}, mean_ns * static_cast<double>(count) / ns_a_ms);
  line("_count", labels, {}, count);
}

void Exposition::histogram(Labels labels, const HistogramSnapshot& all, std::span<const double> bounds, double scale) {
  for (const double bound : bounds) {
    line("_bucket", labels, {"le", number_text(bound)}, all.up_to(bound * scale));
  }
  line("_bucket", labels, {"le", "+Inf"}, all.total);
  line("_sum", labels, {}, static_cast<double>(all.sum) / scale);
  line("_count", labels, {}, all.total);
}

void Exposition::line(std::string_view suffix, Labels labels, Label last, double value) {
  begin_line(suffix, labels, last);
  append_number(value);
  text_ += '\n';
}

void Exposition::line(std::string_view suffix, Labels labels, Label last, std::uint64_t value) {
  begin_line(suffix, labels, last);
  text_.append(std::to_string(value)) += '\n';
}

void Exposition::begin_line(std::string_view suffix, Labels labels, Label last) {
  text_.append(name_).append(suffix);
  char separator = '{';
  const auto append = [&](const Label& label) {
    text_ += separator;
    text_.append(label.name).append("=\"");
    append_escaped(text_, label.value, true);
    text_ += '"';
    separator = ',';
  };
  for (const Label& label : labels) append(label);
  if (!last.name.empty()) append(last);
  if (separator == ',') text_ += '}';
  text_ += ' ';
}

void Exposition::append_number(double value) {
  if (std::isnan(value)) {
    text_ += "NaN";
  } else if (std::isinf(value)) {
    text_ += value > 0 ? "+Inf" : "-Inf";
  } else {
    text_ += number_text(value);
  }
}

}  // namespace concord::observe
