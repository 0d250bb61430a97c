#include "observe/process_metrics.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace concord::observe {
namespace {

/// Fields of /proc/self/stat behind the name of the program, which may hold blanks: field 3 of proc(5) is the first here.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(line.substr(end_of_name + 1));
  return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

std::optional<double> field(const std::vector<std::string>& fields, std::size_t number_in_proc) {
  const std::size_t position = number_in_proc - 3;
  if (position >= fields.size()) return std::nullopt;
  return std::stod(fields[position]);
}

std::optional<double> boot_time_s() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return std::nullopt;
}

std::optional<double> open_files() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  double count = -1;  // the listing's own
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) ++count;
  return count;
}

std::optional<double> most_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

void append(Exposition& to, std::string_view name, std::string_view type, std::string_view help,
            std::optional<double> value) {
  if (!value) return;
  to.family(name, type, help);
  to.sample(Labels(), *value);
}

}  // namespace

void append_process_metrics(Exposition& to) {
  const auto fields = stat_fields();
  const auto ticks_a_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto user = field(fields, 14);
  const auto system = field(fields, 15);
  const auto started = field(fields, 22);
  const auto boot = boot_time_s();
  const auto pages = field(fields, 24);
  append(to, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
         user && system ? std::optional((*user + *system) / ticks_a_second) : std::nullopt);
  append(to, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
         started && boot ? std::optional(*boot + *started / ticks_a_second) : std::nullopt);
  append(to, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", field(fields, 23));
  append(to, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
         pages ? std::optional(*pages * static_cast<double>(sysconf(_SC_PAGESIZE))) : std::nullopt);
  append(to, "process_open_fds", "gauge", "Number of open file descriptors.", open_files());
  append(to, "process_max_fds", "gauge", "Maximum number of open file descriptors.", most_open_files());
  append(to, "process_threads", "gauge", "Number of OS threads in the process.", field(fields, 20));
}

}  // namespace concord::observe
