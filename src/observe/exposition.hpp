// Writes the Prometheus text format, version 0.0.4:
//
//   # HELP name text          \ and line end escaped
//   # TYPE name counter|gauge|summary|histogram
//   name{label="value",...} number
//
// A family is one HELP, one TYPE and all its samples, and stands together. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "observe/histogram.hpp"

namespace concord::observe {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::span<const Label>;

class Exposition {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  void family(std::string_view name, std::string_view type, std::string_view help);
  /// Of the family begun last.
  void sample(Labels labels, double value) { line({}, labels, {}, value); }
  void sample(std::initializer_list<Label> labels, double value) {
    sample(Labels(labels.begin(), labels.size()), value);
  }
  void count(Labels labels, std::uint64_t value) { line({}, labels, {}, value); }
  /// A family of one sample.
  void gauge(std::string_view name, std::string_view help, double value);
  void counter(std::string_view name, std::string_view help, std::uint64_t value);

  /// A summary in milliseconds of durations in ns: `recent` gives the quantiles; of `count` calls those in `all` were timed.
  void summary_ms(Labels labels, const HistogramSnapshot& recent, const HistogramSnapshot& all, std::uint64_t count);
  void histogram(Labels labels, const HistogramSnapshot& all, std::span<const double> bounds) {
    histogram(labels, all, bounds, 1);
  }
  /// A histogram in seconds of durations in ns.
  void histogram_seconds(Labels labels, const HistogramSnapshot& all, std::span<const double> bounds_s) {
    histogram(labels, all, bounds_s, 1e9);
  }

  [[nodiscard]] std::string take() noexcept { return std::move(text_); }

 private:
  /// `scale`: of what was recorded to the unit that is shown.
  void histogram(Labels labels, const HistogramSnapshot& all, std::span<const double> bounds, double scale);
  void line(std::string_view suffix, Labels labels, Label last, double value);
  void line(std::string_view suffix, Labels labels, Label last, std::uint64_t value);
  void begin_line(std::string_view suffix, Labels labels, Label last);
  void append_number(double value);

  std::string text_;
  std::string name_;
};

}  // namespace concord::observe
