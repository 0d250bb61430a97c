// The tested store of database_test: a node.
#include <utility>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

class TestedNode final : public TestedStore {
 public:
  explicit TestedNode(Options options) : node_(StoreDirectory::open(std::move(options))) {}
  Store& store() override { return node_; }

 private:
  Node node_;
};

}  // namespace

std::unique_ptr<TestedStore> open_tested(Options options) { return std::make_unique<TestedNode>(std::move(options)); }

bool is_remote() { return false; }

}  // namespace concord::database
