#include "config/otel_environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Configuration of(NamedValues environment, NamedValues flags = {}) {
  auto configuration =
      load({.flags = std::move(flags), .environment = std::move(environment), .default_path = "/nowhere"});
  EXPECT_TRUE(configuration) << configuration.error().message();
  return std::move(*configuration);
}

TEST(OtelEnvironment, SetsTheKeysOfTracing) {
  const Configuration configuration = of({{"OTEL_SERVICE_NAME", "orders"},
                                          {"OTEL_TRACES_EXPORTER", "console"},
                                          {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
                                          {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, other=2"},
                                          {"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"},
                                          {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                                          {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                                          {"OTEL_BSP_MAX_QUEUE_SIZE", "99"},
                                          {"OTEL_BSP_SCHEDULE_DELAY", "100"},
                                          {"OTEL_EXPORTER_OTLP_TIMEOUT", "500"}});
  const TracingOptions tracing = configuration.tracing_options();
  EXPECT_FALSE(tracing.enabled);
  EXPECT_EQ(tracing.service_name, "orders");
  EXPECT_EQ(tracing.exporter, TraceExporter::output);
  EXPECT_EQ(tracing.endpoint, "http://collector:4318");
  EXPECT_THAT(tracing.headers, ElementsAre(Pair("api-key", "a b"), Pair("other", "2")));
  EXPECT_THAT(tracing.resource, ElementsAre(Pair("deployment.environment", "test")));
  EXPECT_EQ(tracing.sample_ratio, 0.25);
  EXPECT_EQ(tracing.queue_size, 99U);
  EXPECT_EQ(tracing.interval, std::chrono::milliseconds(100));
  EXPECT_EQ(tracing.timeout, std::chrono::milliseconds(500));
  EXPECT_THAT(configuration.warnings, IsEmpty());
  EXPECT_THAT(configuration.show(),
              HasSubstr("tracing.endpoint = http://collector:4318  # environment OTEL_EXPORTER_OTLP_ENDPOINT"));
  EXPECT_THAT(configuration.show(), HasSubstr("tracing.headers = ****"));
}

TEST(OtelEnvironment, IsWeakerThanOurOwnNames) {
  const Configuration configuration = of({{"OTEL_TRACES_EXPORTER", "zipkin"},
                                          {"OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z:9411/api/v2/spans"},
                                          {"CONCORD_TRACING_EXPORTER", "otlp"},
                                          {"OTEL_TRACES_SAMPLER", "always_off"}},
                                         {{"--tracing-sample-ratio", "0.5"}});
  EXPECT_EQ(configuration.tracing_options().exporter, TraceExporter::otlp);
  EXPECT_EQ(configuration.tracing_options().endpoint, "http://z:9411/api/v2/spans");
  EXPECT_EQ(configuration.tracing_options().sample_ratio, 0.5);
}

TEST(OtelEnvironment, WhatMakesNoSenseIsWarnedOfAndIgnored) {
  const Configuration configuration = of({{"OTEL_TRACES_EXPORTER", "carrier-pigeon"},
                                          {"OTEL_TRACES_SAMPLER", "sometimes"},
                                          {"OTEL_BSP_MAX_QUEUE_SIZE", "many"},
                                          {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                          {"OTEL_SERVICE_NAME", ""}});
  const TracingOptions tracing = configuration.tracing_options();
  EXPECT_EQ(tracing.exporter, TraceExporter::none);
  EXPECT_EQ(tracing.sample_ratio, 1.0);
  EXPECT_EQ(tracing.queue_size, 2048U);
  EXPECT_EQ(tracing.service_name, "concord");
  EXPECT_THAT(configuration.warnings,
              testing::UnorderedElementsAre(HasSubstr("OTEL_TRACES_EXPORTER"), HasSubstr("OTEL_TRACES_SAMPLER"),
                                            HasSubstr("OTEL_BSP_MAX_QUEUE_SIZE"), HasSubstr("grpc")));
}

TEST(OtelEnvironment, TheSdkMayBeSwitchedOff) {
  EXPECT_TRUE(of({{"CONCORD_TRACING_ENABLED", "true"}}).tracing_options().enabled);
  EXPECT_FALSE(of({{"OTEL_SDK_DISABLED", "true"}}).tracing_options().enabled);
}

}  // namespace
}  // namespace concord::config
