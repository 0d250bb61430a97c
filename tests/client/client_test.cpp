// What only a client has: endpoints that fail, connections that end, answers that never come.
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <concord/concord.hpp>

#include "database/local_database.hpp"
#include "database/testing_store.hpp"
#include "false_server.hpp"
#include "http/server.hpp"

namespace concord::client {
namespace {

using namespace std::chrono_literals;
using database::completed;
using database::message;
using database::outcome;
using testing::HasSubstr;

const std::string written = answer_of(200, R"({"status":"ok","revision":7})");
const std::string found = answer_of(200, R"({"status":"ok","data":{"value":12}})");
const std::string unavailable =
    answer_of(503, R"({"status":"error","error":{"code":"CLUSTER_UNAVAILABLE","message":"no leader is known"}})");

FalseAnswer silence(std::size_t) { return std::nullopt; }
FalseAnswer hangs_up(std::size_t) { return ""; }

/// Nobody listens there.
std::string dead_endpoint() {
  const FalseServer server(silence);
  return server.url();
}

Client connect(const std::vector<std::string>& endpoints, ClientOptions options = {}) {
  auto client = Client::connect(endpoints, std::move(options));
  EXPECT_TRUE(client) << message(client);
  return std::move(client.value());
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    auto opened = database::LocalDatabase::open_local(directory_.options());
    EXPECT_TRUE(opened) << message(opened);
    database_ = std::move(*opened);
    start();
  }
  ~ClientTest() override {
    stop();
    database_->close(1s);
  }
  void start(http::Settings settings = {}) {
    settings.port = port_;
    settings.threads = 1;
    auto server = http::Server::start(*database_, std::move(settings));
    ASSERT_TRUE(server) << message(server);
    server_ = std::move(*server);
    port_ = server_->port();
  }
  void stop() {
    if (server_) server_->stop(1s);
    server_.reset();
  }
  [[nodiscard]] std::string url() const { return server_->url(); }

  database::StoreDirectory directory_;
  std::unique_ptr<database::LocalDatabase> database_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(ClientTest, BadEndpointsAndOptionsAreRefused) {
  EXPECT_EQ(outcome(Client::connect({})), "INVALID_REQUEST");
  for (const char* endpoint : {"", "ftp://127.0.0.1", "http://a:b@host"}) {
    EXPECT_EQ(outcome(Client::connect({url(), endpoint})), "INVALID_REQUEST") << endpoint;
  }
  EXPECT_TRUE(Client::connect({"http://localhost", "http://[::1]:4000/", "HTTP://127.0.0.1:1"}));
  EXPECT_EQ(outcome(Client::connect({url()}, {.connections_per_endpoint = 0})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(Client::connect({url()}, {.max_in_flight = 0})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(Client::connect({url()}, {.rounds = 0})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(Client::connect({"https://127.0.0.1"}, {.cacert = "/no/such/file"})), "INVALID_REQUEST");
}

TEST_F(ClientTest, KeysMayBeAnyBytes) {
  Client client = connect({url()});
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  std::uint64_t count = 0;
  for (const std::string& key :
       {every_byte, std::string("\0", 1), std::string("."), std::string(".."), std::string("a/b?c#d%20 +&é"),
        std::string("bulk"), std::string("\x6e\xe9\x64"), std::string(1024, '\xff')}) {
    ASSERT_TRUE(client.put(key, Bytes(key), {.ttl = 500s})) << message(client.put(key, 1));
    EXPECT_EQ(client.get(key).value(), Value(Bytes(key)));
    EXPECT_EQ(client.get_entry(key).value().version, 1U);
    EXPECT_TRUE(client.touch(key, 900s));
    EXPECT_GT(client.ttl(key).value().value(), 500s);
    EXPECT_EQ(client.get_entries({key, "none"}).value().at(0).value().value, Value(Bytes(key)));
    const auto done = client.commit({.guards = {{.key = key, .exists = true}}, .then = {Operation::get(key)}});
    ASSERT_TRUE(done) << message(done);
    EXPECT_EQ(done->results.at(0).value, Value(Bytes(key)));
    EXPECT_EQ(client.keys().value().size(), ++count);
    EXPECT_EQ(client.get_all().value().count(key), 1U);
  }
  EXPECT_EQ(outcome(client.keys({.prefix = "\xff"})), "INVALID_REQUEST") << "JSON can't say it";
  EXPECT_TRUE(client.del(every_byte));
  EXPECT_EQ(outcome(client.get(every_byte)), "NOT_FOUND");
}

TEST_F(ClientTest, ADeadEndpointIsPassedBy) {
  Client client = connect({dead_endpoint(), url(), dead_endpoint()});
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.put("key", i));
    ASSERT_EQ(client.get<int>("key", {.consistency = ReadConsistency::eventual}).value(), i);
  }
}

TEST_F(ClientTest, EventualReadsGoRoundTheEndpointsAndOthersStay) {
  const auto gives = [](std::size_t) { return found; };
  FalseServer one(gives);
  FalseServer other(gives);
  Client client = connect({one.url(), other.url()});
  for (int i = 0; i < 10; ++i) ASSERT_EQ(client.get<int>("key").value(), 12);
  EXPECT_EQ(one.requests().size(), 10U);
  EXPECT_TRUE(other.requests().empty());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.get("key", {.consistency = ReadConsistency::eventual}));
  EXPECT_EQ(one.requests().size(), 15U);
  EXPECT_EQ(other.requests().size(), 5U);
  EXPECT_THAT(other.requests().back(), HasSubstr("consistency=eventual"));
}

TEST_F(ClientTest, AConnectionTheServerClosedIsNotUsedAgain) {
  stop();
  start({.idle_timeout = 20ms});
  Client client = connect({url()}, {.rounds = 1, .repeat_unknown_writes = false});
  for (int i = 1; i <= 10; ++i) {
    const auto put = client.put("key", i);
    ASSERT_TRUE(put) << message(put);
    EXPECT_EQ(*put, Revision(static_cast<std::uint64_t>(i)));
    std::this_thread::sleep_for(60ms);
  }
}

TEST_F(ClientTest, AServerThatComesBackIsUsedAgain) {
  Client client = connect({url()}, {.rounds = 2});
  ASSERT_TRUE(client.put("key", 1));
  stop();
  const auto refused = client.put("key", 2);
  EXPECT_EQ(outcome(refused), "CLUSTER_UNAVAILABLE");
  EXPECT_FALSE(refused.error().maybe_committed());
  EXPECT_TRUE(refused.error().retryable());
  EXPECT_THAT(message(refused), HasSubstr("http://127.0.0.1:" + std::to_string(port_)));
  start();
  EXPECT_EQ(client.get<int>("key").value(), 1);
  EXPECT_EQ(client.put("key", 2).value(), Revision(2));
}

TEST_F(ClientTest, AWriteWhoseAnswerIsLostIsSentOnceAndItsOutcomeIsUnknown) {
  FalseServer server(hangs_up);
  Client client = connect({server.url(), url()}, {.repeat_unknown_writes = false});
  const auto put = client.put("key", 1);
  EXPECT_EQ(outcome(put), "TIMEOUT");
  EXPECT_TRUE(put.error().maybe_committed());
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(outcome(client.get("key")), "NOT_FOUND") << "it went nowhere else";
}

TEST_F(ClientTest, AWriteThatANodeCanRecogniseIsSentAgain) {
  FalseServer server([](std::size_t number) { return number < 2 ? FalseAnswer("") : FalseAnswer(written); });
  Client client = connect({server.url()}, {.repeat_unknown_writes = true});
  EXPECT_EQ(client.put("key", 1).value(), Revision(7));
  EXPECT_EQ(client.put("key", 1).value(), Revision(7));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4U);
  const auto key_of = [](const std::string& request) {
    const std::size_t at = request.find("Idempotency-Key: ");
    return at == std::string::npos ? "none" : request.substr(at, request.find("\r\n", at) - at);
  };
  EXPECT_NE(key_of(requests[0]), "none");
  EXPECT_EQ(key_of(requests[1]), key_of(requests[0]));
  EXPECT_EQ(key_of(requests[2]), key_of(requests[0]));
  EXPECT_NE(key_of(requests[3]), key_of(requests[0])) << "another write";
}

TEST_F(ClientTest, AReadWhoseAnswerIsLostIsAskedAgain) {
  FalseServer server([](std::size_t number) { return number == 0 ? FalseAnswer("") : FalseAnswer(found); });
  Client client = connect({server.url()});
  EXPECT_EQ(client.get<int>("key").value(), 12);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(ClientTest, WhatWasRefusedIsTriedElsewhere) {
  for (const std::string& refusal :
       {unavailable,
        answer_of(429, R"({"status":"error","error":{"code":"TOO_MANY_REQUESTS","message":"too many"}})")}) {
    FalseServer server([&](std::size_t) { return refusal; });
    Client client = connect({server.url(), url()}, {.repeat_unknown_writes = false});
    EXPECT_TRUE(client.put("key", 1));
    EXPECT_TRUE(client.get("key"));
    EXPECT_EQ(server.requests().size(), 1U) << "and it stays there";
  }
  FalseServer server([](std::size_t) { return unavailable; });
  Client client = connect({server.url()}, {.rounds = 2});
  const auto put = client.put("key", 1);
  EXPECT_EQ(outcome(put), "CLUSTER_UNAVAILABLE");
  EXPECT_EQ(message(put), "no leader is known");
  EXPECT_FALSE(put.error().maybe_committed());
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(ClientTest, WhoGetsNoAnswerInTimeIsToldSo) {
  FalseServer server(silence);
  Client client = connect({server.url()});
  const auto put = client.put("key", 1, {.timeout = 50ms});
  EXPECT_EQ(outcome(put), "TIMEOUT");
  EXPECT_TRUE(put.error().maybe_committed());
  const auto get = client.get("key", {.timeout = 50ms});
  EXPECT_EQ(outcome(get), "TIMEOUT");
  EXPECT_FALSE(get.error().maybe_committed());
  const auto never_sent = client.put("key", 1, {.timeout = 0ms});
  EXPECT_EQ(outcome(never_sent), "TIMEOUT");
  EXPECT_FALSE(never_sent.error().maybe_committed());
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(ClientTest, WhatIsNoNodeIsNotBelieved) {
  for (const std::string& said : {answer_of(200, "<html>"), answer_of(404, "nothing here"), answer_of(200, "{}"),
                                  answer_of(200, R"({"status":"ok","data":{}})"), std::string("SSH-2.0-OpenSSH\r\n")}) {
    FalseServer server([&](std::size_t) { return said; });
    Client client = connect({server.url()}, {.rounds = 1});
    const auto get = client.get("key");
    EXPECT_TRUE(outcome(get) == "INTERNAL" || outcome(get) == "CLUSTER_UNAVAILABLE") << said << outcome(get);
  }
}

TEST_F(ClientTest, TheTokenOfTheCallGoesBeforeThatOfTheClient) {
  FalseServer server([](std::size_t) { return found; });
  Client client = connect({server.url()}, {.token = "sk_concord_client"});
  EXPECT_TRUE(client.get("key"));
  EXPECT_TRUE(client.get("key", {.token = "sk_concord_call"}));
  EXPECT_EQ(outcome(client.get("key", {.token = "a\r\nX-Evil: 1"})), "INVALID_REQUEST");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_THAT(requests[0], HasSubstr("Authorization: Bearer sk_concord_client\r\n"));
  EXPECT_THAT(requests[1], HasSubstr("Authorization: Bearer sk_concord_call\r\n"));
}

TEST_F(ClientTest, ManyThreadsShareIt) {
  Client client = connect({url()}, {.connections_per_endpoint = 4});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto done = client.update("counter", [](std::optional<int> counter) { return counter.value_or(0) + 1; },
                                        {.timeout = 60s});
        ASSERT_TRUE(done) << message(done);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(client.get<int>("counter").value(), 200);
}

TEST_F(ClientTest, ManyAreInFlightAtOnce) {
  constexpr int count = 3000;
  Client client = connect({url()});
  std::latch all(count);
  std::atomic<int> failed{0};
  for (int i = 0; i < count; ++i) {
    client.async_put("key" + std::to_string(i), i, {.timeout = 60s}, [&](Result<Revision> done) {
      if (!done) ++failed;
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(client.count({.prefix = "key"}).value(), static_cast<std::uint64_t>(count));
  EXPECT_EQ(client.keys({.prefix = "key"}).value().size(), static_cast<std::size_t>(count)) << "several pages";
}

TEST_F(ClientTest, MoreThanTheLimitInFlightIsOverloaded) {
  FalseServer server(silence);
  Client client = connect({server.url()}, {.connections_per_endpoint = 2, .max_in_flight = 5});
  std::latch all(5);
  std::atomic<int> timeouts{0};
  for (int i = 0; i < 5; ++i) {
    client.async_put("key", i, {.timeout = 200ms}, [&](Result<Revision> done) {
      if (outcome(done) == "TIMEOUT") ++timeouts;
      all.count_down();
    });
  }
  const auto refused = client.put("key", 1);
  EXPECT_EQ(outcome(refused), "TOO_MANY_REQUESTS");
  EXPECT_FALSE(refused.error().maybe_committed());
  all.wait();
  EXPECT_EQ(timeouts, 5) << "those that waited for a connection too";
  EXPECT_EQ(outcome(client.get("key", {.timeout = 20ms})), "TIMEOUT") << "there is room again";
}

TEST_F(ClientTest, ACompletionMayMakeCallsThatWait) {
  Client client = connect({url()});
  const auto read = completed<int>([&](Completion<int> done) {
    client.async_put("key", 5, {},
                     [&, done = std::move(done)](Result<Revision>) mutable { done(client.get<int>("key")); });
  });
  EXPECT_EQ(read.value(), 5);
}

TEST_F(ClientTest, TheDestructorWaitsForCompletions) {
  std::atomic<int> done{0};
  {
    Client client = connect({url()});
    for (int i = 0; i < 200; ++i) {
      client.async_update(
          "key", [](std::optional<int> n) { return n.value_or(0) + 1; }, {}, [&](Result<Updated>) { ++done; });
      client.async_where({}, {}, [&](Result<Rows<Item>>) { ++done; });
    }
  }
  EXPECT_EQ(done, 400);
}

TEST_F(ClientTest, TheDestructorGivesUpOnWhoeverNeverAnswers) {
  FalseServer server(silence);
  std::optional<Result<Revision>> told;
  {
    Client client = connect({server.url()});
    client.async_put("key", 1, {.timeout = 1h}, [&](Result<Revision> done) { told = std::move(done); });
  }
  ASSERT_TRUE(told) << "exactly once, before it returned";
  EXPECT_EQ(outcome(*told), "TIMEOUT");
  EXPECT_TRUE(told->error().maybe_committed());
}

TEST_F(ClientTest, ACompletionMayEndTheClient) {
  auto client = std::make_unique<Client>(connect({url()}));
  const auto done = completed<Revision>([&](Completion<Revision> told) {
    client->async_put("key", 1, {}, [&, told = std::move(told)](Result<Revision> put) mutable {
      client.reset();
      told(std::move(put));
    });
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(client, nullptr);
}

TEST_F(ClientTest, TheExecutorRunsCompletions) {
  std::mutex mutex;
  std::vector<std::move_only_function<void()>> tasks;
  std::latch handed_over(1);
  bool was_told = false;
  {
    Client client = connect({url()}, {.executor = [&](std::move_only_function<void()> task) {
                              const std::lock_guard lock(mutex);
                              tasks.push_back(std::move(task));
                              handed_over.count_down();
                            }});
    client.async_put("key", 1, {}, [&](Result<Revision>) { was_told = true; });
    handed_over.wait();
  }
  EXPECT_FALSE(was_told);
  ASSERT_EQ(tasks.size(), 1U);
  tasks.front()();
  EXPECT_TRUE(was_told) << "also when the client has gone";
}

TEST_F(ClientTest, StatusTellsOfTheNodeThatAnswered) {
  Client client = connect({url()});
  EXPECT_TRUE(client.put("key", 1));
  const Status status = client.status().value();
  const Status own = database_->status().value();
  EXPECT_EQ(status.node, own.node);
  EXPECT_EQ(status.version, own.version);
  EXPECT_EQ(status.cluster.id, own.cluster.id);
  EXPECT_EQ(status.cluster.state, NodeState::leader);
  EXPECT_EQ(status.cluster.leader, own.cluster.leader);
  ASSERT_EQ(status.cluster.members.size(), 1U);
  EXPECT_EQ(status.cluster.members.at(0).id, own.cluster.members.at(0).id);
  EXPECT_EQ(status.storage.size, 1U);
  EXPECT_EQ(status.storage.revision, Revision(1));
  EXPECT_TRUE(status.storage.writable);
}

}  // namespace
}  // namespace concord::client
