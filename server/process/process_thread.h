// ProcessThread: the objects that all zygotes and workers of one process thread share. A struct of references, without
// behaviour.
//
// Threads: guarded by the round of the loop (event_loop.h): the process thread uses it while it is awake, one other
// thread while it sleeps. Ownership: owned by the dispatcher; outlives zygotes and workers.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "process/containment/containment.h"
#include "process/dispatcher.h"
#include "process/event_batch.h"
#include "process/event_loop.h"

namespace poold::process {

class WorkerProcess;
class ZygoteClient;

// The most bytes of an output pipe that are read before other events get their turn.
inline constexpr std::size_t kPipeBytesPerTurn = 64 * 1024;
// The tries to reap a process that was killed, with growing pauses between them: about 20 s.
inline constexpr int kMaxReapTries = 1000;

struct ProcessThread {
  const DispatcherOptions& options;
  const base::Clock& clock;
  // The address of the daemon for its workers (POOLD_ADDRESS). Set before the first pool.
  std::string client_address;
  EventLoop loop;
  // Shared with the process threads of other dispatchers, and thread-safe.
  std::shared_ptr<ProcessRegistry> registry;
  // The events for the core, which is entered when the round ends.
  EventBatch batch;
  // Make the loop call Service before its next sleep; further calls until then have no effect. Another thread that
  // calls while the loop sleeps wakes the loop afterwards.
  std::function<void(WorkerProcess*)> attend;
  std::function<void(ZygoteClient*)> attend_zygote;
};

}  // namespace poold::process
