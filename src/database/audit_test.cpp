// Embedded calls in the audit log.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concord/audit_log.hpp>
#include <concord/auth.hpp>
#include <concord/backup.hpp>
#include <concord/node.hpp>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view first_secret = "sk_concord_the_first_token_of_these_tests";

class EmbeddedAudit : public testing::Test {
 protected:
  [[nodiscard]] Options options() const {
    Options options = directory_.options();
    options.audit_log.enabled = true;
    options.audit_log.log_dir = audit_directory_;
    return options;
  }
  EmbeddedAudit() { std::filesystem::remove_all(audit_directory_); }
  ~EmbeddedAudit() override { std::filesystem::remove_all(audit_directory_); }

  static std::vector<std::string> entries(Node& node, const AuditQuery& query = {}, const ReadOptions& options = {}) {
    std::vector<std::string> found;
    const auto all = AuditLog(node).query(query, options);
    EXPECT_TRUE(all) << all.error().message();
    if (!all) return found;
    for (const AuditEntry& entry : *all) found.push_back(entry.operation + " " + entry.result);
    return found;
  }

  StoreDirectory directory_;
  const std::filesystem::path audit_directory_ =
      std::filesystem::temp_directory_path() / ("concord_embedded_audit." + std::to_string(::getpid()));
};

TEST_F(EmbeddedAudit, EveryChangeLeavesOneEntry) {
  Node node = StoreDirectory::open(options());
  ASSERT_TRUE(node.put("a", 1, {.ttl = 60s}));
  EXPECT_FALSE(node.create("a", 2));
  EXPECT_TRUE(node.put_if("a", 2, {.expected = Value(1)}));
  EXPECT_TRUE(node.get("a"));
  EXPECT_TRUE(node.touch("a", 5s));
  EXPECT_TRUE(node.put_many({{.key = "b", .value = 1}, {.key = "c", .value = 1}}));
  EXPECT_TRUE(node.commit({.guards = {{.key = "a", .exists = false}},
                           .then = {Operation::put("a", 1)},
                           .otherwise = {Operation::del("c")}}));
  EXPECT_TRUE(node.delete_where({.prefix = "b"}));
  EXPECT_TRUE(node.del("a"));
  EXPECT_FALSE(node.del("a"));
  std::promise<Result<Revision>> put;
  node.async_put("d", 1, {}, [&put](Result<Revision> revision) { put.set_value(std::move(revision)); });
  EXPECT_TRUE(put.get_future().get());
  EXPECT_TRUE(node.trigger_snapshot());
  EXPECT_FALSE(node.put("", 1));
  EXPECT_THAT(entries(node), ElementsAre("put error", "snapshot_trigger ok", "put ok", "delete not_found", "delete ok",
                                         "delete_where ok", "txn ok", "put_many ok", "touch ok", "put_if ok",
                                         "put_if error", "put ok"));
  const auto all = AuditLog(node).query({.operation = "put", .result = "ok"});
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ(all->back().metadata, (boost::json::object{{"has_ttl", true}, {"ttl_seconds", 60}, {"compressed", false}}));
  EXPECT_EQ(all->back().revision, Revision(1));
  EXPECT_THAT(all->back().key_hash, HasSubstr("sha256:ca978112"));
  EXPECT_EQ(AuditLog(node).query({.operation = "put_if", .result = "error"})->front().error, "CONDITION_FAILED");
}

TEST_F(EmbeddedAudit, ARestoreIsToldWithItsRevision) {
  Options with_backups = options();
  with_backups.backup.dir = audit_directory_ / "backups";
  Node node = StoreDirectory::open(with_backups);
  ASSERT_TRUE(node.put("a", 1));
  Backup backup(node);
  const auto made = backup.create();
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_TRUE(node.put("a", 2));
  const auto restored = backup.restore(made->path);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->revision, Revision(3));
  EXPECT_EQ(AuditLog(node).query({.operation = "backup_restore"})->front().revision, Revision(3));
}

TEST_F(EmbeddedAudit, TheLogIsReachedByItsShortNames) {
  Node node = StoreDirectory::open(options());
  AuditLog audit(node);
  ASSERT_TRUE(audit.log({.operation = "data_import", .key = "batch:1", .metadata = {{"records", 5000}}}));
  ASSERT_TRUE(audit.rotate());
  EXPECT_EQ(audit.cleanup(), 0U);
  EXPECT_TRUE(audit.verify()->valid);
  EXPECT_THAT(entries(node), ElementsAre("audit_cleanup ok", "audit_rotate ok", "data_import ok"));
  EXPECT_EQ(audit.query({.operation = "data_import"})->front().metadata, (boost::json::object{{"records", 5000}}));
  const auto stats = audit.stats();
  EXPECT_TRUE(stats->enabled);
  EXPECT_EQ(stats->files, 2U);
  EXPECT_EQ(stats->log_dir, audit_directory_.string());
  const std::string file = (directory_.options().data_dir.parent_path() / "audit_export.jsonl").string();
  std::filesystem::remove(file);
  EXPECT_EQ(audit.export_to(file, {.operation = "data_import"}), 1U);
  EXPECT_EQ(audit.export_to(file).error().code(), Errc::already_exists);
  std::ifstream exported(file);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(exported), {}), HasSubstr("data_import"));
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  std::filesystem::remove(file);
  EXPECT_EQ(audit.log({.operation = ""}).error().code(), Errc::invalid_request);
}

TEST_F(EmbeddedAudit, ReadsAreWrittenWhenAskedFor) {
  Options with_reads = options();
  with_reads.audit_log.log_reads = true;
  Node node = StoreDirectory::open(with_reads);
  EXPECT_FALSE(node.get("a"));
  EXPECT_TRUE(node.keys({}));
  EXPECT_THAT(entries(node, {.limit = 2}), ElementsAre("query ok", "get not_found"));
}

TEST_F(EmbeddedAudit, WhoIsRefusedLeavesAnEntryAndNoSecretDoes) {
  Options with_auth = options();
  with_auth.auth = {.enabled = true, .token = std::string(first_secret)};
  std::string secret;
  {
    Node node = StoreDirectory::open(with_auth);
    const auto made = Auth(node).create({.permissions = {Permission::read}}, {.token = first_secret});
    ASSERT_TRUE(made);
    secret = made->secret;
    EXPECT_FALSE(node.get("a", {.token = "sk_concord_unknown"}));
    EXPECT_FALSE(node.put("a", 1, {.token = secret}));
    EXPECT_FALSE(AuditLog(node).query({}, {.token = secret}));
    EXPECT_TRUE(Auth(node).revoke_secret(secret, {.token = first_secret}));
    EXPECT_FALSE(Auth(node).revoke(secret, {.token = first_secret}));
    EXPECT_THAT(entries(node, {}, {.token = first_secret}),
                ElementsAre("token_revoke not_found", "token_revoke ok", "audit_query forbidden", "put forbidden",
                            "get unauthorized", "token_create ok"));
    const auto forbidden = AuditLog(node).query({.operation = "put"}, {.token = first_secret});
    EXPECT_EQ(forbidden->front().user, "token:" + made->info.id);
  }
  for (const auto& file : std::filesystem::directory_iterator(audit_directory_)) {
    std::ifstream input(file.path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(input), {});
    EXPECT_THAT(text, Not(HasSubstr(secret.substr(11)))) << file.path();
    EXPECT_THAT(text, Not(HasSubstr("sk_concord_"))) << file.path();
  }
}

TEST_F(EmbeddedAudit, WithoutALogItsCallsSaySo) {
  Options without = options();
  without.audit_log.enabled = false;
  Node node = StoreDirectory::open(without);
  EXPECT_EQ(AuditLog(node).query().error().code(), Errc::not_found);
  EXPECT_EQ(AuditLog(node).verify().error().code(), Errc::not_found);
  EXPECT_FALSE(AuditLog(node).stats()->enabled);
  EXPECT_FALSE(std::filesystem::exists(audit_directory_));
}

TEST_F(EmbeddedAudit, ASecondNodeNeedsADirectoryOfItsOwn) {
  Node node = StoreDirectory::open(options());
  Options second = directory_.options();
  second.data_dir += ".second";
  second.audit_log = options().audit_log;
  const auto refused = Node::open(second);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("audit_log.log_dir"));
  std::filesystem::remove_all(second.data_dir);
}

}  // namespace
}  // namespace concord::database
