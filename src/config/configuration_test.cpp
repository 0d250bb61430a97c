#include "config/configuration.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A file that lives as long as the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    path_ = std::filesystem::path(testing::TempDir()) /
            ("concord-config-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".toml");
    std::ofstream(path_) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

Sources no_sources() { return {.flags = {}, .environment = {}, .default_path = "/nonexistent/concord.toml"}; }

Sources with_file(const TemporaryFile& file) {
  Sources sources = no_sources();
  sources.config_path = file.path();
  return sources;
}

Setting setting(const Configuration& configuration, std::string_view name) {
  for (const Setting& each : configuration.settings()) {
    if (each.key->name == name) return each;
  }
  return {};
}

std::string error_of(const Sources& sources) {
  const auto configuration = load(sources);
  return configuration ? "no error" : configuration.error().message();
}

TEST(Configuration, WithoutSourcesEqualsTheDefaultsOfTheLibrary) {
  const auto configuration = load(no_sources());
  ASSERT_TRUE(configuration) << configuration.error().message();
  const Options options = configuration->database_options();
  const Options defaults;
  EXPECT_EQ(options.name, defaults.name);
  EXPECT_EQ(options.data_dir, defaults.data_dir);
  EXPECT_EQ(options.durability, defaults.durability);
  EXPECT_EQ(options.flush_interval, defaults.flush_interval);
  EXPECT_EQ(options.heartbeat, defaults.heartbeat);
  EXPECT_EQ(options.election_timeout, defaults.election_timeout);
  EXPECT_EQ(options.default_consistency, defaults.default_consistency);
  EXPECT_EQ(options.limits.max_value_bytes, defaults.limits.max_value_bytes);
  EXPECT_EQ(options.limits.max_in_flight, defaults.limits.max_in_flight);
  EXPECT_EQ(options.limits.max_in_flight_bytes, defaults.limits.max_in_flight_bytes);
  EXPECT_EQ(options.snapshot.every_entries, defaults.snapshot.every_entries);
  EXPECT_EQ(options.snapshot.every_bytes, defaults.snapshot.every_bytes);
  EXPECT_EQ(options.event_stream.enabled, defaults.event_stream.enabled);
  EXPECT_EQ(options.event_stream.buffer_size, defaults.event_stream.buffer_size);
  EXPECT_EQ(options.event_stream.history, defaults.event_stream.history);
  EXPECT_EQ(options.event_stream.history_bytes, defaults.event_stream.history_bytes);
  EXPECT_THAT(configuration->warnings, IsEmpty());
}

TEST(Configuration, OfCertificatesBetweenMembersThereAreAllThreeOrNone) {
  Sources sources = no_sources();
  sources.flags = {{"--cluster-tls-cert", "n.crt"}, {"--cluster-tls-ca", "ca.crt"}};
  EXPECT_THAT(error_of(sources), HasSubstr("missing: cluster.tls_key"));
  sources.environment = {{"CONCORD_CLUSTER_TLS_KEY", "n.key"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration) << configuration.error().message();
  const ClusterOptions cluster = configuration->cluster_options();
  EXPECT_EQ(cluster.tls_cert, "n.crt");
  EXPECT_EQ(cluster.tls_key, "n.key");
  EXPECT_EQ(cluster.tls_ca, "ca.crt");
}

TEST(Configuration, AnAuthorityOfClientsNeedsHttps) {
  Sources sources = no_sources();
  sources.flags = {{"--api-tls-client-ca", "ca.crt"}};
  EXPECT_THAT(error_of(sources), HasSubstr("api.tls_client_ca needs api.tls_cert"));
}

TEST(Configuration, FlagsBeatTheEnvironmentWhichBeatsTheFile) {
  const TemporaryFile file("[api]\nhost = \"10.0.0.1\"\nport = 1\nthreads = 3\n");
  Sources sources = with_file(file);
  sources.environment = {{"CONCORD_API_PORT", "2"}, {"CONCORD_API_THREADS", "5"}, {"PATH", "/bin"}};
  sources.flags = {{"--api-port", "3"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration) << configuration.error().message();
  EXPECT_EQ(configuration->text("api.host"), "10.0.0.1");
  EXPECT_EQ(configuration->integer("api.threads"), 5);
  EXPECT_EQ(configuration->integer("api.port"), 3);
  EXPECT_EQ(setting(*configuration, "api.host").origin, "file " + file.path() + ":2");
  EXPECT_EQ(setting(*configuration, "api.threads").origin, "environment CONCORD_API_THREADS");
  EXPECT_EQ(setting(*configuration, "api.port").origin, "flag --api-port");
  EXPECT_EQ(setting(*configuration, "node.name").origin, "default");
}

TEST(Configuration, EveryKeyCanBeGivenByEachOfItsNames) {
  for (const Key& key : keys()) {
    for (const std::string& name : {environment_name(key), short_environment_name(key)}) {
      if (name.empty()) continue;
      Sources sources = no_sources();
      sources.environment = {{name, std::string(key.default_text)}};
      const auto configuration = load(sources);
      ASSERT_TRUE(configuration) << configuration.error().message();
      EXPECT_EQ(setting(*configuration, key.name).origin, "environment " + name);
    }
    for (const std::string& name : {flag_name(key), short_flag_name(key)}) {
      if (name.empty()) continue;
      Sources sources = no_sources();
      sources.flags = {{name, std::string(key.default_text)}};
      const auto configuration = load(sources);
      ASSERT_TRUE(configuration) << configuration.error().message();
      EXPECT_EQ(setting(*configuration, key.name).origin, "flag " + name);
    }
  }
}

TEST(Configuration, NoNameMeansTwoKeys) {
  std::set<std::string> names;
  for (const Key& key : keys()) {
    const std::set<std::string> own = {std::string(key.name), environment_name(key), short_environment_name(key),
                                       flag_name(key), short_flag_name(key)};
    for (const std::string& name : own) EXPECT_TRUE(name.empty() || names.insert(name).second) << name;
  }
}

TEST(Configuration, TheNamesOfAKeyFollowOneRule) {
  const Key* key = find_key("node.data_dir");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(environment_name(*key), "CONCORD_NODE_DATA_DIR");
  EXPECT_EQ(short_environment_name(*key), "CONCORD_DATA_DIR");
  EXPECT_EQ(flag_name(*key), "--node-data-dir");
  EXPECT_EQ(short_flag_name(*key), "--data-dir");
}

TEST(Configuration, TheLongNameWinsAndTheDisagreementIsWarnedAbout) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_DATA_DIR", "short"}, {"CONCORD_NODE_DATA_DIR", "long"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->text("node.data_dir"), "long");
  EXPECT_THAT(configuration->warnings,
              ElementsAre("CONCORD_DATA_DIR and CONCORD_NODE_DATA_DIR disagree; CONCORD_NODE_DATA_DIR is used"));
}

TEST(Configuration, ShortAndLongNamesThatAgreeAreNoWarning) {
  Sources sources = no_sources();
  sources.flags = {{"--data-dir", "same"}, {"--node-data-dir", "same"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration);
  EXPECT_THAT(configuration->warnings, IsEmpty());
}

TEST(Configuration, AllProblemsOfAFileAreNamedWithTheirLines) {
  const TemporaryFile file("[api]\nport = 70000\nprot = 1\n\n[durability]\nmode = \"tape\"\n[nonsense]\nx = true\n");
  const std::string error = error_of(with_file(file));
  EXPECT_THAT(error, HasSubstr(file.path() + ":2: api.port: \"70000\" is not within 0 to 65535"));
  EXPECT_THAT(error, HasSubstr(file.path() + ":3: unknown key \"api.prot\"; did you mean api.port?"));
  EXPECT_THAT(error, HasSubstr(file.path() + ":6: durability.mode: \"tape\" is not one of disk|os|memory"));
  EXPECT_THAT(error, HasSubstr(file.path() + ":8: unknown key \"nonsense.x\""));
}

TEST(Configuration, AFileKeepsTheTypesOfItsValues) {
  const TemporaryFile file("[api]\nport = \"4000\"\nhost = 1\n");
  const std::string error = error_of(with_file(file));
  EXPECT_THAT(error, HasSubstr(":2: api.port: a whole number is expected"));
  EXPECT_THAT(error, HasSubstr(":3: api.host: a string is expected"));
}

TEST(Configuration, AFileThatIsNoTomlIsRefusedWithItsLine) {
  const TemporaryFile file("[api]\nport = = 1\n");
  EXPECT_THAT(error_of(with_file(file)), HasSubstr(file.path() + ":2: "));
}

TEST(Configuration, AFileThatWasAskedForMustExist) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_CONFIG", "/nonexistent/other.toml"}};
  EXPECT_THAT(error_of(sources), HasSubstr("/nonexistent/other.toml"));
}

TEST(Configuration, UnknownFlagsStopTheStartAndUnknownVariablesDoNot) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_SERVICE_HOST", "10.1.2.3"}, {"CONCORD_TOKEN", "x"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration);
  EXPECT_THAT(configuration->warnings,
              ElementsAre("the environment variable CONCORD_SERVICE_HOST is not known and is ignored"));
  sources.flags = {{"--api-prot", "1"}};
  EXPECT_EQ(error_of(sources), "--api-prot: unknown flag; did you mean --api-port?");
}

TEST(Configuration, AKnownVariableWithABadValueStopsTheStart) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_DURABILITY", "none"}};
  EXPECT_EQ(error_of(sources), "CONCORD_DURABILITY: \"none\" is not one of disk|os|memory");
}

TEST(Configuration, AProblemIsNamedOnce) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_API_PORT", "tcp://10.0.0.1:4000"}};  // its short and its long name are one
  EXPECT_EQ(error_of(sources), "CONCORD_API_PORT: \"tcp://10.0.0.1:4000\" is not a whole number");
}

TEST(Configuration, AScheduleOfBackupsIsCheckedAtTheStart) {
  Sources sources = no_sources();
  for (const char* const good : {"off", "6h", "0 2 * * *"}) {
    sources.environment = {{"CONCORD_BACKUP_SCHEDULE", good}};
    EXPECT_TRUE(load(sources)) << good;
  }
  sources.environment = {{"CONCORD_BACKUP_SCHEDULE", "daily"}};
  EXPECT_THAT(error_of(sources), HasSubstr("\"daily\" is no schedule"));
}

TEST(Configuration, CompressionDefaultsAreThoseOfTheLibrary) {
  const CompressionOptions options = load(no_sources()).value().compression_options();
  const CompressionOptions defaults;
  EXPECT_EQ(options.enabled, defaults.enabled);
  EXPECT_EQ(options.algorithm, defaults.algorithm);
  EXPECT_EQ(options.threshold_bytes, defaults.threshold_bytes);
  EXPECT_EQ(options.level, defaults.level);
}

TEST(Configuration, CompressionIsSetByItsFourKeys) {
  const std::pair<std::string, CompressionAlgorithm> algorithms[] = {{"zlib", CompressionAlgorithm::zlib},
                                                                     {"gzip", CompressionAlgorithm::gzip},
                                                                     {"zstd", CompressionAlgorithm::zstd},
                                                                     {"lz4", CompressionAlgorithm::lz4}};
  for (const auto& [name, algorithm] : algorithms) {
    const TemporaryFile file("[compression]\nenabled = false\nalgorithm = \"" + name + "\"\n");
    Sources sources = with_file(file);
    sources.environment = {{"CONCORD_COMPRESSION_THRESHOLD_BYTES", "0"}};
    sources.flags = {{"--compression-level", "9"}};
    const auto configuration = load(sources);
    ASSERT_TRUE(configuration) << configuration.error().message();
    const CompressionOptions options = configuration->compression_options();
    EXPECT_FALSE(options.enabled);
    EXPECT_EQ(options.algorithm, algorithm);
    EXPECT_EQ(options.threshold_bytes, 0U);
    EXPECT_EQ(options.level, 9);
  }
}

TEST(Configuration, BadCompressionValuesStopTheStart) {
  Sources sources = no_sources();
  sources.flags = {{"--compression-level", "10"}, {"--compression-algorithm", "brotli"}};
  const std::string error = error_of(sources);
  EXPECT_THAT(error, HasSubstr("--compression-level: \"10\" is not within 0 to 9"));
  EXPECT_THAT(error, HasSubstr("--compression-algorithm: \"brotli\" is not one of zlib|gzip|zstd|lz4"));
  sources.flags = {{"--compression-level", "-1"}};
  EXPECT_THAT(error_of(sources), HasSubstr("is not within 0 to 9"));
  sources.flags = {{"--compression-threshold-bytes", "-1"}};
  EXPECT_THAT(error_of(sources), HasSubstr("is not within 0 to"));
}

TEST(Configuration, SecretsAreShownNowhere) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_AUTH_TOKEN", "sk_concord_hidden"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration);  // auth.enabled is false: the token has no effect
  EXPECT_THAT(configuration->show(), HasSubstr("auth.token = ****  # environment CONCORD_AUTH_TOKEN\n"));
  EXPECT_THAT(configuration->show(), testing::Not(HasSubstr("hidden")));
  sources.environment = {{"CONCORD_COOKIE", "hidden"}};
  EXPECT_THAT(error_of(sources), testing::Not(HasSubstr("hidden")));
}

TEST(Configuration, AMistypedVariableIsWarnedAboutWithTheNameThatIsMeant) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_API_PROT", "1"}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration);
  EXPECT_THAT(configuration->warnings,
              ElementsAre("the environment variable CONCORD_API_PROT is not known and is ignored; "
                          "did you mean CONCORD_API_PORT?"));
}

TEST(Configuration, ASecretMayStandInAFile) {
  const TemporaryFile file("sk_concord_hidden\n");
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_AUTH_TOKEN_FILE", file.path()}};
  const auto configuration = load(sources);
  ASSERT_TRUE(configuration) << configuration.error().message();
  EXPECT_EQ(configuration->text("auth.token"), "sk_concord_hidden");
  EXPECT_EQ(setting(*configuration, "auth.token").origin, "auth.token_file " + file.path());
  EXPECT_THAT(configuration->show(), testing::Not(HasSubstr("hidden")));
}

TEST(Configuration, EverySecretMayStandInAFile) {
  for (const Key& key : keys()) {
    if (key.secret) {
      EXPECT_NE(file_key(key), nullptr) << key.name;
    }
  }
}

TEST(Configuration, ASecretThatIsGivenTwiceIsRefused) {
  const TemporaryFile file("sk_concord_hidden");
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_AUTH_TOKEN", "sk_concord_hidden"}};
  sources.flags = {{"--auth-token-file", file.path()}};
  EXPECT_EQ(error_of(sources),
            "flag --auth-token-file: auth.token_file: both it and auth.token (environment CONCORD_AUTH_TOKEN) "
            "are given; give one");
}

TEST(Configuration, AFileThatHoldsNoSecretIsRefused) {
  const TemporaryFile empty("\n");
  Sources sources = no_sources();
  sources.flags = {{"--auth-token-file", empty.path()}};
  EXPECT_THAT(error_of(sources), HasSubstr("is empty"));
  sources.flags = {{"--cluster-cookie-file", "/nonexistent/cookie"}};
  EXPECT_THAT(error_of(sources), HasSubstr("/nonexistent/cookie: cannot be read: No such file"));
  sources.flags = {{"--auth-token-file", testing::TempDir()}};
  EXPECT_THAT(error_of(sources), HasSubstr("cannot be read: Is a directory"));
}

TEST(Configuration, ATokenStartsAsTokensDo) {
  Sources sources = no_sources();
  sources.environment = {{"CONCORD_AUTH_TOKEN", "hidden"}};
  EXPECT_EQ(error_of(sources), "environment CONCORD_AUTH_TOKEN: auth.token must start with sk_concord_");
}

TEST(Configuration, ADirectoryIsNoConfigurationFile) {
  Sources sources = no_sources();
  sources.config_path = testing::TempDir();
  EXPECT_THAT(error_of(sources), HasSubstr("cannot be read: Is a directory"));
}

TEST(Configuration, AValueIsOneLine) {
  Sources sources = no_sources();
  sources.flags = {{"--node-name", "n1\nnode.data_dir = /etc"}};
  EXPECT_EQ(error_of(sources), "--node-name: the value holds a control character");
}

TEST(Configuration, ShowPrintsEveryKeyWithItsOrigin) {
  const auto configuration = load(no_sources());
  ASSERT_TRUE(configuration);
  const std::string shown = configuration->show();
  EXPECT_THAT(shown, HasSubstr("node.name = node1@127.0.0.1  # default\n"));
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(shown, '\n')), keys().size());
}

TEST(Configuration, AListIsWrittenByCommaOrAsAnArray) {
  const TemporaryFile file(
      "[api]\nallowed_hosts = [\"a.example\", \"b.example\"]\ncors_origins = \" https://x , https://y,\"\n");
  const auto configuration = load(with_file(file));
  ASSERT_TRUE(configuration) << configuration.error().message();
  EXPECT_THAT(configuration->list("api.allowed_hosts"), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(configuration->list("api.cors_origins"), ElementsAre("https://x", "https://y"));
  EXPECT_EQ(configuration->text("api.cors_origins"), "https://x,https://y");
  EXPECT_THAT(load(no_sources())->list("api.cors_origins"), IsEmpty());
}

TEST(Configuration, AListHoldsStringsOnly) {
  const TemporaryFile file("[api]\nallowed_hosts = [1]\ncors_origins = [\"a,b\"]\n[log]\nlevel = [\"info\"]\n");
  const std::string error = error_of(with_file(file));
  EXPECT_THAT(error, HasSubstr(":2: api.allowed_hosts: a list of strings is expected"));
  EXPECT_THAT(error, HasSubstr(":3: api.cors_origins: a list of strings is expected"));
  EXPECT_THAT(error, HasSubstr(":5: log.level: a string is expected"));
}

TEST(Configuration, WhatNoRequestCanMatchIsRefused) {
  for (const std::string host : {"http://db.example", "db.example:4000", "db.example/"}) {
    Sources sources = no_sources();
    sources.flags = {{"--api-allowed-hosts", "ok.example," + host}};
    EXPECT_EQ(error_of(sources), "flag --api-allowed-hosts: api.allowed_hosts: \"" + host +
                                     "\" is not a name without scheme and port, like db.example.org");
  }
  for (const std::string origin : {"https://app.example/", "app.example", "null", "://x", "https://"}) {
    Sources sources = no_sources();
    sources.flags = {{"--api-cors-origins", origin}};
    EXPECT_THAT(error_of(sources), HasSubstr("api.cors_origins: \"" + origin + "\" is not an origin"));
  }
  Sources sources = no_sources();
  sources.flags = {{"--api-cors-origins", "*"}, {"--api-allowed-hosts", "*"}};
  EXPECT_TRUE(load(sources));
  sources.flags = {{"--api-cors-origins", "http://localhost:3000"}, {"--api-allowed-hosts", "db.example"}};
  EXPECT_TRUE(load(sources));
}

TEST(Configuration, ProblemsOfEveryKindAreNamedTogetherInTheOrderOfTheLines) {
  const TemporaryFile file("port = 1\n[log]\nlevel = 1979-05-27\n[api]\nprot = 2\n[api.more]\nx = 1\n");
  const std::string path = file.path();
  EXPECT_EQ(error_of(with_file(file)), path + ":1: unknown key \"port\" outside of any section\n" + path +
                                           ":3: log.level: a string is expected\n" + path +
                                           ":5: unknown key \"api.prot\"; did you mean api.port?\n" + path +
                                           ":6: unknown key \"api.more\"; did you mean api.port?");
}

TEST(Configuration, AReloadTakesWhatCanChangeAndReportsTheRest) {
  auto running = load(no_sources()).value();
  Sources sources = no_sources();
  sources.environment = {
      {"CONCORD_API_PORT", "4001"}, {"CONCORD_LOG_LEVEL", "debug"}, {"CONCORD_AUTH_TOKEN", "sk_concord_x"}};
  const auto newer = load(sources).value();
  const auto changes = running.reload(newer);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].key->name, "api.port");
  EXPECT_FALSE(changes[0].key->reloadable);
  EXPECT_EQ(changes[0].before, "4000");
  EXPECT_EQ(changes[0].after, "4001");
  EXPECT_EQ(changes[1].key->name, "auth.token");
  EXPECT_EQ(changes[1].after, "****");
  EXPECT_EQ(changes[2].key->name, "log.level");
  EXPECT_TRUE(changes[2].key->reloadable);
  EXPECT_EQ(running.text("log.level"), "debug");
  EXPECT_EQ(setting(running, "log.level").origin, "environment CONCORD_LOG_LEVEL");
  EXPECT_EQ(running.integer("api.port"), 4000);
  EXPECT_EQ(running.reload(newer).size(), 2U);  // both still wait for a restart
}

TEST(Configuration, AnElectionTakesLongerThanAHeartbeat) {
  Sources sources = no_sources();
  sources.flags = {{"--cluster-heartbeat-ms", "600"}};
  EXPECT_THAT(error_of(sources), HasSubstr("must be longer than cluster.heartbeat_ms"));
}

}  // namespace
}  // namespace concord::config
