// One thread of the server with the connections it serves.
//
// Everything but `deliver`, `adopt`, `drain`, `close_all` and `stop` belongs to the worker's own thread. Time is counted in
// ticks: deadlines are looked through on every tick, which costs less than a timer each and is exact enough for limits of
// seconds. They stand side by side, so that a connection that only waits is not touched: ten thousand of them take microseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <concord/error.hpp>

#include "base/mutex.hpp"
#include "base/random.hpp"
#include "command/transaction.hpp"
#include "http/content_coding.hpp"
#include "http/shared.hpp"

namespace concord::http {

class Connection;

class Worker {
 public:
  using Tick = std::uint64_t;
  static constexpr Tick no_deadline = ~Tick{0};

  Worker(Shared& shared, std::uint64_t seed);
  ~Worker();
  Worker(Worker&&) = delete;
  Worker& operator=(Worker&&) = delete;

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

  void run();  ///< starts the thread
  void stop_and_join();
  void adopt(boost::asio::ip::tcp::socket socket);
  void drain();      ///< closes idle connections
  void close_all();  ///< cuts off every connection

  /// Hands the outcome of a transaction to its connection, on this worker's thread. From any thread.
  void deliver(std::shared_ptr<Connection> connection, Result<command::Outcome> outcome);

  [[nodiscard]] bool is_this_thread() const noexcept { return std::this_thread::get_id() == thread_id_; }
  [[nodiscard]] Tick now() const noexcept { return now_; }
  /// The first tick that is at least `time` away.
  /// Not before so much time is over.
  [[nodiscard]] Tick in(std::chrono::milliseconds time) const noexcept;
  /// Not later than that, as far as one tick allows.
  [[nodiscard]] Tick within(std::chrono::milliseconds time) const noexcept;
  /// From that tick on, `meet_deadline` is called on every tick. Nothing for a connection that was removed.
  void set_deadline(const Connection& connection, Tick deadline) noexcept;
  [[nodiscard]] const std::string& date() const noexcept { return date_; }
  [[nodiscard]] std::uint64_t random() noexcept { return random_.next(); }
  [[nodiscard]] GzipCoder& gzip() noexcept { return gzip_; }

  void remove(Connection& connection) noexcept;

  /// A TLS handshake begins; may close the oldest of those under way.
  void begin_handshake(const std::shared_ptr<Connection>& connection);
  void end_handshake() noexcept { --handshakes_under_way_; }
  /// For what is read and taken apart at once.
  [[nodiscard]] std::string& scratch() noexcept { return scratch_; }

 private:
  struct Delivery {
    std::shared_ptr<Connection> connection;
    Result<command::Outcome> outcome;
  };

  void tick();
  void schedule_tick();
  void take_deliveries();

  boost::asio::io_context context_{1};
  Shared& shared_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds tick_length_;
  Tick now_ = 1;
  std::string date_;
  base::Random random_;
  GzipCoder gzip_;
  std::vector<std::shared_ptr<Connection>> connections_;  ///< each knows its position
  std::vector<Tick> deadlines_;                           ///< of the connections, by their position
  std::deque<std::weak_ptr<Connection>> handshakes_;      ///< the oldest first; some have ended
  std::size_t handshakes_under_way_ = 0;
  std::string scratch_;
  std::thread thread_;
  std::thread::id thread_id_;  ///< set by the thread itself, before its first handler

  base::Mutex deliveries_mutex_;
  std::vector<Delivery> deliveries_
      ABSL_GUARDED_BY(deliveries_mutex_);  ///< when it stops being empty, a wake-up is posted
  std::vector<Delivery> taken_;
};

}  // namespace concord::http
