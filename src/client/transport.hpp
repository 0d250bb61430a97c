// Brings requests to a node and answers back: pools of connections, choice of the endpoint, trying again, deadlines.
//
// A request is tried on the endpoints in turn, `rounds` times around with a pause between, while its time lasts. Why it may be
// tried again, and when not, is decided in one place (`Transport::may_repeat`):
//
//   nothing was sent, or not the whole of it; 429; 503    it was not executed: always
//   it was sent and the connection was lost               a read: yes. A write: only under an Idempotency-Key
//   any other answer                                      it is the outcome
//
// Threads: one, which owns everything but the counters; it runs nothing of the user's. `send` and `close`: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <concord/client.hpp>

#include "base/mutex.hpp"
#include "client/connection.hpp"
#include "client/endpoint.hpp"
#include "client/event_source.hpp"
#include "client/request.hpp"

namespace concord::client {

class Transport {
 public:
  /// Errors: invalid_request (certificates that can't be read).
  [[nodiscard]] static Result<std::unique_ptr<Transport>> start(std::vector<Endpoint> endpoints,
                                                                const ClientOptions& options);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// `done` is called once: on the transport's thread, or inside the call when it is refused. It must not block.
  /// Errors: overloaded, cluster_not_ready (nobody took it; or closed), timeout, invalid_request (a token).
  void send(Request request, AnswerCompletion done);

  /// Keeps a stream of events open that feeds `source`, on whatever endpoint has it, until the source has ended or the transport
  /// closes. `begun` is called once: when the first stream is open, or can't be within `timeout`. As `send`.
  void follow(std::shared_ptr<EventSource> source, std::chrono::milliseconds timeout,
              std::move_only_function<void(Result<void>)> begun);

  /// Takes no more, finishes what is in flight within `limit`, then gives up on what is left. Further calls do nothing.
  void close(std::chrono::milliseconds limit);

 private:
  using Clock = std::chrono::steady_clock;

  /// A request under way.
  struct Flight {
    Flight(boost::asio::io_context& io, Request sent, AnswerCompletion told)
        : request(std::move(sent)), done(std::move(told)), deadline_timer(io), wake(io) {}

    Request request;
    AnswerCompletion done;
    Clock::time_point deadline;
    boost::asio::steady_timer deadline_timer;
    boost::asio::steady_timer wake;  ///< ends a pause, or the wait for a connection
    std::shared_ptr<Connection> connection = {};
    std::string idempotency_key = {};
    std::string last_problem = {};
    bool is_over = false;                ///< its time has passed, or the transport closes
    bool is_sent = false;                ///< as a whole, and the answer is waited for
    bool may_be_done = false;            ///< it was sent as a whole, and no answer came
    bool has_a_place = false;            ///< of a wait for a connection: one became free
    std::optional<Answer> refusal = {};  ///< the last 429 or 503
    std::list<std::shared_ptr<Flight>>::iterator position = {};
  };
  using FlightPointer = std::shared_ptr<Flight>;

  /// Leads to the thread as long as it is there, for who may outlive it.
  class IoDoor {
   public:
    explicit IoDoor(boost::asio::io_context& io) : io_(&io) {}
    void post(std::move_only_function<void()> task);
    void shut() {
      const base::MutexLock lock(mutex_);
      io_ = nullptr;
    }

   private:
    base::Mutex mutex_;
    boost::asio::io_context* io_ ABSL_GUARDED_BY(mutex_);
  };
  class Following;
  using FollowingPointer = std::shared_ptr<Following>;

  struct Peer {
    Endpoint endpoint;
    std::vector<std::shared_ptr<Connection>> idle = {};  ///< the one used last at the end
    std::size_t open = 0;                                ///< in use, or promised to one that waits
    std::deque<FlightPointer> waiting = {};
    Clock::time_point avoid_until = {};  ///< it failed a short while ago
  };

  Transport(std::vector<Endpoint> endpoints, const ClientOptions& options);
  Result<void> prepare_tls(const ClientOptions& options);
  void run() noexcept;
  // streams of events (follow.cpp)
  boost::asio::awaitable<void> follow_for_ever(FollowingPointer following);
  boost::asio::awaitable<void> follow_once(FollowingPointer following, Peer& peer);
  boost::asio::awaitable<Exchanged> follow_on(FollowingPointer following, Peer& peer);
  [[nodiscard]] Connection::HttpRequest follow_request(const Peer& peer, const EventSource& source) const;
  void end_followings();
  void end_when_idle();

  boost::asio::awaitable<void> fly(FlightPointer flight);
  boost::asio::awaitable<Result<Answer>> try_all(FlightPointer flight);
  boost::asio::awaitable<Exchanged> try_one(Peer& peer, FlightPointer flight);
  boost::asio::awaitable<Exchanged> exchange(Peer& peer, FlightPointer flight);
  boost::asio::awaitable<boost::system::error_code> connect(Peer& peer, FlightPointer flight);
  boost::asio::awaitable<bool> take_place(Peer& peer, FlightPointer flight);
  boost::asio::awaitable<void> pause(FlightPointer flight, std::size_t round);
  void leave_place(Peer& peer);
  void keep(Peer& peer, std::shared_ptr<Connection> connection);
  [[nodiscard]] std::shared_ptr<Connection> take_idle(Peer& peer);
  [[nodiscard]] std::vector<std::size_t> order_of(const Request& request);
  [[nodiscard]] static bool may_repeat(const Flight& flight, const Exchanged& exchanged);
  [[nodiscard]] Connection::HttpRequest http_request(const Peer& peer, const Flight& flight) const;
  /// The outcome when nothing is tried any more.
  [[nodiscard]] static Result<Answer> gave_up(const Flight& flight);
  void begin(FlightPointer flight);
  void watch_deadline(const FlightPointer& flight, Clock::time_point end);
  static void give_up(Flight& flight);
  void finish(const FlightPointer& flight, Result<Answer> outcome);

  const ClientOptions options_;
  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::unique_ptr<boost::asio::ssl::context> tls_;  ///< when an endpoint is https
  std::vector<Peer> peers_;
  std::size_t preferred_ = 0;  ///< of what is not spread
  std::size_t next_spread_ = 0;
  const std::string name_;  ///< of this client, in its idempotency keys
  std::uint64_t next_key_ = 0;
  std::list<FlightPointer> flights_;
  std::vector<FollowingPointer> followings_;
  std::shared_ptr<IoDoor> io_door_ = std::make_shared<IoDoor>(io_);
  bool is_ending_ = false;  ///< the thread ends with the last flight
  boost::asio::steady_timer end_timer_{io_};

  std::atomic<std::size_t> in_flight_{0};
  base::Mutex closing_mutex_;  ///< orders `send` before or behind `close`
  bool is_closed_ ABSL_GUARDED_BY(closing_mutex_) = false;
  std::thread thread_;
};

}  // namespace concord::client
