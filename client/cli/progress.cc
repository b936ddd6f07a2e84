#include "cli/progress.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace poold::cli {
namespace {

bool OnTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

}  // namespace

std::unique_ptr<client::ProgressBar> MakeBar(ShowProgress show, const std::string& title) {
  if (show == ShowProgress::kNever || (show == ShowProgress::kOnTerminal && !OnTerminal())) return nullptr;
  return std::make_unique<client::ProgressBar>(client::ProgressStyle{.title = title});
}

void LiveBar::Show(const client::Progress& progress) {
  absl::MutexLock lock(&mu_);
  if (bar_ == nullptr) return;
  client::ProgressState state{.text = std::string(progress.text)};
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

}  // namespace poold::cli
