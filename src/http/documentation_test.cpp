// The page of the API documentation: every file of it, in both forms, cached as it should be.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/embedded_file.hpp"
#include "http/server.hpp"
#include "http/testing_client.hpp"
#include "http/testing_database.hpp"

namespace concord::http {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class DocumentationTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = Server::start(database_, {.port = 0, .threads = 1});
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }
  ~DocumentationTest() override {
    if (server_) server_->stop(seconds(5));
    database_.close(seconds(5));
  }

  TestingResponse get(std::string_view target, std::string_view fields = {}) {
    TestingClient client(server_->port());
    client.send(request_text("GET", target, {}, fields));
    return client.receive().value_or(TestingResponse());
  }

  TestingDatabase database_;
  std::unique_ptr<Server> server_;
};

TEST_F(DocumentationTest, EveryFileIsServedAsItIsOrCompressed) {
  ASSERT_GE(docs_page_files().size(), 5U);
  for (const EmbeddedFile& file : docs_page_files()) {
    SCOPED_TRACE(file.path);
    const std::string target = "/api/docs/" + std::string(file.path);
    ASSERT_FALSE(file.bytes.empty());
    const auto plain = get(target);
    EXPECT_EQ(plain.status, 200);
    EXPECT_EQ(plain.header("Content-Type"), file.content_type);
    EXPECT_EQ(plain.header("Content-Encoding"), "");
    EXPECT_TRUE(plain.body == file.bytes);
    const auto packed = get(target, "Accept-Encoding: br, gzip;q=0.5\r\n");
    EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
    EXPECT_TRUE(packed.body == file.gzip_bytes);
    EXPECT_TRUE(packed.body.starts_with("\x1f\x8b"));
    EXPECT_NE(packed.header("ETag"), plain.header("ETag"));
    EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(get(target, "Accept-Encoding: gzip;q=0\r\n").header("Content-Encoding"), "");
  }
}

TEST_F(DocumentationTest, ThePageIsAtItsPathWithAndWithoutASlash) {
  for (const char* target : {"/api/docs", "/api/docs/", "/api/docs?timeout_ms=1"}) {
    const auto page = get(target);
    EXPECT_EQ(page.status, 200) << target;
    EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_THAT(page.header("Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_THAT(page.body, HasSubstr("/api/docs/swagger-ui-bundle.js"));
  }
  EXPECT_EQ(get("/api/docs/nothing").status, 404);
}

TEST_F(DocumentationTest, AFileTheClientHasIsNotSentAgain) {
  const std::string target = "/api/docs/swagger-ui-bundle.js";
  const std::string etag = get(target).header("ETag");
  const std::string packed_etag = get(target, "Accept-Encoding: gzip\r\n").header("ETag");
  for (const std::string& list : {etag, "W/" + etag, "\"a\", " + etag + ", \"b\"", std::string("*")}) {
    const auto response = get(target, "If-None-Match: " + list + "\r\n");
    EXPECT_EQ(response.status, 304) << list;
    EXPECT_EQ(response.header("ETag"), etag);
    EXPECT_EQ(response.header("Cache-Control"), "no-cache");
    EXPECT_EQ(response.body, "");
  }
  EXPECT_EQ(get(target, "If-None-Match: " + packed_etag + "\r\n").status, 200);
  EXPECT_EQ(get(target, "Accept-Encoding: gzip\r\nIf-None-Match: " + packed_etag + "\r\n").status, 304);
  EXPECT_EQ(get(target, "If-None-Match: \"17\"\r\n").status, 200);
}

TEST_F(DocumentationTest, AFileAmongPipelinedRequestsIsSentInItsPlace) {
  TestingClient client(server_->port());
  const std::string file = request_text("GET", "/api/docs/swagger-ui-bundle.js");
  const std::string missing = request_text("GET", "/api/v1/kv/missing");
  client.send(missing + file + request_text("HEAD", "/api/docs/swagger-ui-bundle.js") + missing + file + file +
              missing);
  const std::string_view bundle =
      std::ranges::find(docs_page_files(), "swagger-ui-bundle.js", &EmbeddedFile::path)->bytes;
  const auto expect_file = [&] {
    const auto response = client.receive();
    ASSERT_TRUE(response);
    EXPECT_TRUE(response->body == bundle);
  };
  const auto expect_missing = [&] {
    const auto response = client.receive();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 404);
  };
  expect_missing();
  expect_file();
  const auto head = client.receive(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("Content-Length"), std::to_string(bundle.size()));
  expect_missing();
  expect_file();
  expect_file();
  expect_missing();
}

TEST_F(DocumentationTest, AFileIsSentWholeBeforeTheConnectionEnds) {
  TestingClient client(server_->port());
  client.send(request_text("GET", "/api/docs/swagger-ui-bundle.js", {}, "Connection: close\r\n"));
  const auto response = client.receive();
  ASSERT_TRUE(response);
  EXPECT_GT(response->body.size(), 1'000'000U);
  EXPECT_TRUE(client.is_ended());
}

}  // namespace
}  // namespace concord::http
