#include "http/request.hpp"

namespace concord::http {
namespace {

/// Memory a request may keep between requests; more is given back, or ten thousand connections would hold on to gigabytes.
constexpr std::size_t kept_body_bytes = 32U << 10U;

}  // namespace

std::string_view method_name(Method method) noexcept {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::put: return "PUT";
    case Method::post: return "POST";
    case Method::del: return "DELETE";
    case Method::options: return "OPTIONS";
    case Method::other: break;
  }
  return {};
}

void Request::clear() noexcept {
  method = Method::other;
  target.clear();
  if (body.capacity() > kept_body_bytes) {
    std::string().swap(body);
  } else {
    body.clear();
  }
  keep_alive = true;
  is_http_1_0 = false;
  present_.reset();
}

void Request::add_header(Header header, std::string_view value) {
  std::string& to = values_[position(header)];
  if (present_[position(header)]) {
    to += ", ";
    to.append(value);
  } else {
    to.assign(value);
    present_.set(position(header));
  }
}

}  // namespace concord::http
