#include "cli/text/console.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "nlohmann/json.hpp"
#include "src/terminal_text.h"

namespace poold::cli {
namespace {

using client::internal::Lines;
using client::internal::OneLine;

void Write(std::string_view bytes, std::FILE* to) { std::fwrite(bytes.data(), 1, bytes.size(), to); }

std::string SetIn(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    if (at + 1 < text.size() && text[at + 1] != ' ') text.insert(at + 1, "  ");
  }
  return text;
}

// Of a pipe: as when head(1) has seen enough.
bool ReaderIsGone() {
  pollfd ready{STDOUT_FILENO, POLLOUT, 0};
  return poll(&ready, 1, 0) == 1 && (ready.revents & POLLERR) != 0;
}

}  // namespace

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
  Write("poolctl: " + SetIn(Lines(text)) + '\n', stderr);
}

void PrintLine(const std::string& text) { Write(OneLine(text) + '\n', stdout); }

void PrintLines(const std::string& text) { Write(Lines(text) + (text.ends_with('\n') ? "" : "\n"), stdout); }

void PrintJson(const Json& value) { Write(Dump(value) + '\n', stdout); }

void Print(const TextTable& table) { Write(table.Text(), stdout); }

void PrintBytes(std::string_view bytes) { Write(bytes, stdout); }

void PrintOutput(std::string_view bytes, std::FILE* to, bool raw) {
  if (raw || !IsTerminal(to)) return Write(bytes, to);
  Write(Lines(bytes), to);
}

bool Written() {
  static bool told = false;
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  const int why = errno;
  if (!std::exchange(told, true) && why != EPIPE && !ReaderIsGone()) {
    Warn(why == 0 ? "standard output could not be written" : "standard output: " + std::string(std::strerror(why)));
  }
  return false;
}

bool IsTerminal(std::FILE* file) { return isatty(fileno(file)) == 1; }

}  // namespace poold::cli
