#include "cli/live/progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cli/text/console.h"
#include "src/terminal_text.h"

namespace poold::cli {
namespace {

bool OnTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

// One of our streams, for text that comes in pieces.
class OutputSink {
 public:
  OutputSink(std::FILE* file, bool raw) : file_(file), as_it_is_(raw || !IsTerminal(file)) {}

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

std::unique_ptr<client::ProgressBar> MakeBar(ShowProgress show, const std::string& title) {
  if (show == ShowProgress::kNever || (show == ShowProgress::kOnTerminal && !OnTerminal())) return nullptr;
  return std::make_unique<client::ProgressBar>(client::ProgressStyle{.title = title});
}

void LiveBar::Show(const client::Progress& progress) {
  absl::MutexLock lock(&mu_);
  if (bar_ == nullptr) return;
  client::ProgressState state{.text = progress.text};
  if (progress.fraction >= 0) state.fraction = progress.fraction;
  bar_->Update(std::move(state));
}

void LiveBar::Clear() {
  absl::MutexLock lock(&mu_);
  if (bar_ != nullptr) bar_->Clear();
}

void LiveBar::End() {
  absl::MutexLock lock(&mu_);
  bar_.reset();
}

client::OutputCallback LiveOutput(bool stdout_is_taken, bool raw) {
  const auto out = std::make_shared<OutputSink>(stdout_is_taken ? stderr : stdout, raw);
  const auto err = std::make_shared<OutputSink>(stderr, raw);
  return [out, err](const client::Output& output) {
    (output.stream == client::OutputStream::kStderr ? err : out)->Show(output.text);
  };
}

}  // namespace poold::cli
