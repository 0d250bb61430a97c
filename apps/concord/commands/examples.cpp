#include "commands/examples.hpp"

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace concord::app {
namespace {

struct Example {
  std::string_view command;  ///< "kv put"
  std::string_view lines;
};

// A test runs over all subcommands and finds an example of each.
constexpr Example examples[] = {
    {"start",
     "concord start --node-data-dir /var/lib/concord\n"
     "concord start --config /etc/concord/concord.toml --api-port 4001\n"
     "concord start --node-name n1 --cluster-initial n1=10.0.0.1:9100,n2=10.0.0.2:9100,n3=10.0.0.3:9100 "
     "--cluster-peer-host 10.0.0.1 --cluster-cookie-file /etc/concord/cookie"},
    {"debug bigkeys", "concord debug bigkeys --prefix session/ --top 10"},
    {"debug hotkeys", "concord debug hotkeys --duration 30s --reads"},
    {"debug bundle",
     "concord debug bundle --endpoint http://10.0.0.1:4000 --endpoint http://10.0.0.2:4000\n"
     "concord debug bundle --out - | jq .endpoints[0].status"},
    {"debug log verify", "concord debug log verify /var/lib/concord"},
    {"debug log dump", "concord debug log dump /var/lib/concord --from 1000"},
    {"kv put",
     "concord kv put flags/dark-mode true\n"
     "concord kv put session/17 '{\"user\":17}' --ttl 3600\n"
     "concord kv put logo - --raw < logo.png"},
    {"kv get",
     "concord kv get flags/dark-mode\n"
     "concord kv get session/17 --output json --consistency strong\n"
     "concord kv get logo --raw > logo.png"},
    {"kv delete", "concord kv delete session/17"},
    {"kv touch", "concord kv touch session/17 3600"},
    {"kv ttl", "concord kv ttl session/17"},
    {"kv cas",
     "concord kv cas leader null '\"node1\"'\n"
     "concord kv cas counter 41 42"},
    {"kv list",
     "concord kv list --prefix session/ --with-ttl\n"
     "concord kv list --start a --end b --keys-only --limit 100"},
    {"kv bulk-load",
     "concord kv bulk-load users.jsonl\n"
     "concord kv bulk-load users.csv --from-line 1501\n"
     "zcat users.csv.gz | concord kv bulk-load - --format csv"},
    {"import",
     "etcdctl get --prefix '' -w json | concord import - --format etcd\n"
     "concord import consul.json --format consul --prefix consul/ --dry-run\n"
     "concord import redis.jsonl --format redis --if-absent\n"
     "concord import all.jsonl --strip-prefix old/ --prefix new/"},
    {"export", "concord export --prefix users/ users.jsonl"},
    {"kv export",
     "concord kv export all.jsonl\n"
     "concord kv export --prefix users/ users.csv\n"
     "concord kv export | gzip > all.jsonl.gz"},
    {"query keys", "concord query keys --prefix users/ --filter '{\"age\":{\"$gte\":18}}'"},
    {"query where", "concord query where --pattern '^users/[0-9]+$' --output json"},
    {"query count", "concord query count --prefix session/"},
    {"query delete", "concord query delete --prefix session/ --filter '{\"user\":17}'"},
    {"txn",
     "concord txn move.json\n"
     "echo '{\"guards\":[{\"key\":\"a\",\"exists\":false}],\"then\":[{\"op\":\"put\",\"key\":\"a\",\"value\":1}]}' | "
     "concord txn -"},
    {"token create",
     "concord token create --permissions read,write --prefix app/ --description 'the web servers'\n"
     "concord token create --permissions read --expires-in 86400"},
    {"token list", "concord token list --output json"},
    {"token revoke",
     "concord token revoke 0f1e2d3c4b5a6978\n"
     "concord token revoke - < leaked-token"},
    {"role set",
     "concord role set editor --grant read,write:docs/ --grant read:logs/\n"
     "concord role set operator --grant admin"},
    {"role list", "concord role list --output json"},
    {"role show", "concord role show editor"},
    {"role delete", "concord role delete editor"},
    {"user set",
     "concord user set ada --role editor --tenant acme\n"
     "concord user set ada --disabled\n"
     "concord user set ada --enabled --no-tenant"},
    {"user list", "concord user list"},
    {"user show", "concord user show ada"},
    {"user delete", "concord user delete ada"},
    {"tenant set", "concord tenant set acme --prefix acme/ --max-keys 100000 --max-bytes 1000000000"},
    {"tenant list", "concord tenant list"},
    {"tenant show", "concord tenant show acme --output json"},
    {"tenant delete", "concord tenant delete acme"},
    {"audit query",
     "concord audit query --operation delete --from 2026-02-03\n"
     "concord audit query --result error --limit 20 --output json"},
    {"audit export", "concord audit export errors.jsonl --result error"},
    {"audit log", "concord audit log data_import --key batch:1 --metadata '{\"records\": 5000}'"},
    {"audit rotate", "concord audit rotate"},
    {"audit cleanup", "concord audit cleanup"},
    {"audit stats", "concord audit stats --output json"},
    {"audit verify",
     "concord audit verify\n"
     "concord audit verify /var/log/concord --key-file /root/audit.key"},
    {"cluster token create", "concord cluster token create --permissions read"},
    {"cluster token revoke", "concord cluster token revoke 0f1e2d3c4b5a6978"},
    {"backup create",
     "concord backup create\n"
     "concord backup create --path /mnt/backups\n"
     "concord backup create --output json | jq -r .sha256"},
    {"backup list",
     "concord backup list\n"
     "concord backup list --path /mnt/backups"},
    {"backup verify", "concord backup verify /mnt/backups/concord_backup_20251023T143052.backup"},
    {"backup restore",
     "concord backup restore /mnt/backups/concord_backup_20251023T143052.backup\n"
     "concord backup restore concord_backup_20251023T143052.backup --force\n"
     "concord backup restore concord_backup_20251023T143052.backup --prefix config/"},
    {"backup cleanup",
     "concord backup cleanup --keep-count 24 --keep-days 7\n"
     "concord backup cleanup --path /mnt/backups --keep-count 5"},
    {"cert generate", "concord cert generate --out certificates --host db1.example.org --host 10.0.0.1"},
    {"watch",
     "concord watch --pattern '^users/' --types put,delete\n"
     "concord watch --after-revision 0 --output json > changes.jsonl\n"
     "concord watch --prefix config/ -- sh -c 'echo \"$CONCORD_WATCH_KEY changed\"'"},
    {"cluster status",
     "concord cluster status --output json\n"
     "concord cluster status --watch --interval 1"},
    {"cluster recover",
     "concord cluster recover --data-dir /var/lib/concord --inspect\n"
     "concord cluster recover --data-dir /mnt/n1 --data-dir /mnt/n4\n"
     "concord cluster recover --data-dir /var/lib/concord"},
    {"cluster members", "concord --endpoint http://10.0.0.1:4000,http://10.0.0.2:4000 cluster members"},
    {"cluster add",
     "concord cluster add n4 10.0.0.4:9100\n"
     "CONCORD_COOKIE_FILE=/etc/concord/cookie concord start --node-name n4 --cluster-peer-host 10.0.0.4 "
     "--cluster-join 10.0.0.1:9100"},
    {"cluster remove", "concord --endpoint http://10.0.0.1:4000 cluster remove n4"},
    {"cluster promote", "concord cluster promote n4 --timeout 60"},
    {"cluster transfer-leader",
     "concord cluster transfer-leader n2\n"
     "concord cluster transfer-leader"},
    {"cluster snapshot", "concord --endpoint http://10.0.0.2:4000 cluster snapshot"},
    {"config show",
     "concord config show --config /etc/concord/concord.toml\n"
     "concord config show --output json | jq -r '.[] | select(.key == \"node.data_dir\").value'"},
    {"config check", "concord config check --config /etc/concord/concord.toml"},
    {"bench",
     "concord bench --duration 30 --connections 64 --mix 9:1\n"
     "concord bench --mix 0:1 --bulk 500 --output json\n"
     "concord bench --endpoint http://10.0.0.1:4000,http://10.0.0.2:4000 --mix 1:0 --consistency strong"},
    {"completion bash", "source <(concord completion bash)"},
    {"completion zsh", "concord completion zsh > \"${fpath[1]}/_concord\""},
    {"completion fish", "concord completion fish > ~/.config/fish/completions/concord.fish"},
    {"man", "concord man > concord.1 && man -l concord.1"},
    {"version", "concord version"},
};

void add_to(CLI::App& command, const std::string& path) {
  for (const Example& example : examples) {
    if (example.command != path) continue;
    std::string footer = "Examples:\n  ";
    for (const char c : example.lines) footer += c == '\n' ? std::string("\n  ") : std::string(1, c);
    command.footer(footer);
  }
  for (CLI::App* each : command.get_subcommands({})) {
    add_to(*each, path.empty() ? each->get_name() : path + " " + each->get_name());
  }
}

}  // namespace

void add_examples(CLI::App& app) { add_to(app, ""); }

}  // namespace concord::app
