#include "commands/output_file.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

namespace concord::app {
namespace {

bool write_file(Context& context, const std::string& path, const std::function<bool(std::ostream&)>& write) {
  std::ofstream file(path, std::ios::binary);
  const bool is_whole = file && write(file);
  file.close();
  if (!file) context.exit_code = report_problem(ExitCode::failed, "cannot write " + path);
  return is_whole && file;
}

}  // namespace

void write_output(Context& context, const std::string& path, const std::function<bool(std::ostream&)>& write) {
  if (path == "-") {
    (void)write(std::cout);
    if (!std::cout.flush()) context.exit_code = report_problem(ExitCode::failed, "cannot write to standard output");
    return;
  }
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {  // a pipe, a device
    (void)write_file(context, path, write);
    return;
  }
  const std::string partial = path + ".partial";
  if (!write_file(context, partial, write)) {
    std::filesystem::remove(partial, error);
    return;
  }
  std::filesystem::rename(partial, path, error);
  if (error) context.exit_code = report_problem(ExitCode::failed, "cannot write " + path);
}

}  // namespace concord::app
