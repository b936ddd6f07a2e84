// PutProcessInOrder: sets what a process inherits from its parent to known values: dispositions and mask of signals,
// interval timers, umask, limits, closed descriptors 0 to 2.
//
// Threads: call first in main, before there is a second thread. Errors: none; a value that cannot be set stays as it
//   is.
#pragma once

namespace poold::wire {

// The kind of program, which decides about signals and limits.
enum class ProgramKind {
  // Ignored signals get their default handling.
  kDaemon,
  kWorker,
  // A command of a person: signals that nohup and shells (`command &`) ignore on purpose stay ignored: SIGHUP, SIGINT,
  // SIGQUIT and the stops of a terminal.
  kCommand,
};

// Afterwards:
// - No ignored signal is inherited (an ignored SIGCHLD would hide how children ended), and no signal is blocked.
// - No timer of setitimer(2) or alarm(2) runs.
// - Descriptors 0, 1 and 2 are open, on /dev/null where they were closed. Otherwise a file that is opened later would
//   receive output.
// - The owner may read and write new files (umask), and search new folders.
// - The daemon's soft limits of descriptors, processes, file size and processor time are raised to the hard limits, and
//   the limit of the stack (of its threads) to 1 MiB. Its workers inherit them; a pool's own limits stay.
void PutProcessInOrder(ProgramKind kind);

}  // namespace poold::wire
