#include "client/transport.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <concord/version.hpp>

#include "base/timeout.hpp"
#include "calls/gate.hpp"

namespace concord::client {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// How long an endpoint that failed is the last choice.
constexpr milliseconds avoidance{1000};
constexpr milliseconds first_pause{25};
/// The node counts the same timeout: what it says at its end is worth waiting for.
constexpr milliseconds answer_grace{100};
constexpr milliseconds max_timeout = std::chrono::hours(1);  // the API takes no more

constexpr unsigned too_many_requests = 429;
constexpr unsigned service_unavailable = 503;

bool is_refusal(unsigned status) { return status == too_many_requests || status == service_unavailable; }

http::verb verb_of(Method method) {
  switch (method) {
    case Method::get: return http::verb::get;
    case Method::put: return http::verb::put;
    case Method::post: return http::verb::post;
    case Method::del: break;
  }
  return http::verb::delete_;
}

Exchanged unreached(error_code error, std::string problem) {
  Exchanged none;
  none.error = error;
  none.problem = std::move(problem);
  return none;
}

std::string random_name() {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::random_device source;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    for (unsigned bits = source(), digit = 0; digit < 8; ++digit, bits >>= 4U) name += digits[bits & 15U];
  }
  return name;
}

}  // namespace

Result<std::unique_ptr<Transport>> Transport::start(std::vector<Endpoint> endpoints, const ClientOptions& options) {
  std::unique_ptr<Transport> transport(new Transport(std::move(endpoints), options));
  if (auto done = transport->prepare_tls(options); !done) return std::unexpected(std::move(done.error()));
  transport->thread_ = std::thread([transport = transport.get()] { transport->run(); });
  return transport;
}

Transport::Transport(std::vector<Endpoint> endpoints, const ClientOptions& options)
    : options_(options), work_(io_.get_executor()), name_(random_name()) {
  for (Endpoint& endpoint : endpoints) peers_.push_back({.endpoint = std::move(endpoint)});
}

Transport::~Transport() { close(milliseconds(0)); }

namespace {

/// To nodes that ask for one.
Result<void> show_certificate(asio::ssl::context& tls, const ClientOptions& options) {
  if (options.cert.empty() != options.key.empty()) {
    return fail(Errc::invalid_request, "ClientOptions: cert and key need each other");
  }
  if (options.cert.empty()) return {};
  error_code error;
  tls.use_certificate_chain_file(options.cert, error);
  if (error) {
    return fail(Errc::invalid_request, "the certificate in \"" + options.cert + "\" can't be used: " + error.message());
  }
  tls.use_private_key_file(options.key, asio::ssl::context::pem, error);
  if (error) {
    return fail(Errc::invalid_request, "the key in \"" + options.key + "\" can't be used: " + error.message());
  }
  return {};
}

}  // namespace

Result<void> Transport::prepare_tls(const ClientOptions& options) {
  if (std::ranges::none_of(peers_, [](const Peer& peer) { return peer.endpoint.is_secure; })) return {};
  tls_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  error_code error;
  tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                    error);
  if (options.cacert.empty()) {
    tls_->set_default_verify_paths(error);
  } else {
    tls_->load_verify_file(options.cacert, error);
  }
  if (error) {
    return fail(Errc::invalid_request,
                "the certificates in \"" + options.cacert + "\" can't be read: " + error.message());
  }
  return show_certificate(*tls_, options);
}

void Transport::run() noexcept { io_.run(); }

// ---------------------------------------------------------------------------------------------------------------------
// The doors.

void Transport::send(Request request, AnswerCompletion done) {
  if (std::ranges::any_of(request.token, [](char c) { return c <= ' ' || c > '~'; })) {
    return done(fail(Errc::invalid_request, "the token holds characters that no token has"));
  }
  if (in_flight_.fetch_add(1) >= options_.max_in_flight) {
    in_flight_.fetch_sub(1);
    return done(fail(Errc::overloaded, "the limit of " + std::to_string(options_.max_in_flight) +
                                           " calls in flight is reached; nothing was done"));
  }
  auto flight = std::make_shared<Flight>(io_, std::move(request), std::move(done));
  flight->deadline = Clock::now() + std::min(base::bounded(flight->request.timeout), max_timeout);
  base::MutexLock lock(closing_mutex_);
  if (is_closed_) {
    lock.unlock();
    in_flight_.fetch_sub(1);
    return flight->done(calls::store_is_closed());
  }
  asio::post(io_, [this, flight = std::move(flight)]() mutable { begin(std::move(flight)); });
}

void Transport::close(milliseconds limit) {
  {
    const base::MutexLock lock(closing_mutex_);
    if (std::exchange(is_closed_, true)) return;
  }
  asio::post(io_, [this, limit] {
    is_ending_ = true;
    end_followings();
    end_timer_.expires_after(limit);
    end_timer_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      for (const FlightPointer& flight : flights_) give_up(*flight);
    });
    end_when_idle();
  });
  if (thread_.joinable()) thread_.join();
  io_door_->shut();
}

void Transport::end_when_idle() {
  if (!is_ending_ || !flights_.empty() || !followings_.empty()) return;
  end_timer_.cancel();
  for (Peer& peer : peers_) peer.idle.clear();
  work_.reset();
}

// ---------------------------------------------------------------------------------------------------------------------
// A flight.

void Transport::begin(FlightPointer flight) {
  flight->position = flights_.insert(flights_.end(), flight);
  if (flight->request.is_write && options_.repeat_unknown_writes) {
    flight->idempotency_key = name_ + "-" + std::to_string(next_key_++);
  }
  watch_deadline(flight, flight->deadline);
  asio::co_spawn(io_, fly(std::move(flight)), asio::detached);
}

void Transport::watch_deadline(const FlightPointer& flight, Clock::time_point end) {
  flight->deadline_timer.expires_at(end);
  flight->deadline_timer.async_wait([this, flight, end](error_code cancelled) {
    if (cancelled || flight->position == flights_.end()) return;
    if (flight->is_sent && end == flight->deadline) return watch_deadline(flight, end + answer_grace);
    give_up(*flight);
  });
}

/// Whatever it waits for ends now.
void Transport::give_up(Flight& flight) {
  flight.is_over = true;
  flight.wake.cancel();
  if (flight.connection) flight.connection->close();
}

asio::awaitable<void> Transport::fly(FlightPointer flight) {
  std::optional<Result<Answer>> outcome;
  try {
    outcome.emplace(co_await try_all(flight));
  } catch (const std::exception& e) {  // memory, threads: nothing may end the host
    outcome.emplace(fail(Errc::internal, std::string("the client failed: ") + e.what(),
                         flight->request.is_write && (flight->is_sent || flight->may_be_done)));
  }
  finish(flight, std::move(*outcome));
}

void Transport::finish(const FlightPointer& flight, Result<Answer> outcome) {
  flight->deadline_timer.cancel();
  flights_.erase(flight->position);
  flight->position = flights_.end();
  in_flight_.fetch_sub(1);
  flight->done(std::move(outcome));
  end_when_idle();
}

asio::awaitable<Result<Answer>> Transport::try_all(FlightPointer flight) {
  const std::vector<std::size_t> order = order_of(flight->request);
  for (std::size_t round = 0; round < options_.rounds; ++round) {
    if (round > 0) co_await pause(flight, round);
    for (const std::size_t position : order) {
      if (flight->is_over || Clock::now() >= flight->deadline) co_return gave_up(*flight);
      Peer& peer = peers_[position];
      Exchanged exchanged = co_await try_one(peer, flight);
      if (!exchanged.error && !is_refusal(exchanged.answer.status)) {
        if (!flight->request.is_spread) preferred_ = position;
        co_return std::move(exchanged.answer);
      }
      if (exchanged.error) flight->last_problem = peer.endpoint.url + ": " + exchanged.problem;
      if (!exchanged.error) flight->refusal = std::move(exchanged.answer);
      if (flight->is_over || !may_repeat(*flight, exchanged)) co_return gave_up(*flight);
    }
  }
  co_return gave_up(*flight);
}

bool Transport::may_repeat(const Flight& flight, const Exchanged& exchanged) {
  if (!exchanged.error || !exchanged.was_sent) return true;
  return !flight.request.is_write || !flight.idempotency_key.empty();
}

Result<Answer> Transport::gave_up(const Flight& flight) {
  const std::string why = flight.last_problem.empty() ? "" : " (" + flight.last_problem + ")";
  if (flight.request.is_write && flight.may_be_done) {
    return fail(Errc::timeout, "the write was sent, and no answer came" + why + "; its outcome is unknown", true);
  }
  if (flight.refusal) return *flight.refusal;
  if (flight.is_over || Clock::now() >= flight.deadline) {
    return fail(Errc::timeout, "no answer came within " + std::to_string(flight.request.timeout.count()) + " ms" + why +
                                   (flight.request.is_write ? "; nothing was changed" : ""));
  }
  return fail(Errc::cluster_not_ready, "no endpoint can be reached" + why + "; nothing was done");
}

asio::awaitable<void> Transport::pause(FlightPointer flight, std::size_t round) {
  if (flight->is_over) co_return;
  const milliseconds time = first_pause * (1U << std::min<std::size_t>(round - 1, 5));
  flight->wake.expires_after(time);
  co_await flight->wake.async_wait(as_result);
}

// ---------------------------------------------------------------------------------------------------------------------
// Endpoints.

std::vector<std::size_t> Transport::order_of(const Request& request) {
  std::vector<std::size_t> order(peers_.size());
  const std::size_t first = request.is_spread ? next_spread_++ : preferred_;
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = (first + i) % order.size();
  const Clock::time_point now = Clock::now();
  std::ranges::stable_partition(order, [&](std::size_t position) { return peers_[position].avoid_until <= now; });
  return order;
}

asio::awaitable<Exchanged> Transport::try_one(Peer& peer, FlightPointer flight) {
  if (!co_await take_place(peer, flight)) {
    Exchanged none = unreached(asio::error::timed_out, "no connection became free in time");
    co_return none;
  }
  Exchanged exchanged = co_await exchange(peer, flight);
  flight->connection.reset();
  flight->is_sent = false;
  leave_place(peer);
  if (exchanged.error && exchanged.was_sent) flight->may_be_done = true;
  const bool is_down = exchanged.error ? !flight->is_over : exchanged.answer.status == service_unavailable;
  peer.avoid_until = is_down ? Clock::now() + avoidance : Clock::time_point();
  co_return exchanged;
}

/// Over a connection that is kept, or a new one.
asio::awaitable<Exchanged> Transport::exchange(Peer& peer, FlightPointer flight) {
  flight->connection = take_idle(peer);
  if (!flight->connection) {
    const error_code error = co_await connect(peer, flight);
    if (error) {
      Exchanged none = unreached(error, flight->connection->problem(error));
      co_return none;
    }
  }
  const std::shared_ptr<Connection> connection = flight->connection;
  Connection::HttpRequest request = http_request(peer, *flight);
  flight->is_sent = true;
  Exchanged exchanged = co_await connection->exchange(std::move(request));
  if (!exchanged.error) keep(peer, connection);
  co_return exchanged;
}

asio::awaitable<error_code> Transport::connect(Peer& peer, FlightPointer flight) {
  auto connection = std::make_shared<Connection>(io_, peer.endpoint.is_secure ? tls_.get() : nullptr);
  flight->connection = connection;
  asio::steady_timer limit(io_, options_.connect_timeout);
  auto is_late = std::make_shared<bool>(false);
  limit.async_wait([connection, is_late](error_code cancelled) {
    if (cancelled) return;
    *is_late = true;
    connection->close();
  });
  const error_code error = co_await connection->open(peer.endpoint, options_.verify_certificates);
  limit.cancel();
  co_return *is_late ? error_code(asio::error::timed_out) : error;
}

asio::awaitable<bool> Transport::take_place(Peer& peer, FlightPointer flight) {
  if (peer.open < options_.connections_per_endpoint) {
    ++peer.open;
    co_return true;
  }
  while (!peer.waiting.empty() && peer.waiting.front()->is_over) peer.waiting.pop_front();
  flight->has_a_place = false;
  flight->wake.expires_at(Clock::time_point::max());
  peer.waiting.push_back(flight);
  co_await flight->wake.async_wait(as_result);
  if (flight->has_a_place && flight->is_over) leave_place(peer);
  co_return flight->has_a_place && !flight->is_over;
}

void Transport::leave_place(Peer& peer) {
  while (!peer.waiting.empty()) {
    const FlightPointer next = std::move(peer.waiting.front());
    peer.waiting.pop_front();
    if (next->is_over) continue;
    next->has_a_place = true;
    next->wake.cancel();
    return;
  }
  --peer.open;
}

std::shared_ptr<Connection> Transport::take_idle(Peer& peer) {
  while (!peer.idle.empty()) {
    std::shared_ptr<Connection> connection = std::move(peer.idle.back());
    peer.idle.pop_back();
    if (connection->is_usable(Clock::now(), options_.idle_timeout)) return connection;
  }
  return nullptr;
}

void Transport::keep(Peer& peer, std::shared_ptr<Connection> connection) {
  const Clock::time_point now = Clock::now();
  if (!peer.idle.empty() && !peer.idle.front()->is_usable(now, options_.idle_timeout)) {
    peer.idle.erase(peer.idle.begin());
  }
  if (connection->is_usable(now, options_.idle_timeout)) peer.idle.push_back(std::move(connection));
}

Connection::HttpRequest Transport::http_request(const Peer& peer, const Flight& flight) const {
  const Request& request = flight.request;
  const auto left = std::chrono::ceil<milliseconds>(flight.deadline - Clock::now());
  std::string target = request.target;
  target += target.find('?') == std::string::npos ? "?timeout_ms=" : "&timeout_ms=";
  target += std::to_string(std::clamp(left, milliseconds(1), max_timeout).count());

  Connection::HttpRequest made(verb_of(request.method), target, 11);
  made.set(http::field::host, peer.endpoint.authority);
  made.set(http::field::user_agent, "concord-client/" + std::string(version));
  if (!request.token.empty()) made.set(http::field::authorization, "Bearer " + request.token);
  if (!flight.idempotency_key.empty()) made.set("Idempotency-Key", flight.idempotency_key);
  if (request.is_bytes || !request.body.empty()) {
    made.set(http::field::content_type, request.is_bytes ? "application/octet-stream" : "application/json");
  }
  made.body() = request.body;
  made.prepare_payload();
  return made;
}

}  // namespace concord::client
