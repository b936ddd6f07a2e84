// ExitStatus: the exit status of poolctl, for scripts. `poolctl --help` lists the numbers, which never change.
#pragma once

namespace poold::cli {

enum class ExitStatus : int {
  kOk = 0,
  kFailed = 1,         // the task (or an item of the map) ended FAILED
  kCrashed = 2,        // ... CRASHED
  kTimedOut = 3,       // ... TIMED_OUT or EXPIRED
  kCancelled = 4,      // ... CANCELLED, or is LOST
  kWaitPassed = 5,     // --wait-timeout passed first; nothing is lost, ask again
  kNotCancelled = 6,   // cancel: one of them runs, or had ended
  kUsage = 64,         // the command line makes no sense
  kNoInput = 66,       // a file that was named cannot be read
  kUnreachable = 69,   // no daemon answers
  kRefused = 70,       // the daemon refused the call
  kNoOutput = 74,      // standard output cannot be written
  kInterrupted = 130,  // Ctrl-C
};

}  // namespace poold::cli
