#include "load/report.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/printf.h>

namespace concord::app::load {
namespace {

constexpr std::array<std::pair<const char*, double>, 4> percentiles{
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99_9", 99.9}}};
constexpr std::uint64_t longest_bar = 40;

double seconds(const Report& report) { return std::chrono::duration<double>(report.outcome.measured).count(); }

double per_second(const Report& report, std::uint64_t count) {
  return report.outcome.measured.count() > 0 ? static_cast<double>(count) / seconds(report) : 0;
}

std::uint64_t items(const Report& report) { return report.outcome.tally.succeeded() * report.plan.bulk; }

Histogram all_of(const Tally& tally) {
  Histogram all = tally.reads;
  all.merge(tally.writes);
  return all;
}

/// "850 ns", "12.3 us", "4.57 ms", "1.20 s"
std::string time_text(double ns) {
  if (ns < 1e3) return fmt::sprintf("%.0f ns", ns);
  if (ns < 1e6) return fmt::sprintf("%.1f us", ns / 1e3);
  return ns < 1e9 ? fmt::sprintf("%.2f ms", ns / 1e6) : fmt::sprintf("%.2f s", ns / 1e9);
}

/// 1, 2, 5, 10, 20 ...: the largest of them up to `value_ns`.
std::uint64_t step_below(std::uint64_t value_ns) noexcept {
  std::uint64_t power = 1;
  while (power <= value_ns / 10) power *= 10;
  for (const std::uint64_t factor : {5U, 2U}) {
    if (power * factor <= value_ns) return power * factor;
  }
  return power;
}

std::string bars(const Histogram& histogram) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> rows;  // from where, how many
  for (const auto& bucket : histogram.buckets()) {
    const std::uint64_t step = step_below(std::max<std::uint64_t>(bucket.from_ns, 1));
    if (rows.empty() || rows.back().first != step) rows.emplace_back(step, 0);
    rows.back().second += bucket.count;
  }
  std::string text;
  std::uint64_t most = 1;
  for (const auto& row : rows) most = std::max(most, row.second);
  for (const auto& [from_ns, count] : rows) {
    const auto share = 100.0 * static_cast<double>(count) / static_cast<double>(histogram.count());
    const std::string bar(count * longest_bar / most, '#');
    text += fmt::sprintf("  from %9s  %10d  %6.2f %%  %s", time_text(static_cast<double>(from_ns)), count, share, bar);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string latency_row(const char* name, const Histogram& histogram) {
  std::string row = fmt::sprintf("%-8s %10d", name, histogram.count());
  for (const auto& [label, percent] : percentiles)
    row += fmt::sprintf(" %10s", time_text(static_cast<double>(histogram.percentile_ns(percent))));
  return row + fmt::sprintf(" %10s\n", time_text(static_cast<double>(histogram.max_ns())));
}

std::string latency_json(const Histogram& histogram) {
  std::string json = fmt::sprintf(R"({"count":%d,"mean":%.0f)", histogram.count(), histogram.mean_ns());
  for (const auto& [name, percent] : percentiles)
    json += fmt::sprintf(R"(,"%s":%d)", name, histogram.percentile_ns(percent));
  json += fmt::sprintf(R"(,"max":%d,"buckets":[)", histogram.max_ns());
  const char* separator = "";
  for (const auto& bucket : histogram.buckets()) {
    json += fmt::sprintf("%s[%d,%d,%d]", separator, bucket.from_ns, bucket.to_ns, bucket.count);
    separator = ",";
  }
  return json + "]}";
}

std::string settings_json(const Plan& plan) {
  return fmt::sprintf(
      R"({"duration_ms":%d,"warmup_ms":%d,"connections":%d,"threads":%d,"value_size":%d,"mix":"%d:%d","keys":%d,"bulk":%d,"rate":%s})",
      plan.duration.count(), plan.warmup.count(), plan.connections, plan.threads, plan.value_bytes, plan.mix.reads,
      plan.mix.writes, plan.keys, plan.bulk, plan.rate_per_second ? std::to_string(*plan.rate_per_second) : "null");
}

}  // namespace

std::string json_text(const Report& report) {
  const Tally& tally = report.outcome.tally;
  const auto boolean = [](bool value) { return value ? "true" : "false"; };
  std::string json = fmt::sprintf(
      R"({"duration_seconds":%.3f,"interrupted":%s,"requests":%d,"succeeded":%d,"items":%d,"errors":{)",
      seconds(report), boolean(report.outcome.was_interrupted), tally.requests, tally.succeeded(), items(report));
  const char* separator = "";
  for (const auto& [kind, count] : tally.errors) {
    json += fmt::sprintf(R"(%s"%s":%d)", separator, kind, count);
    separator = ",";
  }
  json += fmt::sprintf(R"(},"failed_connects":%d,"requests_per_second":%.1f,"items_per_second":%.1f)",
                       tally.failed_connects, per_second(report, tally.succeeded()), per_second(report, items(report)));
  json += fmt::sprintf(R"(,"warmup_requests":%d,"warmup_writes":%d,"filled_keys":%d,"fill_requests":%d)",
                       tally.warmup_requests, tally.warmup_writes, report.filled_keys, report.fill_requests);
  json += fmt::sprintf(R"(,"prefix":"%s","kept":%s,"settings":%s)", report.plan.prefix, boolean(report.kept),
                       settings_json(report.plan));
  json += R"(,"latency_ns":{"all":)" + latency_json(all_of(tally)) + R"(,"reads":)" + latency_json(tally.reads) +
          R"(,"writes":)" + latency_json(tally.writes) + "}}\n";
  return json;
}

std::string plain_text(const Report& report) {
  const Tally& tally = report.outcome.tally;
  const Histogram all = all_of(tally);
  std::string text =
      fmt::sprintf("requests %d\nsucceeded %d\nrequests_per_second %.1f\nitems_per_second %.1f\n", tally.requests,
                   tally.succeeded(), per_second(report, tally.succeeded()), per_second(report, items(report)));
  for (const auto& [name, percent] : percentiles) text += fmt::sprintf("%s_ns %d\n", name, all.percentile_ns(percent));
  text += fmt::sprintf("max_ns %d\n", all.max_ns());
  for (const auto& [kind, count] : tally.errors) text += fmt::sprintf("error %d %s\n", count, kind);
  if (tally.failed_connects > 0) text += fmt::sprintf("failed_connects %d\n", tally.failed_connects);
  return text;
}

std::string table_text(const Report& report) {
  const Tally& tally = report.outcome.tally;
  const Plan& plan = report.plan;
  const Histogram all = all_of(tally);
  std::string text = fmt::sprintf(
      "%.1f s%s, %d connections, %d threads, mix %d:%d, values of %d bytes, keys \"%s...\"%s\n\n", seconds(report),
      report.outcome.was_interrupted ? " (ended early)" : "", plan.connections, plan.threads, plan.mix.reads,
      plan.mix.writes, plan.value_bytes, plan.prefix, report.kept ? ", kept" : "");
  text += fmt::sprintf("requests  %d, %.0f a second", tally.succeeded(), per_second(report, tally.succeeded()));
  text += plan.rate_per_second ? fmt::sprintf(" of the %d that were due\n", *plan.rate_per_second) : "\n";
  if (plan.bulk > 1)
    text += fmt::sprintf("items     %d, %.0f a second\n", items(report), per_second(report, items(report)));
  for (const auto& [kind, count] : tally.errors) text += fmt::sprintf("errors    %d, %s\n", count, kind);
  if (tally.failed_connects > 0)
    text += fmt::sprintf("connections that could not be made  %d\n", tally.failed_connects);
  if (all.count() == 0) return text;
  text +=
      fmt::sprintf("\n%-8s %10s %10s %10s %10s %10s %10s\n", "latency", "count", "p50", "p90", "p99", "p99.9", "max");
  if (tally.reads.count() > 0) text += latency_row("reads", tally.reads);
  if (tally.writes.count() > 0) text += latency_row("writes", tally.writes);
  if (tally.reads.count() > 0 && tally.writes.count() > 0) text += latency_row("all", all);
  return text + "\n" + bars(all);
}

}  // namespace concord::app::load
