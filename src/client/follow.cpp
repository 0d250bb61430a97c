// Streams of events: each is kept open, on one endpoint after the other, until nobody wants it any more.
//
// A stream that breaks, or that a node ends because it stops, goes on at the next endpoint behind the last event that came. An endpoint
// that no longer has what comes behind it is no reason to give up as long as another one may.
#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <concord/version.hpp>

#include "base/timeout.hpp"
#include "calls/gate.hpp"
#include "client/transport.hpp"

namespace concord::client {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

constexpr milliseconds shortest_pause{25};
constexpr milliseconds longest_pause{1000};
/// A node gives a sign of life every 15 s: one that is silent for so long is gone.
constexpr milliseconds longest_silence{45'000};

constexpr unsigned gone = 410;
constexpr unsigned too_many_requests = 429;

bool may_get_better(unsigned status) { return status == too_many_requests || status >= 500; }

}  // namespace

/// A stream that is kept open.
class Transport::Following final : public Connection::Sink {
 public:
  Following(asio::io_context& io, std::shared_ptr<EventSource> fed, std::move_only_function<void(Result<void>)> told)
      : source(std::move(fed)), wake(io), silence(io), begun(std::move(told)) {}

  void begin() override {
    source->begin_stream();
    pause = shortest_pause;
    gone_count = 0;
    tell_begun({});
    watch_silence();
  }

  asio::awaitable<bool> add(std::string part) override {
    watch_silence();
    if (!source->add(part)) co_return false;
    while (!source->has_room() && !source->has_ended()) {
      silence.cancel();
      wake.expires_after(longest_silence);
      co_await wake.async_wait(as_result);
      watch_silence();
    }
    co_return !source->has_ended();
  }

  void tell_begun(Result<void> result) {
    if (begun) std::exchange(begun, nullptr)(std::move(result));
  }

  void close_connection() {
    silence.cancel();
    if (connection) connection->close();
  }

  std::shared_ptr<EventSource> source;
  std::shared_ptr<Connection> connection;
  asio::steady_timer wake;  ///< ends a pause, or the wait for room
  asio::steady_timer silence;
  std::move_only_function<void(Result<void>)> begun;  ///< null: it was told
  Clock::time_point begin_until = {};
  milliseconds pause = shortest_pause;
  std::size_t gone_count = 0;  ///< endpoints in turn that no longer have what is asked for
  std::string last_problem = {};

 private:
  void watch_silence() {
    silence.expires_after(longest_silence);
    silence.async_wait([watched = std::weak_ptr<Connection>(connection)](error_code cancelled) {
      if (cancelled) return;
      if (const auto still = watched.lock()) still->close();
    });
  }
};

void Transport::IoDoor::post(std::move_only_function<void()> task) {
  const base::MutexLock lock(mutex_);
  if (io_ != nullptr) asio::post(*io_, std::move(task));
}

void Transport::follow(std::shared_ptr<EventSource> source, milliseconds timeout,
                       std::move_only_function<void(Result<void>)> begun) {
  if (std::ranges::any_of(source->settings().token, [](char c) { return c <= ' ' || c > '~'; })) {
    return begun(fail(Errc::invalid_request, "the token holds characters that no token has"));
  }
  auto following = std::make_shared<Following>(io_, source, std::move(begun));
  following->begin_until = Clock::now() + base::bounded(timeout);
  base::MutexLock lock(closing_mutex_);
  if (is_closed_) {
    lock.unlock();
    return following->tell_begun(calls::store_is_closed());
  }
  source->set_waker([door = io_door_, weak = std::weak_ptr<Following>(following)] {
    door->post([weak] {
      const auto woken = weak.lock();
      if (!woken) return;
      woken->wake.cancel();
      if (woken->source->has_ended()) woken->close_connection();
    });
  });
  asio::post(io_, [this, following] {
    followings_.push_back(following);
    asio::co_spawn(io_, follow_for_ever(following), asio::detached);
  });
}

void Transport::end_followings() {
  for (const FollowingPointer& following : followings_) {
    following->source->finish(Error(Errc::cluster_not_ready, "the store is closed"));
    following->wake.cancel();
    following->close_connection();
  }
}

asio::awaitable<void> Transport::follow_for_ever(FollowingPointer following) {
  EventSource& source = *following->source;
  for (std::size_t at = preferred_; !source.has_ended() && !is_ending_; ++at) {
    try {
      co_await follow_once(following, peers_[at % peers_.size()]);
    } catch (const std::exception& e) {  // memory: nothing may end the host
      source.fail_for_good({.why = Error(Errc::internal, std::string("the client failed: ") + e.what())});
    }
    following->close_connection();
    if (following->begun && Clock::now() >= following->begin_until) {
      source.finish(Error(Errc::cluster_not_ready, "no endpoint gives events (" + following->last_problem + ")"));
    }
    if (source.has_ended() || is_ending_) break;
    following->wake.expires_after(following->pause);
    co_await following->wake.async_wait(as_result);
    following->pause = std::min(2 * following->pause, longest_pause);
  }
  following->close_connection();
  if (auto why = source.error()) following->tell_begun(std::unexpected(std::move(*why)));
  following->tell_begun(calls::store_is_closed());
  std::erase(followings_, following);
  end_when_idle();
}

asio::awaitable<void> Transport::follow_once(FollowingPointer following, Peer& peer) {
  const Exchanged exchanged = co_await follow_on(following, peer);
  if (exchanged.error) {
    following->last_problem = peer.endpoint.url + ": " + exchanged.problem;
    co_return;
  }
  constexpr unsigned ok = 200;
  const unsigned status = exchanged.answer.status;
  if (status == ok) co_return;
  StreamEnd end = stream_end_of(status, exchanged.answer.body);
  following->last_problem = peer.endpoint.url + ": " + end.why.message();
  if (may_get_better(status)) co_return;
  if (status == gone && ++following->gone_count < peers_.size()) co_return;
  following->source->fail_for_good(std::move(end));
}

asio::awaitable<Exchanged> Transport::follow_on(FollowingPointer following, Peer& peer) {
  const auto connection = std::make_shared<Connection>(io_, peer.endpoint.is_secure ? tls_.get() : nullptr);
  following->connection = connection;
  asio::steady_timer limit(io_, options_.connect_timeout);
  limit.async_wait([connection](error_code cancelled) {
    if (!cancelled) connection->close();
  });
  const error_code error = co_await connection->open(peer.endpoint, options_.verify_certificates);
  limit.cancel();
  if (error) {
    Exchanged none;
    none.error = error;
    none.problem = connection->problem(error);
    co_return none;
  }
  Connection::HttpRequest request = follow_request(peer, *following->source);
  co_return co_await connection->follow(std::move(request), *following);
}

Connection::HttpRequest Transport::follow_request(const Peer& peer, const EventSource& source) const {
  Connection::HttpRequest made(http::verb::get, source.settings().target, 11);
  made.set(http::field::host, peer.endpoint.authority);
  made.set(http::field::user_agent, "concord-client/" + std::string(version));
  made.set(http::field::accept, "text/event-stream");
  if (!source.settings().token.empty()) made.set(http::field::authorization, "Bearer " + source.settings().token);
  if (const auto after = source.resume_after()) made.set("Last-Event-ID", std::to_string(after->value()));
  return made;
}

}  // namespace concord::client
