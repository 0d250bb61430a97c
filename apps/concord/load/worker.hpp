// One thread of a load: its connections, each with one request in flight, on an epoll of its own.
//
// In a closed load a connection asks again once it has its answer. In an open one requests are due by a schedule, and each goes to the
// connection that has been idle for longest; when none is, it waits, and its latency counts on. What was due and not yet sent when the
// time is over is sent as long as one request may take; the rest are errors.
//
// A lost connection is made again after a pause. Thread rule: `run` on one thread; `stop` from any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/random.hpp"
#include "load/descriptor.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/response.hpp"
#include "load/schedule.hpp"
#include "load/tally.hpp"
#include "load/timer.hpp"

namespace concord::app::load {

using Clock = std::chrono::steady_clock;

/// A server's address, resolved.
struct Server {
  sockaddr_storage address{};
  socklen_t address_bytes = 0;
  std::string host;  ///< as the header Host names it
};

/// When a request that begins, or is due, counts, and when no more are.
struct Span {
  Clock::time_point begin;
  Clock::time_point measured_from;
  Clock::time_point until;
};

/// Which of the plan's connections a worker has.
struct Share {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

class Worker {
 public:
  /// Connection i of the plan goes to server i modulo their number, so that all together are spread evenly.
  /// Precondition: there is a server, and the plan has no problem.
  Worker(const Plan& plan, const std::vector<Server>& servers, Share connections, std::uint64_t seed);
  ~Worker();

  /// Returns after the last request in flight was answered or given up; early when nothing has worked for the plan's
  /// timeout.
  void run(Span span);
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

  /// After `run`.
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
  /// After `run`: when the last answer came.
  [[nodiscard]] Clock::time_point last_answer() const noexcept { return last_answer_; }
  /// After `run`: at its end every connection was down and could not be made again.
  [[nodiscard]] bool lost_all() const noexcept { return lost_all_; }

 private:
  struct Connection;

  void open_schedule();
  void open(Connection& connection);
  void watch(Connection& connection, std::uint32_t events, int operation);
  void on_event(Connection& connection, std::uint32_t events);
  void on_connected(Connection& connection);
  /// The connection has nothing to do: asks what is next, or waits for what will be due.
  void become_idle(Connection& connection);
  /// Sends what is due as long as connections are idle, and has the timer wake for the next.
  void begin_due_requests();
  void begin_request(Connection& connection, Clock::time_point due);
  void send_rest(Connection& connection);
  void receive(Connection& connection);
  void finish_request(Connection& connection);
  void fail_request(Connection& connection, const std::string& kind);
  void fail_connect(Connection& connection);
  /// Closes the connection; it is made again after a pause.
  void drop(Connection& connection);
  /// What happens by time: connections to make again, requests that took too long, the end.
  void tick();
  [[nodiscard]] bool is_over() const noexcept;
  void count_never_sent();
  [[nodiscard]] bool counts(const Connection& connection) const noexcept;

  const Plan& plan_;
  const std::vector<Server>& servers_;
  std::vector<Requests> requests_;  ///< by server
  base::Random random_;
  Descriptor epoll_;
  Share share_;
  std::vector<Connection> connections_;
  std::optional<Schedule> schedule_;  ///< of an open load
  Timer timer_;
  std::deque<std::size_t> idle_;  ///< connections of an open load in the order they became so; some no longer are
  Tally tally_;
  Span span_;
  Clock::time_point now_;          ///< of the event that is looked at
  Clock::time_point last_answer_;  ///< or the begin
  Clock::time_point last_failed_connect_{};
  std::vector<std::uint64_t> statuses_;  ///< how many answers of each that is no success
  std::size_t in_flight_ = 0;
  bool ending_ = false;
  bool lost_all_ = false;
  std::atomic<bool> stop_ = false;
};

}  // namespace concord::app::load
