// What everything on one process thread shares. A struct of references, no behaviour.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "process/containment/process_registry.h"
#include "process/dispatcher.h"
#include "process/event_batch.h"
#include "process/event_loop.h"

namespace poold::process {

class WorkerProcess;
class ZygoteClient;

struct ProcessThread {
  const DispatcherOptions& options;
  const base::Clock& clock;
  // What workers are told of their daemon (POOLD_ADDRESS). Set before the first pool.
  std::string client_address;
  EventLoop loop;
  // Shared with the process threads of other dispatchers.
  std::shared_ptr<ProcessRegistry> registry;
  EventBatch batch;
  // Look at it before the next sleep. May be called for one that is already on the list.
  std::function<void(WorkerProcess*)> attend;
  std::function<void(ZygoteClient*)> attend_zygote;
};

}  // namespace poold::process
