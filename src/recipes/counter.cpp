#include <concord/recipes/counter.hpp>

#include <optional>
#include <utility>

namespace concord {

Counter::Counter(Store& store, std::string_view name, CounterOptions options)
    : store_(&store), key_(options.prefix + std::string(name)), options_(std::move(options)) {}

Result<std::int64_t> Counter::add(std::int64_t delta) {
  const auto updated = store_->update(
      key_,
      [&](std::optional<std::int64_t> number) -> Result<std::int64_t> {
        const std::int64_t before = number.value_or(options_.initial);
        std::int64_t sum = 0;
        if (__builtin_add_overflow(before, delta, &sum)) {
          return fail(Errc::invalid_request, "the sum of " + std::to_string(before) + " and " + std::to_string(delta) +
                                                 " does not fit 64 bits; nothing was changed");
        }
        return sum;
      },
      {.timeout = options_.timeout, .token = options_.token});
  if (!updated) return std::unexpected(updated.error());
  return updated->value.as<std::int64_t>();
}

Result<std::int64_t> Counter::get() const {
  auto number = store_->get<std::int64_t>(
      key_, {.consistency = ReadConsistency::strong, .timeout = options_.timeout, .token = options_.token});
  if (!number && number.error().code() == Errc::not_found) return options_.initial;
  return number;
}

Result<void> Counter::set(std::int64_t value) {
  const auto put = store_->put(key_, value, {.timeout = options_.timeout, .token = options_.token});
  if (!put) return std::unexpected(put.error());
  return {};
}

Result<std::int64_t> Counter::reset() {
  std::int64_t before = options_.initial;
  const auto updated =
      store_->update(key_,
                     [&](std::optional<std::int64_t> number) {
                       before = number.value_or(options_.initial);  // of the last try, the one that is written
                       return options_.initial;
                     },
                     {.timeout = options_.timeout, .token = options_.token});
  if (!updated) return std::unexpected(updated.error());
  return before;
}

}  // namespace concord
