// Tells systemd what the service does (sd_notify(3)): a datagram to the socket named by NOTIFY_SOCKET. Written out here,
// because it is one call and libsystemd would be another library to carry.
#pragma once

#include <string_view>

namespace concord::app {

/// `state` is "READY=1" or the like. Without a service manager, or when it cannot be reached, nothing happens.
void notify_service_manager(std::string_view state) noexcept;

}  // namespace concord::app
