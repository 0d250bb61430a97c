// Events over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "http/event_text.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Settings hasty() {
  Settings settings;
  settings.sign_of_life_interval = milliseconds(20);
  settings.idle_timeout = milliseconds(400);
  return settings;
}

/// One open stream.
class Stream {
 public:
  Stream(std::uint16_t port, const std::string& query = {}, const std::string& fields = {}) : client_(port) {
    client_.send(request_text("GET", "/api/v1/events" + query, {}, fields));
    const auto head = client_.receive(true);
    if (head) response = *head;
  }
  /// The next event's lines; comments are passed over.
  std::string next() {
    for (;;) {
      const auto block = client_.receive_block();
      if (!block) return "the end";
      if (!block->starts_with(':')) return *block;
    }
  }
  std::string next_comment() { return client_.receive_block().value_or("the end"); }
  bool is_ended() { return client_.is_ended(); }
  TestingClient& client() { return client_; }

  TestingResponse response;

 private:
  TestingClient client_;
};

class EventsApi : public NodeApi {
 protected:
  EventsApi() : NodeApi(hasty()) {}
  void put(const std::string& key, const std::string& value) {
    EXPECT_EQ(call("PUT", "/api/v1/kv/" + key, R"({"value":)" + value + "}").status, 200);
  }
};

TEST_F(EventsApi, ChangesComeAsServerSentEvents) {
  Stream stream(server_->port());
  EXPECT_EQ(stream.response.status, 200);
  EXPECT_EQ(stream.response.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(stream.response.header("Transfer-Encoding"), "chunked");
  EXPECT_FALSE(stream.response.header("X-Request-Id").empty());
  EXPECT_EQ(stream.next_comment(), ": revision 0");
  put("user", R"({"name":"Ada"})");
  const std::string event = stream.next();
  EXPECT_THAT(event, StartsWith("id: 1\nevent: put\ndata: {\"type\":\"put\",\"timestamp\":\"2"));
  EXPECT_THAT(event, HasSubstr(R"("revision":1,"metadata":{},"key":"user","value":{"name":"Ada"}})"));
  EXPECT_THAT(event, HasSubstr(R"("node":"node1@127.0.0.1")"));
  EXPECT_EQ(call("POST", "/api/v1/kv/user/touch", R"({"ttl":60})").status, 200);
  EXPECT_THAT(stream.next(), HasSubstr(R"("metadata":{"ttl":60},"key":"user"})"));
  EXPECT_EQ(call("DELETE", "/api/v1/kv/user").status, 200);
  EXPECT_THAT(stream.next(), StartsWith("id: 3\nevent: delete\n"));
  EXPECT_EQ(
      call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"a","value":1},{"key":"b","value":2,"ttl":9}]})").status,
      200);
  EXPECT_THAT(stream.next(),
              HasSubstr(R"("metadata":{"count":2},"keys":["a","b"],"changes":[{"op":"put","key":"a","value":1},)"
                        R"({"op":"put","key":"b","value":2,"ttl":9}]})"));
}

TEST_F(EventsApi, AFilterShowsWhatMatches) {
  Stream users(server_->port(), "?key_pattern=%5Euser:");
  Stream deletes(server_->port(), "?event_types=delete,delete_many&previous");
  Stream keys(server_->port(), "?prefix=order:&keys_only=true");
  put("user:1", "1");
  put("order:1", "2");
  EXPECT_EQ(
      call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"user:2","value":1},{"key":"x","value":2}]})").status,
      200);
  EXPECT_EQ(call("DELETE", "/api/v1/kv/order:1").status, 200);
  EXPECT_THAT(users.next(), StartsWith("id: 1\n"));
  const std::string part = users.next();
  EXPECT_THAT(part, StartsWith("id: 3\nevent: put_many\n"));
  EXPECT_THAT(
      part,
      HasSubstr(R"("key":"user:2","value":1,"keys":["user:2"],"changes":[{"op":"put","key":"user:2","value":1}]})"));
  EXPECT_THAT(deletes.next(), HasSubstr(R"("key":"order:1","previous":2})"));
  const std::string lean = keys.next();
  EXPECT_THAT(lean, StartsWith("id: 2\n"));
  EXPECT_THAT(lean, Not(HasSubstr("\"value\"")));
}

TEST_F(EventsApi, ResumesBehindTheLastEventThatWasSeen) {
  for (int i = 1; i <= 20; ++i) put("k", std::to_string(i));
  for (int after = 0; after < 20; ++after) {
    Stream by_query(server_->port(), "?after_revision=" + std::to_string(after));
    Stream by_header(server_->port(), "?after_revision=3", "Last-Event-ID: " + std::to_string(after) + "\r\n");
    for (int revision = after + 1; revision <= 20; ++revision) {
      const std::string id = "id: " + std::to_string(revision) + "\n";
      ASSERT_THAT(by_query.next(), StartsWith(id));
      ASSERT_THAT(by_header.next(), StartsWith(id));
    }
  }
}

TEST_F(EventsApi, BadRequestsAreRefusedBeforeAnythingIsSent) {
  put("k", "1");
  expect_error(call("GET", "/api/v1/events?key_pattern=("), 400, "INVALID_REQUEST", "key_pattern");
  expect_error(call("GET", "/api/v1/events?event_types=put,birthday"), 400, "INVALID_REQUEST", "birthday");
  expect_error(call("GET", "/api/v1/events?event_types="), 400, "INVALID_REQUEST", "event_types");
  expect_error(call("GET", "/api/v1/events?after_revision=2"), 400, "INVALID_REQUEST", "still to come");
  expect_error(call("GET", "/api/v1/events?after_revision=-1"), 400, "INVALID_REQUEST", "after_revision");
  expect_error(call("GET", "/api/v1/events?after_revision=99999999999999999999"), 400, "INVALID_REQUEST",
               "after_revision");
  expect_error(call("GET", "/api/v1/events?max_demand=0"), 400, "INVALID_REQUEST", "max_demand");
  expect_error(call("GET", "/api/v1/events?colour=red"), 400, "INVALID_REQUEST", "colour");
  expect_error(call("GET", "/api/v1/events", {}, "Last-Event-ID: yesterday\r\n"), 400, "INVALID_REQUEST",
               "Last-Event-ID");
  expect_error(call("POST", "/api/v1/events", "{}"), 405, "METHOD_NOT_ALLOWED");
  const TestingResponse head = call("HEAD", "/api/v1/events");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(call("GET", "/api/v1/kv/k").status, 200) << "the connection goes on";
}

TEST_F(EventsApi, AQuietStreamShowsThatItLivesAndHowFarItIs) {
  Stream stream(server_->port(), "?prefix=none");
  EXPECT_EQ(stream.next_comment(), ": revision 0");
  EXPECT_THAT(stream.next_comment(), StartsWith(": revision"));
  put("k", "1");
  std::string comment;
  for (int i = 0; i < 200 && comment != ": revision 1"; ++i) comment = stream.next_comment();
  EXPECT_EQ(comment, ": revision 1") << "who resumes there misses nothing";
}

TEST_F(EventsApi, TheServerEndsAStreamAndSaysWhy) {
  Stream stream(server_->port());
  stream.next_comment();
  database_->finish_subscriptions({}, Error(Errc::forbidden, "the token was revoked"));
  EXPECT_EQ(stream.next(), "event: end\ndata: {\"code\":\"FORBIDDEN\",\"message\":\"the token was revoked\"}");
  EXPECT_EQ(stream.next(), "the end");
  EXPECT_TRUE(stream.is_ended());
  Stream other(server_->port());
  other.next_comment();
  server_->stop(std::chrono::seconds(5));
  EXPECT_THAT(other.next(), HasSubstr("CLUSTER_UNAVAILABLE"));
}

TEST_F(EventsApi, AClientThatLeavesIsForgotten) {
  {
    Stream stream(server_->port());
    stream.next_comment();
    EXPECT_EQ(database_->event_stats().subscribers, 1U);
  }
  for (int i = 0; i < 1000 && database_->event_stats().subscribers > 0; ++i)
    std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(database_->event_stats().subscribers, 0U);
}

TEST_F(EventsApi, AClientThatDoesNotReadIsCutOffAndCostsLittle) {
  Stream silent(server_->port(), "?max_demand=4");
  const std::string text = '"' + std::string(200'000, 'x') + '"';
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(database_->put("k", Value(text), {.compress = false}));
  for (int i = 0; i < 1000 && database_->event_stats().subscribers > 0; ++i) {
    EXPECT_LE(database_->event_stats().queue_size, 4U);
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(database_->event_stats().subscribers, 0U);
}

TEST_F(EventsApi, ManyEventsArriveWholeAndInOrder) {
  Stream stream(server_->port());
  constexpr int count = 5000;
  std::thread writer([&] {
    for (int i = 1; i <= count; ++i) ASSERT_TRUE(database_->put("k" + std::to_string(i % 7), Value(i), {}));
  });
  for (int i = 1; i <= count; ++i) {
    const std::string event = stream.next();
    ASSERT_THAT(event, StartsWith("id: " + std::to_string(i) + "\n"));
    ASSERT_THAT(event, HasSubstr("\"value\":" + std::to_string(i) + "}"));
  }
  writer.join();
}

TEST_F(EventsApi, StatisticsTellHowTheStreamIsDoing) {
  put("k", "1");
  const Stream stream(server_->port());
  const std::string stats = body_of("GET", "/api/v1/events/stats");
  EXPECT_THAT(stats, HasSubstr(R"("data":{"enabled":true,"queue_size":0,"pending_demand":1000,"events_published":1,)"
                               R"("subscribers":1,"oldest_revision":1}})"));
}

class ShortHistoryApi : public NodeApi {
 protected:
  ShortHistoryApi() : NodeApi(hasty(), {.event_stream = {.history = 10}}) {}
};

TEST_F(ShortHistoryApi, WhatIsNoLongerKeptIsGone) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(database_->put("k", Value(i), {}));
  const TestingResponse gone = call("GET", "/api/v1/events?after_revision=29");
  expect_error(gone, 410, "COMPACTED", "\"oldest_revision\":31");
  Stream stream(server_->port(), "?after_revision=30");
  EXPECT_THAT(stream.next(), StartsWith("id: 31\n"));
}

class NoEventsApi : public NodeApi {
 protected:
  NoEventsApi() : NodeApi(hasty(), {.event_stream = {.enabled = false}}) {}
};

TEST_F(NoEventsApi, SwitchedOffThereIsNoStream) {
  expect_error(call("GET", "/api/v1/events"), 404, "NOT_FOUND", "event_stream.enabled");
  EXPECT_THAT(body_of("GET", "/api/v1/events/stats"), HasSubstr(R"("enabled":false)"));
}

TEST(EventText, BytesAndKeysThatAreNotTextAreBase64) {
  std::string text;
  append_event_json(
      text, {.type = EventType::put,
             .revision = Revision(3),
             .timestamp = {},
             .node = "n",
             .change_count = 1,
             .changes = {
                 {.op = EventType::put, .key = "\xff", .value = Value(Bytes("ab")), .previous = Value(Bytes("cd"))}}});
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("key_b64":"/w==","value":"YWI=","encoding":"base64","previous":"Y2Q=","previous_encoding":"base64"})"));
}

}  // namespace
}  // namespace concord::http
