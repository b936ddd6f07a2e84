#include "cli/console.h"

#include <cstdio>

#include "nlohmann/json.hpp"

namespace poold::cli {

ExitStatus ComplainUsage(const std::string& text) {
  Warn(text);
  return ExitStatus::kUsage;
}

ExitStatus ComplainInput(const absl::Status& status) {
  Warn(std::string(status.message()));
  return absl::IsInvalidArgument(status) ? ExitStatus::kUsage : ExitStatus::kNoInput;
}

void Warn(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "poolctl: %s\n", text.c_str());
}

void PrintLine(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void PrintJson(const Json& value) { PrintLine(Dump(value)); }

void Print(const TextTable& table) {
  const std::string text = table.Text();
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace poold::cli
