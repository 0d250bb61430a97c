// Event streams of a client: the same as a node's, over connections that come and go.
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <concord/concord.hpp>

#include "client/event_decode.hpp"
#include "client/server_sent_events.hpp"
#include "database/local_database.hpp"
#include "database/testing_store.hpp"
#include "http/event_text.hpp"
#include "http/server.hpp"

namespace concord::client {
namespace {

using namespace std::chrono_literals;
using database::message;
using database::outcome;

/// A server over a database that may be replaced by another one at the same port.
class ClientEvents : public testing::Test {
 protected:
  ClientEvents() {
    Options options = directory_.options();
    options.event_stream.history = 500;
    auto opened = database::LocalDatabase::open_local(std::move(options));
    EXPECT_TRUE(opened) << message(opened);
    database_ = std::move(*opened);
    start_server(0);
    auto client = Client::connect({server_->url()});
    EXPECT_TRUE(client) << message(client);
    client_.emplace(std::move(*client));
  }
  ~ClientEvents() override {
    client_.reset();
    server_->stop(3s);
    database_->close(1s);
  }

  void start_server(std::uint16_t port) {
    auto server = http::Server::start(*database_, {.port = port, .threads = 1});
    ASSERT_TRUE(server) << message(server);
    server_ = std::move(*server);
  }
  /// All connections end.
  void restart_server() {
    const std::uint16_t port = server_->port();
    server_->stop(3s);
    server_.reset();
    start_server(port);
  }
  Subscription subscribe(const SubscribeOptions& options = {}) {
    auto subscription = client_->subscribe(options);
    EXPECT_TRUE(subscription) << message(subscription);
    return std::move(*subscription);
  }
  void put(const std::string& key, const Value& value) { ASSERT_TRUE(client_->put(key, value)); }

  database::StoreDirectory directory_;
  std::unique_ptr<database::LocalDatabase> database_;
  std::unique_ptr<http::Server> server_;
  std::optional<Client> client_;
};

Event next(Subscription& subscription) {
  auto event = subscription.next(20s);
  EXPECT_TRUE(event) << message(event);
  if (!event || !*event) {
    ADD_FAILURE() << "no event";
    return {};
  }
  return std::move(**event);
}

TEST_F(ClientEvents, ComeAsANodeTellsThem) {
  Subscription all = subscribe({.with_previous = true});
  put("k", 1);
  ASSERT_TRUE(client_->put("k", Value(Bytes("\xff\x00", 2)), {.ttl = 90s}));
  ASSERT_TRUE(client_->put_many({{.key = "a", .value = 1}, {.key = "b", .value = 2}}));
  ASSERT_TRUE(client_->del("k"));
  const Event first = next(all);
  EXPECT_EQ(first.type, EventType::put);
  EXPECT_EQ(first.revision, Revision(1));
  EXPECT_EQ(first.key(), "k");
  EXPECT_EQ(first.changes[0].value, Value(1));
  EXPECT_LT(std::chrono::system_clock::now() - first.timestamp, 1h);
  const Event second = next(all);
  EXPECT_EQ(second.changes[0].value, Value(Bytes("\xff\x00", 2)));
  EXPECT_EQ(second.changes[0].previous, Value(1));
  EXPECT_EQ(second.changes[0].ttl, 90s);
  const Event third = next(all);
  EXPECT_EQ(third.type, EventType::put_many);
  EXPECT_EQ(third.changes.size(), 2U);
  EXPECT_EQ(third.change_count, 2U);
  EXPECT_EQ(next(all).type, EventType::del);
  EXPECT_EQ(all.position(), Revision(4));
}

TEST_F(ClientEvents, GoOnBehindTheLastOneWhenTheConnectionBreaks) {
  Subscription all = subscribe({.prefix = "k"});
  for (int i = 1; i <= 10; ++i) put("k", i);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(next(all).revision, Revision(i));
  restart_server();
  for (int i = 11; i <= 20; ++i) put("k", i);
  restart_server();
  for (std::uint64_t i = 6; i <= 20; ++i) EXPECT_EQ(next(all).revision, Revision(i));
}

TEST_F(ClientEvents, ThatCameBeforeTheFirstOneAreNotLostEither) {
  Subscription all = subscribe();
  restart_server();
  put("k", 1);
  EXPECT_EQ(next(all).revision, Revision(1)) << "it began before, though it had seen nothing yet";
}

TEST_F(ClientEvents, AreRefusedAsByANode) {
  put("k", 1);
  EXPECT_EQ(outcome(client_->subscribe({.key_pattern = "("})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(client_->subscribe({.max_demand = 0})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(client_->subscribe({.after_revision = Revision(7)})), "INVALID_REQUEST");
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(database_->put("k", Value(i), {}));
  EXPECT_EQ(outcome(client_->subscribe({.after_revision = Revision(3)})), "COMPACTED");
}

TEST_F(ClientEvents, WaitForASlowReader) {
  Subscription slow = subscribe({.max_demand = 3, .after_revision = Revision(0)});
  for (int i = 1; i <= 300; ++i) ASSERT_TRUE(database_->put("k", Value(i), {}));
  for (std::uint64_t i = 1; i <= 300; ++i) ASSERT_EQ(next(slow).revision, Revision(i));
}

TEST_F(ClientEvents, EndWithTheirClient) {
  std::optional<Subscription> left(subscribe());
  std::promise<Errc> ended;
  Subscription called = subscribe();
  called.deliver([](const Event&) {}, [&](const Error& why) { ended.set_value(why.code()); });
  client_.reset();
  EXPECT_EQ(outcome(left->next(0ms)), "CLUSTER_UNAVAILABLE");
  EXPECT_EQ(ended.get_future().get(), Errc::cluster_not_ready);
}

TEST_F(ClientEvents, TellHowTheStreamIsDoing) {
  const Subscription all = subscribe();
  const auto stats = client_->event_stats();
  ASSERT_TRUE(stats) << message(stats);
  EXPECT_TRUE(stats->enabled);
  EXPECT_EQ(stats->subscribers, 1U);
}

TEST(EventDecode, UndoesWhatTheServerWrites) {
  const Event event{
      .type = EventType::txn,
      .revision = Revision(17),
      .timestamp = std::chrono::system_clock::time_point(1'770'091'506'789ms),
      .node = "n\"1",
      .change_count = 3,
      .changes = {
          {.op = EventType::put, .key = "\xff", .value = Value(nullptr), .previous = Value(Bytes("x")), .ttl = 5s},
          {.op = EventType::del, .key = "a/\"b\"", .value = {}, .previous = {}, .ttl = {}}}};
  std::string text;
  http::append_event_json(text, event);
  const auto decoded = event_of(text);
  ASSERT_TRUE(decoded) << message(decoded);
  EXPECT_EQ(decoded->type, event.type);
  EXPECT_EQ(decoded->revision, event.revision);
  EXPECT_EQ(decoded->timestamp, event.timestamp);
  EXPECT_EQ(decoded->node, event.node);
  ASSERT_EQ(decoded->changes.size(), 2U);
  EXPECT_EQ(decoded->changes[0].key, "\xff");
  EXPECT_EQ(decoded->changes[0].value, Value(nullptr));
  EXPECT_EQ(decoded->changes[0].previous, Value(Bytes("x")));
  EXPECT_EQ(decoded->changes[0].ttl, 5s);
  EXPECT_EQ(decoded->changes[1].op, EventType::del);
  EXPECT_EQ(decoded->changes[1].key, "a/\"b\"");
  EXPECT_FALSE(decoded->changes[1].value);
  EXPECT_FALSE(event_of("no json"));
  EXPECT_FALSE(event_of(R"({"type":"birthday"})"));
}

TEST(ServerSentEvents, AreTheSameInWhateverPiecesTheyCome) {
  const std::string bytes = ": revision 3\n\nid: 4\nevent: put\ndata: {\"a\": 1}\n\nevent: get\ndata: {}\n\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    ServerSentEvents events;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(events.add(std::string_view(bytes).substr(at, piece), [&](const ServerSentEvent& event) {
        seen.append(event.comment).append("|").append(event.id).append("|").append(event.event).append("|");
        seen.append(event.data).append("\n");
      }));
    }
    EXPECT_EQ(seen, "revision 3|||\n|4|put|{\"a\": 1}\n||get|{}\n") << "pieces of " << piece;
  }
}

}  // namespace
}  // namespace concord::client
