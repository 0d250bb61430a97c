#include "load/response.hpp"

#include <gtest/gtest.h>

namespace concord::app::load {
namespace {

using State = ResponseReader::State;

TEST(Response, EndsWhereItsLengthSaysHoweverItIsCut) {
  const std::string response = "HTTP/1.1 429 Too Many\r\nX-Other: 1\r\ncontent-LENGTH:  5 \r\n\r\nabcde";
  for (std::size_t cut = 0; cut < response.size(); ++cut) {
    ResponseReader reader;
    ASSERT_EQ(reader.take(response.substr(0, cut)), State::incomplete) << cut;
    ASSERT_EQ(reader.take(response.substr(cut)), State::complete) << cut;
    EXPECT_EQ(reader.status(), 429U);
    EXPECT_FALSE(reader.closes());
  }
}

TEST(Response, OneFollowsTheOther) {
  ResponseReader reader;
  EXPECT_EQ(reader.take("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), State::complete);
  EXPECT_TRUE(reader.closes());
  EXPECT_EQ(reader.body_begin(), "ok");
  reader.reset();
  EXPECT_EQ(reader.take("HTTP/1.1 204 No Content\r\n\r\n"), State::complete);
  EXPECT_FALSE(reader.closes());
  EXPECT_EQ(reader.status(), 204U);
}

TEST(Response, WhatIsNoneIsMalformed) {
  for (const char* bytes :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "\r\n\r\n"}) {
    ResponseReader reader;
    EXPECT_EQ(reader.take(bytes), State::malformed) << bytes;
  }
}

TEST(Response, BytesBehindItsEndAreMalformed) {
  ResponseReader reader;
  EXPECT_EQ(reader.take("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"), State::incomplete);
  EXPECT_EQ(reader.take("bcd"), State::malformed);
}

}  // namespace
}  // namespace concord::app::load
