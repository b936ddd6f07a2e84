// What everything on the process thread shares. A struct of references, no behaviour.
#pragma once

#include <functional>

#include "base/clock.h"
#include "process/containment/containment.h"
#include "process/dispatcher.h"
#include "process/event_loop.h"
#include "process/harvest.h"

namespace poold::process {

class WorkerProcess;
class ZygoteClient;

struct ProcessThread {
  const DispatcherOptions& options;
  const base::Clock& clock;
  EventLoop loop;
  Family family;
  std::unique_ptr<Containment> containment;
  Harvest harvest;
  // Look at it before the next sleep. May be called for one that is already on the list.
  std::function<void(WorkerProcess*)> attend;
  std::function<void(ZygoteClient*)> attend_zygote;
};

}  // namespace poold::process
