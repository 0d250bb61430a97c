// What the operating system knows about this process, under the names that all Prometheus clients use. Linux: /proc/self.
#pragma once

#include "observe/exposition.hpp"

namespace concord::observe {

/// What can't be read is left out.
void append_process_metrics(Exposition& to);

}  // namespace concord::observe
