// Puts in order what a process inherits of whoever started it, whatever that was: dispositions and mask of signals,
// interval timers, umask, limits, closed descriptors 0 to 2.
//
// Call first in main, before there is a thread. No errors: what cannot be mended stays as it is.
#pragma once

namespace poold::wire {

enum class ProgramKind {
  // Signals as if nobody had touched them.
  kDaemon,
  kWorker,
  // A command of a person: what nohup and shells (`command &`) ignore on purpose stays ignored: SIGHUP, SIGINT, SIGQUIT
  // and the stops of a terminal.
  kCommand,
};

// What is done:
// - Signals have their default handling (SIGCHLD that is ignored would take away how children ended), and none is
//   blocked.
// - No timer of setitimer(2) or alarm(2) runs.
// - Descriptors 0, 1 and 2 are open: what was closed is /dev/null. A file that is opened later would else be written
// to.
// - The owner may read and write what is made (umask), and search folders.
// - The daemon's soft limits of descriptors, processes, file size and processor time are raised to the hard ones, and
//   that of the stack (of its threads) to 1 MiB. Its workers inherit them; a pool's own limits stay as they are.
void PutProcessInOrder(ProgramKind kind);

}  // namespace poold::wire
