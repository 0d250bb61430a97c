#include <concord/recipes/service_registry.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include "recipes/lease.hpp"

namespace concord {

using recipes::Lease;

namespace {

constexpr std::array<std::string_view, 3> health_names{"healthy", "unhealthy", "draining"};

bool is_name(std::string_view name) { return !name.empty() && !name.contains('/'); }

boost::json::value to_json(const ServiceInstance& instance) {
  return {{"host", instance.host},
          {"port", instance.port},
          {"health", service_health_name(instance.health)},
          {"metadata", boost::json::value_from(instance.metadata)}};
}

template <class T>
bool read_member(const boost::json::object& object, std::string_view name, T& member) {
  const auto* found = object.if_contains(name);
  if (found == nullptr) return true;
  auto value = boost::json::try_value_to<T>(*found);
  if (value) member = std::move(*value);
  return value.has_value();
}

std::optional<ServiceHealth> health_of(std::string_view name) {
  for (std::size_t at = 0; at < health_names.size(); ++at) {
    if (health_names[at] == name) return static_cast<ServiceHealth>(at);
  }
  return std::nullopt;
}

std::optional<ServiceInstance> from_value(std::string_view id, const Value& value) {
  const auto json = value.json();
  if (!json || !json->is_object()) return std::nullopt;
  const boost::json::object& object = json->get_object();
  ServiceInstance instance{.id = std::string(id)};
  std::string health;  // to be there: the store's filter asks for it
  if (!read_member(object, "host", instance.host) || !read_member(object, "port", instance.port) ||
      !read_member(object, "health", health) || !read_member(object, "metadata", instance.metadata)) {
    return std::nullopt;
  }
  const auto known = health_of(health);
  if (!known) return std::nullopt;
  instance.health = *known;
  return instance;
}

/// The value with another health, and whatever else it has.
Result<Value> with_health(const Value& value, ServiceHealth health) {
  auto json = value.json();
  if (!json || !json->is_object()) return fail(Errc::invalid_request, "the key holds no service instance");
  json->get_object()["health"] = service_health_name(health);
  return Value(*json);
}

void take_out(const std::unique_ptr<Lease>& lease) noexcept {
  if (lease) (void)lease->release();
}

}  // namespace

std::string_view service_health_name(ServiceHealth health) noexcept {
  return health_names[static_cast<std::size_t>(health)];
}

// ---------------------------------------------------------------------------------------------------------------------
// A registration.

ServiceRegistration::ServiceRegistration(std::unique_ptr<Lease> lease) noexcept : lease_(std::move(lease)) {}
ServiceRegistration::ServiceRegistration(ServiceRegistration&&) noexcept = default;
ServiceRegistration& ServiceRegistration::operator=(ServiceRegistration&& other) noexcept {
  if (this != &other) take_out(lease_);
  lease_ = std::move(other.lease_);
  return *this;
}
ServiceRegistration::~ServiceRegistration() { take_out(lease_); }

Result<void> ServiceRegistration::heartbeat() { return lease_->renew(); }
Result<void> ServiceRegistration::remove() { return lease_->release(); }
Result<void> ServiceRegistration::set_health(ServiceHealth health) {
  return lease_->rewrite([health](const Value& value) { return with_health(value, health); });
}

// ---------------------------------------------------------------------------------------------------------------------
// The registry.

ServiceRegistry::ServiceRegistry(Store& store, ServiceRegistryOptions options)
    : store_(&store), options_(std::move(options)) {}

Result<std::string> ServiceRegistry::key_of(std::string_view service, std::string_view id) const {
  if (!is_name(service) || !is_name(id)) {
    return fail(Errc::invalid_request, "services and instances need a name without '/'");
  }
  return options_.prefix + std::string(service) + '/' + std::string(id);
}

ReadOptions ServiceRegistry::for_read() const {
  return {.consistency = options_.consistency, .timeout = options_.timeout, .token = options_.token};
}

Result<ServiceRegistration> ServiceRegistry::add(std::string_view service, const ServiceInstance& instance) {
  const auto key = key_of(service, instance.id);
  if (!key) return std::unexpected(key.error());
  const auto asked_at = recipes::steady_clock::now();
  // Removed first, so that the key is a new one: what an earlier registration still sends is not for it.
  const Transaction replace{.then = {Operation::del(*key), Operation::put(*key, to_json(instance), options_.ttl)}};
  const auto done = store_->commit(replace, {.timeout = options_.timeout, .token = options_.token});
  if (!done) return std::unexpected(done.error());
  return ServiceRegistration(std::make_unique<Lease>(
      *store_, *key, recipes::LeaseTerms{.ttl = options_.ttl, .timeout = options_.timeout, .token = options_.token},
      done->revision, done->revision, asked_at));
}

Result<std::vector<ServiceInstance>> ServiceRegistry::healthy(std::string_view service) const {
  return find(service, Filter(R"({"health": "healthy"})"));
}

Result<std::vector<ServiceInstance>> ServiceRegistry::instances(std::string_view service) const {
  return find(service, {});
}

Result<std::vector<ServiceInstance>> ServiceRegistry::find(std::string_view service, Predicate filter) const {
  if (!is_name(service)) return fail(Errc::invalid_request, "a service needs a name without '/'");
  const std::string prefix = options_.prefix + std::string(service) + '/';
  std::vector<ServiceInstance> found;
  const auto done = store_->scan(
      {.prefix = prefix, .filter = std::move(filter)},
      [&](const Item& item) {
        if (auto instance = from_value(std::string_view(item.key).substr(prefix.size()), item.entry.value)) {
          found.push_back(std::move(*instance));
        }
        return true;
      },
      for_read());
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<std::vector<std::string>> ServiceRegistry::services() const {
  const auto keys = store_->keys({.prefix = options_.prefix}, for_read());
  if (!keys) return std::unexpected(keys.error());
  std::vector<std::string> names;  // those of one service stand together, but "a-b/1" before "a/1"
  for (std::string_view key : *keys) {
    key.remove_prefix(options_.prefix.size());
    const std::string_view name = key.substr(0, key.find('/'));
    if (name.size() < key.size() && (names.empty() || names.back() != name)) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<void> ServiceRegistry::set_health(std::string_view service, std::string_view id, ServiceHealth health) {
  const auto key = key_of(service, id);
  if (!key) return std::unexpected(key.error());
  const auto updated = store_->update(*key, [health](const Value& value) { return with_health(value, health); },
                                      {.timeout = options_.timeout, .token = options_.token});
  if (!updated) return std::unexpected(updated.error());
  return {};
}

Result<void> ServiceRegistry::remove(std::string_view service, std::string_view id) {
  const auto key = key_of(service, id);
  if (!key) return std::unexpected(key.error());
  const auto removed = store_->del(*key, {.timeout = options_.timeout, .token = options_.token});
  if (!removed) return std::unexpected(removed.error());
  return {};
}

}  // namespace concord
