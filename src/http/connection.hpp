// One client connection: reads, parses, dispatches, writes, all on its worker's thread.
//
// States, by what is waited for; at most one asynchronous operation is under way:
//
//   reading    for input: idle (between requests), inside a request, or inside the handshake of TLS
//   awaiting   for the outcome of a submitted transaction, or for the next turn of long work; nothing is read meanwhile
//   writing    for the client to take output; nothing is read meanwhile, so a client that does not read is not served
//   feeding    an answer goes on as long as its source has something (feed.hpp); what the client sends meanwhile is the feed's, which as
//              a rule throws it away: it is read only to see the client leave
//   lingering  the last response is out and our side is shut; input is thrown away until the client closes, because closing
//              a socket with unread input resets the connection and may take the response from the client
//
// Invariant: the connection is in its worker's list exactly while it is open.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "http/call.hpp"
#include "http/feed.hpp"
#include "http/request_parser.hpp"
#include "http/shared.hpp"
#include "http/worker.hpp"
#include "security/tls_session.hpp"

namespace concord::http {

class Connection final : public std::enable_shared_from_this<Connection>, private Submitter {
 public:
  Connection(boost::asio::ip::tcp::socket socket, Shared& shared, Worker& worker, std::size_t position_in_worker);
  ~Connection();
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  static constexpr std::size_t no_position = ~std::size_t{0};
  std::size_t position;  ///< kept by the worker

  void start();
  /// The server stops: closes now when idle, else after the request being served.
  void drain();
  void close() noexcept;
  void meet_deadline();
  [[nodiscard]] bool is_in_handshake() const noexcept { return is_in_handshake_; }
  /// The outcome of the submitted transaction.
  void receive(Result<command::Outcome> outcome);

 private:
  void await(Start start, Continuation continuation) override;
  void work(Step step) override;
  void stream(std::unique_ptr<Feed> feed) override { feed_ = std::move(feed); }
  void go_on_with_work();
  [[nodiscard]] bool run_step();
  static void complete(std::shared_ptr<Connection> self, Result<command::Outcome> outcome);

  void advance();
  void process_input();
  void handle_request();
  void run_continuation(Result<command::Outcome> outcome);
  void respond();
  void note_arrival();
  void note_answer();
  void audit();
  void audit_unanswered(const Result<command::Outcome>& outcome);
  void begin_span(observe::Tracer& tracer);
  void end_span();
  void record_access() const;
  void refuse_and_close(const Problem& problem);
  void choose_request_id();
  void fail_internally(const char* what);

  // an answer that goes on (connection_feed.cpp)
  void begin_feed();
  void pump_feed();
  void wait_for_feed();
  void end_feed(const Error& why);
  void check_feed();
  void take_for_feed(std::string_view input);

  void read();
  void read_sealed();
  void on_sealed(std::string_view bytes);
  [[nodiscard]] std::size_t unseal();
  void end_handshake() noexcept;
  void say_goodbye() noexcept;
  [[nodiscard]] bool take_output();
  void on_read(std::size_t size_bytes);
  void flush();
  void on_written(std::size_t size_bytes);
  [[nodiscard]] std::string_view unsent() const noexcept;
  void linger();
  void arm_deadline();
  [[nodiscard]] std::string_view input() const noexcept { return {in_.data() + in_begin_, in_end_ - in_begin_}; }

  boost::asio::ip::tcp::socket socket_;
  Shared& shared_;
  Worker& worker_;
  RequestParser parser_;
  Call call_;
  std::string request_id_;
  std::chrono::steady_clock::time_point received_at_;  ///< for the access log; zero: not logged
  observe::TickClock::Ticks arrived_ = 0;              ///< for the metrics

  std::optional<security::TlsSession> tls_;  ///< what is read and sent goes through it
  bool is_in_handshake_ = false;

  std::string in_;  ///< received and not yet parsed: [in_begin_, in_end_)
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string out_;                  ///< responses not yet being sent
  std::string_view out_static_;      ///< follows `out_`; no request is handled before it is being sent
  std::string sending_;              ///< being sent
  std::string_view sending_static_;  ///< sent after `sending_`
  std::size_t sent_ = 0;             ///< of `sending_` and `sending_static_`

  Continuation continuation_;
  std::unique_ptr<Feed> feed_;  ///< of the answer that goes on; null: there is none
  std::string fed_;             ///< what came of it last
  bool feeds_in_chunks_ = true;
  Worker::Tick sign_of_life_at_ = 0;                        ///< of the feed
  Step step_;                                               ///< of long work under way
  std::optional<Result<command::Outcome>> inline_outcome_;  ///< came while `submit` was still running
  Worker::Tick request_deadline_ = 0;                       ///< of the request being read, or of the handshake
  bool open_ = true;
  bool parsing_ = false;  ///< a request has begun and is not complete
  bool needs_input_ = true;
  bool reading_ = false;
  bool writing_ = false;
  bool awaiting_ = false;
  bool submitting_ = false;  ///< inside Database::submit
  bool closing_ = false;     ///< after what stands in `out_`
  bool lingering_ = false;
};

}  // namespace concord::http
