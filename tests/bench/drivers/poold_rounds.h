#pragma once

#include "job.h"
#include "poold/client/pool.h"
#include "samples.h"

// One round of a job on a pool that has the modules `testing` and `examples`. Blocking. Every result is checked: a
// wrong one is the status.
namespace poold::bench {

Samples RunMap(const client::Pool& pool, const Job& job);
Samples RunBurst(const client::Pool& pool, const Job& job);
Samples RunWindow(const client::Pool& pool, const Job& job);
Samples RunTrips(const client::Pool& pool, const Job& job);
Samples RunEcho(const client::Pool& pool, const Job& job);
Samples RunWorkMap(const client::Pool& pool, const Job& job);
Samples RunWorkTasks(const client::Pool& pool, const Job& job);
Samples RunLongFirst(const client::Pool& pool, const Job& job);
Samples RunSpinMap(const client::Pool& pool, const Job& job);

}  // namespace poold::bench
