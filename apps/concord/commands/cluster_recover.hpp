// Of the subcommands of `cluster`, the one that needs the node's own code and asks nobody.
#pragma once

namespace CLI {
class App;
}

namespace concord::app {

struct Context;

void add_cluster_recover(CLI::App& cluster, Context& context);

}  // namespace concord::app
