// Requests as they come from a socket: wherever the bytes are cut, the same requests come out, and a request that is taken keeps
// its limits. (That the rest is malformed may show earlier or later.)
#include "http/request_parser.hpp"

#include <utility>

#include "base/check.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using http::Request;
using http::RequestParser;

constexpr http::ParserLimits limits = {.max_body_bytes = 512, .max_header_bytes = 512, .max_target_bytes = 128};
constexpr std::size_t largest_cut = 64;

/// The requests that the bytes hold, each in a line of its own.
std::string read_all(std::string_view bytes, Input* cuts) {
  RequestParser parser(limits);
  Request request;
  std::string said;
  std::string waiting;
  bool started = false;
  while (!bytes.empty()) {
    const std::size_t cut = cuts == nullptr ? bytes.size() : std::size_t{1} + cuts->byte() % largest_cut;
    waiting.append(bytes.substr(0, cut));
    bytes.remove_prefix(std::min(cut, bytes.size()));
    while (!waiting.empty()) {
      if (!std::exchange(started, true)) parser.start(request);
      const RequestParser::Step step = parser.feed(waiting);
      CONCORD_CHECK(step.consumed <= waiting.size(), "no more is consumed than there is");
      waiting.erase(0, step.consumed);
      if (step.state == RequestParser::State::failed) {
        const unsigned status = parser.problem().status;
        CONCORD_CHECK(status >= 400 && status < 500, "a malformed request is the client's mistake");
        return said;
      }
      if (step.state == RequestParser::State::need_more) break;
      CONCORD_CHECK(request.target.size() <= limits.max_target_bytes, "the URL keeps its limit");
      CONCORD_CHECK(request.body.size() <= limits.max_body_bytes, "the body keeps its limit");
      said += std::string(method_name(request.method)) + ' ' + request.target + ' ' +
              std::string(request.header(http::Header::host)) + ' ' + request.body + '\n';
      started = false;
    }
  }
  return said;
}

}  // namespace

void run(std::string_view bytes) {
  const std::size_t cuts_size =
      bytes.empty() ? 0 : std::min<std::size_t>(static_cast<unsigned char>(bytes[0]), bytes.size() - 1);
  Input cuts(bytes.substr(std::min<std::size_t>(1, bytes.size()), cuts_size));
  const std::string_view sent = bytes.substr(std::min(bytes.size(), cuts_size + 1));
  CONCORD_CHECK(read_all(sent, nullptr) == read_all(sent, &cuts), "cuts change nothing");
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const std::string text :
       {"GET /api/v1/kv/a?meta=true HTTP/1.1\r\nHost: t\r\n\r\n",
        "PUT /api/v1/kv/a HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\n\r\n{\"value\":1}GET / HTTP/1.1\r\nHost: "
        "t\r\n\r\n",
        "PUT /k HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n{\"val\r\n6\r\nue\":1}\r\n0\r\nX: "
        "y\r\n\r\n",
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    seeds.push_back('\0' + text);
    seeds.push_back("\x03\x01\x07\x20" + text);
  }
  for (std::string& seed : arbitrary_inputs(3)) seeds.push_back(std::move(seed));
  return seeds;
}

}  // namespace concord::fuzz
