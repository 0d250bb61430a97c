// The routes of backups: their answers, files that come and go in parts, and what is refused.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;

constexpr std::string_view bytes_field = "Content-Type: application/octet-stream\r\n";

std::string member(const std::string& body, const std::string& name) {
  const std::size_t at = body.find("\"" + name + "\":");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 3;
  if (body[begin] == '"') return body.substr(begin + 1, body.find('"', begin + 1) - begin - 1);
  return body.substr(begin, body.find_first_of(",}", begin) - begin);
}

class BackupApi : public NodeApi {
 protected:
  std::string make() {
    const auto response = call("POST", "/api/v1/backups");
    EXPECT_EQ(response.status, 201) << response.body;
    return member(response.body, "name");
  }
  std::string file(const std::string& name) {
    const auto response = call("GET", "/api/v1/backups/" + name + "?offset=0");
    EXPECT_EQ(response.status, 200);
    return std::string(response.body);
  }
};

TEST_F(BackupApi, ABackupIsMadeListedVerifiedAndRestored) {
  ASSERT_EQ(call("PUT", "/api/v1/kv/a", R"({"value":1})").status, 200);
  const auto made = call("POST", "/api/v1/backups");
  ASSERT_EQ(made.status, 201) << made.body;
  for (const char* const name :
       {"name", "path", "size", "entry_count", "revision", "created_at", "sha256", "node", "version"}) {
    EXPECT_NE(member(made.body, name), "") << name;
  }
  EXPECT_EQ(member(made.body, "entry_count"), "1");
  EXPECT_EQ(member(made.body, "revision"), "1");
  const std::string name = member(made.body, "name");
  EXPECT_THAT(body_of("GET", "/api/v1/backups"), HasSubstr(member(made.body, "sha256")));
  EXPECT_THAT(body_of("POST", "/api/v1/backups/" + name + "/verify"), HasSubstr(R"("data":{"valid":true})"));

  ASSERT_EQ(call("PUT", "/api/v1/kv/a", R"({"value":2})").status, 200);
  ASSERT_EQ(call("PUT", "/api/v1/kv/b", R"({"value":2})").status, 200);
  EXPECT_EQ(body_of("POST", "/api/v1/backups/" + name + "/restore", R"({"confirm":true})"),
            R"({"status":"ok","revision":4,"data":{"entry_count":1}})");
  EXPECT_THAT(body_of("GET", "/api/v1/kv/a"), HasSubstr(R"("value":1)"));
  EXPECT_EQ(call("GET", "/api/v1/kv/b").status, 404);
  EXPECT_THAT(body_of("POST", "/api/v1/backups/cleanup", R"({"keep_count":0})"), HasSubstr(R"("deleted":1)"));
  EXPECT_THAT(body_of("GET", "/api/v1/backups"), HasSubstr(R"("backups":[])"));
}

TEST_F(BackupApi, ARestoreWantsToBeConfirmed) {
  const std::string target = "/api/v1/backups/" + make() + "/restore";
  for (const char* const body :
       {R"({"confirm":false})", "{}", "", R"({"confirm":"true"})", R"({"confirm":true,"x":1})"}) {
    const auto response = call("POST", target, body);
    EXPECT_EQ(response.status, 400) << body << response.body;
  }
  EXPECT_EQ(call("POST", "/api/v1/backups/no.backup/restore", R"({"confirm":true})").status, 404);
}

TEST_F(BackupApi, AFileGoesAwayAndComesBack) {
  ASSERT_EQ(call("PUT", "/api/v1/kv/a", R"({"value":1})").status, 200);
  const std::string name = make();
  const std::string bytes = file(name);
  std::string parts;
  for (std::size_t offset = 0; offset < bytes.size(); offset += 100) {
    parts += call("GET", "/api/v1/backups/" + name + "?limit=100&offset=" + std::to_string(offset)).body;
  }
  EXPECT_EQ(parts, bytes);
  const auto stream = call("GET", "/api/v1/backups/" + name);
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(stream.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(stream.header("Transfer-Encoding"), "chunked");

  EXPECT_EQ(call("PUT", "/api/v1/backups/other.backup", bytes, bytes_field).status, 200);
  EXPECT_EQ(file("other.backup"), bytes);
  EXPECT_EQ(call("PUT", "/api/v1/backups/p.backup?more=true", bytes.substr(0, 50), bytes_field).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/backups/p.backup").status, 404);
  EXPECT_EQ(call("PUT", "/api/v1/backups/p.backup?offset=60", bytes.substr(60), bytes_field).status, 400);
  EXPECT_EQ(call("PUT", "/api/v1/backups/p.backup?offset=50", bytes.substr(50), bytes_field).status, 200);
  EXPECT_EQ(file("p.backup"), bytes);
}

TEST_F(BackupApi, ABadFileIsRefusedByItsCode) {
  const std::string name = make();
  std::string bytes = file(name);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const auto refused = call("PUT", "/api/v1/backups/bad.backup", bytes, bytes_field);
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("INVALID_BACKUP"));
  EXPECT_EQ(call("GET", "/api/v1/backups/bad.backup").status, 404);
  std::ofstream(database_->options().backup.dir / "bad.backup", std::ios::binary) << bytes;
  EXPECT_THAT(body_of("POST", "/api/v1/backups/bad.backup/verify"), HasSubstr(R"("valid":false,"reason":")"));
  const auto restored = call("POST", "/api/v1/backups/bad.backup/restore", R"({"confirm":true})");
  EXPECT_EQ(restored.status, 422) << restored.body;
  EXPECT_THAT(restored.body, HasSubstr("INVALID_BACKUP"));
}

TEST_F(BackupApi, NoNameLeadsOut) {
  for (const char* const name :
       {"..%2Fconcord.backup", "%2Fetc%2Fpasswd", "..", "%2e%2e%2fx.backup", ".x.backup", "x"}) {
    const std::string target = "/api/v1/backups/" + std::string(name);
    EXPECT_EQ(call("GET", target).status, 404) << name;
    EXPECT_EQ(call("POST", target + "/verify").status, 404) << name;
    EXPECT_EQ(call("POST", target + "/restore", R"({"confirm":true})").status, 404) << name;
    EXPECT_EQ(call("PUT", target, "x", bytes_field).status, 400) << name;
  }
  EXPECT_EQ(call("PUT", "/api/v1/backups/cleanup", "x", bytes_field).status, 405);
  EXPECT_EQ(call("PUT", "/api/v1/backups/x.backup", "{}", "Content-Type: application/json\r\n").status, 415);
}

}  // namespace
}  // namespace concord::http
