#include "cli/live_output.h"

#include <cstdio>
#include <memory>

#include "cli/console.h"
#include "src/terminal_text.h"

namespace poold::cli {
namespace {

// One of our streams, for text that comes in pieces.
class Screen {
 public:
  Screen(std::FILE* file, bool raw) : file_(file), as_it_is_(raw || !IsTerminal(file)) {}

  void Show(std::string_view piece) {
    PrintOutput(as_it_is_ ? std::string(piece) : lines_.Add(piece), file_, /*raw=*/true);
    std::fflush(file_);
  }

 private:
  std::FILE* const file_;
  const bool as_it_is_;
  client::internal::LinesOfPieces lines_;
};

}  // namespace

client::OutputCallback LiveOutput(bool stdout_is_taken, bool raw) {
  const auto out = std::make_shared<Screen>(stdout_is_taken ? stderr : stdout, raw);
  const auto err = std::make_shared<Screen>(stderr, raw);
  return [out, err](const client::Output& output) {
    (output.stream == v1::OUTPUT_STREAM_STDERR ? err : out)->Show(output.text);
  };
}

}  // namespace poold::cli
