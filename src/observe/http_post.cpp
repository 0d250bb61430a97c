#include "observe/http_post.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/version.hpp>

namespace concord::observe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::uint64_t most_answer_bytes = 1U << 20U;
/// How often it is looked whether the node ends, and how long an exchange may go on then.
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::chrono::milliseconds last_wait{1000};

struct Url {
  bool is_secure = false;
  std::string host;
  std::string port;
  std::string path;
};

std::optional<Url> parse(std::string_view text) {
  Url url;
  if (text.starts_with("https://")) {
    url.is_secure = true;
  } else if (!text.starts_with("http://")) {
    return std::nullopt;
  }
  text.remove_prefix(text.find("//") + 2);
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  url.path = slash == text.size() ? "/" : std::string(text.substr(slash));
  url.port = url.is_secure ? "443" : "80";
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    url.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  url.host = authority;
  const bool has_port = !url.port.empty() && url.port.size() <= 5 &&
                        std::ranges::all_of(url.port, [](char c) { return c >= '0' && c <= '9'; });
  const bool is_clean = std::ranges::none_of(url.path, [](char c) { return c <= ' ' || c == 0x7f; });
  if (url.host.empty() || !has_port || !is_clean) return std::nullopt;
  return url;
}

/// One exchange, as a chain of steps on its own context; `error` is what ended it.
class Exchange {
 public:
  Exchange(const HttpPost& post, Url url)
      : url_(std::move(url)), timeout_(post.timeout), is_ending_(post.is_ending), stream_(context_) {
    parser_.body_limit(most_answer_bytes);
    request_.method(http::verb::post);
    request_.target(url_.path);
    request_.version(11);
    request_.set(http::field::host, url_.host + ":" + url_.port);
    request_.set(http::field::user_agent, "concord");
    request_.set(http::field::content_type, "application/json");
    request_.set(http::field::connection, "close");
    for (const auto& [name, value] : post.headers) request_.set(name, value);
    request_.body() = post.body;
    request_.prepare_payload();
  }

  Result<unsigned> run() {
    if (url_.is_secure) {
      error_code ignored;
      tls_.set_default_verify_paths(ignored);
      secure_.emplace(context_, tls_);
      SSL_set_tlsext_host_name(secure_->native_handle(), url_.host.c_str());
      secure_->set_verify_mode(asio::ssl::verify_peer);
      secure_->set_verify_callback(asio::ssl::host_name_verification(url_.host));
    }
    resolver_.async_resolve(url_.host, url_.port, [this](error_code error, const tcp::resolver::results_type& found) {
      if (end_with(error)) return;
      transport().expires_after(timeout_);
      transport().async_connect(found, [this](error_code failed, const tcp::endpoint&) { connected(failed); });
    });
    run_until_done();
    if (!is_done_) return fail(Errc::timeout, "no answer within " + std::to_string(timeout_.count()) + " ms");
    if (error_) return fail(Errc::cluster_not_ready, error_.message());
    return parser_.get().result_int();
  }

 private:
  void run_until_done() {
    using std::chrono::steady_clock;
    auto end = steady_clock::now() + timeout_;
    for (bool is_hurried = false; !context_.stopped() && steady_clock::now() < end;) {
      context_.run_for(std::min<steady_clock::duration>(look_interval, end - steady_clock::now()));
      if (is_ending_ == nullptr || is_hurried || !is_ending_->load(std::memory_order_relaxed)) continue;
      is_hurried = true;
      end = std::min(end, steady_clock::now() + last_wait);
    }
  }

  beast::tcp_stream& transport() { return secure_ ? secure_->next_layer() : stream_; }

  bool end_with(error_code error) {
    if (!error) return false;
    error_ = error;
    is_done_ = true;
    return true;
  }

  void connected(error_code error) {
    if (end_with(error)) return;
    if (!secure_) return exchange(stream_);
    secure_->async_handshake(asio::ssl::stream_base::client, [this](error_code failed) {
      if (!end_with(failed)) exchange(*secure_);
    });
  }

  template <class Stream>
  void exchange(Stream& stream) {
    http::async_write(stream, request_, [this, &stream](error_code error, std::size_t) {
      if (end_with(error)) return;
      http::async_read(stream, buffer_, parser_, [this](error_code failed, std::size_t) {
        is_done_ = true;
        error_ = failed;
      });
    });
  }

  Url url_;
  std::chrono::milliseconds timeout_;
  const std::atomic<bool>* is_ending_;
  asio::io_context context_{1};
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  tcp::resolver resolver_{context_};
  beast::tcp_stream stream_;
  std::optional<beast::ssl_stream<beast::tcp_stream>> secure_;
  http::request<http::string_body> request_;
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_;
  error_code error_;
  bool is_done_ = false;
};

}  // namespace

bool is_post_url(const std::string& url) { return parse(url).has_value(); }

Result<unsigned> http_post(const HttpPost& post) {
  auto url = parse(post.url);
  if (!url) return fail(Errc::invalid_request, "\"" + post.url + "\" is no URL like http://host:port/path");
  try {
    auto exchange = std::make_unique<Exchange>(post, std::move(*url));
    return exchange->run();
  } catch (const std::exception& e) {  // of a header that is none, or no memory
    return fail(Errc::internal, e.what());
  }
}

}  // namespace concord::observe
