// The things that all processes of one process thread share: a struct of references, no behaviour.
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

// So much of an output pipe is read before other events get their turn.
inline constexpr std::size_t kPipeBytesPerTurn = 64 * 1024;
// How often it is tried to reap a process that was killed, with growing pauses: about 20 s.
inline constexpr int kMaxReapTries = 1000;

struct ProcessThread {
  const DispatcherOptions& options;
  const base::Clock& clock;
  // What workers are told of their daemon (POOLD_ADDRESS). Set before the first pool.
  std::string client_address;
  EventLoop loop;
  // Shared with the process threads of other dispatchers, and thread-safe.
  std::shared_ptr<ProcessRegistry> registry;
  // What the core is to be told when the round ends.
  EventBatch batch;
  // Have Service called before the next sleep. May be called for one that is already on the list. Another thread that
  // calls this while the loop sleeps wakes the loop afterwards.
  std::function<void(WorkerProcess*)> attend;
  std::function<void(ZygoteClient*)> attend_zygote;
};

}  // namespace poold::process
