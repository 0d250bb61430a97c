#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <concord/tracing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/call.hpp"
#include "observe/http_post.hpp"
#include "observe/testing_collector.hpp"

namespace concord::observe {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, WhatIsReadIsWritten) {
  const auto context = parse_traceparent(sampled);
  ASSERT_TRUE(context);
  EXPECT_EQ(hex_of(context->trace), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(hex_of(context->span), "b7ad6b7169203331");
  EXPECT_TRUE(context->is_sampled);
  EXPECT_EQ(traceparent_of(*context), sampled);
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02")->is_sampled);
}

TEST(TraceContext, ALaterVersionIsReadAsFarAsItIsKnown) {
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-will-be"));
}

TEST(TraceContext, WhatIsMalformedIsIgnored) {
  for (const std::string_view text : {"", "00", "garbage", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                                      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                                      "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
                                      "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, "
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

class Traced : public testing::Test {
 protected:
  static Options options(const std::string& endpoint, TraceExporter exporter = TraceExporter::otlp) {
    Options options;
    options.name = "n1";
    options.tracing.enabled = true;
    options.tracing.exporter = exporter;
    options.tracing.endpoint = endpoint;
    options.tracing.interval = milliseconds(20);
    return options;
  }

  /// All spans of the requests by their names; attributes as Zipkin shows them, all text.
  static std::map<std::string, boost::json::object> spans_of(const std::vector<TestingCollector::Request>& requests) {
    std::map<std::string, boost::json::object> spans;
    for (const auto& request : requests) {
      const boost::json::value document = boost::json::parse(request.body());
      for (const auto& span : document.as_array()) {
        spans[std::string(span.at("name").as_string())] = span.as_object();
      }
    }
    return spans;
  }
  static std::string text_of(const boost::json::object& span, std::string_view member) {
    return span.contains(member) ? std::string(span.at(member).as_string()) : std::string();
  }
  static void call(Observer& observer, ApiOperation operation, CallDetails details,
                   std::optional<Errc> error = std::nullopt) {
    Call call(observer, operation, details);
    call.end(error);
  }

  TestingCollector collector_;
};

TEST_F(Traced, ACallIsASpanOfOtlp) {
  Options with = options(collector_.url());
  with.tracing.headers = {{"x-honeycomb-team", "key"}};
  with.tracing.resource = {{"deployment.environment", "test"}};
  {
    Observer observer(with);
    call(observer, ApiOperation::get, {.consistency = ReadConsistency::strong, .key = "secret"}, Errc::timeout);
  }
  const auto requests = collector_.wait_for(1);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].target(), "/v1/traces");
  EXPECT_EQ(requests[0]["content-type"], "application/json");
  EXPECT_EQ(requests[0]["x-honeycomb-team"], "key");
  const auto document = boost::json::parse(requests[0].body());
  const auto& of_resource = document.at("resourceSpans").at(0);
  EXPECT_THAT(boost::json::serialize(of_resource.at("resource")),
              testing::AllOf(HasSubstr(R"({"key":"service.name","value":{"stringValue":"concord"}})"),
                             HasSubstr(R"({"key":"deployment.environment","value":{"stringValue":"test"}})")));
  const auto& span = of_resource.at("scopeSpans").at(0).at("spans").at(0);
  EXPECT_EQ(span.at("name").as_string(), "concord.api.get");
  EXPECT_EQ(span.at("traceId").as_string().size(), 32U);
  EXPECT_EQ(span.at("spanId").as_string().size(), 16U);
  EXPECT_FALSE(span.as_object().contains("parentSpanId"));
  EXPECT_EQ(span.at("kind").as_int64(), 1);
  EXPECT_GE(std::stoull(std::string(span.at("endTimeUnixNano").as_string())),
            std::stoull(std::string(span.at("startTimeUnixNano").as_string())));
  EXPECT_EQ(span.at("status").at("code").as_int64(), 2);
  const std::string attributes = boost::json::serialize(span.at("attributes"));
  EXPECT_THAT(attributes, HasSubstr(R"({"key":"concord.consistency","value":{"stringValue":"strong"}})"));
  EXPECT_THAT(attributes, HasSubstr(R"({"key":"concord.result","value":{"stringValue":"error"}})"));
  EXPECT_THAT(attributes, HasSubstr(R"({"key":"error.type","value":{"stringValue":"TIMEOUT"}})"));
  EXPECT_THAT(attributes, testing::Not(HasSubstr("secret")));
}

TEST_F(Traced, CallsInsideASpanAreItsChildren) {
  {
    Observer observer(options(collector_.url() + "/api/v2/spans", TraceExporter::zipkin));
    const auto span = observer.tracer().begin("outer", SpanKind::server, nullptr);
    Span* const before = Tracer::set_current(span.get());
    call(observer, ApiOperation::put, {.has_ttl = true});
    Tracer::set_current(before);
  }
  const auto spans = spans_of(collector_.wait_for(1));
  ASSERT_THAT(spans, SizeIs(2));
  const auto& parent = spans.at("outer");
  const auto& child = spans.at("concord.api.put");
  EXPECT_EQ(text_of(child, "traceId"), text_of(parent, "traceId"));
  EXPECT_EQ(text_of(child, "parentId"), text_of(parent, "id"));
  EXPECT_EQ(text_of(parent, "parentId"), "");
  EXPECT_EQ(text_of(parent, "kind"), "SERVER");
  EXPECT_EQ(child.at("tags").at("concord.has_ttl").as_string(), "true");
  EXPECT_EQ(child.at("localEndpoint").at("serviceName").as_string(), "concord");
}

TEST_F(Traced, ASpanGoesAsItsParentWent) {
  Options nothing = options(collector_.url() + "/api/v2/spans", TraceExporter::zipkin);
  nothing.tracing.sample_ratio = 0;
  std::string unsampled(sampled);
  unsampled.back() = '0';
  {
    Observer observer(nothing);
    const auto kept = parse_traceparent(sampled);
    const auto left_out = parse_traceparent(unsampled);
    const auto one = observer.tracer().begin("kept", SpanKind::server, &*kept);
    const auto other = observer.tracer().begin("left out", SpanKind::server, &*left_out);
    EXPECT_EQ(other->context().trace, left_out->trace);
    EXPECT_NE(other->context().span, left_out->span);
    EXPECT_THAT(traceparent_of(other->context()), testing::EndsWith("-00"));
    call(observer, ApiOperation::get, {});
  }
  const auto spans = spans_of(collector_.wait_for(1));
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_EQ(text_of(spans.at("kept"), "parentId"), "b7ad6b7169203331");
}

TEST_F(Traced, ARatioKeepsThatShareAndErrorsAreKeptWhenAsked) {
  Options some = options(collector_.url() + "/api/v2/spans", TraceExporter::zipkin);
  some.tracing.sample_ratio = 0.25;
  some.tracing.exporter = TraceExporter::none;
  Observer observer(some);
  int kept = 0;
  for (int i = 0; i < 4000; ++i) {
    if (observer.tracer().begin("x", SpanKind::internal, nullptr)->context().is_sampled) ++kept;
  }
  EXPECT_NEAR(kept, 1000, 200);
  some.tracing.exporter = TraceExporter::zipkin;
  some.tracing.sample_ratio = 0;
  some.tracing.keep_errors = true;
  {
    Observer errors(some);
    call(errors, ApiOperation::get, {});
    call(errors, ApiOperation::put, {}, Errc::storage_full);
    call(errors, ApiOperation::del, {}, Errc::not_found);
  }
  const auto spans = spans_of(collector_.wait_for(1));
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_EQ(spans.begin()->first, "concord.api.put");
}

TEST_F(Traced, WhatDoesNotFitIsDroppedAndCountedAndACollectorThatHangsHoldsNobodyUp) {
  TestingCollector hanging(TestingCollector::Answers::never);
  Options small = options(hanging.url());
  small.tracing.queue_size = 10;
  small.tracing.batch_size = 5;
  small.tracing.timeout = std::chrono::hours(1);
  Observer observer(small);
  for (int i = 0; i < 1000; ++i) call(observer, ApiOperation::put, {});
  EXPECT_GT(observer.tracer().exporter().dropped(), 0U);
  EXPECT_EQ(observer.tracer().exporter().exported(), 0U);
}

TEST_F(Traced, ARefusalIsLoggedOnceAndCounted) {
  TestingCollector refusing(TestingCollector::Answers::unavailable);
  std::mutex mutex;
  std::vector<std::string> lines;
  Options with = options(refusing.url());
  with.log = [&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  with.tracing.batch_size = 1;
  {
    Observer observer(with);
    for (int i = 0; i < 3; ++i) call(observer, ApiOperation::put, {});
    refusing.wait_for(3);
  }
  EXPECT_THAT(lines, ElementsAre(HasSubstr("answers 503")));
}

TEST(HttpPost, SaysWhatIsWrong) {
  const NamedTexts headers;
  const std::string body = "{}";
  for (const std::string url : {"", "localhost:4318", "ftp://x/", "http://", "http://x:port/", "http://x:99999999/"}) {
    const auto status = http_post({.url = url, .headers = headers, .body = body, .timeout = milliseconds(1000)});
    ASSERT_FALSE(status) << url;
    EXPECT_EQ(status.error().code(), Errc::invalid_request) << url;
  }
  const std::string nobody = "http://127.0.0.1:1/";
  EXPECT_EQ(http_post({.url = nobody, .headers = headers, .body = body}).error().code(), Errc::cluster_not_ready);
  TestingCollector hanging(TestingCollector::Answers::never);
  const std::string silent = hanging.url();
  EXPECT_EQ(http_post({.url = silent, .headers = headers, .body = body, .timeout = milliseconds(50)}).error().code(),
            Errc::timeout);
}

}  // namespace
}  // namespace concord::observe
