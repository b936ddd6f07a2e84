// Progress: bars and output of tasks that run, shown as they come.
#pragma once

#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "cli/grammar/options.h"
#include "poold/client/progress_bar.h"

namespace poold::cli {

// The time between two looks at the progress during a wait.
inline constexpr Duration kProgressStep = std::chrono::milliseconds(100);

// A bar on stderr. Null: none is wanted there.
std::unique_ptr<client::ProgressBar> MakeBar(ShowProgress show, const std::string& title);

// A bar that the thread which reads the connection draws while the main thread waits. Thread-safe.
class LiveBar {
 public:
  explicit LiveBar(std::unique_ptr<client::ProgressBar> bar) : bar_(std::move(bar)) {}

  // Draws the report. Has no effect without a bar.
  void Show(const client::Progress& progress) ABSL_LOCKS_EXCLUDED(mu_);
  // Removes the bar until the next Show, so that something else can be printed.
  void Clear() ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the bar; nothing is drawn afterwards.
  void End() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  std::unique_ptr<client::ProgressBar> bar_ ABSL_GUARDED_BY(mu_);
};

// Returns a callback that shows the tasks' output as it comes: on stdout and stderr, or on stderr alone where stdout is
// for results. On a terminal the output is unchanged only with `raw`. The callback runs on the thread that reads the
// connection.
client::OutputCallback LiveOutput(bool stdout_is_taken, bool raw);

}  // namespace poold::cli
