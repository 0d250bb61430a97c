// Compressed answers: for those who ask, and the same text.
#include "http/content_coding.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/codec.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view asking = "Accept-Encoding: gzip, deflate, br\r\n";

std::string decoded(std::string_view stream, std::size_t size_bytes) {
  std::string text(size_bytes, '\0');
  compress::Decompressor decompressor;
  EXPECT_TRUE(decompressor.decompress(CompressionAlgorithm::gzip, stream, text));
  return text;
}

class ContentCoding : public NodeApi {
 protected:
  ContentCoding() {
    const std::string text(5000, 'a');
    EXPECT_EQ(call("PUT", "/api/v1/kv/large", "{\"value\":\"" + text + "\"}").status, 200);
    EXPECT_EQ(call("PUT", "/api/v1/kv/small", R"({"value":1})").status, 200);
  }
};

TEST_F(ContentCoding, ALargeAnswerIsCompressedForWhoAsks) {
  const auto plain = call("GET", "/api/v1/kv/large");
  EXPECT_THAT(plain.head, Not(HasSubstr("Content-Encoding")));
  EXPECT_EQ(plain.header("Vary"), "Accept, Accept-Encoding");
  const auto coded = call("GET", "/api/v1/kv/large", {}, asking);
  EXPECT_EQ(coded.header("Content-Encoding"), "gzip");
  EXPECT_EQ(coded.header("ETag"), plain.header("ETag"));
  EXPECT_EQ(coded.header("Vary"), plain.header("Vary"));
  EXPECT_EQ(coded.head.find("Vary"), coded.head.rfind("Vary")) << "one line names all that it varies by";
  EXPECT_LT(coded.body.size(), 500U);
  EXPECT_EQ(decoded(coded.body, plain.body.size()), plain.body);
  EXPECT_EQ(call("HEAD", "/api/v1/kv/large", {}, asking).header("Content-Length"), std::to_string(coded.body.size()));
}

TEST_F(ContentCoding, ASmallAnswerAndBytesAreLeftAsTheyAre) {
  EXPECT_THAT(call("GET", "/api/v1/kv/small", {}, asking).head, Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(call("GET", "/api/v1/kv/large", {}, std::string(asking) + "Accept: application/octet-stream\r\n").head,
              Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(call("GET", "/api/v1/kv/large", {}, "Accept-Encoding: gzip;q=0, br\r\n").head,
              Not(HasSubstr("Content-Encoding")));
}

TEST_F(ContentCoding, TheDocumentOfTheApiComesCompressedToo) {
  const auto plain = call("GET", "/api/v1/openapi.json");
  const auto coded = call("GET", "/api/v1/openapi.json", {}, asking);
  EXPECT_EQ(coded.header("Content-Encoding"), "gzip");
  EXPECT_EQ(decoded(coded.body, plain.body.size()), plain.body);
}

class NoCoding : public NodeApi {
 protected:
  NoCoding() : NodeApi({.compress = false}) {}
};

TEST_F(NoCoding, WhenItIsSwitchedOff) {
  call("PUT", "/api/v1/kv/large", "{\"value\":\"" + std::string(5000, 'a') + "\"}");
  EXPECT_THAT(call("GET", "/api/v1/kv/large", {}, asking).head, Not(HasSubstr("Content-Encoding")));
}

}  // namespace
}  // namespace concord::http
