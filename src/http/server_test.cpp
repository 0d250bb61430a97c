// The server below its API: HTTP itself, limits, hostile clients, order, the end.
#include "http/server.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "http/testing_client.hpp"
#include "http/testing_database.hpp"

namespace concord::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class ServerTest : public testing::Test {
 protected:
  void start(Settings settings = {},
             TestingDatabase::Completes completes = TestingDatabase::Completes::inside_the_call) {
    database_.emplace(completes);
    settings.port = 0;
    if (settings.threads == 0) settings.threads = 1;
    auto server = Server::start(*database_, std::move(settings));
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }
  ~ServerTest() override {
    if (server_) server_->stop(seconds(5));
    if (database_) database_->close(seconds(5));
  }

  /// Sends `bytes` on a new connection; expects a refusal, and the end of the connection.
  void expect_refusal(std::string_view bytes, int status, std::string_view code = "INVALID_REQUEST") {
    TestingClient client(server_->port());
    client.send(bytes);
    const auto response = client.receive();
    ASSERT_TRUE(response) << bytes.substr(0, 100);
    EXPECT_EQ(response->status, status) << bytes.substr(0, 100);
    EXPECT_THAT(response->body, HasSubstr("\"code\":\"" + std::string(code) + "\""));
    EXPECT_EQ(response->header("Connection"), "close");
    EXPECT_TRUE(client.is_ended());
  }

  std::optional<TestingDatabase> database_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, MalformedRequestsAreRefusedAndTheConnectionEnds) {
  start();
  for (const std::string bytes :
       {"nonsense\r\n\r\n", "GET /health HTTP/3.0\r\nHost: t\r\n\r\n", "GET  /health HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: t\r\nbad header\r\n\r\n", "GET /health HTTP/1.1\r\nHost: t\r\nA : b\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n"}) {
    expect_refusal(bytes, 400);
  }
}

TEST_F(ServerTest, LimitsOfUrlHeaderAndBodyHold) {
  start();
  const std::string host = "Host: t\r\n";
  expect_refusal("GET /" + std::string(8192, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414);
  expect_refusal("GET /" + std::string(20'000, 'a'), 414);
  expect_refusal("GET / HTTP/1.1\r\n" + host + "A: " + std::string(16'400, 'a') + "\r\n\r\n", 431);
  expect_refusal("GET / HTTP/1.1\r\n" + host + "A: " + std::string(30'000, 'a'), 431);
  std::string many = "GET / HTTP/1.1\r\n" + host;
  for (int i = 0; i < 3000; ++i) many += "A: b\r\n";
  expect_refusal(many, 431);
  expect_refusal("PUT /api/v1/kv/k HTTP/1.1\r\n" + host + "Content-Length: 16777217\r\n\r\n", 413, "PAYLOAD_TOO_LARGE");
  expect_refusal("PUT /api/v1/kv/k HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1000001\r\n", 413,
                 "PAYLOAD_TOO_LARGE");

  TestingClient client(server_->port());
  client.send("GET /" + std::string(8191, 'a') + " HTTP/1.1\r\n" + host + "A: " + std::string(16'000, 'a') +
              "\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 404);
}

TEST_F(ServerTest, ATooLargeBodyIsAnsweredThoughTheClientKeepsSending) {
  start();
  TestingClient client(server_->port());
  std::string request = "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: 20000000\r\n\r\n";
  request.append(20'000'000, 'x');
  EXPECT_TRUE(client.send(request));
  EXPECT_EQ(client.receive()->status, 413);
}

TEST_F(ServerTest, ChunkedBodiesArriveByteByByte) {
  start();
  TestingClient client(server_->port());
  const std::string request =
      "PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;note=1\r\n{\"val\r\n8\r\nue\":[1]}\r\n0\r\nTrailer: 1\r\n\r\n";
  for (const char c : request) client.send({&c, 1});
  EXPECT_EQ(client.receive()->body, R"({"status":"ok","revision":1})");
  client.send(request_text("GET", "/api/v1/kv/k"));
  EXPECT_EQ(client.receive()->body, R"({"status":"ok","data":{"value":[1]}})");
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  for (const auto completes : {TestingDatabase::Completes::inside_the_call, TestingDatabase::Completes::on_a_thread}) {
    server_.reset();
    start({}, completes);
    TestingClient client(server_->port());
    std::string burst;
    for (int i = 0; i < 100; ++i) {
      burst += request_text("PUT", "/api/v1/kv/k", R"({"value":)" + std::to_string(i) + "}");
      burst += request_text("GET", "/api/v1/kv/k");
    }
    client.send(burst);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(client.receive()->body, R"({"status":"ok","revision":)" + std::to_string(i + 1) + "}");
      EXPECT_EQ(client.receive()->body, R"({"status":"ok","data":{"value":)" + std::to_string(i) + "}}");
    }
    server_->stop(seconds(5));
    database_->close(seconds(5));
  }
}

TEST_F(ServerTest, RequestsCutAtRandomPlacesAreReadTheSame) {
  start();
  const std::uint64_t seed = testing::UnitTest::GetInstance()->random_seed() + 1U;
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Random random(seed);
  TestingClient client(server_->port());
  for (int round = 0; round < 20; ++round) {
    std::string sent;
    std::vector<std::string> values;
    for (int i = 0; i < 5; ++i) {
      values.push_back("\"" + std::string(random.below(20'000), 'v') + "\"");
      sent += request_text("PUT", "/api/v1/kv/k", R"({"value":)" + values.back() + "}") +
              request_text("GET", "/api/v1/kv/k");
    }
    for (std::size_t at = 0; at < sent.size();) {
      const std::size_t size =
          std::min<std::size_t>(sent.size() - at, 1 + random.below(random.one_in(2) ? 100 : 40'000));
      client.send(std::string_view(sent).substr(at, size));
      at += size;
    }
    for (const std::string& value : values) {
      EXPECT_EQ(client.receive()->status, 200);
      EXPECT_EQ(client.receive()->body, R"({"status":"ok","data":{"value":)" + value + "}}");
    }
  }
}

TEST_F(ServerTest, AClientThatDoesNotReadGetsEverythingLater) {
  start();
  TestingClient client(server_->port());
  const std::string value = "\"" + std::string(1'000'000, 'v') + "\"";
  client.send(request_text("PUT", "/api/v1/kv/k", R"({"value":)" + value + "}"));
  EXPECT_EQ(client.receive()->status, 200);
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += request_text("GET", "/api/v1/kv/k");
  client.send(burst);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.receive()->body.size(),
              value.size() + std::string_view(R"({"status":"ok","data":{"value":}})").size());
}

TEST_F(ServerTest, ALargeAnswerThatIsReadLateIsSentOnce) {
  start();
  TestingClient client(server_->port());
  const std::string large = "{\"value\":\"" + std::string(7'000'000, 'x') + "\"}";
  client.send(request_text("PUT", "/api/v1/kv/large", large) +
              request_text("PUT", "/api/v1/kv/small", R"({"value":1})"));
  for (int i = 0; i < 2; ++i) {
    const auto stored = client.receive();
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->status, 200);
  }
  client.send(request_text("GET", "/api/v1/kv/large"));
  std::this_thread::sleep_for(milliseconds(100));  // what fits the system's buffers is there, and the server waits
  const auto late = client.receive();
  ASSERT_TRUE(late);
  EXPECT_GT(late->body.size(), 7'000'000U);
  for (int i = 0; i < 2; ++i) {
    client.send(request_text("GET", "/api/v1/kv/small"));
    const auto next = client.receive();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->body, R"({"status":"ok","data":{"value":1}})") << "of the answer before: " << next->head;
  }
}

TEST_F(ServerTest, ARequestThatDoesNotArriveIsAnswered408) {
  start({.request_timeout = milliseconds(40)});
  expect_refusal("GET /hea", 408);
  expect_refusal("PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n{\"v", 408);
}

TEST_F(ServerTest, AnIdleConnectionEndsSilently) {
  start({.idle_timeout = milliseconds(40)});
  TestingClient client(server_->port());
  EXPECT_TRUE(client.is_ended());
}

TEST_F(ServerTest, AWaitingClientIsToldToContinue) {
  start();
  TestingClient client(server_->port());
  client.send("PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 100);
  client.send(R"({"value":1})");
  EXPECT_EQ(client.receive()->status, 200);
  expect_refusal("PUT /api/v1/kv/k HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\nExpect: 200-ok\r\n\r\n", 417);
}

TEST_F(ServerTest, MethodsThatAPathDoesNotTakeAreNamed) {
  start();
  TestingClient client(server_->port());
  client.send(request_text("PATCH", "/api/v1/kv/k"));
  auto response = client.receive();
  EXPECT_EQ(response->status, 405);
  EXPECT_EQ(response->header("Allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  EXPECT_THAT(response->body, HasSubstr("METHOD_NOT_ALLOWED"));
  client.send(request_text("OPTIONS", "/api/v1/kv/bulk"));
  response = client.receive();
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->header("Allow"), "GET, HEAD, PUT, POST, DELETE, OPTIONS");
  client.send(request_text("GET", "/api/v1/kv/a/b/c"));
  response = client.receive();
  EXPECT_EQ(response->status, 404);
  client.send(request_text("GET", "/1/2/3/4/5/6/7/8/9/10"));
  EXPECT_EQ(client.receive()->status, 404);
}

TEST_F(ServerTest, HeadIsGetWithoutTheBody) {
  start();
  TestingClient client(server_->port());
  client.send(request_text("PUT", "/api/v1/kv/k", R"({"value":1})"));
  EXPECT_EQ(client.receive()->status, 200);
  client.send(request_text("GET", "/api/v1/kv/k"));
  const auto get = client.receive();
  client.send(request_text("HEAD", "/api/v1/kv/k"));
  const auto head = client.receive(true);
  EXPECT_EQ(head->header("Content-Length"), get->header("Content-Length"));
  EXPECT_EQ(head->header("ETag"), get->header("ETag"));
  client.send(request_text("GET", "/health"));
  EXPECT_EQ(client.receive()->status, 200);
}

TEST_F(ServerTest, QueryParametersAreChecked) {
  start();
  TestingClient client(server_->port());
  const auto status = [&](std::string_view target) {
    client.send(request_text("GET", target));
    const auto response = client.receive();
    return std::to_string(response->status) +
           (response->body.find("INVALID_REQUEST") == std::string::npos ? "" : " INVALID_REQUEST");
  };
  EXPECT_EQ(status("/api/v1/kv/k?consistency=strong&timeout_ms=100&with_ttl"), "404");
  EXPECT_EQ(status("http://other.host:1/api/v1/kv/k?meta=true"), "404");
  for (const std::string query :
       {"colour=red", "meta=true&meta=true", "consistency=sure", "timeout_ms=0", "timeout_ms=1s",
        "timeout_ms=99999999999", "meta=maybe", "meta=%f", "%6deta=1&meta=1", "key_encoding=hex"}) {
    EXPECT_EQ(status("/api/v1/kv/k?" + query), "400 INVALID_REQUEST") << query;
  }
  EXPECT_EQ(status("/health?consistency=strong"), "400 INVALID_REQUEST");
}

TEST_F(ServerTest, ForeignContentTypesAreRefused) {
  start();
  TestingClient client(server_->port());
  const auto put = [&](std::string_view type) {
    client.send(request_text("PUT", "/api/v1/kv/k", R"({"value":1})", "Content-Type: " + std::string(type) + "\r\n"));
    return *client.receive();
  };
  EXPECT_EQ(put("application/json").status, 200);
  EXPECT_EQ(put("Application/JSON ; charset=utf-8").status, 200);
  const auto response = put("text/xml");
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(response.header("Accept"), "application/json, application/octet-stream");
  client.send(request_text("POST", "/api/v1/txn", "x", "Content-Type: application/octet-stream\r\n"));
  EXPECT_EQ(client.receive()->header("Accept"), "application/json");
}

TEST_F(ServerTest, RequestIdsAreEchoedOrMade) {
  start();
  TestingClient client(server_->port());
  const auto id = [&](std::string_view given) {
    client.send(request_text("GET", "/health", {}, given));
    return client.receive()->header("X-Request-Id");
  };
  EXPECT_EQ(id("X-Request-Id: abc-1\r\n"), "abc-1");
  EXPECT_EQ(id("x-request-id: q\r\n"), "q");
  const std::string made = id("");
  EXPECT_EQ(made.size(), 16U);
  EXPECT_NE(id(""), made);
  EXPECT_EQ(id("X-Request-Id: " + std::string(129, 'x') + "\r\n").size(), 16U);
}

TEST_F(ServerTest, ConnectionsEndWhenTheClientSaysSo) {
  start();
  TestingClient client(server_->port());
  client.send(request_text("GET", "/health", {}, "Connection: close\r\n") + request_text("GET", "/health"));
  EXPECT_EQ(client.receive()->header("Connection"), "close");
  EXPECT_TRUE(client.is_ended());
  TestingClient old(server_->port());
  old.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old.receive()->header("Connection"), "keep-alive");
  old.send("\r\nGET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.receive()->header("Connection"), "close");
  EXPECT_TRUE(old.is_ended());
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreRefused) {
  start({.max_connections = 1});
  TestingClient first(server_->port());
  first.send(request_text("GET", "/health"));
  EXPECT_EQ(first.receive()->status, 200);
  TestingClient second(server_->port());
  const auto refused = second.receive();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_THAT(refused->body, HasSubstr("max_connections is reached"));
  EXPECT_TRUE(second.is_ended());
  first.send(request_text("GET", "/health"));
  EXPECT_EQ(first.receive()->status, 200);
}

TEST_F(ServerTest, StoppingFinishesWhatIsInFlightAndEndsIdleConnections) {
  start({}, TestingDatabase::Completes::when_released);
  TestingClient idle(server_->port());
  idle.send(request_text("GET", "/health"));
  EXPECT_EQ(idle.receive()->status, 200);
  TestingClient busy(server_->port());
  busy.send(request_text("PUT", "/api/v1/kv/k", R"({"value":1})"));
  database_->wait_for_waiting(1);
  std::thread stopping([this] { server_->stop(seconds(10)); });
  EXPECT_TRUE(idle.is_ended());
  database_->release();
  const auto response = busy.receive();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->header("Connection"), "close");
  EXPECT_TRUE(busy.is_ended());
  stopping.join();
}

TEST_F(ServerTest, AnOutcomeThatComesAfterTheEndIsDropped) {
  start({}, TestingDatabase::Completes::when_released);
  TestingClient client(server_->port());
  client.send(request_text("PUT", "/api/v1/kv/k", R"({"value":1})"));
  database_->wait_for_waiting(1);
  server_->stop(milliseconds(10));
  EXPECT_TRUE(client.is_ended());
  database_->release();
  server_.reset();
}

TEST_F(ServerTest, EveryAnswerIsRecordedForTheAccessLog) {
  std::mutex mutex;
  std::vector<std::string> lines;
  Settings settings;
  settings.access_log = [&](const AccessRecord& record) {
    const std::lock_guard lock(mutex);
    EXPECT_GE(record.duration.count(), 0);
    lines.push_back(std::string(record.client) + " " + std::string(record.method) + " " + std::string(record.target) +
                    " " + std::to_string(record.status) + " " + std::to_string(record.request_bytes) + " " +
                    std::to_string(record.response_bytes) + " " + std::string(record.request_id));
  };
  start(std::move(settings), TestingDatabase::Completes::on_a_thread);
  TestingClient client(server_->port());
  client.send(request_text("PUT", "/api/v1/kv/k?timeout_ms=900", R"({"value":1})", "X-Request-Id: a\r\n"));
  EXPECT_EQ(client.receive()->status, 200);
  client.send(request_text("GET", "/nothing", {}, "X-Request-Id: b\r\n"));
  const std::size_t size = client.receive()->body.size();
  client.send("nonsense\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 400);
  server_->stop(seconds(5));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "127.0.0.1 PUT /api/v1/kv/k?timeout_ms=900 200 11 28 a");
  EXPECT_EQ(lines[1], "127.0.0.1 GET /nothing 404 0 " + std::to_string(size) + " b");
  EXPECT_THAT(lines[2], HasSubstr(" 400 "));
}

TEST_F(ServerTest, TheAccessLogIsSwitchedWhileItServes) {
  std::atomic<int> lines = 0;
  const auto on = std::make_shared<std::atomic<bool>>(false);
  Settings settings;
  settings.access_log = [&](const AccessRecord&) { ++lines; };
  settings.access_log_on = on;
  start(std::move(settings));
  TestingClient client(server_->port());
  const auto ask = [&] {
    client.send(request_text("GET", "/health"));
    EXPECT_EQ(client.receive()->status, 200);
  };
  ask();
  EXPECT_EQ(lines, 0);
  *on = true;
  ask();
  EXPECT_EQ(lines, 1);
  *on = false;
  ask();
  EXPECT_EQ(lines, 1);
}

TEST_F(ServerTest, ATakenPortIsAnError) {
  start();
  TestingDatabase other;
  const auto second = Server::start(other, {.port = server_->port(), .threads = 1});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(server_->port())));
}

}  // namespace
}  // namespace concord::http
