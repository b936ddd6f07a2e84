#include "cli/live/absence.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/exit_status.h"
#include "cli/text/console.h"
#include "cli/text/text_table.h"

namespace poold::cli {
namespace {

// No sum with it overflows.
constexpr Duration kLongest = std::chrono::hours(24 * 365);

std::string PatienceText(Duration patience) { return SpanText(std::chrono::duration<double>(patience).count()); }

}  // namespace

void Absence::Heard(const absl::Status& connection) {
  const std::lock_guard lock(mu_);
  back_ = connection.ok();
  changed_.notify_all();
  if (back_) return Warn("the daemon is back");
  Warn(absl::StrCat("the daemon went away; it may take ", PatienceText(patience_),
                    " to come back: ", std::string(connection.message())));
  std::thread([self = shared_from_this()] { self->Await(); }).detach();
}

void Absence::Await() {
  std::unique_lock lock(mu_);
  const Duration patience = std::min<Duration>(patience_, kLongest);
  if (changed_.wait_for(lock, patience, [this] { return back_; })) return;
  Warn(absl::StrCat("the daemon did not come back in ", PatienceText(patience_),
                    "; --daemon-timeout is how long it may be away"));
  std::fflush(stdout);
  _exit(static_cast<int>(ExitStatus::kUnreachable));
}

}  // namespace poold::cli
