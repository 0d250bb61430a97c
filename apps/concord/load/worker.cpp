#include "load/worker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

namespace concord::app::load {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds tick_interval{20};
constexpr milliseconds pause_before_reconnect{50};
constexpr std::size_t receive_bytes = 64U << 10U;
constexpr std::size_t event_count = 256;
constexpr std::size_t status_count = 1000;
constexpr std::size_t longest_message_bytes = 300;

bool is_success(unsigned status) noexcept { return status >= 200 && status < 300; }

std::uint64_t nanoseconds(Clock::duration duration) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(duration).count());
}

}  // namespace

struct Worker::Connection {
  enum class State { down, connecting, idle, busy };

  std::size_t server = 0;
  Descriptor socket;
  State state = State::down;
  bool is_write = false;           ///< the request in flight
  bool waits_to_send = false;      ///< epoll watches for room
  Clock::time_point due;           ///< the request; in a closed load when it began
  Clock::time_point began;         ///< the request, or the connecting
  Clock::time_point reconnect_at;  ///< while down
  std::string unsent;              ///< what the socket had no room for
  std::size_t sent_bytes = 0;      ///< of `unsent`
  ResponseReader response;
};

Worker::Worker(const Plan& plan, const std::vector<Server>& servers, Share connections, std::uint64_t seed)
    : plan_(plan),
      servers_(servers),
      random_(seed),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      share_(connections),
      connections_(connections.count),
      statuses_(status_count) {
  for (const Server& server : servers) requests_.emplace_back(plan, server.host);
  std::size_t index = connections.first;
  for (Connection& connection : connections_) connection.server = index++ % servers.size();
}

Worker::~Worker() = default;

void Worker::run(Span span) {
  span_ = span;
  now_ = last_answer_ = Clock::now();
  if (plan_.rate_per_second) open_schedule();
  for (Connection& connection : connections_) open(connection);
  std::array<epoll_event, event_count> events{};
  auto next_tick = now_ + tick_interval;
  while (!(ending_ && in_flight_ == 0) && !lost_all_) {
    const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(tick_interval.count()));
    for (int index = 0; index < count; ++index) {
      const epoll_event& event = events[static_cast<std::size_t>(index)];
      if (event.data.u64 == connections_.size()) {
        timer_.read();
      } else {
        on_event(connections_[event.data.u64], event.events);
      }
    }
    now_ = Clock::now();
    if (schedule_) begin_due_requests();
    if (now_ < next_tick) continue;
    next_tick = now_ + tick_interval;
    tick();
  }
  for (Connection& connection : connections_) connection.socket.close();
  if (schedule_) count_never_sent();
  for (std::size_t status = 0; status < statuses_.size(); ++status) {
    if (statuses_[status] > 0) tally_.errors["status " + std::to_string(status)] += statuses_[status];
  }
}

void Worker::open_schedule() {
  const Schedule::Share share{.first = share_.first, .part = share_.count, .whole = plan_.connections};
  schedule_.emplace(*plan_.rate_per_second, share, span_.begin, span_.until);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = connections_.size();
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, timer_.number(), &event);
}

void Worker::open(Connection& connection) {
  const Server& server = servers_[connection.server];
  connection.socket = Descriptor(::socket(server.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  connection.state = Connection::State::connecting;
  connection.began = now_;
  const int on = 1;
  ::setsockopt(connection.socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* const address = reinterpret_cast<const sockaddr*>(&server.address);
  const bool failed = ::connect(connection.socket.number(), address, server.address_bytes) != 0 && errno != EINPROGRESS;
  if (!connection.socket.is_open() || failed) {
    fail_connect(connection);
    return;
  }
  connection.waits_to_send = true;
  watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

void Worker::watch(Connection& connection, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
  ::epoll_ctl(epoll_.number(), operation, connection.socket.number(), &event);
}

void Worker::on_event(Connection& connection, std::uint32_t events) {
  if (connection.state == Connection::State::down) return;
  if (connection.state == Connection::State::connecting) return on_connected(connection);
  if ((events & EPOLLOUT) != 0 && connection.state == Connection::State::busy) send_rest(connection);
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && connection.state != Connection::State::down) {
    receive(connection);
  }
}

void Worker::on_connected(Connection& connection) {
  int error = 0;
  socklen_t error_bytes = sizeof error;
  ::getsockopt(connection.socket.number(), SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) {
    fail_connect(connection);
    return;
  }
  connection.state = Connection::State::idle;
  connection.waits_to_send = false;
  watch(connection, EPOLLIN, EPOLL_CTL_MOD);
  now_ = Clock::now();
  become_idle(connection);
}

/// At `now_`, which is when the last answer came: what this thread does in between counts as well.
void Worker::become_idle(Connection& connection) {
  if (schedule_) {
    idle_.push_back(static_cast<std::size_t>(&connection - connections_.data()));
  } else if (!ending_ && now_ < span_.until) {
    begin_request(connection, now_);
  }
}

void Worker::begin_due_requests() {
  while (!idle_.empty() && !ending_) {
    Connection& connection = connections_[idle_.front()];
    if (connection.state != Connection::State::idle) {
      idle_.pop_front();
      continue;
    }
    const auto due = schedule_->take(now_);
    if (!due) break;
    idle_.pop_front();
    begin_request(connection, *due);
  }
  const auto next = schedule_->next_due();
  if (next && !idle_.empty()) timer_.set(*next);
}

void Worker::begin_request(Connection& connection, Clock::time_point due) {
  Requests& requests = requests_[connection.server];
  const auto key = static_cast<std::uint32_t>(random_.below(plan_.keys));
  connection.is_write = random_.below(plan_.mix.reads + plan_.mix.writes) >= plan_.mix.reads;
  const std::string_view bytes = connection.is_write ? requests.write(key) : requests.read(key);
  connection.due = due;
  connection.began = now_;
  connection.state = Connection::State::busy;
  ++in_flight_;
  const ssize_t sent = ::send(connection.socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(bytes.size())) return;
  if (sent < 0 && errno != EAGAIN) return fail_request(connection, "connection lost");
  connection.unsent = bytes.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  connection.sent_bytes = 0;
  connection.waits_to_send = true;
  watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

void Worker::send_rest(Connection& connection) {
  const std::string_view rest = std::string_view(connection.unsent).substr(connection.sent_bytes);
  const ssize_t sent = ::send(connection.socket.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) fail_request(connection, "connection lost");
    return;
  }
  connection.sent_bytes += static_cast<std::size_t>(sent);
  if (connection.sent_bytes < connection.unsent.size()) return;
  connection.unsent.clear();
  connection.waits_to_send = false;
  watch(connection, EPOLLIN, EPOLL_CTL_MOD);
}

void Worker::receive(Connection& connection) {
  std::array<char, receive_bytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the system
  const ssize_t count = ::recv(connection.socket.number(), buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const bool is_busy = connection.state == Connection::State::busy;
  if (count <= 0) {
    if (is_busy) return fail_request(connection, "connection lost");
    return drop(connection);
  }
  using State = ResponseReader::State;
  const auto state = is_busy
                         ? connection.response.take(std::string_view(buffer.data(), static_cast<std::size_t>(count)))
                         : State::malformed;
  if (state == State::incomplete) return;
  now_ = Clock::now();
  if (state == State::complete) return finish_request(connection);
  if (is_busy) return fail_request(connection, "malformed response");
  drop(connection);
}

void Worker::finish_request(Connection& connection) {
  --in_flight_;
  last_answer_ = now_;
  const unsigned status = connection.response.status();
  if (!counts(connection)) {
    ++tally_.warmup_requests;
    if (connection.is_write && is_success(status)) ++tally_.warmup_writes;
  } else {
    ++tally_.requests;
    if (is_success(status)) {
      (connection.is_write ? tally_.writes : tally_.reads).record(nanoseconds(now_ - connection.due));
    } else {
      ++statuses_[std::min<std::size_t>(status, status_count - 1)];
      tally_.messages.try_emplace(status, connection.response.body_begin().substr(0, longest_message_bytes));
    }
  }
  const bool closes = connection.response.closes();
  connection.response.reset();
  connection.state = Connection::State::idle;
  // An answer that came before all was sent: the rest of the request is owed no more, and the connection is useless.
  if (closes || connection.waits_to_send) return drop(connection);
  become_idle(connection);
}

void Worker::fail_request(Connection& connection, const std::string& kind) {
  --in_flight_;
  if (counts(connection)) {
    ++tally_.requests;
    ++tally_.errors[kind];
  } else {
    ++tally_.warmup_requests;
  }
  drop(connection);
}

void Worker::fail_connect(Connection& connection) {
  ++tally_.failed_connects;
  last_failed_connect_ = now_;
  drop(connection);
}

void Worker::drop(Connection& connection) {
  connection.socket.close();
  connection.state = Connection::State::down;
  connection.reconnect_at = now_ + pause_before_reconnect;
  connection.unsent.clear();
  connection.waits_to_send = false;
  connection.response.reset();
}

void Worker::tick() {
  ending_ = ending_ || is_over() || stop_.load(std::memory_order_relaxed);
  bool is_any_up = false;
  for (Connection& connection : connections_) {
    using State = Connection::State;
    if (connection.state == State::busy && now_ - connection.began > plan_.timeout) {
      fail_request(connection, "timeout");
    } else if (connection.state == State::connecting && now_ - connection.began > plan_.timeout) {
      fail_connect(connection);
    } else if (connection.state == State::down && now_ >= connection.reconnect_at && !ending_) {
      open(connection);
    }
    is_any_up = is_any_up || connection.state == State::busy || connection.state == State::idle;
  }
  const bool is_refused = !is_any_up && last_failed_connect_ > last_answer_;
  lost_all_ = is_refused && (ending_ || now_ - last_answer_ > plan_.timeout);
}

bool Worker::is_over() const noexcept {
  if (!schedule_ || now_ < span_.until) return now_ >= span_.until;
  return !schedule_->next_due() || now_ >= span_.until + plan_.timeout;
}

/// What was due until now, or until the end: a server that can't keep up is not asked less than was said.
void Worker::count_never_sent() {
  while (const auto due = schedule_->take(now_)) {
    if (*due < span_.measured_from) {
      ++tally_.warmup_requests;
    } else {
      ++tally_.requests;
      ++tally_.errors["never sent"];
    }
  }
}

bool Worker::counts(const Connection& connection) const noexcept { return connection.due >= span_.measured_from; }

}  // namespace concord::app::load
