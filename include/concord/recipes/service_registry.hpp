// Service registry: instances of services make themselves known, and go by themselves when they no longer say that they are alive.
//
//     concord::ServiceRegistry registry(store, {.ttl = 15s});
//     auto registration = registry.add("web", {.id = "web-1", .host = "10.0.1.100", .port = 8080});
//     registration->heartbeat();                                       // every 5 s, say
//     registration->set_health(concord::ServiceHealth::draining);      // no new work, please
//
//     const auto webs = registry.healthy("web");
//     for (const auto& web : *webs) connect(web.host, web.port);
//
// Keys: `<prefix><service>/<id>`, by default "services/web/web-1", with the ttl. The value is a JSON object: host, port, health
// ("healthy", "unhealthy", "draining") and metadata (an object of strings). The names of services and instances have no '/'.
//
// Guarantee: an instance without heartbeat is gone when its ttl has passed, and not before. Registering again under the same
// id replaces the instance; what the earlier registration does after that, late heartbeats and its destructor among them,
// changes nothing. Changes of health never bring back what has gone, and don't prolong it.
//
// Limit: an instance is listed for up to a ttl after it died, and health is what somebody wrote, not what is. To learn of
// changes ask again.
//
// Thread rule: a `ServiceRegistry` may be used by many threads at once. The store must outlive it and its registrations, and
// stay where it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/revision.hpp>
#include <concord/store.hpp>

namespace concord {

namespace recipes {
class Lease;
}

enum class ServiceHealth : std::uint8_t { healthy, unhealthy, draining };

/// "healthy", "unhealthy", "draining".
[[nodiscard]] CONCORD_API std::string_view service_health_name(ServiceHealth health) noexcept;

struct ServiceInstance {
  std::string id = {};
  std::string host = {};
  std::uint16_t port = 0;
  ServiceHealth health = ServiceHealth::healthy;
  std::map<std::string, std::string> metadata = {};

  friend bool operator==(const ServiceInstance& a, const ServiceInstance& b) = default;
};

struct ServiceRegistryOptions {
  std::string prefix = "services/";
  std::chrono::seconds ttl{15};  ///< At least 1 s. An instance is gone so long after its last heartbeat.
  std::optional<ReadConsistency> consistency = {};  ///< Of queries. None: `Options::default_consistency`.
  std::chrono::milliseconds timeout{5000};          ///< Of each write or read that a call makes.
  std::string token = {};                           ///< Looked at when authentication is on.
};

/// An instance that was registered here. The destructor takes it out; it blocks at most `ServiceRegistryOptions::timeout`, and
/// when it fails the ttl does. One that was moved from may only be assigned to or destroyed. Thread rule: any thread may call
/// any member at any time; moving and destroying exclude all else.
///
/// Errors of its calls: not_found when the instance is gone (register again), condition_failed when it was replaced by another
/// registration.
class CONCORD_API ServiceRegistration {
 public:
  ServiceRegistration(ServiceRegistration&&) noexcept;
  ServiceRegistration& operator=(ServiceRegistration&&) noexcept;
  ServiceRegistration(const ServiceRegistration&) = delete;
  ServiceRegistration& operator=(const ServiceRegistration&) = delete;
  ~ServiceRegistration();

  /// Starts the ttl anew. Do it at a third of the ttl.
  Result<void> heartbeat();

  /// Says how the instance is; no heartbeat.
  Result<void> set_health(ServiceHealth health);

  /// Takes the instance out.
  Result<void> remove();

 private:
  friend class ServiceRegistry;
  explicit ServiceRegistration(std::unique_ptr<recipes::Lease> lease) noexcept;

  std::unique_ptr<recipes::Lease> lease_;
};

class CONCORD_API ServiceRegistry {
 public:
  explicit ServiceRegistry(Store& store, ServiceRegistryOptions options = {});

  /// Registers an instance; one with the same id is replaced. Errors: invalid_request for a name or id that is empty or has
  /// a '/'. An error with `maybe_committed()`: it may be listed until its ttl has passed; registering again replaces it.
  [[nodiscard]] Result<ServiceRegistration> add(std::string_view service, const ServiceInstance& instance);

  /// The instances that say they are healthy, by id; the store itself chooses them.
  [[nodiscard]] Result<std::vector<ServiceInstance>> healthy(std::string_view service) const;

  /// All instances, by id. A key there that holds no instance is left out, here and in `healthy`.
  [[nodiscard]] Result<std::vector<ServiceInstance>> instances(std::string_view service) const;

  /// The services that have an instance, in order.
  [[nodiscard]] Result<std::vector<std::string>> services() const;

  /// For people and health checkers: says how any instance is, or takes it out. Errors: not_found.
  Result<void> set_health(std::string_view service, std::string_view id, ServiceHealth health);
  Result<void> remove(std::string_view service, std::string_view id);

 private:
  [[nodiscard]] Result<std::string> key_of(std::string_view service, std::string_view id) const;
  [[nodiscard]] Result<std::vector<ServiceInstance>> find(std::string_view service, Predicate filter) const;
  [[nodiscard]] ReadOptions for_read() const;

  Store* store_;
  ServiceRegistryOptions options_;
};

}  // namespace concord
