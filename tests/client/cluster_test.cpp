// The cluster group of a remote client, against a member of a cluster in this process.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

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
using database::message;
using database::outcome;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto patience = 60s;

class ClusterClientTest : public testing::Test {
 protected:
  void open(Options options) {
    auto opened = database::LocalDatabase::open_local(std::move(options));
    ASSERT_TRUE(opened) << message(opened);
    database_ = std::move(*opened);
    auto server = http::Server::start(*database_, {.port = 0, .threads = 1});
    ASSERT_TRUE(server) << message(server);
    server_ = std::move(*server);
    auto client = Client::connect({server_->url()});
    ASSERT_TRUE(client) << message(client);
    client_ = std::make_unique<Client>(std::move(*client));
  }
  void open_member() {
    Options options = directory_.options();
    options.name = "n1";
    options.cluster.cookie = "a secret";
    options.cluster.peer_port = 0;
    open(std::move(options));
  }
  ~ClusterClientTest() override {
    client_.reset();
    if (server_) server_->stop(1s);
    if (database_) database_->close(1s);
  }

  database::StoreDirectory directory_;
  std::unique_ptr<database::LocalDatabase> database_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClusterClientTest, MembersAreAddedSeenAndRemoved) {
  ASSERT_NO_FATAL_FAILURE(open_member());
  const auto ready = client_->wait_ready(patience);
  ASSERT_TRUE(ready) << message(ready);
  const std::string odd = "n/2 %\"";
  for (const std::string& name : {std::string("n2"), odd}) {
    const auto added = client_->add_member(name, "127.0.0.1:19");
    ASSERT_TRUE(added) << message(added);
    EXPECT_EQ(outcome(client_->add_member(name, "127.0.0.1:20")), "ALREADY_EXISTS");
  }
  const auto members = client_->members();
  ASSERT_TRUE(members) << message(members);
  ASSERT_THAT(*members, SizeIs(3));
  for (const MemberStatus& member : *members) EXPECT_EQ(member.voter, member.name == "n1") << member.name;
  EXPECT_EQ(outcome(client_->promote("nobody")), "NOT_FOUND");
  for (const std::string& name : {std::string("n2"), odd}) {
    const auto removed = client_->remove_member(name);
    ASSERT_TRUE(removed) << message(removed);
    EXPECT_EQ(outcome(client_->remove_member(name)), "NOT_FOUND");
  }
  EXPECT_THAT(client_->members().value(), SizeIs(1));
}

TEST_F(ClusterClientTest, LeadershipStaysWhereNobodyElseCouldLead) {
  ASSERT_NO_FATAL_FAILURE(open_member());
  ASSERT_TRUE(client_->wait_ready(patience));
  EXPECT_EQ(outcome(client_->transfer_leadership()), "CONDITION_FAILED");
  EXPECT_EQ(outcome(client_->transfer_leadership("nobody")), "NOT_FOUND");
  EXPECT_EQ(outcome(client_->transfer_leadership("n1")), "OK");
}

TEST_F(ClusterClientTest, ASnapshotIsTakenWhenItIsAskedFor) {
  ASSERT_NO_FATAL_FAILURE(open_member());
  ASSERT_TRUE(client_->wait_ready(patience));
  ASSERT_TRUE(client_->put("k", 1));
  const std::uint64_t before = client_->status().value().storage.snapshot_index;
  ASSERT_TRUE(client_->trigger_snapshot());
  const auto end = std::chrono::steady_clock::now() + patience;
  while (client_->status().value().storage.snapshot_index == before) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "no snapshot came";
    std::this_thread::sleep_for(5ms);
  }
}

TEST_F(ClusterClientTest, WhatNoMemberCanBeCalledIsRefusedBeforeItIsSent) {
  auto client = Client::connect({"127.0.0.1:1"});
  ASSERT_TRUE(client);
  for (const std::string& name : {std::string(), std::string(256, 'n'), std::string("\xff")}) {
    EXPECT_EQ(outcome(client->add_member(name, "127.0.0.1:19")), "INVALID_REQUEST");
    EXPECT_EQ(outcome(client->remove_member(name)), "INVALID_REQUEST");
    EXPECT_EQ(outcome(client->promote(name)), "INVALID_REQUEST");
  }
  EXPECT_EQ(outcome(client->add_member("n2", "\xff:19")), "INVALID_REQUEST");
}

TEST_F(ClusterClientTest, WaitingForReadinessEndsWithWhatIsMissing) {
  const FalseServer never([](std::size_t) -> FalseAnswer {
    return answer_of(503,
                     R"({"status":"error","error":{"code":"CLUSTER_UNAVAILABLE","message":"no leader is known"}})");
  });
  auto waiting = Client::connect({never.url()});
  ASSERT_TRUE(waiting);
  const auto ready = waiting->wait_ready(300ms);
  EXPECT_EQ(outcome(ready), "CLUSTER_UNAVAILABLE");
  EXPECT_THAT(message(ready), HasSubstr("not ready after 300 ms: "));
  EXPECT_THAT(message(ready), HasSubstr("no leader is known"));
}

TEST_F(ClusterClientTest, WaitingForReadinessEndsWhenANodeIsReady) {
  const FalseServer later([](std::size_t request) -> FalseAnswer {
    if (request < 8) {
      return answer_of(503,
                       R"({"status":"error","error":{"code":"CLUSTER_UNAVAILABLE","message":"no leader is known"}})");
    }
    return answer_of(200, R"({"status":"ok"})");
  });
  auto client = Client::connect({later.url()});
  ASSERT_TRUE(client);
  const auto ready = client->wait_ready(patience);
  EXPECT_TRUE(ready) << message(ready);
}

}  // namespace
}  // namespace concord::client
