// The tested store of client_store_test: a client of a server, over a database in this process.
#include <utility>

#include "database/local_database.hpp"
#include "database/testing_store.hpp"
#include "http/server.hpp"

namespace concord::database {
namespace {

class TestedClient final : public TestedStore {
 public:
  explicit TestedClient(Options options) {
    auto database = LocalDatabase::open_local(std::move(options));
    EXPECT_TRUE(database) << message(database);
    database_ = std::move(*database);
    auto server = http::Server::start(*database_, {.port = 0, .threads = 1});
    EXPECT_TRUE(server) << message(server);
    server_ = std::move(*server);
    auto client = Client::connect({server_->url()});
    EXPECT_TRUE(client) << message(client);
    client_.emplace(std::move(*client));
  }
  ~TestedClient() override {
    client_.reset();
    server_->stop(std::chrono::seconds(3));
    database_->close(std::chrono::seconds(1));
  }
  Store& store() override { return *client_; }

 private:
  std::unique_ptr<LocalDatabase> database_;
  std::unique_ptr<http::Server> server_;
  std::optional<Client> client_;
};

}  // namespace

std::unique_ptr<TestedStore> open_tested(Options options) { return std::make_unique<TestedClient>(std::move(options)); }

bool is_remote() { return true; }

}  // namespace concord::database
