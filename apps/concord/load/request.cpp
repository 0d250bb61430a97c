#include "load/request.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace concord::app::load {
namespace {

/// Stands for the digits of a key until the bytes are complete; no prefix, token or value holds it.
constexpr std::string_view mark("\1\1\1\1\1\1\1\1", key_digits);

void write_digits(char* at, std::uint32_t number) noexcept {
  for (std::size_t digit = key_digits; digit > 0; number /= 10) at[--digit] = static_cast<char>('0' + (number % 10));
}

std::string key_of(const Plan& plan) { return plan.prefix + std::string(mark); }

/// Letters and digits in no order, so that packing a value does not make it much smaller.
std::string value_of(const Plan& plan) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  base::Random random(plan.value_bytes);
  std::string value(plan.value_bytes, ' ');
  for (char& letter : value) letter = letters[random.below(letters.size())];
  return value;
}

std::string operations_of(const Plan& plan, std::uint32_t count) {
  const std::string operation = R"({"key":")" + key_of(plan) + R"(","value":")" + value_of(plan) + R"("},)";
  std::string body = R"({"operations":[)";
  for (std::uint32_t index = 0; index < count; ++index) body += operation;
  body.back() = ']';
  return body + "}";
}

std::string keys_of(const Plan& plan) {
  std::string body = R"({"keys":[)";
  for (std::uint32_t index = 0; index < plan.bulk; ++index) body += '"' + key_of(plan) + "\",";
  body.back() = ']';
  return body + "}";
}

std::vector<std::size_t> marks_in(std::string_view bytes) {
  std::vector<std::size_t> found;
  for (std::size_t at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + mark.size()))
    found.push_back(at);
  return found;
}

std::string single_target(const Plan& plan) { return "/api/v1/kv/" + key_of(plan); }

std::string read_target(const Plan& plan) {
  std::string target = plan.bulk > 1 ? "/api/v1/kv/bulk/get" : single_target(plan);
  if (!plan.consistency.empty()) target += "?consistency=" + plan.consistency;
  return target;
}

}  // namespace

Request::Request(const Plan& plan, std::string_view host, std::string_view method, const std::string& target,
                 const std::string& body)
    : keys_(plan.keys), body_bytes_(body.size()) {
  bytes_ = std::string(method) + " " + target + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n";
  if (!plan.token.empty()) bytes_ += "Authorization: Bearer " + plan.token + "\r\n";
  if (!body.empty())
    bytes_ += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  bytes_ += "\r\n" + body;
  digits_ = marks_in(bytes_);
}

std::string_view Request::for_key(std::uint32_t first) noexcept {
  std::uint32_t key = first;
  for (const std::size_t at : digits_) {
    write_digits(bytes_.data() + at, key);
    key = key + 1 < keys_ ? key + 1 : 0;
  }
  return bytes_;
}

Requests::Requests(const Plan& plan, std::string_view host)
    : read_(plan, host, plan.bulk > 1 ? "POST" : "GET", read_target(plan),
            plan.bulk > 1 ? keys_of(plan) : std::string()),
      write_(plan, host, plan.bulk > 1 ? "POST" : "PUT", plan.bulk > 1 ? "/api/v1/kv/bulk" : single_target(plan),
             plan.bulk > 1 ? operations_of(plan, plan.bulk) : R"({"value":")" + value_of(plan) + R"("})") {}

std::size_t Requests::longest_body_bytes() const noexcept { return std::max(read_.body_bytes(), write_.body_bytes()); }

std::string fill_body(const Plan& plan, std::uint32_t first, std::uint32_t count) {
  std::string body = operations_of(plan, count);
  for (const std::size_t at : marks_in(body)) write_digits(body.data() + at, first++);
  return body;
}

}  // namespace concord::app::load
