#include "http/worker.hpp"

#include <algorithm>
#include <exception>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "http/connection.hpp"
#include "http/time_text.hpp"

namespace concord::http {
namespace {

using std::chrono::milliseconds;

/// What one TLS record takes, and its front.
constexpr std::size_t scratch_bytes = 17U << 10U;

/// A quarter of the shortest limit, so that no limit is missed by much; a quarter of a second is enough for the real ones.
milliseconds tick_length_of(const Settings& settings) {
  const milliseconds shortest = std::min({settings.request_timeout, settings.idle_timeout, settings.linger_timeout,
                                          settings.handshake_timeout, settings.sign_of_life_interval});
  return std::clamp(shortest / 4, milliseconds(5), milliseconds(250));
}

}  // namespace

Worker::Worker(Shared& shared, std::uint64_t seed)
    : shared_(shared),
      timer_(context_),
      tick_length_(tick_length_of(shared.settings)),
      date_(http_date(std::chrono::system_clock::now())),
      random_(seed),
      scratch_(scratch_bytes, '\0') {}

Worker::~Worker() {
  stop_and_join();
  deliveries_.clear();  // connections go before the context their sockets belong to
  connections_.clear();
}

void Worker::run() {
  schedule_tick();
  thread_ = std::thread([this] {
    thread_id_ = std::this_thread::get_id();
    const auto guard = boost::asio::make_work_guard(context_);
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& e) {  // a handler that throws must not end the thread, and with it the host
        shared_.log(LogLevel::error, std::string("http: a handler failed: ") + e.what());
      }
    }
  });
}

void Worker::stop_and_join() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

Worker::Tick Worker::in(milliseconds time) const noexcept {
  return now_ + static_cast<Tick>((time + tick_length_ - milliseconds(1)) / tick_length_) + 1;
}

Worker::Tick Worker::within(milliseconds time) const noexcept {
  return now_ + std::max<Tick>(static_cast<Tick>(time / tick_length_), 1);
}

void Worker::set_deadline(const Connection& connection, Tick deadline) noexcept {
  if (connection.position < deadlines_.size()) deadlines_[connection.position] = deadline;
}

void Worker::schedule_tick() {
  timer_.expires_after(tick_length_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void Worker::tick() {
  ++now_;
  date_ = http_date(std::chrono::system_clock::now());
  // Backwards: a connection that closes is replaced by the last one.
  for (std::size_t i = deadlines_.size(); i-- > 0;) {
    if (i >= deadlines_.size() || now_ < deadlines_[i]) continue;
    const std::shared_ptr<Connection> connection = connections_[i];
    connection->meet_deadline();
  }
  schedule_tick();
}

void Worker::adopt(boost::asio::ip::tcp::socket socket) {
  boost::asio::post(context_, [this, socket = std::move(socket)]() mutable {
    auto connection = std::make_shared<Connection>(std::move(socket), shared_, *this, connections_.size());
    connections_.push_back(connection);
    deadlines_.push_back(no_deadline);
    connection->start();
  });
}

void Worker::remove(Connection& connection) noexcept {
  const std::size_t position = connection.position;
  if (position + 1 != connections_.size()) {
    connections_[position] = std::move(connections_.back());
    connections_[position]->position = position;
    deadlines_[position] = deadlines_.back();
  }
  connections_.pop_back();
  deadlines_.pop_back();
  connection.position = Connection::no_position;
}

void Worker::begin_handshake(const std::shared_ptr<Connection>& connection) {
  ++handshakes_under_way_;
  handshakes_.push_back(connection);
  const std::size_t most = std::max<std::size_t>(1, shared_.settings.max_handshakes / shared_.worker_count);
  while (!handshakes_.empty()) {
    const auto oldest = handshakes_.front().lock();
    const bool is_over = !oldest || !oldest->is_in_handshake();
    if (!is_over && handshakes_under_way_ <= most) return;
    handshakes_.pop_front();
    if (!is_over) oldest->close();
  }
}

void Worker::drain() {
  boost::asio::post(context_, [this] {
    const auto all = connections_;
    for (const auto& connection : all) connection->drain();
  });
}

void Worker::close_all() {
  boost::asio::post(context_, [this] {
    const auto all = connections_;
    for (const auto& connection : all) connection->close();
  });
}

void Worker::deliver(std::shared_ptr<Connection> connection, Result<command::Outcome> outcome) {
  bool is_first = false;
  {
    const base::MutexLock lock(deliveries_mutex_);
    is_first = deliveries_.empty();
    deliveries_.push_back({std::move(connection), std::move(outcome)});
  }
  if (is_first) boost::asio::post(context_, [this] { take_deliveries(); });
}

void Worker::take_deliveries() {
  {
    const base::MutexLock lock(deliveries_mutex_);
    std::swap(taken_, deliveries_);
  }
  for (Delivery& delivery : taken_) delivery.connection->receive(std::move(delivery.outcome));
  taken_.clear();
}

}  // namespace concord::http
