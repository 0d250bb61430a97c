// For tests: a server over a real node, with one connection to it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "database/local_database.hpp"
#include "http/server.hpp"
#include "http/testing_client.hpp"

namespace concord::http {

class NodeApi : public testing::Test {
 protected:
  explicit NodeApi(Settings settings = {}, Options options = {}) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() / ("concord_" + std::string(test->test_suite_name()) + "." +
                                                           std::to_string(::getpid()) + "." + test->name());
    std::filesystem::remove_all(directory_);
    options.data_dir = directory_;
    options.backup.dir = directory_ / "backups";
    options.durability = Durability::memory;
    options.metrics.enabled = true;
    auto database = database::LocalDatabase::open_local(options);
    EXPECT_TRUE(database) << database.error().message();
    database_ = std::move(*database);
    settings.port = 0;
    settings.threads = 2;
    auto server = Server::start(*database_, std::move(settings));
    EXPECT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    client_.emplace(server_->port());
  }
  ~NodeApi() override {
    client_.reset();
    server_->stop(std::chrono::seconds(5));
    database_->close(std::chrono::seconds(5));
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  /// `fields`: further header lines, with their line ends.
  TestingResponse call(std::string_view method, std::string_view target, std::string_view body = {},
                       std::string_view fields = {}) {
    client_->send(request_text(method, target, body, fields));
    auto response = client_->receive(method == "HEAD").value_or(TestingResponse{});
    if (response.header("Connection") == "close") client_.emplace(server_->port());  // an answer that goes on, say
    return response;
  }
  std::string body_of(std::string_view method, std::string_view target, std::string_view body = {}) {
    const TestingResponse response = call(method, target, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.body;
  }
  void expect_error(const TestingResponse& response, int status, std::string_view code, std::string_view message = "") {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_NE(response.body.find("\"code\":\"" + std::string(code) + "\""), std::string::npos) << response.body;
    EXPECT_NE(response.body.find(message), std::string::npos) << response.body;
  }

  std::filesystem::path directory_;
  std::unique_ptr<database::LocalDatabase> database_;
  std::unique_ptr<Server> server_;
  std::optional<TestingClient> client_;
};

}  // namespace concord::http
