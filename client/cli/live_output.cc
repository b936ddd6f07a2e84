#include "cli/live_output.h"

#include <cstdio>

namespace poold::cli {

client::OutputCallback LiveOutput(bool stdout_is_taken) {
  return [stdout_is_taken](const client::Output& output) {
    std::FILE* to = stdout_is_taken || output.stream == v1::OUTPUT_STREAM_STDERR ? stderr : stdout;
    std::fwrite(output.text.data(), 1, output.text.size(), to);
    std::fflush(to);
  };
}

}  // namespace poold::cli
