// What a handler gets: the request, taken apart as its route says, and the ways to answer.
//
// A handler fills `reply`, or calls `refuse`, or `submit`s a transaction and answers in its continuation, or gives long `work` to
// do, or a feed to `stream`. When it returns without one of these, the reply is sent. Everything runs on the connection's thread, the continuation too.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "acl/access.hpp"
#include "command/transaction.hpp"
#include "database/database.hpp"
#include "http/auditing.hpp"
#include "http/error_status.hpp"
#include "http/feed.hpp"
#include "http/reply.hpp"
#include "http/request.hpp"
#include "http/target.hpp"
#include "observe/call.hpp"
#include "security/rate_limits.hpp"

namespace concord::http {

class Call;
class OpenapiDocument;

/// Runs once, on the connection's thread, with what came of a submitted transaction.
using Continuation = std::move_only_function<void(Call&, Result<command::Outcome>)>;

/// Begins something that ends later: it is given what to call with the outcome, once, on any thread.
using Start = std::move_only_function<void(Completion<command::Outcome>)>;

/// A part of a long piece of work, below 1 ms; true when all is done. Runs on the connection's thread.
using Step = std::move_only_function<bool(Call&)>;

/// Implemented by the connection.
class Submitter {
 public:
  virtual void work(Step step) = 0;
  virtual void await(Start start, Continuation continuation) = 0;
  virtual void stream(std::unique_ptr<Feed> feed) = 0;

 protected:
  Submitter() = default;
  ~Submitter() = default;
  Submitter(const Submitter&) = default;
  Submitter& operator=(const Submitter&) = default;
};

/// Who is at the other end of a connection.
struct Caller {
  security::Address address{};
  command::TokenId proved = {};  ///< a token by which this connection was let in before; 0: none
};

/// What all calls of a server share.
struct Site {
  database::Database& database;
  security::RateLimits& rate_limits;
  audit::Log* audit = nullptr;            ///< whom they tell of what they did; null: nobody
  observe::Observer* observer = nullptr;  ///< whom requests tell of themselves; null: nobody
  std::string api_url = {};               ///< of this server
  OpenapiDocument* openapi = nullptr;     ///< of /api/v1/openapi.json; always there in a server
};

class Call {
 public:
  Call(Site& shared, Submitter& submitter) noexcept : site(shared), submitter_(submitter) {}

  Site& site;
  Caller caller;
  acl::Access access;  ///< in whose name it is made, once it was admitted (admission.hpp)
  Request request;
  Query query;
  std::string key;  ///< the `{key}` of the path, decoded; empty for other routes
  std::chrono::milliseconds timeout{5000};
  ReadConsistency consistency = ReadConsistency::leader;
  std::string once_scope;             ///< whose names those of `once` are: the token's
  std::optional<command::Once> once;  ///< of a write with an Idempotency-Key; views the request
  Reply reply;
  std::size_t route = observe::HttpMetrics::no_route;    ///< its position in the table, once it was admitted
  std::size_t matched = observe::HttpMetrics::no_route;  ///< the same from the beginning
  audit::Room room;                                      ///< in the audit log, of a call that is recorded
  AuditNotes notes;
  bool is_recorded = false;                ///< by its handler
  std::optional<observe::Call> operation;  ///< of the API, while it is under way and somebody watches
  std::unique_ptr<observe::Span> span;     ///< of the request; null: nothing is traced

  void refuse(const Problem& problem) {
    reply.clear();
    reply.set_problem(problem);
  }

  /// Runs `step` until it is done, with the thread's other connections served in between; then the reply is sent.
  void work(Step step) { submitter_.work(std::move(step)); }

  /// Answers with what `feed` gives, behind a head of status 200 made from `reply`.
  void stream(std::unique_ptr<Feed> feed) { submitter_.stream(std::move(feed)); }

  /// The views in `transaction` need to live only until this returns. At most once a call.
  void submit(const command::Transaction& transaction, Continuation continuation) {
    if (room) note_transaction(notes, transaction, site.database);
    submitter_.await(
        [&](Completion<command::Outcome> done) {
          site.database.submit(transaction, once ? &*once : nullptr, access, timeout, std::move(done));
        },
        std::move(continuation));
  }

  /// Goes on in `continuation` when what `start` begins has ended; `start` runs inside this call. The continuation may submit, work
  /// or await again.
  void await(Start start, Continuation continuation) { submitter_.await(std::move(start), std::move(continuation)); }

 private:
  Submitter& submitter_;
};

}  // namespace concord::http
