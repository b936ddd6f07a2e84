// MainLoop: the main thread's wait for signals, wakes of other threads, and time.
//
// Threads: Wake is thread-safe and async-signal-safe; the main thread calls everything else.
#pragma once

#include <cstdint>

#include "core/types.h"
#include "wire/unique_fd.h"

namespace poold {

// Sends SIGTERM, SIGINT and SIGHUP to MainLoop alone, and ignores SIGPIPE. REQUIRES: there is no other thread yet;
// later threads inherit this.
void BlockSignals();

class MainLoop {
 public:
  MainLoop();

  // Waits for at most `wait` ns, and an hour. Returns the signal that came; 0: a wake, or the time is over. REQUIRES:
  // BlockSignals was called.
  int Next(core::Nanos wait);
  // Ends the present or the next Next.
  void Wake();

 private:
  wire::UniqueFd signals_;
  wire::UniqueFd wake_;
};

}  // namespace poold
