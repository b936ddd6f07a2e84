#include "cli/absence.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "cli/text_table.h"

namespace poold::cli {
namespace {

std::string PatienceText(Duration patience) { return SpanText(std::chrono::duration<double>(patience).count()); }

}  // namespace

void Absence::Heard(const absl::Status& connection) {
  absl::MutexLock lock(&mu_);
  back_ = connection.ok();
  if (back_) return Warn("the daemon is back");
  Warn(absl::StrCat("the daemon went away; it may take ", PatienceText(patience_), " to come back: ",
                    std::string(connection.message())));
  std::thread([self = shared_from_this()] { self->Await(); }).detach();
}

void Absence::Await() {
  absl::MutexLock lock(&mu_);
  if (mu_.AwaitWithTimeout(absl::Condition(&back_), absl::FromChrono(patience_))) return;
  Warn(absl::StrCat("the daemon did not come back in ", PatienceText(patience_),
                    "; --daemon-timeout is how long it may be away"));
  std::fflush(stdout);
  _exit(static_cast<int>(ExitStatus::kUnreachable));
}

}  // namespace poold::cli
