// For tests: a collector of spans over HTTP, which keeps what it was sent, refuses it, or says nothing at all.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace concord::observe {

class TestingCollector {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  enum class Answers : std::uint8_t { ok, unavailable, never };

  explicit TestingCollector(Answers answers = Answers::ok)
      : answers_(answers), acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::thread([this] { run(); });
  }
  ~TestingCollector() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket last(context);  // the acceptor waits for somebody
    boost::system::error_code ignored;
    last.connect(acceptor_.local_endpoint(ignored), ignored);
    thread_.join();
  }
  TestingCollector(const TestingCollector&) = delete;
  TestingCollector& operator=(const TestingCollector&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

  /// Waits for so many requests; fewer when they don't come.
  std::vector<Request> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return requests_.size() >= count; });
    return requests_;
  }

 private:
  void run() {
    for (;;) {
      boost::asio::ip::tcp::socket socket(context_);
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      std::unique_lock lock(mutex_);
      if (stopping_ || error) return;
      if (answers_ == Answers::never) {
        changed_.wait(lock, [this] { return stopping_; });
        return;
      }
      lock.unlock();
      serve(socket);
    }
  }

  void serve(boost::asio::ip::tcp::socket& socket) {
    boost::beast::flat_buffer buffer;
    Request request;
    boost::system::error_code error;
    boost::beast::http::read(socket, buffer, request, error);
    if (error) return;
    const bool is_ok = answers_ == Answers::ok;
    boost::beast::http::response<boost::beast::http::string_body> response(
        is_ok ? boost::beast::http::status::ok : boost::beast::http::status::service_unavailable, 11, "{}");
    response.prepare_payload();
    boost::beast::http::write(socket, response, error);
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }

  const Answers answers_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace concord::observe
