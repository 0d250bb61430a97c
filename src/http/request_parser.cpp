#include "http/request_parser.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace concord::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

/// Room for the method and the version beside the target.
constexpr std::size_t request_line_extra_bytes = 64;
/// What one field costs beside its name and value: colon, space, line end.
constexpr std::size_t field_extra_bytes = 4;
/// Bodies announced larger than this grow as they arrive, or an announcement alone would take memory.
constexpr std::size_t body_reserve_bytes = 64U << 10U;

std::string_view view(boost::beast::string_view text) noexcept { return {text.data(), text.size()}; }

Method method_of(beast_http::verb verb) noexcept {
  switch (verb) {
    case beast_http::verb::get: return Method::get;
    case beast_http::verb::head: return Method::head;
    case beast_http::verb::put: return Method::put;
    case beast_http::verb::post: return Method::post;
    case beast_http::verb::delete_: return Method::del;
    case beast_http::verb::options: return Method::options;
    default: return Method::other;
  }
}

std::optional<Header> header_of(beast_http::field field, std::string_view name) noexcept {
  switch (field) {
    case beast_http::field::accept: return Header::accept;
    case beast_http::field::accept_encoding: return Header::accept_encoding;
    case beast_http::field::access_control_request_method: return Header::access_control_request_method;
    case beast_http::field::authorization: return Header::authorization;
    case beast_http::field::content_encoding: return Header::content_encoding;
    case beast_http::field::content_type: return Header::content_type;
    case beast_http::field::expect: return Header::expect;
    case beast_http::field::host: return Header::host;
    case beast_http::field::if_match: return Header::if_match;
    case beast_http::field::if_none_match: return Header::if_none_match;
    case beast_http::field::origin: return Header::origin;
    case beast_http::field::sec_websocket_key: return Header::sec_websocket_key;
    case beast_http::field::sec_websocket_version: return Header::sec_websocket_version;
    case beast_http::field::upgrade: return Header::upgrade;
    case beast_http::field::user_agent: return Header::user_agent;
    case beast_http::field::unknown:
      if (boost::beast::iequals("x-api-key", {name.data(), name.size()})) return Header::api_key;
      if (boost::beast::iequals("x-request-id", {name.data(), name.size()})) return Header::request_id;
      if (boost::beast::iequals("last-event-id", {name.data(), name.size()})) return Header::last_event_id;
      if (boost::beast::iequals("idempotency-key", {name.data(), name.size()})) return Header::idempotency_key;
      if (boost::beast::iequals("traceparent", {name.data(), name.size()})) return Header::traceparent;
      if (boost::beast::iequals("tracestate", {name.data(), name.size()})) return Header::tracestate;
      return std::nullopt;
    default: return std::nullopt;
  }
}

class Message final : public beast_http::basic_parser<true> {
 public:
  Message(Request& request, const ParserLimits& limits) noexcept : request_(request), limits_(limits) {
    eager(true);
    body_limit(limits.max_body_bytes);
    header_limit(
        static_cast<std::uint32_t>(limits.max_header_bytes + limits.max_target_bytes + request_line_extra_bytes));
  }

  /// Set when a callback, not Beast, found something wrong.
  std::optional<Problem> own_problem;
  bool has_request_line = false;
  bool expects_continue = false;
  std::size_t header_bytes = 0;

 private:
  void refuse(unsigned status, std::string message, error_code& error) {
    own_problem = Problem(status, error_name(Errc::invalid_request), std::move(message));
    error = beast_http::make_error_code(beast_http::error::bad_value);
  }

  void on_request_impl(beast_http::verb verb, boost::beast::string_view, boost::beast::string_view target, int version,
                       error_code& error) override {
    has_request_line = true;
    is_http_1_1_ = version == 11;
    request_.is_http_1_0 = version == 10;
    request_.method = method_of(verb);
    if (target.size() > limits_.max_target_bytes) {
      return refuse(414,
                    "the URL has " + std::to_string(target.size()) + " bytes; at most " +
                        std::to_string(limits_.max_target_bytes) + " are allowed",
                    error);
    }
    request_.target.assign(target.data(), target.size());
  }

  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}

  void on_field_impl(beast_http::field field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& error) override {
    header_bytes += name.size() + value.size() + field_extra_bytes;
    if (header_bytes > limits_.max_header_bytes) {
      return refuse(431, "the header fields have more than " + std::to_string(limits_.max_header_bytes) + " bytes",
                    error);
    }
    if (field == beast_http::field::transfer_encoding && !boost::beast::iequals(value, "chunked")) {
      // Beast takes a body with an unknown coding for no body at all: what follows would be read as the next request.
      return refuse(400, "Transfer-Encoding: only \"chunked\" is known", error);
    }
    if (got_header_) return;  // a trailer says nothing about how to handle the request
    const auto header = header_of(field, view(name));
    if (!header) return;
    if (*header == Header::host && request_.has(Header::host)) return refuse(400, "more than one Host header", error);
    request_.add_header(*header, view(value));
  }

  void on_header_impl(error_code& error) override {
    got_header_ = true;
    if (is_http_1_1_ && !request_.has(Header::host)) return refuse(400, "the Host header is missing", error);
    const std::string_view expect = request_.header(Header::expect);
    if (!expect.empty()) {
      if (!boost::beast::iequals({expect.data(), expect.size()}, "100-continue")) {
        return refuse(417, "Expect: only \"100-continue\" is known", error);
      }
      expects_continue = true;
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& size, error_code&) override {
    if (size) request_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*size, body_reserve_bytes)));
  }

  std::size_t on_body_impl(boost::beast::string_view body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }

  void on_finish_impl(error_code&) override {}

  Request& request_;
  const ParserLimits& limits_;
  bool is_http_1_1_ = false;
  bool got_header_ = false;
};

/// 414, 431, or 0, for a header that is not complete. `waiting` is what the parser has not consumed: Beast may look for the
/// end of the header first and consume the request line only then.
unsigned excess_status(const Message& message, std::string_view waiting, const ParserLimits& limits) {
  std::size_t line_size = 0;
  if (!message.has_request_line) {
    const std::size_t line_end = waiting.find('\n');
    line_size = line_end == std::string_view::npos ? waiting.size() : line_end + 1;
    if (line_size > limits.max_target_bytes + request_line_extra_bytes) return 414;
  }
  return message.header_bytes + waiting.size() - line_size > limits.max_header_bytes ? 431 : 0;
}

Problem excess_problem(unsigned status, const ParserLimits& limits) {
  const bool is_target = status == 414;
  return {status, error_name(Errc::invalid_request),
          std::string(is_target ? "the URL has" : "the header fields have") + " more than " +
              std::to_string(is_target ? limits.max_target_bytes : limits.max_header_bytes) + " bytes"};
}

Problem problem_of(const Message& message, const ParserLimits& limits, const error_code& error) {
  if (message.own_problem) return *message.own_problem;
  if (error == beast_http::error::header_limit) return excess_problem(431, limits);
  if (error == beast_http::error::body_limit) {
    return {413, error_name(Errc::value_too_large),
            "the body is larger than " + std::to_string(limits.max_body_bytes) + " bytes"};
  }
  return invalid_request("malformed HTTP: " + error.message());
}

}  // namespace

class RequestParser::Beast {
 public:
  explicit Beast(const ParserLimits& own_limits) : limits(own_limits) {}

  ParserLimits limits;
  Request* request = nullptr;
  std::optional<Message> message;
};

RequestParser::RequestParser(const ParserLimits& limits) : beast_(std::make_unique<Beast>(limits)) {}

RequestParser::~RequestParser() = default;

void RequestParser::start(Request& request) {
  request.clear();
  beast_->request = &request;
  beast_->message.emplace(request, beast_->limits);
}

RequestParser::Step RequestParser::feed(std::string_view input) {
  Message& message = *beast_->message;
  const ParserLimits& limits = beast_->limits;
  error_code error;
  Step step;
  step.consumed = message.put(boost::asio::buffer(input.data(), input.size()), error);
  if (error && error != beast_http::error::need_more) {
    const bool too_long = error == beast_http::error::header_limit;
    const unsigned status = too_long ? excess_status(message, input.substr(step.consumed), limits) : 0;
    problem_ = status != 0 ? excess_problem(status, limits) : problem_of(message, limits, error);
    step.state = State::failed;
  } else if (message.is_done()) {
    beast_->request->keep_alive = message.keep_alive();
    step.state = State::complete;
  } else if (!message.is_header_done()) {
    const unsigned status = excess_status(message, input.substr(step.consumed), limits);
    if (status != 0) {
      problem_ = excess_problem(status, limits);
      step.state = State::failed;
    }
  } else if (input.size() - step.consumed > limits.max_header_bytes) {
    problem_ = invalid_request("malformed HTTP: a chunk extension or trailer that is too long");
    step.state = State::failed;
  }
  return step;
}

bool RequestParser::take_continue() noexcept {
  Message& message = *beast_->message;
  if (!message.expects_continue || !message.is_header_done() || message.is_done()) return false;
  message.expects_continue = false;
  return true;
}

}  // namespace concord::http
