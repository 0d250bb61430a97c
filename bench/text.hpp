// Text as it stands in values: JSON like that of orders.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/random.hpp"

namespace bench {

inline std::string order_text(concord::base::Random& random, std::size_t size_bytes) {
  static constexpr std::array words = {"name",     "active", "city",  "status",  "customer",    "order",     "shipped",
                                       "pending",  "Berlin", "Paris", "price",   "description", "warehouse", "blue",
                                       "quantity", "green",  "the",   "invoice", "monday",      "return"};
  const auto word = [&] { return std::string(words[random.below(words.size())]); };
  std::string text = "[";
  while (text.size() < size_bytes) {
    text += R"({"id":)" + std::to_string(random.below(1'000'000)) + ",\"" + word() + "\":\"" + word() + ' ' + word() +
            R"(","price":)" + std::to_string(random.below(100'000) / 100.0) + R"(,"tags":[")" + word() + "\",\"" +
            word() + R"("],"active":)" + (random.one_in(2) ? "true" : "false") + "},";
  }
  text.resize(size_bytes);
  return text;
}

}  // namespace bench
