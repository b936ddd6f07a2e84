// What the main thread waits for: signals, a wake from another thread, a moment.
//
// Wake is thread-safe and async; everything else is the main thread's.
#pragma once

#include <cstdint>

#include "core/types.h"
#include "wire/unique_fd.h"

namespace poold {

// SIGTERM, SIGINT and SIGHUP come to MainLoop and nowhere else; SIGPIPE is ignored. Call before there is a thread: all
// threads inherit it.
void BlockSignals();

class MainLoop {
 public:
  MainLoop();

  // REQUIRES: BlockSignals was called. Returns the signal that came, or 0 after a wake or after `wait`.
  int Next(core::Nanos wait);
  void Wake();

 private:
  wire::UniqueFd signals_;
  wire::UniqueFd wake_;
};

}  // namespace poold
