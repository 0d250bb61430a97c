// Configuration: any file, flags and environment are taken or refused as their author's mistake, the same way each time; what is taken
// is in its normal form, hides secrets, and can be used.
// Input: decisions about flags and variables, then the file.
#include "config/configuration.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "base/check.hpp"
#include "config/key_table.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using config::Configuration;
using config::Key;
using config::Sources;

/// A file that has a path and no place on a disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("concord.toml", MFD_CLOEXEC)) {
    CONCORD_CHECK(descriptor_ >= 0, "a file in memory");
    CONCORD_CHECK(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                  "with all its bytes");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

const Key& some_key(Input& input) { return config::keys()[input.below(256) % config::keys().size()]; }

/// Files are only those of the input: a secret's file could be any device of this machine.
std::string some_value(Input& input, const Key& key) {
  switch (input.below(4)) {
    case 0: return std::string(key.default_text);
    case 1: return std::to_string(input.number());
    case 2: return std::string(key.choices.substr(0, key.choices.find('|')));
    default: return std::string(input.text(40));
  }
}

config::NamedValues some_values(Input& input, std::string (*name_of)(const Key&),
                                std::string (*short_name_of)(const Key&)) {
  config::NamedValues values;
  for (std::size_t left = input.below(5); left > 0; --left) {
    const Key& key = some_key(input);
    std::string name = input.below(4) == 0 ? short_name_of(key) : name_of(key);
    if (input.below(16) == 15) name += input.text(8);
    if (!name.empty() && !name.ends_with("file") && !name.ends_with("FILE"))
      values.emplace_back(name, some_value(input, key));
  }
  return values;
}

void check_taken(Configuration& taken, const Configuration& again) {
  CONCORD_CHECK(taken.settings().size() == config::keys().size(), "every key has a value");
  for (std::size_t at = 0; at < taken.settings().size(); ++at) {
    const config::Setting& setting = taken.settings()[at];
    CONCORD_CHECK(setting.value == again.settings()[at].value && setting.origin == again.settings()[at].origin,
                  "the same each time");
    const bool is_empty = setting.value.empty();
    if (!is_empty) {
      const auto normal = config::normalise(*setting.key, setting.value);
      CONCORD_CHECK(normal && *normal == setting.value, "values are in their normal form");
    }
    CONCORD_CHECK(!setting.key->secret || is_empty || config::shown(setting) != setting.value, "secrets are not shown");
  }
  (void)taken.show();
  (void)taken.database_options();
  (void)taken.cluster_options();
  CONCORD_CHECK(Compression::check(taken.compression_options()).has_value(), "compression can be used");
  CONCORD_CHECK(taken.reload(again).empty(), "nothing has changed");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  Sources sources;
  sources.flags = some_values(input, config::flag_name, config::short_flag_name);
  sources.environment = some_values(input, config::environment_name, config::short_environment_name);
  const std::string_view text = input.rest();
  if (text.find("_file") != std::string_view::npos) return;
  const MemoryFile file(text);
  sources.config_path = file.path();
  auto taken = config::load(sources);
  const auto again = config::load(sources);
  CONCORD_CHECK(taken.has_value() == again.has_value(), "the same each time");
  if (taken) return check_taken(*taken, *again);
  CONCORD_CHECK(taken.error().code() == Errc::invalid_request && !taken.error().message().empty(),
                "refused with a reason");
  CONCORD_CHECK(taken.error().message() == again.error().message(), "the same reason each time");
}

std::vector<std::string> seeds() {
  std::string whole(2, '\0');  // no flag, no variable
  std::string_view section;
  for (const Key& key : config::keys()) {
    const std::string_view name = key.name;
    const std::size_t dot = name.find('.');
    if (name.substr(0, dot) != section) {
      section = name.substr(0, dot);
      whole += "[" + std::string(section) + "]\n";
    }
    const bool is_bare = key.type == config::KeyType::integer || key.type == config::KeyType::number ||
                         key.type == config::KeyType::boolean;
    const std::string quote = is_bare ? "" : "\"";
    whole += std::string(name.substr(dot + 1)) + " = " + quote + std::string(key.default_text) + quote + "\n";
  }
  std::vector<std::string> inputs = {
      whole, std::string(2, '\0') + "[node]\nname = \"n\"\n[cluster]\njoin = [\"a:1\", 'b:2']\n"};
  for (std::string& input : arbitrary_inputs(8)) inputs.push_back(std::move(input));
  return inputs;
}

}  // namespace concord::fuzz
